/* What cannot be told apart, and what would have to be measured to tell it apart. */
#include "experiments/fit_report.h"
#include <math.h>
#include <string.h>

/* A part of a term's name, in lower case, and the kernel in which such a term varies alone; the first match counts. */
static const struct {
    const char *part, *kernel;
} kernels[] = {
    {"dram", "loads over a working set beyond L3"},
    {"mem", "loads over a working set beyond L3"},
    {"llc", "loads that stay in L3, and loads beyond it"},
    {"l3", "loads that stay in L3"},
    {"cache", "loads over working sets from L1 to memory"},
    {"l2", "loads that stay in L2"},
    {"l1", "loads that stay in L1"},
    {"flop", "multiply-adds in registers, without loads"},
    {"instr", "a spin loop: instructions without FLOPs or loads"},
    {"time", "spin and idle windows of several lengths"},
    {"cycle", "spin and idle windows of several lengths"},
};

const char *ex_separating_kernel(const char *term)
{
    char lower[EX_TERM_TEXT];
    size_t i = 0;
    for (; term[i] && i + 1 < sizeof lower; i++)
        lower[i] = term[i] >= 'A' && term[i] <= 'Z' ? (char)(term[i] - 'A' + 'a') : term[i];
    lower[i] = '\0';
    if (!strcmp(lower, "1"))
        return "idle windows, in which nothing else varies";
    for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++)
        if (strstr(lower, kernels[k].part))
            return kernels[k].kernel;
    return "kernels in which it varies and the other terms stay";
}

/* The other term that goes most together with j; -1: none. */
static int partner(const struct em_fit *fit, int j)
{
    int best = -1;
    for (int k = 0; k < fit->cols; k++)
        if (k != j && !isnan(fit->coefficient[j].correlation[k]) &&
            (best < 0 || fabs(fit->coefficient[j].correlation[k]) > fabs(fit->coefficient[j].correlation[best])))
            best = k;
    return best;
}

const char *ex_fit_advice(const struct ex_fit_report *report, int j, char text[EX_ADVICE])
{
    const struct em_fit *fit = report->fit;
    const char *name = report->input->names[j];
    int with = partner(fit, j);
    text[0] = '\0';
    if (fit->coefficient[j].verdict == EM_IDENTIFIED)
        return text;
    size_t used = (size_t)snprintf(text, EX_ADVICE, "%s is %s", name, em_verdict_text(fit->coefficient[j].verdict));
    if (fit->coefficient[j].verdict == EM_NO_INTERVAL) {
        snprintf(text + used, EX_ADVICE - used, "; %d blocks, %d resamples solved: give at least %d groups",
                 fit->blocks, fit->resamples_solved, EM_BLOCKS_LEAST);
        return text;
    }
    if (with >= 0 && used < EX_ADVICE)
        used += (size_t)snprintf(text + used, EX_ADVICE - used, " (goes with %s, r = %.3f)", report->input->names[with],
                                 fit->coefficient[j].correlation[with]);
    if (used < EX_ADVICE)
        used += (size_t)snprintf(text + used, EX_ADVICE - used, "; further kernels that would separate it: %s",
                                 ex_separating_kernel(name));
    if (with >= 0 && used < EX_ADVICE &&
        strcmp(ex_separating_kernel(name), ex_separating_kernel(report->input->names[with])))
        snprintf(text + used, EX_ADVICE - used, "; %s", ex_separating_kernel(report->input->names[with]));
    return text;
}

int ex_fit_warnings(const struct ex_fit_report *report, char (*text)[EX_ADVICE])
{
    const struct em_fit *fit = report->fit;
    int count = 0;
    if (report->input->is_estimated)
        snprintf(text[count++], EX_ADVICE,
                 "%s is estimated: the coefficients are those of the profile, not of a machine",
                 report->request->response);
    for (int j = 0; j < fit->cols; j++)
        count += *ex_fit_advice(report, j, text[count]) != '\0';
    for (int j = 0; j < fit->cols; j++) {
        const struct em_coefficient *c = &fit->coefficient[j];
        if ((c->huber < c->interval.low || c->huber > c->interval.high) && count < EX_FIT_WARNINGS - 2)
            snprintf(text[count++], EX_ADVICE, "outliers decide %s: robust %.6g is outside of its interval",
                     report->input->names[j], c->huber);
    }
    if (report->input->missing)
        snprintf(text[count++], EX_ADVICE, "%zu rows without a value left out", report->input->missing);
    return count;
}
