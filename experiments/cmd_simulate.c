/* joulerx simulate: bit error rates and mutual information of classical receivers. */
#include "experiments/command.h"
#include "experiments/link_run.h"
#include "experiments/sheet.h"
#include "harness/base/error.h"
#include "models/link/dmrs.h"
#include "models/link/receivers.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECEIVERS = 16 };

struct arguments {
    struct ex_link link;
    struct lk_receiver receivers[RECEIVERS];
    int receiver_count, quiet, status;
    double precision, bin_db[3]; /* first edge, width, last edge; width 0: not by SINR */
    const char *csv, *calibration;
};

/* One receiver at one point, or in one SINR bin of it. */
struct row {
    const struct arguments *arguments;
    const char *receiver;
    double snr_db, sinr_db[2];
    struct lk_result result;
    double gain, gain_ci[2]; /* BER less that of the first receiver, paired */
};

static void put_setting(struct ex_sheet *s, const struct arguments *a)
{
    const struct lk_config *c = &a->link.config;
    char text[160];
    ex_sheet_text(s, "modulation", ex_link_modulation(c));
    ex_sheet_text(s, "profile", ex_link_profiles(c, text, sizeof text));
    ex_sheet_text(s, "engine", ex_link_engine(c));
    ex_sheet_text(s, "pilots", ex_link_patterns(c, text, sizeof text));
}

static void put_rest_of_setting(struct ex_sheet *s, const struct arguments *a)
{
    const struct lk_config *c = &a->link.config;
    ex_sheet_text(s, "snr_definition", ex_link_definition(&a->link));
    ex_sheet_integer(s, "prb", c->prb);
    ex_sheet_integer(s, "rx", c->rx);
    ex_sheet_real(s, "rx_correlation", c->rx_correlation);
    ex_sheet_real(s, "scs_hz", c->scs_hz);
    ex_sheet_real(s, "delay_spread_lo_s", c->delay_spread_s[0]);
    ex_sheet_real(s, "delay_spread_hi_s", c->delay_spread_s[1]);
    ex_sheet_real(s, "doppler_lo_hz", c->doppler_hz[0]);
    ex_sheet_real(s, "doppler_hi_hz", c->doppler_hz[1]);
    ex_sheet_real(s, "sir_lo_db", c->sir_db[0]);
    ex_sheet_real(s, "sir_hi_db", c->sir_db[1]);
    ex_sheet_integer(s, "interferers", isfinite(c->sir_db[0]) ? c->interferers : 0);
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)a->link.seed);
    ex_sheet_text(s, "seed", seed);
}

static void put_row(struct ex_sheet *s, const struct row *row)
{
    const struct lk_result *r = &row->result;
    ex_sheet_text(s, "receiver", row->receiver);
    put_setting(s, row->arguments);
    ex_sheet_real(s, "snr_db", row->snr_db);
    ex_sheet_real(s, "sinr_lo_db", row->sinr_db[0]);
    ex_sheet_real(s, "sinr_hi_db", row->sinr_db[1]);
    ex_sheet_integer(s, "slots", r->slots);
    ex_sheet_integer(s, "bits", r->bits);
    ex_sheet_integer(s, "bit_errors", r->bit_errors);
    ex_sheet_real(s, "ber", r->ber);
    ex_sheet_real(s, "ber_ci_lo", r->ber_ci_lo);
    ex_sheet_real(s, "ber_ci_hi", r->ber_ci_hi);
    ex_sheet_real(s, "mi_bits_per_re", r->mi_bits_per_re);
    ex_sheet_real(s, "mi_ci_lo_bits_per_re", r->mi_ci_lo);
    ex_sheet_real(s, "mi_ci_hi_bits_per_re", r->mi_ci_hi);
    ex_sheet_real(s, "mi_matched_bits_per_re", r->mi_matched_bits_per_re);
    ex_sheet_real(s, "ber_minus_first", row->gain);
    ex_sheet_real(s, "ber_minus_first_ci_lo", row->gain_ci[0]);
    ex_sheet_real(s, "ber_minus_first_ci_hi", row->gain_ci[1]);
    for (int b = 0; b < LK_MAX_BITS; b++) {
        char name[16];
        snprintf(name, sizeof name, "ber_bit%d", b);
        ex_sheet_real(s, name, r->ber_of_bit[b]);
    }
    ex_sheet_real(s, "time_s", r->time_s);
    put_rest_of_setting(s, row->arguments);
    ex_sheet_end_row(s);
}

