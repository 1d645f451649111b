/* Backward of the batch norm in double precision: what both references need. */
#ifndef KERNELS_NORM_REF_H
#define KERNELS_NORM_REF_H
#include "kernels/stream_ref.h"
#include <math.h>

/* A channel's constants; sums of dz and dz * xhat. dz = dy where w * xhat + bias is above 0, else 0. */
struct norm_ref {
    double mean, invstd, w, bias, dz, dzx;
};

static inline void norm_ref_element(const struct kn_args *a, const struct norm_ref *r, size_t at, double *dz,
                                    double *xhat)
{
    const double dy = kn_get(a->trace, KN_OUT, &a->dy[at]);
    *xhat = (kn_get(a->trace, KN_IN, &a->x[at]) - r->mean) * r->invstd;
    *dz = r->w * *xhat + r->bias > 0 ? dy : 0;
}

static inline struct norm_ref norm_ref_sums(const struct kn_args *a, int c)
{
    struct norm_ref r = {.mean = kn_get(a->trace, KN_NORM, &a->moments[c]),
                         .w = kn_get(a->trace, KN_WEIGHT, &a->w[c]),
                         .bias = kn_get(a->trace, KN_BIAS, &a->bias[c])};
    r.invstd = 1 / sqrt(kn_get(a->trace, KN_NORM, &a->moments[kn_lanes(a->shape->ic) + c]) + KN_NORM_EPSILON);
    for (size_t i = 0; i < ref_pixels(a->shape); i++) {
        double dz, xhat;
        norm_ref_element(a, &r, ref_at(a->shape, c, i), &dz, &xhat);
        r.dz += dz;
        r.dzx += dz * xhat;
    }
    if (a->dw) {
        ref_more(a->trace, KN_WEIGHT, &a->dw[c], r.dzx);
        ref_more(a->trace, KN_BIAS, &a->db[c], r.dz);
    }
    return r;
}

#endif
