/* Reading recordings and computing from them: see the header. */
#include "harness/recording.h"
#include "harness/base/error.h"
#include "harness/edge.h"
#include "harness/sysfs.h"
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int bad(const char *path, size_t line, const char *what)
{
    return jrx_fail(JRX_EFORMAT, "recording %s, line %zu: %s", path, line, what);
}

static double real_or_infinity(const json_t *value)
{
    return json_is_number(value) ? json_number_value(value) : INFINITY;
}

static int parse_domain(json_t *from, struct jrx_domain *domain, const char *path)
{
    const char *name, *kind;
    int in_total;
    json_t *range, *provable, *p_max;
    if (json_unpack(from, "{s:s, s:s, s:i, s:b, s:o, s:F, s:o, s:o}", "name", &name, "kind", &kind, "socket",
                    &domain->socket, "in_total", &in_total, "range", &range, "j_per_count",
                    &domain->counter.j_per_count, "provable_j", &provable, "p_max_w", &p_max))
        return bad(path, 1, "a domain needs name, kind, socket, in_total, range, j_per_count, provable_j, p_max_w");
    if (jrx_domain_kind_parse(kind, &domain->kind))
        return bad(path, 1, jrx_last_error());
    if (strlen(name) >= sizeof domain->name || !*name || strpbrk(name, ",\"\n"))
        return bad(path, 1, "the name of a domain is not one");
    snprintf(domain->name, sizeof domain->name, "%s", name);
    domain->in_total = in_total;
    domain->cpu = -1;
    domain->counter.range = json_is_null(range) ? JRX_RANGE_NONE : (uint64_t)json_integer_value(range);
    domain->counter.provable_j = real_or_infinity(provable);
    domain->counter.p_max_w = real_or_infinity(p_max);
    if ((!json_is_null(range) && (!json_is_integer(range) || json_integer_value(range) < 0)) ||
        !(domain->counter.j_per_count > 0) || !(domain->counter.provable_j > 0) || !(domain->counter.p_max_w > 0))
        return bad(path, 1, "range, j_per_count, provable_j and p_max_w of a domain must be above 0");
    return 0;
}

static int parse_header(struct jrx_recording *r, json_t *line, const char *path)
{
    int version = 0;
    const char *meter, *source;
    json_int_t tick_ns;
    json_t *domains;
    if (json_unpack(line, "{s:i, s:s, s:s, s:I, s:o}", "joulerx_recording", &version, "meter", &meter, "source",
                    &source, "tick_ns", &tick_ns, "domains", &domains))
        return bad(path, 1, "not the head of a recording; is it one of joulerx record?");
    if (version != 1)
        return bad(path, 1, "a recording of another version; this program reads version 1");
    if (jrx_source_parse(source, &r->source))
        return bad(path, 1, jrx_last_error());
    snprintf(r->meter, sizeof r->meter, "%s", meter);
    r->domains = json_array_size(domains);
    if (tick_ns < 0 || r->domains < 1 || r->domains > JRX_DOMAINS)
        return bad(path, 1, "tick_ns or the number of domains is impossible");
    r->tick_ns = (uint64_t)tick_ns;
    for (size_t d = 0; d < r->domains; d++) {
        int status = parse_domain(json_array_get(domains, d), &r->domain[d], path);
        if (status)
            return status;
    }
    return 0;
}

/* Room for one more of `size` bytes in a list that doubles. */
static void *grow(void *list, size_t count, size_t size)
{
    if (count & (count - 1) || (count && count < 64))
        return list;
    if (!count)
        return realloc(list, 64 * size);
    return realloc(list, 2 * count * size);
}

static int add_item(struct jrx_recording *r, json_t *line, const char *path, size_t number)
{
    json_int_t domain, before, after, count;
    if (json_unpack(line, "[I, I, I, I!]", &domain, &before, &after, &count))
        return bad(path, number, "a reading is [domain, before_ns, after_ns, count]");
    if (domain < 0 || (size_t)domain >= r->domains || before < 0 || after < before || count < 0)
        return bad(path, number, "a reading of an unknown domain, or with impossible numbers");
    if (r->count && (uint64_t)before < r->item[r->count - 1].reading.before_ns)
        return bad(path, number, "readings out of order");
    struct jrx_recorded *items = grow(r->item, r->count, sizeof *items);
    if (!items)
        return jrx_fail(JRX_ENOMEM, "recording %s: no memory for %zu readings", path, r->count);
    r->item = items;
    r->item[r->count++] = (struct jrx_recorded){(uint32_t)domain, {(uint64_t)count, (uint64_t)before, (uint64_t)after}};
    return 0;
}

static int add_mark(struct jrx_recording *r, json_t *line, const char *path, size_t number)
{
    const char *name;
    json_int_t time_ns;
    if (json_unpack(line, "{s:s, s:I!}", "mark", &name, "time_ns", &time_ns) || time_ns < 0 ||
        strlen(name) >= sizeof r->mark->name)
        return bad(path, number, "a mark is {\"mark\": name, \"time_ns\": time}");
    struct jrx_mark *marks = grow(r->mark, r->marks, sizeof *marks);
    if (!marks)
        return jrx_fail(JRX_ENOMEM, "recording %s: no memory for its marks", path);
    r->mark = marks;
    snprintf(r->mark[r->marks].name, sizeof r->mark->name, "%s", name);
    r->mark[r->marks++].time_ns = (uint64_t)time_ns;
    return 0;
}

static int parse_line(struct jrx_recording *r, const char *text, size_t length, const char *path, size_t number)
{
    json_error_t error;
    json_t *line = json_loadb(text, length, 0, &error);
    int status;
    if (!line)
        return bad(path, number, error.text);
    if (number == 1)
        status = parse_header(r, line, path);
    else if (json_is_array(line))
        status = add_item(r, line, path, number);
    else
        status = add_mark(r, line, path, number);
    json_decref(line);
    return status;
}

