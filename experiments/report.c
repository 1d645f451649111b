#include "experiments/report.h"
#include "harness/base/error.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_MAX = 32 << 20 };

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

/* ---- HTML ----------------------------------------------------------------------------------------------------- */

static void escape(FILE *to, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<': fputs("&lt;", to); break;
        case '>': fputs("&gt;", to); break;
        case '&': fputs("&amp;", to); break;
        case '"': fputs("&quot;", to); break;
        default: fputc(*text, to);
        }
}

static void base64(FILE *to, const unsigned char *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        unsigned v =
            (unsigned)data[i] << 16 | (left > 1 ? (unsigned)data[i + 1] << 8 : 0) | (left > 2 ? data[i + 2] : 0);
        fputc(digits[v >> 18], to);
        fputc(digits[v >> 12 & 63], to);
        fputc(left > 1 ? digits[v >> 6 & 63] : '=', to);
        fputc(left > 2 ? digits[v & 63] : '=', to);
    }
}

/* The picture inside the page, so that the page can be moved and sent alone. */
static void embed(FILE *to, const char *path, const char *alt)
{
    FILE *in = fopen(path, "rbe");
    unsigned char *data = in ? malloc(READ_MAX) : NULL;
    size_t size = data ? fread(data, 1, READ_MAX, in) : 0;
    if (size) {
        fputs("<img src=\"data:image/svg+xml;base64,", to);
        base64(to, data, size);
        fputs("\" alt=\"", to);
        escape(to, alt);
        fputs("\">\n", to);
    } else
        fputs("<p class=missing>The figure is missing.</p>\n", to);
    free(data);
    if (in)
        fclose(in);
}

static void html_claims(FILE *to, const struct ex_claim *claims, int count)
{
    static const char *const class[EX_VERDICTS] = {"yes", "no", "maybe", "none"};
    for (int i = 0; i < count; i++) {
        const struct ex_claim *c = &claims[i];
        fprintf(to, "<tr><td><code>%s</code></td><td>", c->id);
        escape(to, c->statement);
        fprintf(to, "<br><small>");
        escape(to, c->note);
        fprintf(to, "</small></td><td class=%s>%s</td><td>", class[c->verdict], ex_verdict_name(c->verdict));
        if (!isnan(c->figure))
            fprintf(to, "%.3g", c->figure);
        if (!isnan(c->lo))
            fprintf(to, "<br><small>%.3g to %.3g</small>", c->lo, c->hi);
        fprintf(to, "</td><td>%s</td></tr>\n", jrx_source_name(c->source));
    }
}

static const char head[] =
    "<!doctype html>\n<html lang=en><meta charset=utf-8><title>JouleRx report</title>\n<style>\n"
    "body{font:16px/1.45 'DejaVu Sans',system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 "
    "1rem;color:#111}\n"
    "h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.5rem;border-top:1px solid #ccc;padding-top:1rem}\n"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.4rem "
    ".6rem;border-bottom:1px solid "
    "#ddd}\n"
    "img{width:100%;border:1px solid #ddd}small,.note{color:#444}code{background:#f3f3f3;padding:0 .2em}\n"
    ".yes{font-weight:bold;color:#0a5c1a}.no{font-weight:bold;color:#96180c}.maybe,.none{color:#555}\n"
    ".truth{background:#fff6dd;border:1px solid #d9b84a;padding:.6rem 1rem}\n</style>\n";

static void html_truth(FILE *to, const struct ex_session *session)
{
    const char *source = jrx_source_name(session->meter.source);
    fprintf(to, "<p class=truth><b>What is measured here:</b> run times. <b>Energy: %s</b> (meter <code>%s</code>: ",
            source, session->meter.ops->name);
    escape(to, session->meter.ops->about);
    fputs("). <b>Cache traffic: simulated</b>. <b>Bit error rates: counted on a simulated 5G uplink.</b>", to);
    if (session->meter.source != JRX_MEASURED && session->meter.source != JRX_REPLAYED)
        fputs(" This machine has no energy meter: no statement about energy on this page is a measurement, and claims "
              "that need one "
              "are marked as not testable.",
              to);
    fputs("</p>\n", to);
}

