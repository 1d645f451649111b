/* models/link against IT++, an independent library: tests/oracle_itpp.cc, built where libitpp-dev is installed. */
#include "models/link/demap.h"
#include "models/link/theory.h"
#include "tests/support/test.h"
#include <unistd.h>

/* The oracle lies beside this program; NULL if it was not built. */
static FILE *ask_oracle(void)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 32);
    assert_true(length > 0);
    path[length] = 0;
    strcpy(strrchr(path, '/'), "/oracle_itpp");
    return access(path, X_OK) ? NULL : popen(path, "r");
}

static int descending(const void *a, const void *b)
{
    double l = *(const double *)a, r = *(const double *)b;
    return (l < r) - (l > r);
}

/* 4 orders of 400000 symbols: 5 standard errors, the bits of a symbol counted as one; false alarm in 4e5 runs, and the
 * oracle's seed is fixed. */
static void error_rates_are_those_of_itpp(void **state)
{
    (void)state;
    FILE *oracle = ask_oracle();
    char line[1024];
    int seen = 0;
    if (!oracle)
        skip_because("no IT++ (apt install libitpp-dev g++)");
    while (fgets(line, sizeof line, oracle)) {
        int bits;
        double snr_db, sent, errors;
        if (sscanf(line, "ber %d %lf %lf %lf", &bits, &snr_db, &sent, &errors) != 4)
            continue;
        double want = lk_theory_awgn(bits, pow(10, snr_db / 10));
        assert_true(errors > 1000);
        assert_near(errors / sent, want, 5 * sqrt(want / (sent / bits)));
        seen++;
    }
    pclose(oracle);
    assert_int_equal(seen, 4);
}

/* Labels of Gray QAM differ between libraries by order and complement of bits, so sizes are compared, in order. */
static void soft_bits_are_those_of_itpp(void **state)
{
    (void)state;
    FILE *oracle = ask_oracle();
    char line[1024];
    int seen = 0;
    if (!oracle)
        skip_because("no IT++ (apt install libitpp-dev g++)");
    while (fgets(line, sizeof line, oracle)) {
        int exact, bits, used;
        double noise, re, im, theirs[8], ours[8];
        float llr[8];
        struct lk_demapper demapper;
        if (sscanf(line, "llr %d %d %lf %lf %lf%n", &exact, &bits, &noise, &re, &im, &used) != 5)
            continue;
        char *at = line + used;
        lk_demapper_init(&demapper, bits, exact);
        lk_demap(&demapper, (float)re + I * (float)im, (float)noise, llr);
        for (int b = 0; b < bits; b++) {
            theirs[b] = fabs(strtod(at, &at));
            ours[b] = fabs((double)llr[b]);
        }
        qsort(theirs, (size_t)bits, sizeof *theirs, descending);
        qsort(ours, (size_t)bits, sizeof *ours, descending);
        for (int b = 0; b < bits; b++)
            assert_near(ours[b], theirs[b], 2e-4 + 1e-5 * theirs[b]);
        seen++;
    }
    pclose(oracle);
    assert_int_equal(seen, 480);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_rates_are_those_of_itpp),
        cmocka_unit_test(soft_bits_are_those_of_itpp),
    };
    return cmocka_run_group_tests_name("link_oracle", tests, NULL, NULL);
}
