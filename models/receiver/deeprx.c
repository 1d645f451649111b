#include "models/receiver/deeprx.h"
#include "harness/base/error.h"
#include "models/nn/loss.h"
#include <immintrin.h>
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
static int residual_block(struct nn_net *net, int number, const struct rx_block *block, int x, int width,
                          int multiplier)
{
    char name[NN_NAME];
    const int f = block->dil_f, t = block->dil_t;
    if (x < 0)
        return x;
    int multiplied = multiplier * nn_channels(net, x), shortcut = x;
    int a = nn_norm_relu(net, part(name, number, "norm1"), x);
    if (nn_channels(net, x) != width)
        shortcut = nn_conv(net, part(name, number, "shortcut"), KN_POINTWISE, a, width, 1, 1);
    int h = nn_conv(net, part(name, number, "dw1"), KN_DEPTHWISE, a, multiplied, f, t);
    h = nn_conv(net, part(name, number, "pw1"), KN_POINTWISE, h, width, 1, 1);
    h = nn_norm_relu(net, part(name, number, "norm2"), h);
    h = nn_conv(net, part(name, number, "dw2"), KN_DEPTHWISE, h, multiplier * width, f, t);
    h = nn_conv(net, part(name, number, "pw2"), KN_POINTWISE, h, width, 1, 1);
    return shortcut < 0 ? shortcut : nn_add(net, part(name, number, "add"), h, shortcut);
}

static int scaled(const struct rx_shape *shape, int channels)
{
    return (int)lround(shape->width * channels);
}

/* Row of the table that block i of `blocks` takes: the first, the last, and between them at even distances. */
static int spread(int i, int blocks, int rows)
{
    return blocks > 1 ? (2 * i * (rows - 1) + blocks - 1) / (2 * (blocks - 1)) : rows / 2;
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
    if (shape->blocks < 0 || shape->blocks > body->blocks || shape->multiplier < 0 || shape->multiplier > 4)
        return jrx_fail(JRX_EINVAL,
                        "receiver: %d blocks of multiplier %d; %s has 1 to %d blocks, multipliers are 1 to 4",
                        shape->blocks, shape->multiplier, body->name, body->blocks);
    const int blocks = shape->blocks ? shape->blocks : body->blocks,
              multiplier = shape->multiplier ? shape->multiplier : 2;
    nn_net_init(net, rx_planes(shape->rx));
    int x = nn_conv(net, "stem", KN_CONV3X3, 0, scaled(shape, body->stem), 1, 1);
    for (int i = 0; i < blocks; i++) {
        const struct rx_block *block = &body->block[spread(i, blocks, body->blocks)];
        x = residual_block(net, i + 1, block, x, scaled(shape, block->width), multiplier);
    }
    const int map = x;
    x = nn_norm_relu(net, "head.norm", x);
    x = nn_conv(net, "head.conv", KN_POINTWISE, x, shape->logits, 1, 1);
    if (shape->hint && x > 0)
        net->side = nn_conv(net, "hint", KN_POINTWISE, map, shape->hint, 1, 1);
    int status = nn_net_done(net, x);
    if (status)
        nn_net_fini(net);
    return status;
}

int rx_last_map(const struct nn_net *net)
{
    return net->layer[net->layer[net->output - 1].in[0] - 1].in[0]; /* through head.conv and head.norm */
}

/* 1 / root mean square of what the antennas heard: automatic gain control. */
static float gain(const struct lk_slot *slot, size_t pixels)
{
    const size_t floats = 2 * (size_t)slot->rx * pixels; /* a multiple of 8 */
    __m128d a = {0}, b = {0};                            /* double: thousands are added */
    for (size_t i = 0; i < floats; i += 8) {
        __m128 y = _mm_loadu_ps((const float *)slot->y + i), z = _mm_loadu_ps((const float *)slot->y + i + 4);
        __m128 square = y * y + z * z;
        a += _mm_cvtps_pd(square);
        b += _mm_cvtps_pd(_mm_movehl_ps(square, square));
    }
    a += b;
    double power = a[0] + a[1];
    return power > 0 ? (float)(1 / sqrt(power / (double)((size_t)slot->rx * pixels))) : 1;
}

/* Four complex numbers as four real and four imaginary parts. */
static inline void load_parts(const float complex *from, __m128 *re, __m128 *im)
{
    __m128 low = _mm_loadu_ps((const float *)from), high = _mm_loadu_ps((const float *)(from + 2));
    *re = _mm_shuffle_ps(low, high, 0x88);
    *im = _mm_shuffle_ps(low, high, 0xdd);
}

void rx_fill_input(const struct lk_slot *slot, int n, float *input)
{
    const size_t pixels = (size_t)slot->f * (size_t)slot->t;
    const int rx = slot->rx, blocks = kn_blocks(rx_planes(rx));
    const __m128 scale = _mm_set1_ps(gain(slot, pixels));
    float *start = input + (size_t)n * (size_t)blocks * pixels * KN_LANES;
    __m128 plane[(2 * (2 * LK_MAX_RX + 1) / KN_LANES + 1) * KN_LANES] = {{0}};
    for (size_t p = 0; p < pixels; p += 4) { /* four pixels of every plane, turned into four planes of a pixel */
        __m128 pilot_re, pilot_im, re, im;
        load_parts(slot->xp + p, &pilot_re, &pilot_im);
        plane[2 * rx] = pilot_re;
        plane[2 * rx + 1] = pilot_im;
        for (int a = 0; a < rx; a++) {
            load_parts(slot->y + (size_t)a * pixels + p, &re, &im);
            re *= scale;
            im *= scale;
            plane[a] = re;
            plane[rx + a] = im;
            plane[2 * rx + 2 + a] = re * pilot_re + im * pilot_im;
            plane[3 * rx + 2 + a] = im * pilot_re - re * pilot_im;
        }
        for (int c = 0; c < blocks * KN_LANES; c += 4) {
            __m128 p0 = plane[c], p1 = plane[c + 1], p2 = plane[c + 2], p3 = plane[c + 3];
            float *to = start + ((size_t)(c / KN_LANES) * pixels + p) * KN_LANES + c % KN_LANES;
            if (c < rx_planes(rx)) /* the rest is padding */
                _MM_TRANSPOSE4_PS(p0, p1, p2, p3);
            _mm_storeu_ps(to, p0);
            _mm_storeu_ps(to + KN_LANES, p1);
            _mm_storeu_ps(to + 2 * KN_LANES, p2);
            _mm_storeu_ps(to + 3 * KN_LANES, p3);
        }
    }
}

void rx_fill_labels(const struct lk_slot *slot, int n, uint8_t *label)
{
    const size_t pixels = (size_t)slot->f * (size_t)slot->t;
    uint8_t *start = label + (size_t)n * pixels * KN_LANES;
    uint8_t mask[LK_MAX_BITS] = {0};
    uint64_t wanted, none; /* eight lanes at once */
    memset(mask, 0xff, (size_t)slot->bits);
    memcpy(&wanted, mask, sizeof wanted);
    memset(&none, NN_NO_BIT, sizeof none);
    for (size_t p = 0; p < pixels; p++) {
        uint64_t bits = none;
        if (slot->re[p] == LK_DATA) {
            memcpy(&bits, slot->bit + p * (size_t)slot->bits, sizeof bits);
            bits = (bits & wanted) | (none & ~wanted);
        }
        memcpy(start + p * KN_LANES, &bits, sizeof bits);
        memcpy(start + p * KN_LANES + sizeof bits, &none, sizeof none);
    }
}
