#include "models/energy/design.h"
#include <math.h>
#include <string.h>

void em_design_init(struct em_design *design, int cols, double prior)
{
    memset(design, 0, sizeof *design);
    design->cols = cols;
    design->log_det = cols * log(prior);
    for (int j = 0; j < cols; j++)
        design->inverse[j * cols + j] = 1 / prior;
}

/* M^-1 x */
static void times(const struct em_design *design, const double *x, double *product)
{
    for (int j = 0; j < design->cols; j++) {
        product[j] = 0;
        for (int k = 0; k < design->cols; k++)
            product[j] += design->inverse[j * design->cols + k] * x[k];
    }
}

static double dot(int cols, const double *a, const double *b)
{
    double sum = 0;
    for (int j = 0; j < cols; j++)
        sum += a[j] * b[j];
    return sum;
}

double em_design_gain(const struct em_design *design, const double *x)
{
    double product[EM_COLUMNS];
    times(design, x, product);
    return 1 + dot(design->cols, x, product);
}

void em_design_add(struct em_design *design, const double *x)
{
    double product[EM_COLUMNS];
    times(design, x, product);
    double gain = 1 + dot(design->cols, x, product);
    for (int j = 0; j < design->cols; j++)
        for (int k = 0; k < design->cols; k++)
            design->inverse[j * design->cols + k] -= product[j] * product[k] / gain;
    design->log_det += log(gain);
}

int em_design_next(const struct em_design *design, const double *rows, const unsigned char *taken, int count)
{
    int best = -1;
    double best_gain = 0;
    for (int i = 0; i < count; i++) {
        double gain = taken[i] ? 0 : em_design_gain(design, rows + (size_t)i * (size_t)design->cols);
        if (gain > best_gain) {
            best_gain = gain;
            best = i;
        }
    }
    return best;
}
