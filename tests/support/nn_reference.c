#include "tests/support/nn_reference.h"
#include <math.h>
#include <stdlib.h>

static double *room(size_t count)
{
    double *p = calloc(count ? count : 1, sizeof *p);
    if (!p)
        abort();
    return p;
}

/* The tensor of a layer: 0 weight, 1 bias, 2 mean, 3 variance, as nn_net_done() lists them. */
static double *tensor_of(const struct reference *r, int layer, int which)
{
    for (int i = 0; i < r->net->tensors; i++)
        if (r->net->tensor[i].layer == layer)
            return r->tensor[i + which];
    abort();
}

static size_t at(const struct reference *r, int channels, int n, int c, int f, int t)
{
    return (((size_t)n * (size_t)channels + (size_t)c) * (size_t)r->f + (size_t)f) * (size_t)r->t + (size_t)t;
}

/* One output of a convolution; groups = number of input channels for depthwise, else 1. */
static double conv_at(const struct reference *r, const struct nn_layer *l, const double *x, const double *w, int n,
                      int o, int f, int t)
{
    const int side = l->op == KN_POINTWISE ? 1 : 3, inputs = l->op == KN_DEPTHWISE ? 1 : l->ic;
    double sum = 0;
    for (int i = 0; i < inputs; i++)
        for (int a = 0; a < side; a++)
            for (int b = 0; b < side; b++) {
                const int ff = f + (a - side / 2) * l->dil_f, tt = t + (b - side / 2) * l->dil_t;
                const int c = l->op == KN_DEPTHWISE ? o / (l->oc / l->ic) : i;
                if (ff >= 0 && ff < r->f && tt >= 0 && tt < r->t)
                    sum += w[((o * inputs + i) * side + a) * side + b] * x[at(r, l->ic, n, c, ff, tt)];
            }
    return sum;
}

static void conv(const struct reference *r, int layer)
{
    const struct nn_layer *l = &r->net->layer[layer];
    const double *w = tensor_of(r, layer, 0), *bias = tensor_of(r, layer, 1);
    for (int n = 0; n < r->n; n++)
        for (int o = 0; o < l->oc; o++)
            for (int f = 0; f < r->f; f++)
                for (int t = 0; t < r->t; t++)
                    r->value[layer + 1][at(r, l->oc, n, o, f, t)] =
                        bias[o] + conv_at(r, l, r->value[l->in[0]], w, n, o, f, t);
}

static void channel_statistics(const struct reference *r, const double *x, int channels, int c, double *mean,
                               double *variance)
{
    const int size = r->f * r->t;
    double sum = 0, square = 0;
    for (int n = 0; n < r->n; n++)
        for (int p = 0; p < size; p++)
            sum += x[at(r, channels, n, c, 0, 0) + (size_t)p];
    *mean = sum / (r->n * size);
    for (int n = 0; n < r->n; n++)
        for (int p = 0; p < size; p++)
            square += pow(x[at(r, channels, n, c, 0, 0) + (size_t)p] - *mean, 2);
    *variance = square / (r->n * size);
}

static void norm_relu(const struct reference *r, int layer)
{
    const struct nn_layer *l = &r->net->layer[layer];
    const double *x = r->value[l->in[0]], *scale = tensor_of(r, layer, 0), *shift = tensor_of(r, layer, 1);
    for (int c = 0; c < l->oc; c++) {
        double *mean = &tensor_of(r, layer, 2)[c], *variance = &tensor_of(r, layer, 3)[c];
        if (r->training)
            channel_statistics(r, x, l->oc, c, mean, variance);
        for (int n = 0; n < r->n; n++)
            for (int p = 0; p < r->f * r->t; p++) {
                size_t i = at(r, l->oc, n, c, 0, 0) + (size_t)p;
                double y = scale[c] * (x[i] - *mean) / sqrt(*variance + 1e-5) + shift[c];
                r->value[layer + 1][i] = y > 0 ? y : 0;
            }
    }
}

static void add(const struct reference *r, int layer)
{
    const struct nn_layer *l = &r->net->layer[layer];
    for (size_t i = 0; i < at(r, l->oc, r->n, 0, 0, 0); i++)
        r->value[layer + 1][i] = r->value[l->in[0]][i] + r->value[l->in[1]][i];
}

void reference_forward(struct reference *r)
{
    for (int i = 0; i < r->net->layers; i++)
        switch (r->net->layer[i].kind) {
        case NN_CONV: conv(r, i); break;
        case NN_NORM_RELU: norm_relu(r, i); break;
        case NN_ADD: add(r, i); break;
        }
}

void reference_init(struct reference *r, const struct nn_net *net, int n, int f, int t, int training,
                    const float *parameters, const float *statistics)
{
    *r = (struct reference){.net = net, .n = n, .f = f, .t = t, .training = training};
    r->tensor = calloc((size_t)net->tensors, sizeof *r->tensor);
    r->value = calloc((size_t)net->layers + 1, sizeof *r->value);
    if (!r->tensor || !r->value)
        abort();
    for (int i = 0; i < net->tensors; i++) {
        size_t size = nn_tensor_size(&net->tensor[i]);
        float *real = calloc(size, sizeof *real);
        if (!real)
            abort();
        nn_tensor_unpack(net, &net->tensor[i], net->tensor[i].statistic ? statistics : parameters, real);
        r->tensor[i] = room(size);
        for (size_t k = 0; k < size; k++)
            r->tensor[i][k] = real[k];
        free(real);
    }
    for (int v = 0; v <= net->layers; v++)
        r->value[v] = room(at(r, nn_channels(net, v), n, 0, 0, 0));
}

void reference_fini(struct reference *r)
{
    for (int i = 0; i < r->net->tensors; i++)
        free(r->tensor[i]);
    for (int v = 0; v <= r->net->layers; v++)
        free(r->value[v]);
    free(r->tensor);
    free(r->value);
}

/* The place of channel c of pixel p of slot n in the blocked layout, as kernels/kernel.h describes it. */
static size_t blocked_at(int n, int c, int p, int channels, int pixels)
{
    return (((size_t)n * (size_t)((channels + 15) / 16) + (size_t)c / 16) * (size_t)pixels + (size_t)p) * 16 +
           (size_t)c % 16;
}

void reference_to_blocked(const double *plain, float *blocked, int n, int c, int f, int t)
{
    for (int s = 0; s < n; s++)
        for (int k = 0; k < (c + 15) / 16 * 16; k++)
            for (int p = 0; p < f * t; p++)
                blocked[blocked_at(s, k, p, c, f * t)] = k < c ? (float)plain[(s * c + k) * f * t + p] : 0;
}

void reference_from_blocked(const float *blocked, double *plain, int n, int c, int f, int t)
{
    for (int s = 0; s < n; s++)
        for (int k = 0; k < c; k++)
            for (int p = 0; p < f * t; p++)
                plain[(s * c + k) * f * t + p] = blocked[blocked_at(s, k, p, c, f * t)];
}
