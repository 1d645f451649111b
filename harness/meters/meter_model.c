/*
 * No meter at all: an energy profile times what the region says it did, plus static power times time. Every number it
 * gives is an estimate and says so.
 */
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/meters/profile.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A count is 0.1 nJ: fine enough for one call of a small kernel, and 64 bits last for 53 days at 400 W. */
static const double j_per_count = 1e-10;

struct model {
    struct jrx_profile profile;
    uint64_t open_ns;
    uint64_t cpu_ns;          /* CPU time of the process when a domain was last read */
    double package_j, dram_j; /* told by work(), static power not included */
};

static int model_read(struct jrx_meter *meter, size_t domain, struct jrx_reading *reading)
{
    struct model *state = meter->state;
    const double *v = state->profile.value;
    state->cpu_ns = jrx_clock_process_ns();
    reading->before_ns = reading->after_ns = jrx_clock_ns();
    double time_s = (double)(reading->before_ns - state->open_ns) * 1e-9;
    double energy_j =
        domain ? state->dram_j + v[JRX_DRAM_STATIC] * time_s : state->package_j + v[JRX_PACKAGE_STATIC] * time_s;
    reading->count = (uint64_t)(energy_j / j_per_count);
    return 0;
}

static void model_work(struct jrx_meter *meter, const struct jrx_work *work, double iters)
{
    struct model *state = meter->state;
    double cpu_s = (double)(jrx_clock_process_ns() - state->cpu_ns) * 1e-9;
    struct jrx_estimated e = jrx_profile_energy(&state->profile, work, iters, 0, cpu_s);
    state->package_j += e.package_j;
    state->dram_j += e.dram_j;
    if (e.assumed & 1u << JRX_BUSY_CPU)
        jrx_warn(&meter->warnings, "work_unknown", NAN, NAN, "use a kernel that declares its flop and bytes",
                 "the region does not say what it does: estimated from CPU time at %g W a busy CPU",
                 state->profile.value[JRX_BUSY_CPU]);
    for (int level = JRX_L1_ASSUMED; level <= JRX_DRAM_ASSUMED; level++)
        if (e.assumed & 1u << level)
            jrx_warn(&meter->warnings, "bytes_assumed", state->profile.value[level], NAN,
                     "count them with a traced kernel and the cache simulator",
                     "bytes unknown: %s = %g B/flop taken from profile %s",
                     jrx_coefficient_name((enum jrx_coefficient)level), state->profile.value[level],
                     state->profile.name);
}

static void model_close(struct jrx_meter *meter)
{
    free(meter->state);
    meter->state = NULL;
}

static void describe(struct jrx_domain *domain, const char *name, enum jrx_domain_kind kind)
{
    *domain = (struct jrx_domain){.kind = kind,
                                  .socket = 0,
                                  .cpu = -1,
                                  .in_total = true,
                                  .counter = {.range = JRX_RANGE_NONE,
                                              .j_per_count = j_per_count,
                                              .provable_j = INFINITY,
                                              /* a profile may claim what it likes: it is an estimate anyhow */
                                              .p_max_w = INFINITY}};
    snprintf(domain->name, sizeof domain->name, "%s", name);
}

static int model_open(struct jrx_meter *meter, const struct jrx_meter_config *config)
{
    struct model *state = calloc(1, sizeof *state);
    if (!state)
        return jrx_fail(JRX_ENOMEM, "no memory for the model meter");
    int status = jrx_profile_read(&state->profile, config->profile);
    if (status) {
        free(state);
        return status;
    }
    state->open_ns = jrx_clock_ns();
    state->cpu_ns = jrx_clock_process_ns();
    meter->state = state;
    meter->source = JRX_ESTIMATED;
    meter->domains = 2;
    describe(&meter->domain[0], "package-0", JRX_PACKAGE);
    describe(&meter->domain[1], "dram-0", JRX_DRAM);
    jrx_warn(&meter->warnings, "estimated", NAN, NAN,
             "measure where RAPL can be read, or fit a profile of this machine",
             "no energy is measured: profile %s. %s", state->profile.name, state->profile.about);
    return 0;
}

const struct jrx_meter_ops meter_model = {.name = "model",
                                          .about = "an energy profile times work and time; an estimate",
                                          .order = 90,
                                          .open = model_open,
                                          .read = model_read,
                                          .close = model_close,
                                          .work = model_work};
