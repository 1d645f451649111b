/* A training as a file: everything that the next step depends on. */
#include "harness/base/error.h"
#include "models/nn/checkpoint.h"
#include "models/receiver/fields.h"
#include "models/receiver/train.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BLOCKS = 6 };

static int blocks_of(const struct rx_train *train, struct nn_block block[MAX_BLOCKS])
{
    const struct nn_block all[MAX_BLOCKS] = {
        {"", 0, train->student.parameters}, {"", 1, train->student.statistics},
        {"adamw.m.", 0, train->m},          {"adamw.v.", 0, train->v},
        {RX_AVERAGE, 0, train->average},    {RX_AVERAGE, 1, train->average_statistics}};
    for (int i = 0; i < MAX_BLOCKS; i++)
        block[i] = all[i];
    return train->average ? MAX_BLOCKS : MAX_BLOCKS - 2;
}

int rx_train_save(const struct rx_train *train, const char *path)
{
    struct rx_fields fields;
    struct nn_block block[MAX_BLOCKS];
    const int blocks = blocks_of(train, block);
    rx_fields_fill(&fields, train);
    return nn_checkpoint_write(path, fields.pair, fields.count, &train->student.net, block, blocks);
}

static double real(const struct nn_st_file *file, const char *key)
{
    const char *text = nn_st_meta(file, key);
    char *end = NULL;
    const double value = text ? strtod(text, &end) : NAN;
    return end && end != text && !*end && value >= 0 && isfinite(value) ? value : NAN;
}

static void read_spent(const struct nn_st_file *file, struct rx_spent *spent)
{
    const char *source = nn_st_meta(file, "energy_source");
    *spent = (struct rx_spent){
        .time_s = real(file, "time_s"), .processor_s = real(file, "processor_s"), .energy_j = real(file, "energy_j")};
    for (int i = 0; source && i < JRX_SOURCES; i++)
        if (!strcmp(source, jrx_source_name((enum jrx_source)i)))
            spent->source = (enum jrx_source)i;
}

static int64_t steps_in(const struct nn_st_file *file, const char *key)
{
    const char *text = nn_st_meta(file, key);
    char *end = NULL;
    errno = 0;
    const long long steps = text ? strtoll(text, &end, 10) : -1;
    return text && end != text && !*end && !errno ? steps : -1;
}

static void read_history(const struct nn_st_file *file, struct rx_history *history)
{
    const char *start = nn_st_meta(file, "start");
    const int64_t steps = steps_in(file, "start_steps");
    read_spent(file, &history->spent);
    history->start = start ? strtoull(start, NULL, 16) : 0;
    history->start_steps = steps > 0 ? steps : 0; /* missing in checkpoints from before there were starts */
}

int rx_train_history(const char *path, struct rx_history *history, int64_t *steps)
{
    struct nn_st_file file;
    int status = nn_st_open(&file, path);
    if (status)
        return status;
    const int64_t done = steps_in(&file, "step");
    read_history(&file, history);
    *steps = history->start_steps + (done > 0 ? done : 0);
    nn_st_close(&file);
    return 0;
}

static int same_network(const struct rx_train *train, const struct rx_receiver *start, const char *path)
{
    const struct rx_shape *want = &train->config.shape, *have = &start->shape;
    if (train->config.hint > 0)
        return jrx_fail(JRX_EINVAL, "%s: a start has no adapter for hints; give --hint=0, or no start", path);
    if (want->body == have->body && want->width == have->width && want->blocks == have->blocks &&
        want->multiplier == have->multiplier && want->rx == have->rx && want->logits == have->logits)
        return 0;
    return jrx_fail(JRX_EINVAL,
                    "%s: a start of %s, width %g, %d antennas, %d outputs for a network of %s, width %g, %d antennas, "
                    "%d outputs, or of other blocks; the two must be the same",
                    path, have->body->name, have->width, have->rx, have->logits, want->body->name, want->width,
                    want->rx, want->logits);
}

int rx_train_start(struct rx_train *train, const char *path)
{
    struct rx_receiver start;
    int64_t steps;
    int status = rx_receiver_load(&start, path);
    if (status)
        return status;
    status = same_network(train, &start, path);
    if (!status)
        status = rx_train_history(path, &train->history, &steps);
    if (!status) {
        const size_t parameters = start.net.parameter_floats * sizeof(float);
        const size_t statistics = start.net.statistic_floats * sizeof(float);
        memcpy(train->student.parameters, start.parameters, parameters);
        memcpy(train->student.statistics, start.statistics, statistics);
        if (train->average) {
            memcpy(train->average, start.parameters, parameters);
            memcpy(train->average_statistics, start.statistics, statistics);
        }
        train->history.start = rx_fingerprint(&start);
        train->history.start_steps = steps;
    }
    rx_receiver_fini(&start);
    return status;
}

int rx_train_load(struct rx_train *train, const char *path)
{
    struct nn_st_file file;
    struct rx_fields fields;
    struct nn_block block[MAX_BLOCKS];
    const int blocks = blocks_of(train, block);
    int status = nn_st_open(&file, path);
    if (status)
        return status;
    rx_fields_fill(&fields, train);
    status = rx_fields_compare(&fields, &file, path);
    if (!status)
        status = nn_checkpoint_read(&file, &train->student.net, block, blocks);
    if (!status) {
        const char *text = nn_st_meta(&file, "step");
        train->step = steps_in(&file, "step");
        if (train->step < 0 || train->step > train->config.schedule.steps)
            status = jrx_fail(JRX_EFORMAT, "%s: step %s of %" PRId64 "; the file is damaged", path,
                              text ? text : "(missing)", train->config.schedule.steps);
    }
    if (!status)
        read_history(&file, &train->history);
    nn_st_close(&file);
    return status;
}
