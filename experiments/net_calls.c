#include "experiments/net_calls.h"
#include "harness/base/error.h"
#include "kernels/sums.h"
#include <stdlib.h>
#include <string.h>

int ex_published_new(struct nn_net **net, const struct rx_body *body)
{
    const struct rx_shape shape = {.body = body, .width = 1, .rx = 2, .logits = RX_LOGITS};
    *net = calloc(1, sizeof **net);
    return *net ? rx_net_init(*net, &shape) : jrx_fail(JRX_ENOMEM, "%s: no memory", body->name);
}

void ex_published_free(struct nn_net *net)
{
    if (net)
        nn_net_fini(net);
    free(net);
}

static int add_layer(struct ex_net_layer *layer, int count, const struct ex_net_layer *more)
{
    for (int i = 0; i < count; i++)
        if (layer[i].op == more->op && !memcmp(&layer[i].shape, &more->shape, sizeof more->shape)) {
            layer[i].times++;
            return count;
        }
    if (count == EX_NET_LAYERS)
        return jrx_fail(JRX_EINVAL, "network: more than %d kinds of layers", EX_NET_LAYERS);
    layer[count] = *more;
    return count + 1;
}

int ex_net_layers(const struct rx_body *body, int f, struct ex_net_layer *layer)
{
    struct nn_net *net;
    int status = ex_published_new(&net, body), count = 0;
    for (int i = 0; !status && count >= 0 && i < net->layers; i++) {
        const struct nn_layer *l = &net->layer[i];
        const int conv = l->kind == NN_CONV;
        count = add_layer(layer, count,
                          &(struct ex_net_layer){.op = conv                ? l->op
                                                       : l->kind == NN_ADD ? KN_ADD
                                                                           : KN_RELU,
                                                 .conv = conv,
                                                 .shape = nn_layer_shape(l, 1, f, LK_SYMBOLS),
                                                 .times = 1});
    }
    ex_published_free(net);
    return status ? status : count;
}

struct list {
    struct ex_net_call *call;
    int calls; /* EX_NET_CALLS + 1: more than there is room for */
};

/* A table of tilings that knows none and keeps what it was asked. */
static struct kn_tile note(void *self, const struct kn_kernel *kernel, const struct kn_shape *shape, int threads)
{
    struct list *list = self;
    const struct kn_tile none = {0};
    for (int i = 0; i < list->calls && i < EX_NET_CALLS; i++) {
        struct ex_net_call *known = &list->call[i];
        if (known->kernel == kernel && known->threads == threads && !memcmp(&known->shape, shape, sizeof *shape)) {
            known->times++;
            return none;
        }
    }
    if (list->calls < EX_NET_CALLS)
        list->call[list->calls] = (struct ex_net_call){kernel, *shape, threads, 1};
    if (list->calls <= EX_NET_CALLS)
        list->calls++;
    return none;
}

int ex_net_calls(struct nn_net *net, enum nn_mode mode, int n, int f, int t, int threads, struct ex_net_call *call)
{
    struct list list = {call, 0};
    const struct nn_tilings noting = {note, &list}, *const before = net->tilings;
    net->tilings = &noting;
    const size_t bytes = nn_context_bytes(net, mode, n, f, t, threads);
    net->tilings = before;
    if (!bytes)
        return JRX_EINVAL;
    return list.calls <= EX_NET_CALLS ? list.calls : jrx_fail(JRX_EINVAL, "network: more than %d calls", EX_NET_CALLS);
}

struct kn_tile ex_net_call_tile(const struct ex_tiles *tiles, const struct ex_net_call *call, enum ex_tile_from *from)
{
    const struct kn_tile none = {0}, tile = ex_tiles_get(tiles, call->kernel, &call->shape, call->threads, from);
    if (kn_same_sums(call->kernel, &call->shape, &tile, &none))
        return tile;
    *from = EX_TILE_KERNEL;
    return none;
}

int ex_net_calls_from_file(const struct ex_tiles *tiles, const struct ex_net_call *call, int calls)
{
    int count = 0;
    for (int i = 0; i < calls; i++) {
        enum ex_tile_from from;
        ex_net_call_tile(tiles, &call[i], &from);
        count += from == EX_TILE_FILE;
    }
    return count;
}
