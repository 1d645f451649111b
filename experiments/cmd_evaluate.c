/* joulerx evaluate: error rates of trained receivers beside classical ones, on the same slots. */
#include "experiments/command.h"
#include "experiments/link_run.h"
#include "experiments/tiles.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/table.h"
#include "models/link/receivers.h"
#include "models/receiver/train.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILES = 16, MAX_RECEIVERS = MAX_FILES + 8 };

struct arguments {
    struct ex_link link;
    const char *file[MAX_FILES], *csv;
    int files, quiet;
};

enum { KEY_CSV = 256 };

static const struct argp_option options[] = {{"csv", KEY_CSV, "FILE", 0, "one row for each receiver and SNR", 0},
                                             {"quiet", 'q', NULL, 0, "no progress", 0},
                                             {0}};

static const struct jrx_column columns[] = {
    {"receiver", JRX_TEXT, "genie, ls, or the checkpoint"},
    {"parameters", JRX_INTEGER, "trainable numbers; empty for classical receivers"},
    {"modulation", JRX_TEXT, "qpsk, 16qam, 64qam or 256qam"},
    {"snr_db", JRX_REAL, "signal to noise an RE and antenna, as asked for; empty if drawn for each slot"},
    {"slots", JRX_INTEGER, "slots received"},
    {"bits", JRX_INTEGER, "bits received"},
    {"bit_errors", JRX_INTEGER, "wrong hard decisions"},
    {"ber_ratio", JRX_REAL, "bit errors over bits, uncoded"},
    {"ber_ci_lo_ratio", JRX_REAL, "lower end of its 95 % bootstrap interval over slots"},
    {"ber_ci_hi_ratio", JRX_REAL, "upper end"},
    {"information_bit", JRX_REAL, "mutual information a data RE, LLRs taken at their word"},
};
static const struct jrx_schema schema = {"evaluation", columns, sizeof columns / sizeof *columns};

