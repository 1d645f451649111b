/*
 * The plan of a context: which buffers exist, at which steps each is needed, and which values share one. Forward of
 * unit u is step u, its backward step 2 units - 1 - u.
 */
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "models/nn/calls.h"
#include "models/nn/place.h"
#include "models/nn/stage.h"
#include <stdlib.h>

enum { VALUES = NN_MAX_LAYERS + 1 };

struct plan {
    int value_root[VALUES], gradient_root[VALUES]; /* whose buffer a value, or its gradient, lies in */
    int unit_of[NN_MAX_LAYERS];                    /* layer to unit */
    struct nn_buffer buffer[3 * VALUES]; /* activations, gradients, activations made again; those of roots are used */
    size_t scratch_bytes, workspace_bytes, saved_bytes, arena_bytes;
    int fused, widest; /* whether there is a stage, and the most channels that the norm of one has */
};

static size_t value_bytes(const struct nn_context *context, int value)
{
    return sizeof(float) * (size_t)context->n * (size_t)kn_blocks(nn_channels(context->net, value)) * KN_LANES *
           (size_t)context->f * (size_t)context->t;
}

/* The unit that makes a value; the input is there from the start. */
static int made(const struct plan *plan, int value)
{
    return value ? plan->unit_of[value - 1] : 0;
}

static int hidden(const struct nn_context *context, const struct plan *plan, int value)
{
    return value && nn_unit_hides(&context->unit[made(plan, value)], value);
}

static int reads(const struct nn_layer *layer, int value)
{
    return layer->in[0] == value || layer->in[1] == value;
}

/* The first half of a residual block, which only the second half reads, is made again from what entered the block. */
static int remade(const struct nn_context *context, const struct plan *plan, int value)
{
    const struct nn_net *net = context->net;
    const struct nn_unit *maker = &context->unit[made(plan, value)];
    int readers = 0, reader = -1;
    if (context->mode != NN_CHECKPOINTED_TRAINING || !value || value == net->output || value == net->side)
        return 0;
    if (!maker->fused || maker->add >= 0 || value != maker->pw + 1)
        return 0;
    for (int i = 0; i < net->layers; i++)
        if (reads(&net->layer[i], value)) {
            reader = i;
            readers++;
        }
    const struct nn_unit *unit = &context->unit[plan->unit_of[reader]];
    return readers == 1 && unit->fused && reader == unit->first &&
           !remade(context, plan, net->layer[maker->first].in[0]);
}

/*
 * Activations. Training keeps the input of convolutions and norms for the way back. A norm or sum writes over an input
 * that nobody needs after it.
 */
static void plan_lives(const struct nn_context *context, struct plan *plan)
{
    const struct nn_net *net = context->net;
    for (int v = 0; v <= net->layers; v++) {
        struct nn_buffer *b = &plan->buffer[v];
        const size_t bytes = hidden(context, plan, v) ? 0 : value_bytes(context, v);
        *b = (struct nn_buffer){.bytes = bytes, .first = made(plan, v), .last = made(plan, v)};
        plan->value_root[v] = v;
        for (int i = 0; i < net->layers; i++)
            if (reads(&net->layer[i], v)) {
                const int back_step = 2 * context->units - 1 - plan->unit_of[i];
                const int again = remade(context, plan, v);
                int back = nn_trains(context->mode) && net->layer[i].kind != NN_ADD && !again;
                int step = back ? back_step : plan->unit_of[i];
                if (again)
                    plan->buffer[2 * VALUES + v] = (struct nn_buffer){bytes, back_step, back_step, 0};
                b->last = step > b->last ? step : b->last;
            }
        if (v == net->output || (v && v == net->side))
            b->last = context->units;
    }
}

/* Of a fused stage only the sum can lie over a value it reads, and not over the one that the stencil is still reading.
 */
