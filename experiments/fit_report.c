/* A fit in words, as JSON and as a table of rows. */
#include "experiments/fit_report.h"
#include "experiments/sheet.h"
#include "harness/base/error.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *ex_fit_weights(const struct ex_fit_request *request)
{
    return request->relative ? "1/y" : "1";
}

const char *ex_fit_group(const struct ex_fit_report *report, size_t row, char run[16])
{
    if (report->input->data.groups)
        return report->input->group[report->input->number[row]];
    snprintf(run, 16, "%d", report->fit->block[row]);
    return run;
}

/* ---- for people ---- */

static void print_head(const struct ex_fit_report *r, FILE *to)
{
    fprintf(to, "%s by %s, weights %s: %zu rows, %d blocks (%s)%s%s\n\n", r->request->response,
            em_method_name(r->fit->options.method), ex_fit_weights(r->request), r->fit->rows, r->fit->blocks,
            r->request->group ? r->request->group : "runs of neighbouring rows", *r->input->label ? "; " : "",
            r->input->label);
}

/* A number right-aligned in `width`, "-" if there is none. */
static void print_cell(FILE *to, const char *format, int width, double value)
{
    char text[32] = "-";
    if (!isnan(value))
        snprintf(text, sizeof text, format, value);
    fprintf(to, "  %*s", width, text);
}

static int widest(const struct ex_fit_input *input)
{
    int width = 4;
    for (int j = 0; j < input->data.cols; j++)
        width = (int)strlen(input->names[j]) > width ? (int)strlen(input->names[j]) : width;
    return width;
}

static void print_terms(const struct ex_fit_report *r, FILE *to)
{
    char head[32];
    int width = widest(r->input);
    snprintf(head, sizeof head, "%g %% interval", 100 * r->fit->options.confidence_ratio);
    fprintf(to, "%-*s  %12s  %11s  %26s  %12s  %7s  %-10s  verdict\n", width, "term", "coefficient", "std. error", head,
            "robust", "VIF", "unit");
    for (int j = 0; j < r->fit->cols; j++) {
        const struct em_coefficient *c = &r->fit->coefficient[j];
        fprintf(to, "%-*s", width, r->input->names[j]);
        print_cell(to, "%.6g", 12, c->value);
        print_cell(to, "%.4g", 11, c->standard_error);
        print_cell(to, "%.6g", 12, c->interval.low);
        print_cell(to, "%.6g", 12, c->interval.high);
        print_cell(to, "%.6g", 12, c->huber);
        print_cell(to, "%.2f", 7, c->vif);
        fprintf(to, "  %-10s  %s\n", r->input->unit[j],
                c->verdict == EM_IDENTIFIED ? em_verdict_text(c->verdict) : "not identifiable");
    }
}

static void print_correlations(const struct ex_fit_report *r, FILE *to)
{
    int width = widest(r->input), cols = r->fit->cols;
    fprintf(to, "\ncorrelation of terms, and with %s\n", r->request->response);
    for (int j = 0; j < cols; j++) {
        if (isnan(r->fit->coefficient[j].correlation[cols]))
            continue; /* the constant goes with nothing */
        fprintf(to, "%-*s", width, r->input->names[j]);
        for (int k = 0; k <= cols; k++)
            if (k == cols || !isnan(r->fit->coefficient[k].correlation[cols]))
                print_cell(to, "%.3f", 6, r->fit->coefficient[j].correlation[k]);
        fprintf(to, "\n");
    }
}

static void print_percent(FILE *to, const char *name, double ratio)
{
    if (isnan(ratio))
        fprintf(to, "%s unknown", name);
    else
        fprintf(to, "%s %.3f %%", name, 100 * ratio);
}

static void print_quality(const struct ex_fit_report *r, FILE *to)
{
    const struct em_fit *fit = r->fit;
    fprintf(to, "\nR2 %.6f   condition number %.2f   ", fit->r2, fit->condition);
    print_percent(to, "MAPE", fit->mape_ratio);
    print_percent(to, "   max APE", fit->max_ape_ratio);
    print_percent(to, "\nleave one group out: MAPE", fit->left_out_mape_ratio);
    fprintf(to, "   %s = %.4g + %.4g * predicted\n", r->request->response, fit->offset, fit->slope);
    if (fit->options.method == EM_RIDGE)
        fprintf(to, "ridge %g of the columns' squared norms\n", fit->options.ridge);
    for (int k = 0; r->request->group && k < fit->blocks; k++) {
        print_percent(to, "  MAPE", em_left_out_mape_ratio(fit, &r->input->data, k));
        fprintf(to, " without %s\n", r->input->group[k]);
    }
}

void ex_fit_print(const struct ex_fit_report *r, FILE *to)
{
    char warning[EX_FIT_WARNINGS][EX_ADVICE];
    print_head(r, to);
    print_terms(r, to);
    print_quality(r, to);
    print_correlations(r, to);
    int count = ex_fit_warnings(r, warning);
    for (int i = 0; i < count; i++)
        fprintf(to, "%swarning: %s\n", i ? "" : "\n", warning[i]);
}

