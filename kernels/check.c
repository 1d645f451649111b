#include "kernels/check.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "kernels/check_guard.h"
#include "kernels/check_sum.h"
#include "kernels/operand.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const verdict_names[] = {"PASS", "MARGINAL", "FAIL"};

const char *kn_verdict_name(enum kn_verdict verdict)
{
    return verdict_names[verdict];
}

/* ---- comparing ---------------------------------------------------------------------------------- */

void kn_outcome_fail(struct kn_outcome *outcome, const char *what)
{
    outcome->verdict = KN_FAIL;
    if (!*outcome->reason)
        snprintf(outcome->reason, sizeof outcome->reason, "%s", what);
}

/* Padding lanes have scale 0, hence bound 0. */
void kn_compare(const char *name, const struct kn_expected *expected, const float *got, struct kn_outcome *outcome)
{
    double u = FLT_EPSILON / 2, terms = expected->terms + 2;
    double likely = fmin(terms, 6 * sqrt(terms)) * u + expected->slack, possible = terms * u + expected->slack;
    for (size_t i = 0; i < expected->floats; i++) {
        /* results below the smallest normal number are rounded absolutely */
        double error = fabs(got[i] - expected->sum[i]), scale = expected->scale[i];
        double bound = scale > 0 ? likely * scale + FLT_MIN : 0;
        double residual = error <= bound ? (bound > 0 ? error / bound : 0) : error / fmax(bound, FLT_MIN);
        if (!(residual <= outcome->residual))
            outcome->residual = residual;
        if (error <= bound)
            continue;
        enum kn_verdict verdict = error <= possible * scale ? KN_MARGINAL : KN_FAIL;
        if (verdict <= outcome->verdict)
            continue;
        outcome->verdict = verdict;
        snprintf(outcome->reason, sizeof outcome->reason, "%s[%zu] = %.9g, want %.9g, off by %.3g, bound %.3g%s", name,
                 i, got[i], expected->sum[i], error, bound, scale > 0 ? "" : " (a lane that must be zero)");
    }
}

/* ---- running ------------------------------------------------------------------------------------- */

enum operand { X, W, BIAS, DY, MOMENTS, MAIN, BIAS_GRAD, MADE, WORKSPACE, OPERANDS };

/* The operands of one call between guard pages, and what they held before it. */
struct stage {
    struct kn_guarded buffer[OPERANDS];
    const float *content[OPERANDS];
    struct kn_args args;
};

static void stage_fini(struct stage *stage)
{
    for (int i = 0; i < OPERANDS; i++)
        kn_guarded_fini(&stage->buffer[i]);
}

static int stage_init(struct stage *stage, const struct kn_kernel *kernel, const struct kn_problem *p,
                      const struct kn_tile *tile, int threads)
{
    const struct kn_shape *s = &p->shape;
    size_t workspace = kernel->workspace_bytes(s, tile, threads);
    const struct {
        const float *content;
        size_t floats;
    } operands[OPERANDS] = {{p->x, p->x ? kn_x_floats(s) : 0},
                            {p->w, p->w ? kn_w_floats(p->op, s) : 0},
                            {p->bias, p->bias ? (size_t)kn_blocks(s->oc) * KN_LANES : 0},
                            {p->dy, p->dy ? kn_y_floats(s) : 0},
                            {p->moments, p->moments ? kn_operand_floats(p->op, s, KN_NORM) : 0},
                            {p->main.before, p->main.floats},
                            {p->bias_grad.before, p->bias_grad.floats},
                            {NULL, p->made.floats},
                            {NULL, (workspace + JRX_ALIGN - 1) / JRX_ALIGN * KN_LANES}};
    *stage = (struct stage){0};
    for (int i = 0; i < OPERANDS; i++) {
        stage->content[i] = operands[i].content;
        if (kn_guarded_init(&stage->buffer[i], operands[i].floats, operands[i].content, threads % 2)) {
            stage_fini(stage);
            return JRX_ENOMEM;
        }
    }
    float *main = stage->buffer[MAIN].data;
    stage->args = (struct kn_args){.shape = s,
                                   .tile = tile,
                                   .x = stage->buffer[X].data,
                                   .w = stage->buffer[W].data,
                                   .bias = stage->buffer[BIAS].data,
                                   .dy = stage->buffer[DY].data,
                                   .y = p->dir == KN_FWD ? main : NULL,
                                   .dx = p->dir == KN_BWD_DATA ? main : NULL,
                                   .dw = p->dir == KN_BWD_WEIGHTS ? main : NULL,
                                   .db = stage->buffer[BIAS_GRAD].data,
                                   .moments = stage->buffer[p->made.floats ? MADE : MOMENTS].data,
                                   .workspace = stage->buffer[WORKSPACE].data,
                                   .threads = threads};
    return 0;
}

