/*
 * Demodulation reference signals (pilots) of one slot: which REs carry them, and their values.
 * PUSCH mapping type A, l0 = 2, configuration type 1 (every second subcarrier), port 0, single-symbol DMRS.
 */
#ifndef MODELS_LINK_DMRS_H
#define MODELS_LINK_DMRS_H
#include <complex.h>
#include <stdint.h>

enum { LK_PATTERNS = 12, LK_MAX_PILOT_SYMBOLS = 4 };

/*
 * 0..3   DeepRx training: 1 symbol (2) on even or odd subcarriers; 2 symbols (2, 11), even then odd, odd then even
 * 4..7   NR, 1..4 symbols on even subcarriers, data on the odd ones (1 CDM group without data, power 1)
 * 8..11  NR, 1..4 symbols on even subcarriers, nothing on the odd ones (2 CDM groups without data, power 2)
 */
struct lk_pattern {
    const char *name;
    int symbols;                          /* how many carry pilots */
    uint8_t symbol[LK_MAX_PILOT_SYMBOLS]; /* which, ascending */
    uint8_t comb[LK_MAX_PILOT_SYMBOLS];   /* 0 even, 1 odd subcarriers */
    int data_beside;                      /* the other comb of these symbols carries data */
};

/** Pattern 0..LK_PATTERNS-1; constant. Symbols: 38.211 table 6.4.1.1.3-3. */
const struct lk_pattern *lk_pattern_get(int pattern);

/** c_init of PUSCH DMRS in slot `n_s` of the frame, symbol `l`, N_ID^nSCID = n_id, n_SCID = 0: 38.211, 6.4.1.1.1.1.
 * Pure. */
uint32_t lk_dmrs_c_init(int n_s, int l, int n_id);

/**
 * The `n` QPSK values r(0..n-1) of symbol l, unit power, from common resource block 0 up: pilot m of the comb gets
 * r(m) times the boost sqrt(lk_pattern power). `scratch` holds 2n bytes. Pure. Source: 38.211, 6.4.1.1.1 and
 * 6.4.1.1.3 (k = 4n + 2k' + delta, w_f = w_t = 1 on port 0).
 */
void lk_dmrs(int n_s, int l, int n_id, int n, float complex *r, uint8_t *scratch);

#endif
