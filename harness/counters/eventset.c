/*
 * Reading event sets. Planning and running passes is in passes.c.
 */
#include "harness/counters/eventset.h"
#include "harness/base/error.h"
#include "harness/table.h"
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {"skx", "clx", "icx", "spr", "zen2", "zen3", "zen4", "zen5", NULL};

const char *const *jrx_event_set_names(void)
{
    return names;
}

/* ---- parsing ------------------------------------------------------------------------------------- */

struct parse {
    struct jrx_event_set *set;
    char wrong[200]; /* what the refused line says */
};

/* A whole number in [0, most] that fills the text up to `stop`. */
static int whole(const char *text, const char *stop, unsigned most, unsigned *out)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return 0;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    *out = (unsigned)value;
    return end == stop && !errno && value <= most;
}

static int copy_text(struct parse *p, char *to, size_t size, const char *value)
{
    if (!*value || strlen(value) >= size) {
        snprintf(p->wrong, sizeof p->wrong, "\"%.60s\" is empty or longer than %zu characters", value, size - 1);
        return 0;
    }
    memcpy(to, value, strlen(value) + 1);
    return 1;
}

/* "85" or "0-4": a range of steppings. */
static int range(const char *value, unsigned *low, unsigned *high)
{
    const char *end = value + strlen(value), *dash = strchr(value, '-');
    if (!whole(value, dash ? dash : end, 255, low))
        return 0;
    *high = *low;
    return !dash || (whole(dash + 1, end, 255, high) && *low <= *high);
}

static int models(struct jrx_event_set *set, const char *value)
{
    set->models = 0;
    while (*value) {
        const char *end = value + strcspn(value, " ");
        if (set->models == JRX_SET_MODELS || !whole(value, end, 255, &set->model[set->models++]))
            return 0;
        value = end + strspn(end, " ");
    }
    return set->models > 0;
}

static int on_set_key(struct parse *p, const char *key, const char *value)
{
    struct jrx_event_set *s = p->set;
    const char *end = value + strlen(value);
    if (!strcmp(key, "name"))
        return copy_text(p, s->name, sizeof s->name, value);
    if (!strcmp(key, "about"))
        return copy_text(p, s->about, sizeof s->about, value);
    if (!strcmp(key, "vendor"))
        return copy_text(p, s->vendor, sizeof s->vendor, value);
    if (!strcmp(key, "pmu"))
        return copy_text(p, s->pmu, sizeof s->pmu, value);
    int known = 1, good = 0;
    if (!strcmp(key, "family"))
        good = whole(value, end, 255, &s->family);
    else if (!strcmp(key, "models"))
        good = models(s, value);
    else if (!strcmp(key, "steppings"))
        good = range(value, &s->stepping_low, &s->stepping_high);
    else if (!strcmp(key, "slots"))
        good = whole(value, end, JRX_SET_EVENTS, &s->slots) && s->slots > 0;
    else
        known = 0;
    if (!good)
        snprintf(p->wrong, sizeof p->wrong, known ? "%.40s = \"%.60s\": not what is expected" : "no such key: %.40s",
                 key, value);
    return good;
}

/* The event's number in the set, added if it is new; -1 if there is no room. */
static int event_of(struct jrx_event_set *s, const char *name, size_t length)
{
    for (unsigned i = 0; i < s->events; i++)
        if (strlen(s->event[i]) == length && !memcmp(s->event[i], name, length))
            return (int)i;
    if (s->events == JRX_SET_EVENTS || length >= JRX_EVENT_NAME)
        return -1;
    memcpy(s->event[s->events], name, length);
    s->event[s->events][length] = 0;
    return (int)s->events++;
}

