#include "experiments/link_options.h"
#include "experiments/link_names.h"
#include "harness/base/error.h"
#include "models/link/dmrs.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void ex_link_init(struct ex_link *link)
{
    *link = (struct ex_link){.config = lk_config_default(), .slots = 200, .seed = 1};
}

/* ---- values ---- */

int ex_parse_integer(const char *option, const char *text, long lowest, long highest, long *out)
{
    char *end;
    errno = 0;
    *out = strtol(text, &end, 10);
    if (end != text && !*end && !errno && *out >= lowest && *out <= highest)
        return 0;
    return jrx_fail(JRX_EINVAL, "--%s=%s: give a whole number from %ld to %ld", option, text, lowest, highest);
}

/* Units that a number may carry; a NULL name ends the list. */
struct unit {
    const char *name;
    double scale;
};
static const struct unit times[] = {{"ns", 1e-9}, {"us", 1e-6}, {NULL, 0}};
static const struct unit plain[] = {{"Hz", 1}, {"dB", 1}, {"", 1}, {NULL, 0}};

/* A finite number and its unit, moving *at on; *scale is 0 if there is no unit that the list has. */
static int number(const char **at, const struct unit *units, double *value, double *scale)
{
    char *end;
    *value = strtod(*at, &end);
    if (end == *at || !isfinite(*value))
        return 0;
    *at = end;
    *scale = 0;
    for (; units->name && *scale == 0; units++)
        if (!strncmp(*at, units->name, strlen(units->name))) {
            *scale = units->scale;
            *at += strlen(units->name);
        }
    return 1;
}

/* VALUE or LOW-HIGH, the unit of the last number serving both. */
static int parse_range(const char *option, const char *text, const struct unit *units, double range[2])
{
    const char *at = text;
    double scale[2];
    int good = number(&at, units, &range[0], &scale[0]);
    range[1] = range[0];
    scale[1] = scale[0];
    if (good && *at == '-') {
        at++;
        good = number(&at, units, &range[1], &scale[1]);
    }
    if (!good || *at || scale[1] == 0)
        return jrx_fail(JRX_EINVAL, "--%s=%s: give a number or LOW-HIGH%s", option, text,
                        units == times ? " with its unit, as 100ns or 10-300ns" : ", as 5 or 0-500");
    range[0] *= scale[0] != 0 ? scale[0] : scale[1];
    range[1] *= scale[1];
    return 0;
}

int ex_parse_range(const char *option, const char *text, double range[2])
{
    return parse_range(option, text, plain, range);
}

/* Which of `n` names `text` (length bytes of it) is; -1 with a message that lists them. */
static int choose(const char *option, const char *text, size_t length, const char *(*name)(int), int n)
{
    char names[300] = "";
    for (int i = 0; i < n; i++) {
        if (!*name(i))
            continue;
        if (strlen(name(i)) == length && !memcmp(name(i), text, length))
            return i;
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", name(i));
    }
    jrx_fail(JRX_EINVAL, "--%s: no '%.*s'; there are %s", option, (int)length, text, names);
    return -1;
}

/* A comma-separated list of names to a mask. */
static int parse_mask(const char *option, const char *text, const char *(*name)(int), int n, unsigned *mask)
{
    *mask = 0;
    for (;;) {
        size_t length = strcspn(text, ",");
        int i = choose(option, text, length, name, n);
        if (i < 0)
            return JRX_EINVAL;
        *mask |= 1u << i;
        if (!text[length])
            return 0;
        text += length + 1;
    }
}

/* ---- options: each key has its setter ---- */

static int set_modulation(struct ex_link *link, const char *text)
{
    unsigned mask;
    int status = parse_mask("modulation", text, ex_modulation_name, EX_MODULATIONS, &mask);
    if (status)
        return status;
    link->config.modulation = (enum lk_modulation)(31 - __builtin_clz(mask)); /* the largest */
    link->config.mixture = mask & (mask - 1) ? mask : 0;
    return 0;
}

static int set_profile(struct ex_link *link, const char *text)
{
    return parse_mask("profile", text, ex_profile_name, LK_PROFILES, &link->config.profiles);
}

static int set_pattern(struct ex_link *link, const char *text)
{
    return parse_mask("pattern", text, ex_pattern_name, LK_PATTERNS, &link->config.patterns);
}

static int set_pilots(struct ex_link *link, const char *text)
{
    long pilots;
    int status = ex_parse_integer("pilots", text, 1, 2, &pilots);
    link->config.patterns = pilots == 1 ? 0x3 : 0xc;
    return status;
}

