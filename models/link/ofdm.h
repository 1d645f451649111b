/* OFDM numerology of 5G NR, normal cyclic prefix: TS 38.211, 5.3.1. */
#ifndef MODELS_LINK_OFDM_H
#define MODELS_LINK_OFDM_H

/** Length [s] of the cyclic prefix of `symbol` of a slot. scs_hz: 15e3 or 30e3. Pure. */
double lk_prefix_s(double scs_hz, int symbol);

/** Middle [s] of the useful part of `symbol`, from the start of the slot. Pure. */
double lk_symbol_middle_s(double scs_hz, int symbol);

/** Points of the FFT that carries `f` subcarriers: a power of two, 128 or more. Pure. */
int lk_fft_size(int f);

/** Length [samples] of a prefix and of a slot at that FFT size: always whole. Pure. */
int lk_prefix_samples(double scs_hz, int symbol, int fft_size);
int lk_slot_samples(int fft_size);

#endif
