/*
 * make bench-link: slots a second of the link simulator on one core, inputs and labels ready for the net, beside the
 * same slot in NumPy (tests/bench_link.py: in double precision as NumPy users write it, and tuned in single precision)
 * in the same run. Processor time, so that a busy machine counts less.
 */
#include "models/link/slot.h"
#include "models/receiver/deeprx.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct set_up {
    const char *name;
    enum lk_engine engine;
    enum lk_modulation modulation;
    int prb, rx, interferers, slots;
};

/* The first is the one that NumPy draws too: TDL, one or two pilots, no interferer. */
static const struct set_up set_ups[] = {
    {"grid", LK_GRID, LK_16QAM, 26, 2, 0, 2000},          {"grid, 1 interferer", LK_GRID, LK_16QAM, 26, 2, 1, 1000},
    {"grid, 256QAM", LK_GRID, LK_256QAM, 26, 2, 0, 1000}, {"grid, 4 antennas", LK_GRID, LK_16QAM, 26, 4, 0, 1000},
    {"grid, 13 PRB", LK_GRID, LK_16QAM, 13, 2, 0, 2000},  {"grid, 273 PRB", LK_GRID, LK_16QAM, 273, 2, 0, 100},
    {"waveform", LK_WAVEFORM, LK_16QAM, 26, 2, 0, 200},
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* NAN if there was no memory. */
static double slots_per_second(const struct set_up *s)
{
    struct lk_config config = lk_config_default();
    struct lk_slot slot = {0};
    double rate = NAN;
    config.engine = s->engine;
    config.modulation = s->modulation;
    config.prb = s->prb;
    config.rx = s->rx;
    if (s->interferers)
        config.sir_db[0] = 0, config.sir_db[1] = 36;
    size_t res = (size_t)s->prb * LK_PRB_SUBCARRIERS * LK_SYMBOLS, blocks = ((size_t)rx_planes(s->rx) + 15) / 16;
    float *input = malloc(res * blocks * 16 * sizeof *input);
    uint8_t *label = malloc(res * 16);
    if (!input || !label || lk_slot_init(&slot, &config))
        goto out;
    lk_slot_draw(&slot, &config, 1, 0);
    double start_s = now_s();
    for (int i = 0; i < s->slots; i++) {
        lk_slot_draw(&slot, &config, 1, (uint64_t)i);
        rx_fill_input(&slot, 0, input);
        rx_fill_labels(&slot, 0, label);
    }
    rate = s->slots / (now_s() - start_s);
out:
    lk_slot_fini(&slot);
    free(input);
    free(label);
    return rate;
}

/* NAN if there is no NumPy. */
static double numpy_slots_per_second(const char *version)
{
    double rate = NAN;
    char command[160];
    snprintf(command, sizeof command,
             "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 /usr/bin/python3 tests/bench_link.py %s 1000 2>/dev/null",
             version);
    FILE *from = popen(command, "r");
    if (from) {
        if (fscanf(from, "%lf", &rate) != 1)
            rate = NAN;
        pclose(from);
    }
    return rate;
}

int main(void)
{
    static const struct {
        const char *version, *name;
    } numpy[] = {{"plain", "NumPy, double"}, {"single", "NumPy, tuned, single"}};
    double first = slots_per_second(&set_ups[0]);
    printf("%-22s %8.0f slots/s\n", set_ups[0].name, first);
    for (size_t i = 0; i < sizeof numpy / sizeof *numpy; i++) {
        double rate = numpy_slots_per_second(numpy[i].version);
        if (isnan(rate))
            printf("%-22s (no /usr/bin/python3 with numpy: apt install python3-numpy)\n", numpy[i].name);
        else
            printf("%-22s %8.0f slots/s: %.1f times slower\n", numpy[i].name, rate, first / rate);
    }
    for (size_t i = 1; i < sizeof set_ups / sizeof *set_ups; i++)
        printf("%-22s %8.0f slots/s\n", set_ups[i].name, slots_per_second(&set_ups[i]));
    return 0;
}
