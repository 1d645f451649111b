#include "experiments/claim.h"
#include "harness/base/error.h"
#include "harness/table.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const verdicts[EX_VERDICTS] = {"supported", "refuted", "inconclusive",
                                                  "not testable on this machine (no energy meter)"};

static const struct jrx_column columns[] = {
    {"claim", JRX_TEXT, "identifier, the same in every run"},
    {"statement", JRX_TEXT, "the sentence that is tested"},
    {"verdict", JRX_TEXT, "supported, refuted, inconclusive, or not testable on this machine (no energy meter)"},
    {"figure_ratio", JRX_REAL, "the number the verdict rests on; every figure is a ratio"},
    {"figure_ci_lo_ratio", JRX_REAL, "lower end of its 95 % interval"},
    {"figure_ci_hi_ratio", JRX_REAL, "upper end"},
    {"source", JRX_TEXT, "measured, replayed, simulated or estimated: where the figure is from"},
    {"note", JRX_TEXT, "how it was computed, and what a better answer would need"},
};
const struct jrx_schema ex_claims_schema = {"claims", columns, sizeof columns / sizeof *columns};

const char *ex_verdict_name(enum ex_verdict verdict)
{
    return verdicts[verdict];
}

enum ex_verdict ex_verdict_of(double lo, double hi, double threshold, int below)
{
    if (isnan(lo) || isnan(hi) || isnan(threshold))
        return EX_INCONCLUSIVE;
    if (hi < threshold)
        return below ? EX_SUPPORTED : EX_REFUTED;
    if (lo > threshold)
        return below ? EX_REFUTED : EX_SUPPORTED;
    return EX_INCONCLUSIVE;
}

enum ex_verdict ex_verdict_of_energy(enum jrx_source source, double lo, double hi, double threshold, int below)
{
    if (source != JRX_MEASURED && source != JRX_REPLAYED)
        return EX_NOT_TESTABLE;
    return ex_verdict_of(lo, hi, threshold, below);
}

struct ex_claim ex_claim_make(const char *id, const char *statement, const char *note,
                              const struct jrx_estimate *figure, enum ex_verdict verdict, enum jrx_source source)
{
    struct ex_claim claim = {
        .verdict = verdict, .figure = figure->value, .lo = figure->low, .hi = figure->high, .source = source};
    snprintf(claim.id, sizeof claim.id, "%s", id);
    snprintf(claim.statement, sizeof claim.statement, "%s", statement);
    snprintf(claim.note, sizeof claim.note, "%s", note);
    return claim;
}

int ex_claims_write(const char *dir, const struct ex_claim *claims, size_t count)
{
    char path[PATH_MAX];
    struct jrx_table *table;
    snprintf(path, sizeof path, "%s/claims.csv", dir);
    int status = jrx_table_open(&table, path, &ex_claims_schema, JRX_TABLE_WHOLE);
    for (size_t i = 0; !status && i < count; i++) {
        const struct ex_claim *c = &claims[i];
        jrx_put_text(table, "claim", c->id);
        jrx_put_text(table, "statement", c->statement);
        jrx_put_text(table, "verdict", verdicts[c->verdict]);
        jrx_put_real(table, "figure_ratio", c->figure);
        jrx_put_real(table, "figure_ci_lo_ratio", c->lo);
        jrx_put_real(table, "figure_ci_hi_ratio", c->hi);
        jrx_put_text(table, "source", jrx_source_name(c->source));
        jrx_put_text(table, "note", c->note);
        status = jrx_table_row(table);
        if (status)
            jrx_table_leave(table);
    }
    return status ? status : jrx_table_close(table);
}

static int parse(const struct jrx_csv *csv, size_t row, struct ex_claim *claim)
{
    const char *text[sizeof columns / sizeof *columns];
    for (size_t i = 0; i < ex_claims_schema.columns; i++)
        text[i] = jrx_csv_text(csv, row, (size_t)jrx_csv_find(csv, columns[i].name));
    snprintf(claim->id, sizeof claim->id, "%s", text[0]);
    snprintf(claim->statement, sizeof claim->statement, "%s", text[1]);
    for (claim->verdict = 0; claim->verdict < EX_VERDICTS && strcmp(text[2], verdicts[claim->verdict]);
         claim->verdict++)
        ;
    if (claim->verdict == EX_VERDICTS)
        return jrx_fail(JRX_EFORMAT, "claims.csv row %zu: verdict '%s' is none", row + 1, text[2]);
    jrx_csv_real(csv, row, (size_t)jrx_csv_find(csv, columns[3].name), &claim->figure);
    jrx_csv_real(csv, row, (size_t)jrx_csv_find(csv, columns[4].name), &claim->lo);
    jrx_csv_real(csv, row, (size_t)jrx_csv_find(csv, columns[5].name), &claim->hi);
    for (int s = 0; s < JRX_SOURCES; s++)
        if (!strcmp(text[6], jrx_source_name(s)))
            claim->source = s;
    snprintf(claim->note, sizeof claim->note, "%s", text[7]);
    return 0;
}

int ex_claims_read(const char *dir, struct ex_claim *claims, size_t max)
{
    char path[PATH_MAX];
    struct jrx_csv *csv;
    snprintf(path, sizeof path, "%s/claims.csv", dir);
    if (access(path, F_OK))
        return 0;
    int status = jrx_csv_read(&csv, path, &ex_claims_schema);
    if (status)
        return status;
    size_t rows = jrx_csv_rows(csv);
    for (size_t i = 0; i < rows && i < max && !status; i++)
        status = parse(csv, i, &claims[i]);
    jrx_csv_free(csv);
    return status ? status : (int)(rows < max ? rows : max);
}
