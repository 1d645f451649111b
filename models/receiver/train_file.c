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
        char *end = NULL;
        errno = 0;
        train->step = text ? strtoll(text, &end, 10) : -1;
        if (!text || end == text || *end || errno || train->step < 0 || train->step > train->config.schedule.steps)
            status = jrx_fail(JRX_EFORMAT, "%s: step %s of %" PRId64 "; the file is damaged", path,
                              text ? text : "(missing)", train->config.schedule.steps);
    }
    if (!status)
        read_spent(&file, &train->spent);
    nn_st_close(&file);
    return status;
}
