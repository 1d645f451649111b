/* The zones of the powercap stand-in: power, registers, faults and the truth about them. */
#ifndef TESTS_FAKE_ZONES_H
#define TESTS_FAKE_ZONES_H
#include "harness/base/rng.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ZONES = 64, TEXT = 64 };

struct zone {
    char id[32], name[32];
    unsigned unit_nj;        /* 0: shows the register of the first zone */
    double power_w, known_j; /* exact energy at since_ns, and the power from then on */
    uint64_t since_ns, next_ns;
    uint64_t offset, shown; /* units: register at energy 0, register as last updated (not yet modulo) */
    struct jrx_rng rng;
    int fault;
    long fault_after;
    bool stuck, gone, has_text;
    unsigned delay_us;
    unsigned mode; /* of energy_uj, once somebody changed it; 0: the tree's */
    char text[TEXT];
};

struct tree {
    struct zone zone[ZONES];
    int zones;
    double tick_ns, jitter_ns, tails;
    unsigned mode;
    uint64_t seed;
    bool open;
};

/** The zone with that id, or -1. */
int fake_find(const struct tree *t, const char *id);
/** What energy_uj shows now [uJ]. */
uint64_t fake_energy_uj(struct tree *t, struct zone *z);
/** One line a zone: "ID joule time_ns wraps". Returns its length. */
int fake_truth(struct tree *t, char *text, size_t size);
/** One command, as listed in powercap_fs.c. 0 or -EINVAL. */
int fake_command(struct tree *t, const char *line);

#endif
