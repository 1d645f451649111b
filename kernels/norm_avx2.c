#include "kernels/norm_template.h"

const struct kn_norm_ops kn_norm_avx2 = NORM_OPS;
