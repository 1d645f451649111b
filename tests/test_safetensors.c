/* models/nn: safetensors files and checkpoints; every way in which a file can be malformed. */
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "models/nn/checkpoint.h"
#include "models/receiver/receiver.h"
#include "tests/support/test.h"
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/jrx-st-XXXXXX", path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/a.safetensors", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_bytes(const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

/* A file with this header and `data` bytes of floats 0, 1, 2, ... after it. */
static void write_file(const char *header, size_t data)
{
    char bytes[2048];
    size_t length = strlen(header);
    assert_true(length + data + 8 <= sizeof bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)((uint64_t)length >> 8 * i);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < data; i++) {
        float value = (float)(i / 4);
        memcpy(bytes + 8 + length + i, (char *)&value + i % 4, 1);
    }
    write_bytes(bytes, 8 + length + data);
}

static void a_file_comes_back_as_it_was_written(void **state)
{
    (void)state;
    const float a[] = {1, 2, 3, 4, 5, 6}, b[] = {-0.0f, 1e-40f, 3e38f};
    const struct nn_st_tensor tensor[] = {
        {"z.weight", 4, {3, 2, 1, 1}, 6, a}, {"a.bias", 1, {3}, 3, b}, {"none", 1, {0}, 0, b}};
    const struct nn_st_pair pair[] = {{"step", "12"}, {"note", "quotes \" and \\ and \n"}};
    struct nn_st_file file;
    assert_int_equal(nn_st_write(path, pair, 2, tensor, 3), 0);
    assert_int_equal(nn_st_open(&file, path), 0);
    assert_int_equal(file.tensors, 3);
    const struct nn_st_tensor *got = nn_st_find(&file, "z.weight");
    assert_non_null(got);
    assert_int_equal(got->dims, 4);
    assert_int_equal(got->dim[0], 3);
    assert_int_equal(got->dim[1], 2);
    assert_memory_equal(got->data, a, sizeof a);
    assert_memory_equal(nn_st_find(&file, "a.bias")->data, b, sizeof b);
    assert_int_equal(nn_st_find(&file, "none")->count, 0);
    assert_null(nn_st_find(&file, "weight"));
    assert_string_equal(nn_st_meta(&file, "note"), "quotes \" and \\ and \n");
    assert_null(nn_st_meta(&file, "missing"));
    nn_st_close(&file);
    nn_st_close(&file); /* also on a zeroed struct */
}

/* The bytes, written out by hand from the format's description. */
static void a_small_file_has_exactly_these_bytes(void **state)
{
    (void)state;
    static const char header[] = "{\"__metadata__\":{},\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
    const float w[] = {1, -2};
    const unsigned char data[] = {0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0};
    const struct nn_st_tensor tensor = {"w", 1, {2}, 2, w};
    char want[256] = {0}, got[256];
    size_t padded = (strlen(header) + 7) / 8 * 8;
    want[0] = (char)padded;
    memset(want + 8, ' ', padded);
    memcpy(want + 8, header, strlen(header));
    memcpy(want + 8 + padded, data, 8);
    assert_int_equal(nn_st_write(path, NULL, 0, &tensor, 1), 0);
    FILE *file = fopen(path, "rb");
    assert_int_equal(fread(got, 1, sizeof got, file), 8 + padded + 8);
    fclose(file);
    assert_memory_equal(got, want, 8 + padded + 8);
}

static void foreign_files_are_read(void **state)
{
    (void)state;
    struct nn_st_file file; /* no metadata, tensors not in the order of their data, a header length that is odd */
    write_file("{\"b\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[4,12]},"
               "\"a\":{\"data_offsets\":[0,4],\"shape\":[],\"dtype\":\"F32\"}}",
               12);
    assert_int_equal(nn_st_open(&file, path), 0);
    assert_near(nn_st_find(&file, "a")->data[0], 0, 0);
    assert_near(nn_st_find(&file, "b")->data[1], 2, 0);
    nn_st_close(&file);
}

#define ENTRY(name, shape, begin, end)                                                                                 \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"

