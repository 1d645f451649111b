#include "experiments/compare.h"
#include "harness/stats.h"
#include <math.h>

enum { MOST = 1024 };

const char *ex_change_name(enum ex_change change)
{
    static const char *const names[EX_CHANGES] = {"less", "more", "no difference shown", "too few repetitions"};
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
    out->change = EX_NO_DIFFERENCE;
    if (isnan(test.low))
        out->change = EX_ONE_REPETITION;
    else if (out->high < 1)
        out->change = EX_LESS;
    else if (out->low > 1)
        out->change = EX_MORE;
}
