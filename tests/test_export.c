/* joulerx export: what an ONNX file holds, read back here; what another program makes of it; what is refused. */
#include "experiments/command.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "models/nn/checkpoint.h"
#include "models/nn/onnx.h"
#include "models/nn/run.h"
#include "models/receiver/receiver.h"
#include "tests/support/net_dump.h"
#include "tests/support/test.h"
#include <sys/stat.h>
#include <unistd.h>

extern const struct ex_command cmd_export;

static char folder[] = "/tmp/jrx-export-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return !mkdtemp(folder);
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static char *in_folder(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", folder, name);
    return path;
}

/* ---- a network whose every number matters ---- */

static void vary(struct rx_receiver *r)
{
    struct jrx_rng rng;
    jrx_rng_init(&rng, 7, 0);
    for (int i = 0; i < r->net.tensors; i++) {
        const struct nn_tensor *tensor = &r->net.tensor[i];
        if (tensor->dims == 4)
            continue;
        const int wide = strstr(tensor->name, "running_var") || strstr(tensor->name, "norm"); /* 0.5 to 1.5 */
        float *block = tensor->statistic ? r->statistics : r->parameters;
        for (int c = 0; c < tensor->dim[0]; c++)
            block[tensor->offset + (size_t)c] = (float)(jrx_rng_uniform(&rng) - (wide ? -0.5 : 0.5));
    }
}

static struct rx_receiver made(const struct rx_shape *shape)
{
    struct rx_receiver r;
    assert_int_equal(rx_receiver_init(&r, shape, 5), 0);
    vary(&r);
    return r;
}

static void write_onnx(const char *path, const struct rx_receiver *r)
{
    const struct nn_st_pair pair = {"body", "any"};
    const struct nn_onnx_about about = {"net", "text", &pair, 1};
    assert_int_equal(nn_onnx_write(path, &about, &r->net, r->parameters, r->statistics), 0);
}

/* ---- the wire format, read ---- */

struct bytes {
    const unsigned char *at, *end;
};

static uint64_t varint(struct bytes *b)
{
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        assert_true(b->at < b->end && shift < 64);
        value |= (uint64_t)(*b->at & 0x7f) << shift;
        if (*b->at++ < 0x80)
            return value;
    }
}

struct field {
    int number;
    uint64_t integer;   /* of a varint */
    struct bytes bytes; /* of the rest */
};

static int next(struct bytes *message, struct field *f)
{
    if (message->at == message->end)
        return 0;
    const uint64_t tag = varint(message);
    *f = (struct field){.number = (int)(tag >> 3)};
    if ((tag & 7) == 0) {
        f->integer = varint(message);
        return 1;
    }
    assert_true((tag & 7) == 2 || (tag & 7) == 5);
    const size_t size = (tag & 7) == 5 ? 4 : varint(message);
    assert_true(size <= (size_t)(message->end - message->at));
    f->bytes = (struct bytes){message->at, message->at + size};
    message->at += size;
    return 1;
}

static int is(struct bytes b, const char *text)
{
    return (size_t)(b.end - b.at) == strlen(text) && !memcmp(b.at, text, strlen(text));
}

/* The field `number` whose own field 1, 3 or 8 (a name, by message) is `name`; NULL: the first. */
static int find(struct bytes message, int number, int name_field, const char *name, struct bytes *found)
{
    struct field f, inner;
    while (next(&message, &f)) {
        if (f.number != number)
            continue;
        *found = f.bytes;
        struct bytes in = f.bytes;
        while (name && next(&in, &inner))
            if (inner.number == name_field && is(inner.bytes, name))
                return 1;
        if (!name)
            return 1;
    }
    return 0;
}

static struct bytes slurp(const char *path, void **memory)
{
    struct stat info;
    FILE *from = fopen(path, "rb");
    assert_non_null(from);
    assert_int_equal(fstat(fileno(from), &info), 0);
    *memory = malloc((size_t)info.st_size);
    assert_int_equal(fread(*memory, 1, (size_t)info.st_size, from), info.st_size);
    fclose(from);
    return (struct bytes){*memory, (unsigned char *)*memory + info.st_size};
}

