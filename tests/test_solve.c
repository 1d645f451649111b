/* models/energy/solve.h: least squares on triangles, against hand-worked systems and against brute force. */
#include "harness/base/error.h"
#include "harness/base/rng.h"
#include "models/energy/solve.h"
#include "tests/support/short_form.h"
#include "tests/support/test.h"

enum { ROWS = 40 };

static struct em_triangle reduce(const double *ab, size_t rows, int cols)
{
    struct em_triangle triangle;
    double copy[4096];
    assert_true(rows * (size_t)(cols + 1) <= sizeof copy / sizeof *copy);
    memcpy(copy, ab, rows * (size_t)(cols + 1) * sizeof *ab);
    assert_int_equal(em_triangle_reduce(copy, rows, cols, &triangle), 0);
    return triangle;
}

static void fill_normal(struct jrx_rng *rng, double *values, size_t count)
{
    for (size_t i = 0; i < count; i += 2) {
        double pair[2];
        jrx_rng_normal2(rng, &pair[0], &pair[1]);
        values[i] = pair[0];
        if (i + 1 < count)
            values[i + 1] = pair[1];
    }
}

/* y = 1, 2, 2 at 0, 1, 2: slope 1/2, intercept 7/6, residuals -1/6, 1/3, -1/6. */
static void a_line_through_three_points_is_the_textbook_one(void **state)
{
    (void)state;
    const double ab[] = {1, 1, 1, 0, 1, 2, 1, 2, 2};
    struct em_triangle t = reduce(ab, 3, 2);
    double x[2], diagonal[2];
    assert_int_equal(em_least_squares(&t, NULL, x), 0);
    assert_near(x[0], 7.0 / 6, 1e-14);
    assert_near(x[1], 0.5, 1e-14);
    assert_near(em_residual2(&t, x), 1.0 / 6, 1e-14);
    /* A'A = [3 3; 3 5], its inverse [5 -3; -3 3] / 6 */
    assert_int_equal(em_inverse_diagonal(&t, NULL, diagonal), 0);
    assert_near(diagonal[0], 5.0 / 6, 1e-14);
    assert_near(diagonal[1], 0.5, 1e-14);
    const unsigned char slope_only[] = {0, 1};
    assert_int_equal(em_least_squares(&t, slope_only, x), 0);
    assert_near(x[0], 0, 0);
    assert_near(x[1], 6.0 / 5, 1e-14);
    assert_int_equal(em_inverse_diagonal(&t, slope_only, diagonal), 0);
    assert_true(isnan(diagonal[0]));
    assert_near(diagonal[1], 0.2, 1e-14);
}

static void units_of_a_column_do_not_decide_what_is_dependent(void **state)
{
    (void)state;
    const double ab[] = {1, 1, 1, 0, 1e-13, 2e-13, 1, 2, 2}, flat[] = {1, 1, 1, 2, 2, 2, 1, 2, 2};
    struct em_triangle t = reduce(ab, 3, 2);
    double x[2];
    assert_int_equal(em_least_squares(&t, NULL, x), 0);
    assert_relative(x[1], 0.5e13, 1e-13);
    t = reduce(flat, 3, 2);
    assert_int_equal(em_least_squares(&t, NULL, x), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "depend on each other"));
}

/* Columns (1, 1) and (1, -1): singular values both sqrt 2. Columns (1, 0), (1, e): s1 / s2 is about 2 / e. */
static void condition_of_known_matrices(void **state)
{
    (void)state;
    const double square[] = {1, 1, 1, -1, 0, 0}, narrow[] = {1, 0, 1, 1e-6, 0, 0}, ones[] = {1, 1};
    double weakest[2];
    struct em_triangle t = reduce(square, 2, 2);
    assert_near(em_condition(&t, ones, NULL), 1, 1e-14);
    t = reduce(narrow, 2, 2);
    assert_relative(em_condition(&t, ones, weakest), 2e6, 1e-9);
    assert_near(weakest[0] + weakest[1], 0, 1e-6);
    const double scale[] = {1, 1e-6}, diagonal[] = {1, 0, 0, 1e-6, 0, 0};
    t = reduce(diagonal, 2, 2);
    assert_near(em_condition(&t, scale, NULL), 1, 1e-12);
    assert_relative(em_condition(&t, ones, NULL), 1e6, 1e-12);
}

