/* Weights: what is taken lies within the file, and its shape multiplies out to its size. */
#include "models/nn/safetensors.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nn_st_file file = {0};
    char path[32];
    volatile float sink = 0;
    int fd = fuzz_file(data, size, path), rc = nn_st_open(&file, path);
    close(fd);
    if (rc)
        fuzz_refused(rc);
    for (int t = 0; !rc && t < file.tensors; t++) {
        size_t count = 1;
        for (int d = 0; d < file.tensor[t].dims; d++)
            count *= file.tensor[t].dim[d];
        if (count != file.tensor[t].count || nn_st_find(&file, file.tensor[t].name) != &file.tensor[t])
            abort();
        for (size_t i = 0; i < count; i++) /* the sanitizer sees what lies outside */
            sink = file.tensor[t].data[i];
    }
    (void)sink;
    nn_st_close(&file);
    return 0;
}
