/*
 * The writer of tables. The reader is in table_read.c, schemas in table_schema.c.
 *
 * A row is formatted into `pending`, then written with one write(); after a failed or short one the file is cut back to
 * its last whole row and `pending` is kept, so that neither a torn row nor a lost one can come of a full disk.
 */
#include "harness/table.h"
#include "harness/base/error.h"
#include "harness/base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLUSH_BYTES = 1 << 16 };

struct jrx_table {
    const struct jrx_schema *schema;
    enum jrx_table_mode mode;
    char *path, *work; /* where it is to be, where it is written */
    int in_place;      /* path is a device or a pipe: the two are the same */
    int fd;
    locale_t c_locale; /* numbers are printed in it whatever the program's locale is */
    char **field;      /* of the row to come; NULL is missing */
    int any_field;
    char *pending; /* whole rows not written yet */
    size_t pending_bytes, pending_size, pending_rows;
    off_t good; /* bytes of whole rows in the file */
    size_t rows, dropped;
    char bad[256]; /* why the row to come cannot be written; "" if it can */
};

/* ---- opening ------------------------------------------------------------------------------------- */

/* Writes all or nothing of it: cuts back to `good` on failure. */
static int write_at_end(struct jrx_table *t, const char *text, size_t bytes)
{
    if (jrx_file_write(t->fd, text, bytes)) {
        int why = errno;
        if (ftruncate(t->fd, t->good) == 0)
            lseek(t->fd, t->good, SEEK_SET);
        errno = why;
        return jrx_file_error(
            t->work, "could not be written",
            t->mode == JRX_TABLE_APPEND
                ? "make room; all rows before are kept, and commands that have --resume go on from them"
                : "make room and run it again");
    }
    if (t->mode == JRX_TABLE_APPEND && jrx_file_sync(t->fd))
        return jrx_file_error(t->work, "could not be put on disk", "check the disk: its last row may be lost");
    t->good += (off_t)bytes;
    return 0;
}

static int write_header(struct jrx_table *t)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *to = open_memstream(&text, &bytes);
    if (!to)
        return jrx_fail(JRX_ENOMEM, "%s: no memory for its header", t->work);
    for (size_t i = 0; i < t->schema->columns; i++)
        fprintf(to, "%s%s", i ? "," : "", t->schema->column[i].name);
    fputc('\n', to);
    int rc = fclose(to) ? jrx_fail(JRX_ENOMEM, "%s: no memory for its header", t->work) : write_at_end(t, text, bytes);
    free(text);
    return rc;
}

/* The end of the last whole record: newlines in quotes end none, and a NUL is what a crash of the machine leaves. */
static size_t whole_records(const char *text, size_t bytes)
{
    size_t end = 0;
    int quoted = 0;
    for (size_t i = 0; i < bytes && text[i]; i++) {
        quoted ^= text[i] == '"';
        if (text[i] == '\n' && !quoted)
            end = i + 1;
    }
    return end;
}

static int same_columns(const struct jrx_csv *csv, const struct jrx_schema *schema, const char *path)
{
    for (size_t i = 0; i < schema->columns || i < jrx_csv_columns(csv); i++) {
        const char *want = i < schema->columns ? schema->column[i].name : "(none)";
        const char *has = i < jrx_csv_columns(csv) ? jrx_csv_name(csv, i) : "(none)";
        if (strcmp(want, has))
            return jrx_fail(JRX_EFORMAT,
                            "%s: column %zu is %s, this program writes %s; another version wrote it: use a new folder",
                            path, i + 1, has, want);
    }
    return 0;
}

/* Keeps the whole rows that a run before left, and drops what a killed write left of the last. */
static int take_up(struct jrx_table *t)
{
    struct stat about;
    struct jrx_csv *csv = NULL;
    char *text = NULL;
    int rc = 0;
    if (fstat(t->fd, &about))
        return jrx_file_error(t->work, "could not be looked at", "check the disk");
    if (!S_ISREG(about.st_mode) || about.st_size == 0)
        return write_header(t);
    size_t bytes = (size_t)about.st_size;
    if (!(text = malloc(bytes)))
        return jrx_fail(JRX_ENOMEM, "%s: no memory for its %zu bytes", t->work, bytes);
    if (pread(t->fd, text, bytes, 0) != (ssize_t)bytes) {
        rc = jrx_file_error(t->work, "could not be read", "check the disk");
        goto out;
    }
    size_t whole = whole_records(text, bytes);
    if (whole > 0) {
        rc = jrx_csv_parse(&csv, text, whole, t->work, NULL);
        rc = rc ? rc : same_columns(csv, t->schema, t->work);
        jrx_csv_free(csv);
        csv = NULL;
        rc = rc ? rc : jrx_csv_parse(&csv, text, whole, t->work, t->schema);
        if (rc)
            goto out;
        t->rows = jrx_csv_rows(csv);
    }
    if (ftruncate(t->fd, (off_t)whole) || lseek(t->fd, (off_t)whole, SEEK_SET) < 0) {
        rc = jrx_file_error(t->work, "its torn last line could not be dropped", "check the disk");
        goto out;
    }
    t->dropped = bytes - whole;
    t->good = (off_t)whole;
    rc = whole > 0 ? 0 : write_header(t);
out:
    jrx_csv_free(csv);
    free(text);
    return rc;
}

