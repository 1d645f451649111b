#include "tests/support/walk_bench.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "tests/support/test.h"

/* Parameters and input away from their starting values, so that nothing is 0 or 1 by chance. */
void bench_init(struct bench *b, enum nn_mode mode, int n, int f, int t, int threads)
{
    struct jrx_rng rng;
    struct nn_net *net = &b->net;
    b->parameters = jrx_alloc(net->parameter_floats * sizeof(float));
    b->gradient = jrx_alloc(net->parameter_floats * sizeof(float));
    b->statistics = jrx_alloc(net->statistic_floats * sizeof(float));
    assert_non_null(b->parameters && b->gradient && b->statistics ? b : NULL);
    nn_net_start(net, 5, b->parameters, b->statistics);
    for (int i = 0; i < net->tensors; i++) {
        float real[4096];
        double normal[2];
        const char *name = net->tensor[i].name;
        size_t size = nn_tensor_size(&net->tensor[i]);
        jrx_rng_init(&rng, 6, (uint64_t)i);
        if (net->tensor[i].dims == 4)
            continue;
        for (size_t k = 0; k < size; k++) {
            jrx_rng_normal2(&rng, &normal[0], &normal[1]);
            real[k] =
                (float)(strstr(name, ".weight") || strstr(name, "_var") ? 1 + 0.3 * tanh(normal[0]) : 0.3 * normal[0]);
        }
        nn_tensor_pack(net, &net->tensor[i], real, net->tensor[i].statistic ? b->statistics : b->parameters);
    }
    assert_int_equal(nn_context_init(&b->context, net, mode, n, f, t, threads), 0);
    reference_init(&b->reference, net, n, f, t, 1, b->parameters, b->statistics);
    jrx_rng_init(&rng, 7, 0);
    for (int i = 0; i < n * net->channels * f * t; i++)
        b->reference.value[0][i] = 4 * jrx_rng_uniform(&rng) - 2;
    reference_to_blocked(b->reference.value[0], nn_input(&b->context), n, net->channels, f, t);
    reference_from_blocked(nn_input(&b->context), b->reference.value[0], n, net->channels, f, t); /* rounded alike */
    b->outputs = n * nn_channels(net, net->output) * f * t;
    b->slope = calloc((size_t)b->outputs, sizeof *b->slope);
    for (int i = 0; i < b->outputs; i++)
        b->slope[i] = (float)(jrx_rng_uniform(&rng) - 0.3);
}

void bench_fini(struct bench *b)
{
    reference_fini(&b->reference);
    nn_context_fini(&b->context);
    nn_net_fini(&b->net);
    free(b->parameters);
    free(b->statistics);
    free(b->gradient);
    free(b->slope);
}