enum { GRAPH = 7, NODE = 1, TENSOR = 5, NODE_NAME = 3, TENSOR_NAME = 8 };

static int nodes_of(struct bytes graph, const char *operation)
{
    struct field f, inner;
    int count = 0;
    while (next(&graph, &f))
        while (f.number == NODE && next(&f.bytes, &inner))
            count += inner.number == 4 && is(inner.bytes, operation);
    return count;
}

/* Floats of an initialiser, to be freed, and how many. */
static float *tensor_of(struct bytes graph, const char *name, size_t *count)
{
    struct bytes tensor = {NULL, NULL}, raw = {NULL, NULL};
    assert_true(find(graph, TENSOR, TENSOR_NAME, name, &tensor));
    assert_true(find(tensor, 9, 0, NULL, &raw));
    const size_t bytes = (size_t)(raw.end - raw.at);
    float *copy = malloc(bytes);
    assert_non_null(copy);
    *count = bytes / sizeof *copy;
    return memcpy(copy, raw.at, bytes);
}

static void check_ints(struct bytes node, const char *name, const int *want)
{
    struct bytes attribute = {NULL, NULL};
    struct field f;
    assert_true(find(node, 5, 1, name, &attribute));
    while (next(&attribute, &f))
        if (f.number == 8 || f.number == 3)
            assert_int_equal(f.integer, *want++);
}

/* ---- tests ---- */

static void deeprx_is_a_graph_of_its_layers(void **state)
{
    (void)state;
    char path[128];
    void *memory;
    struct bytes graph = {NULL, NULL}, node = {NULL, NULL};
    struct field f, inner;
    struct rx_receiver r = made(&(struct rx_shape){.body = rx_bodies(), .width = 1, .rx = 2, .logits = 4});
    write_onnx(in_folder("deeprx.onnx", path), &r);
    const struct bytes model = slurp(path, &memory);
    assert_true(find(model, GRAPH, 0, NULL, &graph));
    assert_int_equal(nodes_of(graph, "Conv"), 1 + 11 * 4 + 4 + 1); /* 4 blocks change the width */
    assert_int_equal(nodes_of(graph, "Add"), 11);
    assert_int_equal(nodes_of(graph, "Relu"), 23);
    assert_int_equal(nodes_of(graph, "BatchNormalization"), 12); /* the second norm of each block is folded away */
    /* 1,232,516 numbers; folding takes scale and shift of 11 norms, the 12 others bring mean and variance */
    const int firsts = 64 + 64 + 64 + 128 + 128 + 256 + 256 + 256 + 128 + 128 + 64 + 64,
              seconds = 64 + 64 + 128 + 128 + 256 + 256 + 256 + 128 + 128 + 64 + 64;
    size_t bytes = 0;
    for (struct bytes g = graph; next(&g, &f);)
        while (f.number == TENSOR && next(&f.bytes, &inner))
            bytes += inner.number == 9 ? (size_t)(inner.bytes.end - inner.bytes.at) : 0;
    assert_int_equal(bytes / sizeof(float), 1232516 + 2 * firsts - 2 * seconds);
    assert_true(find(graph, NODE, NODE_NAME, "block6.dw1", &node)); /* (3, 6): 6 along frequency, our first axis */
    check_ints(node, "dilations", (const int[]){6, 3});
    check_ints(node, "pads", (const int[]){6, 3, 6, 3});
    check_ints(node, "kernel_shape", (const int[]){3, 3});
    check_ints(node, "group", (const int[]){256});
    assert_true(find(graph, NODE, NODE_NAME, "stem", &node));
    check_ints(node, "dilations", (const int[]){1, 1});
    assert_false(find(node, 5, 1, "group", &node));
    free(memory);
    unlink(path);
    rx_receiver_fini(&r);
}

