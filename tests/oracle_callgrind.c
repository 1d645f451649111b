/*
 * oracle_callgrind KERNEL LAYER GRID_F TILE: two calls of a kernel, to be run by callgrind, which counts the second.
 * Linked with AVX2 kernels that have no fused multiply-adds.
 */
#include "harness/base/error.h"
#include "kernels/kernel.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, SPAN = 1 << 20, FIRST = 16 * PAGE };

/* The switch of callgrind's --toggle-collect: counted from here to its return. */
void counted_call(const struct kn_kernel *kernel, const struct kn_args *args);
__attribute__((noinline)) void counted_call(const struct kn_kernel *kernel, const struct kn_args *args)
{
    kernel->run(args);
    __asm__ volatile("" ::: "memory"); /* no tail call */
}

/* An operand where ex_simulate() puts it: one after the other on pages, with one free, from page 16 on. */
static float *place(char **at, size_t bytes)
{
    float *operand = (float *)(void *)*at;
    *at += (bytes + 2 * PAGE - 1) / PAGE * PAGE;
    return operand;
}

static int run(const char *name, const char *layer, int f, const char *tiling)
{
    const struct kn_kernel *kernel = kn_find(name);
    struct kn_shape shape = {.n = 1, .f = f, .t = 14};
    struct kn_tile tile = {0};
    enum kn_op op;
    int status = kernel ? kn_layer_parse(layer, &op, &shape) : JRX_EINVAL;
    if (status || (status = kn_tile_parse(tiling, &tile)) || (status = kernel->supports(&shape, &tile)))
        return status;
    const size_t x = kn_x_floats(&shape) * sizeof(float), w = kn_w_floats(op, &shape) * sizeof(float),
                 b = (size_t)kn_blocks(shape.oc) * KN_LANES * sizeof(float), y = kn_y_floats(&shape) * sizeof(float),
                 ws = kernel->workspace_bytes(&shape, &tile, 1), all = x + w + 3 * b + y + ws + 18 * PAGE + 2 * SPAN;
    char *memory = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return jrx_fail(JRX_ENOMEM, "no %zu bytes for the operands", all);
    /* a multiple of what either cache's sets span, so that lines fall into the same sets */
    char *at = memory + (SPAN - (uintptr_t)memory % SPAN) + FIRST;
    float *in = place(&at, x), *weights = place(&at, w), *bias = place(&at, b), *out = place(&at, y),
          *workspace = place(&at, ws);
    const struct kn_args args = {.shape = &shape,
                                 .tile = &tile,
                                 .x = in,
                                 .w = weights,
                                 .bias = bias,
                                 .dy = out,
                                 .y = out,
                                 .dx = in,
                                 .dw = weights,
                                 .db = bias,
                                 .moments = place(&at, 2 * b),
                                 .workspace = workspace,
                                 .threads = 1};
    memset(memory, 0, all); /* pages of its own, not the system's one of zeros */
    kernel->run(&args);
    counted_call(kernel, &args);
    munmap(memory, all);
    return 0;
}

int main(int argc, char **argv)
{
    int status = argc == 5 ? run(argv[1], argv[2], atoi(argv[3]), argv[4])
                           : jrx_fail(JRX_EINVAL, "oracle_callgrind KERNEL LAYER GRID_F TILE");
    if (status)
        fprintf(stderr, "%s\n", jrx_last_error());
    return status ? 1 : 0;
}