static void compare_stage(const struct stage *stage, const struct kn_problem *p, struct kn_outcome *outcome)
{
    static const char *const names[KN_DIRS] = {"y", "dx", "dw"};
    for (int i = 0; i < OPERANDS; i++)
        if (!kn_guarded_intact(&stage->buffer[i]))
            kn_outcome_fail(outcome, "wrote outside an operand");
    for (int i = 0; i <= MOMENTS; i++)
        if (stage->content[i] &&
            memcmp(stage->buffer[i].data, stage->content[i], stage->buffer[i].floats * sizeof(float)))
            kn_outcome_fail(outcome, "wrote to an operand it may only read");
    kn_compare(names[p->dir], &p->main, stage->buffer[MAIN].data, outcome);
    kn_compare("db", &p->bias_grad, stage->buffer[BIAS_GRAD].data, outcome);
    kn_compare("moments", &p->made, stage->buffer[MADE].data, outcome);
}

static int same(const struct stage *a, const struct stage *b)
{
    for (int i = MAIN; i <= MADE; i++)
        if (a->buffer[i].floats &&
            memcmp(a->buffer[i].data, b->buffer[i].data, a->buffer[i].floats * sizeof(float)) != 0)
            return 0;
    return 1;
}

static int accepts(const struct kn_kernel *kernel, const struct kn_problem *p, const struct kn_tile *tile)
{
    if (kernel->op != p->op || kernel->dir != p->dir)
        return jrx_fail(JRX_EINVAL, "check: %s on a problem of %s %s", kernel->name, kn_op_name(p->op),
                        kn_dir_name(p->dir));
    if ((kernel->isa == KN_ISA_AVX512BF16) != p->rounded)
        return jrx_fail(JRX_EINVAL, "check: %s on a problem that is %srounded to bf16", kernel->name,
                        p->rounded ? "" : "not ");
    return kernel->supports(&p->shape, tile);
}

int kn_check(const struct kn_kernel *kernel, const struct kn_problem *problem, const struct kn_tile *tile,
             struct kn_outcome *outcome)
{
    *outcome = (struct kn_outcome){.residual = NAN};
    struct stage first = {0}, stage = {0};
    int rc = accepts(kernel, problem, tile);
    if (!rc)
        rc = stage_init(&first, kernel, problem, tile, 1);
    if (rc)
        return rc;
    kernel->run(&first.args);
    compare_stage(&first, problem, outcome);
    for (int threads = 2; threads <= 3; threads++) {
        if ((rc = stage_init(&stage, kernel, problem, tile, threads)))
            goto out;
        kernel->run(&stage.args);
        compare_stage(&stage, problem, outcome);
        if (kernel->isa != KN_ISA_BLAS && !same(&first, &stage))
            kn_outcome_fail(outcome, threads == 2 ? "another result with 2 threads" : "another result with 3 threads");
        stage_fini(&stage);
    }
out:
    stage_fini(&first);
    return rc;
}

/* ---- the traced twin ----------------------------------------------------------------------------- */

struct tally {
    const struct stage *stage;
    enum kn_dir dir;
    double load_bytes, store_bytes;
    int stray; /* accesses outside the tensor they name */
};

