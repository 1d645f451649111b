#include "experiments/tune_search.h"
#include "harness/base/error.h"
#include "kernels/sums.h"
#include "kernels/tile.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const objectives[EX_OBJECTIVES] = {"time", "energy", "edp", "bytes"};

const char *ex_objective_name(enum ex_objective objective)
{
    return objectives[objective];
}

int ex_objective_parse(const char *name, enum ex_objective *objective)
{
    for (int i = 0; i < EX_OBJECTIVES; i++)
        if (!strcmp(name, objectives[i])) {
            *objective = (enum ex_objective)i;
            return 0;
        }
    return jrx_fail(JRX_EINVAL, "--objective=%s: not time, energy, edp or bytes", name);
}

double ex_tune_score(const double bytes[EX_CACHES + 1], enum ex_objective objective)
{
    static const double price[2][EX_CACHES + 1] = {{1, 2, 4, 12}, {0, 1, 1, 1}};
    double score = 0;
    int known = 0;
    for (int level = 0; level <= EX_CACHES; level++)
        if (!isnan(bytes[level])) {
            score += price[objective == EX_BY_BYTES][level] * bytes[level];
            known = 1;
        }
    return known ? score : (double)NAN;
}

/* ---- the space -------------------------------------------------------------------------------------------------- */

enum { VALUES = 24, FIELDS = 7 };

struct values {
    int count, value[VALUES];
};

static void add(struct values *to, int value)
{
    for (int i = 0; i < to->count; i++)
        if (to->value[i] == value)
            return;
    if (to->count < VALUES)
        to->value[to->count++] = value;
}

/* least, twice that, ... cut into even blocks, and the whole axis. */
static struct values blocks(int axis, int least)
{
    struct values v = {0};
    for (int size = least; size < axis; size *= 2)
        add(&v, least == 1 ? kn_tile_even(axis, size) : size);
    add(&v, axis);
    return v;
}

/* Values of each field, in the order of the grammar; a field that the kernel has not is 0. */
static void space(const struct kn_kernel *kernel, const struct kn_shape *s, struct values field[FIELDS])
{
    const struct values none = {1, {0}};
    for (int i = 0; i < FIELDS; i++)
        field[i] = none;
    if (kernel->tile_fields & KN_TILE_OC)
        field[0] = blocks(s->oc, KN_LANES);
    if (kernel->tile_fields & KN_TILE_IC)
        field[1] = blocks(s->ic, KN_LANES);
    if (kernel->tile_fields & KN_TILE_F) {
        field[2] = blocks(s->f, 1);
        add(&field[2], kn_tile_even(s->f, 12));
        add(&field[2], kn_tile_even(s->f, 24));
    }
    if (kernel->tile_fields & KN_TILE_T) {
        field[3] = (struct values){1, {s->t}};
        add(&field[3], (s->t + 1) / 2);
    }
    if (kernel->tile_fields & KN_TILE_REG) { /* pixels and blocks in one number */
        field[4].count = 0;
        for (int vc = kernel->max_vc; vc >= 1; vc--)
            for (int px = kernel->max_px; px >= 1; px = px > 8 ? 8 : px / 2)
                if (px * vc * 2 >= kernel->max_px * kernel->max_vc)
                    add(&field[4], px * 16 + vc);
    }
    if (kernel->tile_fields & KN_TILE_ORDER) {
        field[5].count = 0;
        for (int order = 1; order < KN_ORDERS; order++)
            if (kernel->orders >> order & 1)
                add(&field[5], order);
    }
    if (kernel->tile_fields & KN_TILE_KEEP)
        field[6] = (struct values){2, {KN_KEEP_YES, KN_KEEP_NO}};
}

