/* The forms of what `joulerx stat` measured. */
#include "experiments/stat.h"
#include "harness/base/error.h"
#include "harness/stats.h"
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One domain, or the total where d == stat->domains, of one run. */
struct item {
    const char *name;
    double energy_j, uncertainty_j, power_w;
    const char *reason; /* "" if there is a number */
};

static struct item item_of(const struct ex_stat *stat, size_t run, size_t d)
{
    const struct jrx_window_result *r = &stat->run[run].result;
    struct item item = {"total", r->total_j, r->total_uncertainty_j, NAN, r->reason};
    if (d < stat->domains)
        item = (struct item){stat->domain[d].name, r->domain[d].energy_j, r->domain[d].uncertainty_j, NAN,
                             r->domain[d].reason};
    item.power_w = item.energy_j / ((double)r->time_ns * 1e-9);
    return item;
}

/* RFC 4180: quoted if it must be. */
static void csv_text(FILE *to, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

static void csv_real(FILE *to, double value)
{
    if (isnan(value))
        fputc(',', to);
    else
        fprintf(to, ",%.17g", value);
}

static void print_csv(const struct ex_stat *stat, FILE *to)
{
    fputs("command,meter,source,run,at_s,domain,in_total,time_ns,cpu_ns,energy_j,energy_uncertainty_j,power_w,status\n",
          to);
    for (size_t r = 0; r < stat->runs; r++)
        for (size_t d = 0; d <= stat->domains; d++) {
            struct item item = item_of(stat, r, d);
            const struct jrx_window_result *result = &stat->run[r].result;
            csv_text(to, stat->command);
            fprintf(to, ",%s,%s,%zu", stat->meter, jrx_source_name(stat->source), r);
            csv_real(to, stat->run[r].at_s);
            fprintf(to, ",%s,%s,%" PRIu64 ",", item.name,
                    d == stat->domains         ? ""
                    : stat->domain[d].in_total ? "1"
                                               : "0",
                    result->time_ns);
            if (isnan(stat->run[r].at_s)) /* nobody knows the CPU time of a command that still runs */
                fprintf(to, "%" PRIu64, result->cpu_ns);
            csv_real(to, item.energy_j);
            csv_real(to, item.uncertainty_j);
            csv_real(to, item.power_w);
            fputc(',', to);
            csv_text(to, *item.reason ? item.reason : "ok");
            fputc('\n', to);
        }
}

static json_t *real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *run_json(const struct ex_stat *stat, size_t r)
{
    const struct jrx_window_result *result = &stat->run[r].result;
    json_t *domains = json_array();
    for (size_t d = 0; d <= stat->domains; d++) {
        struct item item = item_of(stat, r, d);
        json_array_append_new(domains, json_pack("{s:s, s:s, s:o, s:o, s:o, s:s}", "domain", item.name, "source",
                                                 jrx_source_name(stat->source), "energy_j", real(item.energy_j),
                                                 "energy_uncertainty_j", real(item.uncertainty_j), "power_w",
                                                 real(item.power_w), "status", *item.reason ? item.reason : "ok"));
    }
    return json_pack("{s:I, s:o, s:o, s:o}", "time_ns", (json_int_t)result->time_ns, "cpu_ns",
                     isnan(stat->run[r].at_s) ? json_integer((json_int_t)result->cpu_ns) : json_null(), "at_s",
                     real(stat->run[r].at_s), "domains", domains);
}

static int print_json(const struct ex_stat *stat, FILE *to)
{
    json_t *runs = json_array(), *warnings = json_array();
    for (size_t r = 0; r < stat->runs; r++)
        json_array_append_new(runs, run_json(stat, r));
    for (size_t w = 0; w < stat->warnings->count; w++)
        json_array_append_new(warnings,
                              json_pack("{s:s, s:s, s:s}", "code", stat->warnings->item[w].code, "text",
                                        stat->warnings->item[w].text, "remedy", stat->warnings->item[w].remedy));
    json_t *all = json_pack("{s:s, s:s, s:s, s:o, s:o}", "command", stat->command, "meter", stat->meter, "source",
                            jrx_source_name(stat->source), "runs", runs, "warnings", warnings);
    if (!all)
        return jrx_fail(JRX_ENOMEM, "no memory for the result");
    json_dumpf(all, to, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(17));
    fputc('\n', to);
    json_decref(all);
    return 0;
}

/* Mean over the runs, and the half-width of its 95 % interval: spread of the runs and uncertainty of the meter. */
struct mean {
    size_t n;
    double value, half;
};

static struct mean mean_of(const double *x, const double *uncertainty, size_t n)
{
    struct jrx_summary s, u;
    struct mean mean = {0, NAN, NAN};
    if (jrx_summarize(x, n, &s) || jrx_summarize(uncertainty, n, &u))
        return mean;
    double spread = s.n > 1 ? jrx_t_quantile(0.975, (double)s.n - 1) * s.sem : 0;
    return (struct mean){s.n, s.mean, hypot(spread, u.mean / sqrt((double)s.n))};
}

static void print_row(const struct ex_stat *stat, size_t d, double *x, double *uncertainty, FILE *to)
{
    const char *reason = "";
    for (size_t r = 0; r < stat->runs; r++) {
        struct item item = item_of(stat, r, d);
        x[r] = item.energy_j, uncertainty[r] = item.uncertainty_j;
        reason = *item.reason ? item.reason : reason;
    }
    struct mean energy = mean_of(x, uncertainty, stat->runs);
    for (size_t r = 0; r < stat->runs; r++) {
        struct item item = item_of(stat, r, d);
        x[r] = item.power_w, uncertainty[r] = item.uncertainty_j / ((double)stat->run[r].result.time_ns * 1e-9);
    }
    struct mean power = mean_of(x, uncertainty, stat->runs);
    const char *name = d < stat->domains ? stat->domain[d].name : "total";
    if (!energy.n) {
        fprintf(to, "  %-16s none: %s\n", name, reason);
        return;
    }
    fprintf(to, "  %-16s %12.6g J", name, energy.value);
    if (stat->source == JRX_ESTIMATED)
        fprintf(to, " %12s %10.5g W", "", power.value); /* no interval: nobody knows how far off a profile is */
    else
        fprintf(to, " +- %-9.2g %10.5g W +- %-8.2g", energy.half, power.value, power.half);
    fprintf(to, " %s%s\n", jrx_source_name(stat->source),
            d < stat->domains && !stat->domain[d].in_total ? ", not in the total" : "");
}

static int print_table(const struct ex_stat *stat, FILE *to)
{
    double *x = calloc(2 * stat->runs + 1, sizeof *x), *zero = x + stat->runs;
    if (!x)
        return jrx_fail(JRX_ENOMEM, "no memory for the result");
    fprintf(to, "%s\n  meter %s, %s; %zu run%s, mean and 95 %% interval\n", stat->command, stat->meter,
            jrx_source_name(stat->source), stat->runs, stat->runs == 1 ? "" : "s");
    for (size_t d = 0; d <= stat->domains; d++)
        print_row(stat, d, x, zero, to);
    for (size_t r = 0; r < stat->runs; r++)
        x[r] = (double)stat->run[r].result.time_ns * 1e-9, zero[r] = 0;
    struct mean time = mean_of(x, zero, stat->runs);
    fprintf(to, "  %-16s %12.6g s", "time", time.value);
    if (time.n > 1)
        fprintf(to, " +- %.2g", time.half);
    for (size_t r = 0; r < stat->runs; r++)
        x[r] = (double)stat->run[r].result.cpu_ns * 1e-9;
    fprintf(to, "\n  %-16s %12.6g s\n", "CPU time", mean_of(x, zero, stat->runs).value);
    free(x);
    return 0;
}

static void print_intervals(const struct ex_stat *stat, FILE *to)
{
    fprintf(to, "%s\n  meter %s, %s\n  %9s", stat->command, stat->meter, jrx_source_name(stat->source), "s");
    for (size_t d = 0; d <= stat->domains; d++)
        fprintf(to, " %14s W", d < stat->domains ? stat->domain[d].name : "total");
    fputc('\n', to);
    for (size_t r = 0; r < stat->runs; r++) {
        fprintf(to, "  %9.3f", stat->run[r].at_s);
        for (size_t d = 0; d <= stat->domains; d++) {
            struct item item = item_of(stat, r, d);
            if (isnan(item.power_w))
                fprintf(to, " %16s", "-");
            else
                fprintf(to, " %16.5g", item.power_w);
        }
        fprintf(to, " %s\n", jrx_source_name(stat->source));
    }
}

int ex_stat_print(const struct ex_stat *stat, enum ex_stat_form form, FILE *to)
{
    int status = 0;
    if (form == EX_STAT_CSV)
        print_csv(stat, to);
    else if (form == EX_STAT_JSON)
        status = print_json(stat, to);
    else if (stat->runs && !isnan(stat->run[0].at_s))
        print_intervals(stat, to);
    else
        status = print_table(stat, to);
    if (!status && (fflush(to) || ferror(to)))
        return jrx_fail(JRX_EIO, "the result could not be written whole");
    return status;
}
