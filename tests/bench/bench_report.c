#include "tests/bench/bench_report.h"
#include <float.h>
#include <math.h>
#include <string.h>

/*
 * What is asked of the geometric mean of a group: of the best peer's time over ours (other meanings where said), and of
 * the share of the peak. One case alone may miss it by a tenth.
 */
struct bar {
    const char *group;
    double ratio, peak; /* 0: none */
};
static const struct bar bars[] = {
    {"pointwise fwd", 0.97, 0},
    {"pointwise bwd_data", 0.97, 0},
    {"pointwise bwd_weights", 0.93, 0},
    {"conv3x3 fwd wide", 0.95, 0},
    {"conv3x3 bwd_data wide", 0.95, 0},
    {"conv3x3 bwd_weights wide", 0.95, 0},
    {"conv3x3 fwd ends", 0.85, 0},
    {"conv3x3 bwd_data ends", 0.85, 0},
    {"conv3x3 bwd_weights ends", 0.85, 0},
    {"depthwise fwd plain", 1.5, 0},
    {"depthwise fwd dilated", 1.5, 0},
    {"depthwise bwd_data plain", 1.8, 0},
    {"depthwise bwd_data dilated", 15, 0},
    {"depthwise bwd_weights plain", 1.0, 0},
    {"depthwise bwd_weights dilated", 15, 0},
    {"depthwise fwd multiplier 2", 6, 0},
    {"depthwise bwd_data multiplier 2", 6, 0},
    {"depthwise bwd_weights multiplier 2", 6, 0},
    {"separable fwd", 1.08, 0.90},
    {"depthwise bwd_data dilated, turned", 1.4, 0}, /* the peer's forward call with turned weights */
    {"depthwise fwd, of a copy", 0.80, 0},          /* a copy of the input; batch 8, 128 channels and more */
    {"baseline, of ref", 4, 0},                     /* the naive reference */
};

/* AVX2 variants beside the AVX-512 ones, each as a share of its own peak. */
static const double bar_of_widths = 0.85;

static const struct bar *bar_of(const char *group)
{
    for (size_t i = 0; i < sizeof bars / sizeof *bars; i++)
        if (!strcmp(bars[i].group, group))
            return &bars[i];
    return NULL;
}

char *bench_group_name(enum kn_op op, enum kn_dir dir, const struct kn_shape *s, char *text, size_t size)
{
    int one_kind = op == KN_POINTWISE || op == KN_SEPARABLE;
    const char *kind = one_kind                  ? ""
                       : op == KN_CONV3X3        ? s->ic < 64 || s->oc < 64 ? " ends" : " wide"
                       : s->oc > s->ic           ? " multiplier 2"
                       : s->dil_f * s->dil_t > 1 ? " dilated"
                                                 : " plain";
    snprintf(text, size, "%s %s%s", kn_op_name(op), kn_dir_name(dir), kind);
    return text;
}

void bench_report_begin(struct bench_report *report)
{
    fprintf(report->csv, "group,layer,grid,batch,threads,role,who,samples,time_min_ns,time_median_ns,time_q25_ns,"
                         "time_q75_ns,flop,flop_per_s,peak_ratio,best_peer_ratio,bar_ratio,disturbed\n");
}

static struct bench_group *group_of(struct bench_report *report, const char *name)
{
    int i = 0;
    while (i < report->groups && strcmp(report->group[i].name, name) != 0)
        i++;
    if (i == report->groups && report->groups < BENCH_MAX_GROUPS) {
        report->group[report->groups++] = (struct bench_group){.worst = DBL_MAX};
        snprintf(report->group[i].name, sizeof report->group[i].name, "%s", name);
    }
    return &report->group[i];
}

const struct bench_runner *bench_best(const struct bench_case *c, enum bench_role role)
{
    const struct bench_runner *best = NULL;
    for (int i = 0; i < c->count; i++)
        if (c->runner[i].peer.role == role && (!best || c->runner[i].summary.median < best->summary.median))
            best = &c->runner[i];
    return best;
}