static void a_norm_is_folded_into_the_convolution_that_it_alone_reads(void **state)
{
    (void)state;
    char path[128];
    void *memory;
    struct bytes graph = {NULL, NULL};
    size_t count, width = 20, inputs = 40; /* of 320 / 16 channels */
    struct rx_receiver r = made(&(struct rx_shape){
        .body = rx_body_find("short3"), .width = 0.3125, .rx = 2, .logits = 4, .hint = 8}); /* the hint stays behind */
    write_onnx(in_folder("student.onnx", path), &r);
    const struct bytes model = slurp(path, &memory);
    assert_true(find(model, GRAPH, 0, NULL, &graph));
    const struct nn_layer *pw = NULL, *norm = NULL;
    for (int i = 0; i < r.net.layers; i++) {
        pw = strcmp(r.net.layer[i].name, "block2.pw1") ? pw : &r.net.layer[i];
        norm = strcmp(r.net.layer[i].name, "block2.norm2") ? norm : &r.net.layer[i];
    }
    assert_non_null(pw);
    assert_non_null(norm);
    float *w = tensor_of(graph, "block2.pw1.weight", &count);
    assert_int_equal(count, width * inputs);
    float *bias = tensor_of(graph, "block2.pw1.bias", &count);
    assert_int_equal(count, width);
    for (size_t o = 0; o < width; o++) {
        const double scale = r.parameters[norm->weight + o] / sqrt(r.statistics[norm->variance + o] + 1e-5);
        const double shift = r.parameters[norm->bias + o] - scale * r.statistics[norm->mean + o];
        assert_near(bias[o], scale * r.parameters[pw->bias + o] + shift, 1e-6);
        for (size_t i = 0; i < inputs; i++) { /* [oc/16][ic 48][16] in memory */
            const double old = r.parameters[pw->weight + (o / 16 * 48 + i) * 16 + o % 16];
            assert_near(w[o * inputs + i], scale * old, 1e-6);
        }
    }
    struct bytes none;
    assert_false(find(graph, TENSOR, TENSOR_NAME, "block2.norm2.weight", &none));
    assert_false(find(graph, NODE, NODE_NAME, "hint", &none));
    free(w);
    free(bias);
    free(memory);
    unlink(path);
    rx_receiver_fini(&r);
}

static const char *python(void)
{
    return getenv("PYTHON") ? getenv("PYTHON") : "/usr/bin/python3";
}

/* Another program's logits of two slots beside ours, in both modes of ours. The numbers are float there and here; the
 * bound is relative to the largest logit, and is that of single roundings, 2^-24, adding up over layers as their count
 * (80), at most. */
