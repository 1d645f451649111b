#include "experiments/net_calls.h"
#include "harness/base/error.h"
#include "kernels/sums.h"
#include <string.h>

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