static int within(const struct kn_guarded *buffer, const struct jrx_access *access)
{
    uint64_t begin = (uint64_t)(uintptr_t)buffer->data, end = begin + buffer->floats * sizeof(float);
    return buffer->floats && access->address >= begin && access->address + access->bytes <= end;
}

static void count_accesses(struct kn_trace *trace)
{
    struct tally *tally = trace->context;
    const struct kn_guarded *buffer = tally->stage->buffer;
    /* what is read and what is written: some calls have both */
    static const enum kn_operand main_tag[KN_DIRS] = {
        [KN_FWD] = KN_OUT, [KN_BWD_DATA] = KN_IN, [KN_BWD_WEIGHTS] = KN_WEIGHT};
    const struct kn_guarded *const read[KN_OPERANDS] = {[KN_IN] = &buffer[X],
                                                        [KN_WEIGHT] = &buffer[W],
                                                        [KN_BIAS] = &buffer[BIAS],
                                                        [KN_OUT] = &buffer[DY],
                                                        [KN_NORM] = &buffer[MOMENTS]};
    const struct kn_guarded *written[KN_OPERANDS] = {
        [KN_BIAS] = &buffer[BIAS_GRAD], [KN_NORM] = &buffer[MADE], [KN_WORKSPACE] = &buffer[WORKSPACE]};
    written[main_tag[tally->dir]] = &buffer[MAIN];
    for (size_t i = 0; i < trace->count; i++) {
        const struct jrx_access *access = &trace->access[i];
        *(access->write ? &tally->store_bytes : &tally->load_bytes) += access->bytes;
        tally->stray += !(written[access->tag] && within(written[access->tag], access)) &&
                        !(!access->write && read[access->tag] && within(read[access->tag], access));
    }
    trace->count = 0;
}

int kn_check_work(const struct kn_kernel *kernel, const struct kn_problem *problem, const struct kn_tile *tile,
                  struct kn_outcome *outcome)
{
    enum { CAPACITY = 4096 };
    struct jrx_access access[CAPACITY];
    *outcome = (struct kn_outcome){.residual = NAN};
    const struct kn_kernel *twin = kn_traced(kernel);
    struct stage plain = {0}, traced = {0};
    int rc = accepts(kernel, problem, tile);
    if (rc || !twin)
        return rc;
    if ((rc = stage_init(&plain, kernel, problem, tile, 1)) || (rc = stage_init(&traced, twin, problem, tile, 1)))
        goto out;
    struct tally tally = {.stage = &traced, .dir = problem->dir};
    struct kn_trace trace = {.access = access, .capacity = CAPACITY, .flush = count_accesses, .context = &tally};
    traced.args.trace = &trace;
    kernel->run(&plain.args);
    twin->run(&traced.args);
    count_accesses(&trace);

    struct kn_work work;
    kernel->work(&problem->shape, tile, &work);
    const int complete =
        kn_elementwise(problem->op) || problem->dir == KN_BWD_DATA || problem->bias || problem->bias_grad.floats;
    if (complete && (work.load_bytes != tally.load_bytes || work.store_bytes != tally.store_bytes))
        outcome->verdict = KN_FAIL,
        snprintf(outcome->reason, sizeof outcome->reason, "work() says %.0f loaded, %.0f stored; traced %.0f and %.0f",
                 work.load_bytes, work.store_bytes, tally.load_bytes, tally.store_bytes);
    if (work.flop != problem->flop || !(work.executed_flop >= work.flop))
        outcome->verdict = KN_FAIL,
        snprintf(outcome->reason, sizeof outcome->reason, "work() says %.0f flop, %.0f executed; counted %.0f",
                 work.flop, work.executed_flop, problem->flop);
    if (tally.stray)
        kn_outcome_fail(outcome, "an access lies outside the tensor it names");
    if (!same(&plain, &traced))
        kn_outcome_fail(outcome, "the traced build has another result");
out:
    stage_fini(&plain);
    stage_fini(&traced);
    return rc;
}
