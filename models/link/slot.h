/*
 * One PUSCH slot in the frequency domain: what was sent, through which channel, what two antennas heard.
 *
 * Powers are ensemble averages per resource element (RE) and antenna: the wanted signal has power 1, so
 *     snr = 1 / noise_power,   sir = 1 / interference_power,   sinr = 1 / (noise_power + interference_power),
 * whatever the fading of the slot. This is the definition that keeps slot fading and diversity in a BER curve.
 * Grids are [f][t] (subcarrier, OFDM symbol, symbol innermost), antennas outermost; complex numbers are (re, im) pairs.
 */
#ifndef MODELS_LINK_SLOT_H
#define MODELS_LINK_SLOT_H
#include <complex.h>
#include <stddef.h>
#include <stdint.h>

enum { LK_SYMBOLS = 14, LK_PRB_SUBCARRIERS = 12, LK_MAX_BITS = 8, LK_MAX_RX = 4, LK_MAX_INTERFERERS = 3 };

enum lk_modulation { LK_QPSK = 2, LK_16QAM = 4, LK_64QAM = 6, LK_256QAM = 8 }; /* value = bits a symbol */

/* TR 38.901, 7.7.2, scaled to the drawn delay spread; then the fixed ones of TS 38.104, G.2.1.1 */
enum lk_profile { LK_TDL_A, LK_TDL_B, LK_TDL_C, LK_TDL_D, LK_TDL_E, LK_TDLA30, LK_TDLB100, LK_TDLC300, LK_PROFILES };

/* GRID: y = h x on each RE, the channel taken at the middle of the symbol; for training. WAVEFORM: samples through
 * time-varying taps, so with interference between carriers and symbols; models/link/waveform.h */
enum lk_engine { LK_GRID, LK_WAVEFORM };

enum lk_re { LK_DATA, LK_PILOT, LK_EMPTY }; /* EMPTY: nothing sent (the other comb, when it carries no data) */

/* What slots are drawn from. Ranges are uniform, min == max fixes a value. */
struct lk_config {
    int prb; /* 1..273 */
    int rx;  /* receive antennas, 1..LK_MAX_RX */
    enum lk_modulation modulation;
    unsigned mixture;  /* bits 1 << enum lk_modulation: drawn among these, whose largest is `modulation`; 0: none */
    double carrier_hz; /* for provenance; Doppler is given directly */
    double scs_hz;     /* 15e3 or 30e3 */
    unsigned profiles; /* bit 1 << enum lk_profile: drawn among these */
    unsigned patterns; /* bit p: DMRS pattern p of models/link/dmrs.h; 0..3 are DeepRx's */
    double delay_spread_s[2]; /* RMS */
    double doppler_hz[2];     /* maximum Doppler shift */
    double snr_db[2];
    double sir_db[2];      /* all interfering users together, data on all REs; INFINITY: none */
    int interferers;       /* 1..LK_MAX_INTERFERERS of equal power, each with its own channel; without effect if none */
    double rx_correlation; /* 0 <= r < 1 between the outermost antennas, see models/link/channel.h */
    enum lk_engine engine;
    int dmrs_id; /* N_ID^nSCID, 0..65535 */
};

struct lk_slot {
    int rx, f, t, bits; /* antennas, subcarriers, symbols, bits a QAM symbol (of this slot, if they are mixed) */
    float complex *y;   /* [rx][f][t] received */
    float complex *h;   /* [rx][f][t] true channel of the wanted user */
    float complex *xp;  /* [f][t] pilot sent, 0 off pilot REs */
    float complex *x;   /* [f][t] symbol sent, pilots included */
    uint8_t *re;        /* [f][t] enum lk_re */
    uint8_t *bit;       /* [f][t][bits]; 0 where re is not LK_DATA. LK_MAX_BITS bytes more may be read */
    double noise_power, interference_power, snr_db, sir_db, sinr_db;
    double delay_spread_s, doppler_hz;
    double scs_hz;
    enum lk_profile profile;
    int pattern;              /* of models/link/dmrs.h */
    struct lk_memory *memory; /* owns all of the above, and the scratch of drawing */
};

/** The validation set-up: 26 PRB, 2 independent antennas, 16QAM, 4 GHz, 15 kHz, TDL-A..E and DeepRx's four patterns,
 * 10..300 ns, 0..500 Hz, -4..32 dB, no interferer. Start from it: fields may be added. */
struct lk_config lk_config_default(void);
/** 0, or JRX_EINVAL naming the field, its value and the allowed range. */
int lk_config_check(const struct lk_config *config);

/** Room for slots of `config`: its prb, rx, modulation and engine; the other fields may differ later, modulation and
 * mixture be smaller. JRX_ENOMEM,
 * JRX_EINVAL. */
int lk_slot_init(struct lk_slot *slot, const struct lk_config *config);
/** Bytes that it takes, but for the transforms of the waveform engine. Pure. */
size_t lk_slot_bytes(const struct lk_config *config);
void lk_slot_fini(struct lk_slot *slot);
/**
 * Draws slot `index` of `seed`: a pure function of (config, seed, index), the same bits whichever thread calls and on
 * every CPU, with or without AVX2 and AVX-512. No allocation, no failure. The order of draws is fixed and the bits,
 * channel, interferer and noise come from separate streams, so that two configs which differ in SNR only get the same
 * bits, channel and (scaled) noise: common random numbers. Bits are drawn for every RE, so patterns share those of the
 * REs on which both carry data. Slot `index` is slot index modulo 10 (20 at 30 kHz) of a frame, which decides the
 * pilots. `h` is the channel at the middle of each symbol; what the waveform engine adds to h x beside noise is not
 * part of the declared SINR. Both engines draw the same bits, channels and noise.
 */
void lk_slot_draw(struct lk_slot *slot, const struct lk_config *config, uint64_t seed, uint64_t index);

#endif