static int may_overwrite(const struct nn_context *context, const struct plan *plan, int layer, int root)
{
    const struct nn_unit *unit = &context->unit[plan->unit_of[layer]];
    if (context->net->layer[layer].kind == NN_CONV)
        return 0;
    return !unit->fused || (layer == unit->add && root != plan->value_root[context->net->layer[unit->first].in[0]]);
}

static void plan_values(const struct nn_context *context, struct plan *plan)
{
    const struct nn_net *net = context->net;
    plan_lives(context, plan);
    for (int i = 0; i < net->layers; i++)
        for (int k = 0; k < 2; k++) {
            int in = net->layer[i].in[k], root = in < 0 || hidden(context, plan, in) ? -1 : plan->value_root[in];
            if (root < 0 || !may_overwrite(context, plan, i, root) || plan->value_root[i + 1] != i + 1 ||
                plan->buffer[root].last != plan->unit_of[i])
                continue;
            plan->value_root[i + 1] = root;
            plan->buffer[root].last = plan->buffer[i + 1].last;
            plan->buffer[i + 1].bytes = 0;
        }
}

/*
 * Whether the gradient of `in` can lie where that of layer j's result does: no layer before j may write to one value of
 * the group while another is still to be read, by the layer that made it. `in_place`: layer j itself writes, too.
 */
static int joins(const struct nn_context *context, const struct plan *plan, int j, int in, int in_place)
{
    const struct nn_net *net = context->net;
    if (in <= 0 || context->last_reader[in] != j || plan->gradient_root[in] != in)
        return 0;
    for (int q = 1; q <= net->layers; q++) {
        if (plan->gradient_root[q] != plan->gradient_root[j + 1] || q == j + 1)
            continue;
        if (in_place && q - 1 <= j)
            return 0;
        for (int k = 0; k < j; k++)
            if ((reads(&net->layer[k], in) && k >= q - 1) || (reads(&net->layer[k], q) && k >= in - 1))
                return 0;
    }
    return 1;
}

/* Gradients: needed from the first contribution on until the layer that made the value has been walked back. */
static void plan_gradients(const struct nn_context *context, struct plan *plan)
{
    const struct nn_net *net = context->net;
    struct nn_buffer *buffer = plan->buffer + VALUES;
    for (int v = 1; v <= net->layers; v++) {
        const int last = 2 * context->units - 1;
        int start = v == net->output || v == net->side ? context->units : last - plan->unit_of[context->last_reader[v]];
        const struct nn_unit *unit = &context->unit[made(plan, v)];
        const size_t bytes = unit->fused && v == unit->dw + 1 ? 0 : value_bytes(context, v); /* a slot at a time */
        buffer[v] = (struct nn_buffer){.bytes = bytes, .first = start, .last = last - made(plan, v)};
        plan->gradient_root[v] = v;
    }
    for (int j = net->layers - 1; j >= 0; j--)
        for (int k = 0; k < 2 && net->layer[j].kind != NN_CONV; k++) {
            int in = net->layer[j].in[k], root = plan->gradient_root[j + 1];
            if (!joins(context, plan, j, in, net->layer[j].kind == NN_NORM_RELU))
                continue;
            plan->gradient_root[in] = root;
            buffer[root].last = buffer[in].last > buffer[root].last ? buffer[in].last : buffer[root].last;
            buffer[in].bytes = 0;
        }
}

/* For a second contribution to a gradient, and for the gradient of the input that a norm cannot help making. */
static void plan_scratch(const struct nn_context *context, struct plan *plan)
{
    for (int i = 0; i < context->net->layers; i++) {
        const struct nn_layer *l = &context->net->layer[i];
        if (context->unit[plan->unit_of[i]].fused)
            continue;
        int in = l->in[0], second = l->kind == NN_CONV && in && context->last_reader[in] != i;
        if ((second || (l->kind == NN_NORM_RELU && !in)) && value_bytes(context, in) > plan->scratch_bytes)
            plan->scratch_bytes = value_bytes(context, in);
    }
}

