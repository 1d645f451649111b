/* What a run would do, without doing it: --dry-run. */
#include "experiments/runner.h"
#include "harness/meters/profile.h"
#include <math.h>
#include <omp.h>
#include <stdio.h>

/* Power of the machine with `threads` of its CPUs busy, by the profile. */
static double power_w(const struct jrx_profile *profile, int threads)
{
    return profile->value[JRX_PACKAGE_STATIC] + profile->value[JRX_DRAM_STATIC] +
           threads * profile->value[JRX_BUSY_CPU];
}

int ex_session_list(const struct ex_session_options *options, const struct ex_experiment *const *list, size_t count,
                    FILE *to)
{
    struct ex_preset preset;
    struct jrx_profile profile;
    const struct ex_settings settings = {.preset = &preset,
                                         .seed = options->seed_given ? options->seed : 1,
                                         .threads = options->threads > 0 ? options->threads : omp_get_num_procs()};
    char text[16], label[128];
    double total_s = 0;
    int status = ex_options_preset(options, &preset);
    if (!status)
        status = jrx_profile_read(&profile, options->profile);
    for (size_t i = 0; i < count && !status; i++) {
        struct ex_plan plan = {.reps = 1};
        status = list[i]->plan(&settings, &plan);
        for (int cell = 0; cell < plan.cells && !status; cell++) {
            list[i]->label(&settings, cell, label, sizeof label);
            fprintf(to, "%s\t%s\tx%d\n", list[i]->name, label, plan.reps);
        }
        total_s += plan.cells * plan.reps * plan.item_s;
    }
    if (!status)
        fprintf(to, "about %s, and %.2g kJ (estimated: profile %s at %.3g W)\n", jrx_progress_duration(total_s, text),
                total_s * power_w(&profile, settings.threads) * 1e-3, profile.name,
                power_w(&profile, settings.threads));
    return status;
}
