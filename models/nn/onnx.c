#include "models/nn/onnx.h"
#include "harness/base/error.h"
#include "harness/base/file.h"
#include "models/nn/stage.h"
#include "models/nn/wire.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Field numbers of onnx.proto3, by message. */
enum { MODEL_IR = 1, MODEL_PRODUCER = 2, MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_PROPERTY = 14 };
enum { OPSET_VERSION = 2, PROPERTY_KEY = 1, PROPERTY_VALUE = 2 };
enum { GRAPH_NODE = 1, GRAPH_NAME = 2, GRAPH_TENSOR = 5, GRAPH_DOC = 10, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OPERATOR = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_F = 2, ATTRIBUTE_I = 3, ATTRIBUTE_INTS = 8, ATTRIBUTE_TYPE = 20 };
enum { TENSOR_DIM = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW = 9 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2, TYPE_TENSOR = 1, TYPE_ELEMENT = 1, TYPE_SHAPE = 2, SHAPE_DIM = 1 };
enum { DIM_VALUE = 1, DIM_NAME = 2 };
/* Values of enumerations, and the versions that this is written for: ONNX 1.8, of 2020, and all later ones. */
enum { IS_FLOAT = 1, IS_INT = 2, IS_INTS = 7, ELEMENT_FLOAT = 1, IR_VERSION = 7, OPSET = 13 };

struct model {
    const struct nn_net *net;
    const float *parameters, *statistics;
    struct nn_wire graph;
    int failed;
};

/* ---- names ---- */

static const char *value_name(const struct nn_net *net, int value)
{
    return value == 0 ? "input" : value == net->output ? "logits" : net->layer[value - 1].name;
}

/* ---- pieces ---- */

static void put_ints(struct nn_wire *node, const char *name, const int *value, int count)
{
    struct nn_wire attribute = {0};
    nn_wire_text(&attribute, ATTRIBUTE_NAME, name);
    for (int i = 0; i < count; i++)
        nn_wire_integer(&attribute, ATTRIBUTE_INTS, value[i]);
    nn_wire_integer(&attribute, ATTRIBUTE_TYPE, IS_INTS);
    nn_wire_message(node, NODE_ATTRIBUTE, &attribute);
}

static void put_int(struct nn_wire *node, const char *name, int value)
{
    struct nn_wire attribute = {0};
    nn_wire_text(&attribute, ATTRIBUTE_NAME, name);
    nn_wire_integer(&attribute, ATTRIBUTE_I, value);
    nn_wire_integer(&attribute, ATTRIBUTE_TYPE, IS_INT);
    nn_wire_message(node, NODE_ATTRIBUTE, &attribute);
}

static void put_float(struct nn_wire *node, const char *name, float value)
{
    struct nn_wire attribute = {0};
    nn_wire_text(&attribute, ATTRIBUTE_NAME, name);
    nn_wire_float(&attribute, ATTRIBUTE_F, value);
    nn_wire_integer(&attribute, ATTRIBUTE_TYPE, IS_FLOAT);
    nn_wire_message(node, NODE_ATTRIBUTE, &attribute);
}

static void put_value(struct nn_wire *graph, int field, const char *name, int channels)
{
    struct nn_wire dim[4] = {{0}}, shape = {0}, tensor = {0}, type = {0}, value = {0};
    nn_wire_text(&dim[0], DIM_NAME, "slots");
    nn_wire_integer(&dim[1], DIM_VALUE, channels);
    nn_wire_text(&dim[2], DIM_NAME, "subcarriers");
    nn_wire_text(&dim[3], DIM_NAME, "symbols");
    for (int i = 0; i < 4; i++)
        nn_wire_message(&shape, SHAPE_DIM, &dim[i]);
    nn_wire_integer(&tensor, TYPE_ELEMENT, ELEMENT_FLOAT);
    nn_wire_message(&tensor, TYPE_SHAPE, &shape);
    nn_wire_message(&type, TYPE_TENSOR, &tensor);
    nn_wire_text(&value, VALUE_NAME, name);
    nn_wire_message(&value, VALUE_TYPE, &type);
    nn_wire_message(graph, field, &value);
}

