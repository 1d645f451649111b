#include "kernels/shape.h"
#include "harness/base/error.h"
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const op_names[KN_OPS] = {"pointwise", "depthwise", "conv3x3", "separable", "norm", "relu", "add"};
static const char *const op_prefix[KN_OPS] = {"pw", "dw", "conv", "sep", "norm", "relu", "add"};
static const char *const dir_names[KN_DIRS] = {"fwd", "bwd_data", "bwd_weights"};

const char *kn_op_name(enum kn_op op)
{
    return op_names[op];
}

const char *kn_dir_name(enum kn_dir dir)
{
    return dir_names[dir];
}

/* Padded channels as double, so that the products of kn_shape_check() cannot overflow. */
static double lanes(int c)
{
    return KN_LANES * (double)((c - 1) / KN_LANES + 1);
}

struct kn_shape kn_depthwise_half(const struct kn_shape *separable)
{
    struct kn_shape s = *separable;
    s.oc = s.mid;
    s.mid = 0;
    return s;
}

struct kn_shape kn_pointwise_half(const struct kn_shape *separable)
{
    struct kn_shape s = *separable;
    s.ic = s.mid;
    s.dil_f = s.dil_t = 1;
    s.mid = 0;
    return s;
}

static int separable_check(const struct kn_shape *s)
{
    if (s->mid < 1)
        return jrx_fail(JRX_EINVAL, "shape: separable with mid=%d; set it to ic times the multiplier", s->mid);
    struct kn_shape depthwise = kn_depthwise_half(s), pointwise = kn_pointwise_half(s);
    int rc = kn_shape_check(KN_DEPTHWISE, &depthwise);
    return rc ? rc : kn_shape_check(KN_POINTWISE, &pointwise);
}

int kn_shape_check(enum kn_op op, const struct kn_shape *s)
{
    if (op == KN_SEPARABLE)
        return separable_check(s);
    const struct {
        const char *name;
        int value;
    } axis[] = {{"n", s->n}, {"ic", s->ic},       {"oc", s->oc},      {"f", s->f},
                {"t", s->t}, {"dil_f", s->dil_f}, {"dil_t", s->dil_t}};
    for (size_t i = 0; i < sizeof axis / sizeof *axis; i++)
        if (axis[i].value < 1)
            return jrx_fail(JRX_EINVAL, "shape: %s=%d; every axis is at least 1", axis[i].name, axis[i].value);
    if ((op == KN_POINTWISE || kn_elementwise(op)) && (s->dil_f != 1 || s->dil_t != 1))
        return jrx_fail(JRX_EINVAL, "shape: dilation %dx%d of a %s layer; it has one tap, use 1x1", s->dil_f, s->dil_t,
                        op_names[op]);
    if (kn_elementwise(op) && s->oc != s->ic)
        return jrx_fail(JRX_EINVAL, "shape: %s with ic=%d, oc=%d; it has as many out as in", op_names[op], s->ic,
                        s->oc);
    if (op == KN_DEPTHWISE && s->oc % s->ic)
        return jrx_fail(JRX_EINVAL, "shape: depthwise with ic=%d, oc=%d; oc must be a multiple of ic", s->ic, s->oc);
    double grid = (double)s->n * s->f * s->t;
    int one_input = op == KN_DEPTHWISE || kn_elementwise(op), one_tap = op == KN_POINTWISE || kn_elementwise(op);
    double weights = (one_input ? 1 : lanes(s->ic)) * lanes(s->oc) * (one_tap ? 1 : KN_TAPS);
    double most = grid * (lanes(s->ic) > lanes(s->oc) ? lanes(s->ic) : lanes(s->oc));
    most = most > weights ? most : weights;
    if (most > INT_MAX)
        return jrx_fail(JRX_EINVAL, "shape: a tensor of %.3g elements; at most 2^31 are addressed, use a smaller batch",
                        most);
    return 0;
}

static size_t activation_floats(const struct kn_shape *s, int channels)
{
    return (size_t)s->n * (size_t)kn_blocks(channels) * KN_LANES * (size_t)s->f * (size_t)s->t;
}

size_t kn_x_floats(const struct kn_shape *s)
{
    return activation_floats(s, s->ic);
}

size_t kn_y_floats(const struct kn_shape *s)
{
    return activation_floats(s, s->oc);
}

size_t kn_w_floats(enum kn_op op, const struct kn_shape *s)
{
    if (op == KN_SEPARABLE) {
        struct kn_shape depthwise = kn_depthwise_half(s), pointwise = kn_pointwise_half(s);
        return kn_w_floats(KN_DEPTHWISE, &depthwise) + kn_w_floats(KN_POINTWISE, &pointwise);
    }
    if (op == KN_ADD)
        return kn_y_floats(s);
    size_t in = (size_t)kn_blocks(s->ic) * KN_LANES, out = (size_t)kn_blocks(s->oc) * KN_LANES;
    if (kn_elementwise(op))
        return out;
    return op == KN_POINTWISE ? in * out : op == KN_DEPTHWISE ? KN_TAPS * out : KN_TAPS * in * out;
}

/* Positions of an axis whose neighbour `dilation` away is still on it. */
static double inside(int length, int dilation)
{
    return length > dilation ? length - dilation : 0;
}

