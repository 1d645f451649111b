/*
 * meta.json as one jansson object that grows from jrx_provenance_new() to jrx_provenance_write().
 */
#include "harness/provenance.h"
#include "build.inc"
#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/machine.h"
#include <cblas.h>
#include <errno.h>
#include <fcntl.h>
#include <hwloc.h>
#include <math.h>
#include <papi.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct jrx_provenance {
    json_t *doc;
    char *root;
    char run_id[32];
};

/* ---- values: unknown is null --------------------------------------------------------------------- */

/* Bytes that are no UTF-8 (file names may have them) become '?'. */
static json_t *text(const char *value)
{
    if (!value || !*value)
        return json_null();
    json_t *string = json_string(value);
    char *plain = string ? NULL : strdup(value);
    if (plain) {
        for (char *c = plain; *c; c++)
            *c = (unsigned char)*c < 0x80 ? *c : '?';
        string = json_string(plain);
        free(plain);
    }
    return string;
}

static json_t *number(double value)
{
    if (!isfinite(value))
        return json_null();
    return value == floor(value) && fabs(value) < 0x1p53 ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *yesno(enum jrx_yesno value)
{
    return value == JRX_UNKNOWN ? json_null() : json_boolean(value == JRX_YES);
}

static json_t *utc_now(char compact[20])
{
    char readable[32];
    struct tm utc;
    time_t now = time(NULL);
    gmtime_r(&now, &utc);
    strftime(readable, sizeof readable, "%Y-%m-%dT%H:%M:%SZ", &utc);
    if (compact)
        strftime(compact, 20, "%Y%m%dT%H%M%SZ", &utc);
    return json_string(readable);
}

/* ---- identity ------------------------------------------------------------------------------------ */

static json_t *libraries(void)
{
    char papi[32], hwloc[32];
    unsigned v = hwloc_get_api_version();
    snprintf(papi, sizeof papi, "%d.%d.%d", (int)PAPI_VERSION_MAJOR(PAPI_VERSION),
             (int)PAPI_VERSION_MINOR(PAPI_VERSION), (int)PAPI_VERSION_REVISION(PAPI_VERSION));
    snprintf(hwloc, sizeof hwloc, "%u.%u.%u", v >> 16, v >> 8 & 0xff, v & 0xff);
    /* OpenBLAS picks its kernels at run time, and not always the expected ones: the core name is part of the result */
    return json_pack("{so so so so so}", "openblas", text(openblas_get_config()), "openblas_core",
                     text(openblas_get_corename()), "papi", text(papi), "hwloc", text(hwloc), "jansson",
                     text(JANSSON_VERSION));
}

static json_t *identity(const char *sysfs, const char *procfs)
{
    struct jrx_machine m;
    char label[24];
    json_t *id = json_object();
    if (!id || jrx_machine_read(&m, sysfs, procfs)) {
        json_decref(id);
        return NULL;
    }
    const struct {
        const char *key;
        json_t *value;
    } fields[] = {
        {"cpu", text(m.cpu)},
        {"vendor", text(m.vendor)},
        {"family", number(m.family)},
        {"model", number(m.model)},
        {"stepping", number(m.stepping)},
        {"microcode", text(m.microcode)},
        {"hypervisor", text(m.hypervisor)},
        {"packages", number(m.packages)},
        {"cores", number(m.cores)},
        {"hardware_threads", number(m.units)},
        {"numa_nodes", number(m.numa_nodes)},
        /* whole GiB: what the kernel keeps for itself differs by some kB from boot to boot */
        {"memory_gib", number(round(m.memory_bytes * 0x1p-30))},
        {"kernel", text(m.kernel)},
        {"distribution", text(m.distribution)},
        {"compiler", text(BUILD_COMPILER)},
        {"flags", text(BUILD_FLAGS)},
        {"commit", text(BUILD_COMMIT)},
        {"dirty", json_boolean(BUILD_DIRTY)},
        {"libraries", libraries()},
    };
    int bad = 0;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        bad |= json_object_set_new(id, fields[i].key, fields[i].value);
    for (int k = 0; k < JRX_LEVELS; k++) {
        snprintf(label, sizeof label, "l%d_bytes", k + 1);
        bad |= json_object_set_new(id, label, number(m.cache[k].size_bytes));
    }
    if (bad) {
        json_decref(id);
        id = NULL;
    }
    return id;
}

static void roots(const char *root, char sysfs[4096], char procfs[4096], const char **sys, const char **proc)
{
    int given = root && *root;
    snprintf(sysfs, 4096, "%s/sys", given ? root : "");
    snprintf(procfs, 4096, "%s/proc", given ? root : "");
    *sys = given ? sysfs : NULL;
    *proc = given ? procfs : NULL;
}

json_t *jrx_machine_state(const char *root)
{
    char sysfs[4096], procfs[4096];
    const char *sys, *proc;
    struct jrx_machine_state s;
    roots(root, sysfs, procfs, &sys, &proc);
    jrx_machine_state_read(&s, sys, proc);
    return jrx_machine_state_json(&s);
}

json_t *jrx_machine_state_json(const struct jrx_machine_state *state)
{
    const struct jrx_machine_state s = *state;
    return json_pack("{so so so so so so so so so so so so so so so so so so so so}", "time_utc", utc_now(NULL),
                     "governor", text(s.governor), "driver", text(s.driver), "turbo", yesno(s.turbo), "smt",
                     yesno(s.smt), "nmi_watchdog", yesno(s.nmi_watchdog), "numa_balancing", yesno(s.numa_balancing),
                     "energy_filtering", yesno(s.energy_filtering), "powercap_masked", yesno(s.powercap_masked),
                     "huge_pages", text(s.huge_pages), "aslr", number(s.aslr), "perf_event_paranoid",
                     number(s.perf_event_paranoid), "frequency_hz", number(s.frequency_hz), "frequency_max_hz",
                     number(s.frequency_max_hz), "temperature_c", number(s.temperature_c), "load_ratio",
                     number(s.load_ratio), "throttled", number(s.throttled), "power_cap_w", number(s.power_cap_w),
                     "power_cap_max_w", number(s.power_cap_max_w), "uptime_s", number(s.uptime_s));
}

/* ---- the document -------------------------------------------------------------------------------- */

static int out_of_memory(void)
{
    return jrx_fail(JRX_ENOMEM, "meta.json: no memory");
}

static int set(struct jrx_provenance *p, const char *key, json_t *value)
{
    return json_object_set_new(p->doc, key, value) ? out_of_memory() : 0;
}

int jrx_provenance_new(struct jrx_provenance **out, const char *root, int argc, char *const *argv, uint64_t seed)
{
    char sysfs[4096], procfs[4096], start[20], seed_text[24];
    const char *sys, *proc;
    *out = NULL;
    struct jrx_provenance *p = calloc(1, sizeof *p);
    if (!p)
        return out_of_memory();
    p->doc = json_object();
    p->root = strdup(root ? root : "");
    roots(root, sysfs, procfs, &sys, &proc);
    json_t *command = json_array(), *started = utc_now(start), *who = p->doc && p->root ? identity(sys, proc) : NULL;
    for (int i = 0; i < argc; i++)
        json_array_append_new(command, *argv[i] ? text(argv[i]) : json_string(""));
    /* a JSON number keeps 53 bits in most readers, a seed has 64 */
    snprintf(seed_text, sizeof seed_text, "%llu", (unsigned long long)seed);
    snprintf(p->run_id, sizeof p->run_id, "%s-%.7s", start, BUILD_COMMIT);
    int rc = 0;
    if (!p->doc || !p->root || !command || !started || json_array_size(command) != (size_t)argc) {
        json_decref(command);
        json_decref(started);
        json_decref(who);
        rc = out_of_memory();
    } else {
        rc = set(p, "run_id", json_string(p->run_id));
        rc |= set(p, "command", command);
        rc |= set(p, "seed", json_string(seed_text));
        rc |= set(p, "started_utc", started);
        rc |= set(p, "ended_utc", json_null());
        rc |= set(p, "meter", json_null());
        rc |= set(p, "counters", json_null());
        rc |= set(p, "warnings", json_array());
        rc |= set(p, "identity", who ? who : json_object());
        rc |= set(p, "state", json_pack("{so so}", "before", jrx_machine_state(root), "after", json_null()));
        rc = rc ? JRX_ENOMEM : 0;
    }
    if (rc)
        jrx_provenance_free(p);
    else
        *out = p;
    return rc;
}

void jrx_provenance_free(struct jrx_provenance *p)
{
    if (!p)
        return;
    json_decref(p->doc);
    free(p->root);
    free(p);
}

const char *jrx_run_id(const struct jrx_provenance *p)
{
    return p->run_id;
}

int jrx_provenance_set(struct jrx_provenance *p, const char *key, json_t *value)
{
    static const char *const ours[] = {"run_id", "command",  "seed",     "started_utc", "ended_utc",
                                       "meter",  "counters", "warnings", "identity",    "state"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (!strcmp(key, ours[i])) {
            json_decref(value);
            return jrx_fail(JRX_EINVAL, "meta.json: key %s is set by the harness; choose another", key);
        }
    return set(p, key, value ? value : json_null());
}

static int set_source(struct jrx_provenance *p, const char *key, const char *name, const char *source)
{
    return set(p, key, json_pack("{so so}", "name", text(name), "source", text(source)));
}

int jrx_provenance_meter(struct jrx_provenance *p, const char *name, const char *source)
{
    return set_source(p, "meter", name, source);
}

int jrx_provenance_counters(struct jrx_provenance *p, const char *name, const char *source)
{
    return set_source(p, "counters", name, source);
}

int jrx_provenance_warn(struct jrx_provenance *p, const struct jrx_warning *warning)
{
    json_t *value =
        json_pack("{so so so so so}", "code", text(warning->code), "text", text(warning->text), "measured",
                  number(warning->value), "threshold", number(warning->threshold), "remedy", text(warning->remedy));
    return json_array_append_new(json_object_get(p->doc, "warnings"), value) ? out_of_memory() : 0;
}

const json_t *jrx_provenance_identity(const struct jrx_provenance *p)
{
    return json_object_get(p->doc, "identity");
}

/* ---- files --------------------------------------------------------------------------------------- */

int jrx_provenance_write(struct jrx_provenance *p, const char *path)
{
    int rc = set(p, "ended_utc", utc_now(NULL));
    if (!rc && json_object_set_new(json_object_get(p->doc, "state"), "after", jrx_machine_state(p->root)))
        rc = out_of_memory();
    char *dump = rc ? NULL : json_dumps(p->doc, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    if (!rc)
        rc = dump ? jrx_file_replace(path, dump, "make room or give another folder with --out") : out_of_memory();
    free(dump);
    return rc;
}

int jrx_provenance_read(json_t **out, const char *path)
{
    json_error_t error;
    *out = NULL;
    errno = 0;
    FILE *from = fopen(path, "re");
    if (!from)
        return jrx_fail(errno == EACCES ? JRX_EPERMISSION : JRX_EIO, "%s: could not be read (%s); check the name", path,
                        strerror(errno));
    json_t *doc = json_loadf(from, JSON_REJECT_DUPLICATES, &error);
    fclose(from);
    if (!doc)
        return jrx_fail(JRX_EFORMAT, "%s: line %d, column %d: %.160s; not the meta.json of a result", path, error.line,
                        error.column, error.text);
    if (!json_is_object(json_object_get(doc, "identity"))) {
        json_decref(doc);
        return jrx_fail(JRX_EFORMAT, "%s: has no object \"identity\"; not the meta.json of a result", path);
    }
    *out = doc;
    return 0;
}

/* ---- comparison ---------------------------------------------------------------------------------- */

static int compare_into(const json_t *a, const json_t *b, const char *prefix, json_t *list);

/* One key of both: objects are compared key by key, all else as a whole. */
static int compare_key(const char *prefix, const char *key, json_t *a, json_t *b, json_t *list)
{
    char name[128];
    snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", key);
    if (json_is_object(a) && json_is_object(b))
        return compare_into(a, b, name, list);
    json_t *null = json_null();
    a = a ? a : null;
    b = b ? b : null;
    if (json_equal(a, b))
        return 0;
    return json_array_append_new(list, json_pack("{ss sO sO}", "key", name, "a", a, "b", b));
}

static int compare_into(const json_t *a, const json_t *b, const char *prefix, json_t *list)
{
    const char *key;
    json_t *value;
    int bad = 0;
    json_object_foreach((json_t *)a, key, value) bad |= compare_key(prefix, key, value, json_object_get(b, key), list);
    json_object_foreach((json_t *)b, key, value) if (!json_object_get(a, key)) bad |=
        compare_key(prefix, key, NULL, value, list);
    return bad;
}

int jrx_identity_compare(const json_t *a, const json_t *b, json_t **differences)
{
    *differences = json_array();
    if (!*differences || compare_into(a, b, "", *differences)) {
        json_decref(*differences);
        *differences = NULL;
        return out_of_memory();
    }
    return (int)json_array_size(*differences);
}
