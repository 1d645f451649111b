/* Counters, markers and the columns that come with this machine: see the header. */
#include "experiments/observer.h"
#include "harness/base/error.h"
#include "harness/machine.h"
#include <ctype.h>
#include <math.h>
#include <string.h>

static const struct jrx_column fixed[] = {EX_COUNTED_COLUMNS};
enum { FIXED = sizeof fixed / sizeof *fixed };

int ex_is_measured(const struct jrx_column *column, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        if (!strcmp(column[i].name, fixed[0].name))
            return 1;
    return 0;
}

const char *ex_counted_column(const struct jrx_metric *metric, char name[EX_COLUMN_NAME])
{
    snprintf(name, EX_COLUMN_NAME, "counted_%s", metric->name);
    return name;
}

static void add_column(struct ex_observer *o, const char *doc, const char *before, const char *what, const char *after)
{
    char *name = o->name[o->columns];
    snprintf(name, EX_COLUMN_NAME, "%s%s%s", before, what, after);
    for (char *c = name; *c; c++)
        *c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '_';
    o->column[o->columns++] = (struct jrx_column){name, JRX_REAL, doc};
}

static void add_columns(struct ex_observer *o, const struct jrx_meter *meter)
{
    char name[EX_COLUMN_NAME];
    o->domains = meter->domains;
    for (size_t d = 0; d < meter->domains; d++) {
        add_column(o, "energy of one call in this domain of the meter; of the source in energy_source", "energy_",
                   meter->domain[d].name, "_j");
        add_column(o, "half-width of its 95 % interval from the meter alone", "energy_", meter->domain[d].name,
                   "_uncertainty_j");
    }
    for (unsigned m = 0; m < o->counting.set.metrics; m++) {
        int known = 0;
        ex_counted_column(&o->counting.set.metric[m], name);
        for (size_t i = 0; i < FIXED; i++)
            known |= !strcmp(name, fixed[i].name);
        if (o->counting.counted[m] && !known)
            add_column(o, "counted in one call; of the source in counted_source", "counted_",
                       o->counting.set.metric[m].name, "");
    }
}

int ex_observer_open(struct ex_observer *o, const struct jrx_meter *meter, const struct ex_observer_options *options,
                     struct jrx_warnings *warnings)
{
    struct jrx_machine machine;
    memset(o, 0, sizeof *o);
    int status = jrx_machine_read(&machine, options->sysfs, NULL);
    if (!status)
        status = jrx_counting_open(&o->counting, options->counters, &machine, (unsigned)options->threads, warnings);
    if (!status)
        status = jrx_markers_open(&o->markers, (unsigned)options->threads);
    if (!status && o->counting.ops)
        status = ex_known_check(&o->counting, options->caches, options->sde, o->truth, &o->truths, warnings);
    if (status)
        ex_observer_close(o);
    else
        add_columns(o, meter);
    return status;
}

void ex_observer_close(struct ex_observer *o)
{
    jrx_markers_close(&o->markers);
    memset(o, 0, sizeof *o);
}

static json_t *real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *ex_observer_counters_json(const struct ex_observer *o)
{
    json_t *metrics = json_array();
    for (unsigned m = 0; m < o->counting.set.metrics; m++)
        if (o->counting.counted[m])
            json_array_append_new(metrics, json_string(o->counting.set.metric[m].name));
    return json_pack("{s:s?, s:s?, s:s?, s:o, s:i, s:s?}", "through", o->counting.ops, "set",
                     o->counting.ops ? o->counting.set.name : NULL, "source",
                     o->counting.ops ? jrx_source_name(o->counting.source) : NULL, "metrics", metrics, "passes",
                     o->counting.ops ? (int)o->counting.plan.passes : 0, "reason",
                     *o->counting.reason ? o->counting.reason : NULL);
}

json_t *ex_observer_truth_json(const struct ex_observer *o)
{
    json_t *list = json_array();
    for (size_t i = 0; i < o->truths; i++) {
        const struct jrx_truth *t = &o->truth[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:o, s:s}", "region", t->region, "metric",
                                              t->metric, "known", real(t->known), "counted", real(t->counted), "ratio",
                                              real(t->ratio), "source", jrx_source_name(t->source)));
    }
    return list;
}

void ex_observer_print(const struct ex_observer *o, FILE *to)
{
    if (!o->counting.ops && *o->counting.reason)
        fprintf(to, "counters: none; %s\n", o->counting.reason);
    if (o->counting.ops)
        fprintf(to, "counters: set %s through %s, %u passes; counted/known of regions whose work is known:\n",
                o->counting.set.name, o->counting.ops, o->counting.plan.passes);
    for (size_t i = 0; i < o->truths; i++)
        fprintf(to, "  %-26s %-18s %.6g / %.6g = %.4f %s\n", o->truth[i].region, o->truth[i].metric,
                o->truth[i].counted, o->truth[i].known, o->truth[i].ratio, jrx_source_name(o->truth[i].source));
}
