#include "experiments/simulations.h"
#include "trace.inc"
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void ex_simulation_key(const struct ex_question *question, char key[EX_SIMULATION_KEY])
{
    const struct jrx_cache_geometry *geometry = &question->geometry;
    const struct kn_shape *s = &question->shape;
    const struct kn_tile tile = question->kernel->resolve(s, &question->tile);
    char layer[64], tiling[KN_TILE_TEXT];
    int at = snprintf(
        key, EX_SIMULATION_KEY, "sources %s; %s %s n=%d grid=%dx%d tile %s sample=%d line=%u", BUILD_TRACE,
        question->kernel->name, kn_layer_format(question->kernel->op, s, layer, sizeof layer), s->n, s->f, s->t,
        kn_tile_format(&tile, KN_TILE_ALL, tiling, sizeof tiling), question->sample, geometry->line_bytes);
    for (unsigned k = 0; k < geometry->levels; k++)
        at += snprintf(key + at, EX_SIMULATION_KEY - (size_t)at, " %llu/%u",
                       (unsigned long long)geometry->level[k].bytes, geometry->level[k].ways);
}

/* The folder, made if need be; 0 if there is to be none. */
static int folder(char *path, size_t size)
{
    const char *own = getenv("JOULERX_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length = -1;
    if (own)
        length = *own ? snprintf(path, size, "%s", own) : -1;
    else if (xdg && *xdg)
        length = snprintf(path, size, "%s/joulerx", xdg);
    else if (home && *home && (length = snprintf(path, size, "%s/.cache", home)) < (int)size) {
        mkdir(path, 0777);
        length = snprintf(path, size, "%s/.cache/joulerx", home);
    }
    if (length < 0 || length >= (int)size)
        return 0;
    mkdir(path, 0777);
    return !access(path, W_OK);
}

static int path_of(const char *key, char *path, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a; the key itself is in the file, so a collision is seen */
    char dir[PATH_MAX];
    for (const char *at = key; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
    return folder(dir, sizeof dir) &&
           snprintf(path, size, "%s/sim-%016llx.json", dir, (unsigned long long)hash) < (int)size;
}

int ex_simulation_load(const char *key, double *number, size_t count)
{
    char path[PATH_MAX];
    const char *whose = "";
    json_t *numbers = NULL, *json = path_of(key, path, sizeof path) ? json_load_file(path, 0, NULL) : NULL;
    int found = json && !json_unpack(json, "{s:s, s:o}", "key", &whose, "number", &numbers) && !strcmp(whose, key) &&
                json_array_size(numbers) == count;
    for (size_t i = 0; i < count && found; i++) {
        found = json_is_number(json_array_get(numbers, i));
        number[i] = json_number_value(json_array_get(numbers, i));
    }
    json_decref(json);
    return found;
}

void ex_simulation_store(const char *key, const double *number, size_t count)
{
    char path[PATH_MAX], part[PATH_MAX + 32];
    if (!path_of(key, path, sizeof path))
        return;
    json_t *numbers = json_array(), *json = json_pack("{s:s, s:o}", "key", key, "number", numbers);
    for (size_t i = 0; i < count && json; i++)
        json_array_append_new(numbers, json_real(number[i]));
    snprintf(part, sizeof part, "%s.%ld", path, (long)getpid());
    if (!json || json_dump_file(json, part, 0) || rename(part, path))
        unlink(part);
    json_decref(json);
}
