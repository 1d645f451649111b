/*
 * Recordings of a meter: every raw reading with its time stamps, so that a result can be recomputed on another machine
 * and a bug report carries its data. Text, one JSON value a line:
 *
 *     {"joulerx_recording": 1, "meter": "powercap", "source": "measured", "tick_ns": 1000000, "domains": [{...}, ...]}
 *     [domain, before_ns, after_ns, count]
 *     {"mark": "begin", "time_ns": 123}
 */
#ifndef HARNESS_RECORDING_H
#define HARNESS_RECORDING_H
#include "harness/window.h"

struct jrx_record; /* one that is being written */

/** Starts a file for the domains of an open meter. 0, JRX_EIO, JRX_EPERMISSION, JRX_ENOMEM. */
int jrx_record_open(struct jrx_record **record, const char *path, const struct jrx_meter *meter);
/** Adds a reading, or an instant with a name of up to 23 bytes. Errors are kept for jrx_record_close(). */
void jrx_record_reading(struct jrx_record *record, size_t domain, const struct jrx_reading *reading);
void jrx_record_mark(struct jrx_record *record, const char *name, uint64_t time_ns);
/** Reads every domain once and adds it. 0 or the read error. */
int jrx_record_all(struct jrx_record *record, struct jrx_meter *meter);
/** Ends the file. 0; JRX_EIO if anything of it could not be written (full disk): what is there stays. NULL is fine. */
int jrx_record_close(struct jrx_record *record);

struct jrx_recorded {
    uint32_t domain;
    struct jrx_reading reading;
};

struct jrx_mark {
    char name[24];
    uint64_t time_ns;
};

struct jrx_recording {
    char meter[24];
    enum jrx_source source; /* as recorded: jrx_recording_source() is what it is now */
    uint64_t tick_ns;
    size_t domains;
    struct jrx_domain domain[JRX_DOMAINS];
    size_t count, marks;
    struct jrx_recorded *item;
    struct jrx_mark *mark;
};

/** Reads a file. 0; JRX_EINVAL not there; JRX_EPERMISSION; JRX_EIO; JRX_EFORMAT with its line; JRX_ENOMEM. */
int jrx_recording_read(struct jrx_recording *recording, const char *path);
void jrx_recording_fini(struct jrx_recording *recording); /* also on a zeroed struct */

/** What its numbers are when played back: measured becomes replayed, all else stays. Pure. */
enum jrx_source jrx_recording_source(const struct jrx_recording *recording);

/** The time of a mark; JRX_EINVAL if there is none of that name. */
int jrx_recording_mark(const struct jrx_recording *recording, const char *name, uint64_t *time_ns);

/**
 * Energies between two instants of the recording, from the readings next outside of them; what lies between those and
 * the instants is taken at the mean power, and stated in the uncertainty. result->status, as in a window, says whether
 * there is a number: JRX_EMISSED a gap that may hide a wrap, JRX_EUNAVAILABLE instants outside the recording. Pure.
 */
void jrx_recording_energy(const struct jrx_recording *recording, uint64_t from_ns, uint64_t to_ns,
                          struct jrx_window_result *result);

#endif
