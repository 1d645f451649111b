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

static const char constant[] = "1";

static const char *trim(char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    for (size_t length = strlen(text); length && (text[length - 1] == ' ' || text[length - 1] == '\t');)
        text[--length] = '\0';
    return text;
}

/* "NAME" or "NUMBER*NAME", in place: the name, and the number. */
static int parse_part(const char *term, char *part, const char **name, double *scale)
{
    char *end;
    *scale = strtod(part, &end);
    while (*end == ' ')
        end++;
    if (end == part || *end != '*') {
        *scale = 1;
        *name = trim(part);
    } else
        *name = trim(end + 1);
    if (!(*scale > 0 && isfinite(*scale)) || !**name)
        return jrx_fail(JRX_EINVAL,
                        "--terms: '%s': a term is a column, NUMBER*column with a number above 0, or a sum of "
                        "such",
                        term);
    return 0;
}

/* Adds a column, or each part of a sum, to out[rows of the file]. */
static int add_term(const struct ex_fit_input *input, const char *term, double *out, double *scratch)
{
    size_t rows = jrx_csv_rows(input->csv);
    for (const char *at = term; at;) {
        char part[EX_TERM_TEXT];
        const char *plus = strchr(at, '+'), *name;
        double scale;
        snprintf(part, sizeof part, "%.*s", plus ? (int)(plus - at) : (int)strlen(at), at);
        int status = parse_part(term, part, &name, &scale);
        if (!status)
            status = jrx_csv_column(input->csv, name, scratch);
        if (status)
            return status;
        for (size_t i = 0; i < rows; i++)
            out[i] += scale * scratch[i];
        at = plus ? plus + 1 : NULL;
    }
    return 0;
}

static int load_term(const struct ex_fit_input *input, const char *term, double *out, double *scratch)
{
    size_t rows = jrx_csv_rows(input->csv);
    for (size_t i = 0; i < rows; i++)
        out[i] = 0;
    if (strcmp(term, constant))
        return add_term(input, term, out, scratch);
    for (size_t i = 0; i < rows; i++)
        out[i] = 1;
    return 0;
}

static int add_name(struct ex_fit_input *input, const char *name)
{
    if (input->data.cols == EM_COLUMNS)
        return jrx_fail(JRX_EINVAL, "--terms: more than %d terms; name fewer", EM_COLUMNS);
    snprintf(input->name[input->data.cols], EX_TERM_TEXT, "%s", name);
    input->names[input->data.cols] = input->name[input->data.cols];
    input->data.cols++;
    return 0;
}

static int split_terms(struct ex_fit_input *input, const struct ex_fit_request *request)
{
    int status = 0, named = request->no_constant;
    for (const char *at = request->terms; at && !status;) {
        char text[EX_TERM_TEXT];
        const char *comma = strchr(at, ','), *name;
        size_t length = comma ? (size_t)(comma - at) : strlen(at);
        if (length >= sizeof text)
            return jrx_fail(JRX_EINVAL, "--terms=%s: a term of %zu characters; write names with commas between",
                            request->terms, length);
        memcpy(text, at, length);
        text[length] = '\0';
        name = trim(text);
        if (!*name)
            return jrx_fail(JRX_EINVAL, "--terms=%s: an empty term; write names with commas between", request->terms);
        named |= !strcmp(name, constant);
        status = add_name(input, name);
        at = comma ? comma + 1 : NULL;
    }
    if (status || named)
        return status;
    if ((status = add_name(input, constant)))
        return status;
    memmove(input->name[1], input->name[0], (size_t)(input->data.cols - 1) * sizeof *input->name);
    snprintf(input->name[0], EX_TERM_TEXT, "%s", constant); /* first, as people write it */
    return 0;
}

/* ---- units ---- */

static void unit_of(const char *column, char *text, size_t size)
{
    char unit[24];
    snprintf(text, size, "%s", jrx_column_unit(column, unit));
    if (!*text && !strncmp(column, "bytes", 5))
        snprintf(text, size, "B");
    else if (!*text && !strncmp(column, "flop", 4))
        snprintf(text, size, "FLOP");
}

/* What a coefficient is in: the response's unit over the term's, each as its name says; "" where they say nothing. */
static void name_units(struct ex_fit_input *input, const char *response)
{
    char top[24];
    unit_of(response, top, sizeof top);
    for (int j = 0; j < input->data.cols; j++) {
        char below[24] = "", *text = input->unit[j];
        if (!strpbrk(input->name[j], "+*"))
            unit_of(input->name[j], below, sizeof below);
        if (!strcmp(input->name[j], constant))
            snprintf(text, sizeof input->unit[j], "%s", top);
        else if (!strcmp(top, "J") && !strcmp(below, "s"))
            snprintf(text, sizeof input->unit[j], "W");
        else
            snprintf(text, sizeof input->unit[j], "%s/%s", *top ? top : "1", *below ? below : "1");
    }
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

/* An estimate was made from the very columns that would explain it. */
static int check_estimate(struct ex_fit_input *input, const struct ex_fit_request *request, const char *name,
                          const char *value)
{
    if (strcmp(name, "source") && strcmp(name, "energy_source"))
        return 0;
    input->energy_source = value;
    input->is_estimated = !strcmp(value, "estimated");
    if (!input->is_estimated || request->estimated)
        return 0;
    return jrx_fail(JRX_EINVAL,
                    "%s: %s is 'estimated': a fit would only return the profile that the estimate was made by; measure "
                    "on a machine with a meter, or say --estimated to fit it all the same",
                    request->path, name);
}

static int check_labels(struct ex_fit_input *input, const struct ex_fit_request *request)
{
    const char *path = request->path;
    size_t used = 0;
    input->energy_source = "";
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
        int status = check_estimate(input, request, name, value);
        if (status)
            return status;
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
        if (whole && request->relative && input->y[i] <= 0)
            return jrx_fail(JRX_EINVAL,
                            "%s: row %zu: %s is %g; --weights=1/y divides by it: use --weights=1 or leave it out",
                            request->path, i + 1, request->response, input->y[i]);
        if (whole)
            input->line[input->data.rows++] = i + 2;
        else
            input->missing++;
    }
    if (!status && !input->data.rows)
        status = jrx_fail(JRX_EINVAL, "%s: no row has %s and every term%s; see what the columns hold", request->path,
                          request->response, request->wheres ? " where --where says" : "");
    return status;
}

int ex_fit_input_init(struct ex_fit_input *input, const struct ex_fit_request *request)
{
    memset(input, 0, sizeof *input);
    int status = strpbrk(request->response, "+*,")
                     ? jrx_fail(JRX_EINVAL, "--response=%s: one column; package, dram and others are fitted apart",
                                request->response)
                     : split_terms(input, request);
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
    status = load_term(input, request->response, input->y, scratch);
    for (size_t j = 0; !status && j < cols; j++)
        status = load_term(input, input->name[j], input->x + j * all, scratch);
    if (!status)
        status = select_rows(input, request);
    if (!status)
        status = check_labels(input, request);
    if (!status && request->group)
        status = number_groups(input, request->group);
    if (!status)
        compact(input, all);
    input->data.x = input->x;
    input->data.y = input->y;
    input->data.names = input->names;
    name_units(input, request->response);
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
