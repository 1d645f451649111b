#include "models/link/slot.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "models/link/channel.h"
#include "models/link/dmrs.h"
#include "models/link/draw.h"
#include "models/link/normal.h"
#include "models/link/ofdm.h"
#include "models/link/qam.h"
#include "models/link/waveform.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Random streams of one slot; a channel takes two. Interferer i has its own three. */
enum { PARAMETERS, BITS, NOISE, CHANNEL, INTERFERER = CHANNEL + 2, PER_INTERFERER = 3, STREAMS = 16 };
_Static_assert(INTERFERER + PER_INTERFERER * LK_MAX_INTERFERERS <= STREAMS, "streams of slots would overlap");

struct lk_memory {
    struct jrx_arena arena;
    struct lk_channel channel;
    struct lk_waveform waveform; /* of the waveform engine, else zero */
    float complex *gain;         /* [rx][taps][symbols] */
    float complex *other;        /* [rx][f][t]: an interferer's channel */
    float complex *other_x;      /* [f][t]: its symbols */
    float complex *pilot;        /* [f / 2] */
    uint8_t *gold;               /* [f] */
    uint8_t *draw;               /* [f][t]: a random byte for every RE */
    struct points {
        float complex qam[1 << LK_MAX_BITS];
        uint8_t bits[1 << LK_MAX_BITS][LK_MAX_BITS]; /* of each point, one a byte */
    } points[LK_MAX_BITS / 2 + 1];                   /* by half the bits a symbol */
};

/* Called twice: measuring, then for real. */
static void plan(struct lk_slot *slot, struct lk_memory *m)
{
    size_t re = (size_t)slot->f * slot->t, rx = (size_t)slot->rx;
    slot->y = jrx_arena_get(&m->arena, rx * re * sizeof *slot->y);
    slot->h = jrx_arena_get(&m->arena, rx * re * sizeof *slot->h);
    slot->xp = jrx_arena_get(&m->arena, re * sizeof *slot->xp);
    slot->x = jrx_arena_get(&m->arena, re * sizeof *slot->x);
    slot->re = jrx_arena_get(&m->arena, re);
    slot->bit = jrx_arena_get(&m->arena, re * (size_t)slot->bits + LK_MAX_BITS); /* written LK_MAX_BITS at once */
    m->gain = jrx_arena_get(&m->arena, rx * LK_MAX_TAPS * LK_SYMBOLS * sizeof *m->gain);
    m->other = jrx_arena_get(&m->arena, rx * re * sizeof *m->other);
    m->other_x = jrx_arena_get(&m->arena, re * sizeof *m->other_x);
    m->pilot = jrx_arena_get(&m->arena, (size_t)slot->f / 2 * sizeof *m->pilot);
    m->gold = jrx_arena_get(&m->arena, (size_t)slot->f);
    m->draw = jrx_arena_get(&m->arena, re);
}

static void fill_points(struct points *points, int bits)
{
    lk_qam_table(bits, points->qam);
    for (int value = 0; value < 1 << bits; value++)
        for (int b = 0; b < bits; b++)
            points->bits[value][b] = value >> (bits - 1 - b) & 1;
}

int lk_slot_init(struct lk_slot *slot, const struct lk_config *config)
{
    memset(slot, 0, sizeof *slot);
    int status = lk_config_check(config);
    if (status)
        return status;
    struct lk_memory *m = jrx_alloc(sizeof *m);
    if (!m)
        return JRX_ENOMEM;
    slot->rx = config->rx;
    slot->f = config->prb * LK_PRB_SUBCARRIERS;
    slot->t = LK_SYMBOLS;
    slot->bits = (int)config->modulation;
    plan(slot, m);
    slot->memory = m;
    status = jrx_arena_init(&m->arena, m->arena.used);
    if (!status && config->engine == LK_WAVEFORM)
        status = lk_waveform_init(&m->waveform, slot->rx, slot->f);
    if (status) {
        lk_slot_fini(slot);
        return status;
    }
    plan(slot, m);
    for (int bits = LK_QPSK; bits <= slot->bits; bits += 2)
        fill_points(&m->points[bits / 2], bits);
    return 0;
}

size_t lk_slot_bytes(const struct lk_config *config)
{
    struct lk_memory memory = {.gain = NULL};
    struct lk_slot slot = {
        .rx = config->rx, .f = config->prb * LK_PRB_SUBCARRIERS, .t = LK_SYMBOLS, .bits = (int)config->modulation};
    plan(&slot, &memory);
    return memory.arena.used + sizeof memory;
}

