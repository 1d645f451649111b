#include "models/receiver/deeprx.h"
#include "harness/base/error.h"
#include "models/nn/loss.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Width, then dilation in time and frequency. Published: layers 1 to 11 of the paper's table. */
static const struct rx_block deeprx[] = {{64, 1, 1},  {64, 1, 1},  {128, 2, 3}, {128, 2, 3}, {256, 2, 3}, {256, 3, 6},
                                         {256, 2, 3}, {128, 2, 3}, {128, 2, 3}, {64, 1, 1},  {64, 1, 1}};
/* Ours: fewer blocks of one width, for what is to be trained in minutes. Wide dilations come first, because what has to
 * be found out first is how to carry pilots to data. */
static const struct rx_block short7[] = {{64, 2, 3}, {64, 2, 3}, {64, 3, 6}, {64, 3, 6},
                                         {64, 2, 3}, {64, 2, 3}, {64, 1, 1}};
static const struct rx_block short5[] = {{64, 2, 3}, {64, 2, 3}, {64, 3, 6}, {64, 2, 3}, {64, 1, 1}};
static const struct rx_block short3[] = {{64, 2, 3}, {64, 3, 6}, {64, 2, 3}};

#define BODY(table)                                                                                                    \
    {                                                                                                                  \
#table, 64, sizeof table / sizeof *table, table                                                                \
    }
static const struct rx_body bodies[] = {BODY(deeprx), BODY(short7), BODY(short5), BODY(short3), {NULL, 0, 0, NULL}};

const struct rx_body *rx_bodies(void)
{
    return bodies;
}

const struct rx_body *rx_body_find(const char *name)
{
    char names[128] = "";
    for (const struct rx_body *body = bodies; body->name; body++) {
        if (!strcmp(body->name, name))
            return body;
        size_t at = strlen(names);
        snprintf(names + at, sizeof names - at, "%s%s", at ? ", " : "", body->name);
    }
    jrx_fail(JRX_EINVAL, "no table of blocks is called %s; there are %s", name, names);
    return NULL;
}

/* Names "block<number>.<part>" as PyTorch modules would have them. */
static const char *part(char name[NN_NAME], int block, const char *what)
{
    snprintf(name, NN_NAME, "block%d.%s", block, what);
    return name;
}

/* x + pw(dw(relu(norm(pw(dw(a)))))), a = relu(norm(x)); where the width changes the shortcut is pw(a) instead of x. */
static int residual_block(struct nn_net *net, int number, const struct rx_block *block, int x, int width)
{
    char name[NN_NAME];
    const int f = block->dil_f, t = block->dil_t;
    if (x < 0)
        return x;
    int multiplied = 2 * nn_channels(net, x), shortcut = x;
    int a = nn_norm_relu(net, part(name, number, "norm1"), x);
    if (nn_channels(net, x) != width)
        shortcut = nn_conv(net, part(name, number, "shortcut"), KN_POINTWISE, a, width, 1, 1);
    int h = nn_conv(net, part(name, number, "dw1"), KN_DEPTHWISE, a, multiplied, f, t);
    h = nn_conv(net, part(name, number, "pw1"), KN_POINTWISE, h, width, 1, 1);
    h = nn_norm_relu(net, part(name, number, "norm2"), h);
    h = nn_conv(net, part(name, number, "dw2"), KN_DEPTHWISE, h, 2 * width, f, t);
    h = nn_conv(net, part(name, number, "pw2"), KN_POINTWISE, h, width, 1, 1);
    return shortcut < 0 ? shortcut : nn_add(net, part(name, number, "add"), h, shortcut);
}

static int scaled(const struct rx_shape *shape, int channels)
{
    return (int)lround(shape->width * channels);
}

int rx_net_init(struct nn_net *net, const struct rx_shape *shape)
{
    const struct rx_body *body = shape->body;
    if (shape->rx < 1 || shape->rx > LK_MAX_RX)
        return jrx_fail(JRX_EINVAL, "receiver: %d antennas; 1 to %d are possible", shape->rx, LK_MAX_RX);
    if (!(shape->width > 0 && shape->width <= 16))
        return jrx_fail(JRX_EINVAL, "receiver: width factor %g; give one above 0, at most 16", shape->width);
    if (shape->logits < 1 || shape->logits > KN_LANES)
        return jrx_fail(JRX_EINVAL, "receiver: %d logits; 1 to %d are possible", shape->logits, KN_LANES);
    nn_net_init(net, rx_planes(shape->rx));
    int x = nn_conv(net, "stem", KN_CONV3X3, 0, scaled(shape, body->stem), 1, 1);
    for (int i = 0; i < body->blocks; i++)
        x = residual_block(net, i + 1, &body->block[i], x, scaled(shape, body->block[i].width));
    x = nn_norm_relu(net, "head.norm", x);
    x = nn_conv(net, "head.conv", KN_POINTWISE, x, shape->logits, 1, 1);
    int status = nn_net_done(net, x);
    if (status)
        nn_net_fini(net);
    return status;
}

/* 1 / root mean square of what the antennas heard: automatic gain control. */
static float gain(const struct lk_slot *slot, size_t pixels)
{
    double power = 0;
    for (size_t i = 0; i < (size_t)slot->rx * pixels; i++)
        power += (double)(crealf(slot->y[i]) * crealf(slot->y[i]) + cimagf(slot->y[i]) * cimagf(slot->y[i]));
    return power > 0 ? (float)(1 / sqrt(power / (double)((size_t)slot->rx * pixels))) : 1;
}

void rx_fill_input(const struct lk_slot *slot, int n, float *input)
{
    const size_t pixels = (size_t)slot->f * (size_t)slot->t;
    const int rx = slot->rx, planes = rx_planes(rx), blocks = kn_blocks(planes);
    const float scale = gain(slot, pixels);
    float *start = input + (size_t)n * (size_t)blocks * pixels * KN_LANES;
    for (size_t p = 0; p < pixels; p++) {
        float plane[(2 * (2 * LK_MAX_RX + 1) / KN_LANES + 1) * KN_LANES] = {0};
        const float complex pilot = slot->xp[p];
        for (int a = 0; a < rx; a++) {
            const float complex y = scale * slot->y[(size_t)a * pixels + p], h = y * conjf(pilot);
            plane[a] = crealf(y);
            plane[rx + a] = cimagf(y);
            plane[2 * rx + 2 + a] = crealf(h);
            plane[3 * rx + 2 + a] = cimagf(h);
        }
        plane[2 * rx] = crealf(pilot);
        plane[2 * rx + 1] = cimagf(pilot);
        for (int b = 0; b < blocks; b++)
            memcpy(start + ((size_t)b * pixels + p) * KN_LANES, plane + b * KN_LANES, KN_LANES * sizeof *plane);
    }
}

void rx_fill_labels(const struct lk_slot *slot, int n, uint8_t *label)
{
    const size_t pixels = (size_t)slot->f * (size_t)slot->t;
    uint8_t *start = label + (size_t)n * pixels * KN_LANES;
    memset(start, NN_NO_BIT, pixels * KN_LANES);
    for (size_t p = 0; p < pixels; p++)
        if (slot->re[p] == LK_DATA)
            memcpy(start + p * KN_LANES, slot->bit + p * (size_t)slot->bits, (size_t)slot->bits);
}
