/*
 * A network's forward pass, spelled out in double precision on plain [n][c][f][t] arrays. It shares the table of layers
 * with models/nn and nothing else: no kernel, no blocked layout, no plan. Never to be optimised.
 */
#ifndef TESTS_SUPPORT_NN_REFERENCE_H
#define TESTS_SUPPORT_NN_REFERENCE_H
#include "models/nn/net.h"

struct reference {
    const struct nn_net *net;
    int n, f, t, training;
    double **tensor; /* [net->tensors] dense, in the order of net->tensor[] */
    double **value;  /* [net->layers + 1] */
};

/** Room for it all, and the tensors copied from padded float blocks. Aborts without memory. */
void reference_init(struct reference *reference, const struct nn_net *net, int n, int f, int t, int training,
                    const float *parameters, const float *statistics);
void reference_fini(struct reference *reference);
/** From value[0] to value[net->output]; training also writes the batch's mean and variance to their tensors. */
void reference_forward(struct reference *reference);

/** Between [n][c][f][t] doubles and [n][c/16][f][t][16] floats; padding becomes 0. */
void reference_to_blocked(const double *plain, float *blocked, int n, int c, int f, int t);
void reference_from_blocked(const float *blocked, double *plain, int n, int c, int f, int t);

#endif
