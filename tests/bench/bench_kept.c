#include "tests/bench/bench_kept.h"
#include "harness/base/error.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ROWS = 24 /* of a case */ };

int bench_kept_read(struct bench_kept *kept, const char *dir)
{
    char path[4096];
    *kept = (struct bench_kept){.cases = NULL};
    snprintf(path, sizeof path, "%s/meta.json", dir);
    json_t *meta = json_load_file(path, 0, NULL);
    json_t *parts = json_object_get(json_object_get(meta, "bench"), "parts");
    kept->parts = json_is_array(parts) ? json_incref(parts) : json_array();
    json_decref(meta);
    snprintf(path, sizeof path, "%s/cases.csv", dir);
    return access(path, F_OK) ? 0 : jrx_csv_read(&kept->cases, path, NULL);
}

void bench_kept_fini(struct bench_kept *kept)
{
    jrx_csv_free(kept->cases);
    json_decref(kept->parts);
}

static const char *text_of(const struct jrx_csv *csv, size_t row, const char *column)
{
    int at = jrx_csv_find(csv, column);
    return at < 0 ? "" : jrx_csv_text(csv, row, (size_t)at);
}

/* Whether two rows are of one case. */
static int same_case(const struct jrx_csv *csv, size_t a, size_t b)
{
    static const char *const keys[] = {"group", "layer", "batch", "threads"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(text_of(csv, a, keys[i]), text_of(csv, b, keys[i])) != 0)
            return 0;
    return 1;
}

static struct bench_runner runner_of(const struct jrx_csv *csv, size_t row)
{
    struct bench_runner r = {.taken = atoi(text_of(csv, row, "samples"))};
    const char *who = text_of(csv, row, "who");
    snprintf(r.peer.name, sizeof r.peer.name, "%s", who);
    r.peer.role = bench_role_find(text_of(csv, row, "role"), who);
    r.summary = (struct jrx_summary){.n = (size_t)r.taken,
                                     .min = 1e-9 * atof(text_of(csv, row, "time_min_ns")),
                                     .median = 1e-9 * atof(text_of(csv, row, "time_median_ns")),
                                     .q25 = 1e-9 * atof(text_of(csv, row, "time_q25_ns")),
                                     .q75 = 1e-9 * atof(text_of(csv, row, "time_q75_ns"))};
    return r;
}

/* "depthwise bwd_data dilated" is of the direction that its second word names. */
static enum kn_dir dir_of(const char *group)
{
    const char *word = strchr(group, ' ');
    int dir = KN_DIRS - 1;
    while (word && dir > 0 && strncmp(word + 1, kn_dir_name((enum kn_dir)dir), strlen(kn_dir_name((enum kn_dir)dir))))
        dir--;
    return (enum kn_dir)dir;
}

/* A row's case, without its runners. */
static int read_case(const struct jrx_csv *csv, size_t row, struct bench_case *c)
{
    c->layer = text_of(csv, row, "layer");
    c->dir = dir_of(text_of(csv, row, "group"));
    c->threads = atoi(text_of(csv, row, "threads"));
    c->disturbed = atoi(text_of(csv, row, "disturbed"));
    c->shape.n = atoi(text_of(csv, row, "batch"));
    int rc = kn_layer_parse(c->layer, &c->op, &c->shape);
    return rc || sscanf(text_of(csv, row, "grid"), "%dx%d", &c->shape.f, &c->shape.t) != 2 ? JRX_EFORMAT : 0;
}

int bench_kept_report(const struct bench_kept *kept, const char *filter, struct bench_report *report)
{
    const size_t rows = kept->cases ? jrx_csv_rows(kept->cases) : 0;
    int count = 0;
    for (size_t row = 0; row < rows;) {
        struct bench_runner runner[MAX_ROWS];
        struct bench_case c = {.runner = runner};
        const size_t first = row;
        const int rc = read_case(kept->cases, first, &c);
        for (; row < rows && same_case(kept->cases, first, row); row++)
            if (c.count < MAX_ROWS)
                runner[c.count++] = runner_of(kept->cases, row);
        if (rc || !bench_best(&c, BENCH_OURS))
            return jrx_fail(JRX_EFORMAT, "cases.csv row %zu: not as bench_kernels writes it; name another folder",
                            first + 2);
        if (!strncmp(text_of(kept->cases, first, "group"), filter, strlen(filter)))
            continue;
        printf("   kept: ");
        bench_report_case(report, &c);
        count++;
    }
    return count;
}
