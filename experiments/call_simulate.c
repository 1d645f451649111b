/*
 * A call sent through the cache simulator by its traced twin, all of it or a sample of the cache's sets. Results are
 * kept by content (simulations.h), so the same question is answered at once the next time.
 */
#include "experiments/call.h"
#include "experiments/simulations.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "kernels/operand.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 1024, /* accesses handed to the simulator at a time: they stay in the first-level cache */
    GROUPS = 4,   /* of sampled sets: the spread between them is the error */
    PAGE = 4096
};

/* Accesses whose line is `group` modulo `groups` go to that group's simulator. All of them: one group of one. */
struct sink {
    struct jrx_cachesim *sim[GROUPS];
    int sims, groups, status;
    unsigned line_shift;
    uint64_t sampled_bytes[KN_OPERANDS]; /* of registers; a simulator of all counts them itself */
    double accesses;
    struct jrx_access *kept; /* [GROUPS][BATCH] */
};

/* The groups sampled lie apart, none at the beginning, where tensors begin too. */
static unsigned sampled_group(const struct sink *sink, int i)
{
    return (unsigned)(sink->groups * (2 * i + 1) / (2 * sink->sims));
}

/*
 * Sampled groups are every groups / GROUPS-th, so which one a line is in, if any, is a division by a power of two. A
 * group's sets are a small cache of their own, in which its lines lie side by side.
 */
static void feed_sample(struct sink *sink, const struct jrx_access *access, size_t count)
{
    const uint64_t mask = (uint64_t)sink->groups - 1, apart = mask / GROUPS, first = sampled_group(sink, 0);
    const unsigned shift = (unsigned)__builtin_ctz((unsigned)(sink->groups / GROUPS));
    const unsigned groups_shift = (unsigned)__builtin_ctz((unsigned)sink->groups);
    const uint64_t within = ((uint64_t)1 << sink->line_shift) - 1;
    size_t kept[GROUPS] = {0};
    for (size_t i = 0; i < count; i++) {
        sink->sampled_bytes[access[i].tag] += access[i].bytes;
        const uint64_t line = access[i].address >> sink->line_shift, group = line & mask;
        if ((group & apart) != first)
            continue;
        struct jrx_access *its = &sink->kept[(group >> shift) * BATCH + kept[group >> shift]++];
        *its = access[i];
        its->address = line >> groups_shift << sink->line_shift | (access[i].address & within);
    }
    for (int k = 0; k < GROUPS && !sink->status; k++)
        sink->status = jrx_cachesim_run(sink->sim[k], sink->kept + k * BATCH, kept[k]);
}

static void feed(struct kn_trace *trace)
{
    struct sink *sink = trace->context;
    sink->accesses += (double)trace->count;
    if (sink->groups > 1)
        feed_sample(sink, trace->access, trace->count);
    else if (!sink->status)
        sink->status = jrx_cachesim_run(sink->sim[0], trace->access, trace->count);
    trace->count = 0;
}

/* Where each operand lies in the simulated address space: one after the other, on page boundaries, in every run. */
static void place(const struct ex_call *call, struct kn_trace *trace)
{
    const struct kn_kernel *k = call->kernel;
    const struct kn_args *a = &call->args;
    /* where there are both, what is read lies right behind what is written */
    const void *const first[KN_OPERANDS] = {
        [KN_IN] = a->dx ? a->dx : a->x, [KN_WEIGHT] = a->dw ? a->dw : a->w, [KN_BIAS] = a->db ? a->db : a->bias,
        [KN_OUT] = a->y ? a->y : a->dy, [KN_WORKSPACE] = a->workspace,      [KN_NORM] = a->moments};
    uint64_t at = 16 * PAGE;
    for (int i = 0; i < KN_OPERANDS; i++) {
        const int both = (kn_reads(k->op, k->dir) & kn_writes(k->op, k->dir)) >> i & 1;
        size_t bytes = kn_operand_floats(k->op, &call->shape, (enum kn_operand)i) * sizeof(float) * (both ? 2 : 1);
        if (i == KN_WORKSPACE)
            bytes = k->workspace_bytes(&call->shape, &call->tile, 1);
        trace->shift[i] = at - (uint64_t)(uintptr_t)first[i];
        at += (bytes + 2 * PAGE - 1) / PAGE * PAGE;
    }
}

int ex_call_trace(const struct ex_call *call, struct kn_trace *trace)
{
    const struct kn_kernel *traced = kn_traced(call->kernel);
    struct kn_args args = call->args;
    if (!traced)
        return jrx_fail(JRX_EUNAVAILABLE, "%s is not ours and has no traced build; take another variant",
                        call->kernel->name);
    place(call, trace);
    args.trace = trace;
    traced->run(&args);
    trace->flush(trace);
    return 0;
}

const char *const ex_operand_names[KN_OPERANDS] = {"in", "weight", "bias", "out", "workspace", "norm"};

static void clear(struct ex_traffic *traffic, double value)
{
    double *number = (double *)traffic;
    for (size_t i = 0; i < sizeof *traffic / sizeof *number; i++)
        number[i] = value;
}

static void add_sim(const struct jrx_cachesim *sim, double scale, struct ex_traffic *traffic)
{
    const struct jrx_cache_geometry *g = jrx_cachesim_geometry(sim);
    for (unsigned level = 0; level < EX_CACHES; level++) {
        /* a machine without a level moves what the last one misses straight to memory */
        unsigned last = g->levels - 1, from = level < last ? level : last;
        if (level > last && level != EX_CACHES - 1)
            continue;
        for (unsigned tag = 0; tag < KN_OPERANDS; tag++) {
            struct jrx_cache_counts c = jrx_cachesim_get(sim, from, tag);
            traffic->bytes[level + 1][tag] += scale * (double)(c.fetches + c.writebacks) * g->line_bytes;
            traffic->misses[level][tag] += scale * (double)(c.read_misses + c.write_misses);
        }
    }
}

