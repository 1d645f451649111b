/*
 * The reader of tables: libcsv splits, this checks and keeps.
 */
#include "harness/base/error.h"
#include "harness/table.h"
#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct jrx_csv {
    char *name; /* of the file, for messages */
    char *text; /* all fields, each ended by NUL */
    size_t bytes, size;
    size_t *field; /* where each field starts in text, header first, row after row */
    size_t fields, field_size;
    size_t columns, rows;
    size_t row_fields; /* of the record being parsed */
    size_t record;     /* its number; the header is 1 */
    int rc;
    locale_t c_locale; /* numbers are read in it whatever the program's locale is */
};

/* ---- splitting ----------------------------------------------------------------------------------- */

/* Room for one more of *size things of `each` bytes. */
static int grow(void **memory, size_t used, size_t more, size_t *size, size_t each)
{
    if (used + more <= *size)
        return 0;
    size_t next = 2 * (used + more) + 64;
    void *bigger = realloc(*memory, next * each);
    if (!bigger)
        return jrx_fail(JRX_ENOMEM, "table: no memory for %zu bytes; use a smaller file", next * each);
    *memory = bigger;
    *size = next;
    return 0;
}

static void on_field(void *data, size_t length, void *context)
{
    struct jrx_csv *csv = context;
    if (csv->rc)
        return;
    if (length && memchr(data, 0, length)) {
        csv->rc = jrx_fail(JRX_EFORMAT, "%s: row %zu, field %zu holds a NUL byte; the file is damaged: restore it",
                           csv->name, csv->record, csv->row_fields + 1);
        return;
    }
    csv->rc = grow((void **)&csv->text, csv->bytes, length + 1, &csv->size, 1);
    if (!csv->rc)
        csv->rc = grow((void **)&csv->field, csv->fields, 1, &csv->field_size, sizeof *csv->field);
    if (csv->rc)
        return;
    csv->field[csv->fields++] = csv->bytes;
    if (length)
        memcpy(csv->text + csv->bytes, data, length);
    csv->text[csv->bytes + length] = 0;
    csv->bytes += length + 1;
    csv->row_fields++;
}

static void on_record(int terminator, void *context)
{
    struct jrx_csv *csv = context;
    (void)terminator;
    if (csv->rc)
        return;
    if (csv->record == 1)
        csv->columns = csv->row_fields;
    else if (csv->row_fields != csv->columns)
        csv->rc = jrx_fail(JRX_EFORMAT,
                           "%s: row %zu has %zu fields, its header has %zu; the file is cut or damaged: "
                           "remove that row or restore the file",
                           csv->name, csv->record, csv->row_fields, csv->columns);
    else
        csv->rows++;
    csv->row_fields = 0;
    csv->record++;
}

static const char *field_of(const struct jrx_csv *csv, size_t record, size_t column)
{
    return csv->text + csv->field[record * csv->columns + column];
}

static int check_header(const struct jrx_csv *csv)
{
    if (csv->columns == 0)
        return jrx_fail(JRX_EFORMAT, "%s: no header row; give a CSV table whose first row names its columns",
                        csv->name);
    for (size_t i = 0; i < csv->columns; i++) {
        if (!*field_of(csv, 0, i))
            return jrx_fail(JRX_EFORMAT, "%s: column %zu has no name; name it in the first row", csv->name, i + 1);
        for (size_t k = 0; k < i; k++)
            if (!strcmp(field_of(csv, 0, i), field_of(csv, 0, k)))
                return jrx_fail(JRX_EFORMAT, "%s: two columns are named \"%.60s\"; rename one", csv->name,
                                field_of(csv, 0, i));
    }
    return 0;
}

static int split(struct jrx_csv *csv, const char *text, size_t length)
{
    struct csv_parser parser;
    static const char bom[3] = "\xef\xbb\xbf"; /* spreadsheets put it first */
    if (length >= sizeof bom && !memcmp(text, bom, sizeof bom)) {
        text += sizeof bom;
        length -= sizeof bom;
    }
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI))
        return jrx_fail(JRX_ENOMEM, "%s: no memory to read it", csv->name);
    if (csv_parse(&parser, text, length, on_field, on_record, csv) != length ||
        csv_fini(&parser, on_field, on_record, csv)) {
        int why = csv_error(&parser);
        if (!csv->rc)
            csv->rc = why == CSV_EPARSE || why == CSV_SUCCESS
                          ? jrx_fail(JRX_EFORMAT,
                                     "%s: row %zu, field %zu: a quote is missing or misplaced; "
                                     "double the quotes inside a quoted field",
                                     csv->name, csv->record, csv->row_fields + 1)
                          : jrx_fail(JRX_ENOMEM, "%s: no memory to read it", csv->name);
    }
    csv_free(&parser);
    return csv->rc ? csv->rc : check_header(csv);
}

/* ---- fields -------------------------------------------------------------------------------------- */

size_t jrx_csv_rows(const struct jrx_csv *csv)
{
    return csv->rows;
}

size_t jrx_csv_columns(const struct jrx_csv *csv)
{
    return csv->columns;
}

