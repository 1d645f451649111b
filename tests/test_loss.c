/* models/nn: losses, AdamW, the learning-rate schedule. */
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "models/nn/loss.h"
#include "models/nn/optimiser.h"
#include "tests/support/test.h"

static void cross_entropy_of_hand_worked_logits(void **state)
{
    (void)state;
    /* z = 0 costs ln 2 whatever the bit; z = ln 3 is s = 3/4: bit 1 costs ln(4/3), bit 0 ln 4 */
    const float z[] = {0, 0, (float)log(3), (float)log(3), 5};
    const uint8_t y[] = {0, 1, 1, 0, NN_NO_BIT};
    float dz[5] = {9, 9, 9, 9, 9};
    struct nn_loss_sum sum = {0};
    nn_loss_add(&(struct nn_loss){0, 1}, z, NULL, y, 5, dz, &sum);
    assert_near(sum.loss, 2 * log(2) + log(4.0 / 3) + log(4), 1e-6);
    assert_near(sum.bce, sum.loss, 0);
    assert_int_equal(sum.bits, 4);
    assert_int_equal(sum.errors, 2); /* the second (0 counts as bit 0) and the fourth */
    const double want[] = {0.5, -0.5, -0.25, 0.75, 0};
    for (int i = 0; i < 5; i++)
        assert_near(dz[i], want[i], 1e-7);
}

static void distillation_of_hand_worked_logits(void **state)
{
    (void)state;
    /* T = 2, teacher 2 ln 3: wants 3/4; student 0: says 1/2, soft BCE ln 2. Bit 1 at z = 0: hard BCE ln 2. */
    const float z = 0, teacher = (float)(2 * log(3));
    const uint8_t y = 1;
    float dz;
    struct nn_loss_sum sum = {0};
    nn_loss_add(&(struct nn_loss){0.25, 2}, &z, &teacher, &y, 1, &dz, &sum);
    assert_near(sum.loss, 0.75 * log(2) + 0.25 * 4 * log(2), 1e-12);
    assert_near(sum.bce, log(2), 1e-12);
    assert_near(dz, 0.75 * -0.5 + 0.25 * 2 * (0.5 - 0.75), 1e-7);
}

static double loss_at(const struct nn_loss *loss, float z, float teacher, uint8_t y)
{
    struct nn_loss_sum sum = {0};
    nn_loss_add(loss, &z, &teacher, &y, 1, NULL, &sum);
    return sum.loss;
}

/* Central differences with h = 2^-7 (exact in float): error h^2 / 6 times the third derivative, which is below 0.1 T.
 */
static void gradients_are_the_slopes_of_the_losses(void **state)
{
    (void)state;
    struct jrx_rng rng;
    jrx_rng_init(&rng, 1, 0);
    for (int i = 0; i < 500; i++) {
        struct nn_loss loss = {jrx_rng_uniform(&rng), 0.5 + 4 * jrx_rng_uniform(&rng)};
        float z = (float)(12 * jrx_rng_uniform(&rng) - 6), h = 0x1p-7f, dz;
        float teacher = (float)(20 * jrx_rng_uniform(&rng) - 10);
        uint8_t y = (uint8_t)jrx_rng_below(&rng, 2);
        z = rintf(z * 1024) / 1024;
        struct nn_loss_sum sum = {0};
        nn_loss_add(&loss, &z, &teacher, &y, 1, &dz, &sum);
        double slope = (loss_at(&loss, z + h, teacher, y) - loss_at(&loss, z - h, teacher, y)) / (2 * (double)h);
        assert_near(dz, slope, 1e-5);
    }
}

static void distillation_at_temperature_1_is_soft_label_cross_entropy(void **state)
{
    (void)state;
    for (float teacher = -3; teacher <= 3; teacher += 0.5f)
        for (float z = -4; z <= 4; z += 0.5f) {
            double p = 1 / (1 + exp(-teacher)), s = 1 / (1 + exp(-z));
            for (uint8_t y = 0; y < 2; y++)
                assert_near(loss_at(&(struct nn_loss){1, 1}, z, teacher, y), -p * log(s) - (1 - p) * log1p(-s), 1e-12);
        }
}

static void high_temperature_is_an_eighth_of_the_squared_difference(void **state)
{
    (void)state;
    const double t = 1000, z = 3, teacher = -2;
    double entropy = loss_at(&(struct nn_loss){1, t}, (float)teacher, (float)teacher, 1);
    assert_near(loss_at(&(struct nn_loss){1, t}, (float)z, (float)teacher, 1) - entropy,
                (z - teacher) * (z - teacher) / 8, 1e-4);
}

