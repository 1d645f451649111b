#include "harness/cachesim_template.h"

const struct jrx_cachesim_ops jrx_cachesim_baseline = CACHESIM_OPS;
