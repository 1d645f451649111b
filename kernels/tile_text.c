/* Tilings as text: the one place that reads and writes them. */
#include "harness/base/error.h"
#include "kernels/shape.h"
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_MOST = 4 }; /* words of a field, and its "not set" */
static const char *const orders[KN_ORDERS + 1] = {"default", "goi", "gio", "ogi", "igo", NULL};
static const char *const keeps[AT_MOST] = {"default", "yes", "no", NULL};

/* A field holds a number, two numbers with an x between, or one of some words. */
static const struct tile_field {
    const char *name;
    unsigned field;
    size_t offset, second;
    const char *const *word;
} tile_fields[] = {{"oc", KN_TILE_OC, offsetof(struct kn_tile, oc), 0, NULL},
                   {"ic", KN_TILE_IC, offsetof(struct kn_tile, ic), 0, NULL},
                   {"f", KN_TILE_F, offsetof(struct kn_tile, f), 0, NULL},
                   {"t", KN_TILE_T, offsetof(struct kn_tile, t), 0, NULL},
                   {"reg", KN_TILE_REG, offsetof(struct kn_tile, px), offsetof(struct kn_tile, vc), NULL},
                   {"order", KN_TILE_ORDER, offsetof(struct kn_tile, order), 0, orders},
                   {"keep", KN_TILE_KEEP, offsetof(struct kn_tile, keep), 0, keeps}};
enum { TILE_FIELDS = sizeof tile_fields / sizeof *tile_fields };
_Static_assert(sizeof(enum kn_order) == sizeof(int) && sizeof(enum kn_keep) == sizeof(int), "all fields are ints");

const char *kn_order_name(enum kn_order order)
{
    return orders[order];
}

static int *slot_of(const struct kn_tile *tile, size_t offset)
{
    return (int *)((char *)(struct kn_tile *)tile + offset);
}

int kn_tile_number(const char **at)
{
    if (!isdigit((unsigned char)**at))
        return 0;
    char *end;
    long v = strtol(*at, &end, 10);
    *at = end;
    return v > INT_MAX ? 0 : (int)v;
}

/* The number of the word at *at, 1 or more; 0 if it is none of them. */
static int word(const char **at, const char *const *words)
{
    size_t length = strcspn(*at, ",");
    for (int i = 1; words[i]; i++)
        if (strlen(words[i]) == length && !strncmp(*at, words[i], length)) {
            *at += length;
            return i;
        }
    return 0;
}

/* What follows the = of a field. 0 or -1. */
static int value(const struct tile_field *field, const char **at, struct kn_tile *tile)
{
    int *slot = slot_of(tile, field->offset);
    if (*slot || !(*slot = field->word ? word(at, field->word) : kn_tile_number(at)))
        return -1;
    if (!field->second)
        return 0;
    if (*(*at)++ != 'x')
        return -1;
    return (*slot_of(tile, field->second) = kn_tile_number(at)) ? 0 : -1;
}

int kn_tile_parse(const char *text, struct kn_tile *tile)
{
    *tile = (struct kn_tile){0};
    if (!*text || !strcmp(text, "default"))
        return 0;
    for (const char *at = text;; at++) {
        const char *part = at;
        size_t length = strcspn(at, "=,"), i = 0;
        while (i < TILE_FIELDS && (strlen(tile_fields[i].name) != length || strncmp(at, tile_fields[i].name, length)))
            i++;
        at += length;
        if (i == TILE_FIELDS || *at++ != '=' || value(&tile_fields[i], &at, tile) || (*at && *at != ','))
            return jrx_fail(JRX_EINVAL,
                            "tile %s: '%.*s' is not understood; use oc=N,ic=N,f=N,t=N,reg=PIXELSxBLOCKS,"
                            "order=goi|gio|ogi|igo,keep=yes|no, each at most once",
                            text, (int)strcspn(part, ","), part);
        if (!*at)
            return 0;
    }
}

char *kn_tile_format(const struct kn_tile *tile, unsigned fields, char *text, size_t size)
{
    char all[KN_TILE_TEXT] = "";
    for (size_t i = 0, at = 0; i < TILE_FIELDS; i++) {
        const struct tile_field *field = &tile_fields[i];
        int v = *slot_of(tile, field->offset);
        if (!(fields & field->field) || !v)
            continue;
        at += (size_t)snprintf(all + at, sizeof all - at, "%s%s=", at ? "," : "", field->name);
        if (field->word)
            at += (size_t)snprintf(all + at, sizeof all - at, "%s", field->word[v]);
        else if (field->second)
            at += (size_t)snprintf(all + at, sizeof all - at, "%dx%d", v, *slot_of(tile, field->second));
        else
            at += (size_t)snprintf(all + at, sizeof all - at, "%d", v);
    }
    snprintf(text, size, "%s", *all ? all : "default");
    return text;
}
