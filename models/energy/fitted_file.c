/* The file of a machine's coefficients: see fitted.h. */
#include "harness/base/error.h"
#include "models/energy/fitted.h"
#include <errno.h>
#include <ini.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pico = 1e-12;
static const char covariance_with[] = "covariance_";

static double si_per_unit(int term)
{
    return term < EM_TERM_FLOP ? 1 : pico;
}

/* ---- writing ---- */

static void print_number(FILE *to, const char *key, double value)
{
    if (!isnan(value))
        fprintf(to, "%s = %.17g\n", key, value);
}

static void print_term(const struct em_fitted *fitted, int r, int k, FILE *to)
{
    double scale = si_per_unit(k);
    fprintf(to, "\n[%s.%s]\nvalue = %.17g\nunit = %s\n", em_response_name((enum em_response)r),
            em_term_name((enum em_term)k), fitted->value[k] / scale, em_term_unit((enum em_term)k));
    print_number(to, "low", fitted->interval[k].low / scale);
    print_number(to, "high", fitted->interval[k].high / scale);
    fprintf(to, "verdict = %s\n", em_verdict_text(fitted->verdict[k]));
    for (int other = 0; other <= k; other++)
        if (fitted->used[other])
            fprintf(to, "%s%s = %.17g\n", covariance_with, em_term_name((enum em_term)other),
                    fitted->covariance[k][other] / scale / si_per_unit(other));
}

int em_profile_print(const struct em_profile *profile, FILE *to)
{
    fprintf(to, "[profile]\nname = %s\ncpu = %s\nsource = %s\nabout = %s\n", profile->name, profile->cpu,
            profile->source, profile->about);
    for (int r = 0; r < EM_RESPONSES; r++) {
        const struct em_fitted *fitted = &profile->of[r];
        if (!fitted->fitted)
            continue;
        fprintf(to, "\n[%s]\nblocks = %d\n", em_response_name((enum em_response)r), fitted->blocks);
        print_number(to, "freedom", fitted->freedom);
        print_number(to, "confidence_percent", 100 * fitted->confidence_ratio);
        print_number(to, "left_out_mape_percent", 100 * fitted->left_out_mape_ratio);
        for (int k = 0; k < EM_TERMS; k++)
            if (fitted->used[k])
                print_term(fitted, r, k, to);
    }
    return ferror(to) ? jrx_fail(JRX_EIO, "profile %s: cannot be written: %s", profile->name, strerror(errno)) : 0;
}

/* ---- reading ---- */

struct loading {
    const char *path;
    struct em_profile *profile;
    int status;
};

static int bad(struct loading *l, const char *section, const char *key, const char *what, const char *value)
{
    if (!l->status)
        l->status = jrx_fail(JRX_EFORMAT, "%s: [%s] %s = '%s': %s", l->path, section, key, value, what);
    return 0;
}

static int read_text(struct loading *l, char *to, size_t size, const char *key, const char *value)
{
    if (strlen(value) >= size)
        return bad(l, "profile", key, "too long", value);
    memcpy(to, value, strlen(value) + 1);
    return 1;
}

static int on_head(struct loading *l, const char *key, const char *value)
{
    struct em_profile *p = l->profile;
    const struct {
        const char *key;
        char *to;
        size_t size;
    } fields[] = {{"name", p->name, sizeof p->name},
                  {"cpu", p->cpu, sizeof p->cpu},
                  {"source", p->source, sizeof p->source},
                  {"about", p->about, sizeof p->about}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!strcmp(key, fields[i].key))
            return read_text(l, fields[i].to, fields[i].size, key, value);
    return bad(l, "profile", key, "no such key; there are name, cpu, source, about", value);
}

static int on_response(struct loading *l, const char *section, struct em_fitted *fitted, const char *key, double value)
{
    fitted->fitted = 1;
    if (!strcmp(key, "blocks"))
        fitted->blocks = (int)value;
    else if (!strcmp(key, "freedom"))
        fitted->freedom = value;
    else if (!strcmp(key, "confidence_percent"))
        fitted->confidence_ratio = value / 100;
    else if (!strcmp(key, "left_out_mape_percent"))
        fitted->left_out_mape_ratio = value / 100;
    else
        return bad(l, section, key, "no such key; blocks, freedom, confidence_percent, left_out_mape_percent", "");
    return 1;
}

/* Where a number of term k belongs, and what its unit is in SI. */
static double *place_of(struct em_fitted *fitted, int k, const char *key, double *si)
{
    int other =
        strncmp(key, covariance_with, sizeof covariance_with - 1) ? -1 : em_term_find(key + sizeof covariance_with - 1);
    *si = si_per_unit(k) * (other < 0 ? 1 : si_per_unit(other));
    if (other >= 0)
        return &fitted->covariance[k][other];
    return !strcmp(key, "value")  ? &fitted->value[k]
           : !strcmp(key, "low")  ? &fitted->interval[k].low
           : !strcmp(key, "high") ? &fitted->interval[k].high
                                  : NULL;
}