static void malformed_headers_are_refused_with_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        const char *says;
    } bad[] = {
        {"", 0, "no JSON object"},
        {"[]", 0, "no JSON object"},
        {"{\"a\":", 0, "no JSON object"},
        {"{} x", 0, "no JSON object"},
        {"{" ENTRY("a", "[1]", "0", "4") "," ENTRY("a", "[1]", "0", "4") "}", 4, "duplicate"},
        {"{\"a\":7}", 0, "dtype"},
        {"{\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "F16"},
        {"{\"a\":{\"dtype\":5,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype (none)"},
        {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "shape"},
        {"{" ENTRY("a", "[1,1,1,1,1]", "0", "4") "}", 4, "at most 4"},
        {"{" ENTRY("a", "[-1]", "0", "4") "}", 4, "size 0 of its shape"},
        {"{" ENTRY("a", "[1.5]", "0", "4") "}", 4, "size 0 of its shape"},
        {"{" ENTRY("a", "[4294967296,4294967296]", "0", "0") "}", 4, "size 1 of its shape"},
        {"{" ENTRY("a", "[4611686018427387904]", "0", "0") "}", 0, "do not hold"},
        {"{" ENTRY("a", "[2]", "0", "4") "}", 4, "do not hold"},
        {"{" ENTRY("a", "[1]", "0", "8") "}", 8, "do not hold"},
        {"{" ENTRY("a", "[1]", "4", "0") "}", 8, "damaged"},
        {"{" ENTRY("a", "[2]", "0", "8") "}", 4, "cut short"},
        {"{" ENTRY("a", "[1]", "0", "9223372036854775807") "}", 4, "cut short"},
        {"{" ENTRY("a", "[1]", "0", "99999999999999999999") "}", 4, "no JSON object"},
        {"{" ENTRY("a", "[1]", "-4", "0") "}", 4, "no pair of sizes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "no pair of sizes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":{\"x\":1}}}", 4, "no pair of sizes"},
        {"{" ENTRY("a", "[2]", "0", "8") "," ENTRY("b", "[2]", "4", "12") "}", 12, "overlaps"},
        {"{" ENTRY("a", "[1]", "0", "4") "," ENTRY("b", "[1]", "0", "4") "}", 4, "overlaps"},
        {"{" ENTRY("a", "[1]", "0", "4") "," ENTRY("b", "[1]", "8", "12") "}", 12, "leaves a hole"},
        {"{" ENTRY("a", "[1]", "2", "6") "}", 6, "leaves a hole"},
        {"{" ENTRY("a", "[1]", "0", "4") "}", 9, "5 bytes after"},
        {"{\"__metadata__\":3}", 0, "no object"},
        {"{\"__metadata__\":{\"step\":3}}", 0, "metadata step"},
        {"{\"a\\u0000b\":{}}", 0, "no JSON object"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct nn_st_file file;
        write_file(bad[i].header, bad[i].data);
        assert_int_equal(nn_st_open(&file, path), JRX_EFORMAT);
        if (!strstr(jrx_last_error(), bad[i].says))
            print_error("%s\n-> %s\n", bad[i].header, jrx_last_error());
        assert_non_null(strstr(jrx_last_error(), bad[i].says));
        assert_non_null(strstr(jrx_last_error(), path));
        assert_null(strchr(jrx_last_error(), '\n'));
        assert_null(file.memory);
    }
}

static void a_name_that_is_too_long_is_refused(void **state)
{
    (void)state;
    struct nn_st_file file;
    char header[400] = "{\"";
    memset(header + 2, 'n', 200);
    strcat(header, "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}");
    write_file(header, 4);
    assert_int_equal(nn_st_open(&file, path), JRX_EFORMAT);
}

static void wrong_lengths_and_missing_files_are_refused(void **state)
{
    (void)state;
    struct nn_st_file file;
    const unsigned char huge[] = {255, 255, 255, 255, 255, 255, 255, 255, '{', '}'};
    const unsigned char beyond[] = {3, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    write_bytes(huge, sizeof huge);
    assert_int_equal(nn_st_open(&file, path), JRX_EFORMAT);
    write_bytes(beyond, sizeof beyond);
    assert_int_equal(nn_st_open(&file, path), JRX_EFORMAT);
    for (size_t count = 0; count < 8; count++) {
        write_bytes(huge, count);
        assert_int_equal(nn_st_open(&file, path), JRX_EFORMAT);
    }
    assert_int_equal(nn_st_open(&file, folder), JRX_EFORMAT);
    assert_int_equal(nn_st_open(&file, "/tmp/jrx-no-such-file"), JRX_EIO);
    assert_non_null(strstr(jrx_last_error(), "/tmp/jrx-no-such-file"));
}

/* ---- checkpoints of networks ---- */

static void every_cut_of_a_checkpoint_is_refused(void **state)
{
    (void)state;
    struct rx_receiver receiver, other;
    struct rx_shape shape = {.body = rx_body_find("short3"), .width = 0.0625, .rx = 1, .logits = 4};
    assert_int_equal(rx_receiver_init(&receiver, &shape, 1), 0);
    const struct nn_block block[] = {{"", 0, receiver.parameters}, {"", 1, receiver.statistics}};
    const struct nn_st_pair pair[] = {{"body", "short3"}, {"width", "0.0625"}, {"rx", "1"}, {"logits", "4"}};
    assert_int_equal(nn_checkpoint_write(path, pair, 4, &receiver.net, block, 2), 0);
    static char bytes[100000];
    FILE *file = fopen(path, "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_int_equal(rx_receiver_load(&other, path), 0);
    assert_memory_equal(other.parameters, receiver.parameters, receiver.net.parameter_floats * sizeof(float));
    assert_memory_equal(other.statistics, receiver.statistics, receiver.net.statistic_floats * sizeof(float));
    rx_receiver_fini(&other);
    for (size_t cut = 0; cut < size; cut += 97) {
        write_bytes(bytes, cut);
        assert_int_equal(rx_receiver_load(&other, path), JRX_EFORMAT);
        assert_null(other.parameters);
    }
    rx_receiver_fini(&receiver);
}

static void a_checkpoint_of_another_network_is_refused(void **state)
{
    (void)state;
    struct rx_receiver receiver, other;
    struct rx_shape shape = {.body = rx_body_find("short3"), .width = 0.0625, .rx = 1, .logits = 4};
    static const struct nn_st_pair pair[][4] = {
        {{"body", "short5"}, {"width", "0.0625"}, {"rx", "1"}, {"logits", "4"}},  /* a tensor is missing */
        {{"body", "short3"}, {"width", "0.125"}, {"rx", "1"}, {"logits", "4"}},   /* another shape */
        {{"body", "short3"}, {"width", "0.0625"}, {"rx", "2"}, {"logits", "4"}},  /* another shape */
        {{"body", "resnet"}, {"width", "0.0625"}, {"rx", "1"}, {"logits", "4"}},  /* no such table */
        {{"body", "short3"}, {"width", "wide"}, {"rx", "1"}, {"logits", "4"}},    /* no number */
        {{"body", "short3"}, {"width", "0.0625"}, {"rx", "99"}, {"logits", "4"}}, /* impossible */
        {{"note", "hello"}, {"width", "0.0625"}, {"rx", "1"}, {"logits", "4"}},   /* not of ours */
    };
    assert_int_equal(rx_receiver_init(&receiver, &shape, 1), 0);
    const struct nn_block block[] = {{"", 0, receiver.parameters}, {"", 1, receiver.statistics}};
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        assert_int_equal(nn_checkpoint_write(path, pair[i], 4, &receiver.net, block, 2), 0);
        assert_int_equal(rx_receiver_load(&other, path), JRX_EFORMAT);
    }
    receiver.parameters[3] = NAN;
    const struct nn_st_pair good[] = {{"body", "short3"}, {"width", "0.0625"}, {"rx", "1"}, {"logits", "4"}};
    assert_int_equal(nn_checkpoint_write(path, good, 4, &receiver.net, block, 2), 0);
    assert_int_equal(rx_receiver_load(&other, path), JRX_EFORMAT);
    receiver.parameters[3] = 0;
    receiver.statistics[receiver.net.layer[1].variance] = -1;
    assert_int_equal(nn_checkpoint_write(path, good, 4, &receiver.net, block, 2), 0);
    assert_int_equal(rx_receiver_load(&other, path), JRX_EFORMAT);
    rx_receiver_fini(&receiver);
}

/* Axis order: w[o][i][f][t] of a 3x3 layer lies at tap 3 f + t of the kernels' layout. */
static void weights_are_stored_in_the_documented_order(void **state)
{
    (void)state;
    struct nn_net net;
    nn_net_init(&net, 3);
    int x = nn_conv(&net, "c", KN_CONV3X3, 0, 20, 1, 1);
    x = nn_conv(&net, "d", KN_DEPTHWISE, x, 40, 1, 1);
    assert_int_equal(nn_net_done(&net, nn_conv(&net, "p", KN_POINTWISE, x, 5, 1, 1)), 0);
    float *block = jrx_alloc(net.parameter_floats * sizeof *block), real[2000];
    for (size_t i = 0; i < net.parameter_floats; i++)
        block[i] = (float)i;
    nn_tensor_unpack(&net, &net.tensor[0], block, real); /* [20][3][3][3], o = 17, i = 2, f = 0, t = 1: tap 1 */
    assert_near(real[((17 * 3 + 2) * 3 + 0) * 3 + 1], ((1 * 9 + 1) * 16 + 2) * 16 + 1, 0);
    nn_tensor_unpack(&net, &net.tensor[2], block, real); /* [40][1][3][3], o = 35, f = 2, t = 0: tap 6 */
    assert_near(real[(35 * 3 + 2) * 3 + 0], (double)net.layer[1].weight + (2 * 9 + 6) * 16 + 3, 0);
    nn_tensor_unpack(&net, &net.tensor[4], block, real); /* [5][40][1][1], o = 4, i = 39 */
    assert_near(real[4 * 40 + 39], (double)net.layer[2].weight + 39 * 16 + 4, 0);
    free(block);
    nn_net_fini(&net);
}

static void an_unwritable_place_is_one_clear_line_and_keeps_the_old_file(void **state)
{
    (void)state;
    const float w[] = {1};
    const struct nn_st_tensor tensor = {"w", 1, {1}, 1, w}, twice[] = {tensor, tensor};
    assert_int_equal(nn_st_write("/tmp/jrx-no-such-folder/a", NULL, 0, &tensor, 1), JRX_EIO);
    assert_non_null(strstr(jrx_last_error(), "/tmp/jrx-no-such-folder/a"));
    assert_int_equal(nn_st_write(path, NULL, 0, &tensor, 1), 0);
    assert_int_equal(nn_st_write(path, NULL, 0, twice, 2), JRX_EINVAL);
    struct nn_st_file file;
    assert_int_equal(nn_st_open(&file, path), 0);
    nn_st_close(&file);
    if (access("/dev/full", W_OK) == 0) { /* a full disk, by way of the temporary's name */
        char temporary[80];
        snprintf(temporary, sizeof temporary, "%s.tmp", path);
        assert_int_equal(symlink("/dev/full", temporary), 0);
        assert_int_equal(nn_st_write(path, NULL, 0, &tensor, 1), JRX_EIO);
        assert_non_null(strstr(jrx_last_error(), "No space left on device); make room or choose another folder"));
        assert_non_null(strstr(jrx_last_error(), "--resume go on from it"));
        assert_int_equal(nn_st_open(&file, path), 0);
        nn_st_close(&file);
        assert_int_not_equal(access(temporary, F_OK), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_comes_back_as_it_was_written),
        cmocka_unit_test(a_small_file_has_exactly_these_bytes),
        cmocka_unit_test(foreign_files_are_read),
        cmocka_unit_test(malformed_headers_are_refused_with_one_line),
        cmocka_unit_test(a_name_that_is_too_long_is_refused),
        cmocka_unit_test(wrong_lengths_and_missing_files_are_refused),
        cmocka_unit_test(every_cut_of_a_checkpoint_is_refused),
        cmocka_unit_test(a_checkpoint_of_another_network_is_refused),
        cmocka_unit_test(weights_are_stored_in_the_documented_order),
        cmocka_unit_test(an_unwritable_place_is_one_clear_line_and_keeps_the_old_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
