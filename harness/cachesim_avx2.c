#include "harness/cachesim_template.h"

const struct jrx_cachesim_ops jrx_cachesim_avx2 = CACHESIM_OPS;