/* A finished table that is opened again becomes an unfinished one. */
static int reopen(struct jrx_table *t)
{
    if (access(t->path, F_OK))
        return 0;
    if (access(t->work, F_OK) == 0)
        return jrx_fail(JRX_EINVAL, "%s: there is %s too; keep one of the two, the longer one, and go on", t->path,
                        t->work);
    return rename(t->path, t->work) ? jrx_file_error(t->path, "could not be taken up", "use another folder") : 0;
}

static int open_work(struct jrx_table *t)
{
    t->fd = open(t->work, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (t->fd < 0)
        return jrx_file_error(t->work, "could not be made", "make the folder, or give another name");
    if (!t->in_place && flock(t->fd, LOCK_EX | LOCK_NB))
        return jrx_fail(JRX_EINVAL, "%s: another process writes it; wait for it, or use another folder", t->work);
    if (t->mode == JRX_TABLE_APPEND)
        return take_up(t);
    if (ftruncate(t->fd, 0) && errno != EINVAL)
        return jrx_file_error(t->work, "could not be emptied", "remove it");
    return write_header(t);
}

static void release(struct jrx_table *t)
{
    if (t->fd >= 0)
        close(t->fd);
    if (t->c_locale)
        freelocale(t->c_locale);
    for (size_t i = 0; t->field && i < t->schema->columns; i++)
        free(t->field[i]);
    free(t->field);
    free(t->pending);
    free(t->path);
    free(t->work);
    free(t);
}

int jrx_table_open(struct jrx_table **out, const char *path, const struct jrx_schema *schema, enum jrx_table_mode mode)
{
    *out = NULL;
    int rc = jrx_schema_check(schema);
    if (rc)
        return rc;
    struct jrx_table *t = calloc(1, sizeof *t);
    if (!t)
        return jrx_fail(JRX_ENOMEM, "%s: no memory", path);
    *t = (struct jrx_table){.schema = schema, .mode = mode, .fd = -1};
    t->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    t->path = strdup(path);
    t->field = calloc(schema->columns, sizeof *t->field);
    t->in_place = !jrx_file_replaceable(path);
    const char *ending = t->in_place ? "" : mode == JRX_TABLE_APPEND ? ".part" : ".tmp";
    if (asprintf(&t->work, "%s%s", path, ending) < 0)
        t->work = NULL;
    if (!t->c_locale || !t->path || !t->field || !t->work)
        rc = jrx_fail(JRX_ENOMEM, "%s: no memory", path);
    if (!rc && mode == JRX_TABLE_APPEND && !t->in_place)
        rc = reopen(t);
    rc = rc ? rc : open_work(t);
    if (rc)
        release(t);
    else
        *out = t;
    return rc;
}

/* ---- rows ---------------------------------------------------------------------------------------- */

static void spoil(struct jrx_table *t, const char *column, const char *what)
{
    if (!*t->bad)
        snprintf(t->bad, sizeof t->bad, "%s: column %s: %s", t->work, column, what);
}

/* Keeps `text` (taken over) as the field of a column. */
static void put(struct jrx_table *t, const char *column, enum jrx_column_type type, char *text)
{
    size_t i = 0;
    while (i < t->schema->columns && strcmp(t->schema->column[i].name, column))
        i++;
    if (i == t->schema->columns || t->schema->column[i].type != type) {
        spoil(t, column, i == t->schema->columns ? "the schema has none of that name" : "the schema has another type");
        free(text);
        return;
    }
    free(t->field[i]);
    t->field[i] = text;
    t->any_field = 1;
}

/* printf in the C locale, on the heap. */
__attribute__((format(printf, 2, 3))) static char *format_plain(struct jrx_table *t, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    locale_t before = uselocale(t->c_locale);
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    uselocale(before);
    return text;
}

void jrx_put_text(struct jrx_table *t, const char *column, const char *value)
{
    char *copy = value ? strdup(value) : NULL;
    if (value && !copy)
        spoil(t, column, "no memory for its value");
    put(t, column, JRX_TEXT, copy);
}

void jrx_put_integer(struct jrx_table *t, const char *column, int64_t value)
{
    char *text = format_plain(t, "%" PRId64, value);
    if (!text)
        spoil(t, column, "no memory for its value");
    put(t, column, JRX_INTEGER, text);
}

void jrx_put_real(struct jrx_table *t, const char *column, double value)
{
    char *text = isnan(value) ? NULL : format_plain(t, "%.17g", value);
    if (isinf(value))
        spoil(t, column, "its value is infinite; write NAN where there is no number");
    else if (!isnan(value) && !text)
        spoil(t, column, "no memory for its value");
    put(t, column, JRX_REAL, text);
}

/* RFC 4180; fields that begin or end in a space are quoted too, since many readers strip those. */
static void print_field(FILE *to, const char *text, int alone)
{
    if (!text)
        text = "";
    size_t length = strlen(text);
    int quote = text[strcspn(text, ",\"\r\n")] ||
                (length && (strchr(" \t", *text) || strchr(" \t", text[length - 1]))) || (alone && !length);
    if (!quote) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

static int add_pending(struct jrx_table *t)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *to = open_memstream(&text, &bytes);
    if (!to)
        return jrx_fail(JRX_ENOMEM, "%s: no memory for a row", t->work);
    for (size_t i = 0; i < t->schema->columns; i++) {
        if (i)
            fputc(',', to);
        print_field(to, t->field[i], t->schema->columns == 1);
    }
    fputc('\n', to);
    int rc = fclose(to) ? JRX_ENOMEM : 0;
    if (!rc && t->pending_bytes + bytes > t->pending_size) {
        size_t size = 2 * (t->pending_bytes + bytes);
        char *more = realloc(t->pending, size);
        if (more) {
            t->pending = more;
            t->pending_size = size;
        } else
            rc = JRX_ENOMEM;
    }
    if (!rc) {
        memcpy(t->pending + t->pending_bytes, text, bytes);
        t->pending_bytes += bytes;
        t->pending_rows++;
    }
    free(text);
    return rc ? jrx_fail(rc, "%s: no memory for a row", t->work) : 0;
}

static int flush_pending(struct jrx_table *t)
{
    int rc = t->pending_bytes ? write_at_end(t, t->pending, t->pending_bytes) : 0;
    if (rc)
        return rc;
    t->rows += t->pending_rows;
    t->pending_bytes = t->pending_rows = 0;
    return 0;
}

int jrx_table_row(struct jrx_table *t)
{
    int rc = 0, retry = t->pending_rows > 0 && !t->any_field && t->mode == JRX_TABLE_APPEND;
    if (*t->bad)
        rc = jrx_fail(JRX_EINVAL, "%s", t->bad);
    else if (!retry)
        rc = add_pending(t);
    if (rc != JRX_ENOMEM) {
        for (size_t i = 0; i < t->schema->columns; i++) {
            free(t->field[i]);
            t->field[i] = NULL;
        }
        t->any_field = 0;
        t->bad[0] = 0;
    }
    if (rc || (t->mode == JRX_TABLE_WHOLE && t->pending_bytes < FLUSH_BYTES))
        return rc;
    return flush_pending(t);
}

size_t jrx_table_rows(const struct jrx_table *t)
{
    return t->rows + (t->mode == JRX_TABLE_WHOLE ? t->pending_rows : 0);
}

size_t jrx_table_dropped(const struct jrx_table *t)
{
    return t->dropped;
}

const char *jrx_table_path(const struct jrx_table *t)
{
    return t->work;
}

/* ---- closing ------------------------------------------------------------------------------------- */

int jrx_table_close(struct jrx_table *t)
{
    if (!t)
        return 0;
    int rc = flush_pending(t);
    if (!rc && jrx_file_sync(t->fd))
        rc = jrx_file_error(t->work, "could not be put on disk", "check the disk; the rows are in that file");
    if (!rc && !t->in_place && rename(t->work, t->path))
        rc = jrx_file_error(t->path, "could not take its name", "the rows are in the same name with .part or .tmp");
    if (!rc && !t->in_place && jrx_file_sync_folder(t->path))
        rc = jrx_file_error(t->path, "its folder could not be put on disk", "check the disk");
    release(t);
    return rc;
}

void jrx_table_leave(struct jrx_table *t)
{
    if (!t)
        return;
    if (t->mode == JRX_TABLE_WHOLE && !t->in_place)
        unlink(t->work);
    release(t);
}
