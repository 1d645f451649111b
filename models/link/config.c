#include "harness/base/error.h"
#include "models/link/dmrs.h"
#include "models/link/ofdm.h"
#include "models/link/tdl.h"
#include <math.h>

struct lk_config lk_config_default(void)
{
    return (struct lk_config){.prb = 26,
                              .rx = 2,
                              .modulation = LK_16QAM,
                              .carrier_hz = 4e9,
                              .scs_hz = 15e3,
                              .profiles = 1 << LK_TDL_A | 1 << LK_TDL_B | 1 << LK_TDL_C | 1 << LK_TDL_D | 1 << LK_TDL_E,
                              .patterns = 0xf,
                              .delay_spread_s = {10e-9, 300e-9},
                              .doppler_hz = {0, 500},
                              .snr_db = {-4, 32},
                              .sir_db = {INFINITY, INFINITY},
                              .interferers = 1};
}

static int check_range(const char *field, const double range[2], double lowest, double highest)
{
    if (range[0] >= lowest && range[0] <= range[1] && range[1] <= highest)
        return 0;
    return jrx_fail(JRX_EINVAL, "link: %s %g..%g; give an ascending range within %g..%g", field, range[0], range[1],
                    lowest, highest);
}

static int check_integer(const char *field, long value, long lowest, long highest)
{
    if (value >= lowest && value <= highest)
        return 0;
    return jrx_fail(JRX_EINVAL, "link: %s %ld; give %ld..%ld", field, value, lowest, highest);
}

/* Power that arrives later than the cyclic prefix would be interference between symbols, which the grid lacks. */
static int check_prefix(const struct lk_config *config)
{
    const double allowed = 0.01, cp_s = lk_prefix_s(config->scs_hz, 1);
    for (int p = 0; p < LK_PROFILES; p++) {
        struct lk_tdl_taps taps;
        double late = 0;
        lk_tdl_scale((enum lk_profile)p, config->delay_spread_s[1], &taps);
        for (int l = 0; l < taps.taps; l++)
            late += taps.delay_s[l] > cp_s ? taps.power[l] : 0;
        if (config->engine == LK_GRID && config->profiles >> p & 1 && late > allowed)
            return jrx_fail(
                JRX_EINVAL,
                "link: delay spread %g s puts %.1f %% of the power of %s beyond the cyclic prefix of %.3g s; "
                "at most %g %% may be in the grid engine: lower the delay spread or use the waveform engine",
                config->delay_spread_s[1], 100 * late, lk_tdl_get((enum lk_profile)p)->name, cp_s, 100 * allowed);
    }
    return 0;
}

static int check_enumerated(const struct lk_config *config)
{
    if (config->modulation != LK_QPSK && config->modulation != LK_16QAM && config->modulation != LK_64QAM &&
        config->modulation != LK_256QAM)
        return jrx_fail(JRX_EINVAL, "link: modulation of %d bits; give 2 (QPSK), 4, 6 or 8 (256QAM)",
                        (int)config->modulation);
    const unsigned all = 1 << LK_QPSK | 1 << LK_16QAM | 1 << LK_64QAM | 1 << LK_256QAM;
    if (config->mixture && (config->mixture & ~all || config->mixture >> config->modulation != 1))
        return jrx_fail(JRX_EINVAL,
                        "link: mixture 0x%x; set some of bits 2, 4, 6, 8, the modulation's %d as the highest",
                        config->mixture, (int)config->modulation);
    if (config->scs_hz != 15e3 && config->scs_hz != 30e3)
        return jrx_fail(JRX_EINVAL, "link: scs_hz %g; give 15e3 or 30e3", config->scs_hz);
    if (config->engine != LK_GRID && config->engine != LK_WAVEFORM)
        return jrx_fail(JRX_EINVAL, "link: engine %d; give 0 (grid) or 1 (waveform)", (int)config->engine);
    if (config->profiles == 0 || config->profiles >> LK_PROFILES)
        return jrx_fail(JRX_EINVAL, "link: profiles 0x%x; set some of bits 0..%d, see enum lk_profile",
                        config->profiles, LK_PROFILES - 1);
    if (config->patterns == 0 || config->patterns >> LK_PATTERNS)
        return jrx_fail(JRX_EINVAL, "link: patterns 0x%x; set some of bits 0..%d, see models/link/dmrs.h",
                        config->patterns, LK_PATTERNS - 1);
    return 0;
}

int lk_config_check(const struct lk_config *config)
{
    const double carrier[2] = {config->carrier_hz, config->carrier_hz},
                 correlation[2] = {config->rx_correlation, config->rx_correlation};
    int clean = config->sir_db[0] == INFINITY && config->sir_db[1] == INFINITY;
    int status = check_integer("prb", config->prb, 1, 273);
    if (!status)
        status = check_integer("rx", config->rx, 1, LK_MAX_RX);
    if (!status)
        status = check_enumerated(config);
    if (!status)
        status = check_range("carrier_hz", carrier, 1e8, 1e11);
    if (!status)
        status = check_range("delay_spread_s", config->delay_spread_s, 0, 1e-5);
    if (!status)
        status = check_prefix(config);
    if (!status)
        status = check_range("doppler_hz", config->doppler_hz, 0, config->scs_hz / 10);
    if (!status)
        status = check_range("snr_db", config->snr_db, -50, 100);
    if (!status && !clean)
        status = check_range("sir_db", config->sir_db, -50, 100);
    if (!status)
        status = check_integer("interferers", config->interferers, clean ? 0 : 1, LK_MAX_INTERFERERS);
    if (!status)
        status = check_range("rx_correlation", correlation, 0, 0.999);
    if (!status)
        status = check_integer("dmrs_id", config->dmrs_id, 0, 65535);
    return status;
}
