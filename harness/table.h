/*
 * CSV tables with a declared schema: one table of columns gives header, writer, reader and `joulerx list columns`.
 * RFC 4180, one header row, LF, '.' as decimal point, integers or %.17g, missing = empty. Written to another name and
 * renamed when whole, so a reader never sees half a table; devices and pipes are written in place.
 */
#ifndef HARNESS_TABLE_H
#define HARNESS_TABLE_H
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum jrx_column_type { JRX_TEXT, JRX_INTEGER, JRX_REAL };

struct jrx_column {
    const char *name; /* lower case, digits, _; a physical quantity ends in its unit (_j _ns _bytes ...) */
    enum jrx_column_type type;
    const char *doc; /* one sentence for `joulerx list columns` */
};

struct jrx_schema {
    const char *name; /* "samples", "summary", ... */
    const struct jrx_column *column;
    size_t columns;
};

/** 0, or JRX_EINVAL naming the column: bad characters, twice, no doc, or a JRX_REAL without a known unit. Pure. */
int jrx_schema_check(const struct jrx_schema *schema);
/** The unit that a column's name ends in, into text[24] and returned: "J" for energy_pkg_j, "FLOP/J" for
 * rate_flop_per_j, "1" for _ratio, "" if it names none. Pure. */
const char *jrx_column_unit(const char *name, char text[24]);
/** One line a column: name, type, unit, sentence. 0 or JRX_EIO. */
int jrx_schema_print(const struct jrx_schema *schema, FILE *to);

/* ---- writing ---- */

enum jrx_table_mode {
    JRX_TABLE_WHOLE, /* buffered in <path>.tmp; appears at close, or not at all */
    JRX_TABLE_APPEND /* each row is on disk in <path>.part before jrx_table_row() returns; a killed run goes on */
};

struct jrx_table;

/**
 * Opens a table for writing. APPEND goes on with <path>.part, or with a finished <path> (which becomes .part again):
 * complete rows stay, a torn last line is dropped. One writer at a time (a lock).
 *
 * Returns 0; JRX_EINVAL for a bad schema, or if another process writes the table, or both <path> and .part exist;
 * JRX_EFORMAT if its rows do not fit the schema; JRX_EIO, JRX_EPERMISSION, JRX_ENOMEM.
 */
int jrx_table_open(struct jrx_table **out, const char *path, const struct jrx_schema *schema, enum jrx_table_mode mode);

/* Sets a field of the row to come. Fields not set, NULL and NAN are written empty. A column that the schema lacks or
 * has with another type, and infinite values, are kept as an error for jrx_table_row(). */
void jrx_put_text(struct jrx_table *table, const char *column, const char *value);
void jrx_put_integer(struct jrx_table *table, const char *column, int64_t value);
void jrx_put_real(struct jrx_table *table, const char *column, double value);

/**
 * Ends the row. 0; JRX_EINVAL as said above (the row is dropped); JRX_EIO, e.g. a full disk: nothing of the row is in
 * the file, the row is kept, and calling again tries again.
 */
int jrx_table_row(struct jrx_table *table);

size_t jrx_table_rows(const struct jrx_table *table);      /* complete rows in the file, those found at open too */
size_t jrx_table_dropped(const struct jrx_table *table);   /* bytes of a torn last line dropped at open */
const char *jrx_table_path(const struct jrx_table *table); /* the file being written now, for jrx_csv_read() */

/** Ends the table: on disk, renamed to its path. If that fails the rows stay where they are, and the message says
 * where. Frees either way. NULL is fine. */
int jrx_table_close(struct jrx_table *table);
/** Frees without renaming: a .part stays for resuming, a .tmp is removed. NULL is fine. */
void jrx_table_leave(struct jrx_table *table);

/* ---- reading ---- */

struct jrx_csv;

/**
 * Reads a whole file. With a schema all its columns must be there, in any order and among others, and every field of
 * theirs is checked; without (NULL) only the shape is. Text of the error: file, row, column, value, remedy.
 * 0, JRX_EIO, JRX_EPERMISSION, JRX_EFORMAT, JRX_ENOMEM.
 */
int jrx_csv_read(struct jrx_csv **out, const char *path, const struct jrx_schema *schema);
/** The same from memory; `name` stands for the file in messages. */
int jrx_csv_parse(struct jrx_csv **out, const char *text, size_t length, const char *name,
                  const struct jrx_schema *schema);
void jrx_csv_free(struct jrx_csv *csv);

size_t jrx_csv_rows(const struct jrx_csv *csv);
size_t jrx_csv_columns(const struct jrx_csv *csv);
const char *jrx_csv_name(const struct jrx_csv *csv, size_t column);
/** The column's number, or JRX_EFORMAT with a message that lists what there is. */
int jrx_csv_find(const struct jrx_csv *csv, const char *name);
/** The field as written; "" if missing. Rows and columns from 0, in range. */
const char *jrx_csv_text(const struct jrx_csv *csv, size_t row, size_t column);
/** The field as a number; NAN if missing. 0 or JRX_EFORMAT. */
int jrx_csv_real(const struct jrx_csv *csv, size_t row, size_t column, double *out);
/** The field as an integer; `missing` if empty. 0 or JRX_EFORMAT. */
int jrx_csv_integer(const struct jrx_csv *csv, size_t row, size_t column, int64_t missing, int64_t *out);
/** A whole column as numbers, out[rows]. 0 or JRX_EFORMAT. */
int jrx_csv_column(const struct jrx_csv *csv, const char *name, double *out);

#endif
