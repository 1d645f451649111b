/* joulerx fit FILE.csv: a linear model of any column by others, and what its coefficients are worth. */
#include "experiments/command.h"
#include "experiments/fit_input.h"
#include "harness/base/error.h"
#include <argp.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum output { AS_TEXT, AS_CSV, AS_JSON };

struct arguments {
    struct ex_fit_request request;
    struct em_fit_options fit;
    enum output output;
    int residuals, strict;
};

enum {
    OPT_Y = 256,
    OPT_X,
    OPT_GROUP,
    OPT_WHERE,
    OPT_METHOD,
    OPT_CONFIDENCE,
    OPT_RESAMPLES,
    OPT_SEED,
    OPT_RESIDUALS,
    OPT_CSV,
    OPT_STRICT
};

static const struct argp_option options[] = {
    {"y", OPT_Y, "COL", 0, "what is explained: an energy, a power", 0},
    {"x", OPT_X, "TERM,...", 0, "what explains it; a term is a column, a sum a+b of columns, or 1, a constant", 0},
    {"group", OPT_GROUP, "COL", 0,
     "rows of one value belong together (kernel, session) and are resampled and left out "
     "together; default: runs of neighbouring rows",
     0},
    {"where", OPT_WHERE, "COL=VALUE", 0, "only rows that have it; may be repeated", 0},
    {"method", OPT_METHOD, "ols|wls|nnls", 0, "least squares, relative, relative and not negative (default)", 0},
    {"confidence", OPT_CONFIDENCE, "PERCENT", 0, "of the intervals (95)", 0},
    {"resamples", OPT_RESAMPLES, "N", 0, "of the bootstrap (1000)", 0},
    {"seed", OPT_SEED, "N", 0, "of the bootstrap (1)", 0},
    {"residuals", OPT_RESIDUALS, NULL, 0, "also each row: value, fit, prediction with its group left out", 0},
    {"csv", OPT_CSV, NULL, 0, "one row a term; with --residuals one a row of the file", 0},
    {"json", 'j', NULL, 0, "machine-readable", 0},
    {"strict", OPT_STRICT, NULL, 0, "exit with 4 if a coefficient is not identifiable", 0},
    {0}};

