/*
 * Training of a receiver on slots that are drawn as it goes. The trajectory is a pure function of the configuration:
 * step s uses slots (s - 1) batch .. s batch - 1 of the seed, a batch is cut into micro-batches of a fixed size,
 * gradients and statistics are added in the order of the micro-batches. Threads work on whole micro-batches, so their
 * number changes nothing but the time, and a training that was killed goes on from its checkpoint exactly as if it had
 * not been.
 */
#ifndef MODELS_RECEIVER_TRAIN_H
#define MODELS_RECEIVER_TRAIN_H
#include "harness/base/source.h"
#include "models/nn/loss.h"
#include "models/nn/optimiser.h"
#include "models/receiver/receiver.h"

struct rx_train_config {
    struct rx_shape shape;
    struct lk_config link; /* what slots are drawn from; link.prb is the training grid, which may be small */
    uint64_t seed;         /* of starting values and slots */
    int batch, micro;      /* slots a step, slots a micro-batch; batch is a multiple of micro */
    struct nn_schedule schedule;
    enum nn_optimiser optimiser;
    struct nn_adamw adamw;       /* numbers of either optimiser */
    double clip;                 /* the gradient is shrunk to this norm if it is longer; 0: never */
    double average;              /* decay of an average of the weights, which is then what a receiver uses; 0: none */
    enum nn_precision precision; /* of matrix products; the receiver is used in FP32 */
    int checkpointing;           /* 1: NN_CHECKPOINTED_TRAINING, which changes no bit */
    int snr_weight;              /* 1: a slot counts log2(1 + SNR) times (DeepRx-like receivers for MIMO) */
    double hint;                 /* weight of the teacher's last map in the loss, see below; 0: none */
    double momentum;             /* of running statistics: new = (1 - momentum) old + momentum batch */
    struct nn_loss loss;
    const struct nn_tilings *tilings; /* of the student's calls; borrowed, not kept in checkpoints: changes no bit */
};

/*
 * With hints the student grows a pointwise adapter to the width of the teacher's last map, which is trained along and
 * left out when the receiver is loaded. The loss gains hint * bits of a symbol * mean over channels of the squared
 * difference, for each resource element (Romero et al., "FitNets", ICLR 2015).
 */

/* On the steps that led to where a training is, over all its runs; kept with it. For whoever measures to fill. */
struct rx_spent {
    double time_s, processor_s, energy_j; /* processor_s: of all threads; NAN: not known of some of the steps */
    enum jrx_source source;               /* of energy_j */
};

/* How a training came to where it is: what decides no step to come, but is to be known of the network. */
struct rx_history {
    uint64_t start;      /* fingerprint of the receiver it began from, see rx_train_start(); 0: none */
    int64_t start_steps; /* and the steps that had made that */
    struct rx_spent spent;
};

struct rx_train {
    struct rx_train_config config;
    struct rx_receiver student;        /* its parameters and statistics are what is trained */
    const struct rx_receiver *teacher; /* borrowed; NULL unless config.loss.mix > 0 */
    int64_t step;                      /* steps done */
    struct rx_history history;
    struct nn_loss_sum last;             /* over the batch of the last step */
    float *m, *v;                        /* of the optimiser */
    float *average, *average_statistics; /* NULL unless config.average */
    float *update;                       /* scratch of LAMB */
    int asked, threads, parts;           /* threads asked for, and at work on micro-batches; micro-batches of a batch */
    struct rx_worker *worker;            /* [threads]: contexts, a slot, labels */
    size_t bytes;                        /* most that a training holds at any time */
    float **gradient, **statistic;       /* [parts] blocks */
    struct nn_loss_sum *sum;             /* [parts] */
};

/** How the network of a training is walked. Pure. */
enum nn_mode rx_train_mode(const struct rx_train_config *config);
/** Of `threads`, how many share a micro-batch: all of them if the batch is one, else 1 and they share out
 * micro-batches. Pure. */
int rx_train_inner(const struct rx_train_config *config, int threads);

/** What a training with these slots is to be validated on: the same, but over TDL-A and E. Pure. */
struct lk_config rx_validation_link(const struct lk_config *training);

/** 0, or JRX_EINVAL naming the field, its value and the allowed range. */
int rx_train_config_check(const struct rx_train_config *config);

/** Bytes that rx_train_init() will take and rx_train_save() will need meanwhile (rx_train.bytes), before they do; 0 if
 * the configuration is refused. */
size_t rx_train_bytes(const struct rx_train_config *config, const struct rx_receiver *teacher, int threads);

/**
 * At step 0 with starting values. `teacher` is run in inference mode by all threads and must outlive the training.
 * 0, JRX_EINVAL, JRX_ENOMEM.
 */
int rx_train_init(struct rx_train *train, const struct rx_train_config *config, const struct rx_receiver *teacher,
                  int threads);
void rx_train_fini(struct rx_train *train); /* also on a zeroed struct */

/**
 * One step; train->last is its loss. 0; JRX_EINVAL after the last step of the schedule; JRX_EIMPLAUSIBLE if the loss is
 * not finite, which leaves the parameters as they were.
 */
int rx_train_step(struct rx_train *train);

/** What it trains, as it is to be used: with the averaged weights if there are such. Borrowed: never to be freed. */
struct rx_receiver rx_train_receiver(const struct rx_train *train);

/** Useful FLOP of the convolutions of one step: forward, backward (twice forward), and the teacher's forward. Pure. */
double rx_step_flop(const struct rx_train *train);

/** How many times the loss of a slot counts: 1, or log2(1 + SNR) with snr_weight. Pure. */
double rx_slot_weight(const struct rx_train_config *config, const struct lk_slot *slot);

/**
 * Makes a training that has done no step begin from the receiver in `path`, as that is used, in place of starting
 * values; the optimiser begins anew. What was spent on that receiver counts as spent. Give another seed than it had,
 * lest the same slots come again. 0, JRX_EIO, JRX_EPERMISSION, JRX_EFORMAT, JRX_ENOMEM; JRX_EINVAL if the network is
 * another one or hints are learnt.
 */
int rx_train_start(struct rx_train *train, const char *path);

/** All that is needed to go on: parameters, statistics, optimiser, average, step, configuration. See nn/safetensors.h.
 */
int rx_train_save(const struct rx_train *train, const char *path);
/**
 * Into an initialised training: goes on from `path`. 0, JRX_EIO, JRX_EPERMISSION, JRX_EFORMAT; JRX_EINVAL if it was
 * trained with another configuration or teacher, naming the first difference. On failure the training must not be used.
 */
int rx_train_load(struct rx_train *train, const char *path);

/** How the receiver in `path` was trained, and the steps done in all, those of its start among them; what the file does
 * not say is 0 steps and NAN. 0, JRX_EIO, JRX_EPERMISSION, JRX_EFORMAT. */
int rx_train_history(const char *path, struct rx_history *history, int64_t *steps);

#endif