static void huge_logits_stay_finite(void **state)
{
    (void)state;
    const float z[] = {3e38f, -3e38f, 1000, -1000}, teacher[] = {-3e38f, 3e38f, -1000, 1000};
    const uint8_t y[] = {1, 0, 0, 1};
    float dz[4];
    struct nn_loss_sum sum = {0};
    nn_loss_add(&(struct nn_loss){0.5, 2}, z, teacher, y, 4, dz, &sum);
    assert_true(isfinite(sum.loss));
    for (int i = 0; i < 4; i++)
        assert_true(isfinite(dz[i]));
    assert_near(loss_at(&(struct nn_loss){0, 1}, 1000, 0, 0), 1000, 1e-9);
    assert_near(loss_at(&(struct nn_loss){0, 1}, 1000, 0, 1), 0, 1e-9);
}

/*
 * Two steps by hand, one decayed and one free weight, beta 1/2 and 3/4, epsilon 0, rate 1/10, decay 1/2, gradient in
 * two blocks with scale 1/2. Step 1: g = (1 + 3) / 2 = 2, m = 1, v = 1; m^ = 2, v^ = 4: the update is 1. w0 = 1 - 0.1
 * (1 + 0.5) = 0.85,  w1 = 1 - 0.1 = 0.9 Step 2: g = -1: m = 0, v = 3/4 + 1/4 = 1: the update is 0.  w0 = 0.85 (1 -
 * 0.05) = 0.8075, w1 = 0.9
 */
static void adamw_takes_two_hand_worked_steps(void **state)
{
    (void)state;
    struct nn_adamw adamw = {0.5, 0.75, 0, 0.5};
    float w[] = {1, 1}, m[2] = {0}, v[2] = {0}, a[] = {1, 1}, b[] = {3, 3}, c[] = {-5, -5};
    float *first[] = {a, b}, *second[] = {c, b};
    nn_adamw_step(&adamw, 1, 0.1, w, m, v, 2, 1, first, 2, 0.5, 1);
    assert_near(w[0], 0.85, 1e-7);
    assert_near(w[1], 0.9, 1e-7);
    nn_adamw_step(&adamw, 2, 0.1, w, m, v, 2, 1, second, 2, 0.5, 1);
    assert_near(m[0], 0, 1e-7);
    assert_near(v[1], 1, 1e-7);
    assert_near(w[0], 0.8075, 1e-7);
    assert_near(w[1], 0.9, 1e-7);
}

/* Two pointwise layers of one channel, so that every tensor is one number w = 3, 4, 0 (a bias), 0. First step, beta 0:
 * m^ = g, v^ = g^2, epsilon tiny: m^ / sqrt(v^) = sign g. With decay 1/2: u = 1 + 1.5 = 2.5 for w = 3, g > 0; r = 3
 * / 2.5; w = 3 - 0.1 * 3 = 2.7: whatever u, a tensor of one number moves by rate |w|. A bias of 0 has r = 1: it moves
 * by the rate. */
static void lamb_moves_each_tensor_in_proportion_to_its_size(void **state)
{
    (void)state;
    struct nn_net net;
    nn_net_init(&net, 1);
    int a = nn_conv(&net, "a", KN_POINTWISE, 0, 1, 1, 1);
    assert_int_equal(nn_net_done(&net, nn_conv(&net, "b", KN_POINTWISE, a, 1, 1, 1)), 0);
    const size_t bytes = net.parameter_floats * sizeof(float);
    float *w = jrx_alloc(bytes), *m = jrx_alloc(bytes), *v = jrx_alloc(bytes), *g = jrx_alloc(bytes),
          *u = jrx_alloc(bytes);
    const size_t at[] = {net.layer[0].weight, net.layer[1].weight, net.layer[0].bias, net.layer[1].bias};
    w[at[0]] = 3;
    w[at[1]] = 4;
    g[at[0]] = 7;
    g[at[1]] = -1e-3f;
    g[at[2]] = 5;
    nn_lamb_step(&(struct nn_adamw){0, 0, 1e-12, 0.5}, &net, 1, 0.1, w, m, v, g, u, 1, 2);
    assert_near(w[at[0]], 2.7, 1e-6);
    assert_near(u[at[0]], 2.5, 1e-6);
    assert_near(w[at[1]], 4 - 0.4, 1e-6); /* u = -1 + 2 = 1 */
    assert_near(w[at[2]], -0.1, 1e-6);
    for (size_t i = 0; i < net.parameter_floats; i++)
        assert_true(isfinite(w[i]) && (w[i] == 0 || i == at[0] || i == at[1] || i == at[2]));
    free(w);
    free(m);
    free(v);
    free(g);
    free(u);
    nn_net_fini(&net);
}

