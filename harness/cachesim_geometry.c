/*
 * Where a simulated cache gets its size from: text, or this machine as hwloc sees it.
 */
#include "harness/base/error.h"
#include "harness/cachesim.h"
#include <hwloc.h>
#include <stdlib.h>
#include <string.h>

/* "32K" in bytes: an integer with K, M or nothing. 0 if it is no size. */
static uint64_t size_of(const char *text, const char **end)
{
    char *stop;
    if (*text < '0' || *text > '9')
        return 0;
    unsigned long long value = strtoull(text, &stop, 10);
    unsigned shift = *stop == 'K' ? 10 : *stop == 'M' ? 20 : 0;
    *end = stop + (shift > 0);
    return value <= UINT64_MAX >> shift >> 1 ? value << shift : 0;
}

int jrx_cache_geometry_parse(const char *text, struct jrx_cache_geometry *out)
{
    struct jrx_cache_geometry g = {.line_bytes = 64};
    const char *at = text;
    int bad = 0;
    do {
        at += g.levels > 0; /* the comma */
        bad = g.levels == JRX_CACHE_LEVELS || !(g.level[g.levels].bytes = size_of(at, &at)) || *at++ != '/';
        uint64_t ways = bad ? 0 : size_of(at, &at);
        bad = bad || ways == 0 || ways > 1 << 20;
        if (!bad)
            g.level[g.levels++].ways = (unsigned)ways;
    } while (!bad && *at == ',');
    if (!bad && *at == ':') {
        uint64_t line = size_of(at + 1, &at);
        bad = line > 4096;
        g.line_bytes = (unsigned)line;
    }
    if (bad || *at)
        return jrx_fail(JRX_EINVAL,
                        "caches \"%s\": not understood; write size/ways a level, e.g. 32K/8,1M/16,32M/16:64", text);
    int rc = jrx_cache_geometry_check(&g);
    if (!rc)
        *out = g;
    return rc;
}

int jrx_cache_geometry_read(struct jrx_cache_geometry *out)
{
    static const hwloc_obj_type_t types[] = {HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L3CACHE,
                                             HWLOC_OBJ_L4CACHE};
    static const char remedy[] = "give hwloc another view of it with HWLOC_XMLFILE=FILE (lstopo FILE.xml)";
    struct jrx_cache_geometry g = {0};
    hwloc_topology_t topology;
    int rc = 0;
    if (hwloc_topology_init(&topology))
        return jrx_fail(JRX_EUNAVAILABLE, "caches: hwloc does not start; %s", remedy);
    if (hwloc_topology_load(topology)) {
        rc = jrx_fail(JRX_EUNAVAILABLE, "caches: hwloc sees no machine; %s", remedy);
        goto out;
    }
    for (unsigned k = 0; k < JRX_CACHE_LEVELS; k++) {
        hwloc_obj_t cache = hwloc_get_obj_by_type(topology, types[k], 0);
        if (!cache)
            break;
        const struct hwloc_cache_attr_s *is = &cache->attr->cache;
        uint64_t lines = is->linesize ? is->size / is->linesize : 0;
        /* -1: fully associative; 0: not known */
        unsigned ways = is->associativity == -1 ? (unsigned)lines : (unsigned)is->associativity;
        if (lines == 0 || ways == 0 || lines % ways || (k > 0 && is->linesize != g.line_bytes)) {
            rc = jrx_fail(JRX_EUNAVAILABLE, "caches: L%u is %llu bytes, %d ways, %u-byte lines to hwloc; %s", k + 1,
                          (unsigned long long)is->size, is->associativity, is->linesize, remedy);
            goto out;
        }
        g.line_bytes = is->linesize;
        g.level[g.levels].bytes = is->size;
        g.level[g.levels++].ways = ways;
    }
    if (g.levels == 0)
        rc = jrx_fail(JRX_EUNAVAILABLE, "caches: hwloc knows of none; %s", remedy);
    else
        *out = g;
out:
    hwloc_topology_destroy(topology);
    return rc;
}
