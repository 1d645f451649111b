/*
 * The kernels that calibrate a machine, each so that one term of the energy model stands out: nothing at all, a loop
 * that counts, multiply-adds in registers, arrays read and copied from every cache level and from memory, layers of
 * DeepRx over tilings; on one thread and on all; on random numbers and on zeros. And which of them to measure:
 * D-optimal choice (models/energy/design.h) by what they are expected to cost. The machine's tile file is not asked:
 * tilings are what is varied here, and a calibration that a later `joulerx tune` changed could not be resumed.
 */
#ifndef EXPERIMENTS_CALIBRATION_H
#define EXPERIMENTS_CALIBRATION_H
#include "experiments/call.h"
#include "models/energy/count.h"
#include "models/energy/fitted.h"

enum ex_kind { EX_IDLE, EX_SPIN, EX_FMA, EX_READ, EX_COPY, EX_LAYER, EX_KINDS };

struct ex_candidate {
    enum ex_kind kind;
    int threads;   /* 0: idle */
    int zero;      /* operands are all 0 instead of random: compared with its twin, not fitted */
    int level;     /* of READ and COPY: EM_L1 ... EM_DRAM, where the arrays lie */
    int size;      /* which of two sizes there */
    size_t floats; /* of each thread's arrays, all together */
    enum kn_op op; /* of LAYER, forward, by the best kernel */
    struct kn_shape shape;
    struct kn_tile tile;
    int tiling; /* which of its tilings */
};

enum {
    EX_CANDIDATES = 512,
    EX_DESIGNED = 30, /* cells chosen for the fit */
    EX_TWINS = 4,     /* of them again with zeros */
    EX_CALIBRATION_CELLS = EX_DESIGNED + EX_TWINS,
    EX_PER_GROUP = 2, /* cells of one group at most, so that no kernel decides alone */
    EX_GROUP_TEXT = 64,
    EX_STEPS = 20000, /* of a call of FMA */
    EX_SPINS = 200000
};

/** How long a call of IDLE sleeps. Pure. */
int ex_idle_ms(const struct ex_candidate *c);
/** How often a call goes over its arrays. Pure. */
long ex_candidate_turns(const struct ex_candidate *c);

/** All candidates with random data; how many, or a negative code. grid_f: subcarriers of the layers. */
int ex_candidates(const struct jrx_cache_geometry *geometry, int grid_f, int threads, struct ex_candidate *list);

/** The cells of a calibration: EX_DESIGNED or fewer chosen ones, then their twins. How many, or a negative code. Same
 * arguments, same cells: nothing is measured for it. */
int ex_calibration_cells(const struct ex_settings *settings, struct ex_candidate *cells);

/** What varies together and is left out together: "idle_1ms", "fma", "read_l2", "copy_dram", "dw:c64:m2:d2x3". */
const char *ex_candidate_group(const struct ex_candidate *c, char text[EX_GROUP_TEXT]);
/** The group with threads, size or tiling, and data: unique among candidates. */
void ex_candidate_label(const struct ex_candidate *c, char *text, size_t size);

/**
 * What one call of a probe (no layer) does, all threads together. Bytes are those of an LRU cache swept in order, which
 * is all or nothing: arrays that fit a level cross it never, others whole in every turn. Pure.
 */
void ex_probe_work(const struct ex_candidate *c, const struct jrx_cache_geometry *geometry, struct jrx_work *work);

/** Nominal share of each term in the energy of a candidate, the row of the design. Layers by count.h. 0 or JRX_EINVAL.
 */
int ex_candidate_row(const struct ex_candidate *c, const struct jrx_cache_geometry *geometry, double row[EM_TERMS]);

/* A candidate with its operands. */
struct ex_probe {
    struct ex_candidate what;
    struct ex_call call; /* of LAYER */
    float *memory;       /* of READ and COPY */
    struct jrx_work work;
    struct ex_traffic traffic; /* simulated, of LAYER */
};

/** Allocates and fills; simulates a layer's traffic. 0, JRX_ENOMEM, what ex_call_simulate() returns. */
int ex_probe_init(struct ex_probe *probe, const struct ex_candidate *what, const struct jrx_cache_geometry *geometry,
                  uint64_t seed);
void ex_probe_fini(struct ex_probe *probe); /* also on a zeroed struct */
/** Runs it once; the `fn` of a struct jrx_region whose ctx is the probe. */
void ex_probe_run(void *probe);

/**
 * Additivity of what is counted: A (multiply-adds), B (reads from L2), then A;B. Metrics off by more than 5 % have no
 * place in a linear model (Shahid et al. 2017). Writes <dir>/additivity.csv: metric, A, B, A;B, deviation, whether it
 * is kept and why not. Nothing to count: no file. 0, JRX_EIO, JRX_ENOMEM.
 */
int ex_additivity(const struct ex_run *run, const struct jrx_cache_geometry *geometry);

/** Fits, checks what was left out, writes summary.csv, coefficients.csv and, of measured or replayed energy,
 * profile.ini; the conclude() of the experiment. */
int ex_calibration_conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max);
extern const struct jrx_schema ex_calibration_summary;

#endif
