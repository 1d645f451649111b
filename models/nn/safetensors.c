#include "models/nn/safetensors.h"
#include "harness/base/error.h"
#include "harness/base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LENGTH_BYTES = 8, HEADER_MAX = 100000000 };

/* ---- writing ---- */

static json_t *tensor_entry(const struct nn_st_tensor *tensor, size_t begin, size_t end)
{
    json_t *shape = json_array();
    for (int i = 0; i < tensor->dims; i++)
        json_array_append_new(shape, json_integer((json_int_t)tensor->dim[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape, "data_offsets", (json_int_t)begin,
                     (json_int_t)end);
}

/* The header as text, padded with spaces so that the data start on a multiple of 8; NULL if there is no memory. */
static char *header_text(const struct nn_st_pair *pair, int pairs, const struct nn_st_tensor *tensor, int tensors,
                         size_t *bytes)
{
    json_t *header = json_object(), *meta = json_object();
    int failed = !header || !meta;
    for (int i = 0; i < pairs && !failed; i++)
        failed = json_object_set_new(meta, pair[i].key, json_string(pair[i].value));
    failed = json_object_set_new(header, "__metadata__", meta) || failed;
    size_t at = 0;
    for (int i = 0; i < tensors && !failed; i++) {
        size_t end = at + tensor[i].count * sizeof(float);
        failed = json_object_set_new(header, tensor[i].name, tensor_entry(&tensor[i], at, end));
        at = end;
    }
    char *text = failed ? NULL : json_dumps(header, JSON_COMPACT), *wide = NULL;
    json_decref(header);
    if (text) {
        size_t length = strlen(text);
        *bytes = (length + 7) / 8 * 8;
        wide = malloc(*bytes);
        if (wide)
            memcpy(memset(wide, ' ', *bytes), text, length);
    }
    free(text);
    return wide;
}

int nn_st_write(const char *path, const struct nn_st_pair *pair, int pairs, const struct nn_st_tensor *tensor,
                int tensors)
{
    for (int i = 0; i < tensors; i++)
        for (int k = 0; k < i; k++)
            if (!strcmp(tensor[i].name, tensor[k].name))
                return jrx_fail(JRX_EINVAL, "%s: two tensors are called %s", path, tensor[i].name);
    unsigned char length[LENGTH_BYTES];
    size_t bytes = 0;
    char *header = header_text(pair, pairs, tensor, tensors, &bytes);
    struct jrx_piece *piece = calloc((size_t)tensors + 2, sizeof *piece);
    int status = header && piece ? 0 : jrx_fail(JRX_ENOMEM, "%s: no memory for its header", path);
    if (status)
        goto out;
    for (int i = 0; i < LENGTH_BYTES; i++)
        length[i] = (unsigned char)(bytes >> 8 * i);
    piece[0] = (struct jrx_piece){length, sizeof length};
    piece[1] = (struct jrx_piece){header, bytes};
    for (int i = 0; i < tensors; i++)
        piece[2 + i] = (struct jrx_piece){tensor[i].data, tensor[i].count * sizeof(float)};
    status = jrx_file_replace_pieces(path, piece, tensors + 2,
                                     "make room or choose another folder; an older file of that name is left as it "
                                     "was, and commands that have --resume go on from it");
out:
    free(piece);
    free(header);
    return status;
}

/* ---- reading ---- */

static int read_whole(const char *path, void **memory, size_t *bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), status = 0;
    struct stat info;
    char *data = NULL;
    if (fd < 0 || fstat(fd, &info)) {
        status =
            jrx_fail(errno == EACCES ? JRX_EPERMISSION : JRX_EIO, "%s: cannot be opened (%s)", path, strerror(errno));
        goto out;
    }
    if (!S_ISREG(info.st_mode)) {
        status = jrx_fail(JRX_EFORMAT, "%s: is no file but a folder or device; give a .safetensors file", path);
        goto out;
    }
    *bytes = (size_t)info.st_size;
    data = malloc(*bytes + 1);
    if (!data) {
        status = jrx_fail(JRX_ENOMEM, "%s: no memory for its %zu bytes", path, *bytes);
        goto out;
    }
    for (size_t got = 0; got < *bytes;) {
        ssize_t n = read(fd, data + got, *bytes - got);
        if (n > 0) {
            got += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            status = jrx_fail(JRX_EIO, "%s: read %zu of %zu bytes (%s)", path, got, *bytes,
                              n ? strerror(errno) : "the file became shorter");
            goto out;
        }
    }
    *memory = data;
    data = NULL;
out:
    free(data);
    if (fd >= 0)
        close(fd);
    return status;
}

/* One size out of a JSON array; -1 if it is none. */
static int size_at(const json_t *array, size_t i, size_t *size)
{
    const json_t *number = json_array_get(array, i);
    if (!json_is_integer(number) || json_integer_value(number) < 0)
        return -1;
    *size = (size_t)json_integer_value(number);
    return 0;
}

/* Checks one entry but for its neighbours; `room`: bytes of data in the file. */
static int read_entry(const char *path, const char *name, const json_t *entry, char *data, size_t room,
                      struct nn_st_tensor *tensor)
{
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    const json_t *shape = json_object_get(entry, "shape"), *offsets = json_object_get(entry, "data_offsets");
    size_t begin, end;
    *tensor = (struct nn_st_tensor){.dims = (int)json_array_size(shape), .count = 1};
    if (strlen(name) >= sizeof tensor->name)
        return jrx_fail(JRX_EFORMAT, "%s: tensor name of %zu bytes, at most %d are read", path, strlen(name),
                        NN_ST_NAME - 1);
    strcpy(tensor->name, name);
    if (!dtype || strcmp(dtype, "F32"))
        return jrx_fail(JRX_EFORMAT, "%s: tensor %s has dtype %s; only F32 is read", path, name,
                        dtype ? dtype : "(none)");
    if (!json_is_array(shape) || json_array_size(shape) > NN_ST_DIMS)
        return jrx_fail(JRX_EFORMAT, "%s: tensor %s: shape is no array of at most %d sizes", path, name, NN_ST_DIMS);
    for (int i = 0; i < tensor->dims; i++)
        if (size_at(shape, (size_t)i, &tensor->dim[i]) ||
            __builtin_mul_overflow(tensor->count, tensor->dim[i], &tensor->count))
            return jrx_fail(JRX_EFORMAT, "%s: tensor %s: size %d of its shape is impossible", path, name, i);
    if (json_array_size(offsets) != 2 || size_at(offsets, 0, &begin) || size_at(offsets, 1, &end))
        return jrx_fail(JRX_EFORMAT, "%s: tensor %s: data_offsets is no pair of sizes", path, name);
    if (begin > end || end > room)
        return jrx_fail(JRX_EFORMAT, "%s: tensor %s: bytes %zu to %zu of %zu; the file is cut short or damaged", path,
                        name, begin, end, room);
    if (tensor->count > room / sizeof(float) || end - begin != tensor->count * sizeof(float))
        return jrx_fail(JRX_EFORMAT, "%s: tensor %s: %zu bytes do not hold its %zu numbers", path, name, end - begin,
                        tensor->count);
    tensor->data = (const float *)(const void *)(data + begin);
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct nn_st_tensor *l = a, *r = b;
    if (l->data != r->data)
        return l->data < r->data ? -1 : 1;
    return (l->count > r->count) - (l->count < r->count); /* empty tensors before the one that starts there */
}

/* Sorted by place, each tensor must begin where the one before it ends, and the last where the file does. */
static int check_cover(const char *path, struct nn_st_file *file, const char *data, size_t room)
{
    const char *at = data;
    qsort(file->tensor, (size_t)file->tensors, sizeof *file->tensor, by_place);
    for (int i = 0; i < file->tensors; i++) {
        const struct nn_st_tensor *tensor = &file->tensor[i];
        const char *begin = (const char *)tensor->data;
        if (begin != at)
            return jrx_fail(JRX_EFORMAT, "%s: tensor %s %s the one before it", path, tensor->name,
                            begin < at ? "overlaps" : "leaves a hole after");
        at = begin + tensor->count * sizeof(float);
    }
    if (at != data + room)
        return jrx_fail(JRX_EFORMAT, "%s: %zu bytes after the last tensor", path, (size_t)(data + room - at));
    return 0;
}

static int check_meta(const char *path, json_t *header)
{
    json_t *meta = json_object_get(header, "__metadata__"), *value;
    const char *key;
    if (meta && !json_is_object(meta))
        return jrx_fail(JRX_EFORMAT, "%s: __metadata__ is no object", path);
    json_object_foreach(meta, key, value) if (!json_is_string(value)) return jrx_fail(
        JRX_EFORMAT, "%s: metadata %s is no text", path, key);
    return 0;
}

static int parse(struct nn_st_file *file, const char *path, size_t bytes)
{
    unsigned char *memory = file->memory;
    uint64_t length = 0;
    json_error_t error;
    if (bytes < LENGTH_BYTES)
        return jrx_fail(JRX_EFORMAT, "%s: %zu bytes are no safetensors file; is it cut short?", path, bytes);
    for (int i = LENGTH_BYTES - 1; i >= 0; i--)
        length = length << 8 | memory[i];
    if (length > HEADER_MAX || length > bytes - LENGTH_BYTES)
        return jrx_fail(JRX_EFORMAT, "%s: header of %llu bytes in a file of %zu; cut short, or no safetensors file",
                        path, (unsigned long long)length, bytes);
    size_t room = bytes - LENGTH_BYTES - length;
    file->json = json_loadb((char *)memory + LENGTH_BYTES, length, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object((json_t *)file->json))
        return jrx_fail(JRX_EFORMAT, "%s: header is no JSON object%s%s", path, file->json ? "" : ": ",
                        file->json ? "" : error.text);
    /* Tensors need aligned floats; the header's length is not ours to choose, so the data move over length and header,
     * which have been parsed. */
    char *data = memmove(memory, memory + LENGTH_BYTES + length, room);
    const char *name;
    json_t *entry;
    int status = check_meta(path, file->json);
    file->tensor = calloc(json_object_size(file->json) + 1, sizeof *file->tensor);
    if (!file->tensor)
        return jrx_fail(JRX_ENOMEM, "%s: no memory for its list of tensors", path);
    json_object_foreach((json_t *)file->json, name, entry)
    {
        if (status)
            return status;
        if (strcmp(name, "__metadata__"))
            status = read_entry(path, name, entry, data, room, &file->tensor[file->tensors++]);
    }
    return status ? status : check_cover(path, file, data, room);
}

int nn_st_open(struct nn_st_file *file, const char *path)
{
    size_t bytes = 0;
    *file = (struct nn_st_file){0};
    int status = read_whole(path, &file->memory, &bytes);
    if (!status)
        status = parse(file, path, bytes);
    if (status)
        nn_st_close(file);
    return status;
}

void nn_st_close(struct nn_st_file *file)
{
    json_decref(file->json);
    free(file->tensor);
    free(file->memory);
    *file = (struct nn_st_file){0};
}

const struct nn_st_tensor *nn_st_find(const struct nn_st_file *file, const char *name)
{
    for (int i = 0; i < file->tensors; i++)
        if (!strcmp(file->tensor[i].name, name))
            return &file->tensor[i];
    return NULL;
}

const char *nn_st_meta(const struct nn_st_file *file, const char *key)
{
    return json_string_value(json_object_get(json_object_get(file->json, "__metadata__"), key));
}
