#include "experiments/trainer_loop.h"
#include "experiments/figure.h"
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/interrupt.h"
#include "harness/progress.h"
#include "harness/table.h"
#include "harness/window.h"
#include "models/receiver/validate.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct jrx_column columns[] = {
    {"step", JRX_INTEGER, "steps done"},
    {"slots", JRX_INTEGER, "slots trained on"},
    {"rate_ratio", JRX_REAL, "learning rate of the last step"},
    {"loss_bit", JRX_REAL, "what is minimised, a bit; mean over the steps since the row before, or since resuming"},
    {"bce_bit", JRX_REAL, "cross-entropy against the bits alone, a bit; mean over the same steps"},
    {"ber_ratio", JRX_REAL, "bit errors over bits of the same steps"},
    {"validation_bce_bit", JRX_REAL, "cross-entropy a bit on the validation slots, always the same, over TDL-A and E"},
    {"validation_ber_ratio", JRX_REAL, "bit errors over bits on them"},
    {"speed_slots_per_s", JRX_REAL, "slots a second while training, without validation and checkpoints"},
    {"time_s", JRX_REAL, "time of all steps so far, the teacher's inference included, in all runs; measured"},
    {"energy_j", JRX_REAL, "energy of all steps so far, likewise, of the source in energy_source"},
    {"energy_source", JRX_TEXT, "measured, replayed or estimated"},
    {"left_s", JRX_REAL, "time left as this run went so far"},
};
static const struct jrx_schema schema = {"curve", columns, sizeof columns / sizeof *columns};

/* One run of the loop. */
struct state {
    const struct ex_loop *loop;
    struct rx_train *train;
    struct jrx_meter meter;
    struct jrx_window window;
    struct rx_validation validation;
    struct jrx_table *table;
    struct jrx_progress progress;
    int64_t begin, every; /* the step at which this run began; steps of a stretch */
    uint64_t begin_ns;
    /* the stretch: */
    int64_t until;
    int status;
    double speed; /* slots a second */
    struct nn_loss_sum sum, validated;
};

static int64_t stretch_steps(const struct ex_loop *loop, const struct rx_train_config *config)
{
    enum { SLOTS = 2048 }; /* large networks: lose minutes when killed, not hours */
    const int64_t hundredth = (config->schedule.steps + 99) / 100, few = (SLOTS + config->batch - 1) / config->batch;
    return loop->every ? loop->every : hundredth < few ? hundredth : few;
}

size_t ex_loop_bytes(const struct ex_loop *loop, const struct rx_train *train)
{
    const struct lk_config link = rx_validation_link(&train->config.link);
    return loop->validation ? rx_validation_bytes(&train->student.net, &link, loop->validation, loop->threads) : 0;
}

/* ---- a stretch ---- */

/* The region that is measured: steps, and nothing else. */
static void steps(void *context)
{
    struct state *s = context;
    while (!s->status && s->train->step < s->until && !jrx_interrupted()) {
        s->status = rx_train_step(s->train);
        if (!s->status)
            nn_loss_join(&s->sum, &s->train->last);
    }
}

/* What was measured before with another source cannot be added to. */
static void spend(struct rx_spent *spent, const struct jrx_window_result *result, int first)
{
    const int same = first || spent->source == result->source;
    spent->time_s += (double)result->time_ns * 1e-9;
    spent->processor_s += (double)result->cpu_ns * 1e-9;
    spent->energy_j = same ? spent->energy_j + result->total_j : NAN;
    spent->source = result->source;
}

static void time_alone(const struct jrx_region *region, struct jrx_window_result *result)
{
    const uint64_t before_ns = jrx_clock_process_ns();
    *result = (struct jrx_window_result){.total_j = NAN, .start_ns = jrx_clock_ns()};
    region->fn(region->ctx);
    result->time_ns = jrx_clock_ns() - result->start_ns;
    result->cpu_ns = jrx_clock_process_ns() - before_ns;
}

static int measure(struct state *s)
{
    struct rx_train *train = s->train;
    struct jrx_window_result result;
    const int64_t from = train->step;
    const struct jrx_region region = {.fn = steps,
                                      .ctx = s,
                                      .work = {rx_step_flop(train) * (double)(s->until - from), NAN, NAN, NAN, NAN},
                                      .once = true};
    int status = s->window.meter ? jrx_window_measure(&s->window, &region, 1, &result) : 0;
    if (!s->window.meter)
        time_alone(&region, &result);
    if (status || s->status)
        return status ? status : s->status;
    s->speed = (double)((train->step - from) * train->config.batch) / ((double)result.time_ns * 1e-9);
    spend(&train->history.spent, &result, from == 0 && !train->history.start);
    return 0;
}

static double per_bit(double nats, const struct nn_loss_sum *sum)
{
    return sum->bits ? nats / (double)sum->bits / log(2) : NAN;
}

static double ber(const struct nn_loss_sum *sum)
{
    return sum->bits ? (double)sum->errors / (double)sum->bits : NAN;
}

static double left_s(const struct state *s)
{
    const int64_t done = s->train->step - s->begin, left = s->train->config.schedule.steps - s->train->step;
    return done ? (double)(jrx_clock_ns() - s->begin_ns) * 1e-9 * (double)left / (double)done : NAN;
}

