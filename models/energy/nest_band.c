/* The separable kernel as its two halves, kernels/separable/separable_fwd.h; what a cache holds of them by size alone.
 */
#include "models/energy/nest_cache.h"
#include <math.h>

enum { LINE = EM_LINE_BYTES };

/* What one band of rows touches, bytes; without keep the band is a slot, and the depthwise half walks it by tiles. */
struct band {
    double x, between, y, w1, w2; /* w1: depthwise, w2: pointwise */
    double turns, length;         /* bands; the last one counting by its rows */
};

/* Rows of x that tiles of `rows` rows read, halo included, summed over a slot. */
static double rows_read(const struct kn_shape *s, int rows)
{
    double sum = 0;
    for (int f = 0; f < s->f; f += rows) {
        int from = f > s->dil_f ? f - s->dil_f : 0, to = f + rows + s->dil_f;
        sum += (to < s->f ? to : s->f) - from;
    }
    return sum;
}

static struct band band_of(const struct kn_shape *s, int rows)
{
    double row = (double)LINE * s->t, halo = rows + 2 * s->dil_f;
    return (struct band){.x = kn_blocks(s->ic) * row * fmin(s->f, halo),
                         .between = kn_blocks(s->mid) * row * rows,
                         .y = kn_blocks(s->oc) * row * rows,
                         .w1 = (double)LINE * KN_TAPS * kn_blocks(s->mid),
                         .w2 = (double)LINE * KN_LANES * kn_blocks(s->mid) * kn_blocks(s->oc),
                         .turns = s->n * ceil((double)s->f / rows),
                         .length = (double)s->n * s->f / rows};
}

/* The pointwise half of one band, cold: [EM_X] reads what is between, once an oc tile or less. */
static void product(const struct kn_shape *s, enum kn_isa isa, const struct kn_tile *tile, int rows,
                    const struct em_cache *cache, double bytes[EM_TENSORS])
{
    const struct em_cache cold = {cache->bytes, cache->ways, 0};
    struct kn_shape half = kn_pointwise_half(s);
    struct kn_tile cut = {
        .oc = tile->oc, .ic = half.ic, .f = tile->f < rows ? tile->f : rows, .t = s->t, .px = tile->px, .vc = tile->vc};
    struct em_nest nest;
    half.n = 1;
    half.f = rows;
    em_nest_init(&nest, KN_POINTWISE, KN_FWD, isa, &half, &cut);
    em_nest_traffic(&nest, &cold, bytes);
}

void em_band_traffic(enum kn_isa isa, const struct kn_shape *s, const struct kn_tile *tile,
                     const struct em_cache *cache, double bytes[EM_TENSORS], double *between)
{
    const int apart = tile->keep == KN_KEEP_NO, step = tile->f < s->f ? tile->f : s->f, rows = apart ? s->f : step;
    const struct band b = band_of(s, rows), walked = band_of(s, step);
    const double whole_x = (double)LINE * kn_blocks(s->ic) * s->n * s->f * s->t, weights = b.w1 + b.w2;
    const double whole_y = b.y * b.length, turn = b.x + b.between + weights + b.y;
    double half[EM_TENSORS];
    product(s, isa, tile, rows, cache, half);

    /* x: its halo is still there if all that is touched between two tiles of the depthwise half is */
    double step_bytes = apart ? walked.x + walked.between + b.w1 : turn;
    bytes[EM_X] =
        step_bytes > cache->bytes ? (double)LINE * kn_blocks(s->ic) * s->t * s->n * rows_read(s, step) : whole_x;
    bytes[EM_Y] = half[EM_Y] * b.length;

    /* weights: a band's first look finds what the band before left */
    int again = turn > cache->bytes;
    bytes[EM_W] = (half[EM_W] - b.w2) * b.turns + weights * (again ? b.turns : 1);

    /* what lies between is written, read once an oc tile or less, and written again by the next band */
    double first = b.x + b.between + b.w1 + fmin(b.w2, b.w2 * tile->oc / (KN_LANES * kn_blocks(s->oc))) +
                   fmin(b.y, b.y * tile->oc / (KN_LANES * kn_blocks(s->oc)));
    double gone = first > cache->bytes, reread = half[EM_X] - b.between;
    *between = b.length * (reread + b.between * (2 * gone + (gone || reread > 0)));

    if (cache->warm && whole_x + whole_y + weights + b.between <= cache->bytes)
        bytes[EM_X] = bytes[EM_Y] = bytes[EM_W] = *between = 0;
}