double kn_flop(enum kn_op op, enum kn_dir dir, const struct kn_shape *s)
{
    /* norm: mean 1, variance 3, normalising 3; backward the value before ReLU 3, sums 3, dx 4. relu: the value 2, dx 1,
     * sums 3. add: one sum, one copy, one sum. */
    static const double of_element[KN_OPS][KN_DIRS] = {
        [KN_BATCH_NORM] = {7, 10, 6}, [KN_RELU] = {2, 3, 5}, [KN_ADD] = {1, 0, 1}};
    if (kn_elementwise(op))
        return of_element[op][dir] * s->n * s->oc * s->f * s->t;
    if (op == KN_SEPARABLE) {
        struct kn_shape depthwise = kn_depthwise_half(s), pointwise = kn_pointwise_half(s);
        return kn_flop(KN_DEPTHWISE, dir, &depthwise) + kn_flop(KN_POINTWISE, dir, &pointwise);
    }
    double macs = (double)s->n * s->oc * (op == KN_DEPTHWISE ? 1 : s->ic);
    if (op == KN_POINTWISE)
        return 2 * macs * s->f * s->t;
    /* the sum over the nine taps of (rows in the grid) * (columns in the grid) is a product of two sums */
    return 2 * macs * (s->f + 2 * inside(s->f, s->dil_f)) * (s->t + 2 * inside(s->t, s->dil_t));
}

/* A decimal number of at least 1 from *text on, which moves past it; 0 if there is none or it does not fit. */
static int number(const char **text)
{
    if (!isdigit((unsigned char)**text))
        return 0;
    char *end;
    long v = strtol(*text, &end, 10);
    *text = end;
    return v > INT_MAX ? 0 : (int)v;
}

/* What a part between colons says: a letter, then a number, and for d a second one after an x. */
struct layer_parts {
    int c, k, m, d[2];
};

static int layer_part(const char **at, struct layer_parts *parts)
{
    char letter = *(*at)++;
    int *slot = letter == 'c' ? &parts->c : letter == 'k' ? &parts->k : letter == 'm' ? &parts->m : parts->d;
    if (!strchr("ckmd", letter) || !letter || *slot)
        return -1;
    *slot = number(at);
    if (letter == 'd') {
        if (**at != 'x')
            return -1;
        (*at)++;
        parts->d[1] = number(at);
    }
    return *slot && (letter != 'd' || parts->d[1]) && (!**at || **at == ':') ? 0 : -1;
}

int kn_layer_parse(const char *text, enum kn_op *op, struct kn_shape *shape)
{
    static const char form[] = "use pw:cIN:kOUT, dw:cIN[:mTIMES][:dFxT], conv:cIN:kOUT[:dFxT], "
                               "sep:cIN[:mTIMES]:kOUT[:dFxT], norm:cIN, relu:cIN or add:cIN";
    size_t length = strcspn(text, ":");
    int found = 0;
    while (found < KN_OPS && (strlen(op_prefix[found]) != length || strncmp(text, op_prefix[found], length)))
        found++;
    if (found == KN_OPS)
        return jrx_fail(JRX_EINVAL, "layer %s: '%.*s' is no operator; %s", text, (int)length, text, form);
    struct layer_parts parts = {0};
    for (const char *at = text + length; *at;) {
        const char *part = ++at;
        if (layer_part(&at, &parts))
            return jrx_fail(JRX_EINVAL, "layer %s: '%.*s' is not understood; %s", text, (int)strcspn(part, ":"), part,
                            form);
    }
    int depthwise = found == KN_DEPTHWISE, separable = found == KN_SEPARABLE, plain = kn_elementwise((enum kn_op)found),
        keeps = depthwise || plain; /* no k */
    if (!parts.c || keeps != !parts.k || (parts.m && !depthwise && !separable) ||
        ((found == KN_POINTWISE || plain) && parts.d[0]))
        return jrx_fail(JRX_EINVAL, "layer %s: a part is missing or does not belong there; %s", text, form);
    parts.m = parts.m ? parts.m : 1;
    if (parts.c > INT_MAX / parts.m)
        return jrx_fail(JRX_EINVAL, "layer %s: %d times %d channels are too many", text, parts.c, parts.m);
    *op = (enum kn_op)found;
    shape->ic = parts.c;
    shape->oc = keeps ? parts.c * parts.m : parts.k;
    shape->mid = separable ? parts.c * parts.m : 0;
    shape->dil_f = parts.d[0] ? parts.d[0] : 1;
    shape->dil_t = parts.d[1] ? parts.d[1] : 1;
    return 0;
}

char *kn_layer_format(enum kn_op op, const struct kn_shape *s, char *text, size_t size)
{
    char multiplier[32] = "", channels[32] = "", dilation[32] = "";
    int times = op == KN_DEPTHWISE ? s->oc / s->ic : op == KN_SEPARABLE ? s->mid / s->ic : 1;
    if (times != 1)
        snprintf(multiplier, sizeof multiplier, ":m%d", times);
    if (op != KN_DEPTHWISE && !kn_elementwise(op))
        snprintf(channels, sizeof channels, ":k%d", s->oc);
    if (s->dil_f != 1 || s->dil_t != 1)
        snprintf(dilation, sizeof dilation, ":d%dx%d", s->dil_f, s->dil_t);
    snprintf(text, size, "%s:c%d%s%s%s", op_prefix[op], s->ic, multiplier, channels, dilation);
    return text;
}
