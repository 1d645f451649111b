/* harness/cachesim: sequences worked by hand, and a slow simulator that shares no line with the fast one. */
#include "harness/base/cpu.h"
#include "harness/base/error.h"
#include "harness/base/rng.h"
#include "harness/cachesim_sets.h"
#include "tests/support/short_form.h"
#include "tests/support/slow_cache.h"
#include "tests/support/test.h"
#include <time.h>

static struct jrx_cachesim *sim_of(const char *geometry)
{
    struct jrx_cache_geometry g;
    struct jrx_cachesim *sim;
    assert_int_equal(jrx_cache_geometry_parse(geometry, &g), 0);
    assert_int_equal(jrx_cachesim_new(&sim, &g), 0);
    return sim;
}

static void touch(struct jrx_cachesim *sim, uint64_t address, unsigned bytes, int write, unsigned tag)
{
    const struct jrx_access a = {address, (uint16_t)bytes, (uint8_t)tag, (uint8_t)write};
    assert_int_equal(jrx_cachesim_run(sim, &a, 1), 0);
}

static void load(struct jrx_cachesim *sim, uint64_t line)
{
    touch(sim, line * 64, 4, 0, 0);
}

static void store(struct jrx_cachesim *sim, uint64_t line)
{
    touch(sim, line * 64, 4, 1, 0);
}

static void assert_counts(const struct jrx_cachesim *sim, unsigned level, unsigned tag, uint64_t reads, uint64_t writes,
                          uint64_t read_misses, uint64_t write_misses, uint64_t fetches, uint64_t writebacks)
{
    const struct jrx_cache_counts c = jrx_cachesim_get(sim, level, tag);
    const uint64_t got[] = {c.reads, c.writes, c.read_misses, c.write_misses, c.fetches, c.writebacks};
    const uint64_t want[] = {reads, writes, read_misses, write_misses, fetches, writebacks};
    static const char *const names[] = {"reads", "writes", "read misses", "write misses", "fetches", "write-backs"};
    for (int i = 0; i < 6; i++)
        if (got[i] != want[i])
            fail_msg("L%u tag %u %s: %llu, want %llu", level + 1, tag, names[i], (unsigned long long)got[i],
                     (unsigned long long)want[i]);
}

static void direct_mapped_lines_of_one_set_throw_each_other_out(void **state)
{
    (void)state;
    struct jrx_cachesim *sim = sim_of("256/1"); /* 4 sets of one line */
    load(sim, 0);                               /* miss */
    load(sim, 0);                               /* hit */
    load(sim, 4);                               /* miss: same set as 0 */
    load(sim, 0);                               /* miss again */
    load(sim, 1);                               /* miss: another set */
    load(sim, 0);                               /* hit: 1 is elsewhere */
    assert_counts(sim, 0, 0, 6, 0, 4, 0, 4, 0);
    assert_int_equal(jrx_cachesim_compulsory(sim, 0), 3);
    jrx_cachesim_free(sim);
}

static void two_ways_hold_two_lines_and_drop_the_least_recently_used(void **state)
{
    (void)state;
    struct jrx_cachesim *sim = sim_of("256/2"); /* 2 sets of 2 */
    load(sim, 0);                               /* miss            0       */
    load(sim, 2);                               /* miss            2 0     */
    load(sim, 0);                               /* hit             0 2     */
    load(sim, 4);                               /* miss, drops 2   4 0     */
    load(sim, 0);                               /* hit             0 4     */
    load(sim, 2);                               /* miss, drops 4   2 0     */
    load(sim, 4);                               /* miss, drops 0   4 2     */
    assert_counts(sim, 0, 0, 7, 0, 5, 0, 5, 0);
    assert_int_equal(jrx_cachesim_compulsory(sim, 0), 3);
    jrx_cachesim_free(sim);
}

