/*
 * make bench-fit: a fit of 100,000 rows with 1,000 bootstrap draws of blocks, beside SciPy (bench_fit.py) on the same
 * rows, in turn, each on one thread: as people write it (draw blocks, gather their rows, solve), and with our trick
 * (reduce each block once, stack what is left). Ours does more meanwhile: left-out errors, robust fit, diagnostics.
 * Wall time by each side's own clock; prints CSV. Arguments: rounds (3), rows, draws.
 */
#include "harness/base/error.h"
#include "harness/base/rng.h"
#include "harness/clock.h"
#include "models/energy/fit.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLS = 5, BLOCKS = 100 };
static const char *const names[COLS] = {"1", "flop", "l2", "l3", "dram"};
static const char path[] = "build/bench_fit.rows";

struct rows {
    size_t count;
    double *x, *y;
    int *group;
};

static int make(struct rows *r)
{
    struct jrx_rng rng;
    jrx_rng_init(&rng, 1, 0);
    r->x = malloc(r->count * COLS * sizeof *r->x);
    r->y = malloc(r->count * sizeof *r->y);
    r->group = malloc(r->count * sizeof *r->group);
    if (!r->x || !r->y || !r->group)
        return jrx_fail(JRX_ENOMEM, "bench-fit: no memory for %zu rows", r->count);
    for (size_t i = 0; i < r->count; i++) {
        double normal[2];
        jrx_rng_normal2(&rng, &normal[0], &normal[1]);
        r->group[i] = (int)(i % BLOCKS);
        r->y[i] = normal[0];
        for (int j = 0; j < COLS; j++) {
            r->x[i + (size_t)j * r->count] = j ? jrx_rng_uniform(&rng) : 1;
            r->y[i] += (j + 1) * r->x[i + (size_t)j * r->count];
        }
    }
    return 0;
}

static int hand_over(const struct rows *r)
{
    const double cols = COLS;
    FILE *to = fopen(path, "wb");
    size_t put = to ? fwrite(&cols, sizeof cols, 1, to) + fwrite(r->x, sizeof *r->x, r->count * COLS, to) +
                          fwrite(r->y, sizeof *r->y, r->count, to)
                    : 0;
    return to && !fclose(to) && put == 1 + r->count * (COLS + 1) ? 0 : jrx_fail(JRX_EIO, "%s: cannot be written", path);
}

/* Seconds, then coefficients and both ends of their intervals. */
enum { ANSWERS = 1 + 3 * COLS };

static int ours(const struct rows *r, int draws, double *answer)
{
    const struct em_data data = {r->count, COLS, r->x, r->y, names, r->group, BLOCKS};
    const struct em_fit_options options = {.resamples = draws, .confidence_ratio = 0.95, .seed = 1};
    struct em_fit fit;
    uint64_t start_ns = jrx_clock_ns();
    int status = em_fit_init(&fit, &data, &options);
    answer[0] = 1e-9 * (double)(jrx_clock_ns() - start_ns);
    for (int j = 0; j < COLS && !status; j++) {
        answer[1 + j] = fit.coefficient[j].value;
        answer[1 + COLS + j] = fit.coefficient[j].interval.low;
        answer[1 + 2 * COLS + j] = fit.coefficient[j].interval.high;
    }
    em_fit_fini(&fit);
    return status;
}

static int theirs(const char *how, int draws, double *answer)
{
    char command[512];
    snprintf(command, sizeof command,
             "echo go | OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 /usr/bin/python3 tests/bench/bench_fit.py %s %d %d %s",
             path, draws, BLOCKS, how);
    FILE *from = popen(command, "r"); /* a shell line of our own making */
    int got = from && fscanf(from, "ready") == 0 ? 0 : -1;
    for (int i = 0; i < ANSWERS && got == i; i++)
        got += fscanf(from, "%lf", &answer[i]) == 1;
    if (from)
        pclose(from);
    return got == ANSWERS ? 0 : jrx_fail(JRX_EUNAVAILABLE, "no answer of SciPy; install python3-scipy");
}

/* The same coefficients to 9 digits; intervals of other random numbers to a tenth of their width. */
static int agree(const double *a, const double *b)
{
    int same = 1;
    for (int j = 0; j < COLS; j++) {
        double width = a[1 + 2 * COLS + j] - a[1 + COLS + j];
        same &= fabs(a[1 + j] - b[1 + j]) < 1e-9 * fabs(a[1 + j]);
        for (int end = 1; end < 3; end++)
            same &= fabs(a[1 + end * COLS + j] - b[1 + end * COLS + j]) < 0.1 * width;
    }
    return same;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 3, draws = argc > 3 ? atoi(argv[3]) : 1000, same = 1;
    struct rows r = {.count = argc > 2 ? (size_t)atol(argv[2]) : 100000};
    int status = make(&r);
    if (!status)
        status = hand_over(&r);
    printf("round,rows,draws,ours_s,scipy_rows_s,scipy_blocks_s,rows_ratio,blocks_ratio\n");
    for (int round = 0; round < rounds && !status; round++) {
        double a[ANSWERS], b[ANSWERS], c[ANSWERS];
        if ((status = ours(&r, draws, a)) || (status = theirs("rows", draws, b)) ||
            (status = theirs("blocks", draws, c)))
            break;
        same &= agree(a, b) && agree(a, c);
        printf("%d,%zu,%d,%.3f,%.3f,%.3f,%.1f,%.1f\n", round, r.count, draws, a[0], b[0], c[0], b[0] / a[0],
               c[0] / a[0]);
        fflush(stdout);
    }
    if (!status && !same)
        status = jrx_fail(JRX_ECHECK, "coefficients or intervals differ");
    if (status)
        fprintf(stderr, "bench-fit: %s\n", jrx_last_error());
    unlink(path);
    free(r.x);
    free(r.y);
    free(r.group);
    return status != 0;
}
