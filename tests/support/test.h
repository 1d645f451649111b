/* The four headers that cmocka wants before its own, once; and comparisons that name the value that failed. */
#ifndef TESTS_SUPPORT_TEST_H
#define TESTS_SUPPORT_TEST_H
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka last */
#include <cmocka.h>

/** |got - want| <= tolerance, absolute; NAN never passes. */
#define assert_near(got, want, tolerance) test_near((got), (want), (tolerance), #got, __FILE__, __LINE__)
/** |got - want| <= tolerance * |want|. */
#define assert_relative(got, want, tolerance)                                                                          \
    test_near((got), (want), (tolerance)*fabs((double)(want)), #got, __FILE__, __LINE__)

static inline void test_near(double got, double want, double tolerance, const char *what, const char *file, int line)
{
    if (fabs(got - want) <= tolerance)
        return;
    print_error("%s = %.17g, want %.17g within %g\n", what, got, want, tolerance);
    _fail(file, line);
}

/** Skips the running test with a reason that the summary shows. */
#define skip_because(...)                                                                                              \
    do {                                                                                                               \
        printf("skip: " __VA_ARGS__);                                                                                  \
        printf("\n");                                                                                                  \
        skip();                                                                                                        \
    } while (0)

#endif