const char *jrx_csv_name(const struct jrx_csv *csv, size_t column)
{
    return field_of(csv, 0, column);
}

const char *jrx_csv_text(const struct jrx_csv *csv, size_t row, size_t column)
{
    return field_of(csv, row + 1, column);
}

static int bad_value(const struct jrx_csv *csv, size_t row, size_t column, const char *wanted)
{
    return jrx_fail(JRX_EFORMAT,
                    "%s: row %zu, column %.60s: \"%.60s\" is not %s; correct it, or leave it empty if missing",
                    csv->name, row + 2, jrx_csv_name(csv, column), jrx_csv_text(csv, row, column), wanted);
}

int jrx_csv_real(const struct jrx_csv *csv, size_t row, size_t column, double *out)
{
    const char *text = jrx_csv_text(csv, row, column);
    char *end;
    *out = NAN;
    if (!*text)
        return 0;
    /* strtod would take nan, infinity and hexadecimal, which no table of ours holds */
    if (text[strspn(text, "0123456789+-.eE")])
        return bad_value(csv, row, column, "a number");
    double value = strtod_l(text, &end, csv->c_locale);
    if (*end || end == text || isinf(value))
        return bad_value(csv, row, column, "a number");
    *out = value;
    return 0;
}

int jrx_csv_integer(const struct jrx_csv *csv, size_t row, size_t column, int64_t missing, int64_t *out)
{
    const char *text = jrx_csv_text(csv, row, column);
    char *end;
    *out = missing;
    if (!*text)
        return 0;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end || text[strspn(text, "0123456789+-")])
        return bad_value(csv, row, column, "an integer of 64 bits");
    *out = value;
    return 0;
}

int jrx_csv_find(const struct jrx_csv *csv, const char *name)
{
    char there[300] = "";
    for (size_t i = 0; i < csv->columns; i++) {
        if (!strcmp(jrx_csv_name(csv, i), name))
            return (int)i;
        size_t used = strlen(there);
        snprintf(there + used, sizeof there - used, "%s%s", i ? ", " : "", jrx_csv_name(csv, i));
    }
    return jrx_fail(JRX_EFORMAT, "%s: no column %s; it has %s", csv->name, name, there);
}

int jrx_csv_column(const struct jrx_csv *csv, const char *name, double *out)
{
    int column = jrx_csv_find(csv, name), rc = column < 0 ? column : 0;
    for (size_t row = 0; !rc && row < csv->rows; row++)
        rc = jrx_csv_real(csv, row, (size_t)column, &out[row]);
    return rc;
}

static int check_schema(const struct jrx_csv *csv, const struct jrx_schema *schema)
{
    for (size_t i = 0; i < schema->columns; i++) {
        int column = jrx_csv_find(csv, schema->column[i].name), rc = 0;
        if (column < 0)
            return column;
        double real;
        int64_t integer;
        for (size_t row = 0; !rc && row < csv->rows; row++) {
            if (schema->column[i].type == JRX_REAL)
                rc = jrx_csv_real(csv, row, (size_t)column, &real);
            else if (schema->column[i].type == JRX_INTEGER)
                rc = jrx_csv_integer(csv, row, (size_t)column, 0, &integer);
        }
        if (rc)
            return rc;
    }
    return 0;
}

/* ---- files --------------------------------------------------------------------------------------- */

int jrx_csv_parse(struct jrx_csv **out, const char *text, size_t length, const char *name,
                  const struct jrx_schema *schema)
{
    *out = NULL;
    struct jrx_csv *csv = calloc(1, sizeof *csv);
    if (!csv)
        return jrx_fail(JRX_ENOMEM, "%s: no memory to read it", name);
    csv->record = 1;
    csv->name = strdup(name);
    csv->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    int rc = csv->name && csv->c_locale ? split(csv, text, length) : jrx_fail(JRX_ENOMEM, "%s: no memory", name);
    if (!rc && schema)
        rc = check_schema(csv, schema);
    if (rc)
        jrx_csv_free(csv);
    else
        *out = csv;
    return rc;
}

int jrx_csv_read(struct jrx_csv **out, const char *path, const struct jrx_schema *schema)
{
    *out = NULL;
    char *text = NULL;
    size_t used = 0, size = 0;
    int rc = 0, fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0 && !(rc = grow((void **)&text, used, 1 << 16, &size, 1))) {
        n = read(fd, text + used, size - used);
        used += n > 0 ? (size_t)n : 0;
        if (n < 0 && errno == EINTR)
            n = 1;
    }
    if (n < 0)
        rc = jrx_fail(errno == EACCES ? JRX_EPERMISSION : JRX_EIO, "%s: could not be read (%s); %s", path,
                      strerror(errno), errno == EACCES ? "ask its owner for the right to read" : "check the name");
    if (!rc)
        rc = jrx_csv_parse(out, text, used, path, schema);
    if (fd >= 0)
        close(fd);
    free(text);
    return rc;
}

void jrx_csv_free(struct jrx_csv *csv)
{
    if (!csv)
        return;
    if (csv->c_locale)
        freelocale(csv->c_locale);
    free(csv->name);
    free(csv->text);
    free(csv->field);
    free(csv);
}
