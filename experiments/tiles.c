#include "experiments/tiles.h"
#include "experiments/figure.h"
#include "harness/base/error.h"
#include "harness/machine.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct jrx_column columns[] = {
    {"kernel", JRX_TEXT, "the kernel's file name"},
    {"layer", JRX_TEXT, "operator, channels, multiplier, dilation"},
    {"grid", JRX_TEXT, "subcarriers x symbols"},
    {"batch", JRX_INTEGER, "slots"},
    {"threads", JRX_INTEGER, "threads"},
    {"objective", JRX_TEXT, "what was made small: time, energy, edp or bytes"},
    {"tile", JRX_TEXT, "the tiling"},
    {"gain_ratio", JRX_REAL, "objective of the default over that of the tiling, measured after the search"},
    {"gain_ci_lo_ratio", JRX_REAL, "lower end of its 95 % interval"},
    {"gain_ci_hi_ratio", JRX_REAL, "upper end"},
    {"energy_source", JRX_TEXT, "of energies, where the objective has one: measured, replayed or estimated"},
    {"date", JRX_TEXT, "UTC"},
    {"commit", JRX_TEXT, "of the program that measured"},
    {"machine", JRX_TEXT, "vendor, family and model of the CPU"},
};
const struct jrx_schema ex_tiles_schema = {"tiles", columns, sizeof columns / sizeof *columns};

/* ---- the file --------------------------------------------------------------------------------------------------- */

static int field(const struct jrx_csv *csv, size_t row, const char *column, char *to, size_t size)
{
    const char *text = jrx_csv_text(csv, row, (size_t)jrx_csv_find(csv, column));
    return snprintf(to, size, "%s", text) < (int)size ? 0 : -1;
}

static double real(const struct jrx_csv *csv, size_t row, const char *column)
{
    double value = NAN;
    jrx_csv_real(csv, row, (size_t)jrx_csv_find(csv, column), &value);
    return value;
}

static int whole(const struct jrx_csv *csv, size_t row, const char *column)
{
    int64_t value = 0;
    jrx_csv_integer(csv, row, (size_t)jrx_csv_find(csv, column), 0, &value);
    return value > 0 && value <= INT_MAX ? (int)value : 0;
}

static int same_layer(const struct kn_kernel *kernel, const char *text)
{
    struct kn_shape shape = {.n = 1, .f = 1, .t = 1};
    enum kn_op op;
    return !kn_layer_parse(text, &op, &shape) && op == kernel->op;
}

/* One row, checked: a kernel of this build, a layer of its operator, a tiling that parses. */
static int read_row(const struct jrx_csv *csv, size_t i, const char *path, struct ex_tile_row *row)
{
    char grid[32], tile[KN_TILE_TEXT];
    char extra;
    const struct kn_kernel *kernel = NULL;
    int wrong = field(csv, i, "kernel", row->kernel, sizeof row->kernel) ||
                field(csv, i, "layer", row->layer, sizeof row->layer) ||
                field(csv, i, "objective", row->objective, sizeof row->objective) ||
                field(csv, i, "grid", grid, sizeof grid) || field(csv, i, "tile", tile, sizeof tile) ||
                field(csv, i, "energy_source", row->energy_source, sizeof row->energy_source) ||
                field(csv, i, "date", row->date, sizeof row->date) ||
                field(csv, i, "commit", row->commit, sizeof row->commit) ||
                field(csv, i, "machine", row->machine, sizeof row->machine);
    row->n = whole(csv, i, "batch");
    row->threads = whole(csv, i, "threads");
    row->gain_ratio = real(csv, i, "gain_ratio");
    row->gain_ci_lo_ratio = real(csv, i, "gain_ci_lo_ratio");
    row->gain_ci_hi_ratio = real(csv, i, "gain_ci_hi_ratio");
    if (wrong)
        jrx_fail(JRX_EFORMAT, "a field is too long");
    else if (!(kernel = kn_find(row->kernel)))
        wrong = 1;
    else if (!same_layer(kernel, row->layer) || row->n < 1 || row->threads < 1 ||
             sscanf(grid, "%dx%d%c", &row->f, &row->t, &extra) != 2 || row->f < 1 || row->t < 1)
        wrong = jrx_fail(JRX_EFORMAT, "layer %s, grid %s, batch or threads is no call of %s", row->layer, grid,
                         row->kernel);
    else
        wrong = kn_tile_parse(tile, &row->tile);
    if (!wrong)
        return 0;
    char why[256];
    snprintf(why, sizeof why, "%s", jrx_last_error());
    return jrx_fail(JRX_EFORMAT, "%s, row %zu: %s; correct it, or write it anew with joulerx tune", path, i + 1, why);
}

