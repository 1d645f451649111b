#include "models/energy/nest_cache.h"
#include <math.h>
#include <string.h>

enum { LINE = EM_LINE_BYTES };

static int least(int a, int b)
{
    return a < b ? a : b;
}

enum { PAGE_LINES = 64, MOST_SETS = 4096, PICKS = 16 };

/* Where a tensor's blocks lie: `runs` of `length` lines, `stride` apart, in `groups` that are `group_stride` apart. */
struct place {
    double first, length, stride, group_stride;
    int runs, groups;
};

/* The lines of x or y that the loops from `loop` inwards touch: of each block of channels some rows. */
static struct place rows_place(const struct em_nest *nest, enum em_tensor tensor, int blocks, const int extent[EM_AXES])
{
    const struct kn_shape *s = &nest->shape;
    struct place place = {
        .length = s->t, .stride = s->t, .group_stride = (double)s->f * s->t, .groups = blocks * extent[EM_N]};
    double per_row = em_nest_pixels(nest, tensor, extent) / extent[EM_N];
    int halo = extent[EM_TAP] > 1 && tensor == em_nest_stencilled(nest);
    int t = least(s->t, extent[EM_T] + 2 * halo * s->dil_t);
    place.runs = (int)(per_row / t);
    place.length = t;
    if (t == s->t) { /* whole rows are one run */
        place.length = per_row;
        place.runs = 1;
    }
    return place;
}

/* Adds the place's lines to a histogram of sets, kept as differences; or sums a histogram's prefix over them. */
static void fill(int *difference, int sets, const struct place *place)
{
    for (int g = 0; g < place->groups; g++)
        for (int r = 0; r < place->runs; r++) {
            long first = (long)(place->first + g * place->group_stride + r * place->stride) % sets;
            long length = (long)place->length, end = first + length % sets;
            difference[0] += (int)(length / sets);
            difference[first]++;
            difference[end < sets ? end : sets]--;
            if (end >= sets) {
                difference[0]++;
                difference[end - sets]--;
            }
        }
}

static double over(const int *before, int sets, const struct place *place)
{
    double lines = 0;
    for (int g = 0; g < place->groups; g++)
        for (int r = 0; r < place->runs; r++) {
            long first = (long)(place->first + g * place->group_stride + r * place->stride) % sets;
            long length = (long)place->length, end = first + length % sets;
            lines += (double)(length / sets) * before[sets];
            lines += end <= sets ? before[end] - before[first] : before[sets] - before[first] + before[end - sets];
        }
    return lines / (place->length * place->runs * place->groups);
}

/* Weights lie as w[blocks of 16 results][taps][summed][16], depthwise ones as w[blocks][9][16]. */
static struct place weights_place(const struct em_nest *nest, const int extent[EM_AXES])
{
    const struct kn_shape *s = &nest->shape;
    int taps = nest->op == KN_POINTWISE ? 1 : KN_TAPS, turned = nest->dir == KN_BWD_DATA;
    if (nest->op == KN_DEPTHWISE)
        return (struct place){.length = (double)kn_blocks(extent[EM_OC]) * KN_TAPS, .runs = 1, .groups = 1};
    double rows = (double)kn_blocks(turned ? s->oc : s->ic) * KN_LANES;
    return (struct place){.length = turned ? extent[EM_OC] : extent[EM_IC],
                          .stride = rows,
                          .runs = extent[EM_TAP],
                          .group_stride = rows * taps,
                          .groups = kn_blocks(turned ? extent[EM_IC] : extent[EM_OC])};
}

static void places(const struct em_nest *nest, int loop, const double bytes[EM_TENSORS], struct place place[EM_TENSORS])
{
    int extent[EM_AXES];
    double whole[EM_TENSORS], at = 0;
    em_nest_extents(nest, loop, extent);
    place[EM_X] = rows_place(nest, EM_X, (int)(bytes[EM_X] / LINE / em_nest_pixels(nest, EM_X, extent) + 0.5), extent);
    place[EM_Y] = rows_place(nest, EM_Y, (int)(bytes[EM_Y] / LINE / em_nest_pixels(nest, EM_Y, extent) + 0.5), extent);
    place[EM_W] = weights_place(nest, extent);
    em_nest_footprint(nest, 0, whole);
    for (int tensor = 0; tensor < EM_TENSORS; tensor++) {
        place[tensor].first = at;
        at += (double)((long)(whole[tensor] / LINE / PAGE_LINES) + 2) * PAGE_LINES;
    }
}

