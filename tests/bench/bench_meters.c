/*
 * make bench-meters: how well windows measure, against meters whose truth is known. Prints each figure beside its
 * target and writes them as CSV; exit 1 if a target is missed.
 *
 *     bench_meters CSV [SCALE]        SCALE 0.1 does a tenth of the windows
 */
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/stats.h"
#include "harness/window.h"
#include "tests/support/fake_meter.h"
#include "tests/support/powercap_fs.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct bench {
    FILE *csv;
    double scale;
    int missed;
};

/* One figure; `at_least` and `at_most` are its target, NAN where there is none. */
static void figure(struct bench *b, const char *name, double value, const char *unit, double at_least, double at_most)
{
    int missed = value < at_least || value > at_most || isnan(value);
    b->missed |= missed;
    printf("%-58s %10.4g %-6s", name, value, unit);
    if (!isnan(at_least))
        printf(" >= %g", at_least);
    if (!isnan(at_most))
        printf(" <= %g", at_most);
    printf("%s\n", missed ? "   MISSED" : "");
    fprintf(b->csv, "%s,%.17g,%s,", name, value, unit);
    fprintf(b->csv, isnan(at_least) ? "," : "%g,", at_least);
    fprintf(b->csv, isnan(at_most) ? "," : "%g,", at_most);
    fprintf(b->csv, "%d\n", !missed);
    fflush(stdout);
}

static void spin(void *ns)
{
    uint64_t until = jrx_clock_ns() + *(uint64_t *)ns;
    while (jrx_clock_ns() < until)
        ;
}

struct errors {
    double square, inside, n, failed;
};

static void add(struct errors *e, const struct jrx_window_result *r, double power_w)
{
    double truth_j = power_w * 1e-9 * (double)r->time_ns, error_j = r->total_j - truth_j;
    if (r->status) {
        e->failed++;
        return;
    }
    e->square += error_j * error_j / (truth_j * truth_j);
    e->inside += fabs(error_j) <= r->total_uncertainty_j;
    e->n++;
}

/* What two plain reads around the region give: the way of tools that do not look for edges. */
static double unaligned_error(struct fake *fake, uint64_t ns, double power_w)
{
    struct jrx_reading a, b;
    uint64_t delta = 0;
    jrx_meter_read(&fake->meter, 0, &a);
    spin(&ns);
    jrx_meter_read(&fake->meter, 0, &b);
    jrx_counter_delta(a.count, b.count, fake->meter.domain[0].counter.range, &delta);
    return (double)delta * fake->unit_j / (power_w * 1e-9 * (double)(b.before_ns - a.before_ns)) - 1;
}

/* Constant power, so the truth of a window is power times time whatever the machine does meanwhile. */
static void windows_of_a_fake(struct bench *b)
{
    static struct fake fake;
    struct jrx_window window;
    struct jrx_window_result result;
    struct errors e = {0};
    uint64_t ns = 10000000;
    double plain = 0;
    const struct jrx_region region = {.fn = spin, .ctx = &ns};
    int windows = (int)(2000 * b->scale);
    fake_init(&fake, 1, 100, 2024);
    if (jrx_window_open(&window, &fake.meter, 0))
        return;
    for (int i = 0; i < windows; i++) {
        /* the phase of the workload against the counter is drawn anew */
        jrx_clock_sleep_until(jrx_clock_ns() + jrx_rng_below(&fake.domain[0].rng, 1000000));
        jrx_window_measure(&window, &region, 1, &result);
        add(&e, &result, 100);
        if (i % 8 == 0)
            plain += pow(unaligned_error(&fake, ns, 100), 2);
    }
    jrx_window_close(&window);
    figure(b, "10 ms windows on a jittered counter: rms error", 100 * sqrt(e.square / e.n), "%", NAN, 0.1);
    figure(b, "  the same by two plain reads", 100 * sqrt(plain / ((windows + 7) / 8)), "%", NAN, NAN);
    figure(b, "  windows whose 95 % interval holds the truth", 100 * e.inside / e.n, "%", 93, 97);
    figure(b, "  windows without a number", e.failed, "1", NAN, 0);
}

static void windows_of_the_file_system(struct bench *b)
{
    static const char *const options[] = {"--zone=intel-rapl:0,package-0,61035,100", NULL};
    static struct jrx_meter meter;
    struct powercap_fs fs;
    struct jrx_window window;
    struct jrx_window_result result;
    struct errors e = {0};
    uint64_t ns = 10000000;
    const struct jrx_region region = {.fn = spin, .ctx = &ns};
    if (powercap_fs_start(&fs, options)) {
        printf("powercap stand-in: left out, %s\n", fs.why);
        return;
    }
    const struct jrx_meter_config config = {.sysfs = fs.mount};
    if (jrx_meter_open(&meter, "powercap", &config) || jrx_window_open(&window, &meter, 0)) {
        printf("powercap stand-in: %s\n", jrx_last_error());
    } else {
        for (int i = 0; i < 500 * b->scale; i++) {
            jrx_window_measure(&window, &region, 1, &result);
            add(&e, &result, 100);
        }
        /* each read goes through two processes here: tens of microseconds, where sysfs takes one */
        figure(b, "10 ms windows through FUSE: rms error", 100 * sqrt(e.square / e.n), "%", NAN, NAN);
        figure(b, "  time of one read", 1e6 * window.read_s, "us", NAN, NAN);
        figure(b, "  windows whose 95 % interval holds the truth", 100 * e.inside / e.n, "%", NAN, NAN);
        jrx_window_close(&window);
    }
    jrx_meter_close(&meter);
    powercap_fs_stop(&fs);
}

