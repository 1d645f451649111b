#include "experiments/quality.h"
#include "experiments/networks.h"
#include "experiments/series.h"
#include "harness/base/error.h"
#include "models/link/evaluate.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *ex_receiver_name(const struct ex_zoo *zoo, int receiver)
{
    static const char *const classical[EX_CLASSICAL] = {"ls", "lmmse", "genie"};
    return receiver < zoo->count ? zoo->network[receiver].name : classical[receiver - zoo->count];
}

static size_t place(const struct ex_quality *quality, int receiver, int point)
{
    return ((size_t)receiver * (size_t)quality->points + (size_t)point) * EX_BLOCKS;
}

static int find_receiver(const struct ex_zoo *zoo, const char *name)
{
    for (int i = 0; i < ex_receivers(zoo); i++)
        if (!strcmp(name, ex_receiver_name(zoo, i)))
            return i;
    return -1;
}

static int find_point(const struct ex_quality *quality, double sinr_db)
{
    for (int i = 0; i < quality->points; i++)
        if (fabs(quality->sinr_db[i] - sinr_db) < 1e-6)
            return i;
    return -1;
}

static int take_rows(struct ex_quality *quality, const struct ex_zoo *zoo, const struct jrx_csv *samples)
{
    int name = jrx_csv_find(samples, "receiver"), sinr = jrx_csv_find(samples, "sinr_db"),
        block = jrx_csv_find(samples, "rep"), errors = jrx_csv_find(samples, "bit_errors"),
        bits = jrx_csv_find(samples, "bits"), status = 0;
    if (name < 0 || sinr < 0 || block < 0 || errors < 0 || bits < 0)
        return JRX_EFORMAT;
    for (size_t row = 0; row < jrx_csv_rows(samples) && !status; row++) {
        double db;
        int64_t b;
        if ((status = jrx_csv_real(samples, row, (size_t)sinr, &db)) ||
            (status = jrx_csv_integer(samples, row, (size_t)block, -1, &b)))
            return status;
        int receiver = find_receiver(zoo, jrx_csv_text(samples, row, (size_t)name)), point = find_point(quality, db);
        if (receiver < 0 || point < 0 || b < 0 || b >= EX_BLOCKS)
            return jrx_fail(JRX_EFORMAT, "ber: row %zu (%s at %g dB, block %lld) is not of this preset", row + 1,
                            jrx_csv_text(samples, row, (size_t)name), db, (long long)b);
        size_t at = place(quality, receiver, point) + (size_t)b;
        status = jrx_csv_real(samples, row, (size_t)errors, &quality->errors[at]);
        if (!status)
            status = jrx_csv_real(samples, row, (size_t)bits, &quality->bits[at]);
    }
    return status;
}

int ex_quality_init(struct ex_quality *quality, const struct ex_settings *settings, const struct jrx_csv *samples)
{
    const struct ex_zoo *zoo = settings->zoo;
    *quality = (struct ex_quality){.receivers = ex_receivers(zoo),
                                   .points = settings->preset->sinr_db.count,
                                   .sinr_db = settings->preset->sinr_db.value};
    size_t cells = (size_t)quality->receivers * (size_t)quality->points * EX_BLOCKS;
    quality->errors = calloc(cells, sizeof(double));
    quality->bits = calloc(cells, sizeof(double));
    int status =
        quality->errors && quality->bits ? take_rows(quality, zoo, samples) : jrx_fail(JRX_ENOMEM, "ber: no memory");
    for (size_t i = 0; i < cells && !status; i++)
        if (!(quality->bits[i] > 0))
            status = jrx_fail(JRX_EFORMAT, "ber: block %zu of %s at %g dB is missing", i % EX_BLOCKS,
                              ex_receiver_name(zoo, (int)(i / EX_BLOCKS) / quality->points),
                              quality->sinr_db[i / EX_BLOCKS % (size_t)quality->points]);
    if (status)
        ex_quality_fini(quality);
    return status;
}

int ex_quality_read(struct ex_quality *quality, const struct ex_run *run)
{
    struct jrx_csv *csv;
    *quality = (struct ex_quality){.points = 0};
    int status = ex_run_csv(run, "ber", "samples.csv", &csv);
    if (status)
        return status;
    status = ex_quality_init(quality, run->settings, csv);
    jrx_csv_free(csv);
    return status;
}

