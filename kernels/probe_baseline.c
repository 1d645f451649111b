#include "kernels/probe_template.h"

const struct kn_probe_ops kn_probe_baseline = PROBE_OPS;