static int on_term(struct loading *l, const char *section, struct em_fitted *fitted, int k, const char *key,
                   const char *value)
{
    double si, *to = place_of(fitted, k, key, &si);
    fitted->used[k] = 1;
    if (to) {
        char *end;
        *to = strtod(value, &end) * si;
        return end != value && !*end && isfinite(*to) ? 1 : bad(l, section, key, "is no number", value);
    }
    if (!strcmp(key, "unit"))
        return strcmp(value, em_term_unit((enum em_term)k)) ? bad(l, section, key, "is another unit", value) : 1;
    for (int v = 0; v < EM_VERDICTS && !strcmp(key, "verdict"); v++)
        if (!strcmp(value, em_verdict_text((enum em_verdict)v))) {
            fitted->verdict[k] = (enum em_verdict)v;
            return 1;
        }
    return bad(l, section, key, "not understood; there are value, unit, low, high, verdict, covariance_TERM", value);
}

static int on_pair(void *user, const char *section, const char *key, const char *value)
{
    struct loading *l = user;
    if (!strcmp(section, "profile"))
        return on_head(l, key, value);
    for (int r = 0; r < EM_RESPONSES; r++) {
        const char *name = em_response_name((enum em_response)r);
        size_t length = strlen(name);
        struct em_fitted *fitted = &l->profile->of[r];
        if (strncmp(section, name, length) || (section[length] && section[length] != '.'))
            continue;
        if (!section[length]) {
            char *end;
            double number = strtod(value, &end);
            return end != value && !*end && number > 0 ? on_response(l, section, fitted, key, number)
                                                       : bad(l, section, key, "is no number above 0", value);
        }
        int k = em_term_find(section + length + 1);
        return k < 0 ? bad(l, section, key, "no such term", value) : on_term(l, section, fitted, k, key, value);
    }
    return bad(l, section, key, "no such section", value);
}

static int check(const char *path, const struct em_profile *p)
{
    int any = 0;
    if (!*p->name || !*p->source)
        return jrx_fail(JRX_EFORMAT, "%s: [profile] name and source are needed", path);
    for (int r = 0; r < EM_RESPONSES; r++) {
        const struct em_fitted *f = &p->of[r];
        any |= f->fitted;
        if (f->fitted && (f->blocks < 1 || !(f->freedom > 0) || !(f->confidence_ratio > 0 && f->confidence_ratio < 1)))
            return jrx_fail(JRX_EFORMAT, "%s: [%s] needs blocks, freedom and confidence_percent between 0 and 100",
                            path, em_response_name((enum em_response)r));
        for (int k = 0; k < EM_TERMS; k++)
            if (f->fitted && f->used[k] && (isnan(f->value[k]) || !(f->covariance[k][k] >= 0)))
                return jrx_fail(JRX_EFORMAT, "%s: [%s.%s] needs value and covariance_%s", path,
                                em_response_name((enum em_response)r), em_term_name((enum em_term)k),
                                em_term_name((enum em_term)k));
    }
    return any ? 0 : jrx_fail(JRX_EFORMAT, "%s: neither [package] nor [dram] was fitted", path);
}

/* Numbers that the file does not give: missing, or 0 for the value of a term that was not fitted. */
static void clear(struct em_fitted *fitted)
{
    fitted->left_out_mape_ratio = NAN;
    for (int k = 0; k < EM_TERMS; k++) {
        fitted->value[k] = NAN;
        fitted->interval[k] = (struct em_interval){NAN, NAN};
        fitted->verdict[k] = EM_NO_INTERVAL;
        fitted->covariance[k][k] = NAN;
    }
}

static void complete(struct em_fitted *fitted)
{
    for (int k = 0; k < EM_TERMS; k++) {
        if (!fitted->used[k])
            fitted->value[k] = fitted->covariance[k][k] = 0;
        for (int other = 0; other < k; other++)
            fitted->covariance[other][k] = fitted->covariance[k][other];
    }
}

int em_profile_load(const char *path, struct em_profile *profile)
{
    struct loading l = {.path = path, .profile = profile};
    memset(profile, 0, sizeof *profile);
    for (int r = 0; r < EM_RESPONSES; r++)
        clear(&profile->of[r]);
    FILE *file = fopen(path, "r");
    if (!file)
        return jrx_fail(errno == EACCES   ? JRX_EPERMISSION
                        : errno == ENOENT ? JRX_EINVAL
                                          : JRX_EIO,
                        "%s: %s; give a profile that joulerx run calibrate or fit --profile wrote", path,
                        strerror(errno));
    int line = ini_parse_file(file, on_pair, &l), broken = ferror(file);
    fclose(file);
    if (broken)
        return jrx_fail(JRX_EIO, "%s: cannot be read", path);
    if (l.status)
        return l.status;
    if (line)
        return jrx_fail(JRX_EFORMAT, "%s: line %d is no 'key = value'; correct it", path, line);
    int status = check(path, profile);
    for (int r = 0; r < EM_RESPONSES; r++)
        complete(&profile->of[r]);
    return status;
}