/* Begins a node that reads one value and writes `output`. */
static struct nn_wire node_begin(const char *operation, const char *name, const char *input, const char *output)
{
    struct nn_wire node = {0};
    nn_wire_text(&node, NODE_NAME, name);
    nn_wire_text(&node, NODE_OPERATOR, operation);
    nn_wire_text(&node, NODE_INPUT, input);
    nn_wire_text(&node, NODE_OUTPUT, output);
    return node;
}

/* ---- tensors ---- */

/* The first tensor of a layer; weight, bias, running_mean and running_var follow each other. */
static const struct nn_tensor *first_tensor(const struct nn_net *net, int layer)
{
    const struct nn_tensor *tensor = net->tensor;
    while (tensor->layer != layer)
        tensor++;
    return tensor;
}

static double norm_scale(const struct model *m, const struct nn_layer *norm, int channel)
{
    const size_t c = (size_t)channel;
    return m->parameters[norm->weight + c] / sqrt(m->statistics[norm->variance + c] + KN_NORM_EPSILON);
}

/* The numbers of a tensor become an initialiser, and one more input of the node. `norm` is folded in if there is one.
 */
static void put_tensor(struct model *m, struct nn_wire *node, const struct nn_tensor *tensor,
                       const struct nn_layer *norm)
{
    const size_t size = nn_tensor_size(tensor), each = size / (size_t)tensor->dim[0];
    float *real = malloc(size * sizeof *real);
    struct nn_wire out = {0};
    if (!real) {
        m->failed = 1;
        return;
    }
    nn_tensor_unpack(m->net, tensor, tensor->statistic ? m->statistics : m->parameters, real);
    for (size_t k = 0; norm && k < size; k++) {
        const int channel = (int)(k / each);
        const size_t c = (size_t)channel;
        const double scale = norm_scale(m, norm, channel);
        const double shift = m->parameters[norm->bias + c] - scale * m->statistics[norm->mean + c];
        real[k] = (float)(scale * (double)real[k] + (tensor->dims == 1 ? shift : 0));
    }
    for (int d = 0; d < tensor->dims; d++)
        nn_wire_integer(&out, TENSOR_DIM, tensor->dim[d]);
    nn_wire_integer(&out, TENSOR_TYPE, ELEMENT_FLOAT);
    nn_wire_text(&out, TENSOR_NAME, tensor->name);
    nn_wire_bytes(&out, TENSOR_RAW, real, size * sizeof *real);
    nn_wire_message(&m->graph, GRAPH_TENSOR, &out);
    nn_wire_text(node, NODE_INPUT, tensor->name);
    free(real);
}

/* ---- layers ---- */

/* The norm that is folded into layer i: the only reader of its result. -1: none. */
static int folded_norm(const struct nn_net *net, int i)
{
    int norm = -1;
    for (int k = i + 1; k < net->layers; k++)
        if (net->layer[k].in[0] == i + 1 || net->layer[k].in[1] == i + 1) {
            if (norm >= 0 || net->layer[k].kind != NN_NORM_RELU)
                return -1;
            norm = k;
        }
    return net->layer[i].kind == NN_CONV ? norm : -1;
}

static void put_conv(struct model *m, int i)
{
    const struct nn_layer *l = &m->net->layer[i];
    const int side = l->op == KN_POINTWISE ? 1 : 3, norm = folded_norm(m->net, i);
    struct nn_wire node = node_begin("Conv", l->name, value_name(m->net, l->in[0]), value_name(m->net, i + 1));
    const struct nn_tensor *tensor = first_tensor(m->net, i);
    for (int k = 0; k < 2; k++)
        put_tensor(m, &node, &tensor[k], norm < 0 ? NULL : &m->net->layer[norm]);
    put_ints(&node, "kernel_shape", (const int[]){side, side}, 2);
    if (side > 1) {
        put_ints(&node, "dilations", (const int[]){l->dil_f, l->dil_t}, 2);
        put_ints(&node, "pads", (const int[]){l->dil_f, l->dil_t, l->dil_f, l->dil_t}, 4);
    }
    if (l->op == KN_DEPTHWISE)
        put_int(&node, "group", l->ic);
    nn_wire_message(&m->graph, GRAPH_NODE, &node);
}

