/* joulerx dataset: slots in a .safetensors file, so that people who train elsewhere use the same data. */
#include "experiments/command.h"
#include "experiments/link_run.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/interrupt.h"
#include "models/nn/safetensors.h"
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BLOCK = 64 }; /* slots between looks at Ctrl-C */

struct arguments {
    struct ex_link link;
    const char *out;
    int channel; /* the true channel too */
};

/* Tensors of the file; the first axis is the slot. Complex values are planes: re of antenna 0, its im, re of 1, ... */
enum tensor { Y, XP, H, BITS, MASK, PARAMETERS, TENSORS };
enum parameter { SNR_DB, SINR_DB, SIR_DB, DELAY_SPREAD_S, DOPPLER_HZ, PROFILE, PATTERN, PARAMETER_COUNT };
#define PARAMETER_NAMES "snr_db,sinr_db,sir_db,delay_spread_s,doppler_hz,profile,pattern"

static void planes(const float complex *value, size_t res, float *out)
{
    for (size_t i = 0; i < res; i++) {
        out[i] = crealf(value[i]);
        out[res + i] = cimagf(value[i]);
    }
}

/* Slot i into its place of every tensor. */
static void store(const struct lk_slot *slot, size_t i, float *const data[TENSORS])
{
    size_t res = (size_t)slot->f * slot->t, rx = (size_t)slot->rx, bits = (size_t)slot->bits;
    for (size_t a = 0; a < rx; a++) {
        planes(slot->y + a * res, res, data[Y] + (i * rx + a) * 2 * res);
        if (data[H])
            planes(slot->h + a * res, res, data[H] + (i * rx + a) * 2 * res);
    }
    planes(slot->xp, res, data[XP] + i * 2 * res);
    for (size_t r = 0; r < res; r++) {
        data[MASK][i * res + r] = slot->re[r] == LK_DATA;
        for (size_t b = 0; b < bits; b++)
            data[BITS][(i * bits + b) * res + r] = slot->bit[r * bits + b];
    }
    float *p = data[PARAMETERS] + i * PARAMETER_COUNT;
    p[SNR_DB] = (float)slot->snr_db;
    p[SINR_DB] = (float)slot->sinr_db;
    p[SIR_DB] = (float)slot->sir_db;
    p[DELAY_SPREAD_S] = (float)slot->delay_spread_s;
    p[DOPPLER_HZ] = (float)slot->doppler_hz;
    p[PROFILE] = (float)slot->profile;
    p[PATTERN] = (float)slot->pattern;
}

static void describe(struct nn_st_tensor *tensor, const char *name, size_t slots, size_t planes_, size_t f, size_t t)
{
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
    tensor->dims = f ? 4 : 2;
    tensor->dim[0] = slots;
    tensor->dim[1] = planes_;
    tensor->dim[2] = f;
    tensor->dim[3] = t;
    tensor->count = slots * planes_ * (f ? f * t : 1);
}

static int draw(const struct arguments *a, float *const data[TENSORS])
{
    const struct ex_link *link = &a->link;
    int threads = link->threads > 0 ? link->threads : omp_get_max_threads(), status = 0;
    struct lk_slot *slots = jrx_alloc((size_t)threads * sizeof *slots);
    if (!slots)
        return JRX_ENOMEM;
    for (int t = 0; t < threads && !status; t++)
        status = lk_slot_init(&slots[t], &link->config);
    for (int from = 0; from < link->slots && !status; from += BLOCK) {
        int to = from + BLOCK < link->slots ? from + BLOCK : link->slots;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
        for (int i = from; i < to; i++) {
            struct lk_slot *slot = &slots[omp_get_thread_num()];
            lk_slot_draw_snr(slot, &link->config, link->snr_definition, link->seed, (uint64_t)i);
            store(slot, (size_t)i, data);
        }
        status = jrx_interrupt_check();
    }
    for (int t = 0; t < threads; t++)
        lk_slot_fini(&slots[t]);
    free(slots);
    return status;
}

