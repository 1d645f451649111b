/* joulerx train: a receiver on slots drawn as it goes. */
#include "experiments/command.h"
#include "experiments/trainer.h"

static int run(int argc, char **argv)
{
    return ex_trainer_run(
        argc, argv, RX_TEACHER,
        "Trains a neural receiver on simulated slots and writes it to FILE (safetensors), again after "
        "each hundredth of the steps. Ctrl-C keeps a checkpoint.");
}

const struct ex_command cmd_train = {
    .name = "train", .summary = "train a neural receiver on simulated slots", .order = 30, .run = run};
