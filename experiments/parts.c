#include "experiments/parts.h"
#include "harness/base/error.h"
#include "harness/base/file.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_cpu(const char *key)
{
    static const char *const keys[] = {"cpu", "vendor", "family", "model", "stepping"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strcmp(key, keys[i]))
            return 1;
    return 0;
}

/* One way in which a part differs from the first. */
static int differs(const char *dir, const char *run_id, const json_t *difference, struct jrx_warnings *warnings)
{
    const char *key = json_string_value(json_object_get(difference, "key"));
    char *a = json_dumps(json_object_get(difference, "a"), JSON_ENCODE_ANY),
         *b = json_dumps(json_object_get(difference, "b"), JSON_ENCODE_ANY);
    int status = !a || !b ? jrx_fail(JRX_ENOMEM, "%s: no memory", dir) : 0;
    if (!status && is_cpu(key))
        status =
            jrx_fail(JRX_EINVAL,
                     "%s: was begun where %s is %.60s, here it is %.60s: different machines are not averaged; go on "
                     "there, or start a run of its own",
                     dir, key, a, b);
    else if (!status)
        jrx_warn(warnings, "parts_differ", NAN, NAN, "a run in one piece, or parts of one build",
                 "%s of part %s is %.80s, and was %.80s in the first part", key, run_id, b, a);
    free(a);
    free(b);
    return status;
}

static int compare(const char *dir, const json_t *parts, struct jrx_warnings *warnings)
{
    const json_t *first = json_object_get(json_array_get(parts, 0), "identity");
    int status = 0;
    for (size_t i = 1; i < json_array_size(parts) && !status; i++) {
        const json_t *part = json_array_get(parts, i), *difference;
        const char *run_id = json_string_value(json_object_get(part, "run_id"));
        json_t *list = NULL;
        size_t k;
        int count = jrx_identity_compare(first, json_object_get(part, "identity"), &list);
        status = count < 0 ? count : 0;
        json_array_foreach(list, k, difference)
        {
            if (!status)
                status = differs(dir, run_id ? run_id : "?", difference, warnings);
        }
        json_decref(list);
    }
    return status;
}

static json_t *load(const char *dir, char path[PATH_MAX + 16])
{
    snprintf(path, PATH_MAX + 16, "%s/parts.json", dir);
    return json_load_file(path, 0, NULL);
}

int ex_parts_begin(const char *dir, const struct jrx_provenance *provenance, struct jrx_warnings *warnings)
{
    char path[PATH_MAX + 16], *text = NULL;
    json_t *parts = load(dir, path);
    int status = 0;
    if (!parts && !access(path, F_OK))
        return jrx_fail(JRX_EFORMAT, "%s: is no JSON; remove it, and what made the first parts is not known", path);
    if (!parts)
        parts = json_array();
    if (!json_is_array(parts) ||
        json_array_append_new(parts, json_pack("{s:s, s:O}", "run_id", jrx_run_id(provenance), "identity",
                                               jrx_provenance_identity(provenance))))
        status = jrx_fail(JRX_EFORMAT, "%s: holds no list of parts; remove it", path);
    if (!status)
        status = compare(dir, parts, warnings);
    if (!status && !(text = json_dumps(parts, JSON_INDENT(1))))
        status = jrx_fail(JRX_ENOMEM, "%s: no memory", path);
    if (!status)
        status = jrx_file_replace(path, text, "make room or give another folder with --out");
    free(text);
    json_decref(parts);
    return status;
}

json_t *ex_parts_json(const char *dir)
{
    char path[PATH_MAX + 16];
    json_t *parts = load(dir, path);
    if (json_array_size(parts) > 1)
        return parts;
    json_decref(parts);
    return NULL;
}
