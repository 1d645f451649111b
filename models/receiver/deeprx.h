/*
 * DeepRx (Honkala, Korpi, Huttunen, IEEE TWC 20(6), 2021) as a table of blocks: a 3x3 convolution, residual blocks
 * (twice norm, ReLU, dilated depthwise 3x3 with multiplier 2, pointwise; added to a shortcut, which is a pointwise of
 * the normalised input where the width changes), norm, ReLU, pointwise to the logits. Dilations (t, f) are (1,1), (2,3)
 * and (3,6): the wide one along frequency. Students are narrower, or a shorter table.
 */
#ifndef MODELS_RECEIVER_DEEPRX_H
#define MODELS_RECEIVER_DEEPRX_H
#include "models/link/slot.h"
#include "models/nn/net.h"

enum { RX_LOGITS = 8 /* planes: up to 256QAM; those a modulation does not use are masked */ };

struct rx_block {
    int width; /* channels it makes, at width factor 1 */
    int dil_t, dil_f;
};

struct rx_body {
    const char *name; /* "deeprx", "short7", ...: option and CSV value */
    int stem;         /* channels of the first convolution, at width factor 1 */
    int blocks;
    const struct rx_block *block;
};

/** The tables there are, ended by one whose name is NULL; the first is DeepRx itself. */
const struct rx_body *rx_bodies(void);
/** By name; NULL with a jrx_fail() message that lists the names. */
const struct rx_body *rx_body_find(const char *name);

struct rx_shape {
    const struct rx_body *body;
    double width;   /* factor on all channel counts, which are rounded to the nearest whole number */
    int blocks;     /* how many, spread evenly over the table; 0: all */
    int multiplier; /* of the depthwise layers, 1 to 4; 0: the published 2 */
    int rx;         /* antennas: 2 (2 rx + 1) input planes */
    int logits;     /* output planes: RX_LOGITS, or 4 as in the published 16QAM form */
    int hint; /* 0; or channels of a pointwise adapter on the last map, which training compares with a teacher's */
};

/** Builds the network. 0; JRX_EINVAL (a width that leaves a layer without channels, anything out of its range). */
int rx_net_init(struct nn_net *net, const struct rx_shape *shape);

/** The value that enters the network's last norm: the last map, which hints are about. Pure. */
int rx_last_map(const struct nn_net *net);

/** Input planes of a receiver with `rx` antennas. */
static inline int rx_planes(int rx)
{
    return 2 * (2 * rx + 1);
}

/**
 * Fills slot number n of a blocked input: planes Re Y, Im Y of each antenna, Re Xp, Im Xp, Re Hr, Im Hr of each
 * antenna with Hr = Y conj(Xp), which is 0 off the pilots. Y is scaled to mean power 1 over the slot and its antennas,
 * as the gain control of a receiver does: bits depend on ratios only, and norms then see slots of one size.
 *
 * input  [.][blocks of rx_planes(slot->rx)][f][t][16]; padding lanes are set to 0
 */
void rx_fill_input(const struct lk_slot *slot, int n, float *input);
/** The bits of a slot as labels of nn/loss.h: label[.][f][t][16] of slot number n, NN_NO_BIT where there is none. */
void rx_fill_labels(const struct lk_slot *slot, int n, uint8_t *label);

#endif
