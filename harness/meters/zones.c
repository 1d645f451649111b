/* Walking the powercap tree: see the header. */
#include "harness/meters/zones.h"
#include "harness/base/error.h"
#include "harness/sysfs.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char load_it[] =
    "modprobe intel_rapl_msr (Intel, and AMD since Linux 5.8); virtual machines mostly have none";

uint64_t jrx_zone_range(uint64_t max_energy_range_uj)
{
    const unsigned __int128 top = UINT32_MAX;
    unsigned __int128 unit_nj = ((unsigned __int128)max_energy_range_uj * 1000 + top / 2) / top;
    if (unit_nj > 0 && (uint64_t)(top * unit_nj / 1000) == max_energy_range_uj)
        return (uint64_t)((top + 1) * unit_nj / 1000);
    return max_energy_range_uj + 1;
}

/* "intel-rapl" before "intel-rapl-mmio", then by the hexadecimal numbers. */
static int by_id(const void *a, const void *b)
{
    const char *x = ((const struct jrx_zone *)a)->dir, *y = ((const struct jrx_zone *)b)->dir;
    size_t n = strcspn(x, ":"), m = strcspn(y, ":");
    int order = strncmp(x, y, n < m ? n : m);
    if (order || n != m)
        return order ? order : (n > m) - (n < m);
    for (x += n, y += m; *x == ':' && *y == ':';) {
        char *xe, *ye;
        unsigned long p = strtoul(x + 1, &xe, 16), q = strtoul(y + 1, &ye, 16);
        if (p != q)
            return (p > q) - (p < q);
        x = xe, y = ye;
    }
    return (*x != 0) - (*y != 0);
}

void jrx_zone_name(const struct jrx_zone *zone, char name[JRX_DOMAIN_NAME])
{
    const char *kind = jrx_domain_kind_name(zone->kind);
    if (zone->package < 0)
        snprintf(name, JRX_DOMAIN_NAME, "%s", kind);
    else if (zone->die < 0)
        snprintf(name, JRX_DOMAIN_NAME, "%s-%d", kind, zone->package);
    else
        snprintf(name, JRX_DOMAIN_NAME, "%s-%d-die-%d", kind, zone->package, zone->die);
}

/* What the name file says; 0 if it says something we do not know. */
static int classify(const char *text, struct jrx_zone *zone)
{
    int end = 0;
    zone->package = zone->die = -1;
    if (sscanf(text, "package-%d-die-%d%n", &zone->package, &zone->die, &end) == 2 && !text[end]) {
        zone->kind = JRX_PACKAGE;
        return zone->package >= 0 && zone->die >= 0;
    }
    zone->die = -1;
    if (sscanf(text, "package-%d%n", &zone->package, &end) == 1 && !text[end]) {
        zone->kind = JRX_PACKAGE;
        return zone->package >= 0;
    }
    zone->package = -1;
    return !jrx_domain_kind_parse(text, &zone->kind) && zone->kind != JRX_PACKAGE;
}

/* Reads one entry. 0 taken, 1 passed over, negative: the name cannot be read. */
static int read_zone(const char *sysfs, const char *dir, struct jrx_zone *zone, struct jrx_warnings *warnings)
{
    char text[64];
    int status = jrx_sysfs_text(text, sizeof text, sysfs, "class/powercap/%s/name", dir);
    if (status)
        return status;
    snprintf(zone->dir, sizeof zone->dir, "%s", dir);
    if (!classify(text, zone)) {
        jrx_warn(warnings, "unknown_zone", NAN, NAN, "report it with the kernel version", "%s is named '%s'; not read",
                 dir, text);
        return 1;
    }
    if (zone->package < 0 && zone->kind != JRX_PSYS) {
        /* core, uncore, dram: the parent says of which package */
        char parent[sizeof zone->dir];
        struct jrx_zone up;
        snprintf(parent, sizeof parent, "%s", dir);
        *strrchr(parent, ':') = 0;
        if (jrx_sysfs_text(text, sizeof text, sysfs, "class/powercap/%s/name", parent) || !classify(text, &up)) {
            jrx_warn(warnings, "unknown_zone", NAN, NAN, "report it with the kernel version",
                     "%s has no package above it; not read", dir);
            return 1;
        }
        zone->package = up.package, zone->die = up.die;
    }
    uint64_t max_uj;
    if (jrx_sysfs_u64(&max_uj, sysfs, "class/powercap/%s/max_energy_range_uj", dir) || !max_uj)
        jrx_warn(warnings, "range_unknown", NAN, NAN, "chmod a+r max_energy_range_uj of the zone",
                 "%s does not say where its counter wraps; a wrap will be an error", dir);
    else
        zone->range = jrx_zone_range(max_uj);
    return 0;
}