/* The least time that any of a role took. */
static double least_of(const struct bench_case *c, enum bench_role role)
{
    double least = DBL_MAX;
    for (int i = 0; i < c->count; i++)
        if (c->runner[i].peer.role == role)
            least = fmin(least, c->runner[i].summary.min);
    return least;
}

static double median_of(const struct bench_case *c, enum bench_role role)
{
    const struct bench_runner *best = bench_best(c, role);
    return best ? best->summary.median : NAN;
}

/* FLOP/s of the fastest sample: what slows the peak down is never the code. */
static double peak_of(const struct bench_case *c, enum bench_role role)
{
    const struct bench_runner *peak = bench_best(c, role);
    return peak ? bench_peak_flop(role, c->threads) / peak->summary.min : NAN;
}

/* `least` and `peak` NAN: not known of this group. */
static void add_ratio(struct bench_report *report, const struct bench_case *c, const char *name, double ratio,
                      double least, double peak)
{
    const struct bar *bar = bar_of(name);
    if (!(ratio > 0))
        return;
    struct bench_group *g = group_of(report, name);
    g->log_ratio += log(ratio);
    g->log_least += log(least);
    if (ratio < g->worst) {
        g->worst = ratio;
        snprintf(g->worst_case, sizeof g->worst_case, "%s n=%d threads=%d", c->layer, c->shape.n, c->threads);
    }
    g->below += bar && ratio < 0.9 * bar->ratio;
    g->count++;
    if (peak > 0) {
        g->log_peak += log(peak);
        g->peaks++;
    }
}

/* Copies and peaks are told apart by their names. */
static const char *const roles[BENCH_ROLES] = {"ours",   "sibling", "baseline", "reference", "peer", "turned",
                                               "beside", "copy",    "copy",     "peak",      "peak"};

enum bench_role bench_role_find(const char *role, const char *who)
{
    int i = 0;
    while (i < BENCH_PEAK && strcmp(roles[i], role) != 0)
        i++;
    if (i == BENCH_COPY && strstr(who, "non-temporal"))
        return BENCH_STREAM;
    if (i == BENCH_PEAK && bench_peak_flop(BENCH_PEAK_NARROW, 1) > 0 && !strcmp(who, "peak avx2"))
        return BENCH_PEAK_NARROW;
    return (enum bench_role)i;
}

static void write_rows(struct bench_report *report, const struct bench_case *c, const char *group, double flop)
{
    double peak = peak_of(c, BENCH_PEAK), peer = median_of(c, BENCH_PEER);
    const struct bar *bar = bar_of(group);
    for (int i = 0; i < c->count; i++) {
        const struct bench_runner *r = &c->runner[i];
        enum bench_role role = r->peer.role;
        int is_peak = role == BENCH_PEAK || role == BENCH_PEAK_NARROW,
            is_copy = role == BENCH_COPY || role == BENCH_STREAM;
        double work = is_peak ? bench_peak_flop(role, c->threads) : flop, per_s = work / r->summary.median;
        fprintf(report->csv, "%s,%s,%dx%d,%d,%d,%s,\"%s\",%d,%.0f,%.0f,%.0f,%.0f,", group, c->layer, c->shape.f,
                c->shape.t, c->shape.n, c->threads, roles[role], r->peer.name, r->taken, r->summary.min * 1e9,
                r->summary.median * 1e9, r->summary.q25 * 1e9, r->summary.q75 * 1e9);
        if (is_copy) /* no FLOP: empty, not 0 */
            fprintf(report->csv, ",,,");
        else
            fprintf(report->csv, "%.0f,%.17g,%.4f,", work, per_s, per_s / peak);
        if (!isnan(peer))
            fprintf(report->csv, "%.4f", peer / r->summary.median);
        if (bar)
            fprintf(report->csv, ",%.2f,%d\n", bar->ratio, c->disturbed);
        else
            fprintf(report->csv, ",,%d\n", c->disturbed);
    }
    fflush(report->csv); /* what an interrupted run has measured is kept */
}

