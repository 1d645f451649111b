/*
 * An energy profile: what an operation, a byte and a second cost on some machine, each coefficient with its unit and
 * its source. What it gives is an estimate and is labelled so everywhere.
 *
 *     package_j = package_static_w t + flop flop_j + l1_bytes l1_byte_j + l2_bytes l2_byte_j + l3_bytes l3_byte_j
 *     dram_j    = dram_static_w t + dram_bytes dram_byte_j
 *
 * The form is Choi et al., "A roofline model of energy", IPDPS 2013, with a term per cache level.
 */
#ifndef HARNESS_METERS_PROFILE_H
#define HARNESS_METERS_PROFILE_H
#include "harness/meter.h"

enum jrx_coefficient {
    JRX_PACKAGE_STATIC, /* [W] */
    JRX_DRAM_STATIC,    /* [W] */
    JRX_BUSY_CPU,       /* more than static while a CPU computes, for programs that tell no work [W] */
    JRX_FLOP,           /* [pJ] */
    JRX_L1_BYTE,        /* [pJ/B], as the next three */
    JRX_L2_BYTE,
    JRX_L3_BYTE,
    JRX_DRAM_BYTE,
    JRX_L1_ASSUMED, /* bytes a flop where the work does not say [B/flop], as the next three */
    JRX_L2_ASSUMED,
    JRX_L3_ASSUMED,
    JRX_DRAM_ASSUMED,
    JRX_COEFFICIENTS
};

struct jrx_profile {
    char name[64];
    char about[256];
    double value[JRX_COEFFICIENTS]; /* in the unit of the file */
    char source[JRX_COEFFICIENTS][512];
};

/** Section name in the file ("l2_byte") and unit ("pJ/B") of a coefficient. */
const char *jrx_coefficient_name(enum jrx_coefficient coefficient);
const char *jrx_coefficient_unit(enum jrx_coefficient coefficient);

/**
 * Reads a profile. name: a path if it contains '/', else a file NAME.ini in $JOULERX_PROFILES, beside the program's
 * sources, or in PREFIX/share/joulerx/profiles, in that order; NULL = "generic-x86-server".
 * Returns 0; JRX_EINVAL not found (says where it looked); JRX_EFORMAT with file and line: unknown section or key, wrong
 * unit, no number, negative, missing coefficient or source; JRX_EIO, JRX_EPERMISSION.
 */
int jrx_profile_read(struct jrx_profile *profile, const char *name);

struct jrx_estimated {
    double package_j, dram_j;
    unsigned assumed; /* bit 1 << JRX_L1_ASSUMED ... for each level whose bytes were assumed from flop; bit 1 <<
                         JRX_BUSY_CPU where not even flop was known and CPU time stood in */
};

/**
 * Energy of `work` done `iters` times in time_s, with cpu_s of CPU time. Pure. work->flop NAN: static plus busy power
 * times CPU time, the bytes are not looked at.
 */
struct jrx_estimated jrx_profile_energy(const struct jrx_profile *profile, const struct jrx_work *work, double iters,
                                        double time_s, double cpu_s);

#endif
