#include "experiments/preset.h"
#include "experiments/figure.h"
#include "harness/base/error.h"
#include "models/receiver/presets.h"
#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum type { REAL, WHOLE, RECIPE, YES_NO, NUMBERS, FILE_NAME };

static const struct {
    const char *key, *doc;
    enum type type;
    size_t offset, size;
    double least, most;
    int step;
} fields[] = {
#define X(member, option, type, least, most, step, argument, doc)                                                      \
    {#member, doc, type, offsetof(struct ex_preset, member), sizeof((struct ex_preset *)0)->member, least, most, step},
    EX_PRESET_FIELDS(X)
#undef X
};
enum { FIELDS = EX_PRESET_VALUES };

const char *ex_preset_key(enum ex_preset_field field)
{
    return fields[field].key;
}

static int set_number(void *to, int i, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    int whole = fields[i].type == WHOLE;
    if (end == text || *end || !(value >= fields[i].least && value <= fields[i].most) ||
        (whole && fmod(value, fields[i].step) != 0))
        return jrx_fail(JRX_EINVAL, "%s = %s: not a %s from %g to %g", fields[i].key, text,
                        !whole               ? "number"
                        : fields[i].step > 1 ? "multiple of 12"
                                             : "whole number",
                        fields[i].least, fields[i].most);
    if (whole)
        *(int *)to = (int)value;
    else
        *(double *)to = value;
    return 0;
}

/* "0.25,0.5" or "FIRST:STEP:LAST", ascending; "" is none. How many, or JRX_EINVAL. */
static int parse_numbers(struct ex_numbers *numbers, const char *text, double least, double most)
{
    double first, step, last;
    int end = 0, count = 0;
    numbers->count = 0;
    if (!*text)
        return 0;
    if (sscanf(text, "%lf:%lf:%lf%n", &first, &step, &last, &end) == 3 && !text[end]) {
        if (step > 0 && first >= least && last <= most && last >= first && (last - first) / step < EX_NUMBERS - 0.5)
            for (count = 0; count <= (last - first) / step + 1e-9; count++)
                numbers->value[count] = first + count * step;
    } else {
        const char *at = text;
        char *after;
        do {
            double value = strtod(at, &after);
            int good = after != at && (!*after || *after == ',') && value >= least && value <= most &&
                       count < EX_NUMBERS && (!count || value > numbers->value[count - 1]);
            if (!good) {
                count = 0;
                break;
            }
            numbers->value[count++] = value;
            at = after + 1;
        } while (*after);
    }
    numbers->count = count;
    return count ? count : JRX_EINVAL;
}

static int set_numbers(struct ex_numbers *to, int i, const char *text)
{
    int count = parse_numbers(to, text, fields[i].least, fields[i].most);
    if (count < 0)
        return jrx_fail(JRX_EINVAL,
                        "%s = %s: neither A,B,.. nor FIRST:STEP:LAST, up to %d ascending numbers from %g to %g",
                        fields[i].key, text, EX_NUMBERS, fields[i].least, fields[i].most);
    return count >= fields[i].step ? 0 : jrx_fail(JRX_EINVAL, "%s: must not be empty", fields[i].key);
}

int ex_preset_set(struct ex_preset *preset, const char *key, const char *text)
{
    char names[256] = "";
    for (int i = 0; i < FIELDS; i++) {
        void *to = (char *)preset + fields[i].offset;
        snprintf(names + strlen(names), sizeof names - strlen(names), " %s", fields[i].key);
        if (strcmp(key, fields[i].key))
            continue;
        switch (fields[i].type) {
        case REAL:
        case WHOLE: return set_number(to, i, text);
        case NUMBERS: return set_numbers(to, i, text);
        case YES_NO:
            *(int *)to = !strcmp(text, "yes");
            return !strcmp(text, "yes") || !strcmp(text, "no")
                       ? 0
                       : jrx_fail(JRX_EINVAL, "%s = %s: neither yes nor no", key, text);
        case RECIPE: snprintf(to, fields[i].size, "%s", text); return rx_preset_find(text) ? 0 : JRX_EINVAL;
        case FILE_NAME:
            return (size_t)snprintf(to, fields[i].size, "%s", text) < fields[i].size
                       ? 0
                       : jrx_fail(JRX_EINVAL, "%s = %s: the path is too long", key, text);
        }
    }
    return jrx_fail(JRX_EINVAL, "%s: not a value of a preset; there are%s", key, names);
}

/* ---- the file -------------------------------------------------------------------------------------------------- */

struct parse {
    struct ex_preset *preset;
    unsigned seen;
    char wrong[256];
};

static int on_entry(void *context, const char *section, const char *key, const char *value)
{
    struct parse *p = context;
    if (*p->wrong) /* the parser goes on after the first mistake, which is the one to tell of */
        return 0;
    if (!strcmp(section, "preset") && !strcmp(key, "about")) {
        snprintf(p->preset->about, sizeof p->preset->about, "%s", value);
        return 1;
    }
    if (strcmp(section, "run"))
        snprintf(p->wrong, sizeof p->wrong, "[%s] %s: there are [preset] about and what stands in [run]", section, key);
    else if (ex_preset_set(p->preset, key, value))
        snprintf(p->wrong, sizeof p->wrong, "%s", jrx_last_error());
    for (unsigned i = 0; i < FIELDS; i++) {
        const unsigned bit = !strcmp(key, fields[i].key) ? 1u << i : 0;
        if (p->seen & bit)
            snprintf(p->wrong, sizeof p->wrong, "%s: given twice", key);
        p->seen |= bit;
    }
    return !*p->wrong;
}

static int parse_file(struct ex_preset *preset, FILE *file, const char *path)
{
    struct parse p = {.preset = preset};
    int line = ini_parse_file(file, on_entry, &p);
    if (line)
        return jrx_fail(JRX_EFORMAT, "preset %s, line %d: %s", path, line,
                        *p.wrong ? p.wrong : "neither [section] nor key = value");
    for (unsigned i = 0; i < FIELDS; i++)
        if (!(p.seen >> i & 1))
            return jrx_fail(JRX_EFORMAT, "preset %s: %s is missing in [run] (%s)", path, fields[i].key, fields[i].doc);
    return 0;
}

/* "quick, smoke": what the checkout has */
static const char *list(const char *folder, char *text, size_t size)
{
    DIR *open = opendir(folder);
    *text = 0;
    for (struct dirent *entry; open && (entry = readdir(open));) {
        size_t length = strlen(entry->d_name), at = strlen(text);
        if (length > 4 && !strcmp(entry->d_name + length - 4, ".ini"))
            snprintf(text + at, size - at, "%s%.*s", at ? ", " : "", (int)length - 4, entry->d_name);
    }
    if (open)
        closedir(open);
    return text;
}

int ex_preset_read(struct ex_preset *preset, const char *name)
{
    char folder[PATH_MAX], path[PATH_MAX + 80], names[256];
    *preset = (struct ex_preset){.reps = 0};
    int own = strchr(name, '/') != NULL, status = own ? 0 : ex_home_path("experiments/presets", folder, sizeof folder);
    if (status)
        return status;
    if (strlen(name) >= sizeof preset->name)
        return jrx_fail(JRX_EINVAL, "--preset=%s: the name is too long, %zu characters at most", name,
                        sizeof preset->name - 1);
    snprintf(preset->name, sizeof preset->name, "%s", name);
    if (own)
        snprintf(path, sizeof path, "%s", name);
    else
        snprintf(path, sizeof path, "%s/%s.ini", folder, name);
    FILE *file = fopen(path, "re");
    if (!file && own)
        return jrx_fail(errno == EACCES ? JRX_EPERMISSION : JRX_EINVAL, "--preset=%s: %s", name, strerror(errno));
    if (!file)
        return jrx_fail(JRX_EINVAL,
                        "--preset=%s: no such preset; there are %s. A path with a slash is a file of your own", name,
                        list(folder, names, sizeof names));
    status = parse_file(preset, file, path);
    fclose(file);
    return status;
}

/* ---- session.json ---------------------------------------------------------------------------------------------- */

static void numbers_text(const struct ex_numbers *numbers, char *text, size_t size)
{
    *text = 0;
    for (int i = 0; i < numbers->count; i++) {
        size_t at = strlen(text);
        snprintf(text + at, size - at, "%s%.15g", i ? "," : "", numbers->value[i]);
    }
}

json_t *ex_preset_json(const struct ex_preset *preset)
{
    json_t *object = json_pack("{s:s}", "name", preset->name);
    for (int i = 0; i < FIELDS && object; i++) {
        const void *from = (const char *)preset + fields[i].offset;
        char text[512];
        switch (fields[i].type) {
        case REAL: snprintf(text, sizeof text, "%.17g", *(const double *)from); break;
        case WHOLE: snprintf(text, sizeof text, "%d", *(const int *)from); break;
        case RECIPE:
        case FILE_NAME: snprintf(text, sizeof text, "%s", (const char *)from); break;
        case NUMBERS: numbers_text(from, text, sizeof text); break;
        case YES_NO: snprintf(text, sizeof text, "%s", *(const int *)from ? "yes" : "no"); break;
        }
        json_object_set_new(object, fields[i].key, json_string(text));
    }
    return object;
}

int ex_preset_unpack(struct ex_preset *preset, const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    *preset = (struct ex_preset){.reps = 0};
    snprintf(preset->name, sizeof preset->name, "%s", name ? name : "?");
    for (int i = 0; i < FIELDS; i++) {
        const char *text = json_string_value(json_object_get(object, fields[i].key));
        if (!text)
            return jrx_fail(JRX_EFORMAT, "preset: %s is missing", fields[i].key);
        if (ex_preset_set(preset, fields[i].key, text))
            return JRX_EFORMAT;
    }
    return 0;
}