static int set_engine(struct ex_link *link, const char *text)
{
    int e = choose("engine", text, strlen(text), ex_engine_name, EX_ENGINES);
    link->config.engine = (enum lk_engine)e;
    return e < 0 ? JRX_EINVAL : 0;
}

static int set_delay_spread(struct ex_link *link, const char *text)
{
    return parse_range("delay-spread", text, times, link->config.delay_spread_s);
}

static int set_doppler(struct ex_link *link, const char *text)
{
    return parse_range("doppler", text, plain, link->config.doppler_hz);
}

static int set_sir(struct ex_link *link, const char *text)
{
    if (!strcmp(text, "none")) {
        link->config.sir_db[0] = link->config.sir_db[1] = INFINITY;
        return 0;
    }
    return parse_range("sir", text, plain, link->config.sir_db);
}

static int bad_snr(const char *text)
{
    return jrx_fail(
        JRX_EINVAL,
        "--snr=%s: give FIRST:STEP:LAST, a list A,B,C (at most %d points), or draw:LOW:HIGH to draw one for "
        "each slot",
        text, EX_LINK_POINTS);
}

static int set_snr(struct ex_link *link, const char *text)
{
    double v[3], scale;
    const char *at = text;
    int n = 0, draw = !strncmp(text, "draw:", 5);
    at += draw ? 5 : 0;
    for (link->points = 0;; at++) {
        if (link->points == EX_LINK_POINTS || !number(&at, plain, &v[n], &scale))
            return bad_snr(text);
        link->snr_db[link->points++] = v[n];
        n += n < 2;
        if (*at != ',' && *at != ':')
            break;
    }
    if (*at || (strchr(text, ':') && strchr(text, ',')))
        return bad_snr(text);
    if (draw) {
        if (link->points != 2)
            return bad_snr(text);
        memcpy(link->config.snr_db, link->snr_db, sizeof link->config.snr_db);
        link->points = 0;
    } else if (strchr(text, ':')) {
        double first = link->snr_db[0], step = link->snr_db[1], last = link->snr_db[2];
        if (link->points != 3 || !(step > 0) || last < first || (last - first) / step > EX_LINK_POINTS - 1)
            return bad_snr(text);
        link->points = (int)floor((last - first) / step + 1e-9) + 1;
        for (int i = 0; i < link->points; i++)
            link->snr_db[i] = first + i * step;
    }
    return 0;
}

static int set_scs(struct ex_link *link, const char *text)
{
    link->config.scs_hz = !strcmp(text, "15") ? 15e3 : !strcmp(text, "30") ? 30e3 : 0;
    return link->config.scs_hz > 0 ? 0 : jrx_fail(JRX_EINVAL, "--scs=%s: give 15 or 30 (kHz)", text);
}

static int set_correlation(struct ex_link *link, const char *text)
{
    double range[2];
    int status = parse_range("correlation", text, plain, range);
    link->config.rx_correlation = range[0];
    return status;
}

static int set_integer(int *field, const char *option, const char *text, long lowest, long highest)
{
    long value;
    int status = ex_parse_integer(option, text, lowest, highest, &value);
    *field = (int)value;
    return status;
}

static int set_prb(struct ex_link *link, const char *text)
{
    return set_integer(&link->config.prb, "prb", text, 1, 273);
}

static int set_rx(struct ex_link *link, const char *text)
{
    return set_integer(&link->config.rx, "rx", text, 1, LK_MAX_RX);
}

static int set_interferers(struct ex_link *link, const char *text)
{
    return set_integer(&link->config.interferers, "interferers", text, 0, LK_MAX_INTERFERERS);
}

static int set_slots(struct ex_link *link, const char *text)
{
    return set_integer(&link->slots, "slots", text, 1, 100000000);
}

static int set_threads(struct ex_link *link, const char *text)
{
    return set_integer(&link->threads, "threads", text, 1, 1024);
}

static int set_dmrs_id(struct ex_link *link, const char *text)
{
    return set_integer(&link->config.dmrs_id, "dmrs-id", text, 0, 65535);
}

static int set_seed(struct ex_link *link, const char *text)
{
    char *end;
    errno = 0;
    link->seed = strtoull(text, &end, 10);
    if (end != text && !*end && !errno && *text != '-')
        return 0;
    return jrx_fail(JRX_EINVAL, "--seed=%s: give a whole number from 0 to 18446744073709551615", text);
}

static int set_definition(struct ex_link *link, const char *text)
{
    int d = choose("snr-definition", text, strlen(text), ex_definition_name, LK_SNR_DEFINITIONS);
    link->snr_definition = (enum lk_snr_definition)d;
    return d < 0 ? JRX_EINVAL : 0;
}

