#include "experiments/shard.h"
#include "experiments/sheet.h"
#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/provenance.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH = PATH_MAX + 96 };

int ex_shard_parse(const char *text, struct ex_shard *shard)
{
    char *end;
    long index = strtol(text, &end, 10), count = *end == '/' && end != text ? strtol(end + 1, &end, 10) : 0;
    if (*end || count < 1 || count > 9999 || index < 0 || index >= count)
        return jrx_fail(JRX_EINVAL, "--shard=%s: not I/N with 0 <= I < N <= 9999", text);
    *shard = (struct ex_shard){(int)index, (int)count};
    return 0;
}

int ex_shard_count(const struct ex_plan *plan, int asked)
{
    int most = plan->shuffled ? plan->reps : 1;
    return asked < most ? asked : most;
}

static const char *path_of(char path[PATH], const char *dir, const struct ex_experiment *experiment, int index,
                           const char *file)
{
    snprintf(path, PATH, "%s/%s/shards/%d/%s", dir, experiment->name, index, file);
    return path;
}

int ex_shard_finished(const char *dir, const struct ex_experiment *experiment, int index)
{
    char path[PATH];
    return !access(path_of(path, dir, experiment, index, "samples.csv"), R_OK);
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

struct row {
    int64_t seq;
    const struct jrx_csv *csv;
    size_t row;
};

struct rows {
    struct jrx_csv **csv; /* [shares] */
    int shares;
    struct row *row;
    size_t count;
};

static void rows_fini(struct rows *rows)
{
    for (int i = 0; i < rows->shares; i++)
        jrx_csv_free(rows->csv[i]);
    free(rows->csv);
    free(rows->row);
}

static int by_seq(const void *a, const void *b)
{
    const struct row *l = a, *r = b;
    return (l->seq > r->seq) - (l->seq < r->seq);
}

/* That all tables have the columns of the first: machines with other meters or counters have others. */
static int same_columns(const struct jrx_csv *a, const struct jrx_csv *b, int index)
{
    size_t columns = jrx_csv_columns(a);
    int same = columns == jrx_csv_columns(b);
    for (size_t i = 0; i < columns && same; i++)
        same = !strcmp(jrx_csv_name(a, i), jrx_csv_name(b, i));
    return same ? 0
                : jrx_fail(JRX_EFORMAT,
                           "share %d has other columns than the first: another meter or other counters; run all shares "
                           "on machines of one kind",
                           index);
}

static int add_share(struct rows *rows, const char *path, size_t total)
{
    int index = rows->shares, status = jrx_csv_read(&rows->csv[index], path, NULL);
    if (status)
        return status;
    const struct jrx_csv *csv = rows->csv[rows->shares++];
    int seq = jrx_csv_find(csv, "seq");
    if (seq < 0)
        return seq;
    status = same_columns(rows->csv[0], csv, index);
    for (size_t row = 0; row < jrx_csv_rows(csv) && !status; row++) {
        struct row *to = &rows->row[rows->count];
        if (rows->count == total)
            return jrx_fail(JRX_EFORMAT, "%s: the shares together hold more rows than the %zu of the plan", path,
                            total);
        *to = (struct row){-1, csv, row};
        status = jrx_csv_integer(csv, row, (size_t)seq, -1, &to->seq);
        rows->count++;
    }
    return status;
}

static int read_shares(struct rows *rows, const char *dir, const struct ex_experiment *experiment, int shares,
                       size_t total)
{
    char path[PATH], missing[128] = "";
    int status = 0;
    for (int i = 0; i < shares; i++)
        if (!ex_shard_finished(dir, experiment, i) && strlen(missing) < sizeof missing - 8)
            snprintf(missing + strlen(missing), sizeof missing - strlen(missing), " %d", i);
    if (*missing)
        return jrx_fail(
            JRX_EFORMAT,
            "%s/%s: not finished, shares%s of %d; run them with joulerx run %s --launcher=slurm --resume=%s", dir,
            experiment->name, missing, shares, experiment->name, dir);
    rows->csv = calloc((size_t)shares, sizeof *rows->csv);
    rows->row = calloc(total, sizeof *rows->row);
    if (!rows->csv || !rows->row)
        return jrx_fail(JRX_ENOMEM, "%s: no memory for %zu rows", experiment->name, total);
    for (int i = 0; i < shares && !status; i++)
        status = add_share(rows, path_of(path, dir, experiment, i, "samples.csv"), total);
    if (status)
        return status;
    qsort(rows->row, rows->count, sizeof *rows->row, by_seq);
    for (size_t i = 0; i < total; i++)
        if (i >= rows->count || rows->row[i].seq != (int64_t)i)
            return jrx_fail(JRX_EFORMAT,
                            "%s/%s: step %zu of %zu is missing or there twice; remove its shards/ and run "
                            "it again",
                            dir, experiment->name, i, total);
    return 0;
}

static int write_rows(const struct rows *rows, const char *path)
{
    struct ex_sheet sheet = {0};
    int status = ex_sheet_open(&sheet, path);
    const size_t columns = jrx_csv_columns(rows->csv[0]);
    for (size_t i = 0; i <= rows->count && !status; i++) { /* the first time round writes the names */
        const struct row *row = &rows->row[i ? i - 1 : 0];
        for (size_t c = 0; c < columns; c++)
            ex_sheet_text(&sheet, jrx_csv_name(row->csv, c), jrx_csv_text(row->csv, row->row, c));
        ex_sheet_end_row(&sheet);
    }
    if (!status)
        status = ex_sheet_close(&sheet);
    ex_sheet_drop(&sheet);
    return status;
}

/* ---- provenance ------------------------------------------------------------------------------------------------ */

/* What of a share's meta.json is kept of its own. */
static json_t *entry_of(const json_t *meta, const struct ex_experiment *experiment, int index)
{
    static const char *const kept[] = {"run_id", "started_utc", "ended_utc", "host", "state", "truth"};
    json_t *entry = json_pack("{s:s, s:i}", "experiment", experiment->name, "shard", index);
    for (size_t i = 0; i < sizeof kept / sizeof *kept && entry; i++) {
        json_t *value = json_object_get(meta, kept[i]);
        if (value)
            json_object_set(entry, kept[i], value);
    }
    return entry;
}

/* JRX_EFORMAT with the first difference: machines and builds are never averaged. */
static int same_identity(const json_t *first, const json_t *meta, const char *path)
{
    json_t *differences = NULL;
    int count =
        jrx_identity_compare(json_object_get(first, "identity"), json_object_get(meta, "identity"), &differences);
    int status = count < 0 ? count : 0;
    if (count > 0) {
        const json_t *one = json_array_get(differences, 0);
        char *a = json_dumps(json_object_get(one, "a"), JSON_ENCODE_ANY),
             *b = json_dumps(json_object_get(one, "b"), JSON_ENCODE_ANY);
        status = jrx_fail(JRX_EFORMAT,
                          "%s: %s is %.60s, and %.60s in the first share: different machines are not averaged; choose "
                          "one kind with --sbatch=--constraint=...",
                          path, json_string_value(json_object_get(one, "key")), b ? b : "?", a ? a : "?");
        free(a);
        free(b);
    }
    json_decref(differences);
    return status;
}

static int write_json(const json_t *document, const char *path)
{
    char *text = json_dumps(document, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    int status = text ? jrx_file_replace(path, text, "make room") : jrx_fail(JRX_ENOMEM, "%s: no memory", path);
    free(text);
    return status;
}

/* Takes out what an earlier merge of this experiment left. */
static void forget(json_t *shards, const char *experiment)
{
    for (size_t i = json_array_size(shards); i-- > 0;) {
        const char *name = json_string_value(json_object_get(json_array_get(shards, i), "experiment"));
        if (name && !strcmp(name, experiment))
            json_array_remove(shards, i);
    }
}

/* What could be measured on the first machine: identities are the same. */
static int take_doctor(const char *dir, const struct ex_experiment *experiment)
{
    char path[PATH], whole[PATH];
    snprintf(whole, sizeof whole, "%s/doctor.json", dir);
    json_t *report =
        access(whole, F_OK) ? json_load_file(path_of(path, dir, experiment, 0, "doctor.json"), 0, NULL) : NULL;
    int status = report ? write_json(report, whole) : 0;
    json_decref(report);
    return status;
}

/* <dir>/meta.json: that of the first share ever merged, with an entry for each share since. */
static int merge_provenance(const char *dir, const struct ex_experiment *experiment, int shares)
{
    char path[PATH], whole[PATH];
    json_t *first = NULL;
    int status = 0;
    snprintf(whole, sizeof whole, "%s/meta.json", dir);
    if (!access(whole, F_OK))
        status = jrx_provenance_read(&first, whole);
    forget(json_object_get(first, "shards"), experiment->name);
    for (int i = 0; i < shares && !status; i++) {
        json_t *meta = NULL;
        status = jrx_provenance_read(&meta, path_of(path, dir, experiment, i, "meta.json"));
        if (!status && !first)
            first = json_deep_copy(meta);
        if (!status && !json_object_get(first, "shards"))
            json_object_set_new(first, "shards", json_array());
        if (!status)
            status = same_identity(first, meta, path);
        if (!status && json_array_append_new(json_object_get(first, "shards"), entry_of(meta, experiment, i)))
            status = jrx_fail(JRX_ENOMEM, "no memory for provenance");
        json_decref(meta);
    }
    if (!status)
        status = write_json(first, whole);
    if (!status)
        status = take_doctor(dir, experiment);
    json_decref(first);
    return status;
}

/* How many shares there are folders of. */
static int count_shares(const char *dir, const struct ex_experiment *experiment)
{
    char path[PATH];
    int count = 0;
    while (!access(path_of(path, dir, experiment, count, ""), F_OK))
        count++;
    return count ? count
                 : jrx_fail(JRX_EINVAL, "%s/%s/shards: no share to merge; joulerx run %s --shard=0/1 makes one", dir,
                            experiment->name, experiment->name);
}

int ex_merge(const char *dir, const struct ex_experiment *experiment)
{
    char path[PATH];
    struct rows rows = {0};
    struct ex_session session;
    struct ex_plan plan = {.reps = 1};
    int status = ex_session_read(&session, dir), shares = status ? 0 : count_shares(dir, experiment);
    if (!status && shares < 0)
        status = shares;
    if (!status)
        status = experiment->plan(&session.settings, &plan);
    if (!status)
        status = read_shares(&rows, dir, experiment, shares, (size_t)plan.cells * (size_t)plan.reps);
    if (!status)
        status = merge_provenance(dir, experiment, shares);
    snprintf(path, sizeof path, "%s/%s/samples.csv", dir, experiment->name);
    if (!status)
        status = write_rows(&rows, path);
    if (!status)
        status = ex_session_conclude(&session, experiment);
    rows_fini(&rows);
    ex_session_close(&session);
    return status;
}