/* The ratios beside the one to the best peer. */
static void add_others(struct bench_report *report, const struct bench_case *c, const char *group, double flop)
{
    const struct bench_runner *ours = bench_best(c, BENCH_OURS);
    double median = ours->summary.median, least = ours->summary.min;
    char name[96];
    snprintf(name, sizeof name, "%s, turned", group);
    double turned = median_of(c, BENCH_TURNED), copy = median_of(c, BENCH_COPY), avx2 = median_of(c, BENCH_SIBLING);
    add_ratio(report, c, name, turned / median, least_of(c, BENCH_TURNED) / least, NAN);
    if (!isnan(turned))
        printf("%46s %.2f x the peer's forward call with turned weights\n", "", turned / median);
    if (!isnan(copy)) {
        add_ratio(report, c, "depthwise fwd, of a copy", copy / median, least_of(c, BENCH_COPY) / least, NAN);
        printf("%46s %.0f %% of a copy's speed, %.0f %% of a non-temporal copy's\n", "", 100 * copy / median,
               100 * median_of(c, BENCH_STREAM) / median);
    }
    double wide = flop / median / peak_of(c, BENCH_PEAK), narrow = flop / avx2 / peak_of(c, BENCH_PEAK_NARROW);
    if (!isnan(narrow)) {
        struct bench_widths *w = &report->widths[c->op][c->dir];
        w->log_narrow += log(narrow);
        w->log_wide += log(wide);
        w->log_speed += log(median / avx2);
        w->count++;
    }
    double baseline = median_of(c, BENCH_BASELINE), reference = median_of(c, BENCH_REFERENCE);
    add_ratio(report, c, "baseline, of ref", reference / baseline,
              least_of(c, BENCH_REFERENCE) / least_of(c, BENCH_BASELINE), flop / baseline / peak_of(c, BENCH_PEAK));
    if (!isnan(baseline))
        printf("%46s baseline %.1f times as fast as the reference\n", "", reference / baseline);
}

void bench_report_case(struct bench_report *report, const struct bench_case *c)
{
    char group[64];
    double flop = kn_flop(c->op, c->dir, &c->shape);
    bench_group_name(c->op, c->dir, &c->shape, group, sizeof group);
    const struct bench_runner *ours = bench_best(c, BENCH_OURS), *peer = bench_best(c, BENCH_PEER);
    double peak = peak_of(c, BENCH_PEAK), share = flop / ours->summary.median / peak;
    report->disturbed += c->disturbed;
    printf("%-30s %-15s n=%d threads=%d  %8.3f ms (%.3f..%.3f)  %3.0f %% of %.0f GFLOP/s", group, c->layer, c->shape.n,
           c->threads, ours->summary.median * 1e3, ours->summary.q25 * 1e3, ours->summary.q75 * 1e3, 100 * share,
           peak / 1e9);
    if (peer)
        printf("  %5.2f x %s (minima %.2f)", peer->summary.median / ours->summary.median, peer->peer.name,
               least_of(c, BENCH_PEER) / ours->summary.min);
    if (bench_best(c, BENCH_BESIDE))
        printf("; Winograd, not counted: %.2f", median_of(c, BENCH_BESIDE) / ours->summary.median);
    printf(c->disturbed ? "; disturbed\n" : "\n");
    if (peer)
        add_ratio(report, c, group, peer->summary.median / ours->summary.median,
                  least_of(c, BENCH_PEER) / ours->summary.min, share);
    add_others(report, c, group, flop);
    write_rows(report, c, group, flop);
    fflush(stdout);
}

static const char *verdict(int reached)
{
    return reached ? "PASS" : "MISS";
}

