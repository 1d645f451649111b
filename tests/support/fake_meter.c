/* A meter whose truth is known. */
#include "tests/support/fake_meter.h"
#include "harness/base/error.h"
#include "harness/clock.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

double fake_energy_j(const struct fake *fake, size_t domain, uint64_t from_ns, uint64_t to_ns)
{
    double sum = 0;
    for (size_t i = 0; i < fake->steps; i++) {
        uint64_t from = fake->at_ns[i] > from_ns ? fake->at_ns[i] : from_ns;
        uint64_t to = i + 1 < fake->steps && fake->at_ns[i + 1] < to_ns ? fake->at_ns[i + 1] : to_ns;
        if (to > from)
            sum += fake->power_w[i] * (double)(to - from) * 1e-9;
    }
    return sum * fake->domain[domain].share;
}

void fake_power(struct fake *fake, double power_w)
{
    if (fake->steps == FAKE_STEPS) { /* what lies before the first step is forgotten by windows too */
        memmove(fake->at_ns, fake->at_ns + FAKE_STEPS / 2, sizeof fake->at_ns / 2);
        memmove(fake->power_w, fake->power_w + FAKE_STEPS / 2, sizeof fake->power_w / 2);
        fake->steps /= 2;
    }
    fake->at_ns[fake->steps] = jrx_clock_ns();
    fake->power_w[fake->steps++] = power_w;
}

/* Normal, as measured on real parts (sd 3 to 6 us), with rare long or short intervals of up to 17 %. */
static double next_interval_ns(struct fake *fake, struct jrx_rng *rng)
{
    double z[2];
    jrx_rng_normal2(rng, &z[0], &z[1]);
    if (jrx_rng_uniform(rng) < fake->tails)
        return fake->tick_ns * (0.83 + 0.34 * jrx_rng_uniform(rng));
    return fmax(0.5 * fake->tick_ns, fake->tick_ns + fake->jitter_ns * z[0]);
}

static int fake_read(struct jrx_meter *meter, size_t d, struct jrx_reading *reading)
{
    struct fake *fake = meter->state;
    struct fake_domain *domain = &fake->domain[d];
    if (!fake->fail_after)
        return jrx_fail(JRX_EIO, "fake: register not readable");
    fake->fail_after -= fake->fail_after > 0;
    reading->before_ns = jrx_clock_ns();
    uint64_t last = 0;
    while (domain->next_ns <= reading->before_ns) {
        last = domain->next_ns;
        domain->next_ns += (uint64_t)next_interval_ns(fake, &domain->rng);
    }
    if (last && !domain->dead)
        domain->updated_unit = fake_energy_j(fake, d, fake->at_ns[0], last) / fake->unit_j;
    uint64_t units = domain->start + (uint64_t)domain->updated_unit;
    uint64_t range = meter->domain[d].counter.range;
    reading->count = range == JRX_RANGE_NONE ? units : units % range;
    while ((double)(jrx_clock_ns() - reading->before_ns) < fake->read_ns)
        ;
    reading->after_ns = jrx_clock_ns();
    return 0;
}

void fake_init(struct fake *fake, size_t domains, double power_w, uint64_t seed)
{
    static const struct jrx_meter_ops ops = {.name = "fake", .about = "a test", .order = -1, .read = fake_read};
    memset(fake, 0, sizeof *fake);
    fake->tick_ns = 1e6;
    fake->jitter_ns = 4000;
    fake->tails = 0.002;
    fake->unit_j = 61.035e-6;
    fake->read_ns = 1000;
    fake->fail_after = -1;
    fake->meter =
        (struct jrx_meter){.ops = &ops, .source = JRX_SIMULATED, .tick_ns = 1000000, .domains = domains, .state = fake};
    fake_power(fake, power_w);
    for (size_t d = 0; d < domains; d++) {
        struct jrx_domain *domain = &fake->meter.domain[d];
        snprintf(domain->name, sizeof domain->name, d ? "dram-%zu" : "package-%zu", d ? d - 1 : d);
        domain->kind = d ? JRX_DRAM : JRX_PACKAGE;
        domain->cpu = -1;
        domain->in_total = true;
        domain->counter = (struct jrx_counter){
            .range = 4294967296, .j_per_count = fake->unit_j, .provable_j = 4294967296 * fake->unit_j, .p_max_w = 1000};
        fake->domain[d] = (struct fake_domain){.share = d ? 0.1 : 1, .start = 4294967296 - 5000 - d};
        jrx_rng_init(&fake->domain[d].rng, seed, d);
        fake->domain[d].next_ns = fake->at_ns[0] + (uint64_t)(fake->tick_ns * jrx_rng_uniform(&fake->domain[d].rng));
    }
}
