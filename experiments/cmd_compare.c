/* joulerx compare A B: two runs, cell by cell, and what differs between the machines and builds that made them. */
#include "experiments/command.h"
#include "experiments/compare.h"
#include "experiments/experiment.h"
#include "experiments/series.h"
#include "experiments/sheet.h"
#include "harness/base/error.h"
#include "harness/provenance.h"
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct arguments {
    const char *run[2];
    const char *column;
    const char *csv;
    int runs;
};

struct count {
    int compared, changed; /* those with an interval; those of them that differ */
};

static const struct argp_option options[] = {
    {"column", 'c', "NAME", 0,
     "compare this column of samples.csv (default: time_ns, energy_j and bit_errors, as rates)", 0},
    {"csv", 'o', "FILE", 0, "write the comparison as CSV; - is standard output, instead of the table", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *to = state->input;
    switch (key) {
    case 'c': to->column = argument; break;
    case 'o': to->csv = argument; break;
    case ARGP_KEY_ARG:
        if (to->runs == 2)
            argp_error(state, "'%s': two runs are compared, not more", argument);
        to->run[to->runs++] = argument;
        break;
    case ARGP_KEY_END:
        if (to->runs < 2)
            argp_error(state, "give two folders of runs: A B");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* ---- identity ------------------------------------------------------------------------------------------------- */

static void print_value(FILE *to, json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    fprintf(to, "%s", text ? text : "?");
    free(text);
}

/* Machine and build, and what was asked for: keys of meta.json that decide its numbers. NULL without memory. */
static json_t *made_with(const json_t *meta)
{
    static const char *const asked[] = {"preset", "seed", "meter"};
    json_t *all = json_copy(json_object_get(meta, "identity"));
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if (json_object_get(meta, asked[i]) && json_object_set(all, asked[i], json_object_get(meta, asked[i]))) {
            json_decref(all);
            return NULL;
        }
    return all;
}

static int compare_identity(const struct arguments *arguments, FILE *to)
{
    json_t *meta[2] = {NULL}, *made[2] = {NULL}, *differences = NULL, *difference;
    char path[PATH_MAX];
    int status = 0;
    size_t i;
    for (int side = 0; side < 2 && !status; side++) {
        snprintf(path, sizeof path, "%s/meta.json", arguments->run[side]);
        status = jrx_provenance_read(&meta[side], path);
    }
    for (int side = 0; side < 2 && !status; side++)
        if (!(made[side] = made_with(meta[side])))
            status = jrx_fail(JRX_ENOMEM, "compare: no memory");
    if (!status)
        status = jrx_identity_compare(made[0], made[1], &differences);
    if (status >= 0) {
        fprintf(to, status ? "The runs were not made alike (A, B):\n"
                           : "Same machine, compiler, flags, commit, preset and seed.\n");
        json_array_foreach(differences, i, difference)
        {
            fprintf(to, "  %-20s ", json_string_value(json_object_get(difference, "key")));
            print_value(to, json_object_get(difference, "a"));
            fprintf(to, "  ->  ");
            print_value(to, json_object_get(difference, "b"));
            fprintf(to, "\n");
        }
        status = 0;
    }
    json_decref(differences);
    for (int side = 0; side < 2; side++) {
        json_decref(made[side]);
        json_decref(meta[side]);
    }
    return status;
}

/* ---- cells ---------------------------------------------------------------------------------------------------- */

/* Whether row is the first of its cell. */
static int first_of_cell(const struct jrx_csv *csv, size_t cells, size_t row)
{
    for (size_t before = 0; before < row; before++)
        if (!strcmp(jrx_csv_text(csv, before, cells), jrx_csv_text(csv, row, cells)))
            return 0;
    return 1;
}

static void put_row(struct ex_sheet *sheet, const char *experiment, const char *cell, const char *column,
                    const char *source, const struct ex_ratio *ratio)
{
    ex_sheet_text(sheet, "experiment", experiment);
    ex_sheet_text(sheet, "cell", cell);
    ex_sheet_text(sheet, "column", column);
    ex_sheet_text(sheet, "source", source);
    ex_sheet_real(sheet, "a", ratio->a);
    ex_sheet_real(sheet, "b", ratio->b);
    ex_sheet_real(sheet, "ratio", ratio->value);
    ex_sheet_real(sheet, "ratio_ci_lo", ratio->low);
    ex_sheet_real(sheet, "ratio_ci_hi", ratio->high);
    ex_sheet_text(sheet, "verdict", ex_change_name(ratio->change));
    ex_sheet_end_row(sheet);
}

static void print_row(const char *experiment, const char *cell, const struct ex_ratio *ratio)
{
    char interval[40] = "";
    if (!isnan(ratio->low))
        snprintf(interval, sizeof interval, "[%.4f, %.4f]", ratio->low, ratio->high);
    printf("%-10s %-32s %12.5g %12.5g %7.4f %-18s %s\n", experiment, cell, ratio->a, ratio->b, ratio->value, interval,
           ex_change_name(ratio->change));
}

static int has(const struct jrx_csv *csv, const char *column)
{
    for (size_t i = 0; i < jrx_csv_columns(csv); i++)
        if (!strcmp(jrx_csv_name(csv, i), column))
            return 1;
    return 0;
}

/* Bit errors are compared as rates, counted on the simulated uplink. */
static int is_errors(const char *column)
{
    return !strcmp(column, "bit_errors");
}

/* The column that says where the values of `column` are from; NULL where its name says it. */
static const char *source_column(const char *column)
{
    char unit[24];
    jrx_column_unit(column, unit);
    if (!strncmp(column, "counted_", 8))
        return "counted_source";
    return strncmp(column, "sim_", 4) && (!strcmp(unit, "J") || !strcmp(unit, "W")) ? "energy_source" : NULL;
}

/* Where the values are from. Those of two sources are not the same quantity. */
static int source_of(struct jrx_csv *const csv[2], const char *column, const char **source)
{
    const char *side[2], *from = source_column(column);
    *source = !strncmp(column, "sim_", 4) || is_errors(column) ? "simulated"
              : !strncmp(column, "time", 4)                    ? "measured"
                                                               : "";
    if (!from)
        return 0;
    int status = ex_only_text(csv[0], from, &side[0]);
    if (!status)
        status = ex_only_text(csv[1], from, &side[1]);
    if (!status && strcmp(side[0], side[1]))
        status = jrx_fail(JRX_EINVAL, "%s is %s in A and %s in B: not comparable; --column=time_ns compares times",
                          column, side[0], side[1]);
    *source = status ? "" : side[0];
    return status;
}

/* How a cell of B stands to that of A; those that only one side has are left out: *both is 0. */
static int compare_cell(struct jrx_csv *const csv[2], const char *cell, const char *column, struct ex_ratio *ratio,
                        int *both)
{
    double values[2][EX_MAX_REPS], bits[2][EX_MAX_REPS];
    size_t n[2] = {0};
    for (int side = 0; side < 2; side++) {
        int rows = ex_series(csv[side], cell, column, values[side], EX_MAX_REPS);
        if (rows >= 0 && is_errors(column))
            rows = ex_series(csv[side], cell, "bits", bits[side], EX_MAX_REPS);
        if (rows < 0)
            return rows;
        n[side] = (size_t)rows;
    }
    *both = n[0] && n[1];
    if (is_errors(column))
        ex_compare_errors((struct ex_errors){values[0], bits[0]}, (struct ex_errors){values[1], bits[1]},
                          n[0] < n[1] ? n[0] : n[1], ratio);
    else
        ex_compare(values[0], n[0], values[1], n[1], ratio);
    return 0;
}

static int compare_column(struct jrx_csv *const csv[2], const char *experiment, const char *column,
                          struct ex_sheet *sheet, struct count *count)
{
    const char *source;
    int cells = jrx_csv_find(csv[0], "cell"), status = cells < 0 ? cells : source_of(csv, column, &source);
    if (!status && !sheet)
        printf("\n%s%s%s%s%s\n%-10s %-32s %12s %12s %7s %-18s %s\n", column, is_errors(column) ? " / bits" : "",
               *source ? " (" : "", source, *source ? ")" : "", "experiment", "cell", "A", "B", "B/A", "95 % interval",
               "B is");
    for (size_t row = 0; !status && row < jrx_csv_rows(csv[0]); row++) {
        const char *cell = jrx_csv_text(csv[0], row, (size_t)cells);
        struct ex_ratio ratio;
        int both = 0;
        if (!first_of_cell(csv[0], (size_t)cells, row))
            continue;
        status = compare_cell(csv, cell, column, &ratio, &both);
        if (status || !both)
            continue;
        if (sheet && sheet->header)
            put_row(sheet, experiment, cell, column, source, &ratio);
        if (sheet)
            put_row(sheet, experiment, cell, column, source, &ratio);
        else
            print_row(experiment, cell, &ratio);
        count->compared += !isnan(ratio.low);
        count->changed += ratio.change == EX_LESS || ratio.change == EX_MORE;
    }
    return status;
}

/* One experiment, where both runs have it. */
static int compare_experiment(const struct arguments *arguments, const char *experiment, struct ex_sheet *sheet,
                              struct count *count, int *found)
{
    static const char *const usual[] = {"time_ns", "energy_j", "bit_errors"};
    struct jrx_csv *csv[2] = {NULL};
    char path[2][PATH_MAX];
    int status = 0, both = 1;
    for (int side = 0; side < 2; side++) {
        snprintf(path[side], sizeof path[side], "%s/%s/samples.csv", arguments->run[side], experiment);
        both = both && !access(path[side], R_OK);
    }
    for (int side = 0; side < 2 && both && !status; side++)
        status = jrx_csv_read(&csv[side], path[side], NULL);
    *found += both;
    for (int i = 0; both && i < (arguments->column ? 1 : 3) && !status; i++) {
        const char *column = arguments->column ? arguments->column : usual[i];
        if (has(csv[0], column) && has(csv[1], column))
            status = compare_column(csv, experiment, column, sheet, count);
    }
    jrx_csv_free(csv[0]);
    jrx_csv_free(csv[1]);
    return status;
}

static int compare_all(const struct arguments *arguments, struct ex_sheet *sheet, FILE *words)
{
    size_t experiments;
    const struct ex_experiment *const *list = ex_experiments(&experiments);
    struct count count = {0};
    int found = 0, status = compare_identity(arguments, words);
    for (size_t i = 0; i < experiments && !status; i++)
        status = compare_experiment(arguments, list[i]->name, sheet, &count, &found);
    if (!status && !found)
        status = jrx_fail(JRX_EINVAL,
                          "%s and %s have no experiment in common; give folders that hold <experiment>/samples.csv",
                          arguments->run[0], arguments->run[1]);
    if (!status)
        fprintf(words, "\n%d of %d differ; %.1f would by chance if nothing had changed.\n", count.changed,
                count.compared, 0.05 * count.compared);
    return status;
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct ex_sheet sheet = {0};
    const struct argp argp = {
        options,
        parse,
        "A B",
        "Compares two runs: for each cell the ratio B/A of geometric means with its 95 % interval "
        "(Welch, logarithms), of bit errors that of rates (jackknife, blocks of slots as pairs); and what differs in "
        "machine, compiler, commit, preset, seed and meter.",
        NULL,
        NULL,
        NULL};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    int table = !arguments.csv, status = table ? 0 : ex_sheet_open(&sheet, arguments.csv);
    if (!status)
        status = compare_all(&arguments, table ? NULL : &sheet, table ? stdout : stderr);
    if (!status && !table)
        status = ex_sheet_close(&sheet);
    ex_sheet_drop(&sheet);
    return status;
}

const struct ex_command cmd_compare = {
    .name = "compare", .summary = "two runs, cell by cell, and what differs between them", .order = 45, .run = run};