static struct kn_tile combination(const struct values field[FIELDS], long index)
{
    int value[FIELDS];
    for (int i = FIELDS - 1; i >= 0; i--) {
        value[i] = field[i].value[index % field[i].count];
        index /= field[i].count;
    }
    return (struct kn_tile){.oc = value[0],
                            .ic = value[1],
                            .f = value[2],
                            .t = value[3],
                            .px = value[4] / 16,
                            .vc = value[4] % 16,
                            .order = (enum kn_order)value[5],
                            .keep = (enum kn_keep)value[6]};
}

static int known(const struct ex_candidate *candidate, int count, const struct kn_tile *tile)
{
    for (int i = 0; i < count; i++)
        if (!memcmp(&candidate[i].tile, tile, sizeof *tile))
            return 1;
    return 0;
}

static int by_score(const void *a, const void *b)
{
    const struct ex_candidate *x = a, *y = b;
    const int score = (x->score > y->score) - (x->score < y->score); /* 0 where the model knows neither */
    return score ? score : (x->rank > y->rank) - (x->rank < y->rank);
}

static int consider(struct ex_cell *cell, const struct jrx_cache_geometry *geometry, enum ex_objective objective,
                    struct ex_candidate *candidate, int *count)
{
    struct ex_candidate *next = &candidate[*count];
    const struct kn_tile none = {0};
    if (cell->kernel->supports(&cell->shape, &cell->asked) ||
        (cell->network && !kn_same_sums(cell->kernel, &cell->shape, &cell->asked, &none)))
        return 0;
    struct kn_tile tile = cell->kernel->resolve(&cell->shape, &cell->asked);
    if (known(candidate, *count, &tile))
        return 0;
    *next = (struct ex_candidate){.tile = tile, .rank = *count};
    cell->asked = tile;
    int status = ex_cell_model(cell, geometry, next->bytes);
    next->score = ex_tune_score(next->bytes, objective);
    *count += !status;
    return status;
}

int ex_tune_candidates(const struct ex_cell *given, const struct jrx_cache_geometry *geometry,
                       enum ex_objective objective, struct ex_candidate *candidate, int max)
{
    struct values field[FIELDS];
    struct ex_cell cell = *given;
    int count = 0, status = 0;
    long all = 1;
    space(cell.kernel, &cell.shape, field);
    for (int i = 0; i < FIELDS; i++)
        all *= field[i].count;
    cell.asked = (struct kn_tile){0}; /* the default first: it is always considered */
    if (max > 0)
        status = consider(&cell, geometry, objective, candidate, &count);
    for (long i = 0; i < all && count < max && !status; i++) {
        cell.asked = combination(field, i);
        status = consider(&cell, geometry, objective, candidate, &count);
    }
    if (status)
        return status;
    qsort(candidate, (size_t)count, sizeof *candidate, by_score);
    for (int i = 0; i < count; i++)
        candidate[i].rank = i + 1;
    return count;
}

int ex_tune_choose(struct ex_candidate *candidate, int count, int wanted, const struct kn_tile *always)
{
    int chosen = 0, first = wanted < count ? wanted - wanted / 4 : count, spread = wanted < count ? wanted / 4 : 0;
    for (int i = 0; i < count; i++)
        candidate[i].chosen = i < first;
    for (int k = 0; k < spread; k++)
        candidate[first + (int)((double)(count - first) * (k + 1) / spread) - 1].chosen = 1;
    for (int i = 0; i < count; i++) {
        if (always && !memcmp(&candidate[i].tile, always, sizeof *always))
            candidate[i].chosen = 1;
        chosen += candidate[i].chosen;
    }
    return chosen;
}

void ex_pareto(int count, const double *time, const double *energy, const double *bytes, int *front)
{
    const double *const value[] = {time, energy, bytes};
    for (int i = 0; i < count; i++) {
        front[i] = !isnan(time[i]);
        for (int k = 0; k < count && front[i]; k++) {
            int worse = 0, better = 0;
            for (int v = 0; v < 3; v++) {
                worse |= value[v][k] > value[v][i];
                better |= value[v][k] < value[v][i];
            }
            if (!isnan(time[k]) && better && !worse)
                front[i] = 0;
        }
    }
}
