/*
 * A CSV file, or standard output, written row by row; the file appears when whole. For tables whose column names are
 * given from outside (`joulerx simulate`); tables of experiments have a schema, harness/table.h.
 */
#ifndef EXPERIMENTS_SHEET_H
#define EXPERIMENTS_SHEET_H
#include <stdint.h>
#include <stdio.h>

struct ex_sheet {
    const char *path;
    char temporary[4096]; /* where it is written until it is whole; "": there already */
    FILE *to;
    int header, column; /* header: the next row writes the names, so that names and values stand in one place */
};

/** Opens PATH.tmp; "-" is stdout; a path that is no regular file (a device, a pipe) is written as it is; with NULL the
 * sheet stays shut. The first row is the header. 0, JRX_EIO, JRX_EPERMISSION, JRX_EINVAL. */
int ex_sheet_open(struct ex_sheet *sheet, const char *path);
/** The sheet that is standard output. */
void ex_sheet_stdout(struct ex_sheet *sheet);

void ex_sheet_text(struct ex_sheet *sheet, const char *name, const char *value); /* quoted where RFC 4180 asks for it */
void ex_sheet_integer(struct ex_sheet *sheet, const char *name, int64_t value);
void ex_sheet_real(struct ex_sheet *sheet, const char *name, double value); /* %.17g; empty if not finite */
void ex_sheet_end_row(struct ex_sheet *sheet);

/** Makes it PATH; 0, JRX_EIO or JRX_EPERMISSION, with nothing under that name. main() checks stdout. */
int ex_sheet_close(struct ex_sheet *sheet);
/** Gives up what is not closed. Also on a zeroed or closed sheet. */
void ex_sheet_drop(struct ex_sheet *sheet);

#endif
