#include "models/link/evaluate.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUND = 16, FIRST_LOOK = 64 }; /* slots between looks at the clock and, doubling, at the precision */

/* Sums that no order of threads can change: integers, probabilities in units of 2^-32. */
struct counts {
    uint64_t bits[LK_LLR_BINS], errors[LK_LLR_BINS], promised[LK_LLR_BINS];
    uint64_t time_ns;
};

/* What one thread works with. */
struct worker {
    struct lk_slot slot;
    struct lk_detector *detectors; /* [receivers] */
    float *llr;
    struct counts *counts; /* [points][receivers] */
    int status;
    char message[512]; /* jrx_last_error() is a thread's own */
};

static void workers_free(struct worker *workers, int n, const struct lk_evaluation *e)
{
    for (int w = 0; workers && w < n; w++) {
        for (int r = 0; workers[w].detectors && r < e->receiver_count; r++)
            e->receivers[r].detector_free(&workers[w].detectors[r]);
        lk_slot_fini(&workers[w].slot);
        free(workers[w].detectors);
        free(workers[w].llr);
        free(workers[w].counts);
    }
    free(workers);
}

static int worker_init(struct worker *w, const struct lk_evaluation *e)
{
    int status = lk_slot_init(&w->slot, &e->config);
    if (status)
        return status;
    size_t cells = (size_t)e->points * (size_t)e->receiver_count;
    w->llr = jrx_alloc((size_t)w->slot.f * w->slot.t * w->slot.bits * sizeof *w->llr);
    w->counts = jrx_alloc(cells * sizeof *w->counts);
    w->detectors = jrx_alloc((size_t)e->receiver_count * sizeof *w->detectors);
    if (!w->llr || !w->counts || !w->detectors)
        return JRX_ENOMEM;
    for (int r = 0; r < e->receiver_count && !status; r++)
        status = e->receivers[r].detector_new(e->receivers[r].context, &e->config, &w->detectors[r]);
    return status;
}

enum { FIRST_EXPONENT = 127 - 4, QUARTER_BITS = 21 }; /* of a float: 1/16; two bits of mantissa */

static int llr_bin(float size)
{
    int32_t bits;
    memcpy(&bits, &size, sizeof bits);
    int bin = (bits >> QUARTER_BITS) - 4 * FIRST_EXPONENT + 1;
    return bin < 0 ? 0 : bin >= LK_LLR_BINS ? LK_LLR_BINS - 1 : bin;
}

double lk_llr_bin_edge(int bin)
{
    return bin ? ldexp(1 + (bin - 1) % 4 / 4.0, (bin - 1) / 4 - 4) : 0;
}

static double mutual_loss(float llr, int wrong, double *promise)
{
    float size = fabsf(llr), e = expf(-size);
    *promise = (double)(e / (1 + e));
    return (double)((wrong ? size : 0) + log1pf(e)) * M_LOG2E;
}