static void end_group(const struct bench_report *report, const struct bench_group *g)
{
    const struct bar *bar = bar_of(g->name);
    double ratio = exp(g->log_ratio / g->count), peak = g->peaks ? exp(g->log_peak / g->peaks) : NAN;
    int reached = bar && ratio >= bar->ratio && (bar->peak <= 0 || peak >= bar->peak);
    char asked[16] = "", of_peak[16] = "", asked_peak[16] = "", below[16] = "";
    if (bar) {
        snprintf(asked, sizeof asked, "%.2f", bar->ratio);
        snprintf(below, sizeof below, "%d", g->below);
    }
    if (g->peaks)
        snprintf(of_peak, sizeof of_peak, "%.1f %%", 100 * peak);
    if (bar && bar->peak > 0)
        snprintf(asked_peak, sizeof asked_peak, "%.0f %%", 100 * bar->peak);
    printf("%-36s %5d %8.3f %6s %-5s %7.2f %6s  %9.3f %8s %5s  %s\n", g->name, g->count, ratio, asked,
           bar ? verdict(reached) : "", g->worst, below, exp(g->log_least / g->count), of_peak, asked_peak,
           g->worst_case);
    fprintf(report->groups_csv, "\"%s\",%d,%.4f,%s,%s,%.4f,%s,%s,%.4f,", g->name, g->count, ratio, asked,
            bar ? verdict(reached) : "", g->worst, g->worst_case, below, exp(g->log_least / g->count));
    if (g->peaks)
        fprintf(report->groups_csv, "%.4f", peak);
    if (bar && bar->peak > 0)
        fprintf(report->groups_csv, ",%.2f\n", bar->peak);
    else
        fprintf(report->groups_csv, ",\n");
}

/* On a CPU whose AVX-512 has twice the peak of AVX2 a share of speed would say nothing of the code: hence shares of the
 * own peak. Where the peaks are equal the two are the same. */
static void end_widths(const struct bench_report *report)
{
    printf("\n%-36s %5s %8s %6s %-5s %12s %14s %8s\n", "AVX2 beside AVX-512", "cases", "geomean", "bar", "",
           "AVX2 of peak", "AVX-512 of peak", "speed");
    for (int op = 0; op < KN_OPS; op++)
        for (int dir = 0; dir < KN_DIRS; dir++) {
            const struct bench_widths *w = &report->widths[op][dir];
            if (!w->count)
                continue;
            char name[64];
            double narrow = exp(w->log_narrow / w->count), wide = exp(w->log_wide / w->count), ratio = narrow / wide;
            double speed = exp(w->log_speed / w->count);
            snprintf(name, sizeof name, "%s %s, AVX2", kn_op_name((enum kn_op)op), kn_dir_name((enum kn_dir)dir));
            printf("%-36s %5d %8.3f %6.2f %-5s %10.1f %% %13.1f %% %8.2f\n", name, w->count, ratio, bar_of_widths,
                   verdict(ratio >= bar_of_widths), 100 * narrow, 100 * wide, speed);
            fprintf(report->groups_csv, "\"%s\",%d,%.4f,%.2f,%s,,,,,%.4f,\n", name, w->count, ratio, bar_of_widths,
                    verdict(ratio >= bar_of_widths), narrow);
        }
    printf("The bar is for shares of each one's own measured peak; speed is AVX2's beside AVX-512's.\n");
}

void bench_report_end(const struct bench_report *report)
{
    fprintf(report->groups_csv, "group,cases,ratio,bar_ratio,verdict,worst_ratio,worst_case,cases_below,minima_ratio,"
                                "peak_ratio,bar_peak_ratio\n");
    printf("\n%-36s %5s %8s %6s %-5s %7s %6s  %9s %8s %5s  %s\n", "group", "cases", "geomean", "bar", "", "worst",
           "below", "of minima", "of peak", "bar", "worst case");
    for (int i = 0; i < report->groups; i++)
        end_group(report, &report->group[i]);
    end_widths(report);
    printf("\nRatios are the best peer's median time over ours. A bar is one of the geometric mean; below: cases more "
           "than "
           "a tenth short of it.\n");
    if (report->disturbed)
        printf(
            "%d cases were disturbed: the peak, ours or the best peer wavered by a quarter each time it was tried. Run "
            "on an idle machine.\n",
            report->disturbed);
    fflush(stdout);
}
