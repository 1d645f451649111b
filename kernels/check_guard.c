#include "kernels/check_guard.h"
#include "harness/base/error.h"
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const uint32_t poison = 0x7fa0dead; /* a signalling NaN: whatever is computed from it is NaN */

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

int kn_guarded_init(struct kn_guarded *buffer, size_t floats, const float *content, int at_end)
{
    *buffer = (struct kn_guarded){.floats = floats};
    if (!floats)
        return 0;
    size_t page = page_bytes(), inner = (floats * sizeof(float) + page - 1) / page * page;
    buffer->map_bytes = inner + 2 * page;
    void *map = mmap(NULL, buffer->map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return jrx_fail(JRX_ENOMEM, "check: %zu bytes could not be mapped; use a smaller case", buffer->map_bytes);
    buffer->map = map;
    char *begin = buffer->map + page;
    if (mprotect(begin, inner, PROT_READ | PROT_WRITE)) {
        kn_guarded_fini(buffer);
        return jrx_fail(JRX_ENOMEM, "check: %zu bytes could not be made writable; use a smaller case", inner);
    }
    for (size_t i = 0; i < inner; i += sizeof poison)
        memcpy(begin + i, &poison, sizeof poison);
    buffer->data = (float *)(void *)(begin + (at_end ? inner - floats * sizeof(float) : 0));
    if (content)
        memcpy(buffer->data, content, floats * sizeof(float));
    return 0;
}

void kn_guarded_fini(struct kn_guarded *buffer)
{
    if (buffer->map)
        munmap(buffer->map, buffer->map_bytes);
    *buffer = (struct kn_guarded){0};
}

static int poisoned(const char *from, const char *to)
{
    for (; from < to; from += sizeof poison)
        if (memcmp(from, &poison, sizeof poison) != 0)
            return 0;
    return 1;
}

int kn_guarded_intact(const struct kn_guarded *buffer)
{
    if (!buffer->floats)
        return 1;
    size_t page = page_bytes();
    const char *data = (const char *)buffer->data;
    return poisoned(buffer->map + page, data) &&
           poisoned(data + buffer->floats * sizeof(float), buffer->map + buffer->map_bytes - page);
}