/* ---- for machines ---- */

static json_t *real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *json_terms(const struct ex_fit_report *r)
{
    json_t *list = json_array();
    for (int j = 0; j < r->fit->cols; j++) {
        const struct em_coefficient *c = &r->fit->coefficient[j];
        json_t *correlation = json_object();
        for (int k = 0; k < r->fit->cols; k++)
            json_object_set_new(correlation, r->input->names[k], real(c->correlation[k]));
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:o, s:o}", "name", r->input->names[j],
                      "unit", r->input->unit[j], "coefficient", real(c->value), "std_error", real(c->standard_error),
                      "ci_lo", real(c->interval.low), "ci_hi", real(c->interval.high), "vif", real(c->vif), "robust",
                      real(c->huber), "verdict", em_verdict_text(c->verdict), "identified", c->verdict == EM_IDENTIFIED,
                      "correlation", correlation, "correlation_with_response", real(c->correlation[r->fit->cols])));
    }
    return list;
}

static json_t *json_groups(const struct ex_fit_report *r)
{
    json_t *list = json_array();
    for (int k = 0; r->request->group && k < r->fit->blocks; k++)
        json_array_append_new(list, json_pack("{s:s, s:o}", "name", r->input->group[k], "logo_mape_percent",
                                              real(100 * em_left_out_mape_ratio(r->fit, &r->input->data, k))));
    return list;
}

static json_t *json_warnings(const struct ex_fit_report *r)
{
    char warning[EX_FIT_WARNINGS][EX_ADVICE];
    json_t *list = json_array();
    int count = ex_fit_warnings(r, warning);
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_string(warning[i]));
    return list;
}

int ex_fit_json(const struct ex_fit_report *r, FILE *to)
{
    const struct em_fit *fit = r->fit;
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:i, s:f, s:i, s:I}", "file", r->request->path,
                             "response", r->request->response, "method", em_method_name(fit->options.method), "weights",
                             ex_fit_weights(r->request), "sources", r->input->label, "n", (json_int_t)fit->rows,
                             "rows_without_value", (json_int_t)r->input->missing, "blocks", fit->blocks,
                             "confidence_ratio", fit->options.confidence_ratio, "resamples_solved",
                             fit->resamples_solved, "seed", (json_int_t)fit->options.seed);
    const struct {
        const char *name;
        double value;
    } quality[] = {{"r2", fit->r2},
                   {"mape_percent", 100 * fit->mape_ratio},
                   {"max_ape_percent", 100 * fit->max_ape_ratio},
                   {"condition_number", fit->condition},
                   {"logo_mape_percent", 100 * fit->left_out_mape_ratio},
                   {"slope", fit->slope},
                   {"intercept", fit->offset},
                   {"huber_share_ratio", fit->huber_share_ratio},
                   {"ridge_ratio", fit->options.method == EM_RIDGE ? fit->options.ridge : (double)NAN}};
    for (size_t i = 0; i < sizeof quality / sizeof *quality; i++)
        json_object_set_new(root, quality[i].name, real(quality[i].value));
    json_object_set_new(root, "terms", json_terms(r));
    json_object_set_new(root, "groups", json_groups(r));
    json_object_set_new(root, "warnings", json_warnings(r));
    int status = root ? json_dumpf(root, to, JSON_INDENT(2)) : -1;
    json_decref(root);
    fputs("\n", to);
    return status ? jrx_fail(JRX_ENOMEM, "no memory to write the result as JSON, or a name is not UTF-8") : 0;
}

static void put_row(struct ex_sheet *s, const struct ex_fit_report *r, size_t i)
{
    const struct em_fit *fit = r->fit;
    double y = r->input->y[i];
    char run[16];
    ex_sheet_integer(s, "row", (int64_t)r->input->line[i] - 1);
    ex_sheet_text(s, "group", ex_fit_group(r, i, run));
    ex_sheet_real(s, "observed", y);
    ex_sheet_real(s, "predicted", fit->fitted[i]);
    ex_sheet_real(s, "residual", y - fit->fitted[i]);
    ex_sheet_real(s, "residual_percent", 100 * (y - fit->fitted[i]) / fabs(y));
    ex_sheet_real(s, "left_out", fit->left_out[i]);
    ex_sheet_end_row(s);
}

int ex_fit_rows(const struct ex_fit_report *r, const char *path)
{
    struct ex_sheet sheet;
    int status = ex_sheet_open(&sheet, path);
    if (status)
        return status;
    put_row(&sheet, r, 0); /* the header */
    for (size_t i = 0; i < r->fit->rows; i++)
        put_row(&sheet, r, i);
    status = ex_sheet_close(&sheet);
    ex_sheet_drop(&sheet);
    return status;
}
