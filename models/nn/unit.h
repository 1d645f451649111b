/*
 * What a walk does at once: a layer, or a fused stage of neighbouring layers
 *     norm and ReLU, [pointwise shortcut,] depthwise, pointwise, [add]
 * whose inner values (normalised, after the depthwise, before the sum) never exist for the whole batch: forward makes
 * them band by band in the cache, backward again slot by slot. That is half the work of a residual block of DeepRx.
 */
#ifndef MODELS_NN_UNIT_H
#define MODELS_NN_UNIT_H
#include "models/nn/net.h"

struct nn_unit {
    int first, last;           /* layers */
    int fused;                 /* 0: first == last, and the rest means nothing */
    int shortcut, dw, pw, add; /* layers; norm is `first`; shortcut and add may be -1 */
};

/** Cuts the table into units, fused stages where `fuse` and the table allow; returns how many. Pure. */
int nn_units(const struct nn_net *net, int fuse, struct nn_unit unit[NN_MAX_LAYERS]);
/** The shape of the depthwise and pointwise of a stage as one separable operator. Pure. */
struct kn_shape nn_stage_shape(const struct nn_net *net, const struct nn_unit *unit, int n, int f, int t);
/** Whether nobody outside the stage ever sees value v: it then has no buffer. Pure. */
int nn_unit_hides(const struct nn_unit *unit, int value);

#endif
