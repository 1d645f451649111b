/*
 * Two interfaces of the kernel to one register must agree: powercap and the power PMU, where both can be read. They
 * differ by their units only, and by how much is known; anything else is a defect that would be in every result.
 */
#ifndef HARNESS_CROSSCHECK_H
#define HARNESS_CROSSCHECK_H
#include "harness/meter.h"

/**
 * Judges the energies of one domain over one time by two meters. Agreement is within 0.1 %; on dram also within the
 * 0.27 % between powercap's 15.3 uJ and perf's 2^-16 J. Else warning `meters_disagree` with the ratio a/b, naming the
 * unit where the ratio is one of the known mistakes (4 or 1/4: 61 uJ taken for 15.3 uJ). Pure.
 */
void jrx_crosscheck_judge(struct jrx_warnings *warnings, const struct jrx_domain *domain, const char *a_name,
                          const char *b_name, double a_j, double b_j);

/**
 * Reads the domains that two open meters share (by name) twice, `ns` apart, each pair at one instant, and judges them.
 * Returns how many were compared, or a read error.
 */
int jrx_crosscheck(struct jrx_warnings *warnings, struct jrx_meter *a, struct jrx_meter *b, uint64_t ns);

/** The same for powercap and perf of this machine, 100 ms. Returns 0 compared domains if either cannot be opened. */
int jrx_crosscheck_kernel(struct jrx_warnings *warnings, const struct jrx_meter_config *config);

#endif
