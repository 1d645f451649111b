/* Bit error rates in closed form: what a simulator has to give where theory knows the answer. Pure functions. */
#ifndef MODELS_LINK_THEORY_H
#define MODELS_LINK_THEORY_H

/** Exact BER of Gray QAM (bits: 2, 4, 6, 8) in white Gaussian noise; snr: Es/N0, linear. The sum of
 * w Q(k sqrt(3 snr / (M - 1))) is found by enumerating the mapping of 38.211, 5.1. */
double lk_theory_awgn(int bits, double snr);

/** The same of bit position `bit`, 0 .. bits - 1. */
double lk_theory_awgn_bit(int bits, int bit, double snr);

/** Flat Rayleigh fading, `branches` independent antennas, maximum ratio combining; snr: average Es/N0 per antenna.
 * Source: Proakis, Digital Communications, 4th ed., 14.4-15 for each Q term. */
double lk_theory_rayleigh(int bits, int branches, double snr);

#endif
