/* How many iterations a window needs: see the header. */
#include "harness/calibrate.h"
#include "harness/base/error.h"
#include "harness/clock.h"
#include <math.h>

static double wanted_ns(const struct jrx_calibration *want)
{
    return fmax((double)want->min_time_ns, want->min_ticks * (double)want->tick_ns);
}

uint64_t jrx_calibrate_iters(const struct jrx_calibration *want, double iter_ns)
{
    double iters = ceil(1.05 * wanted_ns(want) / fmax(iter_ns, 0.1));
    return iters < 1 ? 1 : iters > 1e18 ? (uint64_t)1e18 : (uint64_t)iters;
}

int jrx_calibrate(const struct jrx_region *region, const struct jrx_calibration *want, uint64_t *iters, double *iter_ns)
{
    if (!region->fn)
        return jrx_fail(JRX_EINVAL, "calibrating a region without a function");
    uint64_t spent = 0, n = 1;
    double best = INFINITY;
    for (int trial = 0;; trial++) {
        uint64_t start = jrx_clock_ns();
        for (uint64_t i = 0; i < n; i++)
            region->fn(region->ctx);
        uint64_t took = jrx_clock_ns() - start;
        /* The fastest trial: one that was interrupted must not make the window too short. */
        best = fmin(best, (double)took / (double)n);
        spent += took;
        bool enough = (double)n * best >= wanted_ns(want) / 10 && (trial > 0 || (double)took >= wanted_ns(want));
        if (enough || (want->max_time_ns && spent >= want->max_time_ns))
            break;
        uint64_t aim = (uint64_t)(wanted_ns(want) / 8 / fmax(best, 0.1)) + 1;
        n = aim > 16 * n ? 16 * n : aim > n ? aim : n;
    }
    if (iter_ns)
        *iter_ns = best;
    *iters = jrx_calibrate_iters(want, best);
    return 0;
}
