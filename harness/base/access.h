/*
 * One memory access, as traced kernels report it and cache simulators consume it. It lives in base/ because kernels/
 * and harness/ both speak of it and may not include one another.
 */
#ifndef HARNESS_BASE_ACCESS_H
#define HARNESS_BASE_ACCESS_H
#include <stdint.h>

struct jrx_access {
    uint64_t address; /* in a made-up address space: tensors start on page boundaries, the same in every run */
    uint16_t bytes;
    uint8_t tag;   /* who is accessed: a small number, below JRX_ACCESS_TAGS */
    uint8_t write; /* 1 store, 0 load */
};

enum { JRX_ACCESS_TAGS = 8 };

#endif
