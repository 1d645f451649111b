/* Lists and ranges of numbers and of tilings, as text. */
#include "experiments/sweep.h"
#include "harness/base/error.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists ------------------------------------------------------------------------------------------------------ */

/* "8", "1-8", "8-64+8" or "8-64*2" from *at to the next comma. How many values were added, or -1. */
static int range(const char **at, int *value, int room)
{
    long from = kn_tile_number(at), to = from, step = 1;
    int times = 0, count = 0;
    if (**at == '-') {
        ++*at;
        to = kn_tile_number(at);
        times = **at == '*';
        if (**at == '*' || **at == '+') {
            ++*at;
            step = kn_tile_number(at);
        }
    }
    if (from < 1 || to < from || step < 1 + times || (**at && **at != ','))
        return -1;
    for (long v = from; v <= to; v = times ? v * step : v + step) {
        if (count == room)
            return -1;
        value[count++] = (int)v;
    }
    return count;
}

int ex_list_parse(const char *text, int *value)
{
    int count = 0;
    for (const char *at = text;; at++) {
        const char *part = at;
        int more = range(&at, value + count, EX_SWEEP_VALUES - count);
        if (more < 0)
            return jrx_fail(JRX_EINVAL,
                            "list %s: '%.*s' is no number of at least 1 and no range; use 8, 1-8, 8-64+8 or 8-64*2",
                            text, (int)strcspn(part, ","), part);
        count += more;
        if (!*at)
            return count;
    }
}

/* ---- tilings ---------------------------------------------------------------------------------------------------- */

enum { FIELDS = 8, WORD = 64 };

/* One alternative of a list of tilings: fields, each with its values as words of kn_tile_parse(). */
struct tile_lists {
    char name[FIELDS][WORD], (*value[FIELDS])[WORD];
    int fields, values[FIELDS];
};

static int add_value(struct tile_lists *lists, const char *text, size_t length)
{
    int f = lists->fields - 1, numbers[EX_SWEEP_VALUES], count = 1;
    char part[WORD];
    if (f < 0 || length >= WORD)
        return jrx_fail(JRX_EINVAL, "tile list: '%.*s' stands before any field; write oc=32,64,f=4", (int)length, text);
    snprintf(part, sizeof part, "%.*s", (int)length, text);
    int plain = !isdigit((unsigned char)*part) || strchr(part, 'x');
    if (!plain && (count = ex_list_parse(part, numbers)) < 0)
        return count;
    if (lists->values[f] + count > EX_SWEEP_VALUES)
        return jrx_fail(JRX_EINVAL, "tile list: more than %d values for %s", EX_SWEEP_VALUES, lists->name[f]);
    for (int i = 0; i < count; i++) {
        char *to = lists->value[f][lists->values[f]++];
        if (plain)
            snprintf(to, WORD, "%s", part);
        else
            snprintf(to, WORD, "%d", numbers[i]);
    }
    return 0;
}

/* "oc=32,64,f=4-64*2": a word with an = begins a field, one without is another value of the field before. */
static int split(const char *text, size_t length, struct tile_lists *lists)
{
    int status = 0;
    for (size_t at = 0; at < length && !status;) {
        size_t word = strcspn(text + at, ",;"), name = strcspn(text + at, "=,;");
        if (name < word) {
            if (lists->fields == FIELDS || name >= WORD)
                return jrx_fail(JRX_EINVAL, "tile list: too many fields in '%.*s'", (int)length, text);
            snprintf(lists->name[lists->fields], WORD, "%.*s", (int)name, text + at);
            if (!(lists->value[lists->fields++] = calloc(EX_SWEEP_VALUES, WORD)))
                return jrx_fail(JRX_ENOMEM, "tile list: no memory");
            at += name + 1;
            word -= name + 1;
        }
        status = add_value(lists, text + at, word);
        at += word + 1;
    }
    return status;
}

/* Combination `index` of the lists as one tiling. */
static int combine(const struct tile_lists *lists, long index, struct kn_tile *tile)
{
    char text[FIELDS * 2 * WORD] = "";
    for (int f = 0, at = 0; f < lists->fields; f++) {
        at += snprintf(text + at, sizeof text - (size_t)at, "%s%s=%s", f ? "," : "", lists->name[f],
                       lists->value[f][index % lists->values[f]]);
        index /= lists->values[f];
    }
    return kn_tile_parse(text, tile);
}

/* Tilings of one alternative, how many, or a negative code. */
static int alternative(const char *text, size_t length, struct kn_tile *tile, int room)
{
    struct tile_lists lists = {.fields = 0};
    long count = 1;
    int status = 0;
    if (length == 0 || (length == 7 && !strncmp(text, "default", 7))) {
        if (room > 0)
            *tile = (struct kn_tile){0};
        return 1;
    }
    status = split(text, length, &lists);
    for (int f = 0; f < lists.fields && count <= room; f++)
        count *= lists.values[f];
    if (!status && count > room)
        status = jrx_fail(JRX_EINVAL, "tile list: more than %d tilings; shorten a list", EX_SWEEP_CELLS);
    for (long i = 0; i < count && !status; i++)
        status = combine(&lists, i, &tile[i]);
    for (int f = 0; f < lists.fields; f++)
        free(lists.value[f]);
    return status ? status : (int)count;
}

int ex_tiles_parse(const char *text, struct kn_tile *tile, int max)
{
    int count = 0;
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ";");
        int more = alternative(at, length, tile + count, max - count);
        if (more < 0)
            return more;
        count += more;
        at += length;
        if (!*at)
            return count;
    }
}
