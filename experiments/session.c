/* The folder of a run, its meter, and what is written about it: the part of runner.h that is not experiments. */
#include "experiments/doctor.h"
#include "experiments/parts.h"
#include "experiments/runner.h"
#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/crosscheck.h"
#include "harness/interrupt.h"
#include "harness/machine.h"
#include "harness/provenance.h"
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_folders(const char *path)
{
    char part[PATH_MAX];
    for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", slash ? (int)(slash - path) : (int)strlen(path), path);
        if (mkdir(part, 0777) && errno != EEXIST)
            return jrx_fail(errno == EACCES || errno == EROFS ? JRX_EPERMISSION : JRX_EIO, "%s: %s; use --out=DIR",
                            part, strerror(errno));
        if (!slash)
            return 0;
    }
}

/* The newest run of this kind that has no report of its end. Run ids sort by time. */
static int newest_unfinished(const char *kind, char *dir, size_t size)
{
    char folder[PATH_MAX], meta[PATH_MAX + NAME_MAX + 16], best[NAME_MAX + 1] = "";
    snprintf(folder, sizeof folder, "results/%s", kind);
    DIR *open = opendir(folder);
    for (struct dirent *entry; open && (entry = readdir(open));) {
        snprintf(meta, sizeof meta, "%s/%s/meta.json", folder, entry->d_name);
        if (entry->d_name[0] != '.' && access(meta, F_OK) && strcmp(entry->d_name, best) > 0)
            snprintf(best, sizeof best, "%s", entry->d_name);
    }
    if (open)
        closedir(open);
    if (!*best)
        return jrx_fail(JRX_EINVAL, "--resume: no unfinished run in %s; start one without --resume", folder);
    return snprintf(dir, size, "%s/%s", folder, best) < (int)size ? 0
                                                                  : jrx_fail(JRX_EINVAL, "%s: path too long", folder);
}

/* ---- what a resumed run must keep from the first part: session.json ------------------------------------------------
 */

/* Options that are kept as they were given, and why two parts may not differ in one. */
static const struct kept {
    const char *key;
    size_t offset;
    const char *why;
} kept[] = {
    {"meter", offsetof(struct ex_session_options, meter), "energies of two meters do not mix"},
    {"profile", offsetof(struct ex_session_options, profile), "energies of two profiles do not mix"},
    {"recording", offsetof(struct ex_session_options, recording), "energies of two recordings do not mix"},
    {"counters", offsetof(struct ex_session_options, counters), "its rows have other columns"},
    {"caches", offsetof(struct ex_session_options, caches), "traffic of two caches does not mix"},
};
enum { KEPT = sizeof kept / sizeof *kept };

static const char **option_of(struct ex_session_options *options, size_t i)
{
    return (const char **)(void *)((char *)options + kept[i].offset);
}

static int settings_write(const struct ex_session *session, struct ex_session_options *options)
{
    char path[PATH_MAX + 16], seed[24];
    snprintf(path, sizeof path, "%s/session.json", session->dir);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)session->settings.seed);
    if (session->meter.ops)
        options->meter = session->meter.ops->name; /* what `auto` found */
    json_t *json = json_pack("{s:o, s:s}", "preset", ex_preset_json(&session->preset), "seed", seed);
    int failed = !json;
    for (size_t i = 0; i < KEPT && !failed; i++)
        if (*option_of(options, i))
            failed = json_object_set_new(json, kept[i].key, json_string(*option_of(options, i)));
    char *text = failed ? NULL : json_dumps(json, JSON_INDENT(2));
    int status = text ? jrx_file_replace(path, text, "make room or give another folder with --out")
                      : jrx_fail(JRX_ENOMEM, "%s: no memory", path);
    free(text);
    json_decref(json);
    return status;
}

