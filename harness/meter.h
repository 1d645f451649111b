/*
 * Energy meters. A meter only reads: raw counts, their range and scale, and a time stamp on either side of the read.
 * Subtracting is harness/counter.h, measuring a region is harness/window.h.
 *
 * A new meter is one file, harness/meters/meter_<name>.c, that defines `const struct jrx_meter_ops meter_<name>`.
 */
#ifndef HARNESS_METER_H
#define HARNESS_METER_H
#include "harness/base/source.h"
#include "harness/counter.h"
#include "harness/quality.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The source of that name, or JRX_EINVAL. */
int jrx_source_parse(const char *name, enum jrx_source *source);

/* Package contains core and uncore and excludes dram; psys contains more than the packages. */
enum jrx_domain_kind { JRX_PACKAGE, JRX_CORE, JRX_UNCORE, JRX_DRAM, JRX_PSYS, JRX_DOMAIN_KINDS };

/** "package", "core", "uncore", "dram", "psys". */
const char *jrx_domain_kind_name(enum jrx_domain_kind kind);
/** The kind of that name, or JRX_EINVAL. */
int jrx_domain_kind_parse(const char *name, enum jrx_domain_kind *kind);

enum { JRX_DOMAINS = 64, JRX_DOMAIN_NAME = 40 };

struct jrx_domain {
    char name[JRX_DOMAIN_NAME]; /* "package-0", "package-1-die-0", "dram-1", "core-0", "psys": CSV value */
    enum jrx_domain_kind kind;
    int socket;    /* physical package, as the device says, not an index; -1: whole machine */
    int cpu;       /* CPU to read it from without waking another one; -1: any */
    bool in_total; /* total = packages + drams; never psys, core, uncore or a duplicate */
    struct jrx_counter counter;
};

struct jrx_reading {
    uint64_t count;     /* raw */
    uint64_t before_ns; /* jrx_clock_ns() before and after the read */
    uint64_t after_ns;
};

/* What a region does in one iteration; NAN = not known. Only the model meter uses it. */
struct jrx_work {
    double flop;       /* 0 = idle; NAN = unknown */
    double l1_bytes;   /* registers <-> L1 */
    double l2_bytes;   /* L1 <-> L2 */
    double l3_bytes;   /* L2 <-> L3 */
    double dram_bytes; /* L3 <-> memory */
};

struct jrx_meter_config {
    const char *sysfs;     /* root of the tree that meters read; NULL = "/sys" */
    const char *profile;   /* model: a name of `joulerx list profiles` or a path; NULL = "generic-x86-server" */
    const char *recording; /* replay: the file; NULL = none */
    double p_max_w;        /* ceiling of one package for the wrap bound and the gate; 0 = 1000 W */
};

struct jrx_meter {
    const struct jrx_meter_ops *ops;
    enum jrx_source source; /* of everything it reads */
    uint64_t tick_ns;       /* its counters move this often; 0 = at any time */
    size_t domains;
    struct jrx_domain domain[JRX_DOMAINS];
    struct jrx_warnings warnings; /* what open found: duplicates, one-core domains, unreadable zones */
    void *state;                  /* the meter's own */
};

struct jrx_meter_ops {
    const char *name;  /* == file name without meter_; CLI and CSV value */
    const char *about; /* one line: where its numbers come from */
    int order;         /* `auto` takes the first in this order that works; negative: only by name */
    /** Fills source, tick_ns, domains, warnings, state. 0, JRX_EUNAVAILABLE or JRX_EPERMISSION with reason and remedy,
     * or what is wrong with the configuration. Leaves nothing open on failure. */
    int (*open)(struct jrx_meter *meter, const struct jrx_meter_config *config);
    /** One domain now. 0 or the reason. Called from one thread at a time. */
    int (*read)(struct jrx_meter *meter, size_t domain, struct jrx_reading *reading);
    void (*close)(struct jrx_meter *meter);
    /** Told between the last iteration and the closing read what was done: `work` times `iters`. NULL where the meter
     * does not care. Appends to warnings what it had to assume. */
    void (*work)(struct jrx_meter *meter, const struct jrx_work *work, double iters);
};

/**
 * Opens a meter. name: a meter, or "auto" (NULL): the first that works, measuring ones first, else the model.
 * Under auto, meter->warnings says why better ones were passed over.
 * Returns 0; JRX_EINVAL for an unknown name (the message lists the names); what the meter's open() returned.
 */
int jrx_meter_open(struct jrx_meter *meter, const char *name, const struct jrx_meter_config *config);
void jrx_meter_close(struct jrx_meter *meter); /* also on a zeroed struct */

/** What a domain of this kind cannot exceed [W]: config->p_max_w for a package and its parts, half of it for dram, ten
 * times for psys. Pure. */
double jrx_domain_p_max_w(const struct jrx_meter_config *config, enum jrx_domain_kind kind);

/** Reads one domain. 0 or a negative code with a message. Hardware is touched. Not thread-safe on one meter. */
int jrx_meter_read(struct jrx_meter *meter, size_t domain, struct jrx_reading *reading);

/* One line of `joulerx doctor` and `joulerx list meters`. */
struct jrx_meter_info {
    const struct jrx_meter_ops *ops;
    int status;                   /* 0 available, else the code */
    char reason[512];             /* why not, and the remedy; "" if available */
    char domains[512];            /* "package-0 dram-0" if available */
    enum jrx_source source;       /* only if available */
    struct jrx_warnings warnings; /* likewise */
};

/** Tries every meter: open, one read of each domain, close. Returns how many there are; fills at most `max`, in the
 * order of choice. */
size_t jrx_meter_list(const struct jrx_meter_config *config, struct jrx_meter_info *info, size_t max);

#endif