static void a_store_fetches_its_line_and_is_written_back_once(void **state)
{
    (void)state;
    struct jrx_cachesim *sim = sim_of("64/1,256/1"); /* L1: one line; L2: 4 sets of one */
    store(sim, 0);                                   /* L1 miss, L2 miss, from memory; dirty in L1 */
    store(sim, 0);                                   /* hit */
    load(sim, 1);                                    /* L1 miss, L2 miss; 0 goes to L2, where it lies: a write hit */
    assert_counts(sim, 0, 0, 1, 2, 1, 1, 2, 1);
    assert_counts(sim, 1, 0, 2, 1, 2, 0, 2, 0);
    load(sim, 4); /* L2: set 0, drops the dirty 0 to memory */
    assert_counts(sim, 0, 0, 2, 2, 2, 1, 3, 1);
    assert_counts(sim, 1, 0, 3, 1, 3, 0, 3, 1);
    load(sim, 0); /* comes back from memory: fetched, not compulsory */
    assert_counts(sim, 1, 0, 4, 1, 4, 0, 4, 1);
    assert_int_equal(jrx_cachesim_compulsory(sim, 0), 3);
    jrx_cachesim_free(sim);
}

static void a_line_written_back_to_a_level_that_lacks_it_is_not_fetched(void **state)
{
    (void)state;
    struct jrx_cachesim *sim = sim_of("128/2,64/1"); /* L2 smaller than L1, so that it forgets first */
    store(sim, 0);                                   /* both; L1 dirty */
    load(sim, 1);                                    /* L2 now holds 1 only */
    load(sim, 2); /* L2 fetches 2, L1 drops 0: L2 takes it whole, and drops the clean 2 */
    assert_counts(sim, 0, 0, 2, 1, 2, 1, 3, 1);
    assert_counts(sim, 1, 0, 3, 1, 3, 1, 3, 0);
    load(sim, 3); /* L2 drops the dirty 0 to memory */
    assert_counts(sim, 1, 0, 4, 1, 4, 1, 4, 1);
    jrx_cachesim_free(sim);
}

static void an_access_over_a_line_border_touches_both_lines(void **state)
{
    (void)state;
    struct jrx_cachesim *sim = sim_of("1K/4");
    touch(sim, 60, 8, 0, 2);    /* lines 0 and 1 */
    touch(sim, 32, 64, 1, 2);   /* 0 and 1 */
    touch(sim, 64, 64, 0, 2);   /* 1 alone */
    touch(sim, 127, 1, 0, 2);   /* 1 alone */
    touch(sim, 100, 200, 0, 2); /* 1 2 3 4 */
    touch(sim, 5, 0, 0, 2);     /* nothing */
    assert_counts(sim, 0, 2, 8, 2, 5, 0, 5, 0);
    assert_int_equal(jrx_cachesim_read_bytes(sim, 2), 8 + 64 + 1 + 200);
    assert_int_equal(jrx_cachesim_write_bytes(sim, 2), 64);
    jrx_cachesim_free(sim);
}

static void an_access_beyond_the_last_line_is_refused_and_what_came_before_counts(void **state)
{
    (void)state;
    static const uint64_t far[] = {1ull << 33, (1ull << 33) - 1, UINT64_MAX - 3, 1ull << 63};
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        struct jrx_cachesim *sim = sim_of("1K/4");
        const struct jrx_access a[] = {{64, 4, 1, 0}, {(1ull << 33) - 4, 4, 1, 0}, {far[i], 4, 1, 0}, {128, 4, 1, 0}};
        assert_int_equal(jrx_cachesim_run(sim, a, 4), JRX_EINVAL);
        assert_non_null(strstr(jrx_last_error(), "0x200000000"));
        assert_counts(sim, 0, 1, 2, 0, 2, 0, 2, 0);
        assert_int_equal(jrx_cachesim_run(sim, a, 2), 0);
        jrx_cachesim_free(sim);
    }
}

static void a_stream_larger_than_all_levels_misses_every_time_it_is_read(void **state)
{
    (void)state;
    enum { LINES = 4096 };
    struct jrx_cachesim *sim = sim_of("4K/4,64K/8"); /* 64 and 1024 lines */
    for (int pass = 0; pass < 3; pass++)
        for (uint64_t i = 0; i < LINES; i++)
            load(sim, i);
    assert_counts(sim, 0, 0, 3 * LINES, 0, 3 * LINES, 0, 3 * LINES, 0);
    assert_counts(sim, 1, 0, 3 * LINES, 0, 3 * LINES, 0, 3 * LINES, 0);
    assert_int_equal(jrx_cachesim_compulsory(sim, 0), LINES);
    jrx_cachesim_clear(sim);
    assert_counts(sim, 0, 0, 0, 0, 0, 0, 0, 0);
    /* and one that fits in the second level hits there from the second pass on */
    for (int pass = 0; pass < 3; pass++)
        for (uint64_t i = 0; i < 1024; i++)
            load(sim, i);
    assert_counts(sim, 0, 0, 3 * 1024, 0, 3 * 1024, 0, 3 * 1024, 0);
    assert_counts(sim, 1, 0, 3 * 1024, 0, 1024, 0, 1024, 0);
    assert_int_equal(jrx_cachesim_compulsory(sim, 0), 1024);
    jrx_cachesim_free(sim);
}

