/* What a run would do, without doing it: --dry-run. */
#include "experiments/runner.h"
#include "harness/clock.h"
#include "harness/meters/profile.h"
#include "kernels/probe.h"
#include "models/link/slot.h"
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

/* Power of the machine with `threads` of its CPUs busy, by the profile. */
static double power_w(const struct jrx_profile *profile, int threads)
{
    return profile->value[JRX_PACKAGE_STATIC] + profile->value[JRX_DRAM_STATIC] +
           threads * profile->value[JRX_BUSY_CPU];
}

/* ---- how fast this machine is, about ------------------------------------------------------------------------------
 */

/* The shortest of a few looks: what else the machine does makes them longer. */
static double shortest_s(void (*look)(void *), void *context)
{
    double best = INFINITY;
    for (int i = 0; i < 5; i++) {
        uint64_t start = jrx_clock_ns();
        look(context);
        best = fmin(best, 1e-9 * (double)(jrx_clock_ns() - start));
    }
    return best;
}

enum { LOOK_STEPS = 50000, LOOK_SLOTS = 4 };

static void multiply(void *context)
{
    (void)context;
    volatile float kept = kn_probe_fma(LOOK_STEPS);
    (void)kept;
}

struct drawing {
    struct lk_slot slot;
    const struct lk_config *link;
};

static void draw(void *context)
{
    struct drawing *drawing = context;
    for (uint64_t i = 0; i < LOOK_SLOTS; i++)
        lk_slot_draw(&drawing->slot, drawing->link, 1, i);
}

int ex_guess_speed(struct ex_settings *settings)
{
    struct drawing drawing = {.link = &settings->zoo->network[0].config.link};
    int status = lk_slot_init(&drawing.slot, drawing.link);
    if (status)
        return status;
    settings->slot_s = shortest_s(draw, &drawing) / LOOK_SLOTS;
    settings->flop_per_s = settings->threads * kn_probe_fma_flop() * LOOK_STEPS / shortest_s(multiply, NULL);
    lk_slot_fini(&drawing.slot);
    return 0;
}

/* ---- the list -----------------------------------------------------------------------------------------------------
 */

/* "3.2 kJ", into text[16]. */
static const char *joules(double j, char text[16])
{
    static const char *const units[] = {"J", "kJ", "MJ", "GJ"};
    int unit = 0;
    for (; unit < 3 && j >= 1000; unit++)
        j *= 1e-3;
    snprintf(text, 16, "%.*f %s", j < 10 && unit ? 1 : 0, j, units[unit]);
    return text;
}

/* What a list is made with. */
struct list {
    const struct ex_settings *settings;
    struct jrx_profile profile;
    FILE *to;
    int each; /* 1: every cell */
    double total_s;
};

#define ROW "%-32s %-44s %8s %12s\n"

static void print_line(const struct list *list, const char *name, const char *what, double s)
{
    char time[16], energy[16];
    fprintf(list->to, ROW, name, what, jrx_progress_duration(s, time),
            joules(s * power_w(&list->profile, list->settings->threads), energy));
}

/* The things that cells are parts of, where they take unlike times; and the cells themselves if they are asked for. */
static void print_cells(const struct list *list, const struct ex_experiment *experiment, const struct ex_plan *plan)
{
    char label[128], name[132], what[64];
    const int step = list->each || !plan->together ? 1 : plan->together;
    for (int cell = 0; cell < plan->cells && (list->each || (plan->together && experiment->cell_s)); cell += step) {
        const double s = experiment->cell_s ? experiment->cell_s(list->settings, cell) : plan->item_s;
        experiment->label(list->settings, cell, label, sizeof label);
        const int length = step > 1 && strrchr(label, ',') ? (int)(strrchr(label, ',') - label) : (int)strlen(label);
        snprintf(name, sizeof name, "  %.*s", length, label);
        if (step > 1)
            snprintf(what, sizeof what, "%d %s", step, plan->parts);
        else
            snprintf(what, sizeof what, "x %d", plan->reps);
        print_line(list, name, what, s * step * plan->reps);
    }
}

static int list_one(struct list *list, const struct ex_experiment *experiment)
{
    struct ex_plan plan = {.reps = 1};
    char what[96], times[32] = "";
    int status = experiment->plan(list->settings, &plan);
    if (!status && plan.nothing)
        fprintf(list->to, "%-32s nothing to do in this preset: %s\n", experiment->name, plan.nothing);
    else if (!status && !plan.cells)
        fprintf(list->to, "%-32s concludes from %s\n", experiment->name, experiment->needs);
    if (status || plan.nothing || !plan.cells)
        return status;
    const double s = plan.cells * plan.reps * plan.item_s;
    if (plan.reps > 1)
        snprintf(times, sizeof times, ", %d times each", plan.reps);
    if (plan.together)
        snprintf(what, sizeof what, "%d %s x %d %s%s", plan.cells / plan.together, plan.things, plan.together,
                 plan.parts, times);
    else
        snprintf(what, sizeof what, "%d cells%s", plan.cells, times);
    print_line(list, experiment->name, what, s);
    print_cells(list, experiment, &plan);
    list->total_s += s;
    return 0;
}

/* The energy of so many seconds, with where that number is from. */
static void print_total(double total_s, int threads, const struct jrx_profile *profile, FILE *to)
{
    char time[16], energy[16];
    const double w = power_w(profile, threads);
    fprintf(to, "about %s, and %s (estimated: profile %s at %.3g W)\n", jrx_progress_duration(total_s, time),
            joules(total_s * w, energy), profile->name, w);
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

int ex_session_list(const struct ex_session_options *options, const struct ex_experiment *const *experiments,
                    size_t count, FILE *to)
{
    struct ex_preset preset;
    struct ex_zoo *zoo = NULL;
    struct ex_settings settings = {.preset = &preset,
                                   .seed = options->seed_given ? options->seed : 1,
                                   .threads = options->threads > 0 ? options->threads : omp_get_num_procs()};
    struct list list = {.settings = &settings, .to = to, .each = options->dry > 1};
    int status = ex_options_preset(options, &preset);
    if (!status)
        status = ex_zoo_new(&zoo, &preset, settings.seed);
    settings.zoo = zoo;
    if (!status)
        status = ex_guess_speed(&settings);
    if (!status)
        status = jrx_profile_read(&list.profile, options->profile);
    if (!status)
        fprintf(to, ROW, "experiment", "", "time", "est. energy");
    for (size_t i = 0; i < count && !status; i++)
        status = list_one(&list, experiments[i]);
    if (!status)
        print_total(list.total_s, settings.threads, &list.profile, to);
    ex_zoo_free(zoo);
    return status;
}
