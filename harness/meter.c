/* The list of meters, the choice among them, and the names of sources and domains. */
#include "harness/meter.h"
#include "harness/base/error.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X(symbol) extern const struct jrx_meter_ops symbol;
#include "meters.inc"
#undef X

static const struct jrx_meter_ops *const built[] = {
#define X(symbol) &symbol,
#include "meters.inc"
#undef X
};
enum { METERS = sizeof built / sizeof *built };

static const char *const kind_names[] = {
    [JRX_PACKAGE] = "package", [JRX_CORE] = "core", [JRX_UNCORE] = "uncore", [JRX_DRAM] = "dram", [JRX_PSYS] = "psys"};
_Static_assert(sizeof kind_names / sizeof *kind_names == JRX_DOMAIN_KINDS, "a name for each kind");

const char *jrx_domain_kind_name(enum jrx_domain_kind kind)
{
    return kind_names[kind];
}

int jrx_source_parse(const char *name, enum jrx_source *source)
{
    for (int i = JRX_MEASURED; i < JRX_SOURCES; i++)
        if (!strcmp(name, jrx_source_name((enum jrx_source)i))) {
            *source = (enum jrx_source)i;
            return 0;
        }
    return jrx_fail(JRX_EINVAL, "no source '%.40s'; there are measured, replayed, simulated, estimated", name);
}

int jrx_domain_kind_parse(const char *name, enum jrx_domain_kind *kind)
{
    for (int i = 0; i < JRX_DOMAIN_KINDS; i++)
        if (!strcmp(name, kind_names[i])) {
            *kind = (enum jrx_domain_kind)i;
            return 0;
        }
    return jrx_fail(JRX_EINVAL, "no domain kind '%.40s'; there are package, core, uncore, dram, psys", name);
}

double jrx_domain_p_max_w(const struct jrx_meter_config *config, enum jrx_domain_kind kind)
{
    static const double share[] = {
        [JRX_PACKAGE] = 1, [JRX_CORE] = 1, [JRX_UNCORE] = 1, [JRX_DRAM] = 0.5, [JRX_PSYS] = 10};
    /* No socket sold is rated above 500 W; short peaks stay below twice that. */
    return share[kind] * (config->p_max_w > 0 ? config->p_max_w : 1000);
}

/* Those that are only taken by name come last. */
static int by_order(const void *a, const void *b)
{
    const struct jrx_meter_ops *const *l = a, *const *r = b;
    unsigned x = (unsigned)(*l)->order, y = (unsigned)(*r)->order;
    return (x > y) - (x < y);
}

static void sorted(const struct jrx_meter_ops *list[METERS])
{
    memcpy(list, built, sizeof built);
    qsort(list, METERS, sizeof *list, by_order);
}

static int open_one(struct jrx_meter *meter, const struct jrx_meter_ops *ops, const struct jrx_meter_config *config)
{
    static const struct jrx_meter_config defaults;
    memset(meter, 0, sizeof *meter);
    meter->ops = ops;
    int status = ops->open(meter, config ? config : &defaults);
    if (status)
        memset(meter, 0, sizeof *meter);
    return status;
}

static int unknown(const char *name)
{
    const struct jrx_meter_ops *list[METERS];
    char names[256] = "auto";
    sorted(list);
    for (int i = 0; i < METERS; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, ", %s", list[i]->name);
    }
    return jrx_fail(JRX_EINVAL, "no meter '%.40s'; there are %s", name, names);
}

int jrx_meter_open(struct jrx_meter *meter, const char *name, const struct jrx_meter_config *config)
{
    const struct jrx_meter_ops *list[METERS];
    sorted(list);
    if (name && strcmp(name, "auto")) {
        for (int i = 0; i < METERS; i++)
            if (!strcmp(name, list[i]->name))
                return open_one(meter, list[i], config);
        return unknown(name);
    }
    struct jrx_warnings passed = {0};
    int status = jrx_fail(JRX_EUNAVAILABLE, "no energy meter was built in");
    for (int i = 0; i < METERS && list[i]->order >= 0; i++) {
        status = open_one(meter, list[i], config);
        if (!status) {
            for (size_t k = 0; k < passed.count; k++)
                jrx_warn(&meter->warnings, "meter_passed_over", NAN, NAN, "joulerx doctor shows every meter", "%s",
                         passed.item[k].text);
            return 0;
        }
        jrx_warn(&passed, "meter_passed_over", NAN, NAN, "", "%s", jrx_last_error());
    }
    return status;
}

void jrx_meter_close(struct jrx_meter *meter)
{
    if (meter->ops && meter->ops->close)
        meter->ops->close(meter);
    memset(meter, 0, sizeof *meter);
}

int jrx_meter_read(struct jrx_meter *meter, size_t domain, struct jrx_reading *reading)
{
    return meter->ops->read(meter, domain, reading);
}

static void try_one(struct jrx_meter_info *info, const struct jrx_meter_ops *ops, const struct jrx_meter_config *config)
{
    memset(info, 0, sizeof *info);
    info->ops = ops;
    struct jrx_meter *meter = calloc(1, sizeof *meter);
    info->status = meter ? open_one(meter, ops, config) : jrx_fail(JRX_ENOMEM, "no memory to try a meter");
    if (!info->status) {
        size_t used = 0;
        for (size_t d = 0; d < meter->domains && !info->status; d++) {
            struct jrx_reading reading;
            info->status = jrx_meter_read(meter, d, &reading);
            if (used < sizeof info->domains)
                used += (size_t)snprintf(info->domains + used, sizeof info->domains - used, "%s%s", d ? " " : "",
                                         meter->domain[d].name);
        }
        info->source = meter->source;
        info->warnings = meter->warnings;
    }
    if (info->status)
        snprintf(info->reason, sizeof info->reason, "%s", jrx_last_error());
    if (meter)
        jrx_meter_close(meter);
    free(meter);
}

size_t jrx_meter_list(const struct jrx_meter_config *config, struct jrx_meter_info *info, size_t max)
{
    const struct jrx_meter_ops *list[METERS];
    sorted(list);
    for (size_t i = 0; i < METERS && i < max; i++)
        try_one(&info[i], list[i], config);
    return METERS;
}
