/*
 * The published DeepRx, networks made from it by one knob each (width, blocks, depthwise multiplier), and the shorter
 * tables of blocks; what each costs a slot, before any of them is trained.
 */
#ifndef EXPERIMENTS_FAMILY_H
#define EXPERIMENTS_FAMILY_H
#include "experiments/tiles.h"
#include "harness/cachesim.h"
#include "harness/meters/profile.h"
#include <stdint.h>

enum { EX_FAMILY_PRB = 26, EX_FAMILY_BATCH = 8 /* slots of a training micro-batch */ };

struct ex_member {
    const char *body; /* rx_bodies() */
    double width;
    int blocks, multiplier; /* 0: as the body has them */
};

struct ex_member_cost {
    int blocks, multiplier; /* of the network, where the member says 0 */
    int64_t parameters;
    double flop;        /* convolutions, forward, as papers count: padding too */
    double useful_flop; /* taps in the grid alone */
    /* Activations and scratch on one thread: a slot in inference; a micro-batch in training, by how much of it is made
     * again on the way back (enum nn_mode of nn/run.h: fused, checkpointed, plain). */
    int64_t inference_bytes, training_bytes, checkpointed_bytes, kept_bytes;
    double dynamic_j; /* estimated: FLOP and modelled bytes at a profile's prices, power that flows anyhow left out */
};

/** Members of the family, ended by one whose body is NULL; the first is the published network. */
const struct ex_member *ex_family(void);

/** Costs of a member with 2 antennas and 4 logits on a 26-PRB slot, its calls tiled as a network with these tilings
 * makes them (NULL: the kernels' defaults). Pure. 0, JRX_EINVAL, JRX_ENOMEM. */
int ex_member_cost(const struct ex_member *member, const struct jrx_cache_geometry *caches,
                   const struct jrx_profile *profile, const struct ex_tiles *tiles, struct ex_member_cost *cost);

enum ex_family_form { EX_FAMILY_TABLE, EX_FAMILY_CSV, EX_FAMILY_JSON };

/** The family on stdout, energy at the prices of the named profile (NULL: the default) and for the caches and
 * the tile file of this machine. 0, or what jrx_profile_read(), jrx_cache_geometry_read() and ex_tiles_read() say. */
int ex_family_print(enum ex_family_form form, const char *profile);

#endif
