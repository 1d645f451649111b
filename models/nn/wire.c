#include "models/nn/wire.h"
#include <stdlib.h>
#include <string.h>

enum kind { VARINT = 0, LENGTH = 2, FIXED32 = 5 };

void nn_wire_free(struct nn_wire *wire)
{
    free(wire->data);
    *wire = (struct nn_wire){0};
}

static void put(struct nn_wire *wire, const void *data, size_t bytes)
{
    if (!wire->failed && wire->bytes + bytes > wire->room) {
        const size_t room = 2 * (wire->bytes + bytes);
        char *more = realloc(wire->data, room);
        wire->failed = !more;
        wire->data = more ? more : wire->data;
        wire->room = more ? room : wire->room;
    }
    if (wire->failed || !bytes)
        return;
    memcpy(wire->data + wire->bytes, data, bytes);
    wire->bytes += bytes;
}

/* Seven bits a byte, the least significant first; the top bit says that more follow. */
static void varint(struct nn_wire *wire, uint64_t value)
{
    unsigned char byte[10];
    size_t bytes = 0;
    do {
        byte[bytes++] = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value);
    put(wire, byte, bytes);
}

static void tag(struct nn_wire *wire, int field, enum kind kind)
{
    varint(wire, (uint64_t)field << 3 | kind);
}

void nn_wire_integer(struct nn_wire *wire, int field, int64_t value)
{
    tag(wire, field, VARINT);
    varint(wire, (uint64_t)value);
}

void nn_wire_float(struct nn_wire *wire, int field, float value)
{
    tag(wire, field, FIXED32);
    put(wire, &value, sizeof value); /* little endian, as every machine that the kernels run on */
}

void nn_wire_bytes(struct nn_wire *wire, int field, const void *data, size_t bytes)
{
    tag(wire, field, LENGTH);
    varint(wire, bytes);
    put(wire, data, bytes);
}

void nn_wire_text(struct nn_wire *wire, int field, const char *text)
{
    nn_wire_bytes(wire, field, text, strlen(text));
}

void nn_wire_message(struct nn_wire *wire, int field, struct nn_wire *message)
{
    nn_wire_bytes(wire, field, message->data, message->bytes);
    wire->failed |= message->failed;
    nn_wire_free(message);
}
