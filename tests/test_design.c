/* models/energy/design.h: the next row is the one that brute force finds. */
#include "harness/base/rng.h"
#include "models/energy/design.h"
#include "tests/support/test.h"

enum { COLS = 4, COUNT = 9, TAKE = 5 };
static const double prior = 1e-6;

/* Determinant of prior * I + the sum of x x' over the rows in the bit set, by elimination with pivots. */
static double determinant(const double *rows, unsigned chosen)
{
    double m[COLS][COLS] = {{0}}, det = 1;
    for (int j = 0; j < COLS; j++)
        m[j][j] = prior;
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COLS && chosen >> i & 1; j++)
            for (int k = 0; k < COLS; k++)
                m[j][k] += rows[i * COLS + j] * rows[i * COLS + k];
    for (int j = 0; j < COLS; j++) {
        int pivot = j;
        for (int i = j + 1; i < COLS; i++)
            pivot = fabs(m[i][j]) > fabs(m[pivot][j]) ? i : pivot;
        for (int k = 0; k < COLS; k++) {
            double kept = m[j][k];
            m[j][k] = m[pivot][k];
            m[pivot][k] = kept;
        }
        det *= pivot == j ? m[j][j] : -m[j][j];
        for (int i = j + 1; i < COLS; i++) {
            double factor = m[i][j] / m[j][j];
            for (int k = j; k < COLS; k++)
                m[i][k] -= factor * m[j][k];
        }
    }
    return det;
}

static void draw(uint64_t stream, double *rows)
{
    struct jrx_rng rng;
    jrx_rng_init(&rng, 5, stream);
    for (int i = 0; i < COUNT * COLS; i++)
        rows[i] = jrx_rng_uniform(&rng);
}

static void each_choice_is_the_best_that_brute_force_finds(void **state)
{
    (void)state;
    for (uint64_t stream = 0; stream < 200; stream++) {
        double rows[COUNT * COLS];
        unsigned char taken[COUNT] = {0};
        unsigned chosen = 0;
        struct em_design design;
        draw(stream, rows);
        em_design_init(&design, COLS, prior);
        for (int step = 0; step < COUNT; step++) {
            int next = em_design_next(&design, rows, taken, COUNT), best = -1;
            for (int i = 0; i < COUNT; i++)
                if (!taken[i] &&
                    (best < 0 || determinant(rows, chosen | 1u << i) > determinant(rows, chosen | 1u << best)))
                    best = i;
            assert_int_equal(next, best);
            double gain = em_design_gain(&design, rows + next * COLS);
            assert_relative(gain, determinant(rows, chosen | 1u << next) / determinant(rows, chosen), 1e-4);
            chosen |= 1u << next;
            taken[next] = 1;
            em_design_add(&design, rows + next * COLS);
            assert_near(design.log_det, log(determinant(rows, chosen)), 1e-4);
        }
        assert_int_equal(em_design_next(&design, rows, taken, COUNT), -1);
    }
}

/* One at a time is not the best set of five, but near: the efficiency (ratio of determinants to the power 1 / terms)
 * against the best of all 126 sets. */
static void what_is_chosen_one_by_one_is_nearly_the_best_set(void **state)
{
    (void)state;
    double sum = 0, worst = 1;
    for (uint64_t stream = 0; stream < 200; stream++) {
        double rows[COUNT * COLS], best = 0;
        unsigned char taken[COUNT] = {0};
        struct em_design design;
        draw(stream, rows);
        em_design_init(&design, COLS, prior);
        for (int step = 0; step < TAKE; step++) {
            int next = em_design_next(&design, rows, taken, COUNT);
            taken[next] = 1;
            em_design_add(&design, rows + next * COLS);
        }
        for (unsigned set = 0; set < 1u << COUNT; set++)
            if (__builtin_popcount(set) == TAKE)
                best = fmax(best, determinant(rows, set));
        double efficiency = pow(exp(design.log_det) / best, 1.0 / COLS);
        assert_true(efficiency < 1 + 1e-6);
        worst = fmin(worst, efficiency);
        sum += efficiency;
    }
    assert_true(worst > 0.5);
    assert_true(sum / 200 > 0.9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_choice_is_the_best_that_brute_force_finds),
        cmocka_unit_test(what_is_chosen_one_by_one_is_nearly_the_best_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
