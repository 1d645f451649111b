/* joulerx version: what this binary was built from. */
#include "build.inc"
#include "experiments/command.h"
#include <stdio.h>

static int run(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("joulerx %s%s\n%s\n%s\n", BUILD_COMMIT, BUILD_DIRTY ? " (uncommitted changes)" : "", BUILD_COMPILER,
           BUILD_FLAGS);
    return 0;
}

const struct ex_command cmd_version = {
    .name = "version", .summary = "commit, compiler and flags of this binary", .order = 90, .run = run};