/* "64 * EVENT_A + EVENT_B - 2 * EVENT_C": words apart, since events may hold + - : and digits. */
static int formula(struct parse *p, struct jrx_metric *m, const char *text)
{
    double sign = 1, factor = 1;
    enum { TERM, TIMES, EVENT, SIGN } expect = m->terms ? SIGN : TERM; /* a further line goes on with its sign */
    while (*(text += strspn(text, " "))) {
        size_t length = strcspn(text, " ");
        char *end;
        if (expect == SIGN) {
            if (length != 1 || (*text != '+' && *text != '-'))
                break;
            sign = *text == '-' ? -1 : 1;
            factor = 1;
            expect = TERM;
        } else if (expect == TIMES) {
            if (length != 1 || *text != '*')
                break;
            expect = EVENT;
        } else if (expect == TERM && isdigit((unsigned char)*text)) {
            factor = strtod(text, &end);
            if (end != text + length || !isfinite(factor))
                break;
            expect = TIMES;
        } else {
            int event = isalpha((unsigned char)*text) ? event_of(p->set, text, length) : -1;
            if (event < 0 || m->terms == JRX_SET_TERMS)
                break;
            m->term[m->terms].factor = sign * factor;
            m->term[m->terms++].event = (unsigned)event;
            expect = SIGN;
        }
        text += length;
    }
    if (!*text && expect == SIGN)
        return 1;
    snprintf(p->wrong, sizeof p->wrong, "formula not understood from \"%.60s\"; write 64 * EVENT + EVENT", text);
    return 0;
}

static int on_metric_key(struct parse *p, const char *section, const char *key, const char *value)
{
    struct jrx_event_set *s = p->set;
    char unit[24];
    unsigned i = 0;
    while (i < s->metrics && strcmp(s->metric[i].name, section))
        i++;
    struct jrx_metric *m = &s->metric[i];
    if (i == s->metrics) {
        if (i == JRX_SET_METRICS || strlen(section) >= sizeof m->name ||
            (strcmp(section, "flop") && !*jrx_column_unit(section, unit))) {
            snprintf(p->wrong, sizeof p->wrong, "[%.40s]: %s", section,
                     i == JRX_SET_METRICS ? "too many metrics" : "a metric is named flop, or ends in its unit");
            return 0;
        }
        *m = (struct jrx_metric){0};
        memcpy(m->name, section, strlen(section) + 1);
        s->metrics++;
    }
    if (!strcmp(key, "formula"))
        return formula(p, m, value);
    if (!strcmp(key, "source"))
        return copy_text(p, m->source, sizeof m->source, value);
    if (!strcmp(key, "note"))
        return copy_text(p, m->note, sizeof m->note, value);
    snprintf(p->wrong, sizeof p->wrong, "no such key: %.40s; there are formula, source, note", key);
    return 0;
}

static int on_entry(void *context, const char *section, const char *key, const char *value)
{
    struct parse *p = context;
    if (*p->wrong)
        return 1; /* only the first fault is told */
    if (!strcmp(section, "set"))
        return on_set_key(p, key, value);
    return on_metric_key(p, section, key, value);
}

static int check(const struct jrx_event_set *s, const char *name)
{
    const char *missing = !*s->name     ? "name"
                          : !*s->about  ? "about"
                          : !*s->vendor ? "vendor"
                          : !s->family  ? "family"
                          : !s->models  ? "models"
                          : !*s->pmu    ? "pmu"
                          : !s->slots   ? "slots"
                                        : NULL;
    if (missing)
        return jrx_fail(JRX_EFORMAT, "event set %s: [set] %s is missing", name, missing);
    if (s->metrics == 0)
        return jrx_fail(JRX_EFORMAT, "event set %s: it gives no metric; add a section such as [flop]", name);
    for (unsigned i = 0; i < s->metrics; i++)
        if (!s->metric[i].terms || !*s->metric[i].source)
            return jrx_fail(JRX_EFORMAT, "event set %s: [%s] needs formula and source", name, s->metric[i].name);
    return 0;
}

int jrx_event_set_parse(struct jrx_event_set *set, FILE *from, const char *name)
{
    struct parse p = {.set = set};
    *set = (struct jrx_event_set){.stepping_high = 255};
    int line = ini_parse_file(from, on_entry, &p);
    if (line < 0)
        return jrx_fail(line == -2 ? JRX_ENOMEM : JRX_EIO, "event set %s: could not be read", name);
    if (line > 0)
        return jrx_fail(JRX_EFORMAT, "event set %s, line %d: %s", name, line,
                        *p.wrong ? p.wrong : "neither [section] nor key = value");
    return check(set, name);
}

/* ---- finding ------------------------------------------------------------------------------------- */

