/* How much a run does. "smoke" is for tests of the machinery: its numbers mean nothing, and no verdict rests on them.
 */
#include "experiments/experiment.h"
#include "harness/base/error.h"
#include <string.h>

static const struct ex_preset presets[] = {
    {.name = "quick",
     .about = "all figures in about ten minutes on two cores; intervals are wide",
     .window_s = 0.06,
     .reps = 9,
     .training = "quick",
     .slots = 960,
     .grid_f = 312,
     .evidence = 1},
    {.name = "smoke",
     .about = "seconds; shows that everything runs, and nothing else",
     .window_s = 0.002,
     .reps = 3,
     .training = "smoke",
     .slots = 4,
     .grid_f = 48},
};

const struct ex_preset *ex_preset_find(const char *name)
{
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if (!strcmp(name, presets[i].name))
            return &presets[i];
    jrx_fail(JRX_EINVAL, "--preset=%s: not a preset; there are quick (%s) and smoke (%s)", name, presets[0].about,
             presets[1].about);
    return NULL;
}