static void put_norm_relu(struct model *m, int i)
{
    const struct nn_layer *l = &m->net->layer[i];
    const char *from = value_name(m->net, l->in[0]);
    char normalised[NN_NAME + 16];
    if (l->in[0] == 0 || folded_norm(m->net, l->in[0] - 1) != i) {
        snprintf(normalised, sizeof normalised, "%s.normalised", l->name);
        struct nn_wire norm = node_begin("BatchNormalization", l->name, from, normalised);
        const struct nn_tensor *tensor = first_tensor(m->net, i);
        for (int k = 0; k < 4; k++)
            put_tensor(m, &norm, &tensor[k], NULL);
        put_float(&norm, "epsilon", (float)KN_NORM_EPSILON);
        nn_wire_message(&m->graph, GRAPH_NODE, &norm);
        from = normalised;
    }
    char name[NN_NAME + 16];
    snprintf(name, sizeof name, "%s.relu", l->name);
    struct nn_wire relu = node_begin("Relu", name, from, value_name(m->net, i + 1));
    nn_wire_message(&m->graph, GRAPH_NODE, &relu);
}

static void put_add(struct model *m, int i)
{
    const struct nn_layer *l = &m->net->layer[i];
    struct nn_wire node = node_begin("Add", l->name, value_name(m->net, l->in[0]), value_name(m->net, i + 1));
    nn_wire_text(&node, NODE_INPUT, value_name(m->net, l->in[1]));
    nn_wire_message(&m->graph, GRAPH_NODE, &node);
}

static void put_layers(struct model *m)
{
    for (int i = 0; i < m->net->layers; i++) {
        if (i + 1 == m->net->side)
            continue;
        switch (m->net->layer[i].kind) {
        case NN_CONV: put_conv(m, i); break;
        case NN_NORM_RELU: put_norm_relu(m, i); break;
        case NN_ADD: put_add(m, i); break;
        }
    }
}

int nn_onnx_write(const char *path, const struct nn_onnx_about *about, const struct nn_net *net,
                  const float *parameters, const float *statistics)
{
    struct model m = {.net = net, .parameters = parameters, .statistics = statistics};
    struct nn_wire model = {0}, opset = {0};
    nn_wire_text(&m.graph, GRAPH_NAME, about->name);
    nn_wire_text(&m.graph, GRAPH_DOC, about->text);
    put_value(&m.graph, GRAPH_INPUT, value_name(net, 0), net->channels);
    put_value(&m.graph, GRAPH_OUTPUT, value_name(net, net->output), nn_channels(net, net->output));
    put_layers(&m);
    nn_wire_integer(&model, MODEL_IR, IR_VERSION);
    nn_wire_text(&model, MODEL_PRODUCER, "joulerx");
    nn_wire_integer(&opset, OPSET_VERSION, OPSET);
    nn_wire_message(&model, MODEL_OPSET, &opset);
    for (int i = 0; i < about->pairs; i++) {
        struct nn_wire pair = {0};
        nn_wire_text(&pair, PROPERTY_KEY, about->pair[i].key);
        nn_wire_text(&pair, PROPERTY_VALUE, about->pair[i].value);
        nn_wire_message(&model, MODEL_PROPERTY, &pair);
    }
    nn_wire_message(&model, MODEL_GRAPH, &m.graph);
    int status = m.failed || model.failed ? jrx_fail(JRX_ENOMEM, "%s: no memory for the model", path) : 0;
    if (!status)
        status =
            jrx_file_replace_pieces(path, &(struct jrx_piece){model.data, model.bytes}, 1,
                                    "make room or choose another folder; an older file of that name is left as it was");
    nn_wire_free(&model);
    return status;
}
