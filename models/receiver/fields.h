/*
 * The configuration of a training as pairs of text: what users set by name, and what a checkpoint keeps as metadata.
 */
#ifndef MODELS_RECEIVER_FIELDS_H
#define MODELS_RECEIVER_FIELDS_H
#include "models/nn/safetensors.h"
#include "models/receiver/train.h"

#define RX_AVERAGE "average." /* before the names of averaged tensors */

enum { RX_FIELDS = 56, RX_FIELD_TEXT = 32 };

struct rx_setting {
    const char *name, *argument, *doc; /* of the option: "optimiser", "NAME", one line */
    int taught;                        /* means something with a teacher only */
};
enum { RX_MAX_SETTINGS = 32 };

/** Setting i = 0, 1, ... in the order in which they are to be set; NULL past the last. What slots are drawn from (with
 * the number of antennas) and the seed are not among them. Pure. */
const struct rx_setting *rx_setting(int i);
/** Sets one from text. 0, or JRX_EINVAL with name, text and what is possible; check the whole with
 * rx_train_config_check(). Setting the steps stretches warm-up and plateau along. */
int rx_setting_set(struct rx_train_config *config, const char *name, const char *text);

struct rx_fields {
    struct nn_st_pair pair[RX_FIELDS];
    char text[RX_FIELDS][RX_FIELD_TEXT]; /* what the values point to */
    int count, compared;                 /* the first `compared` decide the trajectory */
};

/** Every field, the teacher's fingerprint, steps done and what was spent on them. `fields` must stay where it is. */
void rx_fields_fill(struct rx_fields *fields, const struct rx_train *train);
/** The configuration that a checkpoint was trained with, by all its fields. 0, JRX_EIO, JRX_EPERMISSION, JRX_EFORMAT.
 */
int rx_config_load(struct rx_train_config *config, const char *path);
/** 0, or JRX_EINVAL with the first field of `file` that differs; step and what was spent may. */
int rx_fields_compare(const struct rx_fields *fields, const struct nn_st_file *file, const char *path);
/** What network a file holds, from its metadata. 0, JRX_EFORMAT. */
int rx_shape_read(struct rx_shape *shape, const struct nn_st_file *file, const char *path);

/** 64-bit FNV-1a of a receiver's parameters and statistics; 0 for NULL. Pure. */
uint64_t rx_fingerprint(const struct rx_receiver *receiver);

#endif
