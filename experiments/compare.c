#include "experiments/compare.h"
#include "harness/stats.h"
#include <math.h>

enum { MOST = 1024 };

const char *ex_change_name(enum ex_change change)
{
    static const char *const names[EX_CHANGES] = {"less", "more", "no difference shown", "too few repetitions",
                                                  "too few errors"};
    return names[change];
}

/* Logarithms of what is there; how many. More than MOST repetitions are as good as MOST. */
static size_t logarithms(const double *values, size_t n, double *out, double *mean)
{
    size_t count = 0;
    double sum = 0;
    for (size_t i = 0; i < n && count < MOST; i++)
        if (values[i] > 0)
            sum += out[count++] = log(values[i]);
    *mean = count ? exp(sum / (double)count) : NAN;
    return count;
}

static void judge(struct ex_ratio *out, enum ex_change without_interval)
{
    out->change = EX_NO_DIFFERENCE;
    if (isnan(out->low))
        out->change = without_interval;
    else if (out->high < 1)
        out->change = EX_LESS;
    else if (out->low > 1)
        out->change = EX_MORE;
}

void ex_compare(const double *a, size_t na, const double *b, size_t nb, struct ex_ratio *out)
{
    double log_a[MOST], log_b[MOST];
    struct jrx_test test;
    na = logarithms(a, na, log_a, &out->a);
    nb = logarithms(b, nb, log_b, &out->b);
    jrx_welch(log_b, nb, log_a, na, &test);
    out->value = out->b / out->a;
    out->low = exp(test.low);
    out->high = exp(test.high);
    judge(out, EX_ONE_REPETITION);
}

/* The error rate of all blocks but one; `left_out` n: of all. */
static double rate(struct ex_errors of, size_t n, size_t left_out)
{
    double errors = 0, bits = 0;
    for (size_t i = 0; i < n; i++) {
        errors += i == left_out ? 0 : of.errors[i];
        bits += i == left_out ? 0 : of.bits[i];
    }
    return errors > 0 ? errors / bits : (double)NAN;
}

void ex_compare_errors(struct ex_errors a, struct ex_errors b, size_t n, struct ex_ratio *out)
{
    double mean = 0, squares = 0;
    out->a = rate(a, n, n);
    out->b = rate(b, n, n);
    out->value = out->b / out->a;
    for (size_t i = 0; i < n; i++)
        mean += log(rate(b, n, i) / rate(a, n, i)) / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += pow(log(rate(b, n, i) / rate(a, n, i)) - mean, 2);
    const double df = (double)n - 1, half = n > 1 ? jrx_t_quantile(0.975, df) * sqrt(squares * df / (double)n) : NAN;
    out->low = out->value * exp(-half);
    out->high = out->value * exp(half);
    judge(out, n > 1 ? EX_TOO_FEW_ERRORS : EX_ONE_REPETITION);
}
