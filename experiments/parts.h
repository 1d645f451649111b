/*
 * A run made in parts, each by a process of its own (--resume): what each was made by, so that machines are never mixed
 * and builds never unseen. Kept as parts.json in the run's folder.
 */
#ifndef EXPERIMENTS_PARTS_H
#define EXPERIMENTS_PARTS_H
#include "harness/provenance.h"
#include "harness/quality.h"

/**
 * Adds this part to <dir>/parts.json. Warns (code "parts_differ") of each way in which any part differs from the first.
 * 0; JRX_EINVAL if this CPU is another than the first part's; JRX_EFORMAT, JRX_EIO, JRX_EPERMISSION, JRX_ENOMEM.
 */
int ex_parts_begin(const char *dir, const struct jrx_provenance *provenance, struct jrx_warnings *warnings);

/** The parts, {"run_id", "identity"} each, in order; NULL if there is one or none. New reference. */
json_t *ex_parts_json(const char *dir);

#endif
