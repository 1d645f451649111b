/*
 * Shapes, tiles and the operators they belong to; what can be said of a call without running it.
 */
#ifndef KERNELS_SHAPE_H
#define KERNELS_SHAPE_H
#include <stddef.h>

/*
 * KN_SEPARABLE: depthwise, then pointwise, in one call; what lies between the two never leaves the cache.
 * KN_BATCH_NORM: batch norm with the statistics of the batch, and ReLU. KN_RELU: scale, shift and ReLU, a norm whose
 * statistics are known. KN_ADD: the sum of two tensors.
 */
enum kn_op { KN_POINTWISE, KN_DEPTHWISE, KN_CONV3X3, KN_SEPARABLE, KN_BATCH_NORM, KN_RELU, KN_ADD, KN_OPS };
enum kn_dir { KN_FWD, KN_BWD_DATA, KN_BWD_WEIGHTS, KN_DIRS };

enum { KN_LANES = 16 /* channels in a block */, KN_TAPS = 9 /* of a 3x3 stencil */ };

/* Stride 1 and "same" zero padding everywhere. Depthwise: oc = ic * multiplier, output channel o reads input o /
 * multiplier. */
struct kn_shape {
    int n;            /* slots in the batch */
    int ic, oc;       /* real channels */
    int f, t;         /* grid: subcarriers, OFDM symbols */
    int dil_f, dil_t; /* dilation; 1, 1 where there is one tap */
    int mid;          /* separable only: channels between its halves, a multiple of ic */
};

/* The loops over blocks, outermost first: o output channels, i input channels, g blocks of the grid (n, f, t). */
enum kn_order { KN_ORDER_DEFAULT, KN_ORDER_GOI, KN_ORDER_GIO, KN_ORDER_OGI, KN_ORDER_IGO, KN_ORDERS };
/* Whether a separable call keeps the depthwise result in the cache, a band at a time, or writes all of it first. */
enum kn_keep { KN_KEEP_DEFAULT, KN_KEEP_YES, KN_KEEP_NO };

/* How a call is cut up; 0 = the kernel's default. */
struct kn_tile {
    int oc, ic, f, t; /* block sizes, in elements of the axis */
    int px, vc;       /* register block: pixels by blocks of 16 results whose sums stay in registers; both or none */
    enum kn_order order;
    enum kn_keep keep;
};
enum {
    KN_TILE_OC = 1,
    KN_TILE_IC = 2,
    KN_TILE_F = 4,
    KN_TILE_T = 8,
    KN_TILE_REG = 16,
    KN_TILE_ORDER = 32,
    KN_TILE_KEEP = 64,
    KN_TILE_ALL = 127,
    KN_TILE_TEXT = 128 /* characters that hold any tile as text */
};

/** "pointwise", "depthwise", "conv3x3", "separable", "norm", "relu", "add"; "fwd", "bwd_data", "bwd_weights". */
const char *kn_op_name(enum kn_op op);
const char *kn_dir_name(enum kn_dir dir);

/** Blocks of 16 that hold c channels. */
static inline int kn_blocks(int c)
{
    return (c + KN_LANES - 1) / KN_LANES;
}

/** Whether an operator works channel by channel and pixel by pixel: norm, relu, add. They have oc = ic and no tiles. */
static inline int kn_elementwise(enum kn_op op)
{
    return op >= KN_BATCH_NORM;
}

/** The two layers that a separable one is made of: ic to mid channels, mid to oc. Pure. */
struct kn_shape kn_depthwise_half(const struct kn_shape *separable);
struct kn_shape kn_pointwise_half(const struct kn_shape *separable);

/**
 * 0, or JRX_EINVAL: an axis below 1, products past 2^31 elements, oc not a multiple of ic (depthwise) or not ic (norm,
 * relu, add), mid not a multiple (separable).
 */
int kn_shape_check(enum kn_op op, const struct kn_shape *shape);

/** Floats in x (or dx), y (or dy), w (or dw), padding included. */
size_t kn_x_floats(const struct kn_shape *shape);
size_t kn_y_floats(const struct kn_shape *shape);
size_t kn_w_floats(enum kn_op op, const struct kn_shape *shape);

/**
 * Useful FLOP of a call, 2 a multiply-add; for layers with weights the same in every direction. Taps outside the grid
 * are not counted, so a 3x3 layer on a small grid with wide dilation costs less than 9 taps an element. Padding
 * channels are not counted. Of norm, relu and add every addition and multiplication of an element counts, once however
 * often a kernel makes it again; comparisons do not, nor what is done once a channel. A copy (add, backward-data) is 0.
 */
double kn_flop(enum kn_op op, enum kn_dir dir, const struct kn_shape *shape);

/**
 * "pw:c64:k128", "dw:c64:m2:d2x3", "conv:c10:k64", "sep:c64:m2:k128:d2x3", "norm:c64", "relu:c64", "add:c64" (c
 * input, k output channels, m multiplier, d dilation f x t) into op and the channel and dilation fields (mid is 0 but
 * for sep); n, f, t are left alone. JRX_EINVAL with the offending part.
 */
int kn_layer_parse(const char *text, enum kn_op *op, struct kn_shape *shape);
/** The inverse, into text[size]; returns text. */
char *kn_layer_format(enum kn_op op, const struct kn_shape *shape, char *text, size_t size);

/** "goi", "gio", "ogi", "igo"; "default" for 0. */
const char *kn_order_name(enum kn_order order);

/**
 * The one grammar of tilings: "oc=64,ic=128,f=24,t=14,reg=14x2,order=goi,keep=yes", any subset in any order, "" or
 * "default" for none. Whether a kernel can have it is asked of its supports(). JRX_EINVAL with the offending part.
 */
int kn_tile_parse(const char *text, struct kn_tile *tile);
/** A whole number of at least 1 from *at on, which moves past it; 0 if there is none or it is above INT_MAX. */
int kn_tile_number(const char **at);
/** The fields of `tile` that are in `fields` and not 0; "default" if that leaves none. Returns text. */
char *kn_tile_format(const struct kn_tile *tile, unsigned fields, char *text, size_t size);

#endif
