/*
 * What `joulerx fit` fits: columns of a CSV file as the arrays that models/energy/fit.h wants.
 */
#ifndef EXPERIMENTS_FIT_INPUT_H
#define EXPERIMENTS_FIT_INPUT_H
#include "harness/table.h"
#include "models/energy/fit.h"

enum { EX_WHERES = 8, EX_TERM_TEXT = 128, EX_LABEL_TEXT = 256 };

struct ex_fit_request {
    const char *path, *response; /* a file, a column of it */
    const char *terms;           /* "flop, 64*lines, loads+stores": columns, scaled, or sums of such; 1: the constant */
    int no_constant;             /* else a constant comes first, if `terms` does not name it */
    const char *group;           /* NULL: runs of neighbouring rows */
    const char *where[EX_WHERES]; /* "column=value": only rows that have it; all must hold */
    int wheres;
    int relative;  /* rows are weighted by 1 / response */
    int estimated; /* rows whose energy is estimated may be fitted */
};

struct ex_fit_input {
    struct jrx_csv *csv;
    struct em_data data;
    size_t *line;       /* [data.rows] line of the file, the header being 1 */
    size_t missing;     /* rows left out because y or a term is empty */
    const char **group; /* [data.groups] names, in order of appearance */
    char name[EM_COLUMNS][EX_TERM_TEXT];
    const char *names[EM_COLUMNS];
    char label[EX_LABEL_TEXT]; /* "energy_source=measured, domain=package": what all rows have in common; may be "" */
    char unit[EM_COLUMNS][64]; /* of the coefficient: "J/FLOP" */
    const char *energy_source; /* "measured"; "" where no column says it */
    int is_estimated;          /* the response is an estimate: the fit returns the profile it was made by */
    double *x, *y;
    int *number;
};

/**
 * Reads and selects. Rows whose y or terms are empty are left out and counted. Rows that differ in a column named
 * source, <something>_source or domain are refused: measured and estimated energy, or package and memory, are not one
 * response. An empty field differs too, but for sources other than energy's.
 *
 * Returns 0; JRX_EINVAL: mixed rows, estimated ones unless asked for, no row left, a bad term or condition, a response
 * that is no single column, or not above 0 where rows are weighted by it; what jrx_csv_read() returns; JRX_EFORMAT: no
 * such column, not a number; JRX_ENOMEM. ex_fit_input_fini() either way.
 */
int ex_fit_input_init(struct ex_fit_input *input, const struct ex_fit_request *request);
void ex_fit_input_fini(struct ex_fit_input *input);

#endif