/* Fills what was not given from the first part; *keep: holds the texts. */
static int settings_read(struct ex_session *session, struct ex_session_options *options, json_t **keep)
{
    char path[PATH_MAX + 16];
    const char *seed;
    json_t *preset;
    json_error_t error;
    snprintf(path, sizeof path, "%s/session.json", session->base);
    *keep = json_load_file(path, 0, &error);
    if (!*keep || json_unpack(*keep, "{s:o, s:s}", "preset", &preset, "seed", &seed))
        return jrx_fail(JRX_EFORMAT, "%s: %s; --resume needs the folder of an interrupted run", path,
                        *keep ? "not written by this program" : error.text);
    if (ex_preset_unpack(&session->preset, preset))
        return jrx_fail(JRX_EFORMAT, "%s: not written by this version; start the run anew", path);
    if (options->preset && strcmp(options->preset, session->preset.name))
        return jrx_fail(JRX_EINVAL, "--preset=%s: the run was started with %s, and keeps it", options->preset,
                        session->preset.name);
    for (int i = 0; i < EX_PRESET_VALUES; i++)
        if (options->changed[i])
            return jrx_fail(JRX_EINVAL, "%s = %s: a run that goes on keeps the values it was started with",
                            ex_preset_key((enum ex_preset_field)i), options->changed[i]);
    session->settings.seed = strtoull(seed, NULL, 10);
    for (size_t i = 0; i < KEPT; i++) {
        const char **given = option_of(options, i), *used = json_string_value(json_object_get(*keep, kept[i].key));
        int is_auto = *given && !strcmp(*given, "auto");
        if (*given && !is_auto && (!used || strcmp(*given, used)))
            return jrx_fail(JRX_EINVAL, "--%s=%s: the run was started with %s; %s", kept[i].key, *given,
                            used ? used : "the default", kept[i].why);
        *given = used;
    }
    return 0;
}

/* ---- folder, meter, counters ------------------------------------------------------------------------------------ */

static int open_folder(struct ex_session *session, const struct ex_session_options *options)
{
    if (options->resume) {
        if (!*options->resume)
            return newest_unfinished(options->kind, session->dir, sizeof session->dir);
        snprintf(session->dir, sizeof session->dir, "%s", options->resume);
        return 0;
    }
    if (options->out)
        snprintf(session->dir, sizeof session->dir, "%s", options->out);
    else
        snprintf(session->dir, sizeof session->dir, "results/%s/%s", options->kind, jrx_run_id(session->provenance));
    if (!access(session->dir, F_OK) && options->out) {
        char part[PATH_MAX + 16];
        snprintf(part, sizeof part, "%s/session.json", session->dir);
        if (!access(part, F_OK))
            return jrx_fail(JRX_EINVAL,
                            "--out=%s: holds a run already; go on with --resume=%s, or choose another folder",
                            options->out, options->out);
    }
    return make_folders(session->dir);
}

int ex_geometry(const struct ex_settings *settings, struct jrx_cache_geometry *out)
{
    if (!settings->caches.levels)
        return jrx_cache_geometry_read(out);
    *out = settings->caches;
    return 0;
}

/* Where a share of an experiment is written. */
static int shard_folder(struct ex_session *session, const struct ex_session_options *options)
{
    if (snprintf(session->dir, sizeof session->dir, "%s/%s/shards/%d", session->base, options->kind,
                 options->shard.index) >= (int)sizeof session->dir)
        return jrx_fail(JRX_EINVAL, "%s: path too long", session->base);
    return make_folders(session->dir);
}

static int open_meter(struct ex_session *session, const struct ex_session_options *options)
{
    const struct jrx_meter_config config = {
        .sysfs = options->sysfs, .profile = options->profile, .recording = options->recording};
    int status = jrx_meter_open(&session->meter, options->meter, &config);
    if (status)
        return status;
    if ((status = jrx_window_open(&session->window, &session->meter, 0)))
        return status;
    jrx_warnings_add(&session->warnings, &session->meter.warnings);
    if (jrx_crosscheck_kernel(&session->warnings, &config) < 0)
        jrx_warn(&session->warnings, "crosscheck", NAN, NAN, "joulerx doctor shows every meter", "%s",
                 jrx_last_error());
    struct jrx_machine_state state;
    jrx_machine_state_read(&state, options->sysfs, NULL);
    jrx_quality_state(&session->warnings, &state);
    return 0;
}

