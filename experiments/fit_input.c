#include "experiments/fit_input.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which rows ---- */

struct condition {
    size_t column;
    const char *value;
};

static int parse_conditions(const struct ex_fit_input *input, const struct ex_fit_request *request,
                            struct condition conditions[EX_WHERES])
{
    for (int i = 0; i < request->wheres; i++) {
        char name[EX_TERM_TEXT];
        const char *equals = strchr(request->where[i], '=');
        size_t length = equals ? (size_t)(equals - request->where[i]) : 0;
        if (length == 0 || length >= sizeof name)
            return jrx_fail(JRX_EINVAL, "--where=%s: write column=value, such as source=measured", request->where[i]);
        memcpy(name, request->where[i], length);
        name[length] = '\0';
        int column = jrx_csv_find(input->csv, name);
        if (column < 0)
            return column;
        conditions[i] = (struct condition){(size_t)column, equals + 1};
    }
    return 0;
}

static int holds(const struct ex_fit_input *input, const struct ex_fit_request *request,
                 const struct condition conditions[EX_WHERES], size_t row)
{
    for (int i = 0; i < request->wheres; i++) {
        if (strcmp(jrx_csv_text(input->csv, row, conditions[i].column), conditions[i].value))
            return 0;
    }
    return 1;
}

/* ---- which columns ---- */

/* Adds a column, or each part of a sum, to out[rows of the file]. */
static int add_term(const struct ex_fit_input *input, const char *term, double *out, double *scratch)
{
    char part[EX_TERM_TEXT];
    size_t rows = jrx_csv_rows(input->csv);
    for (const char *at = term; at;) {
        const char *plus = strchr(at, '+');
        snprintf(part, sizeof part, "%.*s", plus ? (int)(plus - at) : (int)strlen(at), at);
        int status = jrx_csv_column(input->csv, part, scratch);
        if (status)
            return status;
        for (size_t i = 0; i < rows; i++)
            out[i] += scratch[i];
        at = plus ? plus + 1 : NULL;
    }
    return 0;
}

static int load_term(const struct ex_fit_input *input, const char *term, double *out, double *scratch)
{
    size_t rows = jrx_csv_rows(input->csv);
    for (size_t i = 0; i < rows; i++)
        out[i] = 0;
    if (strcmp(term, "1"))
        return add_term(input, term, out, scratch);
    for (size_t i = 0; i < rows; i++)
        out[i] = 1;
    return 0;
}

static int split_terms(struct ex_fit_input *input, const char *x)
{
    for (const char *at = x; at;) {
        const char *comma = strchr(at, ',');
        size_t length = comma ? (size_t)(comma - at) : strlen(at);
        if (input->data.cols == EM_COLUMNS)
            return jrx_fail(JRX_EINVAL, "--x: more than %d terms; name fewer", EM_COLUMNS);
        if (length == 0 || length >= EX_TERM_TEXT)
            return jrx_fail(JRX_EINVAL, "--x=%s: a term of %zu characters; write names with commas between", x, length);
        memcpy(input->name[input->data.cols], at, length);
        input->names[input->data.cols] = input->name[input->data.cols];
        input->data.cols++;
        at = comma ? comma + 1 : NULL;
    }
    return 0;
}

/* ---- what must not be mixed ---- */

static int is_label(const char *name)
{
    size_t length = strlen(name);
    return !strcmp(name, "source") || !strcmp(name, "domain") || (length > 7 && !strcmp(name + length - 7, "_source"));
}

/* Counters may be missing from some rows, and say so with an empty source; what is fitted may not. */
static int differ(const char *column, const char *value, const char *other)
{
    int optional = strcmp(column, "source") && strcmp(column, "energy_source") && strcmp(column, "domain");
    return strcmp(value, other) && !(optional && (!*value || !*other));
}

static int check_labels(struct ex_fit_input *input, const char *path)
{
    size_t used = 0;
    for (size_t column = 0; column < jrx_csv_columns(input->csv); column++) {
        const char *name = jrx_csv_name(input->csv, column);
        if (!is_label(name))
            continue;
        const char *value = jrx_csv_text(input->csv, input->line[0] - 2, column);
        for (size_t i = 1; i < input->data.rows; i++) {
            const char *other = jrx_csv_text(input->csv, input->line[i] - 2, column);
            if (differ(name, value, other))
                return jrx_fail(JRX_EINVAL,
                                "%s: rows of %s '%s' and '%s' must not be fitted together; choose with --where=%s=%s",
                                path, name, value, other, name, *value ? value : other);
            value = *value ? value : other;
        }
        if (*value && used < sizeof input->label)
            used += (size_t)snprintf(input->label + used, sizeof input->label - used, "%s%s=%s", used ? ", " : "", name,
                                     value);
    }
    return 0;
}

