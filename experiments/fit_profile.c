/* The coefficients of a fit as a machine's profile, for `joulerx estimate --profile`. */
#include "experiments/fit_report.h"
#include "harness/base/error.h"
#include "harness/base/file.h"
#include "models/energy/fitted.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The coefficient's unit where the column's name gives one; "J/1" where it gives none, and --as is believed. */
static int unit_agrees(enum em_term term, const char *unit)
{
    const char *wanted = term <= EM_TERM_CPU ? "W" : term == EM_TERM_FLOP ? "J/FLOP" : "J/B";
    return !strcmp(unit, wanted) || !strcmp(unit, "J/1");
}

static int name_terms(const struct ex_fit_report *r, const char *as, enum em_term term[EM_TERMS])
{
    const int cols = r->fit->cols;
    unsigned seen = 0;
    int count = 0;
    for (const char *at = as; *at; count++) {
        char name[16];
        size_t length = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        int k = em_term_find(name);
        if (k < 0 || seen >> k & 1 || count == cols)
            return jrx_fail(JRX_EINVAL,
                            "--as=%s: '%s'; name each of the %d terms once: time, awake, cpu, flop, l1, l2, l3, dram",
                            as, name, cols);
        if (!unit_agrees((enum em_term)k, r->input->unit[count]))
            return jrx_fail(JRX_EINVAL, "--as=%s: %s is in %s, which is no %s; a profile takes J by s, FLOP and bytes",
                            as, r->input->names[count], r->input->unit[count], name);
        seen |= 1u << k;
        term[count] = (enum em_term)k;
        at += length + (at[length] == ',');
    }
    return count == cols ? 0 : jrx_fail(JRX_EINVAL, "--as=%s: %d names for %d terms", as, count, cols);
}

/* What is to be kept of a file that is there: the other response, of the same source. */
static int begin(const struct ex_fit_report *r, const char *path, struct em_profile *profile)
{
    const char *source = r->input->energy_source;
    if (strcmp(source, "measured") && strcmp(source, "replayed"))
        return jrx_fail(JRX_EINVAL,
                        "--profile=%s: the energy is '%s'; a machine's profile is of measured or replayed energy, as "
                        "the column energy_source or source says",
                        path, source);
    memset(profile, 0, sizeof *profile);
    int status = access(path, F_OK) ? 0 : em_profile_load(path, profile);
    if (!status && *profile->source && strcmp(profile->source, source))
        status = jrx_fail(JRX_EINVAL, "%s: is of %s energy and this fit of %s; give another name", path,
                          profile->source, source);
    snprintf(profile->name, sizeof profile->name, "fitted to %.80s", r->request->path);
    snprintf(profile->source, sizeof profile->source, "%s", source);
    snprintf(profile->about, sizeof profile->about, "joulerx fit, %.60s by %.160s", r->request->response,
             r->request->terms);
    return status;
}

int ex_fit_profile(const struct ex_fit_report *r, const char *as, int dram, const char *path)
{
    struct em_profile profile;
    enum em_term term[EM_TERMS];
    char *text = NULL;
    size_t size;
    int status = name_terms(r, as, term);
    if (!status)
        status = begin(r, path, &profile);
    if (!status)
        status = em_fitted_set(&profile.of[dram ? EM_MEMORY : EM_PACKAGE], r->fit, term);
    if (status)
        return status;
    FILE *to = open_memstream(&text, &size);
    status = to ? em_profile_print(&profile, to) : 0;
    if (!to || (fclose(to) && !status))
        status = jrx_fail(JRX_ENOMEM, "%s: no memory to write it", path);
    if (!status)
        status = jrx_file_replace(path, text, "make room, or give another name");
    free(text);
    return status;
}