static int open_counters(struct ex_session *session, const struct ex_session_options *options)
{
    struct jrx_cache_geometry caches;
    if (options->unpublished || jrx_sde_open(&session->sde))
        session->sde =
            NULL; /* another session of this process publishes already, or PAPI has no SDE: nothing is lost */
    int status = ex_geometry(&session->settings, &caches);
    const struct ex_observer_options wanted = {.counters = options->counters,
                                               .caches = &caches,
                                               .sysfs = options->sysfs,
                                               .threads = session->settings.threads,
                                               .sde = session->sde};
    return status ? status : ex_observer_open(&session->observer, &session->meter, &wanted, &session->warnings);
}

/* What networks the settings mean. */
static int open_zoo(struct ex_session *session)
{
    struct ex_preset preset = session->preset;
    char path[PATH_MAX + 64];
    /* a run has a copy of the teacher it was given: it goes on, and is looked at, without the original */
    snprintf(path, sizeof path, "%s/models/teacher.safetensors", session->base);
    if (*preset.teacher && !access(path, R_OK) && strlen(path) < sizeof preset.teacher)
        memcpy(preset.teacher, path, strlen(path) + 1);
    int status = ex_zoo_new(&session->zoo, &preset, session->settings.seed);
    session->settings.zoo = session->zoo;
    return status ? status : ex_guess_speed(&session->settings);
}

/* Of a run that could not be started: only if nothing else is in it. */
static void drop_folder(const char *dir)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/session.json", dir);
    if (!access(path, F_OK))
        return;
    snprintf(path, sizeof path, "%s/doctor.json", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/parts.json", dir);
    unlink(path);
    rmdir(dir);
}

static int open_tiles(struct ex_session *session)
{
    int status = ex_tiles_read(&session->tiles);
    session->tilings = ex_tilings(&session->tiles);
    session->settings.tilings = &session->tilings;
    return status;
}

int ex_session_open(struct ex_session *session, const struct ex_session_options *given)
{
    struct ex_session_options options = *given;
    json_t *keep = NULL;
    memset(session, 0, sizeof *session);
    session->strict = options.strict;
    session->settings = (struct ex_settings){.seed = options.seed_given ? options.seed : 1,
                                             .threads = options.threads > 0 ? options.threads : omp_get_num_procs(),
                                             .shard = options.shard,
                                             .sysfs = options.sysfs};
    session->settings.preset = &session->preset;
    jrx_progress_init(&session->progress, stderr, options.quiet ? JRX_PROGRESS_QUIET : JRX_PROGRESS_AUTO);
    int status = options.resume ? 0 : ex_options_preset(&options, &session->preset);
    if (!status)
        status = jrx_provenance_new(&session->provenance, "", options.argc, options.argv, session->settings.seed);
    if (!status)
        status = open_folder(session, &options);
    snprintf(session->base, sizeof session->base, "%s", session->dir);
    if (!status && options.resume)
        status = settings_read(session, &options, &keep);
    if (!status)
        status = open_zoo(session);
    if (!status)
        status = open_tiles(session);
    if (!status && options.shard.count)
        status = shard_folder(session, &options);
    if (!status && options.caches)
        status = jrx_cache_geometry_parse(options.caches, &session->settings.caches);
    if (!status && !options.caches) /* once: on a busy machine it takes many milliseconds, and labels ask for it */
        status = jrx_cache_geometry_read(&session->settings.caches);
    if (!status)
        status = ex_doctor_keep(options.sysfs, session->dir);
    if (!status)
        status = open_meter(session, &options);
    if (!status)
        status = open_counters(session, &options);
    if (!status)
        status = ex_parts_begin(session->dir, session->provenance, &session->warnings);
    if (!status && session->strict)
        status = jrx_quality_strict(&session->warnings);
    if (!status && !options.resume)
        status = settings_write(session, &options);
    json_decref(keep);
    if (!status)
        status = jrx_interrupt_catch();
    if (status) {
        if (!options.resume && *session->dir)
            drop_folder(session->dir);
        ex_session_close(session);
    }
    return status;
}