static void a_written_stream_is_written_back_once_a_line_counting_the_flush(void **state)
{
    (void)state;
    enum { LINES = 500 };
    struct jrx_cachesim *sim = sim_of("4K/4,8K/4"); /* 64 and 128 lines */
    for (uint64_t i = 0; i < LINES * 16; i++)
        touch(sim, i * 4, 4, 1, 3);
    assert_counts(sim, 0, 3, 0, LINES * 16, 0, LINES, LINES, LINES - 64);
    assert_true(jrx_cachesim_get(sim, 1, 3).writebacks < LINES);
    jrx_cachesim_flush(sim);
    assert_int_equal(jrx_cachesim_get(sim, 0, 3).writebacks, LINES);
    assert_int_equal(jrx_cachesim_get(sim, 1, 3).writebacks, LINES);
    jrx_cachesim_flush(sim); /* all is clean now */
    assert_int_equal(jrx_cachesim_get(sim, 1, 3).writebacks, LINES);
    assert_int_equal(jrx_cachesim_compulsory(sim, 3), LINES);
    jrx_cachesim_free(sim);
}

static void a_line_and_its_write_back_belong_to_the_tag_that_touched_it_last(void **state)
{
    (void)state;
    struct jrx_cachesim *sim = sim_of("64/1");
    touch(sim, 0, 4, 1, 1);
    touch(sim, 64, 4, 0, 2); /* throws out what tag 1 wrote */
    assert_counts(sim, 0, 1, 0, 1, 0, 1, 1, 1);
    assert_counts(sim, 0, 2, 1, 0, 1, 0, 1, 0);
    touch(sim, 64, 4, 1, 1);
    touch(sim, 64, 4, 0, 4);
    touch(sim, 0, 4, 0, 1);
    assert_counts(sim, 0, 4, 1, 0, 0, 0, 0, 1);
    assert_counts(sim, 0, JRX_ACCESS_TAGS, 3, 2, 2, 1, 3, 2);
    jrx_cachesim_free(sim);
}

static void counts_can_be_zeroed_with_the_lines_kept(void **state)
{
    (void)state;
    struct jrx_cachesim *sim = sim_of("4K/4");
    load(sim, 1);
    jrx_cachesim_reset_counts(sim);
    load(sim, 1);
    assert_counts(sim, 0, 0, 1, 0, 0, 0, 0, 0);
    assert_int_equal(jrx_cachesim_compulsory(sim, 0), 0);
    jrx_cachesim_free(sim);
}

/* ---- beside the slow reference --------------------------------------------------------------------- */

/* Strides, reuse of a small region, and jumps; 40 % stores; some accesses straddle. */
static struct jrx_access mixed_access(struct jrx_rng *rng, uint64_t i)
{
    uint32_t kind = jrx_rng_below(rng, 10);
    uint64_t address = kind < 4   ? i * 24 % 200000
                       : kind < 8 ? jrx_rng_below(rng, 9000)
                                  : (uint64_t)jrx_rng_below(rng, 1 << 19);
    return (struct jrx_access){address, (uint16_t)(1u << jrx_rng_below(rng, 8)), (uint8_t)jrx_rng_below(rng, 8),
                               jrx_rng_below(rng, 10) < 4};
}

/* One to seven tensors line by line side by side, now and then a line left out; their sets are alike, or some lines
 * apart, and they overlap. */
