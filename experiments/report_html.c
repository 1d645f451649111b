/* report.html: one file that needs no other, written from what a run left in its folder. */
#include "experiments/report.h"
#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/provenance.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_MAX = 32 << 20 };

/* Light and dark by the reader's setting; wide tables scroll in their own box, so that the page never does. */
static const char head[] =
    "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<meta name=viewport content='width=device-width'>\n"
    "<meta name=color-scheme content='light dark'>\n<link rel=icon href='data:,'>\n<title>JouleRx report</title>\n"
    "<style>\n"
    ":root{--ink:#111;--paper:#fff;--soft:#555;--line:#ccc;--yes:#0a5c1a;--no:#96180c;--note:#fff6dd}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8e8e8;--paper:#16181b;--soft:#a8a8a8;--line:#444;"
    "--yes:#7bd88f;--no:#ff8a7a;--note:#332b12}}\n"
    "body{font:16px/1.45 'DejaVu Sans',system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;"
    "color:var(--ink);background:var(--paper)}\n"
    "h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.5rem;border-top:1px solid var(--line);padding-top:1rem}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;min-width:100%}a{color:inherit}\n"
    "td,th{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid var(--line)}\n"
    "th[role]{cursor:pointer;white-space:nowrap}th[aria-sort=ascending]::after{content:' \\25b2'}"
    "th[aria-sort=descending]::after{content:' \\25bc'}td.n{text-align:right;font-variant-numeric:tabular-nums}\n"
    "img{display:block;width:100%;max-width:46rem;min-width:20rem;background:#fff}small,.soft{color:var(--soft)}"
    "summary{cursor:pointer;margin:.5rem "
    "0}\n"
    "td:first-child "
    "code{white-space:nowrap}.yes{font-weight:bold;color:var(--yes)}.no{font-weight:bold;color:var(--no)}\n"
    "@media(max-width:40rem){.cards thead,.cards tr:first-child:has(th){display:none}"
    ".cards tr,.cards td{display:block}.cards td{border:0;padding:.1rem 0}.cards tr{padding:.6rem 0;"
    "border-bottom:1px solid var(--line)}}\n"
    ".truth{background:var(--note);border:1px solid var(--line);padding:.6rem 1rem}\n</style>\n";

/* A click on a head sorts its table by that column: numbers as numbers, missing last; a second click turns it round. Of
 * a cell with several parts the first counts. */
static const char script[] =
    "<script>\nfor(const h of document.querySelectorAll('th[role]'))h.onclick=h.onkeydown=e=>{\n"
    "if(e.key&&e.key!='Enter')return;const up=h.ariaSort!='ascending',b=h.closest('table').tBodies[0],i=h.cellIndex,\n"
    "v=r=>{const c=r.cells[i].firstChild,t=c?c.textContent:'';return t===''?null:isNaN(t)?t:+t};\n"
    "for(const o of h.parentNode.cells)o.ariaSort=null;h.ariaSort=up?'ascending':'descending';\n"
    "b.append(...[...b.rows].sort((p,q)=>{const x=v(p),y=v(q);if(x===null||y===null)return(x===null)-(y===null);\n"
    "const d=typeof x=='number'&&typeof y=='number'?x-y:String(x).localeCompare(String(y));return up?d:-d}))}\n"
    "</script>\n</html>\n";

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
        fputs("<div class=wide><img src=\"data:image/svg+xml;base64,", to);
        base64(to, data, size);
        fputs("\" alt=\"", to);
        escape(to, alt);
        fputs("\"></div>\n", to);
    } else
        fputs("<p class=soft>The figure is missing; <code>joulerx report</code> draws it.</p>\n", to);
    free(data);
    if (in)
        fclose(in);
}

/* ---- parts ---------------------------------------------------------------------------------------------------- */

static void sortable(FILE *to, const char *name)
{
    fprintf(to, "<th role=button tabindex=0>%s</th>", name);
}

