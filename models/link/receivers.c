#include "models/link/receivers.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "models/link/demap.h"
#include "models/link/estimate.h"
#include "models/link/irc.h"
#include "models/link/lmmse.h"
#include <stdlib.h>
#include <string.h>

enum channel { TRUE_CHANNEL, LEAST_SQUARES, LMMSE_TRUE, LMMSE_ROBUST };

/* How a receiver is put together. */
struct recipe {
    enum channel channel;
    int irc;   /* interference rejection; else maximum ratio */
    int exact; /* LLRs; else max-log */
};

struct workspace {
    const struct recipe *recipe;
    struct lk_demapper demapper;
    struct lk_lmmse *lmmse;
    float complex *h;       /* [rx][f][t] */
    float *error;           /* [f][t] mean squared error of h, as far as the receiver knows */
    float complex *inverse; /* [prb][rx][rx] of the covariance of noise and interference */
};

static const float least_gain = 1e-20f; /* an estimate of exactly zero says nothing: llr near 0 */

/* Maximum ratio combining of one RE, scaled without bias: z = x + noise of power *noise. */
static float complex combine(const struct lk_slot *slot, const float complex *h, size_t i, size_t res, float power,
                             float *noise)
{
    float re = 0, im = 0, gain = 0;
    for (int a = 0; a < slot->rx; a++) {
        float hr = crealf(h[a * res + i]), hi = cimagf(h[a * res + i]);
        float yr = crealf(slot->y[a * res + i]), yi = cimagf(slot->y[a * res + i]);
        re += hr * yr + hi * yi;
        im += hr * yi - hi * yr;
        gain += hr * hr + hi * hi;
    }
    gain = gain > least_gain ? gain : least_gain;
    *noise = power / gain;
    return re / gain + I * (im / gain);
}

/* Interference rejection combining: z = w^H y / (w^H h) with w = S^-1 h; noise 1 / (h^H S^-1 h), and what the error
 * of h lets through w. */
static float complex reject(const struct lk_slot *slot, const float complex *h, size_t i, size_t res,
                            const float complex *inverse, float error, float *noise)
{
    float complex sum = 0;
    float gain = 0, norm = 0;
    for (int a = 0; a < slot->rx; a++) {
        float complex weight = 0; /* element a of w^H */
        for (int c = 0; c < slot->rx; c++)
            weight += conjf(h[c * res + i]) * inverse[c * slot->rx + a];
        sum += weight * slot->y[a * res + i];
        gain += crealf(weight * h[a * res + i]);
        norm += crealf(weight * conjf(weight));
    }
    gain = gain > least_gain ? gain : least_gain;
    *noise = 1 / gain + error * norm / gain / gain;
    return sum / gain;
}

/* The channel that this receiver believes in; w->error goes with it. */
static const float complex *estimate(struct workspace *w, const struct lk_slot *slot)
{
    double noise_power = slot->noise_power + slot->interference_power;
    struct lk_statistics statistics;
    switch (w->recipe->channel) {
    case TRUE_CHANNEL: return slot->h;
    case LEAST_SQUARES: lk_estimate_ls(slot, w->h); return w->h;
    case LMMSE_TRUE: lk_statistics_true(slot, &statistics); break;
    case LMMSE_ROBUST: lk_statistics_robust(&statistics); break;
    }
    lk_lmmse_estimate(w->lmmse, &statistics, noise_power, slot, w->h, w->error);
    return w->h;
}

static int detect(void *self, const struct lk_slot *slot, float *llr)
{
    struct workspace *w = self;
    size_t res = (size_t)slot->f * slot->t, block = (size_t)LK_PRB_SUBCARRIERS * slot->t,
           antennas = (size_t)(slot->rx * slot->rx);
    const float complex *h = estimate(w, slot);
    float power = (float)(slot->noise_power + slot->interference_power), noise;
    if (w->recipe->irc)
        lk_irc_inverse(slot, h, w->inverse);
    for (size_t i = 0; i < res; i++) {
        float *out = llr + i * (size_t)slot->bits;
        if (slot->re[i] != LK_DATA) {
            memset(out, 0, (size_t)slot->bits * sizeof *out);
            continue;
        }
        float complex z = w->recipe->irc
                              ? reject(slot, h, i, res, w->inverse + i / block * antennas, w->error[i], &noise)
                              : combine(slot, h, i, res, power + w->error[i], &noise);
        lk_demap(&w->demapper, z, noise, out);
    }
    return 0;
}

static int detector_new(const void *context, const struct lk_config *config, struct lk_detector *detector);

static void detector_free(struct lk_detector *detector)
{
    struct workspace *w = detector->self;
    if (w) {
        lk_lmmse_free(w->lmmse);
        free(w->h);
        free(w->error);
        free(w->inverse);
        free(w);
    }
    memset(detector, 0, sizeof *detector);
}

static const struct recipe genie = {.exact = 1}, genie_maxlog = {.exact = 0}, genie_irc = {.irc = 1, .exact = 1},
                           ls = {.channel = LEAST_SQUARES}, lmmse = {.channel = LMMSE_TRUE, .exact = 1},
                           lmmse_robust = {.channel = LMMSE_ROBUST, .exact = 1},
                           irc = {.channel = LMMSE_TRUE, .irc = 1, .exact = 1};

static const struct lk_receiver receivers[] = {
    {"genie", detector_new, detector_free, &genie},
    {"genie-maxlog", detector_new, detector_free, &genie_maxlog},
    {"genie-irc", detector_new, detector_free, &genie_irc},
    {"ls", detector_new, detector_free, &ls},
    {"lmmse", detector_new, detector_free, &lmmse},
    {"lmmse-robust", detector_new, detector_free, &lmmse_robust},
    {"irc", detector_new, detector_free, &irc},
};
enum { RECEIVERS = sizeof receivers / sizeof *receivers };

static int detector_new(const void *context, const struct lk_config *config, struct lk_detector *detector)
{
    memset(detector, 0, sizeof *detector);
    int status = lk_config_check(config);
    if (status)
        return status;
    struct workspace *w = jrx_alloc(sizeof *w);
    if (!w)
        return JRX_ENOMEM;
    detector->self = w;
    detector->detect = detect;
    w->recipe = context;
    size_t rx = (size_t)config->rx, res = (size_t)config->prb * LK_PRB_SUBCARRIERS * LK_SYMBOLS;
    w->h = jrx_alloc(rx * res * sizeof *w->h);
    w->error = jrx_alloc(res * sizeof *w->error);
    w->inverse = jrx_alloc((size_t)config->prb * rx * rx * sizeof *w->inverse);
    w->lmmse = lk_lmmse_new();
    if (!w->h || !w->error || !w->inverse || !w->lmmse) {
        detector_free(detector);
        return JRX_ENOMEM;
    }
    lk_demapper_init(&w->demapper, (int)config->modulation, w->recipe->exact);
    for (int i = 0; i < RECEIVERS; i++)
        if (receivers[i].context == context)
            detector->name = receivers[i].name;
    return 0;
}

const struct lk_receiver *lk_receivers(int *count)
{
    *count = RECEIVERS;
    return receivers;
}

const struct lk_receiver *lk_receiver_get(const char *name)
{
    char names[200] = "";
    for (int i = 0; i < RECEIVERS; i++) {
        if (!strcmp(receivers[i].name, name))
            return &receivers[i];
        strcat(strcat(names, i ? ", " : ""), receivers[i].name);
    }
    jrx_fail(JRX_EINVAL, "no receiver '%s'; there are %s", name, names);
    return NULL;
}