int jrx_recording_read(struct jrx_recording *r, const char *path)
{
    memset(r, 0, sizeof *r);
    FILE *file = fopen(path, "re");
    if (!file)
        return jrx_fail(errno == ENOENT ? JRX_EINVAL : jrx_errno_code(errno), "recording %s: %s", path,
                        strerror(errno));
    char *text = NULL;
    size_t room = 0, number = 0;
    int status = 0;
    for (ssize_t length; !status && (length = getline(&text, &room, file)) > 0;) {
        number++;
        /* A last line without its end was cut while being written: what came before it is whole. */
        if (text[length - 1] != '\n' && number > 1)
            break;
        status = parse_line(r, text, (size_t)length, path, number);
    }
    if (!status && ferror(file))
        status = jrx_fail(JRX_EIO, "recording %s: %s", path, strerror(errno));
    if (!status && !r->count)
        status = bad(path, number, "there are no readings in it");
    free(text);
    fclose(file);
    if (status)
        jrx_recording_fini(r);
    return status;
}

void jrx_recording_fini(struct jrx_recording *r)
{
    free(r->item);
    free(r->mark);
    memset(r, 0, sizeof *r);
}

enum jrx_source jrx_recording_source(const struct jrx_recording *r)
{
    return r->source == JRX_MEASURED ? JRX_REPLAYED : r->source;
}

int jrx_recording_mark(const struct jrx_recording *r, const char *name, uint64_t *time_ns)
{
    for (size_t i = 0; i < r->marks; i++)
        if (!strcmp(r->mark[i].name, name)) {
            *time_ns = r->mark[i].time_ns;
            return 0;
        }
    return jrx_fail(JRX_EINVAL, "the recording has no mark '%s'", name);
}

/* Follows one domain from the last reading before from_ns to the first after to_ns. */
static int domain_energy(const struct jrx_recording *r, uint32_t d, uint64_t from_ns, uint64_t to_ns,
                         struct jrx_energy *e)
{
    const struct jrx_counter *counter = &r->domain[d].counter;
    const struct jrx_reading *first = NULL, *last = NULL;
    struct jrx_tally tally;
    for (size_t i = 0; i < r->count && !last; i++) {
        const struct jrx_reading *now = &r->item[i].reading;
        if (r->item[i].domain != d)
            continue;
        if (now->after_ns <= from_ns || !first) {
            first = now;
            jrx_tally_start(&tally, now->count, now->before_ns);
            continue;
        }
        int status = jrx_tally_add(&tally, counter, now->count, now->before_ns);
        if (status)
            return status;
        if (now->before_ns >= to_ns)
            last = now;
    }
    if (!first || !last || first->after_ns > from_ns)
        return jrx_fail(JRX_EUNAVAILABLE, "the recording of %s does not reach over the whole time asked for",
                        r->domain[d].name);
    const struct jrx_edge a = jrx_edge_unwatched(first, (double)r->tick_ns * 1e-9);
    const struct jrx_edge b = jrx_edge_unwatched(last, (double)r->tick_ns * 1e-9);
    e->wraps = tally.wraps;
    e->window_j = jrx_tally_j(&tally, counter);
    e->window_s = (double)(b.time_ns - a.time_ns) * 1e-9;
    double mean_w = e->window_j / e->window_s, time_s = (double)(to_ns - from_ns) * 1e-9;
    double energy_j = mean_w * time_s;
    /* Nothing says how the power went between a reading and the instant next to it: all of it may lie on one side. */
    double lead_ns = (double)(from_ns - first->before_ns), tail_ns = (double)(last->after_ns - to_ns);
    e->uncertainty_j = hypot(mean_w * 1e-9 * jrx_edge_half_width(a.gap_ns + lead_ns, b.gap_ns + tail_ns, 0.95),
                             1.959964 * counter->j_per_count / sqrt(6));
    int status = jrx_counter_plausible(energy_j, time_s, counter->p_max_w, e->uncertainty_j);
    if (!status)
        e->energy_j = energy_j;
    return status;
}

void jrx_recording_energy(const struct jrx_recording *r, uint64_t from_ns, uint64_t to_ns,
                          struct jrx_window_result *result)
{
    double square = 0;
    size_t summed = 0;
    memset(result, 0, sizeof *result);
    result->source = jrx_recording_source(r);
    result->iters = 1;
    result->start_ns = from_ns;
    result->time_ns = to_ns - from_ns;
    result->ticks = r->tick_ns ? (double)result->time_ns / (double)r->tick_ns : NAN;
    result->domains = r->domains;
    result->total_j = 0;
    for (uint32_t d = 0; d < r->domains; d++) {
        struct jrx_energy *e = &result->domain[d];
        *e = (struct jrx_energy){.energy_j = NAN, .uncertainty_j = NAN, .window_j = NAN, .window_s = NAN};
        e->status = to_ns <= from_ns ? jrx_fail(JRX_EINVAL, "a window that ends before it begins")
                                     : domain_energy(r, d, from_ns, to_ns, e);
        if (e->status) {
            e->uncertainty_j = NAN;
            snprintf(e->reason, sizeof e->reason, "%.159s", jrx_last_error());
        }
        if (!r->domain[d].in_total)
            continue;
        if (e->status && !result->status) {
            result->status = e->status;
            memcpy(result->reason, e->reason, sizeof result->reason);
        }
        result->total_j += e->energy_j;
        square += e->uncertainty_j * e->uncertainty_j;
        summed++;
    }
    if (result->status || !summed)
        result->total_j = square = NAN;
    result->total_uncertainty_j = sqrt(square);
}