static int claims(FILE *to, const char *folder)
{
    static const char *const class[EX_VERDICTS] = {"yes", "no", "soft", "soft"};
    struct ex_claim *list = calloc(EX_MAX_CLAIMS, sizeof *list);
    if (!list)
        return jrx_fail(JRX_ENOMEM, "no memory for claims");
    int count = ex_claims_read(folder, list, EX_MAX_CLAIMS);
    for (int i = 0; i < count; i++) {
        const struct ex_claim *c = &list[i];
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
    free(list);
    return count < 0 ? count : 0;
}

/* A CSV file as a table; long numbers are cut to what a reader can use, the file keeps them whole. */
static int table(FILE *to, const char *path, const char *title)
{
    struct jrx_csv *csv;
    int status = jrx_csv_read(&csv, path, NULL);
    if (status)
        return status;
    fprintf(to, "<details><summary>%s (%zu rows)</summary><div class=wide><table><thead><tr>", title,
            jrx_csv_rows(csv));
    for (size_t c = 0; c < jrx_csv_columns(csv); c++)
        sortable(to, jrx_csv_name(csv, c));
    fputs("</tr></thead><tbody>\n", to);
    for (size_t row = 0; row < jrx_csv_rows(csv); row++) {
        fputs("<tr>", to);
        for (size_t c = 0; c < jrx_csv_columns(csv); c++) {
            const char *text = jrx_csv_text(csv, row, c);
            char *end;
            double value = strtod(text, &end);
            fputs(*text && !*end ? "<td class=n>" : "<td>", to);
            if (*text && !*end && strlen(text) > 8)
                fprintf(to, "%.5g", value);
            else
                escape(to, text);
            fputs("</td>", to);
        }
        fputs("</tr>\n", to);
    }
    fputs("</tbody></table></div></details>\n", to);
    jrx_csv_free(csv);
    return 0;
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "unknown";
}

static void truth(FILE *to, const json_t *meta)
{
    const json_t *meter = json_object_get(meta, "meter");
    const char *source = text_at(meter, "source");
    fprintf(to, "<p class=truth><b>What is measured here:</b> run times. <b>Energy: %s</b> (meter <code>%s</code>). ",
            source, text_at(meter, "name"));
    fputs("<b>Cache traffic: simulated</b>. <b>Bit error rates: counted on a simulated 5G uplink.</b>", to);
    if (strcmp(source, "measured") && strcmp(source, "replayed"))
        fputs(" This machine has no energy meter: no statement about energy on this page is a measurement, and claims "
              "that need one are marked as not testable.",
              to);
    fputs("</p>\n", to);
}

/* What doctor saw when the run began: each meter and counter source, and what of them it could read. */
static void sources(FILE *to, const json_t *list, const char *kind)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        const int ok = json_is_true(json_object_get(item, "available"));
        const char *what = text_at(item, ok ? "domains" : "reason");
        const int empty = ok && !strncmp(what, "no ", 3); /* papi works, and has no hardware events */
        fprintf(to, "<tr><td>%s</td><td><code>%s</code></td><td>%s</td><td>", kind, text_at(item, kind),
                empty ? "none"
                : ok  ? text_at(item, "source")
                      : "unavailable");
        escape(to, ok && !*what ? text_at(item, "about") : what);
        fputs("</td></tr>\n", to);
    }
}

static void doctor(FILE *to, const char *dir)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/doctor.json", dir);
    json_t *report = json_load_file(path, 0, NULL);
    if (!report) {
        fputs("<p class=soft>What else could be measured when this run began was not recorded.</p>\n", to);
        return;
    }
    const json_t *machine = json_object_get(report, "machine");
    fputs("<p>", to);
    escape(to, text_at(machine, "cpu"));
    fprintf(to, "%s. What could be measured when the run began:</p>\n",
            json_string_length(json_object_get(machine, "hypervisor")) ? ", a virtual machine" : "");
    fputs("<div class='wide cards'><table><tr><th></th><th>name</th><th>its numbers are</th><th>reads, or why "
          "not</th></tr>\n",
          to);
    sources(to, json_object_get(report, "meters"), "meter");
    sources(to, json_object_get(report, "counters"), "counters");
    fputs("</table></div>\n<p class=soft>All of it, with the state of the machine: <a "
          "href=\"doctor.json\">doctor.json</a>; <code>joulerx doctor</code> says what would change it.</p>\n",
          to);
    json_decref(report);
}

static void warnings(FILE *to, const json_t *meta)
{
    const json_t *list = json_object_get(meta, "warnings"), *warning;
    size_t i, count = json_array_size(list);
    fputs("<h2>Quality of the measurement</h2>\n", to);
    fputs(count ? "<div class=wide><table><tr><th>warning</th><th>seen</th><th>what to do</th></tr>\n"
                : "<p>No warnings.</p>\n",
          to);
    json_array_foreach(list, i, warning)
    {
        fprintf(to, "<tr><td><code>%s</code></td><td>", text_at(warning, "code"));
        escape(to, text_at(warning, "text"));
        fputs("</td><td>", to);
        escape(to, text_at(warning, "remedy"));
        fputs("</td></tr>\n", to);
    }
    if (count)
        fputs("</table></div>\n", to);
}