static void the_merged_gradient_and_its_norm(void **state)
{
    (void)state;
    enum { N = 10000 };
    static float a[N], b[N], c[N];
    float *one[] = {a, b}, *three[] = {c, b};
    for (int i = 0; i < N; i++) {
        a[i] = c[i] = i < 2 ? 5 : 0;
        b[i] = i == 1 ? 3 : 0;
    }
    /* (5, 8) / 2 and a far element: norm of (2.5, 4, 1) */
    a[N - 1] = c[N - 1] = 2;
    const double norm = nn_gradient_merge(one, 2, N, 0.5, 1);
    assert_near(norm, sqrt(2.5 * 2.5 + 16 + 1), 1e-12);
    assert_near(a[1], 4, 0);
    assert_true(nn_gradient_merge(three, 2, N, 0.5, 3) == norm);
    assert_memory_equal(a, c, sizeof a);
}

static void an_average_forgets_its_start_and_follows_at_its_decay(void **state)
{
    (void)state;
    float w = 1, average = 0;
    nn_average(0.99, 1, &w, &average, 1); /* (1 + 1) / (10 + 1) is kept */
    assert_near(average, 9.0 / 11, 1e-7);
    average = 0;
    nn_average(0.9, 1000, &w, &average, 1);
    assert_near(average, 0.1, 1e-7);
}

/* With the default betas the first step is rate x sign(g) whatever the size of g: both corrections cancel. */
static void adamw_starts_with_steps_of_the_rate(void **state)
{
    (void)state;
    struct nn_adamw adamw = nn_adamw_default();
    float w[3] = {0}, m[3] = {0}, v[3] = {0}, g[] = {1e-3f, -20, 0}, *block[] = {g};
    nn_adamw_step(&adamw, 1, 0.01, w, m, v, 3, 3, block, 1, 1, 1);
    assert_near(w[0], -0.01, 1e-6);
    assert_near(w[1], 0.01, 1e-6);
    assert_near(w[2], 0, 0);
}

static void adamw_does_not_depend_on_threads(void **state)
{
    (void)state;
    enum { N = 10007 };
    static float w[2][N], m[2][N], v[2][N], g[3][N];
    struct jrx_rng rng;
    struct nn_adamw adamw = nn_adamw_default();
    float *block[] = {g[0], g[1], g[2]};
    jrx_rng_init(&rng, 3, 0);
    for (int i = 0; i < N; i++) {
        w[0][i] = w[1][i] = (float)jrx_rng_uniform(&rng);
        for (int k = 0; k < 3; k++)
            g[k][i] = (float)jrx_rng_uniform(&rng) - 0.5f;
    }
    for (int step = 1; step <= 3; step++)
        for (int k = 0; k < 2; k++)
            nn_adamw_step(&adamw, step, 1e-3, w[k], m[k], v[k], N, N / 2, block, 3, 0.1, k ? 3 : 1);
    assert_memory_equal(w[0], w[1], sizeof w[0]);
}

static void the_schedule_rises_stays_and_falls(void **state)
{
    (void)state;
    struct nn_schedule s = {.rate = 0.8, .warmup = 4, .hold = 6, .steps = 9};
    const double want[] = {0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.6, 0.4, 0.2};
    for (int step = 1; step <= 9; step++)
        assert_near(nn_rate(&s, step), want[step - 1], 1e-15);
    /* no warm-up, no plateau: a straight fall that would reach 0 at step 5 */
    assert_near(nn_rate(&(struct nn_schedule){.rate = 0.5, .warmup = 0, .hold = 0, .steps = 4}, 1), 0.4, 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cross_entropy_of_hand_worked_logits),
        cmocka_unit_test(distillation_of_hand_worked_logits),
        cmocka_unit_test(gradients_are_the_slopes_of_the_losses),
        cmocka_unit_test(distillation_at_temperature_1_is_soft_label_cross_entropy),
        cmocka_unit_test(high_temperature_is_an_eighth_of_the_squared_difference),
        cmocka_unit_test(huge_logits_stay_finite),
        cmocka_unit_test(adamw_takes_two_hand_worked_steps),
        cmocka_unit_test(lamb_moves_each_tensor_in_proportion_to_its_size),
        cmocka_unit_test(the_merged_gradient_and_its_norm),
        cmocka_unit_test(an_average_forgets_its_start_and_follows_at_its_decay),
        cmocka_unit_test(adamw_starts_with_steps_of_the_rate),
        cmocka_unit_test(adamw_does_not_depend_on_threads),
        cmocka_unit_test(the_schedule_rises_stays_and_falls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