static int put_row(const struct state *s)
{
    const struct rx_train *train = s->train;
    const struct rx_spent *spent = &train->history.spent;
    struct jrx_table *table = s->table;
    if (!table)
        return 0;
    jrx_put_integer(table, "step", train->step);
    jrx_put_integer(table, "slots", train->step * train->config.batch);
    jrx_put_real(table, "rate_ratio", nn_rate(&train->config.schedule, train->step));
    jrx_put_real(table, "loss_bit", per_bit(s->sum.loss, &s->sum));
    jrx_put_real(table, "bce_bit", per_bit(s->sum.bce, &s->sum));
    jrx_put_real(table, "ber_ratio", ber(&s->sum));
    jrx_put_real(table, "validation_bce_bit", per_bit(s->validated.bce, &s->validated));
    jrx_put_real(table, "validation_ber_ratio", ber(&s->validated));
    jrx_put_real(table, "speed_slots_per_s", s->speed);
    jrx_put_real(table, "time_s", spent->time_s);
    jrx_put_real(table, "energy_j", spent->energy_j);
    jrx_put_text(table, "energy_source", isnan(spent->energy_j) ? NULL : jrx_source_name(spent->source));
    jrx_put_real(table, "left_s", left_s(s));
    return jrx_table_row(table);
}

static void tell(struct state *s)
{
    const struct rx_spent *spent = &s->train->history.spent;
    char text[JRX_PROGRESS_TEXT], energy[40] = "energy unknown", valid[24] = "";
    if (!isnan(spent->energy_j))
        snprintf(energy, sizeof energy, "%.4g J %s", spent->energy_j, jrx_source_name(spent->source));
    if (s->validated.bits)
        snprintf(valid, sizeof valid, "validation BER %.4f, ", ber(&s->validated));
    snprintf(text, sizeof text, "loss %.4f bit, %s%.4g slots/s, %s", per_bit(s->sum.loss, &s->sum), valid, s->speed,
             energy);
    jrx_progress_done(&s->progress, text);
}

/* The row comes after the checkpoint: a run that is killed between the two loses a row and repeats none. */
static int stretch(struct state *s)
{
    struct rx_train *train = s->train;
    char text[JRX_PROGRESS_TEXT];
    const int64_t steps_left = train->config.schedule.steps - train->step, part = s->every - train->step % s->every;
    s->sum = s->validated = (struct nn_loss_sum){0};
    s->until = train->step + (part < steps_left ? part : steps_left);
    snprintf(text, sizeof text, "step %lld", (long long)train->step);
    jrx_progress_item(&s->progress, text);
    int status = measure(s);
    if (!status)
        status = rx_train_save(train, s->loop->path);
    if (!status)
        status = jrx_interrupt_check();
    if (!status && s->loop->validation) {
        const struct rx_receiver receiver = rx_train_receiver(train);
        s->validated = rx_validate(&s->validation, &receiver);
    }
    if (!status)
        status = put_row(s);
    if (!status)
        tell(s);
    return status;
}

/* ---- the whole ---- */

/* No training is lost for want of a meter, unless one was asked for. */
static int open_meter(struct state *s)
{
    const struct ex_loop *loop = s->loop;
    const struct jrx_meter_config config = {.profile = loop->power_profile};
    int status = jrx_meter_open(&s->meter, loop->meter, &config);
    if (!status)
        status = jrx_window_open(&s->window, &s->meter, 0);
    if (!status || loop->meter || loop->power_profile)
        return status;
    fprintf(stderr, "no energy is known of this training: %s\n", jrx_last_error());
    return 0;
}

static int open_all(struct state *s)
{
    const struct ex_loop *loop = s->loop;
    const struct lk_config link = rx_validation_link(&s->train->config.link);
    int status = open_meter(s);
    if (!status && loop->validation)
        status = rx_validation_init(&s->validation, &s->train->student.net, &link, RX_VALIDATION_SEED, loop->validation,
                                    loop->threads);
    if (!status && loop->csv)
        status = jrx_table_open(&s->table, loop->csv, &schema, JRX_TABLE_APPEND);
    return status;
}

static int finish(const struct state *s)
{
    const struct rx_train *train = s->train;
    const struct rx_spent *spent = &train->history.spent;
    printf("%s: %lld parameters after %lld steps; %.4g s", s->loop->path, (long long)nn_parameters(&train->student.net),
           (long long)train->step, spent->time_s);
    if (!isnan(spent->energy_j))
        printf(", %.4g J %s", spent->energy_j, jrx_source_name(spent->source));
    printf("\n");
    if (s->loop->csv && ex_figure_beside(s->loop->csv, "train", jrx_source_name(spent->source)))
        fprintf(stderr, "the learning curve was not drawn: %s\n", jrx_last_error());
    return 0;
}

int ex_loop_run(const struct ex_loop *loop, struct rx_train *train)
{
    struct state s = {.loop = loop, .train = train, .begin = train->step, .every = stretch_steps(loop, &train->config)};
    const int64_t all = train->config.schedule.steps;
    int status = open_all(&s);
    jrx_progress_init(&s.progress, stderr, loop->quiet ? JRX_PROGRESS_QUIET : JRX_PROGRESS_AUTO);
    jrx_progress_enter(&s.progress,
                       jrx_progress_plan(&s.progress, loop->path, (uint32_t)((all + s.every - 1) / s.every), NAN));
    jrx_progress_skip(&s.progress, (uint32_t)(train->step / s.every), (double)(train->step / s.every));
    s.begin_ns = jrx_clock_ns();
    while (!status && train->step < all)
        status = stretch(&s);
    jrx_progress_fini(&s.progress);
    if (status == JRX_EINTERRUPTED)
        jrx_fail(status, "interrupted after step %lld of %lld; %s is kept, go on with --resume", (long long)train->step,
                 (long long)all, loop->path);
    if (status)
        jrx_table_leave(s.table);
    else if (!(status = jrx_table_close(s.table)))
        status = finish(&s);
    rx_validation_fini(&s.validation);
    jrx_window_close(&s.window);
    jrx_meter_close(&s.meter);
    return status;
}