static int html_body(FILE *to, const struct ex_session *session, const struct ex_experiment *const *list, size_t count)
{
    struct ex_claim *claims = calloc(EX_MAX_CLAIMS, sizeof *claims);
    char folder[PATH_MAX + 64], picture[PATH_MAX + 256];
    int status = claims ? 0 : jrx_fail(JRX_ENOMEM, "no memory for claims");
    fputs("<h2>Claims</h2>\n<table><tr><th>claim</th><th>statement</th><th>verdict</th><th>figure, 95 % "
          "interval</th><th>source</th></tr>\n",
          to);
    for (size_t i = 0; i < count && status >= 0; i++) {
        folder_of(session->dir, list[i], folder, sizeof folder);
        status = ex_claims_read(folder, claims, EX_MAX_CLAIMS);
        html_claims(to, claims, status);
    }
    fputs("</table>\n", to);
    for (size_t i = 0; i < count && status >= 0; i++) {
        folder_of(session->dir, list[i], folder, sizeof folder);
        fprintf(to, "<h2>%s</h2>\n<p>", list[i]->title);
        escape(to, list[i]->question);
        fputs("</p>\n", to);
        snprintf(picture, sizeof picture, "%s/%s.svg", folder, list[i]->name);
        embed(to, picture, list[i]->title);
        fprintf(to,
                "<p class=note>Data: <a href=\"%s/summary.csv\">summary.csv</a>, <a "
                "href=\"%s/samples.csv\">samples.csv</a>; "
                "figure: <a href=\"%s/%s.svg\">SVG</a>, <a href=\"%s/%s.png\">PNG</a></p>\n",
                list[i]->name, list[i]->name, list[i]->name, list[i]->name, list[i]->name, list[i]->name);
    }
    free(claims);
    return status < 0 ? status : 0;
}

static void html_warnings(FILE *to, const struct jrx_warnings *warnings)
{
    fputs("<h2>Quality of the measurement</h2>\n", to);
    fputs(warnings->count ? "<table><tr><th>warning</th><th>seen</th><th>what to do</th></tr>\n"
                          : "<p>No warnings.</p>\n",
          to);
    for (size_t i = 0; i < warnings->count; i++) {
        fprintf(to, "<tr><td><code>%s</code></td><td>", warnings->item[i].code);
        escape(to, warnings->item[i].text);
        fputs("</td><td>", to);
        escape(to, warnings->item[i].remedy);
        fputs("</td></tr>\n", to);
    }
    if (warnings->count)
        fputs("</table>\n", to);
    fputs("<p class=note>Machine, compiler, commit, seed and state before and after: <a "
          "href=\"meta.json\">meta.json</a>.</p>\n",
          to);
}

int ex_report_html(const struct ex_session *session, const struct ex_experiment *const *list, size_t count, char *path,
                   size_t size)
{
    char temporary[PATH_MAX + 32];
    if (snprintf(path, size, "%s/report.html", session->dir) >= (int)size)
        return jrx_fail(JRX_EINVAL, "%s: path too long", session->dir);
    snprintf(temporary, sizeof temporary, "%s/report.html.tmp", session->dir);
    FILE *to = fopen(temporary, "we");
    if (!to)
        return jrx_fail(JRX_EIO, "%s: %s", temporary, strerror(errno));
    fputs(head, to);
    fprintf(
        to,
        "<h1>JouleRx: what a neural receiver costs</h1>\n<p>Preset <code>%s</code>, seed %llu. Reproduces and extends "
        "&ldquo;Energy Efficiency in AI for 5G and Beyond: A DeepRx Case Study&rdquo; (arXiv 2507.10409).</p>\n",
        session->settings.preset->name, (unsigned long long)session->settings.seed);
    html_truth(to, session);
    int status = html_body(to, session, list, count);
    html_warnings(to, &session->warnings);
    fputs("</html>\n", to);
    int failed = ferror(to);
    if (fclose(to) || failed)
        return jrx_fail(JRX_EIO, "%s: %s", temporary, strerror(errno));
    if (status)
        return status;
    return rename(temporary, path) ? jrx_fail(JRX_EIO, "%s: %s", path, strerror(errno)) : 0;
}

int ex_session_do(const struct ex_session_options *options, const struct ex_experiment *const *list, size_t count)
{
    struct ex_session session;
    char page[PATH_MAX + 32];
    int status = ex_session_open(&session, options);
    if (status)
        return status;
    if (!options->quiet)
        fprintf(stderr, "run %s\npreset %s, %d threads, seed %llu; energy: %s (meter %s)\n", session.dir,
                session.settings.preset->name, session.settings.threads, (unsigned long long)session.settings.seed,
                jrx_source_name(session.meter.source), session.meter.ops->name);
    status = ex_session_plan(&session, list, count);
    for (size_t i = 0; i < count && !status; i++)
        status = ex_session_run(&session, list[i], (unsigned)i);
    if (!status)
        status = ex_report_html(&session, list, count, page, sizeof page);
    jrx_progress_fini(&session.progress);
    if (!status)
        status = ex_report_claims(stdout, session.dir, list, count);
    if (!status)
        printf("\n%s\n", page);
    if (status == JRX_EINTERRUPTED)
        status =
            jrx_fail(JRX_EINTERRUPTED, "interrupted; what was finished is kept. Go on with: joulerx %s --resume=%s",
                     options->kind && !strcmp(options->kind, "reproduce") ? "reproduce" : "run NAME", session.dir);
    ex_session_close(&session, !status);
    return status;
}
