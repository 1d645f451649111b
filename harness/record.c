/* Writing a recording: see harness/recording.h. */
#include "harness/base/error.h"
#include "harness/recording.h"
#include "harness/sysfs.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct jrx_record {
    FILE *file;
    char path[512];
};

/* A range is a number, null where the counter does not wrap, 0 where nobody knows. */
static json_t *range_json(uint64_t range)
{
    return range == JRX_RANGE_NONE ? json_null() : json_integer((json_int_t)range);
}

/* JSON has no infinity: null. */
static json_t *real_json(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *header_json(const struct jrx_meter *meter)
{
    json_t *domains = json_array();
    for (size_t d = 0; d < meter->domains; d++) {
        const struct jrx_domain *domain = &meter->domain[d];
        json_array_append_new(
            domains, json_pack("{s:s, s:s, s:i, s:b, s:o, s:f, s:o, s:o}", "name", domain->name, "kind",
                               jrx_domain_kind_name(domain->kind), "socket", domain->socket, "in_total",
                               domain->in_total, "range", range_json(domain->counter.range), "j_per_count",
                               domain->counter.j_per_count, "provable_j", real_json(domain->counter.provable_j),
                               "p_max_w", real_json(domain->counter.p_max_w)));
    }
    return json_pack("{s:i, s:s, s:s, s:I, s:o}", "joulerx_recording", 1, "meter", meter->ops->name, "source",
                     jrx_source_name(meter->source), "tick_ns", (json_int_t)meter->tick_ns, "domains", domains);
}

int jrx_record_open(struct jrx_record **out, const char *path, const struct jrx_meter *meter)
{
    *out = NULL;
    struct jrx_record *record = calloc(1, sizeof *record);
    json_t *header = header_json(meter);
    int status = 0;
    if (!record || !header) {
        status = jrx_fail(JRX_ENOMEM, "no memory for a recording");
        goto out;
    }
    snprintf(record->path, sizeof record->path, "%s", path);
    record->file = fopen(path, "we");
    if (!record->file) {
        status = jrx_fail(errno == EACCES ? JRX_EPERMISSION : JRX_EIO, "%s: %s; the recording cannot be written", path,
                          strerror(errno));
        goto out;
    }
    json_dumpf(header, record->file, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(17));
    fputc('\n', record->file);
    *out = record;
out:
    json_decref(header);
    if (status)
        free(record);
    return status;
}

void jrx_record_reading(struct jrx_record *record, size_t domain, const struct jrx_reading *reading)
{
    fprintf(record->file, "[%zu, %" PRIu64 ", %" PRIu64 ", %" PRIu64 "]\n", domain, reading->before_ns,
            reading->after_ns, reading->count);
}

void jrx_record_mark(struct jrx_record *record, const char *name, uint64_t time_ns)
{
    json_t *mark = json_pack("{s:s, s:I}", "mark", name, "time_ns", (json_int_t)time_ns);
    json_dumpf(mark, record->file, JSON_PRESERVE_ORDER);
    fputc('\n', record->file);
    json_decref(mark);
}

int jrx_record_all(struct jrx_record *record, struct jrx_meter *meter)
{
    for (size_t d = 0; d < meter->domains; d++) {
        struct jrx_reading reading;
        int status = jrx_meter_read(meter, d, &reading);
        if (status)
            return status;
        jrx_record_reading(record, d, &reading);
    }
    return 0;
}

int jrx_record_close(struct jrx_record *record)
{
    int status = 0;
    if (!record)
        return 0;
    bool bad = ferror(record->file) != 0;
    errno = bad ? EIO : 0;
    if (fclose(record->file) || bad)
        status = jrx_fail(JRX_EIO, "%s: %s; the recording is not whole", record->path, strerror(errno));
    free(record);
    return status;
}