/* The same counter under a second control type: kept once, the first in order. */
static size_t drop_duplicates(struct jrx_zone *zones, size_t count, struct jrx_warnings *warnings)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < kept && !(zones[k].kind == zones[i].kind && zones[k].package == zones[i].package &&
                             zones[k].die == zones[i].die))
            k++;
        if (k == kept)
            zones[kept++] = zones[i];
        else
            jrx_warn(warnings, "duplicate_zone", NAN, NAN, "nothing to do: it is counted once", "%s repeats %s",
                     zones[i].dir, zones[k].dir);
    }
    return kept;
}

static int why_none(const char *sysfs, size_t entries, size_t dangling)
{
    if (dangling)
        return jrx_fail(
            JRX_EUNAVAILABLE,
            "%s/class/powercap: %zu zones lead to nothing, as containers mask /sys/devices/virtual/powercap; "
            "run on the host, or with --security-opt systempaths=unconfined",
            sysfs, dangling);
    if (entries)
        return jrx_fail(JRX_EUNAVAILABLE, "%s/class/powercap: no package among its %zu zones; %s", sysfs, entries,
                        load_it);
    return jrx_fail(JRX_EUNAVAILABLE,
                    "%s/class/powercap is empty: no RAPL driver found a counter, or a container masks it; %s", sysfs,
                    load_it);
}

int jrx_zones_find(const char *sysfs, struct jrx_zone *zones, size_t max, size_t *count, struct jrx_warnings *warnings)
{
    char path[PATH_MAX];
    size_t found = 0, dangling = 0, entries = 0, packages = 0;
    *count = 0;
    snprintf(path, sizeof path, "%s/class/powercap", sysfs);
    DIR *tree = opendir(path);
    if (!tree)
        return jrx_fail(jrx_errno_code(errno), "%s: %s; %s", path, strerror(errno), load_it);
    int status = 0;
    for (struct dirent *entry; !status && (entry = readdir(tree));) {
        /* Control types have no colon; the class holds every zone flat, nested ones too. */
        if (*entry->d_name == '.' || !strchr(entry->d_name, ':') || strlen(entry->d_name) >= sizeof zones->dir)
            continue;
        entries++;
        if (found == max) {
            status = jrx_fail(JRX_EUNAVAILABLE, "%s: more than %zu zones", path, max);
            break;
        }
        zones[found] = (struct jrx_zone){0};
        int read = read_zone(sysfs, entry->d_name, &zones[found], warnings);
        if (read == JRX_EUNAVAILABLE)
            dangling++;
        else if (read < 0)
            status = jrx_fail(read, "%s", jrx_last_error());
        found += read == 0;
    }
    closedir(tree);
    if (status)
        return status;
    qsort(zones, found, sizeof *zones, by_id);
    found = drop_duplicates(zones, found, warnings);
    for (size_t i = 0; i < found; i++)
        packages += zones[i].kind == JRX_PACKAGE;
    if (!packages)
        return why_none(sysfs, entries, dangling);
    *count = found;
    return 0;
}
