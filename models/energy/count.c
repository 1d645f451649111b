#include "models/energy/count.h"
#include "harness/base/error.h"
#include "kernels/operand.h"
#include "models/energy/nest.h"
#include <math.h>

static const char *const level_names[EM_LEVELS] = {"l1", "l2", "l3", "dram"};

const char *em_level_name(enum em_level level)
{
    return level_names[level];
}

/* The axes that the kernel does not cut count as one block each. */
static struct kn_tile whole_tile(const struct em_layer *layer, const struct kn_kernel *kernel)
{
    const struct kn_shape *s = &layer->shape;
    struct kn_tile tile = kernel->resolve(s, &layer->tile);
    return (struct kn_tile){.oc = tile.oc > 0 ? tile.oc : s->oc,
                            .ic = tile.ic > 0 ? tile.ic : s->ic,
                            .f = tile.f > 0 ? tile.f : s->f,
                            .t = tile.t > 0 ? tile.t : s->t,
                            .px = tile.px,
                            .vc = tile.vc,
                            .order = tile.order,
                            .keep = tile.keep};
}

static double nest_bytes(const struct em_layer *layer, enum kn_isa isa, const struct kn_tile *tile,
                         const struct em_cache *cache)
{
    struct em_nest nest;
    double part[EM_TENSORS];
    em_nest_init(&nest, layer->op, layer->dir, isa, &layer->shape, tile);
    em_nest_traffic(&nest, cache, part);
    return part[EM_X] + part[EM_W] + part[EM_Y];
}

static double fused_forward(const struct em_layer *layer, enum kn_isa isa, const struct kn_tile *tile,
                            const struct em_cache *cache)
{
    double part[EM_TENSORS], band;
    em_band_traffic(isa, &layer->shape, tile, cache, part, &band);
    return part[EM_X] + part[EM_W] + part[EM_Y] + band;
}

/* A half of a separable kernel, which has its instruction set. */
static const struct kn_kernel *half_kernel(enum kn_op op, enum kn_dir dir, enum kn_isa isa)
{
    size_t count;
    const struct kn_kernel *const *kernel = kn_kernels(&count);
    for (size_t i = 0; i < count; i++)
        if (kernel[i]->op == op && kernel[i]->dir == dir && kernel[i]->isa == isa)
            return kernel[i];
    return kn_best(op, dir);
}

/* Backward, its halves run one after the other on each slot (kernels/separable/separable_halves.h). Where a slot of all
 * operands fits, x and y cross once a slot, w once, what is written twice, and what lies between the halves stays. */
static double fused_backward(const struct em_layer *layer, enum kn_isa isa, const struct kn_tile *tile,
                             const struct em_cache *cache)
{
    static const struct {
        enum kn_op op;
        enum kn_dir dir;
        int of_data, of_weights; /* whether the direction runs it */
    } half[] = {{KN_DEPTHWISE, KN_FWD, 0, 1},
                {KN_POINTWISE, KN_BWD_WEIGHTS, 0, 1},
                {KN_POINTWISE, KN_BWD_DATA, 1, 1},
                {KN_DEPTHWISE, KN_BWD_WEIGHTS, 0, 1},
                {KN_DEPTHWISE, KN_BWD_DATA, 1, 0}};
    const int weights = layer->dir == KN_BWD_WEIGHTS;
    const struct em_cache cold = {cache->bytes, cache->ways, 0}; /* a half finds what another one left */
    struct kn_shape slot = layer->shape;
    slot.n = 1;
    const struct kn_shape first = kn_depthwise_half(&slot), second = kn_pointwise_half(&slot);
    const double x = (double)kn_x_floats(&slot), y = (double)kn_y_floats(&slot), between = (double)kn_y_floats(&first);
    const double w = (double)kn_w_floats(KN_SEPARABLE, &slot);
    if (sizeof(float) * (x + y + between + (weights ? 2 : 1) * w) <= cache->bytes) {
        const double all = layer->shape.n * (x + y) + between + (weights ? 2 : 1) * w;
        if (cache->warm && sizeof(float) * all <= cache->bytes)
            return 0;
        const double once = layer->shape.n * (x + y) + (cache->warm ? 0 : 2 * between);
        return sizeof(float) * (weights ? once + 3 * w : once + layer->shape.n * x + w);
    }
    double bytes = 0;
    for (size_t i = 0; i < sizeof half / sizeof *half; i++) {
        const int depthwise = half[i].op == KN_DEPTHWISE;
        const struct kn_kernel *kernel = half_kernel(half[i].op, half[i].dir, isa);
        const struct em_layer one = {.op = half[i].op,
                                     .dir = half[i].dir,
                                     .shape = depthwise ? first : second,
                                     .tile = {.oc = !depthwise && kernel->tile_fields & KN_TILE_OC ? layer->tile.oc : 0,
                                              .f = kernel->tile_fields & KN_TILE_F ? tile->f : 0}};
        const struct kn_tile its = whole_tile(&one, kernel);
        if (!(weights ? half[i].of_weights : half[i].of_data))
            continue;
        bytes += layer->shape.n * nest_bytes(&one, isa, &its, &cold);
    }
    return bytes;
}

