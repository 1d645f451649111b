/* harness/base: errors, random numbers, memory. */
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "tests/support/test.h"

static void error_keeps_the_message(void **state)
{
    (void)state;
    assert_int_equal(jrx_fail(JRX_EIO, "file %s: %d", "a.csv", 7), JRX_EIO);
    assert_string_equal(jrx_last_error(), "file a.csv: 7");
    jrx_fail(JRX_EIO, "outer: %s", jrx_last_error());
    assert_string_equal(jrx_last_error(), "outer: file a.csv: 7");
    assert_int_equal(jrx_exit_status(JRX_EUNAVAILABLE), 3);
    assert_int_equal(jrx_exit_status(JRX_EINTERRUPTED), 130);
}

/* Random123 1.14, kat_vectors, "philox4x32 10" */
static void philox_gives_the_published_vectors(void **state)
{
    (void)state;
    static const struct {
        uint32_t count[4], key[2], out[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];
        jrx_philox(known[i].count, known[i].key, out);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

static void numbers_depend_on_seed_and_stream_only(void **state)
{
    (void)state;
    struct jrx_rng a, b, c;
    jrx_rng_init(&a, 42, 7);
    jrx_rng_init(&b, 42, 7);
    jrx_rng_init(&c, 42, 8);
    int same = 0;
    for (int i = 0; i < 1000; i++) {
        uint32_t v = jrx_rng_u32(&a);
        assert_int_equal(v, jrx_rng_u32(&b));
        same += v == jrx_rng_u32(&c);
    }
    assert_true(same < 3);
}

/* Moments of 1e6 draws within 5 standard errors: a false alarm in 1.7 million runs, and the seed is fixed. */
static void draws_have_the_right_moments(void **state)
{
    (void)state;
    enum { N = 1000000 };
    struct jrx_rng rng;
    jrx_rng_init(&rng, 1, 0);
    double sum = 0, square = 0, fourth = 0, uniform = 0;
    int faces[6] = {0};
    for (int i = 0; i < N; i += 2) {
        double v[2];
        jrx_rng_normal2(&rng, &v[0], &v[1]);
        for (int k = 0; k < 2; k++) {
            sum += v[k];
            square += v[k] * v[k];
            fourth += v[k] * v[k] * v[k] * v[k];
        }
        uniform += jrx_rng_uniform(&rng);
        faces[jrx_rng_below(&rng, 6)]++;
    }
    assert_near(sum / N, 0, 5 / sqrt(N));
    assert_near(square / N, 1, 5 * sqrt(2.0 / N));
    assert_near(fourth / N, 3, 5 * sqrt(96.0 / N));
    assert_near(uniform / (N / 2), 0.5, 5 * sqrt(1.0 / 12 / (N / 2)));
    for (int k = 0; k < 6; k++)
        assert_near(faces[k], N / 12.0, 5 * sqrt(N / 2 * 5.0 / 36));
}

static void shuffle_is_a_permutation(void **state)
{
    (void)state;
    enum { N = 97 };
    uint32_t order[N], seen[N] = {0};
    struct jrx_rng rng;
    jrx_rng_init(&rng, 3, 0);
    for (uint32_t i = 0; i < N; i++)
        order[i] = i;
    jrx_rng_shuffle(&rng, order, N);
    int moved = 0;
    for (uint32_t i = 0; i < N; i++) {
        seen[order[i]]++;
        moved += order[i] != i;
    }
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(seen[i], 1);
    assert_true(moved > N / 2);
}

static void arena_measures_then_gives(void **state)
{
    (void)state;
    struct jrx_arena arena = {0};
    assert_null(jrx_arena_get(&arena, 1));
    assert_null(jrx_arena_get(&arena, 65));
    assert_int_equal(arena.used, 64 + 128);
    assert_int_equal(jrx_arena_init(&arena, arena.used), 0);
    char *a = jrx_arena_get(&arena, 1), *b = jrx_arena_get(&arena, 65);
    assert_int_equal((uintptr_t)a % JRX_ALIGN, 0);
    assert_ptr_equal(b, a + 64);
    assert_int_equal(b[64], 0);
    jrx_arena_fini(&arena);
    assert_null(jrx_alloc(SIZE_MAX));
    assert_non_null(strstr(jrx_last_error(), "memory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_keeps_the_message),
        cmocka_unit_test(philox_gives_the_published_vectors),
        cmocka_unit_test(numbers_depend_on_seed_and_stream_only),
        cmocka_unit_test(draws_have_the_right_moments),
        cmocka_unit_test(shuffle_is_a_permutation),
        cmocka_unit_test(arena_measures_then_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
