/*
 * What of a loop nest's tensors is still in a cache when it is touched again. Part of nest.h; nobody else includes it.
 */
#ifndef MODELS_ENERGY_NEST_CACHE_H
#define MODELS_ENERGY_NEST_CACHE_H
#include "models/energy/nest.h"

/* Bytes of the 16 channels of a pixel, or of a weight for 16 output channels: one line. */
enum { EM_LINE_BYTES = KN_LANES * 4 };

/** Elements of each axis within one turn of the loops before `loop`. Pure. */
void em_nest_extents(const struct em_nest *nest, int loop, int extent[EM_AXES]);
/** The side of a 3x3 layer that is read with its neighbours: x, but dy where dx is computed. Pure. */
enum em_tensor em_nest_stencilled(const struct em_nest *nest);
/** Pixels of a tensor in such extents, halo included, within the grid. Pure. */
double em_nest_pixels(const struct em_nest *nest, enum em_tensor tensor, const int extent[EM_AXES]);

/* What is touched between two uses: what the loops from `loop` inwards touch, `copies` times what of each tensor, and
 * `extra` bytes beside; of a stencil's three rows of taps only so many, in its weights and in what it reads. */
struct em_span {
    int loop, copies[EM_TENSORS], tap_rows, read_rows;
    double extra;
};

/**
 * Share [0..1] of a tensor's lines that are gone when it comes to be touched again after `span`: of a fully associative
 * cache all or none; else those in sets that hold more lines than ways, averaged over where tiles and blocks may lie.
 * Pure.
 */
double em_gone(const struct em_nest *nest, const struct em_span *span, const struct em_cache *cache,
               enum em_tensor tensor);

#endif
