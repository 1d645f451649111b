/* joulerx check: every kernel against the definition of its operator. */
#include "experiments/command.h"
#include "harness/base/error.h"
#include "kernels/check.h"
#include <argp.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_KERNELS = 128, MAX_SHAPES = 4096 };

/* What has been seen of one kernel. */
struct tally {
    const struct kn_kernel *kernel;
    int cases;
    double residual;
    enum kn_verdict verdict; /* the worst */
    char where[640];         /* the first case with that verdict */
};

struct arguments {
    const char *pattern;
    uint64_t seed;
    int full;
};

static void note(struct tally *tally, enum kn_op op, const struct kn_shape *s, const struct kn_tile *tile,
                 uint64_t seed, const struct kn_outcome *outcome)
{
    char layer[64], tiling[KN_TILE_TEXT];
    if (outcome->residual > tally->residual)
        tally->residual = outcome->residual;
    if (outcome->verdict <= tally->verdict)
        return;
    tally->verdict = outcome->verdict;
    snprintf(tally->where, sizeof tally->where, "%s grid %dx%d batch %d tile %s problem seed %llu: %s",
             kn_layer_format(op, s, layer, sizeof layer), s->f, s->t, s->n,
             kn_tile_format(tile, ~0u, tiling, sizeof tiling), (unsigned long long)seed, outcome->reason);
}

/* One kernel on one problem, with every tile of the list. */
static int check_problem(struct tally *tally, const struct kn_problem *problem, uint64_t seed)
{
    struct kn_tile tiles[KN_CASE_TILES];
    size_t count = kn_case_tiles(tally->kernel, &problem->shape, tiles);
    for (size_t i = 0; i < count; i++) {
        struct kn_outcome outcome;
        int rc = kn_check(tally->kernel, problem, &tiles[i], &outcome);
        if (rc)
            return rc;
        note(tally, problem->op, &problem->shape, &tiles[i], seed, &outcome);
        if ((rc = kn_check_work(tally->kernel, problem, &tiles[i], &outcome)))
            return rc;
        note(tally, problem->op, &problem->shape, &tiles[i], seed, &outcome);
        tally->cases++;
    }
    return 0;
}

static void report(const struct tally *tally, int *failed)
{
    printf("%-9s %-32s %5d cases, residual %.2f of the bound%s%s\n", kn_verdict_name(tally->verdict),
           tally->kernel->name, tally->cases, tally->residual, *tally->where ? "; " : "", tally->where);
    fflush(stdout);
    *failed += tally->verdict == KN_FAIL;
}

/* A pattern as in a shell; a plain word also names all kernels that begin with it: relu, pointwise_fwd. */
static int named(const char *pattern, const char *name)
{
    const size_t length = strlen(pattern);
    return !fnmatch(pattern, name, 0) || (!strncmp(pattern, name, length) && name[length] == '_');
}

/* The kernels of one operator and direction that the pattern names; how many, those that cannot run here printed. */
static int choose(const struct arguments *a, enum kn_op op, enum kn_dir dir, struct tally *tallies)
{
    size_t count;
    const struct kn_kernel *const *kernels = kn_kernels(&count);
    int chosen = 0;
    for (size_t i = 0; i < count; i++) {
        if (kernels[i]->op != op || kernels[i]->dir != dir || !named(a->pattern, kernels[i]->name))
            continue;
        if (kn_runnable(kernels[i]) && chosen < MAX_KERNELS)
            tallies[chosen++] = (struct tally){.kernel = kernels[i]};
        else
            printf("%-9s %-32s this CPU does not run it\n", "SKIP", kernels[i]->name);
    }
    return chosen;
}

static int check_direction(const struct arguments *a, enum kn_op op, enum kn_dir dir, int *checked, int *failed)
{
    struct tally tallies[MAX_KERNELS];
    struct kn_shape *shapes = calloc(MAX_SHAPES, sizeof *shapes);
    int chosen = choose(a, op, dir, tallies), rc = 0;
    size_t count = chosen && shapes ? kn_case_shapes(op, a->full, shapes, MAX_SHAPES) : 0;
    if (!shapes)
        rc = jrx_fail(JRX_ENOMEM, "no memory for the list of cases");
    for (size_t i = 0; i < count && i < MAX_SHAPES && !rc; i++) {
        struct kn_problem problem;
        rc = kn_problem_init(&problem, op, dir, &shapes[i], a->seed + i);
        for (int rounded = 0; rounded < 2 && !rc; rounded++) {
            for (int k = 0; k < chosen && !rc; k++)
                if ((tallies[k].kernel->isa == KN_ISA_AVX512BF16) == rounded)
                    rc = check_problem(&tallies[k], &problem, a->seed + i);
            if (!rc && !rounded && kn_best_bf16(op, dir))
                rc = kn_problem_round(&problem);
        }
        kn_problem_fini(&problem);
    }
    for (int k = 0; k < chosen && !rc; k++)
        report(&tallies[k], failed);
    *checked += chosen;
    free(shapes);
    return rc;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *a = state->input;
    char *end;
    switch (key) {
    case 's':
        a->seed = strtoull(argument, &end, 10);
        if (*argument < '0' || *argument > '9' || *end)
            argp_error(state, "--seed=%s: not a number of 0 or more", argument);
        return 0;
    case 'f': a->full = 1; return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            argp_error(state, "'%s': one pattern at a time", argument);
        a->pattern = argument;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int run(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"seed", 's', "N", 0, "Draw the operands of case i from seed N + i (default 1)", 0},
        {"full", 'f', NULL, 0,
         "Every combination of the lists, and grid 312x14: about an hour of one core instead of a minute or two; a "
         "pattern takes a part: pointwise_fwd a minute, conv3x3 and separable most of it",
         0},
        {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "[PATTERN]",
        .doc = "Runs the kernels that PATTERN (as in a shell, or how names begin; default *) names between "
               "guard pages on the nasty list of layers, tiles and thread counts, and "
               "compares with sums in double precision. Also holds the declared work "
               "against the traced build. JOULERX_ISA=avx2 (or baseline) leaves out what "
               "that CPU would not run."};
    struct arguments a = {.pattern = "*", .seed = 1};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    int checked = 0, failed = 0, rc = 0;
    printf("seed %llu\n", (unsigned long long)a.seed);
    for (int op = 0; op < KN_OPS && !rc; op++)
        for (int dir = 0; dir < KN_DIRS && !rc; dir++)
            rc = check_direction(&a, (enum kn_op)op, (enum kn_dir)dir, &checked, &failed);
    if (rc)
        return rc;
    if (!checked)
        return jrx_fail(JRX_EINVAL, "'%s' names no kernel that runs here; see joulerx list kernels", a.pattern);
    if (failed)
        return jrx_fail(JRX_ECHECK, "%d of %d kernels failed; repeat one with joulerx check NAME --seed=%llu", failed,
                        checked, (unsigned long long)a.seed);
    return 0;
}

const struct ex_command cmd_check = {
    .name = "check", .summary = "every kernel against its definition", .order = 35, .patient = 1, .run = run};
