/* JOULERX_TEST_FAST, set where a tool makes every instruction dear, asks statistical tests for fewer draws. */
#ifndef TESTS_SUPPORT_SHORT_FORM_H
#define TESTS_SUPPORT_SHORT_FORM_H
#include <stdlib.h>

static inline int test_is_short(void)
{
    return getenv("JOULERX_TEST_FAST") != NULL;
}

/** n draws, or a twentieth of them (4 at least); tolerances are to be computed from what this returns. */
static inline int test_draws(int n)
{
    int few = n / 20 < 4 ? 4 : n / 20;
    return test_is_short() ? few : n;
}

#endif
