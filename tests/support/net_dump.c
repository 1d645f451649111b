#include "tests/support/net_dump.h"
#include "harness/base/error.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static char *table_of_layers(const struct nn_net *net)
{
    static const char *const kinds[] = {"conv", "norm_relu", "add"};
    json_t *layers = json_array();
    for (int i = 0; i < net->layers; i++) {
        const struct nn_layer *l = &net->layer[i];
        json_array_append_new(layers, json_pack("{s:s, s:s, s:s, s:[i,i], s:i, s:i, s:i, s:i}", "name", l->name, "kind",
                                                kinds[l->kind], "op", kn_op_name(l->op), "in", l->in[0], l->in[1], "ic",
                                                l->ic, "oc", l->oc, "dil_f", l->dil_f, "dil_t", l->dil_t));
    }
    char *text = json_dumps(layers, JSON_COMPACT);
    json_decref(layers);
    return text;
}

struct nn_st_tensor net_dump_tensor(const char *name, int n, int c, int f, int t, const float *data)
{
    struct nn_st_tensor tensor = {.dims = 4, .dim = {(size_t)n, (size_t)c, (size_t)f, (size_t)t}, .data = data};
    snprintf(tensor.name, sizeof tensor.name, "%s", name);
    tensor.count = tensor.dim[0] * tensor.dim[1] * tensor.dim[2] * tensor.dim[3];
    return tensor;
}

int net_dump(const char *path, const struct nn_net *net, const float *parameters, const float *statistics,
             const struct nn_st_tensor *extra, int extras)
{
    const int tensors = net->tensors + extras;
    struct nn_st_tensor *tensor = calloc((size_t)tensors, sizeof *tensor);
    float **real = calloc((size_t)net->tensors, sizeof *real);
    char *layers = table_of_layers(net);
    int status = tensor && real && layers ? 0 : jrx_fail(JRX_ENOMEM, "net_dump: no memory");
    for (int i = 0; !status && i < net->tensors; i++) {
        const struct nn_tensor *from = &net->tensor[i];
        real[i] = malloc(nn_tensor_size(from) * sizeof **real);
        if (!real[i]) {
            status = jrx_fail(JRX_ENOMEM, "net_dump: no memory");
            break;
        }
        nn_tensor_unpack(net, from, from->statistic ? statistics : parameters, real[i]);
        tensor[i] = (struct nn_st_tensor){.dims = from->dims, .count = nn_tensor_size(from), .data = real[i]};
        for (int d = 0; d < from->dims; d++)
            tensor[i].dim[d] = (size_t)from->dim[d];
        snprintf(tensor[i].name, sizeof tensor[i].name, "%s", from->name);
    }
    for (int i = 0; !status && i < extras; i++)
        tensor[net->tensors + i] = extra[i];
    if (!status) {
        const struct nn_st_pair pair = {"layers", layers};
        status = nn_st_write(path, &pair, 1, tensor, tensors);
    }
    for (int i = 0; real && i < net->tensors; i++)
        free(real[i]);
    free(real);
    free(tensor);
    free(layers);
    return status;
}