static struct jrx_access side_by_side(struct jrx_rng *rng, uint64_t i)
{
    const uint64_t stretch = i / 2000, tensors = 1 + stretch % 7, tensor = i % tensors;
    const uint64_t line = stretch * 37 + i / tensors + jrx_rng_below(rng, 10) / 9 + tensor * (stretch % 5);
    return (struct jrx_access){(tensor << 14) + line % 1024 * 64, (uint16_t)(tensor & 1 ? 4 : 32), (uint8_t)tensor,
                               tensor % 3 == 2};
}

static void assert_same_counts(const struct jrx_cachesim *sim, const struct slow_cache *slow)
{
    for (unsigned t = 0; t < JRX_ACCESS_TAGS; t++) {
        assert_int_equal(jrx_cachesim_compulsory(sim, t), slow_cache_compulsory(slow, t));
        for (unsigned k = 0; k < jrx_cachesim_geometry(sim)->levels; k++) {
            const struct jrx_cache_counts *c = slow_cache_get(slow, k, t);
            assert_counts(sim, k, t, c->reads, c->writes, c->read_misses, c->write_misses, c->fetches, c->writebacks);
        }
    }
    for (unsigned k = 0; k + 1 < jrx_cachesim_geometry(sim)->levels; k++) { /* what leaves a level arrives below */
        struct jrx_cache_counts up = jrx_cachesim_get(sim, k, JRX_ACCESS_TAGS),
                                down = jrx_cachesim_get(sim, k + 1, JRX_ACCESS_TAGS);
        assert_true(up.fetches == down.reads && up.writebacks == down.writes);
    }
}

static void random_streams_are_counted_as_by_the_slow_reference(void **state)
{
    (void)state;
    static const char *const geometries[] = {
        "64/1",
        "2K/4",
        "3K/12",
        "1K/16,4K/2",
        "4K/8,960/5,33K/11:32",
        "512/1,512/8",
        "1K/2,2K/4,8K/8,64K/16",
        "4K/32:128",
        "192/3,576/3,1728/9",
        /* lanes: a multiple of 16 sets at every level; one slot, one, four, eight, two */
        "4K/4,15K/5,64K/8",
        "3K/3,24K/8,66K/11",
        "8K/4,16K/2,32K/8,136K/17:32",
        "8K/1,32K/4",
        "2K/1,64K/32,48K/24",
    };
    static const struct jrx_cachesim_ops *const ops[JRX_ISA_LEVELS] = {&jrx_cachesim_baseline, &jrx_cachesim_avx2,
                                                                       &jrx_cachesim_avx512};
    enum { MOST = 3000 };
    struct jrx_access batch[MOST];
    const size_t variants = (size_t)jrx_cpu_isa() + 1, count = sizeof geometries / sizeof *geometries;
    for (size_t g = 0; g < count * variants; g++) {
        struct jrx_cachesim *sim = sim_of(geometries[g % count]);
        sim->ops = ops[g / count];
        struct slow_cache *slow = slow_cache_new(jrx_cachesim_geometry(sim));
        assert_non_null(slow);
        struct jrx_rng rng;
        jrx_rng_init(&rng, 77, g);
        for (uint64_t i = 0; i < (test_is_short() ? 15000 : 60000);) {
            const size_t taken = 1 + jrx_rng_below(&rng, jrx_rng_below(&rng, 2) ? MOST : 10);
            for (size_t j = 0; j < taken; j++, i++)
                batch[j] = i / 5000 % 2 ? side_by_side(&rng, i) : mixed_access(&rng, i);
            assert_int_equal(jrx_cachesim_run(sim, batch, taken), 0);
            slow_cache_run(slow, batch, taken);
        }
        assert_same_counts(sim, slow);
        jrx_cachesim_free(sim);
        slow_cache_free(slow);
    }
}

static void lines_far_apart_are_first_touched_once_each(void **state)
{
    (void)state;
    struct jrx_cachesim *sim = sim_of("64/1");
    for (int pass = 0; pass < 2; pass++)
        for (uint64_t i = 0; i < 50000; i++)
            load(sim, i * 2683);
    assert_int_equal(jrx_cachesim_compulsory(sim, 0), 50000);
    jrx_cachesim_free(sim);
}