static void stacked_triangles_solve_like_all_their_rows(void **state)
{
    (void)state;
    enum { COLS = 4, PARTS = 5, EACH = ROWS / PARTS };
    double ab[ROWS * (COLS + 1)], part[EACH * (COLS + 1)], whole[COLS], stacked[COLS];
    struct em_triangle parts[PARTS], t;
    struct jrx_rng rng;
    jrx_rng_init(&rng, 11, 0);
    fill_normal(&rng, ab, ROWS * (COLS + 1));
    for (size_t k = 0; k < PARTS; k++) {
        for (size_t i = 0; i < EACH; i++)
            for (size_t j = 0; j <= COLS; j++)
                part[i + j * EACH] = ab[k * EACH + i + j * ROWS];
        parts[k] = reduce(part, EACH, COLS);
    }
    const size_t all[] = {3, 0, 4, 2, 1};
    assert_int_equal(em_triangle_stack(parts, all, PARTS, &t), 0);
    struct em_triangle direct = reduce(ab, ROWS, COLS);
    assert_int_equal(em_least_squares(&direct, NULL, whole), 0);
    assert_int_equal(em_least_squares(&t, NULL, stacked), 0);
    for (int j = 0; j < COLS; j++)
        assert_near(stacked[j], whole[j], 1e-13);
    assert_near(em_residual2(&t, stacked), em_residual2(&direct, whole), 1e-12);
}

static void one_row_is_a_triangle_too_and_three_of_them_fit(void **state)
{
    (void)state;
    const double rows[3][3] = {{1, 0, 1}, {1, 1, 2}, {1, 2, 2}};
    struct em_triangle part[3], t;
    double x[2];
    for (int i = 0; i < 3; i++)
        part[i] = reduce(rows[i], 1, 2);
    assert_int_equal(em_least_squares(&part[0], NULL, x), JRX_EINVAL);
    const size_t all[] = {0, 1, 2};
    assert_int_equal(em_triangle_stack(part, all, 3, &t), 0);
    assert_int_equal(em_least_squares(&t, NULL, x), 0);
    assert_near(x[0], 7.0 / 6, 1e-14);
}

/* The smallest residual over all subsets of columns whose own solution is not negative is the constrained optimum. */
static double brute_force(const struct em_triangle *t, double *best_x)
{
    double best = INFINITY, x[EM_COLUMNS];
    for (unsigned set = 0; set < 1u << t->cols; set++) {
        unsigned char use[EM_COLUMNS];
        int feasible = 1;
        for (int j = 0; j < t->cols; j++)
            use[j] = (unsigned char)(set >> j & 1);
        assert_int_equal(em_least_squares(t, use, x), 0);
        for (int j = 0; j < t->cols; j++)
            feasible &= x[j] >= 0;
        double residual = em_residual2(t, x);
        if (feasible && residual < best) {
            best = residual;
            memcpy(best_x, x, (size_t)t->cols * sizeof *x);
        }
    }
    return best;
}

static void nonnegative_solution_is_the_best_of_all_active_sets(void **state)
{
    (void)state;
    enum { COLS = 6, PROBLEMS = 300 };
    int clamped = 0;
    for (uint64_t problem = 0; problem < PROBLEMS; problem++) {
        double ab[ROWS * (COLS + 1)], x[COLS], want[COLS];
        unsigned char used[COLS];
        struct jrx_rng rng;
        jrx_rng_init(&rng, 5, problem);
        fill_normal(&rng, ab, ROWS * (COLS + 1));
        for (int j = 1; problem % 3 == 0 && j < COLS; j++) /* columns that resemble each other */
            for (int i = 0; i < ROWS; i++)
                ab[i + j * ROWS] = ab[i] + 0.01 * ab[i + j * ROWS];
        struct em_triangle t = reduce(ab, ROWS, COLS);
        double best = brute_force(&t, want);
        assert_int_equal(em_nonnegative(&t, x, used), 0);
        assert_relative(em_residual2(&t, x), best, 1e-10);
        for (int j = 0; j < COLS; j++) {
            assert_near(x[j], want[j], 1e-9 * (1 + fabs(want[j])));
            assert_int_equal(used[j], x[j] > 0);
            clamped += !used[j];
        }
    }
    assert_in_range(clamped, PROBLEMS, PROBLEMS * COLS - PROBLEMS); /* both kinds occurred often */
}

