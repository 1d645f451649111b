/* The three figures of a fit, and the tables that they draw. */
#include "experiments/figure.h"
#include "experiments/fit_report.h"
#include "experiments/sheet.h"
#include "harness/base/error.h"
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* Mean over the rows of block k of coefficient j times its term. */
static double share(const struct ex_fit_report *r, int j, int k)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < r->fit->rows; i++)
        if (r->fit->block[i] == k) {
            sum += r->fit->coefficient[j].value * r->input->x[i + (size_t)j * r->fit->rows];
            count++;
        }
    return sum / (double)count;
}

static double mean_observed(const struct ex_fit_report *r, int k)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < r->fit->rows; i++)
        if (r->fit->block[i] == k) {
            sum += r->input->y[i];
            count++;
        }
    return sum / (double)count;
}

static void put_block(struct ex_sheet *s, const struct ex_fit_report *r, int k)
{
    char run[16];
    size_t first = 0;
    while (r->fit->block[first] != k)
        first++;
    double observed = mean_observed(r, k);
    ex_sheet_text(s, "group", ex_fit_group(r, first, run));
    ex_sheet_real(s, "observed", observed);
    for (int j = 0; j < r->fit->cols;
         j++) /* of what was observed, so that small groups can be seen beside large ones */
        ex_sheet_real(s, !strcmp(r->input->names[j], "1") ? "constant" : r->input->names[j],
                      100 * share(r, j, k) / observed);
    ex_sheet_end_row(s);
}

static int write_breakdown(const struct ex_fit_report *r, const char *path)
{
    struct ex_sheet sheet;
    int status = ex_sheet_open(&sheet, path);
    if (status)
        return status;
    put_block(&sheet, r, 0); /* the header */
    for (int k = 0; k < r->fit->blocks; k++)
        put_block(&sheet, r, k);
    status = ex_sheet_close(&sheet);
    ex_sheet_drop(&sheet);
    return status;
}

/* What the scripts cannot read from a column: the name of the response. */
static int write_labels(const struct ex_fit_report *r, const char *path)
{
    FILE *to = fopen(path, "we");
    if (!to)
        return jrx_fail(JRX_EIO, "%s: %s", path, strerror(errno));
    fputs("response = \"", to);
    for (const char *c = r->request->response; *c; c++)
        fprintf(to, strchr("_^{}@&~\\\"", *c) ? "\\\\%c" : "%c", *c); /* gnuplot's marks are letters here */
    fprintf(to, "\"\nterms = %d\nblocks = %d\n", r->fit->cols, r->fit->blocks);
    return fclose(to) ? jrx_fail(JRX_EIO, "%s: %s", path, strerror(errno)) : 0;
}

int ex_fit_figures(const struct ex_fit_report *r, const char *dir)
{
    static const char *const figures[] = {"fit_predicted", "fit_residuals", "fit_breakdown"};
    char path[PATH_MAX];
    const char *source = strrchr(r->input->label, '=');
    if (mkdir(dir, 0777) && errno != EEXIST)
        return jrx_fail(errno == EACCES ? JRX_EPERMISSION : JRX_EIO, "%s: %s; give another folder to --figures", dir,
                        strerror(errno));
    snprintf(path, sizeof path, "%s/rows.csv", dir);
    int status = ex_fit_rows(r, path);
    snprintf(path, sizeof path, "%s/breakdown.csv", dir);
    if (!status)
        status = write_breakdown(r, path);
    snprintf(path, sizeof path, "%s/labels.gp", dir);
    if (!status)
        status = write_labels(r, path);
    for (size_t i = 0; i < sizeof figures / sizeof *figures && !status; i++)
        status = ex_figure(dir, figures[i], r->input->is_estimated ? "estimated" : source ? source + 1 : "as given");
    return status;
}
