#include "kernels/norm_template.h"

const struct kn_norm_ops kn_norm_baseline = NORM_OPS;