static void geometries_are_read_from_text(void **state)
{
    (void)state;
    struct jrx_cache_geometry g;
    assert_int_equal(jrx_cache_geometry_parse("48K/12,1M/16,1966080/15:64", &g), 0);
    assert_true(g.levels == 3 && g.line_bytes == 64);
    assert_true(g.level[0].bytes == 49152 && g.level[0].ways == 12 && g.level[2].bytes == 1966080);
    static const char *const bad[] = {"",
                                      "32K",
                                      "32K/",
                                      "32K/0",
                                      "K/8",
                                      "32K/8,",
                                      "32K/7",
                                      "32K/8:63",
                                      "32K/8:16",
                                      "32K/8:8192",
                                      "-32K/8",
                                      "32K/8 ",
                                      "32K/8:",
                                      "32G/8",
                                      "1/1,1/1",
                                      "99999999999999999999/1",
                                      "64/1,64/1,64/1,64/1,64/1",
                                      "32K/8,,1M/8"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (jrx_cache_geometry_parse(bad[i], &g) != JRX_EINVAL)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_true(strlen(jrx_last_error()) > 20);
    }
    assert_int_equal(g.levels, 3); /* untouched by failures */
}

static void this_machine_has_caches_or_says_why_not(void **state)
{
    (void)state;
    struct jrx_cache_geometry g;
    struct jrx_cachesim *sim;
    int rc = jrx_cache_geometry_read(&g);
    if (rc == JRX_EUNAVAILABLE) {
        assert_non_null(strstr(jrx_last_error(), "HWLOC_XMLFILE"));
        return;
    }
    assert_int_equal(rc, 0);
    assert_true(g.levels >= 1 && g.level[0].bytes >= 8192 && g.level[0].bytes <= 1 << 20);
    for (unsigned k = 1; k < g.levels; k++)
        assert_true(g.level[k].bytes > g.level[k - 1].bytes);
    assert_int_equal(jrx_cachesim_new(&sim, &g), 0);
    jrx_cachesim_free(sim);
}

/* Not asserted: a shared machine may be arbitrarily slow. */
static void the_speed_is_shown(void **state)
{
    (void)state;
    enum { BATCH = 4096 };
    const int rounds = test_is_short() ? 50 : 2000;
    struct jrx_cachesim *sim = sim_of("32K/8,1M/16,32M/16");
    struct jrx_access *batch = malloc(BATCH * sizeof *batch);
    struct timespec from, to;
    for (uint64_t i = 0; i < BATCH; i++) /* three operands, 64 bytes at a time, 12 KiB: what a tile in L1 looks like */
        batch[i] = (struct jrx_access){(i % 3 << 20) + i / 3 % 64 * 64, 64, (uint8_t)(i % 3), i % 3 == 2};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    for (int i = 0; i < rounds; i++)
        assert_int_equal(jrx_cachesim_run(sim, batch, BATCH), 0);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    double seconds = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
    print_message("    %.0f million accesses/s on L1 hits\n", 1e-6 * BATCH * rounds / seconds);
    assert_int_equal(jrx_cachesim_get(sim, 0, JRX_ACCESS_TAGS).fetches, 192);
    free(batch);
    jrx_cachesim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(direct_mapped_lines_of_one_set_throw_each_other_out),
        cmocka_unit_test(two_ways_hold_two_lines_and_drop_the_least_recently_used),
        cmocka_unit_test(a_store_fetches_its_line_and_is_written_back_once),
        cmocka_unit_test(a_line_written_back_to_a_level_that_lacks_it_is_not_fetched),
        cmocka_unit_test(an_access_over_a_line_border_touches_both_lines),
        cmocka_unit_test(an_access_beyond_the_last_line_is_refused_and_what_came_before_counts),
        cmocka_unit_test(a_stream_larger_than_all_levels_misses_every_time_it_is_read),
        cmocka_unit_test(a_written_stream_is_written_back_once_a_line_counting_the_flush),
        cmocka_unit_test(a_line_and_its_write_back_belong_to_the_tag_that_touched_it_last),
        cmocka_unit_test(counts_can_be_zeroed_with_the_lines_kept),
        cmocka_unit_test(random_streams_are_counted_as_by_the_slow_reference),
        cmocka_unit_test(lines_far_apart_are_first_touched_once_each),
        cmocka_unit_test(geometries_are_read_from_text),
        cmocka_unit_test(this_machine_has_caches_or_says_why_not),
        cmocka_unit_test(the_speed_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
