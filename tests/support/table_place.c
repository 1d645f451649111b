#include "tests/support/table_place.h"
#include "harness/base/error.h"
#include "tests/support/test.h"
#include <unistd.h>

static const struct jrx_column columns[] = {
    {"cell", JRX_TEXT, "What was measured."},
    {"rep", JRX_INTEGER, "Repetition, from 0."},
    {"energy_pkg_j", JRX_REAL, "Energy of the window."},
};
const struct jrx_schema place_schema = {"samples", columns, 3};

int place_set_up(void **state)
{
    struct place *p = malloc(sizeof *p);
    strcpy(p->folder, "/tmp/joulerx-table-XXXXXX");
    if (!mkdtemp(p->folder))
        return -1;
    snprintf(p->path, sizeof p->path, "%s/samples.csv", p->folder);
    snprintf(p->part, sizeof p->part, "%s.part", p->path);
    snprintf(p->tmp, sizeof p->tmp, "%s.tmp", p->path);
    *state = p;
    return 0;
}

int place_tear_down(void **state)
{
    struct place *p = *state;
    unlink(p->path);
    unlink(p->part);
    unlink(p->tmp);
    int rc = rmdir(p->folder);
    free(p);
    return rc;
}

void write_file(const char *path, const char *text, size_t bytes)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, bytes, f), bytes);
    assert_int_equal(fclose(f), 0);
}

void assert_file(const char *path, const char *want)
{
    char text[4096];
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s: not there", path);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fclose(f);
    assert_string_equal(text, want);
}

void put_row(struct jrx_table *t, const char *cell, int64_t rep, double energy_j)
{
    jrx_put_text(t, "cell", cell);
    jrx_put_integer(t, "rep", rep);
    jrx_put_real(t, "energy_pkg_j", energy_j);
}

void assert_message(const char *part)
{
    if (!strstr(jrx_last_error(), part))
        fail_msg("message \"%s\" does not say \"%s\"", jrx_last_error(), part);
    assert_null(strchr(jrx_last_error(), '\n'));
}
