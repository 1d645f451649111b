#include "models/link/ofdm.h"
#include <math.h>

double lk_prefix_s(double scs_hz, int symbol)
{
    /* 144 kappa 2^-mu Tc, and 16 kappa Tc more every half millisecond: symbols 0 and 7 at 15 kHz, 0 at 30 kHz */
    const double kappa_tc_s = 64 / (480e3 * 4096);
    int longer = symbol == 0 || (symbol == 7 && scs_hz < 30e3);
    return (144 * 15e3 / scs_hz + (longer ? 16 : 0)) * kappa_tc_s;
}

double lk_symbol_middle_s(double scs_hz, int symbol)
{
    double time_s = 0;
    for (int t = 0; t < symbol; t++)
        time_s += lk_prefix_s(scs_hz, t) + 1 / scs_hz;
    return time_s + lk_prefix_s(scs_hz, symbol) + 0.5 / scs_hz;
}

int lk_fft_size(int f)
{
    int size = 128; /* the prefix of 144 / 2048 of a symbol is whole from here on */
    while (size < f)
        size *= 2;
    return size;
}

int lk_prefix_samples(double scs_hz, int symbol, int fft_size)
{
    return (int)lround(lk_prefix_s(scs_hz, symbol) * scs_hz * fft_size);
}

int lk_slot_samples(int fft_size)
{
    return 15 * fft_size;
}
