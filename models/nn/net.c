#include "models/nn/net.h"
#include "harness/base/error.h"
#include "harness/base/rng.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void nn_net_init(struct nn_net *net, int channels)
{
    *net = (struct nn_net){.channels = channels};
}

void nn_net_fini(struct nn_net *net)
{
    free(net->tensor);
    *net = (struct nn_net){0};
}

int nn_channels(const struct nn_net *net, int value)
{
    return value ? net->layer[value - 1].oc : net->channels;
}

static int append(struct nn_net *net, struct nn_layer layer, const char *name)
{
    int inputs = layer.kind == NN_ADD ? 2 : 1;
    for (int i = 0; i < inputs; i++)
        if (layer.in[i] < 0)
            return layer.in[i];
    for (int i = 0; i < inputs; i++)
        if (layer.in[i] > net->layers)
            return jrx_fail(JRX_EINVAL, "layer %s: reads value %d, only %d are made yet", name, layer.in[i],
                            net->layers);
    if (net->layers == NN_MAX_LAYERS)
        return jrx_fail(JRX_EINVAL, "layer %s: a network has at most %d layers", name, NN_MAX_LAYERS);
    layer.ic = nn_channels(net, layer.in[0]);
    layer.oc = layer.kind == NN_CONV ? layer.oc : layer.ic;
    struct kn_shape shape = nn_layer_shape(&layer, 1, 1, 1);
    if (layer.kind == NN_CONV && kn_shape_check(layer.op, &shape))
        return jrx_fail(JRX_EINVAL, "layer %s: %s", name, jrx_last_error());
    if (layer.kind == NN_ADD && nn_channels(net, layer.in[1]) != layer.ic)
        return jrx_fail(JRX_EINVAL, "layer %s: adds %d channels to %d", name, nn_channels(net, layer.in[1]), layer.ic);
    if (snprintf(layer.name, sizeof layer.name, "%s", name) >= (int)sizeof layer.name)
        return jrx_fail(JRX_EINVAL, "layer %s: its name is longer than %d", name, NN_NAME - 1);
    net->layer[net->layers] = layer;
    return ++net->layers;
}

int nn_conv(struct nn_net *net, const char *name, enum kn_op op, int in, int oc, int dil_f, int dil_t)
{
    return append(
        net, (struct nn_layer){.kind = NN_CONV, .op = op, .in = {in, -1}, .oc = oc, .dil_f = dil_f, .dil_t = dil_t},
        name);
}

int nn_norm_relu(struct nn_net *net, const char *name, int in)
{
    return append(net, (struct nn_layer){.kind = NN_NORM_RELU, .in = {in, -1}, .dil_f = 1, .dil_t = 1}, name);
}

int nn_add(struct nn_net *net, const char *name, int in, int other)
{
    return append(net, (struct nn_layer){.kind = NN_ADD, .in = {in, other}, .dil_f = 1, .dil_t = 1}, name);
}

struct kn_shape nn_layer_shape(const struct nn_layer *layer, int n, int f, int t)
{
    return (struct kn_shape){n, layer->ic, layer->oc, f, t, layer->dil_f, layer->dil_t, 0};
}

static size_t padded(int channels)
{
    return (size_t)kn_blocks(channels) * KN_LANES;
}

static void list_tensor(struct nn_net *net, int layer, const char *suffix, int statistic, size_t offset,
                        const int dim[4])
{
    struct nn_tensor *tensor = &net->tensor[net->tensors++];
    *tensor = (struct nn_tensor){.layer = layer, .statistic = statistic, .offset = offset};
    while (tensor->dims < 4 && dim[tensor->dims]) {
        tensor->dim[tensor->dims] = dim[tensor->dims];
        tensor->dims++;
    }
    snprintf(tensor->name, sizeof tensor->name, "%s.%s", net->layer[layer].name, suffix);
}

static void list_tensors(struct nn_net *net)
{
    for (int i = 0; i < net->layers; i++) {
        const struct nn_layer *l = &net->layer[i];
        const int vector[4] = {l->oc}, side = l->op == KN_POINTWISE ? 1 : 3;
        const int weight[4] = {l->oc, l->op == KN_DEPTHWISE ? 1 : l->ic, side, side};
        if (l->kind == NN_ADD)
            continue;
        list_tensor(net, i, "weight", 0, l->weight, l->kind == NN_CONV ? weight : vector);
        list_tensor(net, i, "bias", 0, l->bias, vector);
        if (l->kind == NN_NORM_RELU) {
            list_tensor(net, i, "running_mean", 1, l->mean, vector);
            list_tensor(net, i, "running_var", 1, l->variance, vector);
        }
    }
}

static int is_read(const struct nn_net *net, int value)
{
    for (int i = 0; i < net->layers; i++)
        if (net->layer[i].in[0] == value || net->layer[i].in[1] == value)
            return 1;
    return 0;
}

int nn_net_done(struct nn_net *net, int output)
{
    if (output < 0)
        return output;
    if (output < 1 || output > net->layers)
        return jrx_fail(JRX_EINVAL, "network: value %d cannot be its result, it has %d layers", output, net->layers);
    for (int value = 0; value <= net->layers; value++)
        if ((value == output || (value && value == net->side)) == is_read(net, value))
            return jrx_fail(JRX_EINVAL, "network: value %d is %s", value,
                            is_read(net, value) ? "a result and is read by a layer" : "read by no layer");
    net->tensor = calloc((size_t)net->layers * 4, sizeof *net->tensor);
    if (!net->tensor)
        return jrx_fail(JRX_ENOMEM, "network: no memory for the list of its tensors");
    net->output = output;
    size_t at = 0;
    for (int i = 0; i < net->layers; i++)
        if (net->layer[i].kind == NN_CONV) {
            struct kn_shape shape = nn_layer_shape(&net->layer[i], 1, 1, 1);
            net->layer[i].weight = at;
            at += kn_w_floats(net->layer[i].op, &shape);
        }
    net->decayed_floats = at;
    for (int i = 0; i < net->layers; i++) {
        struct nn_layer *l = &net->layer[i];
        if (l->kind == NN_NORM_RELU) {
            l->weight = at;
            at += padded(l->oc);
            l->mean = net->statistic_floats;
            l->variance = l->mean + padded(l->oc);
            net->statistic_floats = l->variance + padded(l->oc);
        }
        if (l->kind != NN_ADD) {
            l->bias = at;
            at += padded(l->oc);
        }
    }
    net->parameter_floats = at;
    list_tensors(net);
    return 0;
}