static void check_runtime(const struct rx_shape *shape)
{
    enum { N = 2, F = 30, T = 14, PIXELS = F * T };
    char model[128], in[128], out[128], command[600];
    struct nn_st_file file;
    struct nn_context context;
    struct jrx_rng rng;
    struct rx_receiver r = made(shape);
    const size_t c = (size_t)r.net.channels, blocks = (size_t)kn_blocks(r.net.channels);
    float *input = jrx_alloc(N * c * PIXELS * sizeof *input);
    jrx_rng_init(&rng, 4, 0);
    for (size_t i = 0; i < N * c * PIXELS; i++)
        input[i] = (float)(2 * jrx_rng_uniform(&rng) - 1);
    const struct nn_st_tensor tensor = net_dump_tensor("input", N, (int)c, F, T, input);
    write_onnx(in_folder("net.onnx", model), &r);
    assert_int_equal(nn_st_write(in_folder("in", in), NULL, 0, &tensor, 1), 0);
    snprintf(command, sizeof command, "%s tests/oracle_onnx.py %s %s %s", python(), model, in, in_folder("out", out));
    assert_int_equal(system(command), 0);
    assert_int_equal(nn_st_open(&file, out), 0);
    const struct nn_st_tensor *want = nn_st_find(&file, "logits");
    assert_non_null(want);
    assert_int_equal(want->count, N * shape->logits * PIXELS);
    double largest = 0;
    for (size_t i = 0; i < want->count; i++)
        largest = fmax(largest, fabs((double)want->data[i]));
    assert_true(largest > 0.1);
    for (int mode = 0; mode < 2; mode++) {
        const enum nn_mode modes[] = {NN_INFERENCE, NN_FUSED_INFERENCE};
        assert_int_equal(nn_context_init(&context, &r.net, modes[mode], N, F, T, 1), 0);
        memset(nn_input(&context), 0, N * blocks * PIXELS * KN_LANES * sizeof(float));
        for (size_t i = 0; i < N * c * PIXELS; i++) {
            const size_t n = i / PIXELS / c, k = i / PIXELS % c, p = i % PIXELS;
            nn_input(&context)[((n * blocks + k / KN_LANES) * PIXELS + p) * KN_LANES + k % KN_LANES] = input[i];
        }
        nn_forward(&context, r.parameters, r.statistics);
        for (size_t i = 0; i < want->count; i++) {
            const size_t n = i / PIXELS / (size_t)shape->logits, k = i / PIXELS % (size_t)shape->logits;
            const double got = nn_output(&context)[(n * PIXELS + i % PIXELS) * KN_LANES + k];
            assert_near(got, want->data[i], 80 * largest / (1 << 24));
        }
        nn_context_fini(&context);
    }
    nn_st_close(&file);
    free(input);
    unlink(model);
    unlink(in);
    unlink(out);
    rx_receiver_fini(&r);
}

static void another_runtime_computes_the_same_logits(void **state)
{
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "%s -c 'import numpy' 2>/dev/null", python());
    if (system(command))
        skip_because("%s has no NumPy (apt install python3-numpy, or set PYTHON)", python());
    check_runtime(&(struct rx_shape){.body = rx_bodies(), .width = 0.125, .rx = 2, .logits = 8});
    check_runtime(&(struct rx_shape){
        .body = rx_body_find("short5"), .width = 0.3125, .blocks = 4, .multiplier = 1, .rx = 1, .logits = 4});
    check_runtime(
        &(struct rx_shape){.body = rx_body_find("short3"), .width = 0.25, .multiplier = 3, .rx = 4, .logits = 6});
}

/* ---- the command ---- */

static int export(const char *from, const char *to)
{
    char name[] = "joulerx export", a[128], b[128], *argv[] = {name, a, b, NULL};
    snprintf(a, sizeof a, "%s", from);
    snprintf(b, sizeof b, "%s", to);
    return cmd_export.run(3, argv);
}

/* Ours, with an average that differs from the weights. */
static void write_checkpoint(const char *path, const struct rx_receiver *r, const struct rx_receiver *average)
{
    const struct nn_st_pair pair[] = {
        {"body", r->shape.body->name}, {"width", "0.125"}, {"rx", "2"},       {"logits", "4"},
        {"average", "0.99"},           {"step", "12"},     {"optimiser", "0"}};
    const struct nn_block block[] = {{"", 0, r->parameters},
                                     {"", 1, r->statistics},
                                     {"average.", 0, average->parameters},
                                     {"average.", 1, average->statistics},
                                     {"adamw.m.", 0, r->parameters}};
    assert_int_equal(nn_checkpoint_write(path, pair, 7, &r->net, block, 5), 0);
}