void ex_quality_fini(struct ex_quality *quality)
{
    free(quality->errors);
    free(quality->bits);
    *quality = (struct ex_quality){.points = 0};
}

/* ---- one receiver, two receivers ---- */

/* Adds up, block by block, what lies at points from..to. */
static void sum_blocks(const struct ex_quality *quality, const double *values, int receiver, int from, int to,
                       double *sum)
{
    memset(sum, 0, EX_BLOCKS * sizeof *sum);
    for (int point = from; point < to; point++)
        for (size_t b = 0; b < EX_BLOCKS; b++)
            sum[b] += values[place(quality, receiver, point) + b];
}

static double total(const double *values)
{
    double sum = 0;
    for (int i = 0; i < EX_BLOCKS; i++)
        sum += values[i];
    return sum;
}

static int over(const double *a, const double *b, struct jrx_estimate *ratio)
{
    double interval[2] = {NAN, NAN};
    *ratio = (struct jrx_estimate){NAN, NAN, NAN, EX_BLOCKS};
    if (!(total(b) > 0))
        return 0;
    int status = lk_bootstrap(a, b, EX_BLOCKS, 1, interval);
    *ratio = (struct jrx_estimate){total(a) / total(b), interval[0], interval[1], EX_BLOCKS};
    return status;
}

int ex_ber(const struct ex_quality *quality, int receiver, int from, int to, struct jrx_estimate *ber)
{
    double errors[EX_BLOCKS], bits[EX_BLOCKS];
    sum_blocks(quality, quality->errors, receiver, from, to, errors);
    sum_blocks(quality, quality->bits, receiver, from, to, bits);
    return over(errors, bits, ber);
}

double ex_bit_errors(const struct ex_quality *quality, int receiver, int from, int to)
{
    double errors[EX_BLOCKS];
    sum_blocks(quality, quality->errors, receiver, from, to, errors);
    return total(errors);
}

double ex_bits(const struct ex_quality *quality, int receiver, int from, int to)
{
    double bits[EX_BLOCKS];
    sum_blocks(quality, quality->bits, receiver, from, to, bits);
    return total(bits);
}

int ex_ber_ratio(const struct ex_quality *quality, int a, int b, int from, int to, struct jrx_estimate *ratio)
{
    double of_a[EX_BLOCKS], of_b[EX_BLOCKS];
    sum_blocks(quality, quality->errors, a, from, to, of_a);
    sum_blocks(quality, quality->errors, b, from, to, of_b);
    int status = over(of_a, of_b, ratio);
    if (!(total(of_a) > 0))
        *ratio = (struct jrx_estimate){NAN, NAN, NAN, EX_BLOCKS};
    return status;
}

double ex_sinr_at(const struct ex_quality *quality, int receiver, double ber)
{
    struct {
        double db, log_ber;
    } before = {NAN, NAN};
    for (int point = 0; point < quality->points; point++) {
        double here =
            log(ex_bit_errors(quality, receiver, point, point + 1) / ex_bits(quality, receiver, point, point + 1));
        double db = quality->sinr_db[point];
        if (here <= log(ber))
            return isinf(here) ? (double)NAN
                               : before.db + (db - before.db) * (log(ber) - before.log_ber) / (here - before.log_ber);
        before.db = db;
        before.log_ber = here;
    }
    return NAN;
}

/* ---- over trainings ---- */

struct jrx_estimate ex_over_seeds(const double *value, int n)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++)
        sum += value[i] > 0 ? log(value[i]) : (double)NAN;
    const double mean = sum / n;
    for (int i = 0; i < n; i++)
        squares += (log(value[i]) - mean) * (log(value[i]) - mean);
    struct jrx_estimate out = {exp(mean), NAN, NAN, (size_t)n};
    if (n > 1 && !isnan(mean)) {
        double half = jrx_t_quantile(0.975, n - 1) * sqrt(squares / (n - 1) / n);
        out.low = exp(mean - half);
        out.high = exp(mean + half);
    }
    return out;
}

