#include "models/link/receivers.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "models/link/demap.h"
#include "models/link/estimate.h"
#include <stdlib.h>
#include <string.h>

/* How a receiver is put together. */
struct recipe {
    void (*estimate)(const struct lk_slot *slot, float complex *h); /* NULL: the true channel */
    int exact;                                                      /* LLRs */
};

struct workspace {
    const struct recipe *recipe;
    struct lk_demapper demapper;
    float complex *h; /* [rx][f][t] */
};

/* Maximum ratio combining of one RE, scaled without bias: z = x + noise of power *noise. */
static float complex combine(const struct lk_slot *slot, const float complex *h, size_t i, size_t res, float *noise)
{
    const float least = 1e-20f; /* an estimate of exactly zero says nothing: llr near 0 */
    float re = 0, im = 0, gain = 0;
    for (int a = 0; a < slot->rx; a++) {
        float hr = crealf(h[a * res + i]), hi = cimagf(h[a * res + i]);
        float yr = crealf(slot->y[a * res + i]), yi = cimagf(slot->y[a * res + i]);
        re += hr * yr + hi * yi;
        im += hr * yi - hi * yr;
        gain += hr * hr + hi * hi;
    }
    gain = gain > least ? gain : least;
    *noise = (float)(slot->noise_power + slot->interference_power) / gain;
    return re / gain + I * (im / gain);
}

static int detect(void *self, const struct lk_slot *slot, float *llr)
{
    struct workspace *w = self;
    size_t res = (size_t)slot->f * slot->t;
    const float complex *h = slot->h;
    if (w->recipe->estimate) {
        w->recipe->estimate(slot, w->h);
        h = w->h;
    }
    for (size_t i = 0; i < res; i++) {
        float *out = llr + i * (size_t)slot->bits, noise;
        if (slot->re[i] != LK_DATA) {
            memset(out, 0, (size_t)slot->bits * sizeof *out);
            continue;
        }
        float complex z = combine(slot, h, i, res, &noise);
        lk_demap(&w->demapper, z, noise, out);
    }
    return 0;
}

static int detector_new(const void *context, const struct lk_config *config, struct lk_detector *detector);

static void detector_free(struct lk_detector *detector)
{
    struct workspace *w = detector->self;
    if (w)
        free(w->h);
    free(w);
    memset(detector, 0, sizeof *detector);
}

static const struct recipe genie = {.exact = 1}, ls = {.estimate = lk_estimate_ls};

static const struct lk_receiver receivers[] = {
    {"genie", detector_new, detector_free, &genie},
    {"ls", detector_new, detector_free, &ls},
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
    w->h = jrx_alloc((size_t)config->rx * config->prb * LK_PRB_SUBCARRIERS * LK_SYMBOLS * sizeof *w->h);
    if (!w->h) {
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
