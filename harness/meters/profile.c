/* Energy profiles: reading the INI file, and the formula. */
#include "harness/meters/profile.h"
#include "harness/base/error.h"
#include "harness/sysfs.h"
#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name, *unit;
} coefficients[] = {
    [JRX_PACKAGE_STATIC] = {"package_static", "W"},
    [JRX_DRAM_STATIC] = {"dram_static", "W"},
    [JRX_BUSY_CPU] = {"busy_cpu", "W"},
    [JRX_FLOP] = {"flop", "pJ"},
    [JRX_L1_BYTE] = {"l1_byte", "pJ/B"},
    [JRX_L2_BYTE] = {"l2_byte", "pJ/B"},
    [JRX_L3_BYTE] = {"l3_byte", "pJ/B"},
    [JRX_DRAM_BYTE] = {"dram_byte", "pJ/B"},
    [JRX_L1_ASSUMED] = {"l1_assumed", "B/flop"},
    [JRX_L2_ASSUMED] = {"l2_assumed", "B/flop"},
    [JRX_L3_ASSUMED] = {"l3_assumed", "B/flop"},
    [JRX_DRAM_ASSUMED] = {"dram_assumed", "B/flop"},
};
_Static_assert(sizeof coefficients / sizeof *coefficients == JRX_COEFFICIENTS, "a row for each coefficient");

const char *jrx_coefficient_name(enum jrx_coefficient coefficient)
{
    return coefficients[coefficient].name;
}

const char *jrx_coefficient_unit(enum jrx_coefficient coefficient)
{
    return coefficients[coefficient].unit;
}

struct parse {
    struct jrx_profile *profile;
    bool unit_seen[JRX_COEFFICIENTS];
    char wrong[256]; /* the first thing that was not understood */
};

static int wrong(struct parse *p, const char *section, const char *key, const char *what, const char *value)
{
    snprintf(p->wrong, sizeof p->wrong, "[%.40s] %.40s: %s '%.60s'", section, key, what, value);
    return 0;
}

/* Long sources go over several lines: a key that comes again is continued. */
static void append(char *text, size_t size, const char *more)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", used ? " " : "", more);
}

static int profile_key(struct parse *p, const char *key, const char *value)
{
    if (!strcmp(key, "name"))
        snprintf(p->profile->name, sizeof p->profile->name, "%s", value);
    else if (!strcmp(key, "about"))
        append(p->profile->about, sizeof p->profile->about, value);
    else
        return wrong(p, "profile", key, "no such key; it has name and about, not", value);
    return 1;
}

static int on_entry(void *user, const char *section, const char *key, const char *value)
{
    struct parse *p = user;
    if (*p->wrong)
        return 0;
    if (!strcmp(section, "profile"))
        return profile_key(p, key, value);
    int c = 0;
    while (c < JRX_COEFFICIENTS && strcmp(section, coefficients[c].name))
        c++;
    if (c == JRX_COEFFICIENTS)
        return wrong(p, section, key, "no such coefficient, with value", value);
    if (!strcmp(key, "value")) {
        char *end;
        p->profile->value[c] = strtod(value, &end);
        if (end == value || *end || !isfinite(p->profile->value[c]) || p->profile->value[c] < 0)
            return wrong(p, section, key, "must be a number, not below 0, is", value);
    } else if (!strcmp(key, "unit")) {
        if (strcmp(value, coefficients[c].unit))
            return wrong(p, section, key, "must be as in the shipped profile, is", value);
        p->unit_seen[c] = true;
    } else if (!strcmp(key, "source")) {
        append(p->profile->source[c], sizeof p->profile->source[c], value);
    } else {
        return wrong(p, section, key, "no such key; there are value, unit, source, not", value);
    }
    return 1;
}