/* Bytes that a layer's kernel wants for one slot on the inner threads. */
static size_t slot_workspace(const struct nn_context *context, int layer, int dir)
{
    struct kn_shape shape = nn_layer_shape(&context->net->layer[layer], 1, context->f, context->t);
    return context->kernel[layer][dir]->workspace_bytes(&shape, &context->tile[layer][dir], context->inner);
}

static size_t greater(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t slot_floats(const struct nn_context *context, int value)
{
    return value_bytes(context, value) / sizeof(float) / (size_t)context->n;
}

struct nn_scratch nn_scratch_of(const struct nn_context *context, int worker, size_t *bytes)
{
    size_t a = 0, d = 0, second = 0, workspace = 0;
    for (int u = 0; u < context->units; u++) {
        const struct nn_unit *unit = &context->unit[u];
        if (!unit->fused)
            continue;
        const int back = nn_trains(context->mode), shortcut = unit->shortcut >= 0;
        if (back || shortcut)
            a = greater(a, slot_floats(context, unit->first + 1));
        if (back)
            d = greater(d, slot_floats(context, unit->dw + 1));
        if (back && shortcut)
            second = greater(second, slot_floats(context, unit->first + 1));
        for (int i = unit->first + 1; i <= unit->pw; i++)
            for (int dir = 0; dir < (back ? KN_DIRS : 1); dir++)
                workspace = greater(workspace, slot_workspace(context, i, dir));
    }
    *bytes = (a + d + second) * sizeof(float) + workspace; /* slots are multiples of 64 bytes */
    float *base = (float *)(void *)(context->slots + (size_t)worker * context->slot_bytes);
    return (struct nn_scratch){base, base + a, base + a + d, base + a + d + second};
}

/* What layers that are no part of a stage want. */
static void plan_workspace(const struct nn_context *context, struct plan *plan)
{
    for (int i = 0; i < context->net->layers; i++) {
        const struct nn_layer *l = &context->net->layer[i];
        const struct kn_shape shape = nn_layer_shape(l, context->n, context->f, context->t);
        for (int dir = 0; dir < KN_DIRS && !context->unit[plan->unit_of[i]].fused; dir++) {
            const struct kn_kernel *kernel = context->kernel[i][dir];
            size_t bytes = kernel ? kernel->workspace_bytes(&shape, &context->tile[i][dir], context->threads) : 0;
            plan->workspace_bytes = greater(plan->workspace_bytes, bytes);
        }
    }
}

static void plan_stages(struct nn_context *context, struct plan *plan)
{
    for (int u = 0; u < context->units; u++) {
        const struct nn_unit *unit = &context->unit[u];
        if (!unit->fused)
            continue;
        struct kn_shape shape = nn_stage_shape(context->net, unit, context->n, context->f, context->t);
        size_t bytes = context->separable->workspace_bytes(&shape, &context->stage_tile[u], context->threads);
        plan->workspace_bytes = greater(plan->workspace_bytes, bytes);
        size_t floats = 0;
        for (int i = unit->first + 1; i <= unit->pw; i++) {
            shape = nn_layer_shape(&context->net->layer[i], 1, 1, 1);
            floats += kn_w_floats(context->net->layer[i].op, &shape) + (size_t)kn_blocks(shape.oc) * KN_LANES;
        }
        context->partial_floats = greater(context->partial_floats, floats);
        plan->widest = (int)greater((size_t)plan->widest,
                                    (size_t)kn_blocks(nn_channels(context->net, unit->first + 1)) * KN_LANES);
        plan->fused = 1;
    }
    if (!nn_trains(context->mode))
        context->partial_floats = 0;
    if (plan->fused)
        nn_scratch_of(context, 0, &context->slot_bytes);
}

/* Fills the context up to its arena, whose bytes it leaves in the plan. */
static int make_plan(struct nn_context *context, struct plan *plan)
{
    const struct nn_net *net = context->net;
    if (context->n < 1 || context->f < 1 || context->t < 1 || context->threads < 1)
        return jrx_fail(JRX_EINVAL, "network: %d slots of %d x %d on %d threads; all must be 1 or more", context->n,
                        context->f, context->t, context->threads);
    for (int i = 0; i < net->layers; i++)
        for (int k = 0; k < 2; k++)
            if (net->layer[i].in[k] >= 0)
                context->last_reader[net->layer[i].in[k]] = i;
    context->units = nn_units(net, context->mode >= NN_FUSED_INFERENCE, context->unit);
    for (int u = 0; u < context->units; u++)
        for (int i = context->unit[u].first; i <= context->unit[u].last; i++)
            plan->unit_of[i] = u;
    int status = nn_plan_calls(context, plan->unit_of);
    if (status)
        return status;
    plan_workspace(context, plan);
    plan_stages(context, plan);
    plan_values(context, plan);
    if (nn_trains(context->mode)) {
        plan_gradients(context, plan);
        plan_scratch(context, plan);
    }
    plan->saved_bytes = net->statistic_floats * sizeof(float);
    plan->arena_bytes = nn_place(plan->buffer, 3 * VALUES);
    return 0;
}

/* Twice: to add up, and to hand out (harness/base/mem.h). */
static void hand_out(struct nn_context *context, const struct plan *plan, struct jrx_arena *arena)
{
    char *base = jrx_arena_get(arena, plan->arena_bytes);
    context->scratch = jrx_arena_get(arena, plan->scratch_bytes);
    context->workspace = jrx_arena_get(arena, plan->workspace_bytes);
    context->saved = jrx_arena_get(arena, plan->saved_bytes);
    context->scale = jrx_arena_get(arena, (size_t)plan->widest * sizeof(float));
    context->shift = jrx_arena_get(arena, (size_t)plan->widest * sizeof(float));
    context->slots = jrx_arena_get(arena, (size_t)context->workers * context->slot_bytes);
    context->partial = jrx_arena_get(arena, (size_t)context->groups * context->partial_floats * sizeof(float));
    for (int v = 0; base && v <= context->net->layers; v++) {
        context->value[v] = (float *)(void *)(base + plan->buffer[plan->value_root[v]].offset);
        const struct nn_buffer *again = &plan->buffer[2 * VALUES + v];
        if (again->bytes)
            context->again[v] = (float *)(void *)(base + again->offset);
        if (v && nn_trains(context->mode))
            context->gradient[v] = (float *)(void *)(base + plan->buffer[VALUES + plan->gradient_root[v]].offset);
    }
}

int nn_context_init(struct nn_context *context, const struct nn_net *net, enum nn_mode mode, int n, int f, int t,
                    int threads)
{
    *context = (struct nn_context){.net = net, .mode = mode, .n = n, .f = f, .t = t, .threads = threads};
    struct plan plan = {.scratch_bytes = 0};
    struct jrx_arena arena = {0};
    int status = make_plan(context, &plan);
    if (status)
        return status;
    hand_out(context, &plan, &arena);
    status = jrx_arena_init(&arena, arena.used);
    if (status)
        return status;
    hand_out(context, &plan, &arena);
    context->arena = arena.base;
    context->bytes = arena.size;
    return 0;
}

void nn_context_fini(struct nn_context *context)
{
    free(context->arena);
    *context = (struct nn_context){0};
}

size_t nn_context_bytes(const struct nn_net *net, enum nn_mode mode, int n, int f, int t, int threads)
{
    struct nn_context context = {.net = net, .mode = mode, .n = n, .f = f, .t = t, .threads = threads};
    struct plan plan = {.scratch_bytes = 0};
    struct jrx_arena arena = {0};
    if (make_plan(&context, &plan))
        return 0;
    hand_out(&context, &plan, &arena);
    return arena.used;
}

float *nn_input(const struct nn_context *context)
{
    return context->value[0];
}

const float *nn_output(const struct nn_context *context)
{
    return context->value[context->net->output];
}

float *nn_output_gradient(const struct nn_context *context)
{
    return context->gradient[context->net->output];
}