static int fill_row(struct row *row, const struct arguments *a, const struct lk_evaluation *e, int point, int receiver,
                    int bin)
{
    int status = 0;
    *row = (struct row){.arguments = a, .receiver = e->receivers[receiver].name, .gain = NAN, .sinr_db = {NAN, NAN}};
    row->snr_db = e->snr_db ? e->snr_db[point] : NAN;
    row->gain_ci[0] = row->gain_ci[1] = NAN;
    if (bin >= 0) {
        row->sinr_db[0] = a->bin_db[0] + bin * a->bin_db[1];
        row->sinr_db[1] = row->sinr_db[0] + a->bin_db[1];
        return lk_evaluation_bin(e, point, receiver, row->sinr_db[0], row->sinr_db[1], &row->result);
    }
    row->result = e->results[point * e->receiver_count + receiver];
    if (receiver)
        status = lk_evaluation_difference(e, point, receiver, 0, &row->gain, row->gain_ci);
    return status;
}

static int bins(const struct arguments *a)
{
    return a->bin_db[1] > 0 ? (int)floor((a->bin_db[2] - a->bin_db[0]) / a->bin_db[1] + 1e-9) : 0;
}

/* Calls `use` with each row; empty bins are left out. */
static int each_row(const struct arguments *a, const struct lk_evaluation *e,
                    void (*use)(void *context, const struct row *), void *context)
{
    for (int p = 0; p < e->points; p++)
        for (int bin = bins(a) ? 0 : -1; bin < bins(a); bin++)
            for (int r = 0; r < e->receiver_count; r++) {
                struct row row;
                int status = fill_row(&row, a, e, p, r, bin);
                if (status)
                    return status;
                if (row.result.slots)
                    use(context, &row);
            }
    return 0;
}

/* ---- where rows go ---- */

static void to_sheet(void *context, const struct row *row)
{
    struct ex_sheet *sheet = context;
    if (sheet->header)
        put_row(sheet, row);
    put_row(sheet, row);
}

static void to_people(void *context, const struct row *row)
{
    const struct lk_result *r = &row->result;
    int *lines = context;
    if (!(*lines)++)
        printf("%-14s %8s %7s %12s %25s %9s %9s\n", "receiver", "SNR/SINR", "slots", "BER", "95 % interval", "bits/RE",
               "matched");
    double x_db = isnan(row->sinr_db[0]) ? row->snr_db : row->sinr_db[0];
    char x[16] = "drawn", matched[16] = "";
    if (!isnan(x_db))
        snprintf(x, sizeof x, "%.4g", x_db);
    if (!isnan(r->mi_matched_bits_per_re))
        snprintf(matched, sizeof matched, "%9.4f", r->mi_matched_bits_per_re);
    printf("%-14s %8s %7lld %12.4e [%.4e, %.4e] %9.4f %s\n", row->receiver, x, (long long)r->slots, r->ber,
           r->ber_ci_lo, r->ber_ci_hi, r->mi_bits_per_re, matched);
}

static int write_rows(const struct arguments *a, const struct lk_evaluation *e, struct ex_sheet *sheet)
{
    int lines = 0;
    if (!a->csv)
        return each_row(a, e, to_people, &lines);
    int status = each_row(a, e, to_sheet, sheet);
    if (status)
        return status;
    status = ex_sheet_close(sheet);
    if (status) { /* a full disk does not cost the run */
        struct ex_sheet instead;
        ex_sheet_stdout(&instead);
        each_row(a, e, to_sheet, &instead);
    }
    return status;
}

static void put_calibration(struct ex_sheet *s, const struct lk_evaluation *e, int point, int receiver, int bin)
{
    const struct lk_calibration *c = &e->results[point * e->receiver_count + receiver].calibration;
    ex_sheet_text(s, "receiver", e->receivers[receiver].name);
    ex_sheet_real(s, "snr_db", e->snr_db ? e->snr_db[point] : NAN);
    ex_sheet_real(s, "llr_from", lk_llr_bin_edge(bin));
    ex_sheet_integer(s, "bits", (int64_t)c->bits[bin]);
    ex_sheet_integer(s, "bit_errors", (int64_t)c->errors[bin]);
    ex_sheet_real(s, "bit_errors_promised", c->promised[bin]);
    ex_sheet_end_row(s);
}

static int write_calibration(const struct arguments *a, const struct lk_evaluation *e, struct ex_sheet *sheet)
{
    if (!a->calibration)
        return 0;
    put_calibration(sheet, e, 0, 0, 0);
    for (int p = 0; p < e->points; p++)
        for (int r = 0; r < e->receiver_count; r++)
            for (int b = 0; b < LK_LLR_BINS; b++)
                put_calibration(sheet, e, p, r, b);
    return ex_sheet_close(sheet);
}

/* ---- the command ---- */