/* A whole argument as a number in [low, high], or a usage error. */
static double number(const char *text, double low, double high, const char *option, struct argp_state *state)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= low && value <= high))
        argp_error(state, "--%s=%s: give a number from %g to %g", option, text, low, high);
    return value;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *to = state->input;
    switch (key) {
    case OPT_Y: to->request.y = argument; break;
    case OPT_X: to->request.x = argument; break;
    case OPT_GROUP: to->request.group = argument; break;
    case OPT_WHERE:
        if (to->request.wheres == EX_WHERES)
            argp_error(state, "--where: at most %d of them", EX_WHERES);
        to->request.where[to->request.wheres++] = argument;
        break;
    case OPT_METHOD:
        if (em_method_parse(argument, &to->fit.method))
            argp_error(state, "--method=%s: there are ols, wls and nnls", argument);
        break;
    case OPT_CONFIDENCE: to->fit.confidence_ratio = number(argument, 1, 99.9, "confidence", state) / 100; break;
    case OPT_RESAMPLES: to->fit.resamples = (int)number(argument, 0, 1e6, "resamples", state); break;
    case OPT_SEED: to->fit.seed = (uint64_t)number(argument, 0, 9e15, "seed", state); break;
    case OPT_RESIDUALS: to->residuals = 1; break;
    case OPT_CSV: to->output = AS_CSV; break;
    case 'j': to->output = AS_JSON; break;
    case OPT_STRICT: to->strict = 1; break;
    case ARGP_KEY_ARG:
        if (to->request.path)
            argp_error(state, "'%s': one file at a time", argument);
        to->request.path = argument;
        break;
    case ARGP_KEY_END:
        if (!to->request.path || !to->request.y || !to->request.x)
            argp_error(state, "give FILE.csv, --y=COL and --x=TERM,...");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const char *group_name(const struct ex_fit_input *input, const struct em_fit *fit, size_t row)
{
    static _Thread_local char run[16];
    if (input->data.groups)
        return input->group[input->number[row]];
    snprintf(run, sizeof run, "%d", fit->block[row]);
    return run;
}

/* ---- for people ---- */

static void print_head(const struct arguments *a, const struct ex_fit_input *input, const struct em_fit *fit)
{
    printf("%s by %s: %zu rows, %d blocks (%s)", a->request.y, em_method_name(a->fit.method), fit->rows, fit->blocks,
           a->request.group ? a->request.group : "runs of neighbouring rows");
    if (input->missing)
        printf(", %zu rows without a value left out", input->missing);
    printf("%s%s\n\n", *input->label ? "; " : "", input->label);
}

/* A number right-aligned in `width`, "-" if there is none. */
static void print_cell(const char *format, int width, double value)
{
    char text[32] = "-";
    if (!isnan(value))
        snprintf(text, sizeof text, format, value);
    printf("  %*s", width, text);
}

static void print_terms(const struct arguments *a, const struct ex_fit_input *input, const struct em_fit *fit)
{
    char head[32];
    int width = 4;
    for (int j = 0; j < fit->cols; j++)
        width = (int)strlen(input->names[j]) > width ? (int)strlen(input->names[j]) : width;
    snprintf(head, sizeof head, "%g %% interval", 100 * a->fit.confidence_ratio);
    printf("%-*s  %12s  %26s  %11s  %12s  %7s  verdict\n", width, "term", "coefficient", head, "std. error", "robust",
           "VIF");
    for (int j = 0; j < fit->cols; j++) {
        const struct em_coefficient *c = &fit->coefficient[j];
        printf("%-*s", width, input->names[j]);
        print_cell("%.6g", 12, c->value);
        print_cell("%.6g", 12, c->interval.low);
        print_cell("%.6g", 12, c->interval.high);
        print_cell("%.4g", 11, c->standard_error);
        print_cell("%.6g", 12, c->huber);
        print_cell("%.2f", 7, c->vif);
        printf("  %s\n", em_verdict_text(c->verdict));
    }
}

static void print_percent(const char *name, double ratio)
{
    if (isnan(ratio))
        printf("%s unknown", name);
    else
        printf("%s %.3f %%", name, 100 * ratio);
}

static void print_quality(const struct arguments *a, const struct ex_fit_input *input, const struct em_fit *fit)
{
    printf("\nR2 %.6f   condition %.2f   ", fit->r2, fit->condition);
    print_percent("MAPE", fit->mape_ratio);
    print_percent("   largest error", fit->max_ape_ratio);
    print_percent("\nleft out: MAPE", fit->left_out_mape_ratio);
    printf("   %s = %.4g + %.4g * fit\n", a->request.y, fit->offset, fit->slope);
    for (int j = 0; j < fit->cols; j++) {
        const struct em_coefficient *c = &fit->coefficient[j];
        if (c->huber < c->interval.low || c->huber > c->interval.high)
            printf("outliers decide %s: robust %.6g is outside of its interval\n", input->names[j], c->huber);
    }
    for (int k = 0; a->request.group && k < fit->blocks; k++) {
        print_percent("  MAPE", em_left_out_mape_ratio(fit, &input->data, k));
        printf(" without %s\n", input->group[k]);
    }
}

static void print_residuals(const struct arguments *a, const struct ex_fit_input *input, const struct em_fit *fit)
{
    printf("\n%8s  %14s  %14s  %14s  %9s  group\n", "row", a->request.y, "fit", "left out", "error %");
    for (size_t i = 0; i < fit->rows; i++) {
        printf("%8zu", input->line[i] - 1);
        print_cell("%.6g", 14, input->y[i]);
        print_cell("%.6g", 14, fit->fitted[i]);
        print_cell("%.6g", 14, fit->left_out[i]);
        print_cell("%.2f", 9, 100 * (fit->fitted[i] - input->y[i]) / fabs(input->y[i]));
        printf("  %s\n", group_name(input, fit, i));
    }
}

/* ---- for machines ---- */

static void put_text(const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++)
        printf(*text == '"' ? "\"\"" : "%c", *text);
    putchar('"');
}

static void put_numbers(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        putchar(',');
        if (!isnan(values[i]))
            printf("%.17g", values[i]);
    }
}

static void print_csv_terms(const struct arguments *a, const struct ex_fit_input *input, const struct em_fit *fit)
{
    puts("y,term,method,verdict,rows,blocks,coefficient,interval_low,interval_high,standard_error,huber,vif_ratio,"
         "condition_ratio,r2_ratio,mape_ratio,max_ape_ratio,left_out_mape_ratio");
    for (int j = 0; j < fit->cols; j++) {
        const struct em_coefficient *c = &fit->coefficient[j];
        const double values[] = {
            c->value, c->interval.low, c->interval.high,   c->standard_error,       c->huber, c->vif, fit->condition,
            fit->r2,  fit->mape_ratio, fit->max_ape_ratio, fit->left_out_mape_ratio};
        put_text(a->request.y);
        putchar(',');
        put_text(input->names[j]);
        printf(",%s,%s,%zu,%d", em_method_name(a->fit.method), em_verdict_text(c->verdict), fit->rows, fit->blocks);
        put_numbers(values, sizeof values / sizeof *values);
        putchar('\n');
    }
}

static void print_csv_residuals(const struct ex_fit_input *input, const struct em_fit *fit)
{
    puts("row,group,y,fit,left_out");
    for (size_t i = 0; i < fit->rows; i++) {
        const double values[] = {input->y[i], fit->fitted[i], fit->left_out[i]};
        printf("%zu,", input->line[i] - 1);
        put_text(group_name(input, fit, i));
        put_numbers(values, 3);
        putchar('\n');
    }
}

