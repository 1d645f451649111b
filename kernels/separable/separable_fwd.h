/*
 * y = bias + v * (w * x): depthwise and pointwise in one pass. A band of rows (tile f) goes through the depthwise
 * stencil into the workspace, [mid/16][rows][t][16], and from there, still in the cache, through the pointwise product,
 * tile oc output channels at a time. keep=no is the two layers one after the other, with a whole slot between them.
 *
 * For a residual network that is a whole half block: with scale and shift, the rows of a block that the stencil will
 * read are normalised into the workspace first, [rows + 2 dil_f][t][16], once for all taps and units that read them,
 * which find them in the nearest cache. accumulate starts the product from y.
 *
 * A template; see kernels/product.h for what a file defines before it.
 */
#ifndef KERNELS_SEPARABLE_SEPARABLE_FWD_H
#define KERNELS_SEPARABLE_SEPARABLE_FWD_H
#include "harness/base/error.h"
#include "kernels/product.h"
#include "kernels/separable/separable_band.h"

enum {
    SEPARABLE_FIELDS = KN_TILE_OC | KN_TILE_F | KN_TILE_REG | KN_TILE_KEEP,
    /* pixels of a band by default: enough to use a weight from the first-level cache often, few enough to share out */
    SEPARABLE_PIXELS = 168,
    SEPARABLE_GAP = 4 /* planes that lie unused between threads' bands */
};

static struct kn_tile resolve(const struct kn_shape *s, const struct kn_tile *tile)
{
    int rows = SEPARABLE_PIXELS / s->t;
    struct kn_tile r = {.oc = kn_tile_round(tile->oc, KN_VC * KN_LANES, KN_LANES, s->oc),
                        .f = kn_tile_round(tile->f, kn_tile_even(s->f, rows), 1, s->f),
                        .keep = tile->keep ? tile->keep : KN_KEEP_YES};
    kn_product_resolve_reg(tile, &r);
    return r;
}

static int supports(const struct kn_shape *s, const struct kn_tile *tile)
{
    int rc = kn_tile_check(KN_SEPARABLE, SEPARABLE_FIELDS, s, tile);
    rc = rc ? rc : kn_product_reg_check(tile);
    if (!rc && s->mid / s->ic > 2)
        rc = jrx_fail(JRX_EINVAL, "separable: multiplier %d; this kernel has 1 and 2, use the two layers apart",
                      s->mid / s->ic);
    return rc;
}

/*
 * Floats between the halves: from one thread's band to the next one's, or a whole slot. The product reads a band plane
 * by plane, and a core seems to fetch ahead at that distance, past the last plane: what lies there must not be what
 * another thread is about to write.
 */
static size_t band_floats(const struct kn_shape *s, const struct kn_tile *tile)
{
    const int kept = tile->keep != KN_KEEP_NO, rows = kept ? tile->f : s->f;
    const size_t planes = (size_t)kn_blocks(s->mid) + (kept ? SEPARABLE_GAP : 0);
    return kn_apart(planes * (size_t)rows * (size_t)s->t * KN_LANES * sizeof(float)) / sizeof(float);
}

/* First the normalised rows of each thread, then what lies between the halves. */
static size_t workspace_bytes(const struct kn_shape *s, const struct kn_tile *asked, int threads)
{
    const struct kn_tile tile = resolve(s, asked);
    const size_t bands = tile.keep == KN_KEEP_NO ? 1 : (size_t)threads;
    return (bands * band_floats(s, &tile) + (size_t)threads * normed_floats(s, &tile)) * sizeof(float);
}

static float *between_of(const struct kn_args *a, const struct kn_tile *tile)
{
    return a->workspace + (size_t)a->threads * normed_floats(a->shape, tile);
}

static void stencil(const struct band *b)
{
    const struct kn_shape *s = b->args->shape;
    for (int u = 0; u < kn_blocks(s->mid); u++)
        stencil_unit(b, u, b->between + (size_t)u * (size_t)(b->planned * s->t * KN_LANES));
}

