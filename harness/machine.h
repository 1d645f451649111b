/*
 * The machine: what it is (identity, must match when results are compared) and how it is now (state, may drift).
 * Unknown is "" for text, NAN for a number, JRX_UNKNOWN for yes or no; never 0.
 */
#ifndef HARNESS_MACHINE_H
#define HARNESS_MACHINE_H
#include <stddef.h>

enum jrx_yesno { JRX_UNKNOWN = -1, JRX_NO = 0, JRX_YES = 1 };

struct jrx_cache {
    double size_bytes; /* NAN: unknown */
    double line_bytes;
    double ways;   /* NAN: unknown; as many as lines: fully associative */
    double shared; /* processing units that share one */
    double count;  /* how many the machine has */
};

enum { JRX_LEVELS = 3, JRX_MACHINE_TEXT = 128 };

struct jrx_machine {
    char cpu[JRX_MACHINE_TEXT]; /* "AMD EPYC 7502 32-Core Processor" */
    char vendor[16];            /* "GenuineIntel", "AuthenticAMD" */
    double family, model, stepping;
    char microcode[32];
    char hypervisor[JRX_MACHINE_TEXT];  /* "" on bare metal */
    double packages, cores, units;      /* units = hardware threads */
    struct jrx_cache cache[JRX_LEVELS]; /* [0] L1 data, [1] L2, [2] L3 */
    double memory_bytes;
    double numa_nodes;
    char kernel[JRX_MACHINE_TEXT];       /* "Linux 6.1.0-18-amd64" */
    char distribution[JRX_MACHINE_TEXT]; /* PRETTY_NAME of os-release */
};

struct jrx_machine_state {
    char governor[32]; /* of CPU 0; "mixed" if CPUs differ */
    char driver[32];   /* scaling driver */
    enum jrx_yesno turbo, smt, nmi_watchdog, numa_balancing;
    enum jrx_yesno energy_filtering; /* RAPL values noised: MSR 0xBC bit 0 or SGX; mostly unknown without root */
    enum jrx_yesno hypervisor;
    enum jrx_yesno powercap_masked; /* its zones are listed and lead to nothing, as in a container */
    char huge_pages[32];            /* transparent huge pages: "always", "madvise", "never" */
    double aslr;                    /* kernel.randomize_va_space */
    double perf_event_paranoid;     /* kernel.perf_event_paranoid */
    double frequency_hz;            /* of CPU 0 now */
    double frequency_max_hz;        /* what policy allows */
    double temperature_c;           /* hottest CPU sensor */
    double load_ratio;              /* runnable threads, 1-minute mean, over hardware threads */
    double throttled;               /* thermal throttle events since boot, all CPUs */
    double power_cap_w;             /* lowest enabled long-term package limit */
    double power_cap_max_w;         /* what the part is rated for (TDP) */
    double uptime_s;
};

/**
 * Reads the machine.
 * sysfs, procfs  roots; NULL = "/sys", "/proc". Topology and caches come from hwloc, which
 *                has its own ways to look at another machine: HWLOC_XMLFILE, HWLOC_SYNTHETIC.
 * Returns 0; JRX_EUNAVAILABLE if not even a topology can be had.
 */
int jrx_machine_read(struct jrx_machine *machine, const char *sysfs, const char *procfs);

/** Reads the state: a few dozen small files. Cannot fail: what cannot be read is unknown. */
void jrx_machine_state_read(struct jrx_machine_state *state, const char *sysfs, const char *procfs);

#endif
