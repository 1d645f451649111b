/* Gray-mapped QAM of 38.211, 5.1: bits to symbols. Even bits choose the real axis, odd bits the imaginary one. */
#ifndef MODELS_LINK_QAM_H
#define MODELS_LINK_QAM_H
#include <complex.h>
#include <stdint.h>

/** The 1 << bits points, unit mean power; bit b of a symbol is bit (bits - 1 - b) of its index. bits: 2, 4, 6, 8. */
void lk_qam_table(int bits, float complex *table);

/** Levels of one axis, unit mean power of the whole symbol: level[v] for the bits/2 axis bits v, first bit highest. */
void lk_qam_axis(int bits, float *level);

#endif
