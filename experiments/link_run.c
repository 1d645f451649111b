#include "experiments/link_run.h"
#include "harness/base/error.h"
#include "harness/interrupt.h"
#include "harness/progress.h"
#include <math.h>

/* Items of the progress are twentieths of all slots. */
enum { PARTS = 20 };

struct watch {
    struct jrx_progress progress;
    uint32_t done;
};

static int watch(void *context, int64_t done, int64_t planned)
{
    struct watch *w = context;
    for (uint32_t now = (uint32_t)(PARTS * done / planned); w->done < now; w->done++) {
        char text[32];
        snprintf(text, sizeof text, "%lld slots", (long long)done);
        jrx_progress_item(&w->progress, text);
        jrx_progress_done(&w->progress, NULL);
    }
    return jrx_interrupted();
}

int ex_link_run(const struct ex_link *link, const char *name, int quiet, const struct lk_receiver *receivers, int count,
                struct lk_evaluation *e)
{
    struct watch w = {.done = 0};
    *e = (struct lk_evaluation){.config = link->config,
                                .receivers = receivers,
                                .receiver_count = count,
                                .snr_db = link->points ? link->snr_db : NULL,
                                .points = link->points ? link->points : 1,
                                .snr_definition = link->snr_definition,
                                .seed = link->seed,
                                .slots = link->slots,
                                .threads = link->threads,
                                .relative_precision = e->relative_precision,
                                .progress = watch,
                                .context = &w};
    int status = jrx_interrupt_catch();
    if (status)
        return status;
    jrx_progress_init(&w.progress, stderr, quiet ? JRX_PROGRESS_QUIET : JRX_PROGRESS_AUTO);
    jrx_progress_enter(&w.progress, jrx_progress_plan(&w.progress, name, PARTS, NAN));
    status = lk_evaluate(e);
    jrx_progress_fini(&w.progress);
    jrx_interrupt_release();
    e->progress = NULL;
    return status;
}

int ex_link_parse(const struct argp *argp, int argc, char **argv, void *input, const struct ex_link *link)
{
    if (argp_parse(argp, argc, argv, 0, NULL, input))
        return jrx_fail(JRX_EINVAL, "options could not be read; see --help");
    return ex_link_check(link);
}
