/* The zones of the powercap stand-in: power, registers, faults and the truth about them. */
#ifndef TESTS_FAKE_ZONES_H
#define TESTS_FAKE_ZONES_H
#include "harness/base/rng.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ZONES = 64, TEXT = 64, EVENTS = 7 /* of harness/counters/sde.h, in its order */ };

struct zone {
    char id[32], name[32];
    unsigned unit_nj;        /* 0: shows the register of the first zone */
    double power_w, known_j; /* exact energy at since_ns, and the power from then on */
    uint64_t since_ns, next_ns;
    uint64_t offset, shown;    /* units: register at energy 0, register as last updated (not yet modulo) */
    struct jrx_rng rng, noise; /* of update intervals; of charges, which thus do not depend on when they are seen */
    int fault;
    long fault_after;
    bool stuck, gone, has_text;
    unsigned delay_us;
    unsigned mode; /* of energy_uj, once somebody changed it; 0: the tree's */
    char text[TEXT];
    double cost_pj[EVENTS];   /* of one of each event that the program publishes */
    int64_t done[EVENTS];     /* of them that are charged already */
    double work_j, charged_j; /* what they cost: in the register, and with what the next update brings */
    uint64_t charged_ns;
};

struct tree {
    struct zone zone[ZONES];
    int zones;
    double tick_ns, jitter_ns, tails;
    unsigned mode;
    uint64_t seed;
    bool open;
    const char *work; /* where the program publishes what it does ($JOULERX_SDE); NULL: energy is power times time */
    double noise;     /* relative, of each charge */
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