size_t nn_tensor_size(const struct nn_tensor *tensor)
{
    size_t size = 1;
    for (int i = 0; i < tensor->dims; i++)
        size *= (size_t)tensor->dim[i];
    return size;
}

int64_t nn_parameters(const struct nn_net *net)
{
    int64_t sum = 0;
    for (int i = 0; i < net->tensors; i++)
        if (!net->tensor[i].statistic)
            sum += (int64_t)nn_tensor_size(&net->tensor[i]);
    return sum;
}

int64_t nn_macs_per_re(const struct nn_net *net)
{
    int64_t sum = 0; /* every weight of a convolution multiplies once at every resource element */
    for (int i = 0; i < net->tensors; i++)
        if (net->tensor[i].dims == 4)
            sum += (int64_t)nn_tensor_size(&net->tensor[i]);
    return sum;
}

double nn_forward_flop(const struct nn_net *net, int n, int f, int t)
{
    double sum = 0;
    for (int i = 0; i < net->layers; i++)
        if (net->layer[i].kind == NN_CONV) {
            struct kn_shape shape = nn_layer_shape(&net->layer[i], n, f, t);
            sum += kn_flop(net->layer[i].op, KN_FWD, &shape);
        }
    return sum;
}

/* Where element (o, i, tap) lies in the kernels' layout w[oc/16][taps][ic16][16]; depthwise has one input channel. */
static size_t padded_index(const struct nn_layer *layer, const struct nn_tensor *tensor, size_t o, size_t i, size_t tap)
{
    if (tensor->dims == 1)
        return tensor->offset + o;
    size_t taps = layer->op == KN_POINTWISE ? 1 : KN_TAPS, inputs = layer->op == KN_DEPTHWISE ? 1 : padded(layer->ic);
    return tensor->offset + ((o / KN_LANES * taps + tap) * inputs + i) * KN_LANES + o % KN_LANES;
}

static void copy_tensor(const struct nn_net *net, const struct nn_tensor *tensor, const float *from, float *to,
                        int unpack)
{
    const struct nn_layer *layer = &net->layer[tensor->layer];
    size_t inputs = tensor->dims == 4 ? (size_t)tensor->dim[1] : 1;
    size_t taps = tensor->dims == 4 ? (size_t)(tensor->dim[2] * tensor->dim[3]) : 1, at = 0;
    for (size_t o = 0; o < (size_t)tensor->dim[0]; o++)
        for (size_t i = 0; i < inputs; i++)
            for (size_t tap = 0; tap < taps; tap++, at++) {
                size_t index = padded_index(layer, tensor, o, i, tap);
                if (unpack)
                    to[at] = from[index];
                else
                    to[index] = from[at];
            }
}

void nn_tensor_unpack(const struct nn_net *net, const struct nn_tensor *tensor, const float *block, float *real)
{
    copy_tensor(net, tensor, block, real, 1);
}

void nn_tensor_pack(const struct nn_net *net, const struct nn_tensor *tensor, const float *real, float *block)
{
    copy_tensor(net, tensor, real, block, 0);
}

/* Weights are drawn in the order of the real tensor, so that padding has no part in them. */
static void start_weights(const struct nn_net *net, const struct nn_tensor *tensor, uint64_t seed, float *parameters)
{
    const struct nn_layer *layer = &net->layer[tensor->layer];
    int after_relu = layer->in[0] && net->layer[layer->in[0] - 1].kind == NN_NORM_RELU;
    int taps = tensor->dim[2] * tensor->dim[3];
    double scale = sqrt((after_relu ? 2.0 : 1.0) / (tensor->dim[1] * taps)), normal[2];
    struct jrx_rng rng;
    jrx_rng_init(&rng, seed, (uint64_t)tensor->layer);
    size_t at = 0;
    for (int o = 0; o < tensor->dim[0]; o++)
        for (int i = 0; i < tensor->dim[1]; i++)
            for (int tap = 0; tap < taps; tap++, at++) {
                if (at % 2 == 0)
                    jrx_rng_normal2(&rng, &normal[0], &normal[1]);
                parameters[padded_index(layer, tensor, (size_t)o, (size_t)i, (size_t)tap)] =
                    (float)(scale * normal[at % 2]);
            }
}

void nn_net_start(const struct nn_net *net, uint64_t seed, float *parameters, float *statistics)
{
    memset(parameters, 0, net->parameter_floats * sizeof *parameters);
    memset(statistics, 0, net->statistic_floats * sizeof *statistics);
    for (int i = 0; i < net->tensors; i++)
        if (net->tensor[i].dims == 4)
            start_weights(net, &net->tensor[i], seed, parameters);
    for (int i = 0; i < net->layers; i++)
        for (int c = 0; c < net->layer[i].oc && net->layer[i].kind == NN_NORM_RELU; c++)
            parameters[net->layer[i].weight + (size_t)c] = statistics[net->layer[i].variance + (size_t)c] = 1;
}
