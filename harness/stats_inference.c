/*
 * Distributions and tests of hypotheses.
 */
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/stats.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EXACT_SIDE = 20 }; /* up to this many values a side Mann-Whitney counts arrangements */

double jrx_normal_cdf(double z)
{
    return 0.5 * erfc(-z / sqrt(2));
}

/* Continued fraction of the incomplete beta function by Lentz's method: DLMF 8.17.22. */
static double beta_fraction(double x, double a, double b)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double value = d;
    for (int m = 1; m < 1000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double before = value;
        for (int half = 0; half < 2; half++) {
            double term = half ? odd : even;
            d = 1 + term * d;
            c = 1 + term / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            value *= c * d;
        }
        if (fabs(value - before) < 1e-16 * fabs(value))
            break;
    }
    return value;
}

/* Regularised incomplete beta function I_x(a, b); the fraction converges fast on one side, so the other is mirrored. */
static double beta_regularised(double x, double a, double b)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(x, a, b) / a;
    return 1 - front * beta_fraction(1 - x, b, a) / b;
}

double jrx_t_cdf(double t, double df)
{
    if (isnan(t) || !(df > 0))
        return NAN;
    double tail = 0.5 * beta_regularised(df / (df + t * t), df / 2, 0.5);
    return t > 0 ? 1 - tail : tail;
}

/* Inverse of a rising distribution, by halving: slow, and right to the last bits. df is ignored by the normal. */
static double invert(double p, double (*cdf)(double x, double df), double df)
{
    if (!(p > 0 && p < 1))
        return NAN;
    if (p > 0.5) /* the lower tail keeps its digits */
        return -invert(1 - p, cdf, df);
    double low = -1, high = 0;
    while (cdf(low, df) > p && low > -1e300)
        low *= 2;
    for (int i = 0; i < 200 && low < high; i++) {
        double middle = low + (high - low) / 2;
        if (middle == low || middle == high)
            break;
        if (cdf(middle, df) < p)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static double normal_of(double z, double df)
{
    (void)df;
    return jrx_normal_cdf(z);
}

double jrx_normal_quantile(double p)
{
    return invert(p, normal_of, 0);
}

double jrx_t_quantile(double p, double df)
{
    return df > 0 ? invert(p, jrx_t_cdf, df) : NAN;
}

static const struct jrx_test none = {NAN, NAN, NAN, NAN, NAN, NAN};

/* Mean and squared standard error of the values that are there. */
static void moments(const double *x, size_t n, double *mean, double *variance_of_mean, double *count)
{
    double sum = 0, squares = 0, kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i])) {
            sum += x[i];
            kept++;
        }
    *mean = kept > 0 ? sum / kept : NAN;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i]))
            squares += (x[i] - *mean) * (x[i] - *mean);
    *variance_of_mean = kept > 1 ? squares / (kept - 1) / kept : NAN;
    *count = kept;
}

void jrx_welch(const double *a, size_t na, const double *b, size_t nb, struct jrx_test *out)
{
    double mean_a, mean_b, va, vb, ka, kb;
    moments(a, na, &mean_a, &va, &ka);
    moments(b, nb, &mean_b, &vb, &kb);
    *out = none;
    out->effect = mean_a - mean_b;
    if (!(va + vb > 0))
        return;
    double error = sqrt(va + vb);
    out->df = (va + vb) * (va + vb) / (va * va / (ka - 1) + vb * vb / (kb - 1));
    out->statistic = out->effect / error;
    out->p = 2 * jrx_t_cdf(-fabs(out->statistic), out->df);
    double reach = jrx_t_quantile(0.975, out->df) * error;
    out->low = out->effect - reach;
    out->high = out->effect + reach;
}

struct ranked {
    double value;
    uint32_t index;
};

static int by_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Ranks from 1 of the values in order[n], mean rank for ties; returns the sum of t^3 - t over ties of length t. */
static double rank(struct ranked *order, size_t n, double *ranks)
{
    double ties = 0;
    qsort(order, n, sizeof *order, by_value);
    for (size_t first = 0, next; first < n; first = next) {
        for (next = first + 1; next < n && order[next].value == order[first].value; next++)
            ;
        double length = (double)(next - first);
        ties += length * length * length - length;
        for (size_t i = first; i < next; i++)
            ranks[order[i].index] = (double)(first + next + 1) / 2;
    }
    return ties;
}

