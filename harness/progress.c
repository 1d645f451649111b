/*
 * Progress as text: see the header. Drawing happens only in _item, _done and _say, so never within a measurement.
 */
#include "harness/progress.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 20, LINE = 400 };

static uint64_t monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void jrx_progress_init(struct jrx_progress *p, FILE *to, enum jrx_progress_style style)
{
    const char *term = getenv("TERM");
    struct winsize size;
    *p = (struct jrx_progress){.to = to, .now_ns = monotonic_ns, .style = style, .width = 80};
    if (style == JRX_PROGRESS_AUTO)
        p->style = isatty(fileno(to)) && term && strcmp(term, "dumb") ? JRX_PROGRESS_BAR : JRX_PROGRESS_LINES;
    if (p->style == JRX_PROGRESS_BAR && ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        p->width = size.ws_col;
}

unsigned jrx_progress_plan(struct jrx_progress *p, const char *name, uint32_t items, double item_s)
{
    if (p->groups == JRX_PROGRESS_GROUPS) {
        p->group[p->groups - 1].items += items;
        return p->groups - 1;
    }
    struct jrx_progress_group *group = &p->group[p->groups];
    *group = (struct jrx_progress_group){.items = items, .planned_s = item_s};
    snprintf(group->name, sizeof group->name, "%s", name);
    return p->groups++;
}

/* ---- time left ----------------------------------------------------------------------------------- */

/* Items with a time of their own: those skipped have none. */
static double timed_item_s(const struct jrx_progress_group *g)
{
    return g->timed > 0 ? g->spent_s / g->timed_weight : (double)NAN;
}

double jrx_progress_left_s(const struct jrx_progress *p)
{
    double spent = 0, planned = 0, left = 0;
    for (unsigned i = 0; i < p->groups; i++)
        if (p->group[i].timed > 0 && p->group[i].planned_s > 0) {
            spent += p->group[i].spent_s;
            planned += p->group[i].timed_weight * p->group[i].planned_s;
        }
    double scale = planned > 0 ? spent / planned : 1; /* plans of one machine err alike */
    for (unsigned i = 0; i < p->groups; i++) {
        const struct jrx_progress_group *g = &p->group[i];
        double item_s = g->timed > 0 ? timed_item_s(g) : g->planned_s * scale;
        if (g->done < g->items)
            left += item_s * fmax(0, g->items - g->done_weight); /* NAN if a group is not known at all */
    }
    return left;
}

const char *jrx_progress_duration(double seconds, char text[16])
{
    text[0] = 0;
    if (seconds < 99.5)
        snprintf(text, 16, "%.0f s", seconds);
    else if (seconds < 99.5 * 60)
        snprintf(text, 16, "%.0f min", seconds / 60);
    else if (seconds < 99.5 * 3600) /* tenths by hand: no locale has a say */
        snprintf(text, 16, "%u.%u h", (unsigned)(seconds / 360 + 0.5) / 10, (unsigned)(seconds / 360 + 0.5) % 10);
    else if (seconds >= 0)
        snprintf(text, 16, "%.0f days", fmin(seconds / 86400, 99999));
    return text;
}

/* ---- drawing ------------------------------------------------------------------------------------- */

static void totals(const struct jrx_progress *p, uint64_t *done, uint64_t *items)
{
    *done = *items = 0;
    for (unsigned i = 0; i < p->groups; i++) {
        *done += p->group[i].done;
        *items += p->group[i].items;
    }
}

static const char *group_name(const struct jrx_progress *p)
{
    return p->groups ? p->group[p->current].name : "";
}

/* Cut by bytes to what the terminal holds, never within a UTF-8 character. */
static void cut(char *line, unsigned width)
{
    size_t columns = 0, i = 0;
    for (; line[i]; i++)
        if (((unsigned char)line[i] & 0xC0) != 0x80 && columns++ == width)
            break;
    line[i] = 0;
}

static void erase(struct jrx_progress *p)
{
    if (p->style == JRX_PROGRESS_BAR && p->drawn) {
        fputs("\r\033[K", p->to);
        p->drawn = 0;
    }
}

static void draw(struct jrx_progress *p)
{
    char line[LINE], bar[BAR + 1], time_left[16];
    uint64_t done, items;
    if (p->style != JRX_PROGRESS_BAR)
        return;
    totals(p, &done, &items);
    unsigned full = items ? (unsigned)(done * BAR / items) : 0;
    memset(bar, ' ', BAR);
    memset(bar, '=', full);
    if (full < BAR)
        bar[full] = '>';
    bar[BAR] = 0;
    jrx_progress_duration(jrx_progress_left_s(p), time_left);
    snprintf(line, sizeof line, "[%s] %llu/%llu  %s  %s%s%s%s%s", bar, (unsigned long long)done,
             (unsigned long long)items, group_name(p), p->item, *p->last ? "  " : "", p->last, *time_left ? "  " : "",
             time_left);
    size_t used = strlen(line);
    if (*time_left)
        snprintf(line + used, sizeof line - used, " left");
    cut(line, p->width - 1);
    fprintf(p->to, "\r%s\033[K", line);
    p->drawn = 1;
    fflush(p->to);
}

void jrx_progress_enter(struct jrx_progress *p, unsigned group)
{
    if (group < p->groups)
        p->current = group;
    p->last[0] = p->item[0] = 0;
}

void jrx_progress_skip(struct jrx_progress *p, uint32_t count, double weight)
{
    struct jrx_progress_group *g = &p->group[p->current];
    g->done_weight += weight;
    g->done = count < g->items - g->done ? g->done + count : g->items;
}

void jrx_progress_item(struct jrx_progress *p, const char *name)
{
    snprintf(p->item, sizeof p->item, "%s", name);
    p->weight = 1;
    draw(p);
    p->item_start_ns = p->now_ns(); /* after drawing: its time is not the item's */
}

void jrx_progress_weigh(struct jrx_progress *p, double weight)
{
    p->weight = weight;
}

void jrx_progress_done(struct jrx_progress *p, const char *result)
{
    struct jrx_progress_group *g = &p->group[p->current];
    char time_left[16];
    uint64_t done, items;
    g->spent_s += (double)(p->now_ns() - p->item_start_ns) * 1e-9;
    g->timed++;
    g->timed_weight += p->weight;
    g->done_weight += p->weight;
    if (g->done < g->items)
        g->done++;
    snprintf(p->last, sizeof p->last, "%s", result ? result : "");
    draw(p);
    if (p->style != JRX_PROGRESS_LINES)
        return;
    totals(p, &done, &items);
    jrx_progress_duration(jrx_progress_left_s(p), time_left);
    fprintf(p->to, "%llu/%llu  %s  %s%s%s", (unsigned long long)done, (unsigned long long)items, group_name(p), p->item,
            *p->last ? "  " : "", p->last);
    fprintf(p->to, *time_left ? "  %s left\n" : "\n", time_left);
    fflush(p->to);
}

void jrx_progress_say(struct jrx_progress *p, const char *text)
{
    if (p->style == JRX_PROGRESS_QUIET)
        return;
    int drawn = p->drawn;
    erase(p);
    fprintf(p->to, "%s\n", text);
    if (drawn)
        draw(p);
    fflush(p->to);
}

void jrx_progress_fini(struct jrx_progress *p)
{
    if (!p->to)
        return;
    erase(p);
    fflush(p->to);
}