/* ---- putting it together ---- */

static int number_groups(struct ex_fit_input *input, const char *column_name)
{
    int column = jrx_csv_find(input->csv, column_name), groups = 0;
    if (column < 0)
        return column;
    input->number = jrx_alloc((input->data.rows + 1) * sizeof *input->number);
    input->group = jrx_alloc((input->data.rows + 1) * sizeof *input->group);
    if (!input->number || !input->group)
        return JRX_ENOMEM;
    for (size_t i = 0; i < input->data.rows; i++) {
        const char *name = jrx_csv_text(input->csv, input->line[i] - 2, (size_t)column);
        int g = i ? input->number[i - 1] : 0; /* neighbours are mostly of one group */
        if (g >= groups || strcmp(input->group[g], name))
            for (g = 0; g < groups && strcmp(input->group[g], name);)
                g++;
        if (g == groups)
            input->group[groups++] = name;
        input->number[i] = g;
    }
    input->data.group = input->number;
    input->data.groups = groups;
    return 0;
}

/* Moves the chosen rows to the front: of y, and of the terms one after the other. */
static void compact(struct ex_fit_input *input, size_t all)
{
    size_t rows = input->data.rows;
    for (size_t i = 0; i < rows; i++)
        input->y[i] = input->y[input->line[i] - 2];
    for (size_t j = 0; j < (size_t)input->data.cols; j++)
        for (size_t i = 0; i < rows; i++)
            input->x[j * rows + i] = input->x[j * all + input->line[i] - 2];
}

static int select_rows(struct ex_fit_input *input, const struct ex_fit_request *request)
{
    size_t all = jrx_csv_rows(input->csv);
    struct condition conditions[EX_WHERES];
    int status = parse_conditions(input, request, conditions);
    for (size_t i = 0; !status && i < all; i++) {
        int whole = !isnan(input->y[i]);
        if (!holds(input, request, conditions, i))
            continue;
        for (size_t j = 0; j < (size_t)input->data.cols; j++)
            whole = whole && !isnan(input->x[j * all + i]);
        if (whole && request->method != EM_OLS && input->y[i] <= 0)
            return jrx_fail(JRX_EINVAL, "%s: row %zu: %s is %g; %s divides by it, so use --method=ols or leave it out",
                            request->path, i + 1, request->y, input->y[i], em_method_name(request->method));
        if (whole)
            input->line[input->data.rows++] = i + 2;
        else
            input->missing++;
    }
    if (!status && !input->data.rows)
        status = jrx_fail(JRX_EINVAL, "%s: no row has %s and every term%s; see what the columns hold", request->path,
                          request->y, request->wheres ? " where --where says" : "");
    return status;
}

int ex_fit_input_init(struct ex_fit_input *input, const struct ex_fit_request *request)
{
    memset(input, 0, sizeof *input);
    int status = split_terms(input, request->x);
    if (!status)
        status = jrx_csv_read(&input->csv, request->path, NULL);
    if (status)
        return status;
    size_t all = jrx_csv_rows(input->csv), cols = (size_t)input->data.cols;
    double *scratch = jrx_alloc((all + 1) * sizeof *scratch);
    input->x = jrx_alloc((all * cols + 1) * sizeof *input->x);
    input->y = jrx_alloc((all + 1) * sizeof *input->y);
    input->line = jrx_alloc((all + 1) * sizeof *input->line);
    if (!scratch || !input->x || !input->y || !input->line) {
        status = JRX_ENOMEM;
        goto out;
    }
    status = load_term(input, request->y, input->y, scratch);
    for (size_t j = 0; !status && j < cols; j++)
        status = load_term(input, input->name[j], input->x + j * all, scratch);
    if (!status)
        status = select_rows(input, request);
    if (!status)
        status = check_labels(input, request->path);
    if (!status && request->group)
        status = number_groups(input, request->group);
    if (!status)
        compact(input, all);
    input->data.x = input->x;
    input->data.y = input->y;
    input->data.names = input->names;
out:
    free(scratch);
    return status;
}

void ex_fit_input_fini(struct ex_fit_input *input)
{
    jrx_csv_free(input->csv);
    free(input->x);
    free(input->y);
    free(input->line);
    free(input->number);
    free(input->group);
    memset(input, 0, sizeof *input);
}
