#include "experiments/tune_print.h"
#include "experiments/figure.h"
#include "harness/base/error.h"
#include "harness/stats.h"
#include "harness/table.h"
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct jrx_column columns[] = {
    {"cell", JRX_TEXT, "kernel, layer, grid, batch, threads"},
    {"objective", JRX_TEXT, "what was searched for: time, energy, edp, bytes"},
    {"tile", JRX_TEXT, "the tiling"},
    {"role", JRX_TEXT, "default, chosen (better in a second measurement), or tried"},
    {"front", JRX_INTEGER, "1: on the Pareto front of time, energy and bytes"},
    {"time_ms", JRX_REAL, "median, measured"},
    {"energy_mj", JRX_REAL, "median, of the source in energy_source"},
    {"energy_source", JRX_TEXT, "measured, replayed or estimated"},
    {"sim_bytes", JRX_REAL, "simulated: bytes between all cache levels and memory together"},
    {"time_ratio", JRX_REAL, "time over that of the default"},
    {"energy_ratio", JRX_REAL, "energy over that of the default"},
    {"sim_bytes_ratio", JRX_REAL, "bytes over those of the default"},
    {"model_rank_count", JRX_REAL, "place in the model's order, from 1; empty for kernels that it does not know"},
    {"candidates_count", JRX_REAL, "tilings that the model ordered"},
    {"spearman_ratio", JRX_REAL, "rank correlation of the model's score and the objective over the tilings measured"},
};
static const struct jrx_schema schema = {"tune", columns, sizeof columns / sizeof *columns};

enum { NAME = EX_CELL_TEXT };

struct ex_tuned_row {
    struct ex_tuned tuned;
    char cell[NAME], energy_source[32];
    const char *objective, *role;
    int front, candidates;
    double time_ratio, energy_ratio, bytes_ratio, rho;
};

char *ex_tuned_name(const struct ex_cell *cell, char *text)
{
    char layer[64];
    snprintf(text, NAME, "%s %s %dx%d n%d t%d", cell->kernel->name,
             kn_layer_format(cell->kernel->op, &cell->shape, layer, sizeof layer), cell->shape.f, cell->shape.t,
             cell->shape.n, cell->threads);
    return text;
}

static void put_rank(FILE *to, int rank, double score)
{
    if (isnan(score))
        fprintf(to, "%6s", "-");
    else
        fprintf(to, "%6d", rank);
}

void ex_tuned_print_model(FILE *to, const struct ex_cell *cell, const struct ex_candidate *candidate, int count,
                          const struct kn_tile *usual, int most)
{
    char text[KN_TILE_TEXT], name[NAME];
    const int known = count > 0 && !isnan(candidate[0].score);
    fprintf(to, "%s: %d tilings%s\n%6s %9s %9s %9s %9s\n", ex_tuned_name(cell, name), count,
            known ? " in the model's order; modelled MB of a warm call" : ", which the traffic model does not know",
            "rank", "regs-L1", "L1-L2", "L2-L3", "L3-mem");
    for (int i = 0; i < count; i++) {
        int is_usual = !memcmp(&candidate[i].tile, usual, sizeof *usual);
        if (i >= most && !is_usual)
            continue;
        put_rank(to, candidate[i].rank, candidate[i].score);
        for (int level = 0; level <= EX_CACHES; level++)
            if (isnan(candidate[i].bytes[level]))
                fprintf(to, " %9s", "-");
            else
                fprintf(to, " %9.3f", candidate[i].bytes[level] * 1e-6);
        fprintf(to, "  %s%s\n", kn_tile_format(&candidate[i].tile, KN_TILE_ALL, text, sizeof text),
                is_usual ? "  (default)" : "");
    }
    fputc('\n', to);
}

struct measured {
    int *front;
    double rho;
    const struct ex_tuned *usual; /* NULL: not measured */
};

/* Front and correlation. m->front: to be freed. */
static int judge(const struct ex_tuned_layer *layer, struct measured *m)
{
    const int n = layer->count;
    double *value = malloc((size_t)n * 5 * sizeof *value), *time = value, *energy = value + n, *bytes = value + 2 * n,
           *score = value + 3 * n, *objective = value + 4 * n;
    struct jrx_test test;
    *m = (struct measured){.front = malloc((size_t)n * sizeof *m->front)};
    int status = value && m->front ? 0 : jrx_fail(JRX_ENOMEM, "tune: no memory");
    for (int i = 0; i < n && !status; i++) {
        time[i] = layer->tuned[i].time_ms;
        energy[i] = layer->tuned[i].energy_mj;
        bytes[i] = layer->tuned[i].bytes;
        score[i] = layer->tuned[i].score;
        objective[i] = layer->tuned[i].value;
        if (layer->tuned[i].usual)
            m->usual = &layer->tuned[i];
    }
    if (!status) {
        ex_pareto(n, time, energy, bytes, m->front);
        status = jrx_spearman(score, objective, (size_t)n, &test);
        m->rho = status ? (double)NAN : test.effect;
    }
    free(value);
    return status;
}

static const char *role_of(const struct ex_tuned_layer *layer, const struct ex_tuned *tuned)
{
    if (tuned->usual)
        return "default";
    return layer->gain->better && !memcmp(&layer->gain->tile, &tuned->tile, sizeof tuned->tile) ? "chosen" : "tried";
}

/* Where the values of the objective are from; of a product with energy, where the energy is. */
static const char *source_of(const struct ex_tuned_layer *layer)
{
    return layer->objective == EX_BY_TIME    ? jrx_source_name(JRX_MEASURED)
           : layer->objective == EX_BY_BYTES ? jrx_source_name(JRX_SIMULATED)
                                             : layer->energy_source;
}