/* Nothing known but the machine. */
static void start(struct ex_tiles *tiles, const char *procfs)
{
    struct jrx_machine machine;
    memset(tiles, 0, sizeof *tiles);
    tiles->l2_bytes = NAN;
    if (!jrx_machine_read(&machine, NULL, procfs)) {
        snprintf(tiles->machine, sizeof tiles->machine, "%s-%.0f-%.0f", machine.vendor, machine.family, machine.model);
        tiles->l2_bytes = machine.cache[1].size_bytes;
    }
}

static int read_rows(struct ex_tiles *tiles, const char *path)
{
    struct jrx_csv *csv;
    snprintf(tiles->path, sizeof tiles->path, "%s", path);
    if (!*path || access(path, F_OK))
        return 0;
    int status = jrx_csv_read(&csv, path, &ex_tiles_schema);
    if (status)
        return status;
    tiles->found = 1;
    for (size_t i = 0; i < jrx_csv_rows(csv) && !status; i++) {
        struct ex_tile_row row;
        memset(&row, 0, sizeof row);
        status = read_row(csv, i, path, &row);
        if (!status)
            status = ex_tiles_put(tiles, &row);
    }
    jrx_csv_free(csv);
    if (status)
        ex_tiles_fini(tiles);
    return status;
}

int ex_tiles_read_file(struct ex_tiles *tiles, const char *path)
{
    start(tiles, NULL);
    return read_rows(tiles, path);
}

int ex_tiles_read_for(struct ex_tiles *tiles, const char *procfs)
{
    const char *own = getenv("JOULERX_TILES");
    char path[PATH_MAX], name[PATH_MAX];
    start(tiles, procfs);
    int status = read_rows(tiles, own ? own : "");
    if (status || own || !*tiles->machine || strchr(tiles->machine, '/'))
        return status;
    snprintf(name, sizeof name, "kernels/tiles/%s.csv", tiles->machine);
    if (ex_home_path(name, path, sizeof path))
        return 0; /* the program stands alone, without the checkout's files */
    return read_rows(tiles, path);
}

int ex_tiles_read(struct ex_tiles *tiles)
{
    return ex_tiles_read_for(tiles, NULL);
}

void ex_tiles_fini(struct ex_tiles *tiles)
{
    free(tiles->row);
    tiles->row = NULL;
    tiles->rows = 0;
}

static int same_call(const struct ex_tile_row *a, const struct ex_tile_row *b)
{
    return !strcmp(a->kernel, b->kernel) && !strcmp(a->layer, b->layer) && !strcmp(a->objective, b->objective) &&
           a->f == b->f && a->t == b->t && a->n == b->n && a->threads == b->threads;
}

int ex_tiles_put(struct ex_tiles *tiles, const struct ex_tile_row *row)
{
    for (int i = 0; i < tiles->rows; i++)
        if (same_call(&tiles->row[i], row)) {
            tiles->row[i] = *row;
            return 0;
        }
    struct ex_tile_row *more = realloc(tiles->row, (size_t)(tiles->rows + 1) * sizeof *more);
    if (!more)
        return jrx_fail(JRX_ENOMEM, "%s: no memory", tiles->path);
    tiles->row = more;
    tiles->row[tiles->rows++] = *row;
    return 0;
}

int ex_tiles_drop(struct ex_tiles *tiles, const struct ex_tile_row *same)
{
    for (int i = 0; i < tiles->rows; i++)
        if (same_call(&tiles->row[i], same)) {
            memmove(&tiles->row[i], &tiles->row[i + 1], (size_t)(--tiles->rows - i) * sizeof *tiles->row);
            return 1;
        }
    return 0;
}

int ex_tiles_write(const struct ex_tiles *tiles)
{
    struct jrx_table *table;
    int status = jrx_table_open(&table, tiles->path, &ex_tiles_schema, JRX_TABLE_WHOLE);
    if (status)
        return status;
    for (int i = 0; i < tiles->rows && !status; i++) {
        const struct ex_tile_row *row = &tiles->row[i];
        char text[KN_TILE_TEXT];
        jrx_put_text(table, "kernel", row->kernel);
        jrx_put_text(table, "layer", row->layer);
        snprintf(text, sizeof text, "%dx%d", row->f, row->t);
        jrx_put_text(table, "grid", text);
        jrx_put_integer(table, "batch", row->n);
        jrx_put_integer(table, "threads", row->threads);
        jrx_put_text(table, "objective", row->objective);
        jrx_put_text(table, "tile", kn_tile_format(&row->tile, KN_TILE_ALL, text, sizeof text));
        jrx_put_real(table, "gain_ratio", row->gain_ratio);
        jrx_put_real(table, "gain_ci_lo_ratio", row->gain_ci_lo_ratio);
        jrx_put_real(table, "gain_ci_hi_ratio", row->gain_ci_hi_ratio);
        jrx_put_text(table, "energy_source", row->energy_source);
        jrx_put_text(table, "date", row->date);
        jrx_put_text(table, "commit", row->commit);
        jrx_put_text(table, "machine", row->machine);
        status = jrx_table_row(table);
    }
    if (status)
        jrx_table_leave(table);
    else
        status = jrx_table_close(table);
    return status;
}