int ex_session_prepare(const struct ex_session_options *given, char dir[PATH_MAX])
{
    struct ex_session_options options = *given;
    struct ex_session session = {.settings = {.seed = options.seed_given ? options.seed : 1}};
    session.settings.preset = &session.preset;
    int status = ex_options_preset(&options, &session.preset);
    if (!status)
        status = jrx_provenance_new(&session.provenance, "", options.argc, options.argv, session.settings.seed);
    if (!status)
        status = open_folder(&session, &options);
    if (!status)
        status = settings_write(&session, &options);
    snprintf(dir, PATH_MAX, "%s", session.dir);
    jrx_provenance_free(session.provenance);
    return status;
}

int ex_session_read(struct ex_session *session, const char *dir)
{
    struct ex_session_options options = {.preset = NULL};
    json_t *keep = NULL;
    memset(session, 0, sizeof *session);
    session->settings.preset = &session->preset;
    snprintf(session->base, sizeof session->base, "%s", dir);
    snprintf(session->dir, sizeof session->dir, "%s", dir);
    int status = settings_read(session, &options, &keep);
    json_decref(keep);
    return status ? status : open_zoo(session);
}

int ex_session_plan(struct ex_session *session, const struct ex_experiment *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ex_plan plan = {.reps = 1};
        char samples[2 * PATH_MAX];
        int status = list[i]->plan(&session->settings, &plan);
        if (status)
            return status;
        if (plan.nothing)
            plan.cells = 0;
        snprintf(samples, sizeof samples, "%s/%s/samples.csv", session->dir, list[i]->name);
        if (!access(samples, F_OK)) /* finished before: its items are counted, and take no time */
            plan.item_s = 0;
        jrx_progress_plan(&session->progress, list[i]->name, (uint32_t)(plan.cells * plan.reps), plan.item_s);
    }
    return 0;
}

int ex_session_finish(struct ex_session *session)
{
    char path[PATH_MAX + 16];
    struct jrx_provenance *p = session->provenance;
    int status = jrx_provenance_set(p, "preset", json_string(session->preset.name));
    if (!status)
        status = jrx_provenance_meter(p, session->meter.ops->name, jrx_source_name(session->meter.source));
    if (!status)
        status = jrx_provenance_counters(p, "cachesim", jrx_source_name(JRX_SIMULATED));
    if (!status)
        status = jrx_provenance_set(p, "hardware_counters", ex_observer_counters_json(&session->observer));
    if (!status)
        status = jrx_provenance_set(p, "truth", ex_observer_truth_json(&session->observer));
    if (!status)
        status = jrx_provenance_set(p, "tiles", ex_tiles_json(&session->tiles));
    for (size_t i = 0; i < session->warnings.count && !status; i++)
        status = jrx_provenance_warn(p, &session->warnings.item[i]);
    if (session->settings.shard.count && !status && !gethostname(path, sizeof path))
        status = jrx_provenance_set(p, "host", json_string(path));
    json_t *parts = ex_parts_json(session->dir);
    if (parts && !status)
        status = jrx_provenance_set(p, "parts", json_incref(parts));
    json_decref(parts);
    snprintf(path, sizeof path, "%s/meta.json", session->dir);
    return status ? status : jrx_provenance_write(p, path);
}

void ex_session_close(struct ex_session *session)
{
    jrx_progress_fini(&session->progress);
    ex_observer_close(&session->observer);
    jrx_sde_close(session->sde);
    jrx_window_close(&session->window);
    jrx_meter_close(&session->meter);
    jrx_provenance_free(session->provenance);
    ex_zoo_free(session->zoo);
    ex_tiles_fini(&session->tiles);
    jrx_interrupt_release();
    memset(session, 0, sizeof *session);
}
