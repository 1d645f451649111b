/* joulerx evaluate: error rates of trained receivers beside classical ones, on the same slots. */
#include "experiments/command.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/interrupt.h"
#include "harness/progress.h"
#include "harness/table.h"
#include "models/link/receivers.h"
#include "models/receiver/receiver.h"
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILES = 16, MAX_POINTS = 64, MAX_RECEIVERS = MAX_FILES + 8 };

struct arguments {
    const char *file[MAX_FILES];
    int files;
    double snr_db[MAX_POINTS];
    int points, slots, prb, threads, quiet;
    uint64_t seed;
    const char *csv;
};

enum { KEY_SEED = 256, KEY_CSV, KEY_PRB };

static const struct argp_option options[] = {
    {"snr", 's', "LIST", 0, "SNRs in dB: a,b,c or FROM:TO:STEP (default 0:21:3)", 0},
    {"slots", 'n', "N", 0, "slots a point (default 200)", 0},
    {"prb", KEY_PRB, "N", 0, "resource blocks of a slot (default 26)", 0},
    {"seed", KEY_SEED, "N", 0, "of the slots (default 1000000007, which no training uses)", 0},
    {"csv", KEY_CSV, "FILE", 0, "one row for each receiver and SNR", 0},
    {"threads", 't', "N", 0, "threads (default: all processors); the result does not depend on it", 0},
    {"quiet", 'q', NULL, 0, "no progress", 0},
    {0}};

static const struct jrx_column columns[] = {
    {"receiver", JRX_TEXT, "genie, ls, or the checkpoint"},
    {"parameters", JRX_INTEGER, "trainable numbers; empty for classical receivers"},
    {"snr_db", JRX_REAL, "signal to noise an RE and antenna, ensemble average"},
    {"slots", JRX_INTEGER, "slots received"},
    {"bits", JRX_INTEGER, "bits received"},
    {"bit_errors", JRX_INTEGER, "wrong hard decisions"},
    {"ber_ratio", JRX_REAL, "bit errors over bits, uncoded"},
    {"ber_ci_lo_ratio", JRX_REAL, "lower end of its 95 % bootstrap interval over slots"},
    {"ber_ci_hi_ratio", JRX_REAL, "upper end"},
    {"information_bit", JRX_REAL, "mutual information a data RE, LLRs taken at their word"},
};
static const struct jrx_schema schema = {"evaluation", columns, sizeof columns / sizeof *columns};

static int64_t whole(struct argp_state *state, const char *name, const char *text, int64_t most)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno || value < 1 || value > most)
        argp_error(state, "--%s=%s: not a whole number from 1 to %lld", name, text, (long long)most);
    return value;
}