/* Counts what one detector said about one slot. */
static int judge(const struct lk_slot *slot, const float *llr, const char *name, struct lk_tally *tally,
                 struct counts *counts)
{
    size_t res = (size_t)slot->f * slot->t, bits = (size_t)slot->bits;
    double information = 0;
    memset(tally, 0, sizeof *tally);
    tally->sinr_db = (float)slot->sinr_db;
    for (size_t i = 0; i < res; i++) {
        if (slot->re[i] != LK_DATA)
            continue;
        tally->data_re++;
        information += (double)bits;
        for (size_t b = 0; b < bits; b++) {
            float l = llr[i * bits + b];
            if (!(fabsf(l) <= FLT_MAX))
                return jrx_fail(JRX_EIMPLAUSIBLE, "receiver %s: LLR %g at RE %zu bit %zu; look at its weights", name,
                                (double)l, i, b);
            int wrong = (l > 0) != slot->bit[i * bits + b], bin = llr_bin(fabsf(l));
            double promise;
            information -= mutual_loss(l, wrong, &promise);
            tally->errors[b] += (uint32_t)wrong;
            counts->bits[bin]++;
            counts->errors[bin] += (uint64_t)wrong;
            counts->promised[bin] += (uint64_t)(promise * 0x1p32);
        }
    }
    tally->information = (float)information;
    return 0;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Slot `s` at every point that still runs, by every receiver. */
static int work(struct worker *w, const struct lk_evaluation *e, const char *running, int s)
{
    struct lk_config config = e->config;
    for (int p = 0; p < e->points; p++) {
        if (!running[p])
            continue;
        if (e->snr_db)
            config.snr_db[0] = config.snr_db[1] = e->snr_db[p];
        lk_slot_draw_snr(&w->slot, &config, e->snr_definition, e->seed, e->first_slot + (uint64_t)s);
        for (int r = 0; r < e->receiver_count; r++) {
            size_t cell = (size_t)p * e->receiver_count + (size_t)r;
            uint64_t start_ns = now_ns();
            int status = w->detectors[r].detect(w->detectors[r].self, &w->slot, w->llr);
            w->counts[cell].time_ns += now_ns() - start_ns;
            if (!status)
                status = judge(&w->slot, w->llr, e->receivers[r].name, &e->tallies[cell * (size_t)e->slots + s],
                               &w->counts[cell]);
            if (status)
                return status;
        }
    }
    return 0;
}

static int run_round(struct worker *workers, int threads, const struct lk_evaluation *e, const char *running, int from,
                     int to)
{
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (int s = from; s < to; s++) {
        struct worker *w = &workers[omp_get_thread_num()];
        if (w->status)
            continue;
        w->status = work(w, e, running, s);
        if (w->status)
            strcpy(w->message, jrx_last_error());
    }
    for (int t = 0; t < threads; t++)
        if (workers[t].status)
            return jrx_fail(workers[t].status, "%s", workers[t].message);
    return 0;
}

static void merge_counts(struct lk_result *result, const struct worker *workers, int threads, size_t cell)
{
    struct lk_calibration *c = &result->calibration;
    uint64_t promised[LK_LLR_BINS] = {0}, time_ns = 0;
    memset(c, 0, sizeof *c);
    for (int w = 0; w < threads; w++) {
        const struct counts *counts = &workers[w].counts[cell];
        time_ns += counts->time_ns;
        for (int b = 0; b < LK_LLR_BINS; b++) {
            c->bits[b] += counts->bits[b];
            c->errors[b] += counts->errors[b];
            promised[b] += counts->promised[b];
        }
    }
    for (int b = 0; b < LK_LLR_BINS; b++)
        c->promised[b] = (double)promised[b] * 0x1p-32;
    result->time_s = (double)time_ns * 1e-9;
}

/* Bits of information in a decision that is wrong with the probability it turned out to be, bin by bin. */
static double matched_information(const struct lk_calibration *c)
{
    double information = 0, all = 0;
    for (int b = 0; b < LK_LLR_BINS; b++) {
        double n = (double)c->bits[b], wrong = (double)c->errors[b], right = n - wrong;
        information += n;
        information += wrong > 0 ? wrong * log2(wrong / n) : 0;
        information += right > 0 ? right * log2(right / n) : 0;
        all += n;
    }
    return information / all;
}

/* Sums the tallies of one receiver at one point over `slots` slots. work: 3 * slots numbers. */
static int summarise(struct lk_result *result, const struct lk_tally *tally, int slots, int bits, uint64_t seed,
                     double *work)
{
    double *errors = work, *sent = work + slots, *information = work + 2 * slots, of_bit[LK_MAX_BITS] = {0};
    double re = 0, sum_information = 0, interval[2];
    result->slots = slots;
    result->bits = result->bit_errors = 0;
    for (int s = 0; s < slots; s++) {
        uint32_t wrong = 0;
        for (int b = 0; b < bits; b++) {
            wrong += tally[s].errors[b];
            of_bit[b] += tally[s].errors[b];
        }
        errors[s] = wrong;
        sent[s] = tally[s].data_re * (double)bits;
        information[s] = (double)tally[s].information * bits; /* over bits sent: bits per RE */
        sum_information += (double)tally[s].information;
        re += tally[s].data_re;
        result->bit_errors += wrong;
        result->bits += (int64_t)tally[s].data_re * bits;
    }
    result->ber = (double)result->bit_errors / (double)result->bits;
    result->mi_bits_per_re = sum_information / re;
    for (int b = 0; b < LK_MAX_BITS; b++)
        result->ber_of_bit[b] = b < bits ? of_bit[b] / re : NAN;
    int status = lk_bootstrap(errors, sent, slots, seed, interval);
    if (status)
        return status;
    result->ber_ci_lo = interval[0];
    /* without an error the bootstrap knows nothing: then no more slots fail than 95 % confidence lets, wholly */
    result->ber_ci_hi = result->bit_errors ? interval[1] : 1 - pow(0.025, 1.0 / slots);
    status = lk_bootstrap(information, sent, slots, seed, interval);
    result->mi_ci_lo = interval[0];
    result->mi_ci_hi = interval[1];
    return status;
}

/* All results of point p after `slots` slots; *tight: its intervals are narrow enough. */
static int summarise_point(struct lk_evaluation *e, const struct worker *workers, int threads, int p, int slots,
                           double *work, int *tight)
{
    *tight = e->relative_precision > 0;
    for (int r = 0; r < e->receiver_count; r++) {
        size_t cell = (size_t)p * e->receiver_count + (size_t)r;
        struct lk_result *result = &e->results[cell];
        merge_counts(result, workers, threads, cell);
        int status =
            summarise(result, e->tallies + cell * (size_t)e->slots, slots, (int)e->config.modulation, e->seed, work);
        if (status)
            return status;
        result->mi_matched_bits_per_re = (int)e->config.modulation * matched_information(&result->calibration);
        if (!result->bit_errors || (result->ber_ci_hi - result->ber_ci_lo) / 2 > e->relative_precision * result->ber)
            *tight = 0;
    }
    return 0;
}

static int check(const struct lk_evaluation *e)
{
    if (e->receiver_count < 1 || e->slots < 1 || e->points < 1 || (!e->snr_db && e->points != 1))
        return jrx_fail(JRX_EINVAL, "evaluation of %d receivers, %d slots, %d SNR points; give at least one of each",
                        e->receiver_count, e->slots, e->points);
    if (e->config.mixture)
        return jrx_fail(JRX_EINVAL, "evaluation of mixed modulations 0x%x; evaluate one at a time", e->config.mixture);
    struct lk_config config = e->config;
    int status = lk_config_check(&config);
    for (int p = 0; e->snr_db && p < e->points && !status; p++) {
        config.snr_db[0] = config.snr_db[1] = e->snr_db[p];
        status = lk_config_check(&config);
    }
    return status;
}

/* Rounds of slots until the budget, the precision or the caller ends it. */
static int run(struct lk_evaluation *e, struct worker *workers, int threads, char *running, double *work)
{
    int64_t done = 0, planned = (int64_t)e->slots * e->points;
    int look = FIRST_LOOK, left = e->points, status = 0;
    memset(running, 1, (size_t)e->points);
    for (int from = 0; from < e->slots && left && !status;) {
        int to = from + ROUND < e->slots ? from + ROUND : e->slots, stop = 0;
        status = run_round(workers, threads, e, running, from, to);
        if (status)
            return status;
        done += (int64_t)(to - from) * left;
        stop = e->progress && e->progress(e->context, done, planned);
        int last = stop || to == e->slots, look_now = e->relative_precision > 0 && to >= look;
        for (int p = 0; p < e->points && (last || look_now) && !status; p++) {
            int tight;
            if (!running[p])
                continue;
            status = summarise_point(e, workers, threads, p, to, work, &tight);
            running[p] = !tight;
            left -= tight;
            planned -= tight ? e->slots - to : 0;
        }
        look = look_now ? 2 * look : look;
        from = to;
        if (stop && !status && left && to < e->slots)
            status = jrx_fail(JRX_EINTERRUPTED, "interrupted after %d of %d slots a point; results are of those", to,
                              e->slots);
    }
    return status;
}

int lk_evaluate(struct lk_evaluation *e)
{
    int threads = e->threads > 0 ? e->threads : omp_get_max_threads();
    size_t cells = (size_t)e->points * (size_t)e->receiver_count;
    struct worker *workers = NULL;
    char *running = NULL;
    double *work = NULL;
    e->results = NULL;
    e->tallies = NULL;
    int status = check(e);
    if (status)
        return status;
    status = JRX_ENOMEM;
    e->results = jrx_alloc(cells * sizeof *e->results);
    e->tallies = jrx_alloc(cells * (size_t)e->slots * sizeof *e->tallies);
    running = jrx_alloc((size_t)e->points);
    work = jrx_alloc(3 * (size_t)e->slots * sizeof *work);
    workers = jrx_alloc((size_t)threads * sizeof *workers);
    if (!e->results || !e->tallies || !running || !work || !workers)
        goto out;
    status = 0;
    for (int w = 0; w < threads && !status; w++)
        status = worker_init(&workers[w], e);
    if (!status)
        status = run(e, workers, threads, running, work);
out:
    workers_free(workers, threads, e);
    free(running);
    free(work);
    if (status && status != JRX_EINTERRUPTED)
        lk_evaluation_fini(e);
    return status;
}

void lk_evaluation_fini(struct lk_evaluation *e)
{
    free(e->results);
    free(e->tallies);
    e->results = NULL;
    e->tallies = NULL;
}

int lk_evaluation_bin(const struct lk_evaluation *e, int point, int receiver, double sinr_lo_db, double sinr_hi_db,
                      struct lk_result *result)
{
    size_t cell = (size_t)point * e->receiver_count + (size_t)receiver;
    int all = (int)e->results[cell].slots, slots = 0, status = JRX_ENOMEM;
    struct lk_tally *chosen = jrx_alloc((size_t)all * sizeof *chosen);
    double *work = jrx_alloc(3 * (size_t)all * sizeof *work);
    memset(result, 0, sizeof *result);
    if (!chosen || !work)
        goto out;
    for (int s = 0; s < all; s++) {
        const struct lk_tally *tally = &e->tallies[cell * (size_t)e->slots + (size_t)s];
        if ((double)tally->sinr_db >= sinr_lo_db && (double)tally->sinr_db < sinr_hi_db)
            chosen[slots++] = *tally;
    }
    status = slots ? summarise(result, chosen, slots, (int)e->config.modulation, e->seed, work) : 0;
    result->mi_matched_bits_per_re = result->time_s = NAN;
out:
    free(chosen);
    free(work);
    return status;
}
