#include "models/link/hermitian.h"
#include <math.h>

/* Products in parts: C's operator also cares for infinities, at three times the price. */
static inline double complex product(double complex a, double complex b)
{
    double ar = creal(a), ai = cimag(a), br = creal(b), bi = cimag(b);
    return ar * br - ai * bi + I * (ar * bi + ai * br);
}

static void factor(int n, double complex *a)
{
    double largest = 0;
    for (int i = 0; i < n; i++)
        largest = fmax(largest, creal(a[i * n + i]));
    for (int j = 0; j < n; j++) {
        double pivot = creal(a[j * n + j]);
        for (int k = 0; k < j; k++)
            pivot -= creal(product(a[j * n + k], conj(a[j * n + k])));
        pivot = sqrt(fmax(pivot, 1e-12 * largest));
        a[j * n + j] = pivot;
        for (int i = j + 1; i < n; i++) {
            double complex sum = a[i * n + j];
            for (int k = 0; k < j; k++)
                sum -= product(a[i * n + k], conj(a[j * n + k]));
            a[i * n + j] = sum / pivot;
        }
    }
}

void lk_hermitian_solve(int n, double complex *a, int m, double complex *b)
{
    factor(n, a);
    for (int r = 0; r < m; r++) {
        double complex *x = b + (long)r * n;
        for (int i = 0; i < n; i++) {
            double complex sum = x[i];
            for (int k = 0; k < i; k++)
                sum -= product(a[i * n + k], x[k]);
            x[i] = sum / creal(a[i * n + i]);
        }
        for (int i = n - 1; i >= 0; i--) {
            double complex sum = x[i];
            for (int k = i + 1; k < n; k++)
                sum -= product(conj(a[k * n + i]), x[k]);
            x[i] = sum / creal(a[i * n + i]);
        }
    }
}