/* Beside the program: the folder it lies in and those above, which are a checkout or PREFIX. */
static FILE *beside_program(const char *name)
{
    static const char *const places[] = {"harness/counters/events", "share/joulerx/events"};
    char here[PATH_MAX], path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", here, sizeof here - 1);
    here[length > 0 ? length : 0] = 0;
    for (char *slash = strrchr(here, '/'); slash; slash = strrchr(here, '/')) {
        *slash = 0;
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            int fits = snprintf(path, sizeof path, "%s/%s/%s.ini", here, places[i], name) < (int)sizeof path;
            FILE *file = fits ? fopen(path, "re") : NULL;
            if (file)
                return file;
        }
    }
    return NULL;
}

int jrx_event_set_read(struct jrx_event_set *set, const char *name)
{
    const char *folder = getenv("JOULERX_EVENTS");
    char path[PATH_MAX];
    FILE *from = NULL;
    if (strchr(name, '/'))
        from = fopen(name, "re");
    else if (folder && snprintf(path, sizeof path, "%s/%s.ini", folder, name) < (int)sizeof path)
        from = fopen(path, "re");
    if (!from && !strchr(name, '/'))
        from = beside_program(name);
    if (!from)
        return jrx_fail(JRX_EINVAL,
                        "event set %s: no such file (%s); give a path with a slash, or the folder in JOULERX_EVENTS",
                        name, strerror(errno));
    int rc = jrx_event_set_parse(set, from, name);
    fclose(from);
    return rc;
}

int jrx_event_set_fits(const struct jrx_event_set *set, const struct jrx_machine *machine)
{
    if (strcmp(set->vendor, machine->vendor) || set->family != machine->family)
        return 0;
    /* an unknown stepping is NAN and fits no range but the full one */
    if ((set->stepping_low > 0 || set->stepping_high < 255) &&
        !(machine->stepping >= set->stepping_low && machine->stepping <= set->stepping_high))
        return 0;
    for (unsigned i = 0; i < set->models; i++)
        if (set->model[i] == machine->model)
            return 1;
    return 0;
}

int jrx_event_set_find(struct jrx_event_set *set, const struct jrx_machine *machine)
{
    for (size_t i = 0; names[i]; i++) {
        int rc = jrx_event_set_read(set, names[i]);
        if (rc)
            return rc;
        if (jrx_event_set_fits(set, machine))
            return 0;
    }
    return jrx_fail(JRX_EUNAVAILABLE,
                    "event sets: none for %s family %g model %g; write one after those in "
                    "harness/counters/events, or use the cache simulator",
                    machine->vendor, machine->family, machine->model);
}

/* ---- use ----------------------------------------------------------------------------------------- */

int jrx_event_set_metric(const struct jrx_event_set *set, const char *metric)
{
    char there[300] = "";
    for (unsigned i = 0; i < set->metrics; i++) {
        if (!strcmp(set->metric[i].name, metric))
            return (int)i;
        size_t used = strlen(there);
        snprintf(there + used, sizeof there - used, "%s%s", i ? ", " : "", set->metric[i].name);
    }
    return jrx_fail(JRX_EINVAL, "event set %s: no metric %s; it has %s", set->name, metric, there);
}

double jrx_metric_value(const struct jrx_metric *metric, const double *count)
{
    double sum = 0;
    for (unsigned i = 0; i < metric->terms; i++)
        sum += metric->term[i].factor * count[metric->term[i].event];
    return sum;
}

int jrx_event_set_print(const struct jrx_event_set *set, FILE *to)
{
    for (unsigned i = 0; i < set->metrics; i++) {
        const struct jrx_metric *m = &set->metric[i];
        char unit[24];
        fprintf(to, "%-6s %-18s %-6s", set->name, m->name, jrx_column_unit(m->name, unit));
        for (unsigned k = 0; k < m->terms; k++) {
            double factor = m->term[k].factor;
            fputs(factor < 0 ? " - " : k ? " + " : " ", to);
            if (fabs(factor) != 1)
                fprintf(to, "%g * ", fabs(factor));
            fputs(set->event[m->term[k].event], to);
        }
        fprintf(to, "; source: %s%s%s\n", m->source, *m->note ? "; " : "", m->note);
    }
    return ferror(to) ? jrx_fail(JRX_EIO, "event sets: could not be written (%s)", strerror(errno)) : 0;
}
