#include "harness/cachesim_template.h"

const struct jrx_cachesim_ops jrx_cachesim_avx512 = CACHESIM_OPS;
