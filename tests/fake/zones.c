/* The zones of the powercap stand-in. */
#include "tests/fake/zones.h"
#include "harness/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fake_find(const struct tree *t, const char *id)
{
    for (int i = 0; i < t->zones; i++)
        if (!strcmp(t->zone[i].id, id))
            return i;
    return -1;
}

static double energy_j(const struct zone *z, uint64_t at_ns)
{
    return z->known_j + z->power_w * 1e-9 * (double)(at_ns - z->since_ns);
}

static uint64_t interval_ns(const struct tree *t, struct zone *z)
{
    double normal[2];
    jrx_rng_normal2(&z->rng, &normal[0], &normal[1]);
    if (jrx_rng_uniform(&z->rng) < t->tails)
        return (uint64_t)(t->tick_ns * (0.83 + 0.34 * jrx_rng_uniform(&z->rng)));
    return (uint64_t)fmax(t->tick_ns / 2, t->tick_ns + t->jitter_ns * normal[0]);
}

/*
 * Charges what the program has done since the last look. It gets into the register with the first update after this
 * look, so that the register moves at updates only, as everything that was done before an update is in it.
 */
static void charge(const struct tree *t, struct zone *z, uint64_t now)
{
    int64_t done[EVENTS];
    double cost_j = 0, normal[2];
    int fd = t->work ? open(t->work, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t size = fd < 0 ? 0 : pread(fd, done, sizeof done, 0);
    if (fd >= 0)
        close(fd);
    for (int i = 0; i < EVENTS && size == sizeof done; i++) {
        cost_j += z->cost_pj[i] * 1e-12 * (double)(done[i] - (done[i] < z->done[i] ? 0 : z->done[i]));
        z->done[i] = done[i];
    }
    if (cost_j > 0) {
        jrx_rng_normal2(&z->noise, &normal[0], &normal[1]);
        z->charged_j += cost_j * (1 + t->noise * normal[0]);
        z->charged_ns = now;
    }
}

/* Brings the register up to the last update at or before now. */
static void update(const struct tree *t, struct zone *z, uint64_t now)
{
    uint64_t last = 0;
    while (z->next_ns <= now) {
        last = z->next_ns;
        z->next_ns += interval_ns(t, z);
    }
    if (last >= z->charged_ns)
        z->work_j = z->charged_j;
    if (last >= z->since_ns && last && !z->stuck)
        z->shown = z->offset + (uint64_t)((energy_j(z, last) + z->work_j) / (z->unit_nj * 1e-9));
    charge(t, z, now);
}

uint64_t fake_energy_uj(struct tree *t, struct zone *z)
{
    if (!z->unit_nj)
        z = &t->zone[0];
    update(t, z, jrx_clock_ns());
    return (uint64_t)((unsigned __int128)(z->shown % 4294967296) * z->unit_nj / 1000);
}

static void set_power(const struct tree *t, struct zone *z, double power_w)
{
    uint64_t now = jrx_clock_ns();
    update(t, z, now);
    z->known_j = energy_j(z, now);
    z->since_ns = now;
    z->power_w = power_w;
}

int fake_truth(struct tree *t, char *text, size_t size)
{
    size_t used = 0;
    for (int i = 0; i < t->zones; i++) {
        struct zone *z = &t->zone[i];
        uint64_t now = jrx_clock_ns();
        update(t, z, now);
        used += (size_t)snprintf(text + used, size - used, "%s %.9f %" PRIu64 " %" PRIu64 "\n", z->id, energy_j(z, now),
                                 now, z->shown / 4294967296);
    }
    return (int)used;
}

static int error_number(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {{"EACCES", EACCES}, {"EIO", EIO}, {"EINVAL", EINVAL}, {"ENODATA", ENODATA}, {"ENODEV", ENODEV}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].name, name))
            return known[i].number;
    return 0;
}

int fake_command(struct tree *t, const char *line)
{
    char verb[16], id[32], word[TEXT] = "";
    long after = 0;
    int got = sscanf(line, "%15s %31s %63s %ld", verb, id, word, &after);
    int i = got >= 2 ? fake_find(t, id) : -1;
    if (i < 0)
        return -EINVAL;
    struct zone *z = &t->zone[i];
    double number = strtod(word, NULL);
    if (!strcmp(verb, "power")) {
        set_power(t, z, number);
    } else if (!strcmp(verb, "raw")) {
        uint64_t now = jrx_clock_ns();
        update(t, z, now);
        uint64_t units = strtoull(word, NULL, 10);
        z->offset += units - z->shown; /* modular: the register moves, the truth does not */
        z->shown = units;
    } else if (!strcmp(verb, "fault")) {
        z->fault = error_number(word);
        z->fault_after = after;
        return z->fault ? 0 : -EINVAL;
    } else if (!strcmp(verb, "text")) {
        z->has_text = true;
        snprintf(z->text, sizeof z->text, "%.62s%s", word, *word ? "\n" : "");
    } else if (!strcmp(verb, "stuck")) {
        z->stuck = true;
    } else if (!strcmp(verb, "delay")) {
        z->delay_us = (unsigned)number;
    } else if (!strcmp(verb, "gone")) {
        z->gone = true;
    } else if (!strcmp(verb, "clear")) {
        z->fault = 0;
        z->stuck = z->gone = z->has_text = false;
        z->delay_us = 0;
    } else {
        return -EINVAL;
    }
    return 0;
}
