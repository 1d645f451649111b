/* The forms of what `joulerx stat` measured. */
#include "experiments/stat.h"
#include "harness/base/error.h"
#include "harness/stats.h"
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* One domain, or the total where d == stat->domains, of one run. */
struct item {
    const char *name;
    struct jrx_energy_views energy;
    struct jrx_power idle, active;
    double power_w;
    const char *reason; /* "" if there is a number */
};

static struct item item_of(const struct ex_stat *stat, size_t run, size_t d)
{
    const struct ex_stat_run *of = &stat->run[run];
    const struct jrx_window_result *r = &of->result;
    double time_s = (double)r->time_ns * 1e-9;
    struct item item = {.name = "total", .idle = of->idle.total, .active = of->active.total, .reason = r->reason};
    double energy_j = r->total_j, uncertainty_j = r->total_uncertainty_j;
    if (d < stat->domains) {
        item = (struct item){.name = stat->domain[d].name,
                             .idle = of->idle.domain[d],
                             .active = of->active.domain[d],
                             .reason = r->domain[d].reason};
        energy_j = r->domain[d].energy_j, uncertainty_j = r->domain[d].uncertainty_j;
    }
    item.energy = jrx_energy_views(energy_j, uncertainty_j, time_s, &item.idle, &item.active);
    item.power_w = energy_j / time_s;
    return item;
}

/* The readings of one energy, side by side: name of the CSV column and JSON key, line of the table. */
static const struct {
    const char *key, *words;
    size_t value, uncertainty;
} views[] = {
    {"energy", "", offsetof(struct jrx_energy_views, gross_j), offsetof(struct jrx_energy_views, gross_uncertainty_j)},
    {"above_idle", "  above idle", offsetof(struct jrx_energy_views, above_idle_j),
     offsetof(struct jrx_energy_views, above_idle_uncertainty_j)},
    {"above_active", "  above active", offsetof(struct jrx_energy_views, above_active_j),
     offsetof(struct jrx_energy_views, above_active_uncertainty_j)}};
enum { VIEWS = sizeof views / sizeof *views };

static double view(const struct item *item, size_t offset)
{
    double value;
    memcpy(&value, (const char *)&item->energy + offset, sizeof value);
    return value;
}

static const struct jrx_column columns[] = {
    {"command", JRX_TEXT, "as it was given"},
    {"meter", JRX_TEXT, "the energy meter"},
    {"source", JRX_TEXT, "of all energies and powers: measured, replayed or estimated"},
    {"run", JRX_INTEGER, "from 0"},
    {"at_s", JRX_REAL, "end of an interval since the command began; empty for a whole run"},
    {"domain", JRX_TEXT, "domain of the meter, or total: packages and drams together"},
    {"in_total", JRX_INTEGER, "1 if the total holds it; empty for the total"},
    {"time_ns", JRX_REAL, "wall time"},
    {"cpu_ns", JRX_REAL, "CPU time of the command and its children; empty for an interval"},
    {"energy_j", JRX_REAL, "gross energy"},
    {"energy_uncertainty_j", JRX_REAL, "half-width of its 95 % interval from the meter; empty for an estimate"},
    {"above_idle_j", JRX_REAL, "energy_j minus idle_w times time_ns"},
    {"above_idle_uncertainty_j", JRX_REAL, "half-width of its 95 % interval"},
    {"above_active_j", JRX_REAL, "energy_j minus active_w times time_ns"},
    {"above_active_uncertainty_j", JRX_REAL, "half-width of its 95 % interval"},
    {"power_w", JRX_REAL, "energy_j over time_ns"},
    {"idle_w", JRX_REAL, "power of the idle machine just before"},
    {"idle_uncertainty_w", JRX_REAL, "half-width of its 95 % interval"},
    {"active_w", JRX_REAL, "active-constant power: all threads awake, doing nothing, just before"},
    {"active_uncertainty_w", JRX_REAL, "half-width of its 95 % interval"},
    {"status", JRX_TEXT, "ok, or why the energy is missing"},
};
const struct jrx_schema ex_stat_schema = {"stat", columns, sizeof columns / sizeof *columns};

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
    for (size_t i = 0; i < ex_stat_schema.columns; i++)
        fprintf(to, "%s%s", i ? "," : "", ex_stat_schema.column[i].name);
    fputc('\n', to);
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
            for (int v = 0; v < VIEWS; v++) {
                csv_real(to, view(&item, views[v].value));
                csv_real(to, view(&item, views[v].uncertainty));
            }
            const double powers_w[] = {item.power_w, item.idle.w, item.idle.uncertainty_w, item.active.w,
                                       item.active.uncertainty_w};
            for (int i = 0; i < 5; i++)
                csv_real(to, powers_w[i]);
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
        json_t *of = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s}", "domain", item.name, "source",
                               jrx_source_name(stat->source), "power_w", real(item.power_w), "idle_w",
                               real(item.idle.w), "idle_uncertainty_w", real(item.idle.uncertainty_w), "active_w",
                               real(item.active.w), "active_uncertainty_w", real(item.active.uncertainty_w), "status",
                               *item.reason ? item.reason : "ok");
        for (int v = 0; v < VIEWS; v++) {
            char key[40];
            snprintf(key, sizeof key, "%s_j", views[v].key);
            json_object_set_new(of, key, real(view(&item, views[v].value)));
            snprintf(key, sizeof key, "%s_uncertainty_j", views[v].key);
            json_object_set_new(of, key, real(view(&item, views[v].uncertainty)));
        }
        json_array_append_new(domains, of);
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

/* Energy and power of one reading of one domain; its mean power is that energy over the time. */
static void print_view(const struct ex_stat *stat, size_t d, int v, double *x, double *uncertainty, FILE *to)
{
    const char *name = d < stat->domains ? stat->domain[d].name : "total", *reason = "";
    struct mean mean[2];
    for (int power = 0; power < 2; power++) {
        for (size_t r = 0; r < stat->runs; r++) {
            struct item item = item_of(stat, r, d);
            double per = power ? (double)stat->run[r].result.time_ns * 1e-9 : 1;
            x[r] = view(&item, views[v].value) / per;
            uncertainty[r] = view(&item, views[v].uncertainty) / per;
            reason = *item.reason ? item.reason : reason;
        }
        mean[power] = mean_of(x, uncertainty, stat->runs);
    }
    if (!mean[0].n) {
        if (!v)
            fprintf(to, "  %-16s none: %s\n", name, reason);
        return;
    }
    fprintf(to, "  %-16s %12.6g J", v ? views[v].words : name, mean[0].value);
    if (stat->source == JRX_ESTIMATED)
        fprintf(to, " %12s %10.5g W", "", mean[1].value); /* no interval: nobody knows how far off a profile is */
    else
        fprintf(to, " +- %-9.2g %10.5g W +- %-8.2g", mean[0].half, mean[1].value, mean[1].half);
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
        for (int v = 0; v < VIEWS; v++)
            print_view(stat, d, v, x, zero, to);
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
