#include "models/nn/checkpoint.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct nn_st_tensor describe(const struct nn_block *block, const struct nn_tensor *tensor)
{
    struct nn_st_tensor d = {.dims = tensor->dims, .count = nn_tensor_size(tensor)};
    for (int i = 0; i < tensor->dims; i++)
        d.dim[i] = (size_t)tensor->dim[i];
    snprintf(d.name, sizeof d.name, "%s%s", block->prefix, tensor->name);
    return d;
}

static size_t real_floats(const struct nn_net *net, int statistic)
{
    size_t sum = 0;
    for (int i = 0; i < net->tensors; i++)
        sum += net->tensor[i].statistic == statistic ? nn_tensor_size(&net->tensor[i]) : 0;
    return sum;
}

int nn_checkpoint_write(const char *path, const struct nn_st_pair *pair, int pairs, const struct nn_net *net,
                        const struct nn_block *block, int blocks)
{
    size_t floats = 0;
    int status = JRX_ENOMEM, count = 0;
    for (int b = 0; b < blocks; b++)
        floats += real_floats(net, block[b].statistic);
    float *real = jrx_alloc(floats * sizeof *real), *at = real;
    struct nn_st_tensor *tensor = jrx_alloc((size_t)blocks * (size_t)net->tensors * sizeof *tensor);
    if (!real || !tensor)
        goto out;
    for (int b = 0; b < blocks; b++)
        for (int i = 0; i < net->tensors; i++)
            if (net->tensor[i].statistic == block[b].statistic) {
                tensor[count] = describe(&block[b], &net->tensor[i]);
                nn_tensor_unpack(net, &net->tensor[i], block[b].floats, at);
                tensor[count].data = at;
                at += tensor[count++].count;
            }
    status = nn_st_write(path, pair, pairs, tensor, count);
out:
    free(real);
    free(tensor);
    return status;
}

static int read_tensor(const struct nn_st_file *file, const struct nn_net *net, const struct nn_block *block,
                       const struct nn_tensor *tensor)
{
    const struct nn_st_tensor want = describe(block, tensor), *got = nn_st_find(file, want.name);
    if (!got)
        return jrx_fail(JRX_EFORMAT, "checkpoint: tensor %s is missing; it is of another kind of network", want.name);
    int same = got->dims == want.dims;
    for (int i = 0; same && i < want.dims; i++)
        same = got->dim[i] == want.dim[i];
    if (!same)
        return jrx_fail(JRX_EFORMAT, "checkpoint: tensor %s has another shape than the network's", want.name);
    int variance = tensor->statistic && strstr(tensor->name, ".running_var");
    for (size_t i = 0; i < got->count; i++)
        if (!isfinite(got->data[i]) || (variance && got->data[i] < 0))
            return jrx_fail(JRX_EFORMAT,
                            "checkpoint: tensor %s holds %g; the file is damaged, or of a training that diverged",
                            want.name, (double)got->data[i]);
    nn_tensor_pack(net, tensor, got->data, block->floats);
    return 0;
}

int nn_checkpoint_read(const struct nn_st_file *file, const struct nn_net *net, const struct nn_block *block,
                       int blocks)
{
    for (int b = 0; b < blocks; b++)
        for (int i = 0; i < net->tensors; i++)
            if (net->tensor[i].statistic == block[b].statistic) {
                int status = read_tensor(file, net, &block[b], &net->tensor[i]);
                if (status)
                    return status;
            }
    return 0;
}
