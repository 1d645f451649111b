/*
 * Where buffers go in one arena, when it is known at which steps each of them is needed: two buffers share bytes only
 * if no step needs both.
 */
#ifndef MODELS_NN_PLACE_H
#define MODELS_NN_PLACE_H
#include <stddef.h>

struct nn_buffer {
    size_t bytes;    /* 0: not needed, gets no place */
    int first, last; /* steps, both included */
    size_t offset;   /* out: multiple of 64 */
};

/**
 * Sets every offset and returns the bytes of the arena. Largest buffer first, each at the lowest offset that is free
 * during its steps; a pure function of its input.
 */
size_t nn_place(struct nn_buffer *buffer, int count);

#endif
