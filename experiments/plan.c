/* What a run would do, without doing it: --dry-run. */
#include "experiments/runner.h"
#include "harness/clock.h"
#include "harness/meters/profile.h"
#include "kernels/probe.h"
#include <math.h>
#include <omp.h>
#include <stdio.h>

/* Power of the machine with `threads` of its CPUs busy, by the profile. */
static double power_w(const struct jrx_profile *profile, int threads)
{
    return profile->value[JRX_PACKAGE_STATIC] + profile->value[JRX_DRAM_STATIC] +
           threads * profile->value[JRX_BUSY_CPU];
}

double ex_guess_flop_per_s(int threads)
{
    const long steps = 200000; /* a few milliseconds of multiply-adds in registers */
    const double share = 0.3;  /* of that peak: what trainings of small networks reach */
    uint64_t start = jrx_clock_ns();
    volatile float kept = kn_probe_fma(steps);
    (void)kept;
    double peak = kn_probe_fma_flop() * (double)steps / (1e-9 * (double)(jrx_clock_ns() - start));
    return share * peak * (threads > 0 ? threads : omp_get_num_procs());
}

/* Cells and expected time of one experiment; its seconds are added to *total_s. */
static int list_one(const struct ex_settings *settings, const struct ex_experiment *experiment, FILE *to,
                    double *total_s)
{
    struct ex_plan plan = {.reps = 1};
    char text[16], label[128];
    int status = experiment->plan(settings, &plan);
    if (!status && plan.nothing)
        fprintf(to, "%s\tnothing to do in this preset: %s\n", experiment->name, plan.nothing);
    if (status || plan.nothing)
        return status;
    for (int cell = 0; cell < plan.cells; cell++) {
        experiment->label(settings, cell, label, sizeof label);
        fprintf(to, "%s\t%s\tx%d\n", experiment->name, label, plan.reps);
    }
    fprintf(to, "%s\tabout %s\n", experiment->name, jrx_progress_duration(plan.cells * plan.reps * plan.item_s, text));
    *total_s += plan.cells * plan.reps * plan.item_s;
    return 0;
}

/* The energy of so many seconds, with where that number is from. */
static void print_total(double total_s, int threads, const struct jrx_profile *profile, FILE *to)
{
    char text[16];
    const double kj = total_s * power_w(profile, threads) * 1e-3;
    fprintf(to, "about %s, and %.2g %s (estimated: profile %s at %.3g W)\n", jrx_progress_duration(total_s, text),
            kj < 1000  ? kj
            : kj < 1e6 ? kj * 1e-3
                       : kj * 1e-6,
            kj < 1000  ? "kJ"
            : kj < 1e6 ? "MJ"
                       : "GJ",
            profile->name, power_w(profile, threads));
}

int ex_session_expect(const struct ex_settings *settings, const char *profile_name,
                      const struct ex_experiment *const *list, size_t count, FILE *to)
{
    struct jrx_profile profile;
    char text[16];
    double total_s = 0;
    int status = jrx_profile_read(&profile, profile_name), named = 0;
    for (size_t i = 0; i < count && !status; i++) {
        struct ex_plan plan = {.reps = 1};
        status = list[i]->plan(settings, &plan);
        const double s = plan.nothing ? 0 : plan.cells * plan.reps * plan.item_s;
        if (s >= 1)
            fprintf(to, "%s %s %s", named++ ? "," : "expected:", list[i]->name, jrx_progress_duration(s, text));
        total_s += s;
    }
    if (status)
        return status;
    fprintf(to, "%s", named ? "; " : "expected: ");
    print_total(total_s, settings->threads, &profile, to);
    return 0;
}

int ex_session_list(const struct ex_session_options *options, const struct ex_experiment *const *list, size_t count,
                    FILE *to)
{
    struct ex_preset preset;
    struct ex_zoo *zoo = NULL;
    struct jrx_profile profile;
    struct ex_settings settings = {.preset = &preset,
                                   .seed = options->seed_given ? options->seed : 1,
                                   .threads = options->threads > 0 ? options->threads : omp_get_num_procs(),
                                   .flop_per_s = ex_guess_flop_per_s(options->threads)};
    double total_s = 0;
    int status = ex_options_preset(options, &preset);
    if (!status)
        status = ex_zoo_new(&zoo, &preset, settings.seed);
    settings.zoo = zoo;
    if (!status)
        status = jrx_profile_read(&profile, options->profile);
    for (size_t i = 0; i < count && !status; i++)
        status = list_one(&settings, list[i], to, &total_s);
    if (!status)
        print_total(total_s, settings.threads, &profile, to);
    ex_zoo_free(zoo);
    return status;
}
