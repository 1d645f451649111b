#include "models/link/theory.h"
#include "models/link/qam.h"
#include <math.h>

static double q_function(double x)
{
    return 0.5 * erfc(x * M_SQRT1_2);
}

/* Mean of Q(x sqrt(2 * gamma)) with x^2 gamma = c chi^2-distributed over the branches, c the mean per branch. */
static double q_rayleigh(double c, int branches)
{
    double mu = sqrt(c / (1 + c)), sum = 0, term = 1;
    for (int i = 0; i < branches; i++) {
        sum += term;
        term *= (1 + mu) / 2 * (branches + i) / (i + 1);
    }
    return pow((1 - mu) / 2, branches) * sum;
}

/*
 * Error probability of axis bit `b` as a sum over levels sent and thresholds between levels: at each threshold where
 * the bit changes, the decision flips, so P(wrong | level) = sum of +-P(beyond the threshold). branches 0: no fading.
 */
static double axis_ber(int bits, int b, double snr, int branches)
{
    int half = bits / 2, levels = 1 << half, bit_of[16];
    float level[16];
    lk_qam_axis(bits, level);
    double unit = sqrt(3.0 / (2 * ((1 << bits) - 1))), total = 0; /* half the distance of neighbours */
    for (int v = 0; v < levels; v++)
        bit_of[(int)lround(((double)level[v] / unit + levels - 1) / 2)] = v >> (half - 1 - b) & 1;
    for (int sent = 0; sent < levels; sent++)
        for (int side = -1; side <= 1; side += 2) {
            int now = bit_of[sent];
            for (int l = sent + side; l >= 0 && l < levels; l += side) {
                if (bit_of[l] == now)
                    continue;
                /* crossing into l: the decision turns wrong if it was right, right if it was wrong */
                int k = 2 * (l > sent ? l - sent : sent - l) - 1;
                double c = k * unit * k * unit * snr; /* (k unit)^2 Es/N0 */
                double beyond = branches ? q_rayleigh(c, branches) : q_function(sqrt(2 * c));
                total += bit_of[l] != bit_of[sent] ? beyond : -beyond;
                now = bit_of[l];
            }
        }
    return total / levels;
}

double lk_theory_awgn_bit(int bits, int bit, double snr)
{
    return axis_ber(bits, bit / 2, snr, 0);
}

static double mean(int bits, double snr, int branches)
{
    double sum = 0;
    for (int b = 0; b < bits / 2; b++)
        sum += axis_ber(bits, b, snr, branches);
    return sum / (bits / 2);
}

double lk_theory_awgn(int bits, double snr)
{
    return mean(bits, snr, 0);
}

double lk_theory_rayleigh(int bits, int branches, double snr)
{
    return mean(bits, snr, branches);
}
