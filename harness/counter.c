/* Counter arithmetic: see the header. */
#include "harness/counter.h"
#include "harness/base/error.h"
#include <inttypes.h>
#include <math.h>

int jrx_counter_delta(uint64_t before, uint64_t after, uint64_t range, uint64_t *delta)
{
    int bounded = range != JRX_RANGE_UNKNOWN && range != JRX_RANGE_NONE;
    if (bounded && (before >= range || after >= range))
        return jrx_fail(JRX_EINVAL,
                        "counter reads %" PRIu64 ", beyond its range of %" PRIu64 "; the device is not what it says",
                        before >= range ? before : after, range);
    if (after >= before) {
        *delta = after - before;
        return 0;
    }
    if (!bounded)
        return jrx_fail(JRX_EIMPLAUSIBLE, "counter went back from %" PRIu64 " to %" PRIu64 " and its range is %s",
                        before, after,
                        range == JRX_RANGE_NONE ? "unlimited" : "not readable, so the wrap cannot be undone");
    *delta = range - before + after;
    return 0;
}

double jrx_counter_gap_s(const struct jrx_counter *counter)
{
    return isinf(counter->provable_j) ? INFINITY : counter->provable_j / counter->p_max_w;
}

double jrx_counter_period_s(const struct jrx_counter *counter)
{
    return fmin(30, jrx_counter_gap_s(counter) / 4);
}

int jrx_counter_plausible(double energy_j, double time_s, double p_max_w, double slack_j)
{
    /* written so that NAN fails */
    if (!(energy_j >= 0))
        return jrx_fail(JRX_EIMPLAUSIBLE, "energy of %.6g J is negative", energy_j);
    if (!isinf(p_max_w) && !(energy_j <= p_max_w * time_s + slack_j))
        return jrx_fail(JRX_EIMPLAUSIBLE, "%.6g J in %.6g s is more than %g W can bring", energy_j, time_s, p_max_w);
    return 0;
}

void jrx_tally_start(struct jrx_tally *tally, uint64_t count, uint64_t time_ns)
{
    *tally = (struct jrx_tally){.last = count, .time_ns = time_ns};
}

static int tally_add(struct jrx_tally *tally, const struct jrx_counter *counter, uint64_t count, uint64_t time_ns)
{
    if (time_ns < tally->time_ns)
        return jrx_fail(JRX_EINVAL, "readings out of order: %" PRIu64 " ns after %" PRIu64 " ns", time_ns,
                        tally->time_ns);
    double gap_s = (double)(time_ns - tally->time_ns) * 1e-9, bound_s = jrx_counter_gap_s(counter);
    if (!(gap_s < bound_s))
        return jrx_fail(JRX_EMISSED,
                        "%.3g s between two reads; at up to %g W a wrap is certain to be seen only within %.3g s",
                        gap_s, counter->p_max_w, bound_s);
    uint64_t delta;
    int status = jrx_counter_delta(tally->last, count, counter->range, &delta);
    if (status)
        return status;
    tally->counts += delta;
    tally->wraps += count < tally->last;
    tally->last = count;
    tally->time_ns = time_ns;
    return 0;
}

int jrx_tally_add(struct jrx_tally *tally, const struct jrx_counter *counter, uint64_t count, uint64_t time_ns)
{
    if (tally->status)
        return jrx_fail(tally->status, "this count ended earlier in an error");
    return tally->status = tally_add(tally, counter, count, time_ns);
}

double jrx_tally_j(const struct jrx_tally *tally, const struct jrx_counter *counter)
{
    return tally->status ? NAN : (double)tally->counts * counter->j_per_count;
}
