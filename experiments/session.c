/* The folder of a run, its meter, and what is written about it: the part of runner.h that is not experiments. */
#include "experiments/runner.h"
#include "harness/base/error.h"
#include "harness/crosscheck.h"
#include "harness/interrupt.h"
#include "harness/machine.h"
#include "harness/provenance.h"
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <omp.h>
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

/* What a resumed run must keep from the first part: session.json. */
static int settings_write(const struct ex_session *session)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/session.json", session->dir);
    json_t *json = json_pack("{s:s, s:s, s:s}", "preset", session->settings.preset->name, "seed", "", "meter",
                             session->meter.ops->name);
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)session->settings.seed);
    int failed =
        !json || json_object_set_new(json, "seed", json_string(seed)) || json_dump_file(json, path, JSON_INDENT(2));
    json_decref(json);
    return failed ? jrx_fail(JRX_EIO, "%s: %s", path, strerror(errno)) : 0;
}

static int settings_read(struct ex_session *session, const char **meter, json_t **keep)
{
    char path[PATH_MAX + 16];
    const char *preset, *seed, *used;
    json_error_t error;
    snprintf(path, sizeof path, "%s/session.json", session->dir);
    *keep = json_load_file(path, 0, &error);
    if (!*keep || json_unpack(*keep, "{s:s, s:s, s:s}", "preset", &preset, "seed", &seed, "meter", &used))
        return jrx_fail(JRX_EFORMAT, "%s: %s; --resume needs the folder of an interrupted run", path,
                        *keep ? "not written by this program" : error.text);
    session->settings.preset = ex_preset_find(preset);
    session->settings.seed = strtoull(seed, NULL, 10);
    if (*meter && strcmp(*meter, used) && strcmp(*meter, "auto"))
        return jrx_fail(JRX_EINVAL, "--meter=%s: the run was started with %s; energies of two meters do not mix",
                        *meter, used);
    *meter = used;
    return session->settings.preset ? 0 : JRX_EINVAL;
}

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

static int open_meter(struct ex_session *session, const struct ex_session_options *options, const char *name)
{
    const struct jrx_meter_config config = {.sysfs = options->sysfs, .profile = options->profile};
    int status = jrx_meter_open(&session->meter, name, &config);
    if (status)
        return status;
    if ((status = jrx_window_open(&session->window, &session->meter, 0)))
        return status;
    for (size_t i = 0; i < session->meter.warnings.count; i++) {
        const struct jrx_warning *w = &session->meter.warnings.item[i];
        jrx_warn(&session->warnings, w->code, w->value, w->threshold, w->remedy, "%s", w->text);
    }
    if (jrx_crosscheck_kernel(&session->warnings, &config) < 0)
        jrx_warn(&session->warnings, "crosscheck", NAN, NAN, "joulerx doctor shows every meter", "%s",
                 jrx_last_error());
    if (jrx_sde_open(&session->sde))
        session->sde =
            NULL; /* another session of this process publishes already, or PAPI has no SDE: nothing is lost */
    struct jrx_machine_state state;
    jrx_machine_state_read(&state, options->sysfs, NULL);
    jrx_quality_state(&session->warnings, &state);
    return 0;
}

int ex_session_open(struct ex_session *session, const struct ex_session_options *options)
{
    const char *meter = options->meter;
    json_t *kept = NULL;
    memset(session, 0, sizeof *session);
    session->settings = (struct ex_settings){.seed = options->seed_given ? options->seed : 1,
                                             .threads = options->threads > 0 ? options->threads : omp_get_num_procs(),
                                             .sysfs = options->sysfs};
    session->settings.preset = ex_preset_find(options->preset ? options->preset : "quick");
    if (!session->settings.preset)
        return JRX_EINVAL;
    jrx_progress_init(&session->progress, stderr, options->quiet ? JRX_PROGRESS_QUIET : JRX_PROGRESS_AUTO);
    int status = jrx_provenance_new(&session->provenance, "", options->argc, options->argv, session->settings.seed);
    if (!status)
        status = open_folder(session, options);
    if (!status && options->resume)
        status = settings_read(session, &meter, &kept);
    if (!status)
        status = open_meter(session, options, meter);
    if (!status && !options->resume)
        status = settings_write(session);
    json_decref(kept);
    if (!status)
        status = jrx_interrupt_catch();
    if (status)
        ex_session_close(session);
    return status;
}

int ex_session_plan(struct ex_session *session, const struct ex_experiment *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ex_plan plan = {.reps = 1};
        int status = list[i]->plan(&session->settings, &plan);
        if (status)
            return status;
        jrx_progress_plan(&session->progress, list[i]->name, (uint32_t)(plan.cells * plan.reps), plan.item_s);
    }
    return 0;
}

int ex_session_finish(struct ex_session *session)
{
    char path[PATH_MAX + 16];
    struct jrx_provenance *p = session->provenance;
    int status = jrx_provenance_set(p, "preset", json_string(session->settings.preset->name));
    if (!status)
        status = jrx_provenance_meter(p, session->meter.ops->name, jrx_source_name(session->meter.source));
    if (!status)
        status = jrx_provenance_counters(p, "cachesim", jrx_source_name(JRX_SIMULATED));
    for (size_t i = 0; i < session->warnings.count && !status; i++)
        status = jrx_provenance_warn(p, &session->warnings.item[i]);
    snprintf(path, sizeof path, "%s/meta.json", session->dir);
    return status ? status : jrx_provenance_write(p, path);
}

void ex_session_close(struct ex_session *session)
{
    jrx_progress_fini(&session->progress);
    jrx_sde_close(session->sde);
    jrx_window_close(&session->window);
    jrx_meter_close(&session->meter);
    jrx_provenance_free(session->provenance);
    jrx_interrupt_release();
    memset(session, 0, sizeof *session);
}