/*
 * Karush-Kuhn-Tucker: x >= 0, the gradient is 0 where x > 0 and points outwards where x = 0. A third of the problems
 * are degenerate: neighbouring columns that differ by a millionth, solutions with exact zeros (constraints that are met
 * with gradient 0), right-hand sides that no column helps with.
 */
static void nonnegative_solutions_satisfy_kkt(void **state)
{
    (void)state;
    enum { COLS = EM_COLUMNS };
    const uint64_t problems = (uint64_t)test_draws(1000);
    for (uint64_t problem = 0; problem < problems; problem++) {
        static double ab[ROWS * (COLS + 1)];
        double x[COLS], residual[ROWS], *b = ab + COLS * ROWS;
        struct jrx_rng rng;
        jrx_rng_init(&rng, 6, problem);
        fill_normal(&rng, ab, ROWS * (COLS + 1));
        for (int j = 1; problem % 9 == 0 && j < COLS; j += 2)
            for (int i = 0; i < ROWS; i++)
                ab[i + j * ROWS] = ab[i + (j - 1) * ROWS] + 1e-6 * ab[i + j * ROWS];
        for (int i = 0; problem % 9 == 3 && i < ROWS; i++) {
            b[i] = 0;
            for (int j = 0; j < COLS; j += 3)
                b[i] += ab[i + j * ROWS];
        }
        for (int i = 0; problem % 9 == 6 && i < ROWS; i++) {
            b[i] = 0;
            for (int j = 0; j < COLS; j++) {
                ab[i + j * ROWS] = fabs(ab[i + j * ROWS]);
                b[i] -= ab[i + j * ROWS];
            }
        }
        struct em_triangle t = reduce(ab, ROWS, COLS);
        assert_int_equal(em_nonnegative(&t, x, NULL), 0);
        for (int i = 0; i < ROWS; i++) {
            residual[i] = b[i];
            for (int j = 0; j < COLS; j++)
                residual[i] -= ab[i + j * ROWS] * x[j];
        }
        for (int j = 0; j < COLS; j++) {
            double gradient = 0; /* of -|A x - b|^2 / 2 */
            for (int i = 0; i < ROWS; i++)
                gradient += ab[i + j * ROWS] * residual[i];
            assert_true(x[j] >= 0);
            if (x[j] > 0)
                assert_near(gradient, 0, 1e-8);
            else
                assert_true(gradient <= 1e-8);
            if (problem % 9 == 3)
                assert_near(x[j], j % 3 == 0, 1e-9);
            if (problem % 9 == 6)
                assert_near(x[j], 0, 0);
        }
    }
}

static void nonnegative_leaves_a_positive_solution_alone_and_a_negative_one_at_zero(void **state)
{
    (void)state;
    const double up[] = {1, 1, 1, 0, 1, 2, 1, 2, 2}, down[] = {1, 1, 1, 0, 1, 2, -1, -2, -2};
    double x[2];
    struct em_triangle t = reduce(up, 3, 2);
    assert_int_equal(em_nonnegative(&t, x, NULL), 0);
    assert_near(x[0], 7.0 / 6, 1e-14);
    assert_near(x[1], 0.5, 1e-14);
    t = reduce(down, 3, 2);
    assert_int_equal(em_nonnegative(&t, x, NULL), 0);
    assert_near(x[0], 0, 0);
    assert_near(x[1], 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_through_three_points_is_the_textbook_one),
        cmocka_unit_test(units_of_a_column_do_not_decide_what_is_dependent),
        cmocka_unit_test(condition_of_known_matrices),
        cmocka_unit_test(stacked_triangles_solve_like_all_their_rows),
        cmocka_unit_test(one_row_is_a_triangle_too_and_three_of_them_fit),
        cmocka_unit_test(nonnegative_solution_is_the_best_of_all_active_sets),
        cmocka_unit_test(nonnegative_solutions_satisfy_kkt),
        cmocka_unit_test(nonnegative_leaves_a_positive_solution_alone_and_a_negative_one_at_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