/* Mean over seeds of the weighted logarithms, without block `out` (-1: with all); *each: of every seed. */
static double mean_log(const struct ex_quality *quality, const struct ex_side *side, int sides, int seeds, int from,
                       int to, int out, double *each)
{
    double mean = 0;
    for (int seed = 0; seed < seeds; seed++) {
        double sum = 0;
        for (int i = 0; i < sides; i++) {
            double errors[EX_BLOCKS], bits[EX_BLOCKS];
            sum_blocks(quality, quality->errors, side[i].receiver[seed], from, to, errors);
            sum_blocks(quality, quality->bits, side[i].receiver[seed], from, to, bits);
            if (out >= 0)
                errors[out] = bits[out] = 0;
            sum += side[i].weight * log(total(errors) / total(bits));
        }
        if (each)
            each[seed] = exp(sum);
        mean += sum / seeds;
    }
    return isfinite(mean) ? mean : (double)NAN;
}

/* Half-width of the interval of that mean over slots. */
static double over_slots(const struct ex_quality *quality, const struct ex_side *side, int sides, int seeds, int from,
                         int to)
{
    double left_out[EX_BLOCKS], mean = 0, squares = 0;
    for (int b = 0; b < EX_BLOCKS; b++) {
        left_out[b] = mean_log(quality, side, sides, seeds, from, to, b, NULL);
        mean += left_out[b] / EX_BLOCKS;
    }
    for (int b = 0; b < EX_BLOCKS; b++)
        squares += (left_out[b] - mean) * (left_out[b] - mean);
    return jrx_t_quantile(0.975, EX_BLOCKS - 1) * sqrt(squares * (EX_BLOCKS - 1) / EX_BLOCKS);
}

void ex_contrast(const struct ex_quality *quality, const struct ex_side *side, int sides, int seeds, int from, int to,
                 struct jrx_estimate *out)
{
    double each[EX_MAX_SEEDS];
    const double mean = mean_log(quality, side, sides, seeds, from, to, -1, each);
    *out = (struct jrx_estimate){exp(mean), NAN, NAN, (size_t)seeds};
    if (isnan(mean))
        return;
    const double trainings = seeds > 1 ? log(ex_over_seeds(each, seeds).high) - mean : 0;
    const double half = hypot(trainings, over_slots(quality, side, sides, seeds, from, to));
    out->low = exp(mean - half);
    out->high = exp(mean + half);
}

static struct ex_side side_of(double weight, const int *receiver, int seeds)
{
    struct ex_side side = {.weight = weight};
    memcpy(side.receiver, receiver, (size_t)seeds * sizeof *receiver);
    return side;
}

int ex_floor_ratio(const struct ex_quality *quality, const int *a, const int *b, int seeds, struct jrx_estimate *ratio)
{
    const int from = ex_floor(quality), to = quality->points;
    if (seeds == 1)
        return ex_ber_ratio(quality, *a, *b, from, to, ratio);
    const struct ex_side side[] = {side_of(1, a, seeds), side_of(-1, b, seeds)};
    ex_contrast(quality, side, 2, seeds, from, to, ratio);
    return 0;
}

int ex_ber_of(const struct ex_quality *quality, const int *receiver, int seeds, int from, int to,
              struct jrx_estimate *ber)
{
    if (seeds == 1)
        return ex_ber(quality, *receiver, from, to, ber);
    const struct ex_side side = side_of(1, receiver, seeds);
    ex_contrast(quality, &side, 1, seeds, from, to, ber);
    return 0;
}

int ex_put_pair(const struct ex_comparison *of, const int *scratch, const int *distilled, struct jrx_table *table)
{
    const struct ex_quality *quality = of->quality;
    const int seeds = of->settings->zoo->seeds, from = ex_floor(quality);
    struct jrx_estimate alone, taught, ratio;
    int status = ex_ber_of(quality, scratch, seeds, from, quality->points, &alone);
    if (!status)
        status = ex_ber_of(quality, distilled, seeds, from, quality->points, &taught);
    if (!status)
        status = ex_floor_ratio(quality, distilled, scratch, seeds, &ratio);
    if (status)
        return status;
    ex_put_estimate(table, "scratch", "ratio", &alone, 1);
    ex_put_estimate(table, "distilled", "ratio", &taught, 1);
    ex_put_estimate(table, "distilled_over_scratch", "ratio", &ratio, 1);
    return 0;
}
