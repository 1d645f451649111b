/*
 * The inner loops of drawing a slot, once for each instruction set (draw_<isa>.c, all from draw_template.h). All give
 * the same bits. Called by normal.c, channel.c and slot.c, whose headers say what they compute.
 */
#ifndef MODELS_LINK_DRAW_H
#define MODELS_LINK_DRAW_H
#include "models/link/channel.h"
#include <stddef.h>

/* What gains of LK_SYMBOLS times become for lk_draw_ops.response: rows of (re, im) pairs, and the same times j; padded.
 */
enum { LK_DRAW_ROW = 32 };
struct lk_draw_gains {
    float row[LK_MAX_RX][LK_MAX_TAPS][LK_DRAW_ROW], turned[LK_MAX_RX][LK_MAX_TAPS][LK_DRAW_ROW];
};

struct lk_draw_ops {
    void (*words)(uint64_t seed, uint64_t stream, size_t n, uint32_t *out);
    void (*normal)(uint64_t seed, uint64_t stream, size_t n, float *out);
    /* out[i] += scale * number i */
    void (*add_normal)(uint64_t seed, uint64_t stream, size_t n, float scale, float *out);
    /* the Rayleigh part of lk_channel_gains() */
    void (*gains)(const struct lk_channel *channel, const double *time_s, int n, float complex *gain);
    void (*response)(const struct lk_channel *channel, const struct lk_draw_gains *gains, int f, double scs_hz,
                     float complex *h);
    /* y[i] = h[i] x[i], or with `add` y[i] += h[i] x[i]; n is a multiple of 8 */
    void (*hear)(size_t n, const float complex *h, const float complex *x, int add, float complex *y);
};
extern const struct lk_draw_ops lk_draw_baseline, lk_draw_avx2, lk_draw_avx512;

/** The highest that jrx_cpu_isa() allows. */
const struct lk_draw_ops *lk_draw(void);

#endif