/* The part of a tensor's lines that are in sets which hold more than their ways; `copies` of each tensor. */
static double overfull(const struct place place[EM_TENSORS], const struct em_span *span, double next, int sets,
                       int ways, enum em_tensor tensor)
{
    int held[MOST_SETS + 1] = {0}, before[MOST_SETS + 1] = {0};
    for (int i = 0; i < EM_TENSORS; i++)
        for (int copy = 0; copy < span->copies[i]; copy++) {
            struct place moved = place[i];
            moved.first += copy * next;
            fill(held, sets, &moved);
        }
    for (int set = 0, sum = (int)(span->extra / LINE / sets); set < sets; set++) {
        sum += held[set];
        before[set + 1] = before[set] + (sum > ways);
    }
    return over(before, sets, &place[tensor]);
}

/* Whether a loop before `loop` walks the axis. */
static int walked(const struct em_nest *nest, int loop, enum em_axis axis)
{
    int found = 0;
    for (int k = 0; k < loop; k++)
        found |= nest->loop[k].axis == axis;
    return found;
}

/* Leaves out what the span does not touch: rows of a stencil, and, tap by tap, the pixels that have no such tap. */
static void narrow(const struct em_nest *nest, const struct em_span *span, double bytes[EM_TENSORS],
                   struct place place[EM_TENSORS])
{
    const enum em_tensor read = em_nest_stencilled(nest);
    bytes[EM_W] *= span->tap_rows / 3.;
    bytes[read] *= span->read_rows / 3.;
    if (span->tap_rows < 3)
        place[EM_W].runs = place[EM_W].runs * span->tap_rows / 3;
    if (span->read_rows < 3)
        place[read].length *= span->read_rows / 3.;
    if (nest->op == KN_CONV3X3 && nest->dir == KN_BWD_WEIGHTS && walked(nest, span->loop, EM_TAP)) {
        double reached = 1 - 2. * least(nest->shape.t, nest->shape.dil_t) / (3. * nest->shape.t);
        bytes[EM_X] *= reached;
        bytes[EM_Y] *= reached;
        place[EM_X].length = floor(place[EM_X].length * reached);
        place[EM_Y].length = floor(place[EM_Y].length * reached);
    }
}

double em_gone(const struct em_nest *nest, const struct em_span *span, const struct em_cache *cache,
               enum em_tensor tensor)
{
    double bytes[EM_TENSORS], all = span->extra, share = 0;
    struct place place[EM_TENSORS];
    em_nest_footprint(nest, span->loop, bytes);
    places(nest, span->loop, bytes, place);
    narrow(nest, span, bytes, place);
    for (int i = 0; i < EM_TENSORS; i++)
        all += span->copies[i] * bytes[i];
    int sets = cache->ways ? (int)(cache->bytes / LINE / cache->ways) : 0, extent[EM_AXES];
    /* sets decide only where it is near */
    if (sets < 2 || sets > MOST_SETS || all > 2 * cache->bytes || all < 0.3 * cache->bytes)
        return all > cache->bytes;
    em_nest_extents(nest, span->loop, extent);
    /* which tiles and blocks of channels meet differs from turn to turn, and with them their sets: some of all */
    for (int pick = 0; pick < PICKS; pick++) {
        struct place moved[EM_TENSORS];
        double rows = (double)(nest->shape.f * pick / PICKS) * nest->shape.t;
        memcpy(moved, place, sizeof moved);
        moved[EM_X].first += rows + pick % 4 * place[EM_X].group_stride * place[EM_X].groups;
        moved[EM_Y].first += rows + pick / 4 * place[EM_Y].group_stride * place[EM_Y].groups;
        moved[EM_W].first += pick * place[EM_W].length;
        share += overfull(moved, span, (double)extent[EM_F] * nest->shape.t, sets, cache->ways, tensor) / PICKS;
    }
    return share;
}