static double sum(const double *value)
{
    double all = 0;
    for (int i = 0; i < KN_OPERANDS; i++)
        all += value[i];
    return all;
}

/* Student's t for a 95 % interval of GROUPS values; the finite number of groups narrows it. */
static void put_error(const struct ex_traffic *one, int groups, struct ex_traffic *traffic)
{
    static const double t = 3.182;
    for (int level = 1; level <= EX_CACHES; level++) {
        double mean = 0, square = 0;
        for (int i = 0; i < GROUPS; i++)
            mean += sum(one[i].bytes[level]) / GROUPS;
        for (int i = 0; i < GROUPS; i++)
            square += pow(sum(one[i].bytes[level]) - mean, 2) / (GROUPS - 1);
        traffic->error_bytes[level] = t * sqrt(square / GROUPS * (1 - (double)GROUPS / groups));
    }
}

static void gather(const struct sink *sink, struct ex_traffic *traffic)
{
    clear(traffic, 0);
    traffic->accesses = sink->accesses;
    for (unsigned tag = 0; tag < KN_OPERANDS; tag++)
        traffic->bytes[0][tag] = sink->groups > 1 ? (double)sink->sampled_bytes[tag]
                                                  : (double)jrx_cachesim_read_bytes(sink->sim[0], tag) +
                                                        (double)jrx_cachesim_write_bytes(sink->sim[0], tag);
    for (int k = 0; k < sink->sims; k++)
        add_sim(sink->sim[k], (double)sink->groups / sink->sims, traffic);
    if (sink->groups > 1) {
        struct ex_traffic one[GROUPS];
        for (int k = 0; k < sink->sims; k++) {
            clear(&one[k], 0);
            add_sim(sink->sim[k], sink->groups, &one[k]);
        }
        put_error(one, sink->groups, traffic);
    }
    double *total[] = {&traffic->l1_bytes, &traffic->l2_bytes, &traffic->l3_bytes, &traffic->dram_bytes};
    for (int level = 0; level <= EX_CACHES; level++)
        *total[level] = sum(traffic->bytes[level]);
}

static int open_sink(struct sink *sink, const struct jrx_cache_geometry *geometry, int sample)
{
    *sink = (struct sink){.sims = sample > 1 ? GROUPS : 1,
                          .groups = sample > 1 ? GROUPS * sample : 1,
                          .line_shift = (unsigned)__builtin_ctz(geometry->line_bytes)};
    struct jrx_cache_geometry part = *geometry;
    for (unsigned k = 0; k < geometry->levels && sample > 1; k++) {
        uint64_t sets = geometry->level[k].bytes / geometry->level[k].ways / geometry->line_bytes;
        if (sample & (sample - 1) || sets % (uint64_t)sink->groups)
            return jrx_fail(
                JRX_EINVAL,
                "--sample=%d: L%u has %llu sets, which must be a multiple of %d; use a smaller power of two", sample,
                k + 1, (unsigned long long)sets, sink->groups);
        part.level[k].bytes /= (uint64_t)sink->groups;
    }
    sink->kept = jrx_alloc(GROUPS * BATCH * sizeof *sink->kept);
    int status = sink->kept ? 0 : JRX_ENOMEM;
    for (int k = 0; k < sink->sims && !status; k++)
        status = jrx_cachesim_new(&sink->sim[k], &part);
    return status;
}

static void close_sink(struct sink *sink)
{
    for (int k = 0; k < GROUPS; k++)
        jrx_cachesim_free(sink->sim[k]);
    free(sink->kept);
}

static int simulate(const struct ex_question *question, struct ex_traffic *traffic)
{
    struct ex_call call = {0};
    struct sink sink;
    struct jrx_access *access = jrx_alloc(BATCH * sizeof *access);
    struct kn_trace trace = {.access = access, .capacity = BATCH, .flush = feed, .context = &sink};
    int status = open_sink(&sink, &question->geometry, question->sample);
    if (!status)
        status = access ? ex_call_init_zero(&call, question->kernel, &question->shape, &question->tile, 1) : JRX_ENOMEM;
    for (int pass = 0; pass < 2 && !status; pass++) {
        memset(sink.sampled_bytes, 0, sizeof sink.sampled_bytes);
        sink.accesses = 0;
        for (int k = 0; k < sink.sims; k++)
            jrx_cachesim_reset_counts(sink.sim[k]); /* the first call only warms the caches */
        status = ex_call_trace(&call, &trace);
        if (!status)
            status = sink.status;
    }
    if (!status)
        gather(&sink, traffic);
    ex_call_fini(&call);
    close_sink(&sink);
    free(access);
    return status;
}

int ex_simulate(const struct ex_question *question, struct ex_traffic *traffic)
{
    enum { NUMBERS = sizeof *traffic / sizeof(double) };
    char key[EX_SIMULATION_KEY];
    clear(traffic, NAN);
    if (!kn_traced(question->kernel))
        return 0;
    ex_simulation_key(question, key);
    if (ex_simulation_load(key, (double *)traffic, NUMBERS))
        return 0;
    int status = simulate(question, traffic);
    if (!status)
        ex_simulation_store(key, (const double *)traffic, NUMBERS);
    return status;
}

int ex_call_simulate(const struct ex_call *call, const struct jrx_cache_geometry *geometry, struct ex_traffic *traffic)
{
    const struct ex_question question = {call->kernel, call->shape, call->tile, *geometry, 1};
    return ex_simulate(&question, traffic);
}