void lk_slot_fini(struct lk_slot *slot)
{
    if (slot->memory) {
        jrx_arena_fini(&slot->memory->arena);
        lk_waveform_fini(&slot->memory->waveform);
        free(slot->memory);
    }
    memset(slot, 0, sizeof *slot);
}

static double draw_range(struct jrx_rng *rng, const double range[2])
{
    double u = jrx_rng_uniform(rng);
    return range[0] == range[1] ? range[0] : range[0] + u * (range[1] - range[0]);
}

/* One of the set bits of `mask`. */
static int draw_bit(struct jrx_rng *rng, unsigned mask)
{
    int pick = (int)jrx_rng_below(rng, (uint32_t)__builtin_popcount(mask));
    while (pick--)
        mask &= mask - 1;
    return __builtin_ctz(mask);
}

static void draw_parameters(struct lk_slot *slot, const struct lk_config *config, uint64_t seed, uint64_t stream)
{
    struct jrx_rng rng;
    jrx_rng_init(&rng, seed, stream);
    slot->profile = (enum lk_profile)draw_bit(&rng, config->profiles);
    slot->pattern = draw_bit(&rng, config->patterns);
    slot->delay_spread_s = draw_range(&rng, config->delay_spread_s);
    if (lk_tdl_get(slot->profile)->fixed_spread_s > 0)
        slot->delay_spread_s = lk_tdl_get(slot->profile)->fixed_spread_s;
    slot->doppler_hz = draw_range(&rng, config->doppler_hz);
    slot->snr_db = draw_range(&rng, config->snr_db);
    slot->sir_db = draw_range(&rng, config->sir_db);
    slot->bits = config->mixture ? draw_bit(&rng, config->mixture) : (int)config->modulation;
    slot->scs_hz = config->scs_hz;
    slot->noise_power = pow(10, -slot->snr_db / 10);
    slot->interference_power = pow(10, -slot->sir_db / 10);
    slot->sinr_db = -10 * log10(slot->noise_power + slot->interference_power);
}

/* A byte for every RE, whatever it carries; of f * t, a multiple of 4. Little end first. */
static void draw_bytes(const struct lk_slot *slot, uint64_t seed, uint64_t stream)
{
    lk_words(seed, stream, (size_t)slot->f * slot->t / 4, (uint32_t *)slot->memory->draw);
}

static void place_pilots(struct lk_slot *slot, int dmrs_id, int slot_of_frame)
{
    const struct lk_pattern *pattern = lk_pattern_get(slot->pattern);
    size_t res = (size_t)slot->f * slot->t;
    float boost = pattern->data_beside ? 1 : (float)M_SQRT2;
    memset(slot->re, LK_DATA, res);
    memset(slot->xp, 0, res * sizeof *slot->xp);
    for (int p = 0; p < pattern->symbols; p++) {
        int t = pattern->symbol[p], comb = pattern->comb[p];
        lk_dmrs(slot_of_frame, t, dmrs_id, slot->f / 2, slot->memory->pilot, slot->memory->gold);
        for (int k = 0; k < slot->f; k++) {
            size_t i = (size_t)k * slot->t + t;
            if (k % 2 == comb) {
                slot->re[i] = LK_PILOT;
                slot->xp[i] = boost * slot->memory->pilot[k / 2];
            } else if (!pattern->data_beside)
                slot->re[i] = LK_EMPTY;
        }
    }
}

/* Bits and symbols, on every RE first; then those that carry no data are put right. */
static void draw_bits(struct lk_slot *slot, uint64_t seed, uint64_t stream)
{
    const struct points *points = &slot->memory->points[slot->bits / 2];
    const struct lk_pattern *pattern = lk_pattern_get(slot->pattern);
    const size_t res = (size_t)slot->f * slot->t, bits = (size_t)slot->bits;
    const unsigned mask = (1u << bits) - 1;
    draw_bytes(slot, seed, stream);
    uint8_t *bit = slot->bit;
    float complex *x = slot->x;
    const uint8_t *draw = slot->memory->draw;
    for (size_t i = 0; i < res; i++, bit += bits) {
        memcpy(bit, points->bits[draw[i] & mask], LK_MAX_BITS); /* the next RE's come over what is too much */
        memcpy(&x[i], &points->qam[draw[i] & mask], sizeof *x);
    }
    for (int p = 0; p < pattern->symbols; p++)
        for (size_t i = pattern->symbol[p]; i < res; i += (size_t)slot->t)
            if (slot->re[i] != LK_DATA) {
                memset(slot->bit + i * bits, 0, bits);
                slot->x[i] = slot->xp[i];
            }
}

