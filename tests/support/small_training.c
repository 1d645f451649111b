#include "tests/support/small_training.h"
#include "tests/support/test.h"

struct rx_train_config tiny(void)
{
    struct rx_train_config c = {.shape = {.body = rx_body_find("short3"), .width = 0.125, .rx = 2, .logits = RX_LOGITS},
                                .link = lk_config_default(),
                                .seed = 3,
                                .batch = 6,
                                .micro = 2,
                                .schedule = {.rate = 5e-3, .warmup = 2, .hold = 4, .steps = 6},
                                .adamw = nn_adamw_default(),
                                .momentum = 0.1,
                                .loss = {0, 1}};
    c.link.prb = 1;
    return c;
}

void run_steps(struct rx_train *train, int steps)
{
    for (int i = 0; i < steps; i++)
        assert_int_equal(rx_train_step(train), 0);
}

void assert_same_state(const struct rx_train *a, const struct rx_train *b)
{
    const size_t parameters = a->student.net.parameter_floats * sizeof(float);
    assert_int_equal(a->step, b->step);
    assert_memory_equal(a->student.parameters, b->student.parameters, parameters);
    assert_memory_equal(a->m, b->m, parameters);
    assert_memory_equal(a->v, b->v, parameters);
    assert_memory_equal(a->student.statistics, b->student.statistics, a->student.net.statistic_floats * sizeof(float));
    if (a->average)
        assert_memory_equal(a->average, b->average, parameters);
}