static double point_db(const struct arguments *a, int point)
{
    return a->link.points ? a->link.snr_db[point] : NAN;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *to = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &to->link; break;
    case KEY_CSV: to->csv = text; break;
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

static int put_rows(const struct arguments *a, const struct lk_evaluation *e, const int64_t *parameters,
                    struct jrx_table *table)
{
    int status = 0;
    for (int i = 0; !status && i < e->points * e->receiver_count; i++) {
        const struct lk_result *r = &e->results[i];
        const int receiver = i % e->receiver_count;
        if (!r->slots)
            continue;
        jrx_put_text(table, "receiver", e->receivers[receiver].name);
        if (parameters[receiver])
            jrx_put_integer(table, "parameters", parameters[receiver]);
        jrx_put_text(table, "modulation", ex_link_modulation(&e->config));
        jrx_put_real(table, "snr_db", point_db(a, i / e->receiver_count));
        jrx_put_integer(table, "slots", r->slots);
        jrx_put_integer(table, "bits", r->bits);
        jrx_put_integer(table, "bit_errors", r->bit_errors);
        jrx_put_real(table, "ber_ratio", r->ber);
        jrx_put_real(table, "ber_ci_lo_ratio", r->ber_ci_lo);
        jrx_put_real(table, "ber_ci_hi_ratio", r->ber_ci_hi);
        jrx_put_real(table, "information_bit", r->mi_bits_per_re);
        status = jrx_table_row(table);
    }
    return status;
}

static void print(const struct arguments *a, const struct lk_evaluation *e)
{
    char title[40];
    snprintf(title, sizeof title, "BER, %s, at SNR [dB]", ex_link_modulation(&e->config));
    printf("%-24s", title);
    for (int p = 0; p < e->points; p++)
        printf(" %9g", point_db(a, p));
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

struct contest {
    struct ex_tiles tiles;
    struct nn_tilings tilings;
    struct rx_receiver network[MAX_FILES];
    struct lk_receiver receiver[MAX_RECEIVERS];
    int64_t parameters[MAX_RECEIVERS];
    int count;
};

/* Classical receivers first, then the checkpoints, each under the name of its file. */
static int enter(const struct arguments *a, struct contest *c)
{
    int status = ex_tiles_read(&c->tiles);
    const struct lk_receiver *classical = lk_receivers(&c->count);
    char text[PATH_MAX + 128];
    c->tilings = ex_tilings(&c->tiles);
    if (!status && a->files && !a->quiet)
        fprintf(stderr, "%s\n", ex_tiles_say(&c->tiles, text, sizeof text));
    c->count = c->count < MAX_RECEIVERS - MAX_FILES ? c->count : MAX_RECEIVERS - MAX_FILES;
    memcpy(c->receiver, classical, (size_t)c->count * sizeof *c->receiver);
    for (int i = 0; !status && i < a->files; i++, c->count++) {
        status = rx_receiver_load(&c->network[i], a->file[i]);
        c->network[i].net.tilings = &c->tilings;
        c->receiver[c->count] = rx_lk_receiver(&c->network[i], a->file[i]);
        c->parameters[c->count] = status ? 0 : nn_parameters(&c->network[i].net);
    }
    return status;
}

/* One modulation; what was done before Ctrl-C is shown and kept too. */
static int evaluate(const struct arguments *a, const struct contest *c, enum lk_modulation modulation,
                    struct jrx_table *table)
{
    struct lk_evaluation e = {.relative_precision = 0};
    struct ex_link link = a->link;
    link.config.modulation = modulation;
    link.config.mixture = 0;
    int status = ex_link_run(&link, ex_link_modulation(&link.config), a->quiet, c->receiver, c->count, &e);
    if (!status || status == JRX_EINTERRUPTED) {
        print(a, &e);
        int written = table ? put_rows(a, &e, c->parameters, table) : 0;
        status = written ? written : status;
    }
    lk_evaluation_fini(&e);
    return status;
}

static int evaluate_all(const struct arguments *a, const struct contest *c)
{
    const struct lk_config *link = &a->link.config;
    const unsigned modulations = link->mixture ? link->mixture : 1u << link->modulation;
    struct jrx_table *table = NULL;
    int status = a->csv ? jrx_table_open(&table, a->csv, &schema, JRX_TABLE_WHOLE) : 0;
    for (int m = 0; !status && modulations >> m; m++)
        if (modulations >> m & 1)
            status = evaluate(a, c, (enum lk_modulation)m, table);
    if (status && status != JRX_EINTERRUPTED) {
        jrx_table_leave(table);
        return status;
    }
    int written = table ? jrx_table_close(table) : 0;
    if (written)
        return written;
    return status ? jrx_fail(status, "interrupted; the slots done so far are shown%s%s", a->csv ? " and kept in " : "",
                             a->csv ? a->csv : "")
                  : 0;
}

static int run(int argc, char **argv)
{
    const struct argp_child children[] = {
        {&ex_link_argp, 0, "The link (here: SNR 0:3:21, profiles tdl-a,tdl-e, seed 1000000007):", 1}, {0}};
    const struct argp argp = {.options = options,
                              .parser = parse,
                              .args_doc = "[CHECKPOINT...]",
                              .doc = "Counts bit errors of trained receivers, beside classical ones that know the "
                                     "noise, on the same slots.",
                              .children = children};
    struct arguments a = {.files = 0};
    ex_link_init(&a.link);
    a.link.config = rx_validation_link(&a.link.config);
    a.link.seed = 1000000007; /* slots that no training has seen */
    for (int i = 0; i < 8; i++)
        a.link.snr_db[a.link.points++] = 3 * i;
    a.link.mixes = 1;
    struct contest *contest = NULL;
    int status = ex_link_parse(&argp, argc, argv, &a, &a.link);
    if (!status && !(contest = jrx_alloc(sizeof *contest)))
        status = JRX_ENOMEM;
    if (!status)
        status = enter(&a, contest);
    if (!status)
        status = evaluate_all(&a, contest);
    for (int i = 0; contest && i < MAX_FILES; i++)
        rx_receiver_fini(&contest->network[i]);
    if (contest)
        ex_tiles_fini(&contest->tiles);
    free(contest);
    return status;
}

const struct ex_command cmd_evaluate = {
    .name = "evaluate", .summary = "bit error rates of trained and classical receivers", .order = 32, .run = run};
