/* Tapped-delay-line channel profiles: TR 38.901 tables 7.7.2-1 to -5, TS 38.104 table G.2.1.1 (simplified ones). */
#ifndef MODELS_LINK_TDL_H
#define MODELS_LINK_TDL_H
#include "models/link/slot.h"

enum { LK_MAX_TAPS = 24 };

struct lk_tdl {
    const char *name; /* "tdl-a", ...: option and CSV value */
    int taps;
    int los;                  /* the profile has a line-of-sight path, at the delay of tap 0 */
    double los_db;            /* its power */
    double fixed_spread_s;    /* RMS delay spread of the simplified profiles; 0: delays scale with the draw */
    float delay[LK_MAX_TAPS]; /* normalised to unit RMS delay spread; simplified: [ns] */
    float power_db[LK_MAX_TAPS];
};

const struct lk_tdl *lk_tdl_get(enum lk_profile profile);

struct lk_tdl_taps {
    int taps;
    double los; /* power of the line of sight; 0: none */
    double delay_s[LK_MAX_TAPS];
    double power[LK_MAX_TAPS]; /* of the Rayleigh part; sum + los = 1 */
};

/** The profile at an RMS delay spread (ignored by simplified profiles). Pure. */
void lk_tdl_scale(enum lk_profile profile, double delay_spread_s, struct lk_tdl_taps *taps);

#endif