static void product(const struct band *b)
{
    static const struct kn_tap only;
    const struct kn_args *a = b->args;
    const struct kn_shape *s = a->shape;
    const int blocks = kn_blocks(s->oc), step = b->tile.oc / KN_LANES, pixels = b->rows * s->t;
    const ptrdiff_t plane = (ptrdiff_t)s->f * s->t * KN_LANES, mid = kn_blocks(s->mid) * KN_LANES;
    float *y = a->y + b->n * blocks * plane + (ptrdiff_t)b->f0 * s->t * KN_LANES;
    for (int o = 0; o < blocks; o += step) {
        struct kn_product p = {.x = b->between,
                               .w = a->w + mid * KN_TAPS + o * mid * KN_LANES,
                               .bias = a->bias ? a->bias + o * KN_LANES : NULL,
                               .y = y + o * plane,
                               .x_plane = (ptrdiff_t)b->planned * s->t * KN_LANES,
                               .y_plane = plane,
                               .w_block = mid * KN_LANES,
                               .tap = &only,
                               .taps = 1,
                               .to = s->mid,
                               .resume = a->accumulate,
                               .first = kn_product_first(b->tile.px),
                               .vc = b->tile.vc,
                               .x_is = KN_WORKSPACE,
                               .w_is = KN_WEIGHT,
                               .y_is = KN_OUT,
                               .trace = a->trace};
        if (o == 0 && s->mid == s->ic && b->tile.keep != KN_KEEP_NO) {
            /* what the stencil will read for the next band: as many lines */
            p.far =
                a->x + b->n * kn_blocks(s->ic) * plane + (b->f0 + b->tile.f + s->dil_f) * (ptrdiff_t)s->t * KN_LANES;
            p.far_plane = plane;
        }
        int count = blocks - o < step ? blocks - o : step;
        kn_product_run(&p, pixels, count);
    }
}

/* Band after band, each through both halves by the same thread. */
static void run_kept(const struct kn_args *a, const struct kn_tile *tile)
{
    const struct kn_shape *s = a->shape;
#pragma omp parallel for collapse(2) num_threads(a->threads) schedule(static)
    for (int n = 0; n < s->n; n++)
        for (int f0 = 0; f0 < s->f; f0 += tile->f) {
            struct band b = band_of(a, tile, n, f0);
            b.between = between_of(a, tile) + (size_t)omp_get_thread_num() * band_floats(s, tile);
            stencil(&b);
            product(&b);
        }
}

/* Slot after slot: all of the depthwise half, then all of the pointwise one. */
static void run_apart(const struct kn_args *a, const struct kn_tile *tile)
{
    const struct kn_shape *s = a->shape;
    static void (*const half[2])(const struct band *b) = {stencil, product};
    for (int pass = 0; pass < 2 * s->n; pass++) {
#pragma omp parallel for num_threads(a->threads) schedule(dynamic)
        for (int f0 = 0; f0 < s->f; f0 += tile->f) {
            struct band b = band_of(a, tile, pass / 2, f0);
            b.planned = s->f;
            b.between = between_of(a, tile) + (size_t)f0 * (size_t)s->t * KN_LANES;
            half[pass % 2](&b);
        }
    }
}

static void run(const struct kn_args *a)
{
    const struct kn_tile tile = resolve(a->shape, a->tile);
    if (tile.keep == KN_KEEP_NO)
        run_apart(a, &tile);
    else
        run_kept(a, &tile);
}

static void work(const struct kn_shape *s, const struct kn_tile *asked, struct kn_work *work)
{
    const struct kn_tile tile = resolve(s, asked);
    const struct kn_shape half = kn_depthwise_half(s);
    const struct kn_tile rows = stencil_tile(&half, &tile);
    kn_work_init(work, KN_SEPARABLE, KN_FWD, s);
    work->executed_flop = dw_executed_flop(&half);
    work->load_bytes = dw_load_bytes(KN_FWD, &half, &rows, 0);
    work->store_bytes = sizeof(float) * (double)kn_y_floats(&half);
    static const struct kn_tap only;
    struct kn_product sum = {.tap = &only, .taps = 1, .to = s->mid};
    kn_product_set_reg(&tile, &sum);
    for (int f0 = 0; f0 < s->f; f0 += tile.f)
        for (int o = 0, blocks = kn_blocks(s->oc), step = tile.oc / KN_LANES; o < blocks; o += step)
            kn_product_count(work, s->n, &sum, (s->f - f0 < tile.f ? s->f - f0 : tile.f) * s->t,
                             blocks - o < step ? blocks - o : step, 1);
}

#define SEPARABLE_FWD                                                                                                  \
    .op = KN_SEPARABLE, .dir = KN_FWD, .tile_fields = SEPARABLE_FIELDS, .max_px = KN_PX, .max_vc = KN_VC,              \
    .supports = supports, .workspace_bytes = workspace_bytes, .run = run, .resolve = resolve, .work = work

#endif
