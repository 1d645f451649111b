/*
 * The wire format of protocol buffers, as far as writing needs it: a message is a row of fields, each a number, a kind
 * and a value; a message within a message is a field of bytes. Running out of memory is remembered and told at the end,
 * so that whoever builds a message checks once.
 * Source: https://protobuf.dev/programming-guides/encoding/
 */
#ifndef MODELS_NN_WIRE_H
#define MODELS_NN_WIRE_H
#include <stddef.h>
#include <stdint.h>

struct nn_wire {
    char *data; /* malloc */
    size_t bytes, room;
    int failed; /* no memory; what is put afterwards is dropped */
};

void nn_wire_free(struct nn_wire *wire);
void nn_wire_integer(struct nn_wire *wire, int field, int64_t value);
void nn_wire_float(struct nn_wire *wire, int field, float value);
void nn_wire_bytes(struct nn_wire *wire, int field, const void *data, size_t bytes);
void nn_wire_text(struct nn_wire *wire, int field, const char *text);
/** A message that is whole, as a field; frees it. */
void nn_wire_message(struct nn_wire *wire, int field, struct nn_wire *message);

#endif
