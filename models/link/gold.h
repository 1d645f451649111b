/* The pseudo-random bits of 5G NR: length-31 Gold sequences. */
#ifndef MODELS_LINK_GOLD_H
#define MODELS_LINK_GOLD_H
#include <stdint.h>

/** Writes c(0) .. c(n-1), one bit a byte, of the sequence that `c_init` starts. Pure. Source: 3GPP TS 38.211, 5.2.1. */
void lk_gold(uint32_t c_init, int n, uint8_t *c);

#endif
