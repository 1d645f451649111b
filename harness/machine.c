/* What the machine is: topology and caches from hwloc, names and sizes from /proc and /sys. */
#include "harness/machine.h"
#include "harness/base/error.h"
#include "harness/sysfs.h"
#include <hwloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

static double count_of(hwloc_topology_t topology, hwloc_obj_type_t type)
{
    int n = hwloc_get_nbobjs_by_type(topology, type);
    return n > 0 ? n : NAN;
}

static void cache_of(hwloc_topology_t topology, hwloc_obj_type_t type, struct jrx_cache *cache)
{
    *cache = (struct jrx_cache){NAN, NAN, NAN, NAN, NAN};
    hwloc_obj_t first = hwloc_get_obj_by_type(topology, type, 0);
    if (!first)
        return;
    const struct hwloc_cache_attr_s *attr = &first->attr->cache;
    cache->size_bytes = attr->size ? (double)attr->size : NAN;
    cache->line_bytes = attr->linesize ? (double)attr->linesize : NAN;
    if (attr->associativity > 0)
        cache->ways = attr->associativity;
    else if (attr->associativity < 0) /* hwloc: fully associative */
        cache->ways = cache->size_bytes / cache->line_bytes;
    cache->shared = hwloc_bitmap_weight(first->cpuset);
    cache->count = count_of(topology, type);
}

static int read_topology(struct jrx_machine *machine)
{
    static const hwloc_obj_type_t levels[JRX_LEVELS] = {HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L3CACHE};
    hwloc_topology_t topology;
    if (hwloc_topology_init(&topology))
        return jrx_fail(JRX_ENOMEM, "no memory for the topology");
    int status = 0;
    /* The machine, not what a container or job may use of it. */
    hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    if (hwloc_topology_load(topology)) {
        status = jrx_fail(JRX_EUNAVAILABLE, "hwloc finds no topology; is /sys mounted?");
        goto out;
    }
    machine->packages = count_of(topology, HWLOC_OBJ_PACKAGE);
    machine->cores = count_of(topology, HWLOC_OBJ_CORE);
    machine->units = count_of(topology, HWLOC_OBJ_PU);
    machine->numa_nodes = count_of(topology, HWLOC_OBJ_NUMANODE);
    for (int level = 0; level < JRX_LEVELS; level++)
        cache_of(topology, levels[level], &machine->cache[level]);
out:
    hwloc_topology_destroy(topology);
    return status;
}

/* The value of the first line "key<blanks><separator>value" of a text such as /proc/cpuinfo; "" if there is none. */
static void line_value(const char *text, const char *key, char separator, char *value, size_t size)
{
    size_t length = strlen(key);
    value[0] = 0;
    for (const char *line = text; line; line = strchr(line, '\n'), line += line != NULL) {
        if (strncmp(line, key, length))
            continue;
        const char *p = line + length + strspn(line + length, " \t");
        if (*p != separator)
            continue;
        p += 1 + strspn(p + 1, " \t\"");
        snprintf(value, size, "%.*s", (int)strcspn(p, "\"\n"), p);
        return;
    }
}

static double line_number(const char *text, const char *key)
{
    char value[64], *end;
    line_value(text, key, ':', value, sizeof value);
    double number = strtod(value, &end);
    return end == value ? NAN : number;
}

/* The first CPU's part of /proc/cpuinfo: enough, and the whole may be megabytes. */
static void read_cpuinfo(struct jrx_machine *machine, const char *procfs)
{
    char path[4096], text[8192] = "";
    snprintf(path, sizeof path, "%s/cpuinfo", procfs);
    FILE *file = fopen(path, "re");
    if (file) {
        size_t got = fread(text, 1, sizeof text - 1, file);
        text[got] = 0;
        fclose(file);
    }
    line_value(text, "model name", ':', machine->cpu, sizeof machine->cpu);
    line_value(text, "vendor_id", ':', machine->vendor, sizeof machine->vendor);
    line_value(text, "microcode", ':', machine->microcode, sizeof machine->microcode);
    machine->family = line_number(text, "cpu family");
    machine->model = line_number(text, "model");
    machine->stepping = line_number(text, "stepping");
    char flags[4096];
    line_value(text, "flags", ':', flags, sizeof flags);
    size_t length = strlen(flags);
    snprintf(flags + length, sizeof flags - length, " ");
    if (strstr(flags, " hypervisor "))
        snprintf(machine->hypervisor, sizeof machine->hypervisor, "yes");
}

int jrx_machine_read(struct jrx_machine *machine, const char *sysfs, const char *procfs)
{
    char text[8192];
    sysfs = sysfs ? sysfs : "/sys";
    procfs = procfs ? procfs : "/proc";
    memset(machine, 0, sizeof *machine);
    int status = read_topology(machine);
    if (status)
        return status;
    read_cpuinfo(machine, procfs);
    if (*machine->hypervisor && !jrx_sysfs_text(text, sizeof text, sysfs, "class/dmi/id/sys_vendor") && *text)
        snprintf(machine->hypervisor, sizeof machine->hypervisor, "%.100s", text);
    /* hwloc's node sizes are wrong on machines that bring memory up lazily; the kernel's total is not. */
    machine->memory_bytes = NAN;
    if (!jrx_sysfs_text(text, sizeof text, procfs, "meminfo"))
        machine->memory_bytes = 1024 * line_number(text, "MemTotal");
    struct utsname name;
    if (!uname(&name))
        snprintf(machine->kernel, sizeof machine->kernel, "%.40s %.80s", name.sysname, name.release);
    if (!jrx_sysfs_text(text, sizeof text, "/etc", "os-release"))
        line_value(text, "PRETTY_NAME", '=', machine->distribution, sizeof machine->distribution);
    return 0;
}
