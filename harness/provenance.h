/*
 * meta.json: what a result was made with. "identity" must be equal for two results to be compared; "state" may drift
 * and is taken before and after. Missing is null.
 */
#ifndef HARNESS_PROVENANCE_H
#define HARNESS_PROVENANCE_H
#include "harness/quality.h"
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct jrx_provenance;
struct jrx_machine_state;

/**
 * Takes identity, state and time now. root: where /sys and /proc are looked for, "" or NULL for this machine (tests
 * give a tree of their own). 0 or JRX_ENOMEM; what cannot be read is null.
 */
int jrx_provenance_new(struct jrx_provenance **out, const char *root, int argc, char *const *argv, uint64_t seed);
void jrx_provenance_free(struct jrx_provenance *p); /* NULL is fine */

/** "20251123T033000Z-1a2b3c4": UTC start and short commit. Valid as long as p. */
const char *jrx_run_id(const struct jrx_provenance *p);

/** Adds a key of the caller's own at top level (schema, order, calibration ...), or replaces it; takes `value` over,
 * which may be NULL (then null). 0; JRX_EINVAL for a key that is not the caller's (identity, state, warnings ...);
 * JRX_ENOMEM. */
int jrx_provenance_set(struct jrx_provenance *p, const char *key, json_t *value);
/** Which meter gave the energies, and what its source is; the same for counters. */
int jrx_provenance_meter(struct jrx_provenance *p, const char *name, const char *source);
int jrx_provenance_counters(struct jrx_provenance *p, const char *name, const char *source);
/** A warning as a value; its numbers may be NAN (null). */
int jrx_provenance_warn(struct jrx_provenance *p, const struct jrx_warning *warning);

/** Takes the state after and the end time, and writes the file atomically. May be called again (later state wins).
 * 0, JRX_EIO, JRX_EPERMISSION, JRX_ENOMEM. */
int jrx_provenance_write(struct jrx_provenance *p, const char *path);

/** The parts, borrowed: object "identity", and "state" as it is now (new reference). */
const json_t *jrx_provenance_identity(const struct jrx_provenance *p);
json_t *jrx_machine_state(const char *root);
/** The same of a state that was read: unknown is null; new reference, NULL without memory. */
json_t *jrx_machine_state_json(const struct jrx_machine_state *state);

/** Reads a meta.json. 0, JRX_EIO, JRX_EPERMISSION, JRX_EFORMAT (no "identity"). *out: json_decref(). */
int jrx_provenance_read(json_t **out, const char *path);

/**
 * Compares two identities key by key. *differences: an array of {"key", "a", "b"}, empty if they are equal; a key that
 * only one has differs from null. Returns how many differ, or JRX_ENOMEM. *differences: json_decref().
 */
int jrx_identity_compare(const json_t *a, const json_t *b, json_t **differences);

#endif