static void identity(FILE *to, const json_t *meta)
{
    const char *key;
    json_t *value;
    fputs("<h2>Machine and build</h2>\n<div class=wide><table>\n", to);
    json_object_foreach(json_object_get(meta, "identity"), key, value)
    {
        char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
        fprintf(to, "<tr><td>%s</td><td><code>", key);
        escape(to, text ? text : json_string_value(value) ? json_string_value(value) : "");
        fputs("</code></td></tr>\n", to);
        free(text);
    }
    fputs("</table></div>\n<p class=soft>All of it, with the machine's state before and after: "
          "<a href=\"meta.json\">meta.json</a>.</p>\n",
          to);
}

/* Title, question, figure and numbers of one experiment, if the run has it. */
static int section(FILE *to, const char *dir, const struct ex_experiment *experiment)
{
    char path[PATH_MAX + 128];
    const char *name = experiment->name;
    snprintf(path, sizeof path, "%s/%s/summary.csv", dir, name);
    if (access(path, R_OK))
        return 0;
    fprintf(to, "<h2>%s</h2>\n<p>", experiment->title);
    escape(to, experiment->question);
    fputs("</p>\n", to);
    const char *const figure[] = {name, experiment->also_figure};
    for (int i = 0; i < 2 && figure[i]; i++) {
        snprintf(path, sizeof path, "%s/%s/%s.svg", dir, name, figure[i]);
        embed(to, path, experiment->title);
    }
    snprintf(path, sizeof path, "%s/%s/summary.csv", dir, name);
    int status = table(to, path, "The numbers");
    snprintf(path, sizeof path, "%s/%s/%s", dir, name, experiment->also ? experiment->also : "");
    if (!status && experiment->also && !access(path, R_OK))
        status = table(to, path, experiment->also_schema->name);
    fprintf(to, "<p class=soft>Files: <a href=\"%s/summary.csv\">summary.csv</a>", name);
    if (experiment->cell)
        fprintf(to, ", <a href=\"%s/samples.csv\">samples.csv</a>", name);
    for (int i = 0; i < 2 && figure[i]; i++)
        fprintf(to,
                ", %s as <a href=\"%s/%s.svg\">SVG</a>, <a href=\"%s/%s.png\">PNG</a>, <a "
                "href=\"%s/%s.pdf\">PDF</a>",
                figure[i], name, figure[i], name, figure[i], name, figure[i]);
    fputs("</p>\n", to);
    return status;
}

static int page(FILE *to, const char *dir, const json_t *meta, const struct ex_experiment *const *list, size_t count)
{
    static const char *const columns[] = {"claim", "statement", "verdict", "figure, 95 % interval", "source"};
    char folder[PATH_MAX + 64];
    int status = 0;
    fputs(head, to);
    fprintf(to,
            "<h1>JouleRx: what a neural receiver costs</h1>\n<p>Run <code>%s</code>, preset <code>%s</code>, seed %s. "
            "Reproduces and extends &ldquo;Energy Efficiency in AI for 5G and Beyond: A DeepRx Case Study&rdquo; "
            "(arXiv 2507.10409).</p>\n",
            text_at(meta, "run_id"), text_at(meta, "preset"), text_at(meta, "seed"));
    fputs("<h2>What was measured by what</h2>\n", to);
    truth(to, meta);
    doctor(to, dir);
    fputs("<h2>Claims</h2>\n<div class='wide cards'><table><thead><tr>", to);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        sortable(to, columns[i]);
    fputs("</tr></thead><tbody>\n", to);
    for (size_t i = 0; i < count && !status; i++) {
        snprintf(folder, sizeof folder, "%s/%s", dir, list[i]->name);
        status = claims(to, folder);
    }
    fputs("</tbody></table></div>\n", to);
    for (size_t i = 0; i < count && !status; i++)
        status = section(to, dir, list[i]);
    warnings(to, meta);
    identity(to, meta);
    fputs(script, to);
    return status;
}

int ex_report_html(const char *dir, const struct ex_experiment *const *list, size_t count, char *path, size_t size)
{
    char temporary[PATH_MAX + 32], from[PATH_MAX + 32];
    json_t *meta;
    if (snprintf(path, size, "%s/report.html", dir) >= (int)size)
        return jrx_fail(JRX_EINVAL, "%s: path too long", dir);
    snprintf(from, sizeof from, "%s/meta.json", dir);
    snprintf(temporary, sizeof temporary, "%s/report.html.tmp", dir);
    int status = jrx_provenance_read(&meta, from);
    if (status)
        return status;
    FILE *to = fopen(temporary, "we");
    if (!to) {
        json_decref(meta);
        return jrx_file_error(temporary, "could not be opened to write", "make room, or ask for the right to write");
    }
    status = page(to, dir, meta, list, count);
    json_decref(meta);
    int failed = ferror(to);
    if ((fclose(to) || failed || rename(temporary, path)) && !status)
        status = jrx_file_error(path, "could not be written", "make room");
    if (status)
        unlink(temporary);
    return status;
}