struct load {
    uint64_t steps;
    volatile double sink;
    double cpu_ns; /* of the last call */
};

static void work(void *arg)
{
    struct load *load = arg;
    uint64_t start = jrx_clock_thread_ns();
    double x = 1;
    for (uint64_t i = 0; i < load->steps; i++)
        x = x * 1.0000001 + 1e-9;
    load->sink = x;
    load->cpu_ns = (double)(jrx_clock_thread_ns() - start);
}

static void ratio_figure(struct bench *b, const char *name, const double *a, const double *base, size_t n,
                         double at_most)
{
    struct jrx_estimate ratio;
    char text[96];
    const struct jrx_sample sample = {.a = a, .b = base, .n = n};
    const struct jrx_bootstrap how = {.level = 0.95, .draws = 2000, .seed = 1};
    if (jrx_bootstrap(&sample, JRX_MEDIAN_RATIO, &how, &ratio))
        return;
    figure(b, name, 100 * (ratio.value - 1), "%", NAN, at_most);
    snprintf(text, sizeof text, "  95 %% interval from %.2f %% to %.2f %%; pairs", 100 * (ratio.low - 1),
             100 * (ratio.high - 1));
    figure(b, text, (double)n, "1", NAN, NAN);
}

/* The same fixed work of about 1 s, bare and inside a window, by turns; thread CPU time, since other programs run too.
 */
static void cost_of_measuring(struct bench *b)
{
    static struct fake fake;
    enum { PAIRS = 15 };
    double bare[PAIRS], inside[PAIRS], whole[PAIRS];
    struct jrx_window window;
    struct jrx_window_result result;
    struct load load = {.steps = 100000000};
    const struct jrx_region region = {.fn = work, .ctx = &load};
    size_t pairs = (size_t)fmax(5, PAIRS * b->scale);
    fake_init(&fake, 1, 100, 7);
    work(&load);
    load.steps = (uint64_t)(1e8 * 1e9 / load.cpu_ns);
    if (jrx_window_open(&window, &fake.meter, 0))
        return;
    for (size_t i = 0; i < pairs; i++)
        for (size_t half = 0; half < 2; half++) {
            uint64_t start = jrx_clock_thread_ns();
            if (half == i % 2) {
                work(&load);
                bare[i] = load.cpu_ns;
                continue;
            }
            jrx_window_measure(&window, &region, 1, &result);
            whole[i] = (double)(jrx_clock_thread_ns() - start);
            inside[i] = load.cpu_ns;
        }
    jrx_window_close(&window);
    ratio_figure(b, "1 s of work, run time measured over bare", inside, bare, pairs, 0.5);
    ratio_figure(b, "  with the wait for both edges", whole, bare, pairs, NAN);
}

/* 24 h at 400 W with a counter of 2^-16 J units, truncated to microjoules as the kernel does, in simulated time. */
static void a_day(struct bench *b)
{
    const uint64_t modulus = (uint64_t)4294967296 * 15258 / 1000, day_ns = 86400000000000;
    const double unit_j = 15258e-9;
    struct jrx_counter c = {
        .range = modulus, .j_per_count = 1e-6, .provable_j = (double)modulus * 1e-6, .p_max_w = 1000};
    struct jrx_tally t;
    uint64_t step_ns = (uint64_t)(jrx_counter_period_s(&c) * 1e9), units = 0;
    jrx_tally_start(&t, 0, 0);
    for (uint64_t now = step_ns, last = 0; last < day_ns; last = now, now += step_ns) {
        now = now < day_ns ? now : day_ns;
        units = (uint64_t)(400e-9 * (double)now / unit_j);
        jrx_tally_add(&t, &c, (uint64_t)((unsigned __int128)(units % 4294967296) * 15258 / 1000), now);
    }
    figure(b, "24 h at 400 W: wraps", t.wraps, "1", NAN, NAN);
    figure(b, "  error in counter units a wrap", fabs(jrx_tally_j(&t, &c) - (double)units * unit_j) / unit_j / t.wraps,
           "1", NAN, 1);
}

int main(int argc, char **argv)
{
    struct bench b = {.csv = argc > 1 ? fopen(argv[1], "w") : NULL, .scale = argc > 2 ? atof(argv[2]) : 1};
    if (!b.csv || !(b.scale > 0)) {
        fprintf(stderr, "usage: bench_meters CSV [SCALE]\n");
        return 2;
    }
    fputs("figure,value,unit,at_least,at_most,met\n", b.csv);
    a_day(&b);
    windows_of_a_fake(&b);
    windows_of_the_file_system(&b);
    cost_of_measuring(&b);
    if (fclose(b.csv)) {
        perror(argv[1]);
        return 1;
    }
    return b.missed;
}
