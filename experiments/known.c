/* The regions of known work: see the header. */
#include "experiments/known.h"
#include "experiments/call.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include <stdlib.h>
#include <string.h>

static const double tolerance_ratio = 0.05;
/* A sweep over four times what a level holds misses it at (nearly) every line, whatever it replaces. */
enum { OVER = 4, LEVELS = 3 };
static const uint64_t most_bytes = 1u << 30;

struct known {
    struct jrx_sde *sde;
    struct jrx_truth_flop flop;
    struct ex_call call;
    struct jrx_truth_stream stream[LEVELS];
    unsigned sweeps[LEVELS];
    double read_bytes[LEVELS]; /* of all sweeps; 0: this level is too large to be overrun here */
    uint64_t *data;
};

static const enum jrx_sde_event published[LEVELS] = {JRX_SDE_L2_BYTES, JRX_SDE_L3_BYTES, JRX_SDE_DRAM_BYTES};
static const char *const read_metric[LEVELS] = {"l2_read_bytes", "l3_read_bytes", "dram_read_bytes"};

static void multiply_add(void *context)
{
    struct known *known = context;
    jrx_truth_flop(&known->flop);
    jrx_sde_add(known->sde, JRX_SDE_FLOP, (int64_t)(32 * known->flop.rounds));
}

static void pointwise(void *context)
{
    struct known *known = context;
    ex_call_run(&known->call);
    jrx_sde_add(known->sde, JRX_SDE_FLOP,
                (int64_t)kn_flop(known->call.kernel->op, known->call.kernel->dir, &known->call.shape));
}

static void sweep(struct known *known, int level)
{
    for (unsigned i = 0; i < known->sweeps[level]; i++)
        jrx_truth_stream(&known->stream[level]);
    jrx_sde_add(known->sde, published[level], (int64_t)known->read_bytes[level]);
}

static void sweep_l1(void *known)
{
    sweep(known, 0);
}
static void sweep_l2(void *known)
{
    sweep(known, 1);
}
static void sweep_l3(void *known)
{
    sweep(known, 2);
}

/* Level k is overrun by OVER times its size, several times until 64 MiB were read. */
static int size_sweeps(struct known *known, const struct jrx_cache_geometry *caches)
{
    uint64_t largest = 0;
    for (unsigned k = 0; k < caches->levels && k < LEVELS; k++) {
        uint64_t bytes = OVER * caches->level[k].bytes;
        unsigned out_of = k + 1 < caches->levels ? k : LEVELS - 1; /* what the last level misses comes from memory */
        if (bytes > most_bytes)
            continue;
        known->sweeps[out_of] = (unsigned)((64u << 20) / bytes) + 1;
        known->stream[out_of].words = bytes / 8;
        known->read_bytes[out_of] = (double)bytes * known->sweeps[out_of];
        largest = bytes > largest ? bytes : largest;
    }
    known->data = jrx_alloc(largest);
    if (!known->data)
        return JRX_ENOMEM;
    memset(known->data, 1, largest); /* pages of their own: untouched ones are all the same zeros */
    for (int k = 0; k < LEVELS; k++)
        known->stream[k].data = known->data;
    return 0;
}

int ex_known_check(const struct jrx_counting *counting, const struct jrx_cache_geometry *caches, struct jrx_sde *sde,
                   struct jrx_truth truth[EX_TRUTHS], size_t *count, struct jrx_warnings *warnings)
{
    static void (*const sweeps[LEVELS])(void *) = {sweep_l1, sweep_l2, sweep_l3};
    static const char *const names[LEVELS] = {"sweep past L1", "sweep past L2", "sweep past the last cache"};
    const struct kn_shape shape = {.n = 1, .ic = 128, .oc = 128, .f = 48, .t = 14, .dil_f = 1, .dil_t = 1};
    const struct kn_tile none = {0};
    struct jrx_counter_config alone = counting->config;
    struct known known = {.sde = sde, .flop = {.rounds = 1000000}};
    *count = 0;
    alone.threads = 1;
    int status = ex_call_init(&known.call, kn_best(KN_POINTWISE, KN_FWD), &shape, &none, 1, 1);
    status = status ? status : size_sweeps(&known, caches);
    if (!status) {
        struct jrx_truth_region region[2 + LEVELS] = {
            {"multiply-adds", multiply_add, &known, {{"flop", 32.0 * (double)known.flop.rounds}}},
            {"pointwise kernel", pointwise, &known, {{"flop", kn_flop(KN_POINTWISE, KN_FWD, &shape)}}}};
        size_t regions = 2;
        for (int k = 0; k < LEVELS; k++) {
            int metric = jrx_event_set_metric(&counting->set, read_metric[k]);
            if (known.read_bytes[k] > 0 && metric >= 0 && counting->counted[metric])
                region[regions++] =
                    (struct jrx_truth_region){names[k], sweeps[k], &known, {{read_metric[k], known.read_bytes[k]}}};
        }
        int flop = jrx_event_set_metric(&counting->set, "flop");
        size_t first = flop >= 0 && counting->counted[flop] ? 0 : 2;
        status = jrx_truth_check(&counting->set, counting->ops, &alone, region + first, regions - first,
                                 tolerance_ratio, truth, EX_TRUTHS, count, warnings);
    }
    free(known.data);
    ex_call_fini(&known.call);
    return status;
}