static int parse_receivers(struct arguments *a, const char *text)
{
    char list[256], *rest;
    if (strlen(text) >= sizeof list)
        return jrx_fail(JRX_EINVAL, "--receiver: the list is longer than %zu bytes", sizeof list - 1);
    strcpy(list, text);
    a->receiver_count = 0;
    for (char *name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        const struct lk_receiver *receiver = lk_receiver_get(name);
        if (!receiver)
            return JRX_EINVAL;
        if (a->receiver_count == RECEIVERS)
            return jrx_fail(JRX_EINVAL, "--receiver=%s: at most %d", text, RECEIVERS);
        a->receivers[a->receiver_count++] = *receiver;
    }
    return a->receiver_count ? 0 : jrx_fail(JRX_EINVAL, "--receiver=%s: give one at least", text);
}

static int parse_precision(struct arguments *a, const char *text)
{
    char *end;
    a->precision = strtod(text, &end);
    if (end != text && !*end && a->precision > 0 && a->precision < 1)
        return 0;
    return jrx_fail(JRX_EINVAL, "--precision=%s: give a part of the BER between 0 and 1, as 0.05", text);
}

static int parse_bins(struct arguments *a, const char *text)
{
    int used = 0;
    if (sscanf(text, "%lf:%lf:%lf%n", &a->bin_db[0], &a->bin_db[1], &a->bin_db[2], &used) == 3 && !text[used] &&
        a->bin_db[1] > 0 && a->bin_db[2] >= a->bin_db[0] + a->bin_db[1] &&
        (a->bin_db[2] - a->bin_db[0]) / a->bin_db[1] < 1000)
        return 0;
    return jrx_fail(JRX_EINVAL, "--sinr-bins=%s: give FIRST:WIDTH:LAST in dB, at least one bin", text);
}

static const struct argp_option own[] = {
    {"receiver", 'r', "LIST", 0,
     "genie, genie-maxlog, genie-irc, ls, lmmse, lmmse-robust, irc (default genie,ls,lmmse)", 0},
    {"csv", 'c', "FILE", 0, "rows as CSV, - for standard output (default: a table for people)", 0},
    {"calibration", 'k', "FILE", 0, "what each |LLR| promised and what came true, as CSV", 0},
    {"precision", 'e', "PART", 0, "stop a point when all BER intervals are within this part of the BER", 0},
    {"sinr-bins", 'b', "F:W:L", 0, "a row for each bin of the slots' SINR instead of one for each point", 0},
    {"quiet", 'q', NULL, 0, "no progress", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *a = state->input;
    int status = 0;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->link; break;
    case 'r': status = parse_receivers(a, argument); break;
    case 'c': a->csv = argument; break;
    case 'k': a->calibration = argument; break;
    case 'e': status = parse_precision(a, argument); break;
    case 'b': status = parse_bins(a, argument); break;
    case 'q': a->quiet = 1; break;
    default: return ARGP_ERR_UNKNOWN;
    }
    if (!a->link.status) /* the first message is kept */
        a->link.status = status;
    return 0;
}

static int simulate(const struct arguments *a, struct ex_sheet *csv, struct ex_sheet *calibration)
{
    struct lk_evaluation e = {.relative_precision = a->precision};
    const int visible = !a->quiet && isatty(STDERR_FILENO);
    int status = ex_link_run(&a->link, "simulate", !visible, a->receivers, a->receiver_count, &e);
    if (!status || status == JRX_EINTERRUPTED) { /* interrupted: what was done is kept, and the status says so */
        int written = write_rows(a, &e, csv);
        if (!written)
            written = write_calibration(a, &e, calibration);
        status = written ? written : status;
    }
    lk_evaluation_fini(&e);
    return status;
}

static int run(int argc, char **argv)
{
    struct arguments a = {.receiver_count = 0};
    const struct argp_child children[] = {{&ex_link_argp, 0, "The link:", 1}, {0}};
    const struct argp argp = {.options = own,
                              .parser = parse,
                              .doc = "Bit error rate and mutual information of classical receivers on a simulated 5G "
                                     "uplink, with 95 % intervals over slots. Receivers share slots, so differences "
                                     "are paired.",
                              .children = children};
    ex_link_init(&a.link);
    a.link.status = parse_receivers(&a, "genie,ls,lmmse");
    struct ex_sheet csv = {.to = NULL}, calibration = {.to = NULL};
    int status = ex_link_parse(&argp, argc, argv, &a, &a.link);
    if (!status)
        status = ex_sheet_open(&csv, a.csv); /* before the work, so that a name that cannot be written costs nothing */
    if (!status)
        status = ex_sheet_open(&calibration, a.calibration);
    if (!status)
        status = simulate(&a, &csv, &calibration);
    ex_sheet_drop(&csv);
    ex_sheet_drop(&calibration);
    return status;
}

const struct ex_command cmd_simulate = {
    .name = "simulate", .summary = "bit error rates of classical receivers", .order = 50, .run = run};
