/*
 * safetensors files: 8 bytes little-endian length of a JSON header, the header, then the tensors, densely, in
 * row-major order. Only F32 is written and read. PyTorch, NumPy and others load such files without unpickling.
 * Source: https://github.com/huggingface/safetensors, "Format".
 */
#ifndef MODELS_NN_SAFETENSORS_H
#define MODELS_NN_SAFETENSORS_H
#include <stddef.h>

enum { NN_ST_NAME = 96, NN_ST_DIMS = 4 };

struct nn_st_tensor {
    char name[NN_ST_NAME];
    int dims;
    size_t dim[NN_ST_DIMS];
    size_t count; /* product of the dims */
    const float *data;
};

struct nn_st_pair { /* of "__metadata__": text to text */
    const char *key, *value;
};

/**
 * Writes `path`, atomically (harness/base/file.h). The tensors appear in the given order. 0, JRX_EIO, JRX_EPERMISSION,
 * JRX_ENOMEM, JRX_EINVAL (a name twice).
 */
int nn_st_write(const char *path, const struct nn_st_pair *pair, int pairs, const struct nn_st_tensor *tensor,
                int tensors);

struct nn_st_file {
    void *memory; /* the whole file */
    void *json;   /* owns the metadata strings */
    struct nn_st_tensor *tensor;
    int tensors;
};

/**
 * Reads and checks all of it: nothing of a malformed file is ever used. 0; JRX_EIO (missing, unreadable), JRX_ENOMEM,
 * JRX_EFORMAT: truncated, header length beyond the file or 100 MB, no JSON object, a name twice, a dtype that is not
 * F32, dims negative or more than 4, offsets that overlap, leave a hole, lie outside the file or do not fit the shape.
 */
int nn_st_open(struct nn_st_file *file, const char *path);
void nn_st_close(struct nn_st_file *file); /* also on a zeroed struct */

/** By name; NULL if there is none. Valid until close. */
const struct nn_st_tensor *nn_st_find(const struct nn_st_file *file, const char *name);
/** Value of a metadata key; NULL if there is none. Valid until close. */
const char *nn_st_meta(const struct nn_st_file *file, const char *key);

#endif
