/* OFDM numerology of 5G NR, normal cyclic prefix: TS 38.211, 5.3.1. */
#ifndef MODELS_LINK_OFDM_H
#define MODELS_LINK_OFDM_H

/** Length [s] of the cyclic prefix of `symbol` of a slot. scs_hz: 15e3 or 30e3. Pure. */
double lk_prefix_s(double scs_hz, int symbol);

/** Middle [s] of the useful part of `symbol`, from the start of the slot. Pure. */
double lk_symbol_middle_s(double scs_hz, int symbol);

#endif