static void the_averaged_weights_alone_are_exported(void **state)
{
    (void)state;
    const struct rx_shape shape = {.body = rx_body_find("short3"), .width = 0.125, .rx = 2, .logits = 4};
    char from[128], plain[128], onnx[128];
    struct rx_receiver r = made(&shape), average = made(&shape), back;
    struct nn_st_file file;
    void *memory;
    struct bytes graph = {NULL, NULL}, property;
    size_t count;
    for (size_t i = 0; i < average.net.decayed_floats; i++)
        average.parameters[i] *= 2;
    write_checkpoint(in_folder("checkpoint", from), &r, &average);
    assert_int_equal(export(from, in_folder("plain.safetensors", plain)), 0);
    assert_int_equal(rx_receiver_load(&back, plain), 0);
    assert_memory_equal(back.parameters, average.parameters, average.net.parameter_floats * sizeof(float));
    assert_memory_equal(back.statistics, average.statistics, average.net.statistic_floats * sizeof(float));
    assert_int_equal(nn_st_open(&file, plain), 0);
    assert_int_equal(file.tensors, average.net.tensors);
    assert_string_equal(nn_st_meta(&file, "step"), "12");
    nn_st_close(&file);
    assert_int_equal(export(from, in_folder("net.onnx", onnx)), 0);
    const struct bytes model = slurp(onnx, &memory);
    assert_true(find(model, GRAPH, 0, NULL, &graph));
    assert_true(find(model, 14, 1, "body", &property));
    float *stem = tensor_of(graph, "stem.weight", &count);
    float *want = malloc(count * sizeof *want);
    nn_tensor_unpack(&average.net, &average.net.tensor[0], average.parameters, want);
    assert_memory_equal(stem, want, count * sizeof *want);
    free(want);
    free(stem);
    free(memory);
    unlink(from);
    unlink(plain);
    unlink(onnx);
    rx_receiver_fini(&r);
    rx_receiver_fini(&average);
    rx_receiver_fini(&back);
}

static void refused(int status, const char *words)
{
    if (!strstr(jrx_last_error(), words))
        print_error("%s\n", jrx_last_error());
    assert_non_null(strstr(jrx_last_error(), words));
    assert_true(status < 0);
}

static void what_cannot_be_exported_is_one_clear_line(void **state)
{
    (void)state;
    const struct rx_shape shape = {.body = rx_body_find("short3"), .width = 0.125, .rx = 2, .logits = 4};
    char from[128], to[128], other[128], temporary[160];
    struct rx_receiver r = made(&shape);
    write_checkpoint(in_folder("checkpoint.safetensors", from), &r, &r);
    refused(export(from, in_folder("net.pt", to)), "there are .onnx and .safetensors");
    refused(export(from, from), "is the checkpoint itself");
    refused(export(in_folder("missing", other), in_folder("net.onnx", to)), "cannot be opened (No such file");
    assert_int_not_equal(access(to, F_OK), 0);
    refused(export(from, in_folder("nowhere/net.onnx", to)), "could not be written (No such file");
    refused(export(folder, in_folder("net.onnx", to)), "is no file but a folder");
    FILE *torn = fopen(in_folder("torn", other), "w");
    fputs("not a checkpoint at all", torn);
    fclose(torn);
    assert_int_equal(export(other, to), JRX_EFORMAT);
    assert_int_not_equal(access(to, F_OK), 0);
    unlink(other);
    if (access("/dev/full", W_OK) == 0) { /* a full disk, by way of the temporary's name */
        snprintf(temporary, sizeof temporary, "%s.tmp", to);
        assert_int_equal(symlink("/dev/full", temporary), 0);
        refused(export(from, to), "No space left on device); make room or choose");
        assert_int_not_equal(access(to, F_OK), 0);
        assert_int_not_equal(access(temporary, F_OK), 0);
    }
    unlink(from);
    rx_receiver_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deeprx_is_a_graph_of_its_layers),
        cmocka_unit_test(a_norm_is_folded_into_the_convolution_that_it_alone_reads),
        cmocka_unit_test(another_runtime_computes_the_same_logits),
        cmocka_unit_test(the_averaged_weights_alone_are_exported),
        cmocka_unit_test(what_cannot_be_exported_is_one_clear_line),
    };
    return cmocka_run_group_tests_name("export", tests, make_folder, remove_folder);
}