static void print_gain(FILE *to, const struct ex_tuned_layer *layer)
{
    const struct ex_gain *gain = layer->gain;
    const char *objective = ex_objective_name(layer->objective);
    char text[KN_TILE_TEXT];
    if (isnan(gain->ratio))
        fprintf(to, "not confirmed: no second measurement; the tile file is left as it was\n\n");
    else
        fprintf(to, "%s: %s %s of the default is %.3f times [%.3f, %.3f] that of %s\n\n",
                gain->better ? "chosen" : "the default stays", source_of(layer), objective, gain->ratio, gain->low,
                gain->high, kn_tile_format(&gain->tile, KN_TILE_ALL, text, sizeof text));
}

int ex_tuned_print(FILE *to, const struct ex_tuned_layer *layer)
{
    struct measured m;
    char text[KN_TILE_TEXT], name[NAME];
    int status = judge(layer, &m);
    if (!status) {
        fprintf(to, "%s: %d tilings, %d measured; ", ex_tuned_name(layer->cell, name), layer->candidates, layer->count);
        if (isnan(m.rho))
            fprintf(to, "no rank correlation: the traffic model does not know them, or they are too few\n");
        else
            fprintf(to, "rank correlation of model and %s %s %.2f\n", source_of(layer),
                    ex_objective_name(layer->objective), m.rho);
        fprintf(to,
                "Pareto front; time: measured, energy: %s, bytes between cache levels: simulated\n%9s %9s %9s %6s\n",
                layer->energy_source, "time ms", "energy mJ", "MB", "rank");
        for (int i = 0; i < layer->count; i++) {
            const struct ex_tuned *t = &layer->tuned[i];
            if (!m.front[i] && !t->usual)
                continue;
            fprintf(to, "%9.4f %9.4f %9.3f ", t->time_ms, t->energy_mj, t->bytes * 1e-6);
            put_rank(to, t->rank, t->score);
            fprintf(to, "  %s%s\n", kn_tile_format(&t->tile, KN_TILE_ALL, text, sizeof text),
                    !t->usual    ? ""
                    : m.front[i] ? "  (default)"
                                 : "  (default, not on the front)");
        }
        print_gain(to, layer);
    }
    free(m.front);
    return status;
}

int ex_tuned_add(struct ex_tuned_table *table, const struct ex_tuned_layer *layer)
{
    struct measured m;
    int status = judge(layer, &m);
    struct ex_tuned_row *more =
        status ? NULL : realloc(table->row, (size_t)(table->rows + layer->count) * sizeof *more);
    if (!status && !more)
        status = jrx_fail(JRX_ENOMEM, "tune: no memory");
    if (more)
        table->row = more;
    for (int i = 0; i < layer->count && !status; i++) {
        const struct ex_tuned *t = &layer->tuned[i];
        struct ex_tuned_row *row = &table->row[table->rows++];
        *row = (struct ex_tuned_row){.tuned = *t,
                                     .objective = ex_objective_name(layer->objective),
                                     .role = role_of(layer, t),
                                     .front = m.front[i],
                                     .candidates = layer->candidates,
                                     .time_ratio = m.usual ? t->time_ms / m.usual->time_ms : (double)NAN,
                                     .energy_ratio = m.usual ? t->energy_mj / m.usual->energy_mj : (double)NAN,
                                     .bytes_ratio = m.usual ? t->bytes / m.usual->bytes : (double)NAN,
                                     .rho = m.rho};
        ex_tuned_name(layer->cell, row->cell);
        snprintf(row->energy_source, sizeof row->energy_source, "%s", layer->energy_source);
    }
    free(m.front);
    return status;
}

int ex_tuned_finish(const struct ex_tuned_table *tuned, const char *dir)
{
    char path[PATH_MAX + 16], text[KN_TILE_TEXT];
    struct jrx_table *table;
    snprintf(path, sizeof path, "%s/tune.csv", dir);
    int status = jrx_table_open(&table, path, &schema, JRX_TABLE_WHOLE);
    if (status)
        return status;
    for (int i = 0; i < tuned->rows && !status; i++) {
        const struct ex_tuned_row *row = &tuned->row[i];
        jrx_put_text(table, "cell", row->cell);
        jrx_put_text(table, "objective", row->objective);
        jrx_put_text(table, "tile", kn_tile_format(&row->tuned.tile, KN_TILE_ALL, text, sizeof text));
        jrx_put_text(table, "role", row->role);
        jrx_put_integer(table, "front", row->front);
        jrx_put_real(table, "time_ms", row->tuned.time_ms);
        jrx_put_real(table, "energy_mj", row->tuned.energy_mj);
        jrx_put_text(table, "energy_source", row->energy_source);
        jrx_put_real(table, "sim_bytes", row->tuned.bytes);
        jrx_put_real(table, "time_ratio", row->time_ratio);
        jrx_put_real(table, "energy_ratio", row->energy_ratio);
        jrx_put_real(table, "sim_bytes_ratio", row->bytes_ratio);
        jrx_put_real(table, "model_rank_count", isnan(row->tuned.score) ? (double)NAN : row->tuned.rank);
        jrx_put_real(table, "candidates_count", row->candidates);
        jrx_put_real(table, "spearman_ratio", row->rho);
        status = jrx_table_row(table);
    }
    if (status) {
        jrx_table_leave(table);
        return status;
    }
    status = jrx_table_close(table);
    int drawn = status ? status : ex_figure(dir, "tune", tuned->rows ? tuned->row[0].energy_source : "none");
    return drawn == JRX_EUNAVAILABLE ? 0 : drawn;
}
