/*
 * Schemas of tables: what a column may be called, and the unit in its name.
 */
#include "harness/base/error.h"
#include "harness/table.h"
#include <errno.h>
#include <string.h>

static const struct {
    const char *word, *unit;
} units[] = {
    {"j", "J"},         {"mj", "mJ"},       {"uj", "uJ"},     {"nj", "nJ"},         {"pj", "pJ"},       {"w", "W"},
    {"s", "s"},         {"ms", "ms"},       {"us", "us"},     {"ns", "ns"},         {"hz", "Hz"},       {"c", "C"},
    {"bytes", "bytes"}, {"byte", "byte"},   {"bit", "bit"},   {"flop", "FLOP"},     {"db", "dB"},       {"dbm", "dBm"},
    {"ratio", "1"},     {"count", "count"}, {"percent", "%"}, {"probability", "1"}, {"slots", "slots"},
};

/* The unit of the word that ends at `end` (words are parted by '_'), "" if it is none; *start: where the word begins.
 */
static const char *unit_before(const char *name, const char *end, const char **start)
{
    const char *word = end;
    while (word > name && word[-1] != '_')
        word--;
    *start = word;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].word) == (size_t)(end - word) && !memcmp(units[i].word, word, (size_t)(end - word)))
            return units[i].unit;
    return "";
}

const char *jrx_column_unit(const char *name, char text[24])
{
    const char *start, *above_start, *unit = unit_before(name, name + strlen(name), &start);
    snprintf(text, 24, "%s", unit);
    if (*unit && start - name > 5 && !memcmp(start - 5, "_per_", 5)) {
        const char *above = unit_before(name, start - 5, &above_start);
        if (*above)
            snprintf(text, 24, "%s/%s", above, unit);
        else
            text[0] = 0;
    }
    return text;
}

int jrx_schema_check(const struct jrx_schema *schema)
{
    char unit[24];
    for (size_t i = 0; i < schema->columns; i++) {
        const struct jrx_column *c = &schema->column[i];
        if (!c->name || c->name[0] < 'a' || c->name[0] > 'z' ||
            c->name[strspn(c->name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
            return jrx_fail(JRX_EINVAL, "schema %s: column %zu is named \"%s\"; use a-z, 0-9 and _, a letter first",
                            schema->name, i, c->name ? c->name : "");
        if (!c->doc || !*c->doc)
            return jrx_fail(JRX_EINVAL, "schema %s: column %s has no sentence that explains it", schema->name, c->name);
        if (c->type == JRX_REAL && !*jrx_column_unit(c->name, unit))
            return jrx_fail(JRX_EINVAL,
                            "schema %s: real column %s does not end in a unit (_j _ns _w _bytes _ratio ...)",
                            schema->name, c->name);
        for (size_t k = 0; k < i; k++)
            if (!strcmp(c->name, schema->column[k].name))
                return jrx_fail(JRX_EINVAL, "schema %s: column %s is declared twice", schema->name, c->name);
    }
    return schema->columns ? 0 : jrx_fail(JRX_EINVAL, "schema %s: no columns", schema->name);
}

int jrx_schema_print(const struct jrx_schema *schema, FILE *to)
{
    static const char *const types[] = {"text", "integer", "real"};
    char unit[24];
    for (size_t i = 0; i < schema->columns; i++) {
        const struct jrx_column *c = &schema->column[i];
        fprintf(to, "%-12s %-28s %-8s %-8s %s\n", schema->name, c->name, types[c->type], jrx_column_unit(c->name, unit),
                c->doc);
    }
    return ferror(to) ? jrx_fail(JRX_EIO, "columns: could not be written (%s)", strerror(errno)) : 0;
}
