#include "experiments/report.h"
#include "experiments/figure.h"
#include "experiments/slurm.h"
#include "harness/base/error.h"
#include "harness/provenance.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void folder_of(const char *dir, const struct ex_experiment *experiment, char *text, size_t size)
{
    snprintf(text, size, "%s/%s", dir, experiment->name);
}

static void print_figure(FILE *to, const struct ex_claim *claim)
{
    char text[64] = "-";
    if (!isnan(claim->figure) && !isnan(claim->lo))
        snprintf(text, sizeof text, "%.3g [%.3g, %.3g]", claim->figure, claim->lo, claim->hi);
    else if (!isnan(claim->figure))
        snprintf(text, sizeof text, "%.3g", claim->figure);
    fprintf(to, "%-24s %s", text, jrx_source_name(claim->source));
}

int ex_report_claims(FILE *to, const char *dir, const struct ex_experiment *const *list, size_t count)
{
    struct ex_claim *claims = calloc(EX_MAX_CLAIMS, sizeof *claims);
    int status = claims ? 0 : jrx_fail(JRX_ENOMEM, "no memory for claims");
    fprintf(to, "\n%-16s %-16s %-24s %s\n", "claim", "verdict", "figure [95 % interval]", "source");
    for (size_t i = 0; i < count && status >= 0; i++) {
        char folder[PATH_MAX + 64];
        folder_of(dir, list[i], folder, sizeof folder);
        status = ex_claims_read(folder, claims, EX_MAX_CLAIMS);
        for (int k = 0; k < status; k++) {
            const struct ex_claim *c = &claims[k];
            fprintf(to, "%-16s %-16s ", c->id,
                    c->verdict == EX_NOT_TESTABLE ? "not testable" : ex_verdict_name(c->verdict));
            print_figure(to, c);
            fprintf(to, "\n    %s\n", c->statement);
            if (c->verdict == EX_NOT_TESTABLE)
                fprintf(to, "    %s\n", ex_verdict_name(c->verdict));
            if (*c->note)
                fprintf(to, "    %s\n", c->note);
        }
    }
    free(claims);
    return status < 0 ? status : 0;
}

static int is_old(const char *path, const struct ex_experiment *experiment)
{
    struct jrx_csv *csv;
    int status = jrx_csv_read(&csv, path, experiment->summary);
    jrx_csv_free(csv);
    return status == JRX_EFORMAT;
}

int ex_report_figures(const char *dir, const struct ex_experiment *const *list, size_t count, char *old, size_t size)
{
    char folder[PATH_MAX + 64], path[PATH_MAX + 128];
    json_t *meta;
    int found = 0;
    *old = 0;
    snprintf(path, sizeof path, "%s/meta.json", dir);
    int status = jrx_provenance_read(&meta, path);
    if (status)
        return status;
    const char *source = json_string_value(json_object_get(json_object_get(meta, "meter"), "source"));
    for (size_t i = 0; i < count && !status; i++) {
        folder_of(dir, list[i], folder, sizeof folder);
        snprintf(path, sizeof path, "%s/summary.csv", folder);
        if (access(path, R_OK))
            continue;
        found++;
        if (is_old(path, list[i]))
            snprintf(old + strlen(old), size - strlen(old), " %s", list[i]->name);
        else
            status = ex_draw(list[i], folder, source ? source : "unknown");
    }
    json_decref(meta);
    if (!status && !found)
        status = jrx_fail(JRX_EINVAL, "%s: no <experiment>/summary.csv in it; give the folder of a run", dir);
    return status;
}

int ex_session_do(const struct ex_session_options *options, const struct ex_experiment *const *list, size_t count)
{
    struct ex_session session;
    char page[PATH_MAX + 32];
    if (options->dry)
        return ex_session_list(options, list, count, stdout);
    if (options->slurm)
        return ex_slurm_submit(options, list, count, stdout);
    if (options->shard.count && (count != 1 || !options->resume || !*options->resume))
        return jrx_fail(JRX_EINVAL, "--shard=%d/%d: is for one experiment, and needs --resume=DIR",
                        options->shard.index, options->shard.count);
    int status = ex_session_open(&session, options);
    if (status)
        return status;
    if (!options->quiet)
        fprintf(stderr, "run %s\npreset %s, %d threads, seed %llu; energy: %s (meter %s)\n", session.dir,
                session.settings.preset->name, session.settings.threads, (unsigned long long)session.settings.seed,
                jrx_source_name(session.meter.source), session.meter.ops->name);
    if (!options->quiet) {
        ex_observer_print(&session.observer, stderr);
        fprintf(stderr, "%s\n", ex_tiles_say(&session.tiles, page, sizeof page));
        status = ex_session_expect(&session.settings, options->profile, list, count, stderr);
    }
    if (!status)
        status = ex_session_plan(&session, list, count);
    for (size_t i = 0; i < count && !status; i++)
        status = ex_session_run(&session, list[i], (unsigned)i);
    if (!status)
        status = ex_session_finish(&session);
    if (options->shard.count) {
        ex_session_close(&session);
        return status;
    }
    if (!status)
        status = ex_report_html(session.dir, list, count, page, sizeof page);
    jrx_progress_fini(&session.progress);
    if (!status)
        status = ex_report_claims(stdout, session.dir, list, count);
    if (!status)
        printf("\n%s\n", page);
    const int one = strcmp(options->kind, "reproduce") && strcmp(options->kind, "run"); /* an experiment's name */
    if (status == JRX_EINTERRUPTED)
        status = jrx_fail(JRX_EINTERRUPTED, "interrupted; what was finished is kept. Go on with: %s %s%s --resume=%s",
                          program_invocation_name, one ? "run " : "",
                          strcmp(options->kind, "run") ? options->kind : "run NAME...", session.dir);
    ex_session_close(&session);
    return status;
}
