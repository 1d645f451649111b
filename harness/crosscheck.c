/* Comparing two interfaces to one register: see the header. */
#include "harness/crosscheck.h"
#include "harness/base/error.h"
#include "harness/clock.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void jrx_crosscheck_judge(struct jrx_warnings *warnings, const struct jrx_domain *domain, const char *a_name,
                          const char *b_name, double a_j, double b_j)
{
    static const double agree = 1e-3, dram_units = 15300 / 15258.789; /* nJ; the latter is 2^-16 J */
    double ratio = a_j / b_j, apart = fabs(log(ratio));
    if (apart <= agree || (domain->kind == JRX_DRAM && fabs(apart - log(dram_units)) <= agree))
        return;
    bool unit = fabs(apart - log(4)) < 0.01;
    jrx_warn(warnings, "meters_disagree", ratio, 1 + agree,
             "trust neither before a third (wall plug, likwid) decides; report it with kernel and CPU",
             "%s: %s reads %.5f times what %s reads%s", domain->name, a_name, ratio, b_name,
             unit ? ", as if one took 61 uJ for the unit and the other 15.3 uJ" : "");
}

/* One instant of both: the first must stand still around the read of the second. */
static int read_pair(struct jrx_meter *a, size_t i, struct jrx_meter *b, size_t k, struct jrx_reading pair[2])
{
    for (int tries = 0;; tries++) {
        struct jrx_reading again;
        int status = jrx_meter_read(a, i, &pair[0]);
        if (status || (status = jrx_meter_read(b, k, &pair[1])) || (status = jrx_meter_read(a, i, &again)))
            return status;
        if (again.count == pair[0].count || tries == 16)
            return 0;
    }
}

static double energy_j(const struct jrx_domain *domain, const struct jrx_reading *from, const struct jrx_reading *to)
{
    struct jrx_tally tally;
    jrx_tally_start(&tally, from->count, from->before_ns);
    jrx_tally_add(&tally, &domain->counter, to->count, to->before_ns);
    return jrx_tally_j(&tally, &domain->counter);
}

/* The domain of b with the name of a's domain i; b->domains if there is none. */
static size_t partner(const struct jrx_meter *a, size_t i, const struct jrx_meter *b)
{
    size_t k = 0;
    while (k < b->domains && strcmp(a->domain[i].name, b->domain[k].name))
        k++;
    return k;
}

int jrx_crosscheck(struct jrx_warnings *warnings, struct jrx_meter *a, struct jrx_meter *b, uint64_t ns)
{
    struct jrx_reading first[JRX_DOMAINS][2], last[2];
    int compared = 0, status;
    for (size_t i = 0; i < a->domains; i++)
        if (partner(a, i, b) < b->domains && (status = read_pair(a, i, b, partner(a, i, b), first[i])))
            return status;
    jrx_clock_sleep_until(jrx_clock_ns() + ns);
    for (size_t i = 0; i < a->domains; i++) {
        size_t k = partner(a, i, b);
        if (k == b->domains)
            continue;
        if ((status = read_pair(a, i, b, k, last)))
            return status;
        double a_j = energy_j(&a->domain[i], &first[i][0], &last[0]),
               b_j = energy_j(&b->domain[k], &first[i][1], &last[1]);
        if (!(a_j > 0) || !(b_j > 0))
            continue; /* a counter that stands still, or wrapped unseen, compares with nothing */
        jrx_crosscheck_judge(warnings, &a->domain[i], a->ops->name, b->ops->name, a_j, b_j);
        compared++;
    }
    return compared;
}

int jrx_crosscheck_kernel(struct jrx_warnings *warnings, const struct jrx_meter_config *config)
{
    struct jrx_meter *both = calloc(2, sizeof *both);
    int compared = 0;
    if (!both)
        return jrx_fail(JRX_ENOMEM, "no memory to compare two meters");
    if (!jrx_meter_open(&both[0], "powercap", config) && !jrx_meter_open(&both[1], "perf", config))
        compared = jrx_crosscheck(warnings, &both[0], &both[1], 100000000);
    jrx_meter_close(&both[0]);
    jrx_meter_close(&both[1]);
    free(both);
    return compared;
}
