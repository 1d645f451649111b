/* A network with parameters, input and gradients, beside its reference in double: what tests of the walks run. */
#ifndef TESTS_SUPPORT_WALK_BENCH_H
#define TESTS_SUPPORT_WALK_BENCH_H
#include "models/nn/run.h"
#include "tests/support/nn_reference.h"

struct bench {
    struct nn_net net;
    struct nn_context context;
    struct reference reference;
    float *parameters, *statistics, *gradient;
    double *slope; /* dloss/doutput: the loss is the sum of slope * output, so borders do not cancel */
    int outputs;
};

/** b->net is made already; n slots of f subcarriers and t symbols. Fails the test where memory is missing. */
void bench_init(struct bench *b, enum nn_mode mode, int n, int f, int t, int threads);
/** Of the network, too. */
void bench_fini(struct bench *b);

#endif