static int write(const struct arguments *a, const struct nn_st_tensor *tensor, int tensors)
{
    const struct lk_config *c = &a->link.config;
    char seed[24], profiles[160], patterns[200], snr[64], delay[64], doppler[64], sir[64];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)a->link.seed);
    snprintf(snr, sizeof snr, "%g..%g", c->snr_db[0], c->snr_db[1]);
    snprintf(sir, sizeof sir, "%g..%g", c->sir_db[0], c->sir_db[1]);
    snprintf(delay, sizeof delay, "%g..%g", c->delay_spread_s[0], c->delay_spread_s[1]);
    snprintf(doppler, sizeof doppler, "%g..%g", c->doppler_hz[0], c->doppler_hz[1]);
    const struct nn_st_pair pairs[] = {
        {"format", "joulerx-slots-1"},
        {"axes",
         "y, h, xp: slot, plane (re, im of each antenna), subcarrier, symbol; bits: slot, bit, subcarrier, symbol; "
         "mask: 1 where the RE carries data"},
        {"parameters", PARAMETER_NAMES},
        {"seed", seed},
        {"modulation", ex_link_modulation(c)},
        {"engine", ex_link_engine(c)},
        {"profiles", ex_link_profiles(c, profiles, sizeof profiles)},
        {"patterns", ex_link_patterns(c, patterns, sizeof patterns)},
        {"snr_definition", ex_link_definition(&a->link)},
        {"snr_db", snr},
        {"sir_db", sir},
        {"delay_spread_s", delay},
        {"doppler_hz", doppler},
    };
    return nn_st_write(a->out, pairs, sizeof pairs / sizeof *pairs, tensor, tensors);
}

static int make(const struct arguments *a)
{
    const struct lk_config *c = &a->link.config;
    size_t slots = (size_t)a->link.slots, rx = (size_t)c->rx, f = (size_t)c->prb * LK_PRB_SUBCARRIERS, all = 0;
    struct nn_st_tensor tensor[TENSORS];
    float *data[TENSORS];
    describe(&tensor[Y], "y", slots, 2 * rx, f, LK_SYMBOLS);
    describe(&tensor[XP], "xp", slots, 2, f, LK_SYMBOLS);
    describe(&tensor[H], "h", slots, 2 * rx, f, LK_SYMBOLS);
    describe(&tensor[BITS], "bits", slots, (size_t)c->modulation, f, LK_SYMBOLS);
    describe(&tensor[MASK], "mask", slots, 1, f, LK_SYMBOLS);
    describe(&tensor[PARAMETERS], "parameters", slots, PARAMETER_COUNT, 0, 0);
    for (int i = 0; i < TENSORS; i++)
        all += i != H || a->channel ? tensor[i].count : 0;
    float *memory = jrx_alloc(all * sizeof *memory), *next = memory;
    if (!memory)
        return jrx_fail(JRX_ENOMEM, "%zu slots take %.1f GB of memory; write several files with fewer, by --seed",
                        slots, (double)all * sizeof *memory / 1e9);
    for (int i = 0; i < TENSORS; i++) {
        data[i] = i != H || a->channel ? next : NULL;
        tensor[i].data = data[i];
        next += data[i] ? tensor[i].count : 0;
    }
    int status = draw(a, data);
    if (!a->channel)
        memmove(&tensor[H], &tensor[H + 1], (TENSORS - H - 1) * sizeof *tensor);
    if (!status)
        status = write(a, tensor, TENSORS - !a->channel);
    free(memory);
    return status;
}

static const struct argp_option own[] = {
    {"out", 'o', "FILE", 0, "the .safetensors file to write", 0},
    {"channel", 'h' + 256, NULL, 0, "the true channel too, as tensor h", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->link; break;
    case 'o': a->out = argument; break;
    case 'h' + 256: a->channel = 1; break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int run(int argc, char **argv)
{
    struct arguments a = {.out = NULL};
    const struct argp_child children[] = {{&ex_link_argp, 0, "The link:", 1}, {0}};
    const struct argp argp = {.options = own,
                              .parser = parse,
                              .doc =
                                  "Writes simulated slots, received grid, pilots, bits and data mask, as a "
                                  ".safetensors file. The file's metadata says what its axes are and how it was drawn.",
                              .children = children};
    ex_link_init(&a.link);
    int status = ex_link_parse(&argp, argc, argv, &a, &a.link);
    if (status)
        return status;
    if (!a.out)
        return jrx_fail(JRX_EINVAL, "--out=FILE is missing: where should the slots go?");
    struct stat found;
    if (!stat(a.out, &found) && !S_ISREG(found.st_mode))
        return jrx_fail(JRX_EINVAL, "--out=%s: there is something that is no file; give another name", a.out);
    if (a.link.points)
        return jrx_fail(JRX_EINVAL, "--snr: a data set has one SNR or draws them; give draw:LOW:HIGH");
    status = jrx_interrupt_catch();
    if (status)
        return status;
    status = make(&a);
    jrx_interrupt_release();
    return status;
}

const struct ex_command cmd_dataset = {
    .name = "dataset", .summary = "simulated slots as a .safetensors file", .order = 55, .run = run};
