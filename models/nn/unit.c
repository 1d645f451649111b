#include "models/nn/unit.h"
#include <string.h>

static int is_conv(const struct nn_net *net, int i, enum kn_op op, int in)
{
    return i < net->layers && net->layer[i].kind == NN_CONV && net->layer[i].op == op && net->layer[i].in[0] == in;
}

static int readers(const struct nn_net *net, int value)
{
    int count = 0;
    for (int i = 0; i < net->layers; i++)
        count += (net->layer[i].in[0] == value) + (net->layer[i].in[1] == value);
    return count;
}

/* An experiment that swapped a kernel or a tile wants to see that layer run. */
static int as_it_comes(const struct nn_layer *layer)
{
    static const struct kn_tile none;
    int plain = 1;
    for (int dir = 0; dir < KN_DIRS; dir++)
        plain &= !layer->kernel[dir] && !memcmp(&layer->tile[dir], &none, sizeof none);
    return plain;
}

static int stage_at(const struct nn_net *net, int norm, struct nn_unit *unit)
{
    const struct nn_layer *l = &net->layer[norm];
    const int a = norm + 1;
    int next = norm + 1;
    *unit = (struct nn_unit){.first = norm, .fused = 1, .shortcut = -1, .add = -1};
    if (l->kind != NN_NORM_RELU || l->in[0] == 0)
        return 0;
    if (is_conv(net, next, KN_POINTWISE, a))
        unit->shortcut = next++;
    unit->dw = next;
    unit->pw = next + 1;
    if (!is_conv(net, unit->dw, KN_DEPTHWISE, a) || !is_conv(net, unit->pw, KN_POINTWISE, unit->dw + 1))
        return 0;
    if (readers(net, a) != 1 + (unit->shortcut >= 0) || readers(net, unit->dw + 1) != 1)
        return 0;
    if (!as_it_comes(&net->layer[unit->dw]) || !as_it_comes(&net->layer[unit->pw]))
        return 0;
    unit->last = unit->pw;
    const int h = unit->pw + 1;
    if (h < net->layers && net->layer[h].kind == NN_ADD && readers(net, h) == 1) {
        const int *in = net->layer[h].in, other = in[0] == h ? in[1] : in[0];
        if ((in[0] == h || in[1] == h) && other <= norm)
            unit->last = unit->add = h;
    }
    struct kn_shape shape = nn_stage_shape(net, unit, 1, 1, 1);
    return !kn_best(KN_SEPARABLE, KN_FWD)->supports(&shape, &(struct kn_tile){0});
}

int nn_units(const struct nn_net *net, int fuse, struct nn_unit unit[NN_MAX_LAYERS])
{
    int count = 0;
    for (int i = 0; i < net->layers; i = unit[count++].last + 1)
        if (!fuse || !stage_at(net, i, &unit[count]))
            unit[count] = (struct nn_unit){.first = i, .last = i};
    return count;
}

struct kn_shape nn_stage_shape(const struct nn_net *net, const struct nn_unit *unit, int n, int f, int t)
{
    struct kn_shape shape = nn_layer_shape(&net->layer[unit->dw], n, f, t);
    shape.mid = shape.oc;
    shape.oc = net->layer[unit->pw].oc;
    return shape;
}

int nn_unit_hides(const struct nn_unit *unit, int value)
{
    if (!unit->fused)
        return 0;
    return value == unit->first + 1 || value == unit->dw + 1 || (unit->add >= 0 && value == unit->pw + 1);
}
