/*
 * How far a long job is, on stderr. On a terminal one line is redrawn: bar, count, current item, its result, time left.
 * Elsewhere each finished item is one plain line. Never on stdout, never in colour, the same in every locale.
 *
 * Several groups of items (experiments) have one total: plan all, then enter them in turn.
 *     jrx_progress_plan(&p, "fig-tiling", 378, 2.0);  ...
 *     jrx_progress_enter(&p, 0);
 *     jrx_progress_item(&p, "conv2d oc=16"); measure(); jrx_progress_done(&p, "3.71 mJ +-0.4 %");
 */
#ifndef HARNESS_PROGRESS_H
#define HARNESS_PROGRESS_H
#include <stdint.h>
#include <stdio.h>

enum jrx_progress_style {
    JRX_PROGRESS_AUTO, /* bar on a terminal, lines elsewhere */
    JRX_PROGRESS_BAR,
    JRX_PROGRESS_LINES,
    JRX_PROGRESS_QUIET
};

enum { JRX_PROGRESS_GROUPS = 64, JRX_PROGRESS_TEXT = 96 };

struct jrx_progress_group {
    char name[JRX_PROGRESS_TEXT];
    uint32_t items, done;
    uint32_t timed;                   /* done in this run: skipped ones have no time */
    double planned_s;                 /* an item's time as planned; NAN if not known */
    double spent_s;                   /* on items timed */
    double done_weight, timed_weight; /* of these items: 1 each where all are alike */
};

struct jrx_progress {
    FILE *to;
    uint64_t (*now_ns)(void); /* a monotonic clock; tests put their own */
    enum jrx_progress_style style;
    struct jrx_progress_group group[JRX_PROGRESS_GROUPS];
    unsigned groups, current;
    uint64_t item_start_ns;
    double weight; /* of the current item */
    int drawn;     /* a bar is on the terminal */
    char item[JRX_PROGRESS_TEXT], last[JRX_PROGRESS_TEXT];
    unsigned width; /* columns of the terminal */
};

/** Starts with no groups. `to` is stderr but in tests; AUTO asks isatty and TERM. */
void jrx_progress_init(struct jrx_progress *p, FILE *to, enum jrx_progress_style style);

/** Adds a group; returns its number. `item_s`: expected seconds an item, NAN if not known. Past 64 they share the last.
 */
unsigned jrx_progress_plan(struct jrx_progress *p, const char *name, uint32_t items, double item_s);

void jrx_progress_enter(struct jrx_progress *p, unsigned group);
/** `count` items of the current group were done before (a resumed run): counted, without time. weight: of all of them
 * together, `count` where items are alike. */
void jrx_progress_skip(struct jrx_progress *p, uint32_t count, double weight);
/** An item begins. Call between measurements only: drawing takes microseconds and disturbs a meter. */
void jrx_progress_item(struct jrx_progress *p, const char *name);
/** The current item takes `weight` times as long as the mean of its group, for the time left. Once an item; 1 without.
 */
void jrx_progress_weigh(struct jrx_progress *p, double weight);
/** It ended; `result` is its estimate in words, NULL or "" if there is none. */
void jrx_progress_done(struct jrx_progress *p, const char *result);
/** A message amid the bar: clears the line, prints it whole, draws again. Not in quiet. */
void jrx_progress_say(struct jrx_progress *p, const char *text);
/** Takes the bar away, so that results can follow. Also on a zeroed struct. */
void jrx_progress_fini(struct jrx_progress *p);

/** Seconds left in all groups: measured time an item, by their weights, where any was done, else as planned, scaled by
 * how the planned times turned out so far; NAN if nothing is known. Pure. */
double jrx_progress_left_s(const struct jrx_progress *p);
/** "8 s", "14 min", "3.5 h": into text[16], returned. */
const char *jrx_progress_duration(double seconds, char text[16]);

#endif