enum { KEY = 0x1000, SLOT_KEY = 0x1100 };
static const struct argp_option options[] = {
    {"modulation", KEY + 0, "LIST", 0,
     "qpsk, 16qam (default), 64qam, 256qam; train and distill mix several, evaluate takes one after the other", 0},
    {"profile", KEY + 1, "LIST", 0, "tdl-a .. tdl-e, tdla30, tdlb100, tdlc300: one is drawn for each slot", 0},
    {"pilots", KEY + 2, "1|2", 0, "DeepRx's patterns of one or two DMRS symbols (default: all four)", 0},
    {"pattern", KEY + 3, "LIST", 0, "DMRS patterns by name: deeprx-1a .. deeprx-2b, nr-1 .. nr-4, nr-1-data ..", 0},
    {"engine", KEY + 4, "NAME", 0, "grid (default) or waveform, which has ICI and ISI", 0},
    {"delay-spread", KEY + 5, "RANGE", 0, "RMS, drawn for each slot (default 10-300ns)", 0},
    {"doppler", KEY + 6, "RANGE", 0, "maximum Doppler shift in Hz, drawn (default 0-500)", 0},
    {"sir", KEY + 7, "RANGE", 0, "in dB, drawn; none: no interferer", 0},
    {"interferers", KEY + 8, "N", 0, "of equal power, together at the SIR (default 1)", 0},
    {"scs", KEY + 9, "15|30", 0, "subcarrier spacing in kHz (default 15)", 0},
    {"prb", KEY + 10, "N", 0, "resource blocks, 1 to 273", 0},
    {"rx", KEY + 11, "N", 0, "receive antennas, 1 to 4 (default 2)", 0},
    {"correlation", KEY + 12, "R", 0, "between the outermost antennas (default 0)", 0},
    {"dmrs-id", KEY + 13, "N", 0, "scrambling identity of the pilots (default 0)", 0},
    {0},
};
static int (*const setters[])(struct ex_link *, const char *) = {
    set_modulation, set_profile,     set_pilots, set_pattern, set_engine, set_delay_spread, set_doppler,
    set_sir,        set_interferers, set_scs,    set_prb,     set_rx,     set_correlation,  set_dmrs_id};

static const struct argp_option slot_options[] = {
    {"snr", SLOT_KEY + 0, "POINTS", 0, "in dB: FIRST:STEP:LAST, A,B,C, or draw:LOW:HIGH (default draw:-4:32)", 0},
    {"slots", SLOT_KEY + 1, "N", 0, "at each point (default 200)", 0},
    {"seed", SLOT_KEY + 2, "N", 0, "same seed, same slots (default 1)", 0},
    {"threads", SLOT_KEY + 3, "N", 0, "default: all processors; results do not depend on it", 0},
    {"snr-definition", SLOT_KEY + 4, "NAME", 0,
     "re (default): per resource element and antenna, ensemble average; band: noise of the whole FFT band, which is "
     "10 log10(FFT size / subcarriers) dB lower; slot: relative to the power received in that slot, which hides fading",
     0},
    {0},
};
static int (*const slot_setters[])(struct ex_link *, const char *) = {set_snr, set_slots, set_seed, set_threads,
                                                                      set_definition};

static int set(struct ex_link *link, int (*setter)(struct ex_link *, const char *), const char *text)
{
    if (!link->status) /* the first message is kept */
        link->status = setter(link, text);
    return 0;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    int i = key - KEY;
    return i >= 0 && i < (int)(sizeof setters / sizeof *setters) ? set(state->input, setters[i], text)
                                                                 : ARGP_ERR_UNKNOWN;
}

const struct argp ex_channel_argp = {.options = options, .parser = parse};

static error_t parse_slots(int key, char *text, struct argp_state *state)
{
    int i = key - SLOT_KEY;
    if (key == ARGP_KEY_INIT)
        state->child_inputs[0] = state->input;
    return i >= 0 && i < (int)(sizeof slot_setters / sizeof *slot_setters) ? set(state->input, slot_setters[i], text)
                                                                           : ARGP_ERR_UNKNOWN;
}

static const struct argp_child channel[] = {{&ex_channel_argp, 0, NULL, 0}, {0}};
const struct argp ex_link_argp = {.options = slot_options, .parser = parse_slots, .children = channel};

int ex_link_check(const struct ex_link *link)
{
    struct lk_config config = link->config;
    if (link->status)
        return link->status;
    if (config.mixture && !link->mixes)
        return jrx_fail(JRX_EINVAL, "--modulation: one at a time; evaluate, train and distill take several");
    int status = lk_config_check(&config);
    for (int p = 0; p < link->points && !status; p++) {
        config.snr_db[0] = config.snr_db[1] = link->snr_db[p];
        status = lk_config_check(&config);
    }
    return status;
}