static json_t *real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *json_terms(const struct ex_fit_input *input, const struct em_fit *fit)
{
    json_t *list = json_array();
    for (int j = 0; j < fit->cols; j++) {
        const struct em_coefficient *c = &fit->coefficient[j];
        json_t *correlation = json_array();
        for (int k = 0; k <= fit->cols; k++)
            json_array_append_new(correlation, real(c->correlation[k]));
        json_array_append_new(list, json_pack("{s:s, s:o, s:[o,o], s:o, s:o, s:o, s:s, s:b, s:o}", "term",
                                              input->names[j], "coefficient", real(c->value), "interval",
                                              real(c->interval.low), real(c->interval.high), "standard_error",
                                              real(c->standard_error), "huber", real(c->huber), "vif_ratio",
                                              real(c->vif), "verdict", em_verdict_text(c->verdict), "identified",
                                              c->verdict == EM_IDENTIFIED, "correlation", correlation));
    }
    return list;
}

static json_t *json_rows(const struct ex_fit_input *input, const struct em_fit *fit)
{
    json_t *list = json_array();
    for (size_t i = 0; i < fit->rows; i++)
        json_array_append_new(list, json_pack("{s:I, s:s, s:o, s:o, s:o}", "row", (json_int_t)(input->line[i] - 1),
                                              "group", group_name(input, fit, i), "y", real(input->y[i]), "fit",
                                              real(fit->fitted[i]), "left_out", real(fit->left_out[i])));
    return list;
}

static int print_json(const struct arguments *a, const struct ex_fit_input *input, const struct em_fit *fit)
{
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:i, s:f, s:i, s:I}", "file", a->request.path, "y", a->request.y,
                  "method", em_method_name(a->fit.method), "sources", input->label, "rows", (json_int_t)fit->rows,
                  "rows_without_value", (json_int_t)input->missing, "blocks", fit->blocks, "confidence_ratio",
                  a->fit.confidence_ratio, "resamples_solved", fit->resamples_solved, "seed", (json_int_t)a->fit.seed);
    const struct {
        const char *name;
        double value;
    } quality[] = {{"condition_ratio", fit->condition},
                   {"r2_ratio", fit->r2},
                   {"mape_ratio", fit->mape_ratio},
                   {"max_ape_ratio", fit->max_ape_ratio},
                   {"left_out_mape_ratio", fit->left_out_mape_ratio},
                   {"slope", fit->slope},
                   {"offset", fit->offset},
                   {"huber_share_ratio", fit->huber_share_ratio}};
    for (size_t i = 0; i < sizeof quality / sizeof *quality; i++)
        json_object_set_new(root, quality[i].name, real(quality[i].value));
    json_object_set_new(root, "terms", json_terms(input, fit));
    if (a->residuals)
        json_object_set_new(root, "residuals", json_rows(input, fit));
    int status = root ? json_dumpf(root, stdout, JSON_INDENT(2)) : -1;
    json_decref(root);
    puts("");
    return status ? jrx_fail(JRX_ENOMEM, "no memory to write the result as JSON, or a name is not UTF-8") : 0;
}

static int print(const struct arguments *a, const struct ex_fit_input *input, const struct em_fit *fit)
{
    if (a->output == AS_JSON)
        return print_json(a, input, fit);
    if (a->output == AS_CSV && a->residuals)
        print_csv_residuals(input, fit);
    else if (a->output == AS_CSV)
        print_csv_terms(a, input, fit);
    if (a->output != AS_TEXT)
        return 0;
    print_head(a, input, fit);
    print_terms(a, input, fit);
    print_quality(a, input, fit);
    if (a->residuals)
        print_residuals(a, input, fit);
    return 0;
}

static int check(const struct ex_fit_input *input, const struct em_fit *fit)
{
    for (int j = 0; j < fit->cols; j++) {
        if (fit->coefficient[j].verdict != EM_IDENTIFIED)
            return jrx_fail(JRX_EQUALITY, "%s is %s", input->names[j], em_verdict_text(fit->coefficient[j].verdict));
    }
    return 0;
}

static int run(int argc, char **argv)
{
    struct arguments a = {.fit = {EM_NNLS, 1000, 0.95, 1}};
    const struct argp argp = {.options = options,
                              .parser = parse,
                              .args_doc = "FILE.csv",
                              .doc =
                                  "Fits --y as a sum of coefficient times --x, without a hidden constant, and says for "
                                  "each coefficient whether the data identify it."};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    a.request.method = a.fit.method;
    struct ex_fit_input input;
    struct em_fit fit = {0};
    int status = ex_fit_input_init(&input, &a.request);
    if (!status)
        status = em_fit_init(&fit, &input.data, &a.fit);
    if (!status)
        status = print(&a, &input, &fit);
    if (!status && a.strict)
        status = check(&input, &fit);
    em_fit_fini(&fit);
    ex_fit_input_fini(&input);
    return status;
}

const struct ex_command cmd_fit = {
    .name = "fit", .summary = "regress an energy in any CSV file on its causes", .order = 60, .run = run};