static int parse_file(struct jrx_profile *profile, FILE *file, const char *path)
{
    struct parse p = {.profile = profile};
    *profile = (struct jrx_profile){0};
    for (int c = 0; c < JRX_COEFFICIENTS; c++)
        profile->value[c] = NAN;
    int line = ini_parse_file(file, on_entry, &p);
    if (line)
        return jrx_fail(JRX_EFORMAT, "profile %s, line %d: %s", path, line,
                        *p.wrong ? p.wrong : "neither [section] nor key = value");
    if (!*profile->name)
        return jrx_fail(JRX_EFORMAT, "profile %s: [profile] name is missing", path);
    for (int c = 0; c < JRX_COEFFICIENTS; c++)
        if (isnan(profile->value[c]) || !p.unit_seen[c] || !*profile->source[c])
            return jrx_fail(JRX_EFORMAT, "profile %s: [%s] needs value, unit (%s) and source", path,
                            coefficients[c].name, coefficients[c].unit);
    return 0;
}

/* Where the program lies, and the folders above it, up to four: the checkout it was built in, or PREFIX/bin. */
static FILE *beside_program(char path[PATH_MAX], const char *name)
{
    static const char *const places[] = {"harness/meters/profiles", "share/joulerx/profiles"};
    char here[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", here, sizeof here - 1);
    if (length <= 0)
        return NULL;
    here[length] = 0;
    for (int up = 0; up < 4; up++) {
        char *slash = strrchr(here, '/');
        if (!slash || slash == here)
            return NULL;
        *slash = 0;
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            if (snprintf(path, PATH_MAX, "%s/%s/%s.ini", here, places[i], name) >= PATH_MAX)
                continue;
            FILE *file = fopen(path, "re");
            if (file)
                return file;
        }
    }
    return NULL;
}

static FILE *find(char path[PATH_MAX], const char *name)
{
    if (strchr(name, '/')) {
        snprintf(path, PATH_MAX, "%s", name);
        return fopen(path, "re");
    }
    const char *folder = getenv("JOULERX_PROFILES");
    if (folder && snprintf(path, PATH_MAX, "%s/%s.ini", folder, name) < PATH_MAX) {
        FILE *file = fopen(path, "re");
        if (file)
            return file;
    }
    return beside_program(path, name);
}

int jrx_profile_read(struct jrx_profile *profile, const char *name)
{
    char path[PATH_MAX];
    if (!name)
        name = "generic-x86-server";
    FILE *file = find(path, name);
    if (!file && strchr(name, '/'))
        return jrx_fail(errno == ENOENT ? JRX_EINVAL : jrx_errno_code(errno), "profile %s: %s", name, strerror(errno));
    if (!file)
        return jrx_fail(
            JRX_EINVAL,
            "no profile %s.ini in $JOULERX_PROFILES or harness/meters/profiles; give a path with a slash, or "
            "set JOULERX_PROFILES",
            name);
    int status = parse_file(profile, file, path);
    fclose(file);
    return status;
}

struct jrx_estimated jrx_profile_energy(const struct jrx_profile *profile, const struct jrx_work *work, double iters,
                                        double time_s, double cpu_s)
{
    const double *v = profile->value;
    struct jrx_estimated e = {.package_j = v[JRX_PACKAGE_STATIC] * time_s, .dram_j = v[JRX_DRAM_STATIC] * time_s};
    if (isnan(work->flop)) {
        e.package_j += v[JRX_BUSY_CPU] * cpu_s;
        e.assumed = 1u << JRX_BUSY_CPU;
        return e;
    }
    const double told[] = {work->l1_bytes, work->l2_bytes, work->l3_bytes, work->dram_bytes};
    double bytes[4];
    for (int level = 0; level < 4; level++) {
        bytes[level] = isnan(told[level]) ? v[JRX_L1_ASSUMED + level] * work->flop : told[level];
        if (isnan(told[level]))
            e.assumed |= 1u << (JRX_L1_ASSUMED + level);
    }
    double pj = work->flop * v[JRX_FLOP];
    for (int level = 0; level < 3; level++)
        pj += bytes[level] * v[JRX_L1_BYTE + level];
    e.package_j += iters * pj * 1e-12;
    e.dram_j += iters * bytes[3] * v[JRX_DRAM_BYTE] * 1e-12;
    return e;
}
