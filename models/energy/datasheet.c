#include "models/energy/datasheet.h"
#include "harness/base/error.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- arithmetic ---- */

double em_peak_flop_per_s(const struct em_datasheet *sheet, double cores)
{
    return sheet->flop_per_clock * sheet->base_hz * cores;
}

double em_share_w(const struct em_datasheet *sheet, double cores)
{
    return sheet->tdp_w * cores / sheet->cores;
}

double em_flop_per_j(double flop_per_s, double power_w)
{
    return flop_per_s > 0 && power_w > 0 ? flop_per_s / power_w : (double)NAN;
}

double em_energy_flop_per_watt_j(double flop, double flop_per_s, double power_w)
{
    return flop / em_flop_per_j(flop_per_s, power_w);
}

double em_time_flop_per_clock_s(double flop, double flop_per_clock, double clock_hz, double cores,
                                double utilisation_ratio)
{
    int valid = flop_per_clock > 0 && clock_hz > 0 && cores > 0 && utilisation_ratio > 0 && utilisation_ratio <= 1;
    return valid ? flop / (flop_per_clock * clock_hz * cores * utilisation_ratio) : (double)NAN;
}

double em_energy_flop_per_clock_j(double flop, double flop_per_clock, double clock_hz, double cores,
                                  double utilisation_ratio, double power_w)
{
    return power_w * em_time_flop_per_clock_s(flop, flop_per_clock, clock_hz, cores, utilisation_ratio);
}

/* ---- the table ---- */

struct key {
    const char *name;
    size_t offset;
    int is_figure; /* a double above 0; else text[EM_TEXT] */
};

#define TEXT(key, field)                                                                                               \
    {                                                                                                                  \
        key, offsetof(struct em_datasheet, field), 0                                                                   \
    }
#define FIGURE(key, field)                                                                                             \
    {                                                                                                                  \
        key, offsetof(struct em_datasheet, field), 1                                                                   \
    }
static const struct key keys[] = {
    TEXT("name", name),
    TEXT("match", match),
    FIGURE("cores", cores),
    TEXT("cores_source", cores_source),
    FIGURE("tdp_w", tdp_w),
    TEXT("tdp_w_source", tdp_source),
    FIGURE("base_hz", base_hz),
    TEXT("base_hz_source", base_source),
    FIGURE("flop_per_clock", flop_per_clock),
    TEXT("flop_per_clock_source", flop_source),
};
enum { KEYS = sizeof keys / sizeof *keys };

struct loading {
    const char *path;
    struct em_datasheet *sheet;
    unsigned char seen[KEYS];
    int status;
};

static int store(const struct loading *loading, const struct key *key, const char *value)
{
    char *field = (char *)loading->sheet + key->offset;
    if (!key->is_figure) {
        if (!*value || strlen(value) >= EM_TEXT)
            return jrx_fail(JRX_EFORMAT, "%s: %s has %zu characters; write 1 to %d", loading->path, key->name,
                            strlen(value), EM_TEXT - 1);
        memcpy(field, value, strlen(value) + 1);
        return 0;
    }
    char *end;
    double figure = strtod(value, &end);
    if (end == value || *end || !(figure > 0 && isfinite(figure)))
        return jrx_fail(JRX_EFORMAT, "%s: %s is '%s'; write a number above 0", loading->path, key->name, value);
    memcpy(field, &figure, sizeof figure);
    return 0;
}

static int on_pair(void *user, const char *section, const char *name, const char *value)
{
    struct loading *loading = user;
    size_t k = 0;
    while (k < KEYS && strcmp(keys[k].name, name))
        k++;
    if (loading->status)
        return 0; /* the first error is the one to tell */
    if (strcmp(section, "cpu") || k == KEYS)
        loading->status = jrx_fail(JRX_EFORMAT, "%s: no key '%s' in section [%s] is known; remove it or correct it",
                                   loading->path, name, section);
    else if (loading->seen[k]++)
        loading->status = jrx_fail(JRX_EFORMAT, "%s: %s is given twice; remove one", loading->path, name);
    else
        loading->status = store(loading, &keys[k], value);
    return !loading->status;
}

int em_datasheet_load(const char *path, struct em_datasheet *sheet)
{
    struct loading loading = {.path = path, .sheet = sheet};
    memset(sheet, 0, sizeof *sheet);
    FILE *file = fopen(path, "r"); /* ini_parse() would lose errno */
    if (!file)
        return jrx_fail(errno == EACCES ? JRX_EPERMISSION : JRX_EIO, "%s: %s; give the folder of datasheets", path,
                        strerror(errno));
    int line = ini_parse_file(file, on_pair, &loading), broken = ferror(file);
    fclose(file);
    if (broken)
        return jrx_fail(JRX_EIO, "%s: cannot be read", path);
    if (loading.status)
        return loading.status;
    if (line)
        return jrx_fail(JRX_EFORMAT, "%s: line %d is no 'key = value'; correct it", path, line);
    for (size_t k = 0; k < KEYS; k++) {
        if (!loading.seen[k])
            return jrx_fail(JRX_EFORMAT, "%s: %s is missing; every figure needs a value and a source", path,
                            keys[k].name);
    }
    return 0;
}

static int is_word(char c)
{
    return isalnum((unsigned char)c) || c == '+';
}

/* Whether `words` occurs in `text` with no letter or digit to its left or right. */
static int occurs(const char *words, const char *text)
{
    size_t length = strlen(words);
    for (const char *at = text; *at; at++) {
        if (!strncasecmp(at, words, length) && (at == text || !is_word(at[-1])) && !is_word(at[length]))
            return 1;
    }
    return 0;
}

static int is_ini(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && dot != entry->d_name && !strcmp(dot, ".ini");
}

int em_datasheet_find(const char *directory, const char *cpu_model, struct em_datasheet *sheet)
{
    struct dirent **list = NULL;
    char path[4096];
    snprintf(path, sizeof path, "%s/generic.ini", directory);
    int status = em_datasheet_load(path, sheet);
    sheet->fallback = 1;
    if (status)
        return status;
    int count = scandir(directory, &list, is_ini, alphasort);
    if (count < 0)
        return jrx_fail(JRX_EIO, "%s: %s; give the folder of datasheets", directory, strerror(errno));
    for (int i = 0; !status && i < count; i++) {
        struct em_datasheet entry;
        snprintf(path, sizeof path, "%s/%s", directory, list[i]->d_name);
        status = em_datasheet_load(path, &entry);
        if (status || !strcmp(list[i]->d_name, "generic.ini") || !occurs(entry.match, cpu_model))
            continue;
        if (sheet->fallback || strlen(entry.match) > strlen(sheet->match))
            *sheet = entry;
    }
    for (int i = 0; i < count; i++)
        free(list[i]);
    free(list);
    return status;
}