static void draw_channel(struct lk_memory *m, const struct lk_slot *slot, enum lk_profile profile,
                         double delay_spread_s, double doppler_hz, double correlation, uint64_t seed, uint64_t stream,
                         float complex *h)
{
    double time_s[LK_SYMBOLS];
    for (int t = 0; t < LK_SYMBOLS; t++)
        time_s[t] = lk_symbol_middle_s(slot->scs_hz, t);
    lk_channel_draw(&m->channel, profile, slot->rx, delay_spread_s, doppler_hz, correlation, seed, stream);
    lk_channel_gains(&m->channel, time_s, LK_SYMBOLS, m->gain);
    lk_channel_response(&m->channel, m->gain, slot->f, slot->scs_hz, h);
}

/* What the channel just drawn, of response h, makes of x: added to y if something is there already, or to the samples
 * that y will come from. */
static void hear(struct lk_slot *slot, enum lk_engine engine, const float complex *h, const float complex *x, int add)
{
    size_t res = (size_t)slot->f * slot->t;
    if (engine == LK_WAVEFORM) {
        lk_waveform_send(&slot->memory->waveform, &slot->memory->channel, slot->scs_hz, x);
        return;
    }
    for (int a = 0; a < slot->rx; a++)
        lk_draw()->hear(res, h + a * res, x, add, slot->y + a * res);
}

static void hear_interferer(struct lk_slot *slot, const struct lk_config *config, uint64_t seed, uint64_t stream)
{
    struct lk_memory *m = slot->memory;
    struct jrx_rng rng;
    jrx_rng_init(&rng, seed, stream);
    enum lk_profile profile = (enum lk_profile)draw_bit(&rng, config->profiles);
    double delay_spread_s = draw_range(&rng, config->delay_spread_s), doppler_hz = draw_range(&rng, config->doppler_hz);
    draw_channel(m, slot, profile, delay_spread_s, doppler_hz, config->rx_correlation, seed, stream + 1, m->other);
    size_t res = (size_t)slot->f * slot->t;
    float scale = (float)sqrt(slot->interference_power / config->interferers);
    uint32_t word = 0;
    for (size_t i = 0; i < res; i++) {
        word = i % 4 ? word >> 8 : jrx_rng_u32(&rng);
        m->other_x[i] = scale * m->points[slot->bits / 2].qam[word & ((1u << slot->bits) - 1)];
    }
    hear(slot, config->engine, m->other, m->other_x, 1);
}

static void add_noise(struct lk_slot *slot, uint64_t seed, uint64_t stream)
{
    size_t n = (size_t)slot->rx * slot->f * slot->t;
    lk_normal_add(seed, stream, 2 * n, (float)sqrt(slot->noise_power / 2), (float *)slot->y);
}

void lk_slot_draw(struct lk_slot *slot, const struct lk_config *config, uint64_t seed, uint64_t index)
{
    uint64_t stream = index * STREAMS;
    int slots_per_frame = config->scs_hz < 30e3 ? 10 : 20;
    draw_parameters(slot, config, seed, stream + PARAMETERS);
    place_pilots(slot, config->dmrs_id, (int)(index % (uint64_t)slots_per_frame));
    draw_bits(slot, seed, stream + BITS);
    draw_channel(slot->memory, slot, slot->profile, slot->delay_spread_s, slot->doppler_hz, config->rx_correlation,
                 seed, stream + CHANNEL, slot->h);
    hear(slot, config->engine, slot->h, slot->x, 0);
    if (slot->interference_power > 0)
        for (int i = 0; i < config->interferers; i++)
            hear_interferer(slot, config, seed, stream + INTERFERER + (uint64_t)(PER_INTERFERER * i));
    if (config->engine == LK_WAVEFORM)
        lk_waveform_receive(&slot->memory->waveform, slot->scs_hz, slot->y);
    add_noise(slot, seed, stream + NOISE);
}
