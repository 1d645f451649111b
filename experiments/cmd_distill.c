/* joulerx distill: a small receiver that learns from a large one. */
#include "experiments/command.h"
#include "experiments/trainer.h"

static int run(int argc, char **argv)
{
    return ex_trainer_run(argc, argv, RX_DISTILLED,
                          "Trains a small receiver on simulated slots, partly against the bits and partly against what "
                          "TEACHER thinks of them, and writes it to FILE. Ctrl-C keeps a checkpoint.");
}

const struct ex_command cmd_distill = {
    .name = "distill", .summary = "train a small receiver with the help of a large one", .order = 31, .run = run};