/* P(U <= u) if every choice of na among na + nb ranks is as likely: ways[k][s] = choices of k ranks with sum s. */
static int exact_p(double u, size_t na, size_t nb, double *p)
{
    size_t all = na + nb, sums = all * (all + 1) / 2 + 1, least = na * (na + 1) / 2;
    double *ways = jrx_alloc((na + 1) * sums * sizeof *ways), below = 0, total = 0;
    if (!ways)
        return JRX_ENOMEM;
    ways[0] = 1;
    for (size_t r = 1; r <= all; r++)
        for (size_t k = na; k >= 1; k--)
            for (size_t s = sums - 1; s >= r; s--)
                ways[k * sums + s] += ways[(k - 1) * sums + s - r];
    for (size_t s = 0; s < sums; s++) {
        total += ways[na * sums + s];
        if ((double)s <= (double)least + u)
            below += ways[na * sums + s];
    }
    *p = below / total;
    free(ways);
    return 0;
}

/* Two-sided p of U = u. ties: sum of t^3 - t. */
static int mann_whitney_p(double u, double na, double nb, double ties, double *p)
{
    double smaller = fmin(u, na * nb - u), all = na + nb;
    if (ties == 0 && na <= EXACT_SIDE && nb <= EXACT_SIDE) {
        int rc = exact_p(smaller, (size_t)na, (size_t)nb, p);
        *p = fmin(1, 2 * *p);
        return rc;
    }
    double variance = na * nb / 12 * (all + 1 - ties / (all * (all - 1)));
    double z = (smaller - na * nb / 2 + 0.5) / sqrt(variance);
    *p = variance > 0 ? fmin(1, 2 * jrx_normal_cdf(z)) : 1;
    return 0;
}

int jrx_mann_whitney(const double *a, size_t na, const double *b, size_t nb, struct jrx_test *out)
{
    *out = none;
    struct ranked *order = jrx_alloc((na + nb) * sizeof *order);
    double *ranks = jrx_alloc((na + nb) * sizeof *ranks);
    int rc = order && ranks ? 0 : JRX_ENOMEM;
    if (rc)
        goto out;
    uint32_t kept = 0;
    for (size_t i = 0; i < na; i++)
        if (!isnan(a[i])) {
            order[kept] = (struct ranked){a[i], kept};
            kept++;
        }
    uint32_t of_a = kept;
    for (size_t i = 0; i < nb; i++)
        if (!isnan(b[i])) {
            order[kept] = (struct ranked){b[i], kept};
            kept++;
        }
    if (of_a == 0 || of_a == kept)
        goto out;
    double ties = rank(order, kept, ranks), sum = 0, ka = of_a, kb = kept - of_a;
    for (uint32_t i = 0; i < of_a; i++)
        sum += ranks[i];
    out->statistic = sum - ka * (ka + 1) / 2;
    out->effect = out->statistic / (ka * kb);
    rc = mann_whitney_p(out->statistic, ka, kb, ties, &out->p);
out:
    free(order);
    free(ranks);
    return rc;
}

/* Pearson's correlation of whole data; NAN if a side is constant. */
static double correlation(const double *a, const double *b, size_t n)
{
    double mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; i++) {
        mean_a += a[i];
        mean_b += b[i];
    }
    mean_a /= (double)n; /* of ranks this is exact, so a constant side has no spread at all */
    mean_b /= (double)n;
    for (size_t i = 0; i < n; i++) {
        aa += (a[i] - mean_a) * (a[i] - mean_a);
        bb += (b[i] - mean_b) * (b[i] - mean_b);
        ab += (a[i] - mean_a) * (b[i] - mean_b);
    }
    return aa > 0 && bb > 0 ? fmax(-1, fmin(1, ab / sqrt(aa * bb))) : NAN;
}

int jrx_spearman(const double *a, const double *b, size_t n, struct jrx_test *out)
{
    *out = none;
    struct ranked *of_a = jrx_alloc(n * sizeof *of_a), *of_b = jrx_alloc(n * sizeof *of_b);
    double *ranks_a = jrx_alloc(n * sizeof *ranks_a), *ranks_b = jrx_alloc(n * sizeof *ranks_b);
    int rc = of_a && of_b && ranks_a && ranks_b ? 0 : JRX_ENOMEM;
    if (rc)
        goto out;
    uint32_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(a[i]) && !isnan(b[i])) {
            of_a[kept] = (struct ranked){a[i], kept};
            of_b[kept] = (struct ranked){b[i], kept};
            kept++;
        }
    if (kept < 3)
        goto out;
    rank(of_a, kept, ranks_a);
    rank(of_b, kept, ranks_b);
    double rho = correlation(ranks_a, ranks_b, kept);
    out->effect = out->statistic = rho;
    out->df = kept - 2;
    /* at |rho| = 1 t is infinite and p is 0 */
    out->p = fabs(rho) < 1 ? 2 * jrx_t_cdf(-fabs(rho) * sqrt(out->df / (1 - rho * rho)), out->df)
             : isnan(rho)  ? NAN
                           : 0;
out:
    free(of_a);
    free(of_b);
    free(ranks_a);
    free(ranks_b);
    return rc;
}
