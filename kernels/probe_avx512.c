#include "kernels/probe_template.h"

const struct kn_probe_ops kn_probe_avx512 = PROBE_OPS;