/* norm, relu and add pass over their operands: what is read crosses once, what is written is fetched and written back.
 * A norm passes over a block of channels once for its sums and once more, finding what the cache still holds of the
 * first time: `first` planes of the block, then one more with every step of the second. */
static double passes(const struct em_layer *layer, const struct em_cache *cache)
{
    const unsigned reads = kn_reads(layer->op, layer->dir), writes = kn_writes(layer->op, layer->dir);
    double bytes = 0, all = 0;
    for (int i = 0; i < KN_OPERANDS; i++) {
        const double size = sizeof(float) * (double)kn_operand_floats(layer->op, &layer->shape, (enum kn_operand)i);
        const int read = reads >> i & 1, written = writes >> i & 1;
        bytes += (read + 2 * written) * size;
        all += (read + written) * size;
    }
    if (cache->warm && all <= cache->bytes)
        return 0;
    if (layer->op == KN_BATCH_NORM && layer->dir != KN_BWD_WEIGHTS) {
        const int first = layer->dir == KN_FWD ? 1 : 2;
        const double x = sizeof(float) * (double)kn_x_floats(&layer->shape), plane = x / kn_blocks(layer->shape.ic);
        bytes += first * x * (1 - fmin(1, fmax(0, (cache->bytes - first * plane) / plane)));
    }
    return bytes;
}

/* Bytes of all tensors that cross below a cache. */
static double between(const struct em_layer *layer, enum kn_isa isa, const struct kn_tile *tile,
                      const struct em_cache *cache)
{
    if (kn_elementwise(layer->op))
        return passes(layer, cache);
    if (layer->op != KN_SEPARABLE)
        return nest_bytes(layer, isa, tile, cache);
    return (layer->dir == KN_FWD ? fused_forward : fused_backward)(layer, isa, tile, cache);
}

int em_count_layer(const struct em_layer *layer, const struct em_caches *caches, struct em_count *count)
{
    const struct kn_kernel *kernel = layer->kernel;
    int status = kn_shape_check(layer->op, &layer->shape);
    if (status)
        return status;
    if (!kernel)
        kernel = kn_best(layer->op, layer->dir);
    if (kernel->op != layer->op || kernel->dir != layer->dir)
        return jrx_fail(JRX_EINVAL, "count: kernel %s for a layer of %s %s; give one of that operator and direction",
                        kernel->name, kn_op_name(layer->op), kn_dir_name(layer->dir));
    status = kernel->supports(&layer->shape, &layer->tile);
    if (status)
        return status;
    struct kn_work work;
    struct kn_tile tile = whole_tile(layer, kernel);
    kernel->work(&layer->shape, &layer->tile, &work);
    *count = (struct em_count){.flop = work.flop,
                               .executed_flop = work.executed_flop,
                               .load_bytes = work.load_bytes,
                               .store_bytes = work.store_bytes,
                               .compulsory_bytes = work.compulsory_bytes};
    count->bytes[EM_L1] = work.load_bytes + work.store_bytes;
    count->bytes[EM_L2] = count->bytes[EM_L3] = count->bytes[EM_DRAM] = NAN;
    if (kernel->isa == KN_ISA_AVX512BF16) /* the nest model knows nothing of packed tiles */
        return 0;
    const struct em_cache l1 = {caches->l1_bytes, caches->l1_ways, caches->warm};
    const struct em_cache l2 =
        caches->l2_bytes > l1.bytes ? (struct em_cache){caches->l2_bytes, caches->l2_ways, l1.warm} : l1;
    const struct em_cache l3 =
        caches->l3_bytes > l2.bytes ? (struct em_cache){caches->l3_bytes, caches->l3_ways, l1.warm} : l2;
    count->bytes[EM_L2] = caches->l2_bytes > 0 ? between(layer, kernel->isa, &tile, &l1) : (double)NAN;
    count->bytes[EM_L3] = caches->l3_bytes > 0 ? between(layer, kernel->isa, &tile, &l2) : (double)NAN;
    count->bytes[EM_DRAM] = between(layer, kernel->isa, &tile, &l3);
    return 0;
}

int em_count_layers(const struct em_layer *layer, size_t layers, const struct em_caches *caches, struct em_count *sum)
{
    *sum = (struct em_count){0};
    for (size_t i = 0; i < layers; i++) {
        struct em_count one;
        if (em_count_layer(&layer[i], caches, &one))
            return jrx_fail(JRX_EINVAL, "layer %zu of %zu: %s", i + 1, layers, jrx_last_error());
        sum->flop += one.flop;
        sum->executed_flop += one.executed_flop;
        sum->load_bytes += one.load_bytes;
        sum->store_bytes += one.store_bytes;
        sum->compulsory_bytes += one.compulsory_bytes;
        for (int level = 0; level < EM_LEVELS; level++)
            sum->bytes[level] += one.bytes[level];
    }
    return 0;
}

double em_energy_of_count_j(const struct em_count *count, const struct em_prices *prices, double time_s)
{
    double energy_j = prices->constant_w > 0 ? prices->constant_w * time_s : 0;
    if (prices->flop_j > 0)
        energy_j += prices->flop_j * count->flop;
    for (int level = 0; level < EM_LEVELS; level++) {
        if (prices->byte_j[level] > 0)
            energy_j += prices->byte_j[level] * count->bytes[level];
    }
    return energy_j;
}