/* ---- looking up ------------------------------------------------------------------------------------------------- */

const char *ex_tile_from_name(enum ex_tile_from from)
{
    static const char *const names[] = {"kernel's default", "tile file", "cache sizes"};
    return names[from];
}

struct kn_tile ex_tile_for_cache(const struct kn_kernel *kernel, const struct kn_shape *shape, double l2_bytes)
{
    const struct kn_tile none = {0};
    const struct kn_tile usual = kernel->resolve(shape, &none);
    if (!(kernel->tile_fields & KN_TILE_F) || kernel->op == KN_DEPTHWISE || !(l2_bytes > 0))
        return none; /* a depthwise tile streams: its rows are used while they are still in the first level */
    int swapped = kernel->dir == KN_BWD_DATA, separable = kernel->op == KN_SEPARABLE;
    int summed = separable ? shape->mid : swapped ? shape->oc : shape->ic;
    int results = swapped ? usual.ic : usual.oc, taps = kernel->op == KN_CONV3X3 ? KN_TAPS : 1;
    const double channel = sizeof(float) * KN_LANES;
    double row = channel * shape->t * (kn_blocks(summed) + (separable ? kn_blocks(shape->ic) : 0) + kn_blocks(results));
    double fixed = channel * KN_LANES * taps * kn_blocks(summed) * kn_blocks(results);
    double rows = floor((l2_bytes / 2 - fixed) / row);
    if (rows >= usual.f)
        return none;
    return (struct kn_tile){.f = rows < 1 ? 1 : (int)rows};
}

struct kn_tile ex_tiles_get(const struct ex_tiles *tiles, const struct kn_kernel *kernel, const struct kn_shape *shape,
                            int threads, enum ex_tile_from *from)
{
    enum ex_tile_from ignored;
    struct ex_tile_row call = {.f = shape->f, .t = shape->t, .n = shape->n, .threads = threads, .objective = "time"};
    from = from ? from : &ignored;
    snprintf(call.kernel, sizeof call.kernel, "%s", kernel->name);
    kn_layer_format(kernel->op, shape, call.layer, sizeof call.layer);
    for (int i = 0; i < tiles->rows; i++)
        if (same_call(&tiles->row[i], &call) && !kernel->supports(shape, &tiles->row[i].tile)) {
            *from = EX_TILE_FILE;
            return tiles->row[i].tile;
        }
    struct kn_tile tile = ex_tile_for_cache(kernel, shape, tiles->l2_bytes);
    *from = tile.f ? EX_TILE_CACHES : EX_TILE_KERNEL;
    return tile;
}

static struct kn_tile get(void *self, const struct kn_kernel *kernel, const struct kn_shape *shape, int threads)
{
    return ex_tiles_get(self, kernel, shape, threads, NULL);
}

struct nn_tilings ex_tilings(struct ex_tiles *tiles)
{
    return (struct nn_tilings){get, tiles};
}

char *ex_tiles_say(const struct ex_tiles *tiles, char *text, size_t size)
{
    char elsewhere[128];
    snprintf(elsewhere, sizeof elsewhere, "defaults, fitted to a second level of %.0f KiB", tiles->l2_bytes / 1024);
    if (tiles->found)
        snprintf(text, size, "tilings: %s (%d rows); elsewhere %s", tiles->path, tiles->rows, elsewhere);
    else
        snprintf(text, size, "tilings: no file for %s; %s", *tiles->machine ? tiles->machine : "this machine",
                 elsewhere);
    return text;
}

json_t *ex_tiles_json(const struct ex_tiles *tiles)
{
    return json_pack("{s:s, s:o, s:i, s:s}", "machine", tiles->machine, "file",
                     tiles->found ? json_string(tiles->path) : json_null(), "rows", tiles->rows, "elsewhere",
                     "the kernel's default, fewer rows where half the second level is too small");
}