/* FROM:TO:STEP or a,b,c */
static void parse_snr(struct arguments *to, const char *text, struct argp_state *state)
{
    double value[3];
    char *end;
    const char *at = text;
    int count = 0, range = strchr(text, ':') != NULL;
    to->points = 0;
    for (;; at = end + 1) {
        double v = strtod(at, &end);
        if (end == at || !isfinite(v) || (*end && *end != (range ? ':' : ',')) || count == (range ? 3 : MAX_POINTS))
            argp_error(state, "--snr=%s: neither a,b,c nor FROM:TO:STEP, at most %d points", text, MAX_POINTS);
        if (range)
            value[count] = v;
        else
            to->snr_db[to->points++] = v;
        count++;
        if (!*end)
            break;
    }
    if (!range)
        return;
    if (count != 3 || !(value[2] > 0) || value[1] < value[0] || (value[1] - value[0]) / value[2] > MAX_POINTS - 1)
        argp_error(state, "--snr=%s: FROM:TO:STEP with a step above 0, at most %d points", text, MAX_POINTS);
    while (value[0] + to->points * value[2] <= value[1] + 1e-9 * value[2]) {
        to->snr_db[to->points] = value[0] + to->points * value[2];
        to->points++;
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *to = state->input;
    switch (key) {
    case 's': parse_snr(to, text, state); break;
    case 'n': to->slots = (int)whole(state, "slots", text, 10000000); break;
    case KEY_PRB: to->prb = (int)whole(state, "prb", text, 273); break;
    case KEY_SEED: to->seed = (uint64_t)whole(state, "seed", text, INT64_MAX); break;
    case KEY_CSV: to->csv = text; break;
    case 't': to->threads = (int)whole(state, "threads", text, 1024); break;
    case 'q': to->quiet = 1; break;
    case ARGP_KEY_ARG:
        if (to->files == MAX_FILES)
            argp_error(state, "at most %d checkpoints at once", MAX_FILES);
        to->file[to->files++] = text;
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

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

static int write_rows(const struct arguments *a, const struct lk_evaluation *e, const int64_t *parameters)
{
    struct jrx_table *table;
    int status = jrx_table_open(&table, a->csv, &schema, JRX_TABLE_WHOLE);
    if (status)
        return status;
    for (int i = 0; !status && i < e->points * e->receiver_count; i++) {
        const struct lk_result *r = &e->results[i];
        const int receiver = i % e->receiver_count;
        if (!r->slots)
            continue;
        jrx_put_text(table, "receiver", e->receivers[receiver].name);
        if (parameters[receiver])
            jrx_put_integer(table, "parameters", parameters[receiver]);
        jrx_put_real(table, "snr_db", a->snr_db[i / e->receiver_count]);
        jrx_put_integer(table, "slots", r->slots);
        jrx_put_integer(table, "bits", r->bits);
        jrx_put_integer(table, "bit_errors", r->bit_errors);
        jrx_put_real(table, "ber_ratio", r->ber);
        jrx_put_real(table, "ber_ci_lo_ratio", r->ber_ci_lo);
        jrx_put_real(table, "ber_ci_hi_ratio", r->ber_ci_hi);
        jrx_put_real(table, "information_bit", r->mi_bits_per_re);
        status = jrx_table_row(table);
    }
    if (status) {
        jrx_table_leave(table);
        return status;
    }
    return jrx_table_close(table);
}

static void print(const struct arguments *a, const struct lk_evaluation *e)
{
    printf("%-24s", "BER at SNR [dB]");
    for (int p = 0; p < e->points; p++)
        printf(" %9g", a->snr_db[p]);
    for (int i = 0; i < e->receiver_count; i++) {
        printf("\n%-24s", e->receivers[i].name);
        for (int p = 0; p < e->points; p++) {
            const struct lk_result *r = &e->results[p * e->receiver_count + i];
            if (r->slots)
                printf(" %9.3g", r->ber);
            else
                printf(" %9s", "");
        }
    }
    putchar('\n');
}

/* Classical receivers first, then the checkpoints, each under the name of its file. */
static int evaluate(const struct arguments *a, struct rx_receiver *network)
{
    struct lk_receiver receiver[MAX_RECEIVERS];
    int64_t parameters[MAX_RECEIVERS] = {0};
    struct watch w = {.done = 0};
    int count, status = 0;
    const struct lk_receiver *classical = lk_receivers(&count);
    count = count < MAX_RECEIVERS - MAX_FILES ? count : MAX_RECEIVERS - MAX_FILES;
    memcpy(receiver, classical, (size_t)count * sizeof *receiver);
    for (int i = 0; !status && i < a->files; i++, count++) {
        status = rx_receiver_load(&network[i], a->file[i]);
        receiver[count] = rx_lk_receiver(&network[i], a->file[i]);
        parameters[count] = status ? 0 : nn_parameters(&network[i].net);
    }
    struct lk_evaluation e = {.config = lk_config_default(),
                              .receivers = receiver,
                              .receiver_count = count,
                              .snr_db = a->snr_db,
                              .points = a->points,
                              .seed = a->seed,
                              .slots = a->slots,
                              .threads = a->threads,
                              .progress = watch,
                              .context = &w};
    e.config.prb = a->prb;
    if (status || (status = jrx_interrupt_catch()))
        return status;
    jrx_progress_init(&w.progress, stderr, a->quiet ? JRX_PROGRESS_QUIET : JRX_PROGRESS_AUTO);
    jrx_progress_enter(&w.progress, jrx_progress_plan(&w.progress, "evaluate", PARTS, NAN));
    status = lk_evaluate(&e);
    jrx_progress_fini(&w.progress);
    if (!status || status == JRX_EINTERRUPTED) {
        print(a, &e);
        int written = a->csv ? write_rows(a, &e, parameters) : 0;
        status = written ? written : status;
        if (status == JRX_EINTERRUPTED)
            jrx_fail(status, "interrupted; the slots done so far are shown%s%s", a->csv ? " and kept in " : "",
                     a->csv ? a->csv : "");
    }
    jrx_interrupt_release();
    lk_evaluation_fini(&e);
    return status;
}

static int run(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "[CHECKPOINT...]",
        .doc = "Counts bit errors of trained receivers, beside classical ones that know the noise, on the same "
               "slots: 16QAM, 2 antennas, all channel profiles and pilot patterns."};
    struct arguments a = {.slots = 200, .prb = 26, .seed = 1000000007, .points = 8};
    for (int i = 0; i < 8; i++)
        a.snr_db[i] = 3 * i;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    struct rx_receiver *network = jrx_alloc(MAX_FILES * sizeof *network);
    int status = network ? evaluate(&a, network) : JRX_ENOMEM;
    for (int i = 0; network && i < MAX_FILES; i++)
        rx_receiver_fini(&network[i]);
    free(network);
    return status;
}

const struct ex_command cmd_evaluate = {
    .name = "evaluate", .summary = "bit error rates of trained and classical receivers", .order = 32, .run = run};
