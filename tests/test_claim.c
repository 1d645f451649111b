/* Verdicts on claims, and their table. */
#include "experiments/claim.h"
#include "tests/support/test.h"
#include <unistd.h>

static void a_claim_is_supported_only_by_a_whole_interval(void **state)
{
    (void)state;
    assert_int_equal(ex_verdict_of(0.5, 0.9, 1, 1), EX_SUPPORTED);
    assert_int_equal(ex_verdict_of(1.1, 1.9, 1, 1), EX_REFUTED);
    assert_int_equal(ex_verdict_of(0.9, 1.1, 1, 1), EX_INCONCLUSIVE);
    assert_int_equal(ex_verdict_of(1.1, 1.9, 1, 0), EX_SUPPORTED);
    assert_int_equal(ex_verdict_of(0.5, 0.9, 1, 0), EX_REFUTED);
    assert_int_equal(ex_verdict_of(0.5, 1, 1, 1), EX_INCONCLUSIVE);
    assert_int_equal(ex_verdict_of(NAN, 0.9, 1, 1), EX_INCONCLUSIVE);
    assert_int_equal(ex_verdict_of(0.5, NAN, 1, 1), EX_INCONCLUSIVE);
}

static void no_estimate_can_support_a_claim_about_energy(void **state)
{
    (void)state;
    assert_int_equal(ex_verdict_of_energy(JRX_MEASURED, 0.5, 0.9, 1, 1), EX_SUPPORTED);
    assert_int_equal(ex_verdict_of_energy(JRX_REPLAYED, 0.5, 0.9, 1, 1), EX_SUPPORTED);
    assert_int_equal(ex_verdict_of_energy(JRX_ESTIMATED, 0.5, 0.9, 1, 1), EX_NOT_TESTABLE);
    assert_int_equal(ex_verdict_of_energy(JRX_SIMULATED, 0.5, 0.9, 1, 1), EX_NOT_TESTABLE);
    assert_int_equal(ex_verdict_of_energy(JRX_SOURCE_NONE, 0.5, 0.9, 1, 1), EX_NOT_TESTABLE);
}

static void claims_survive_their_table(void **state)
{
    (void)state;
    char dir[] = "/tmp/joulerx-claim-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    const struct ex_claim written[2] = {
        {"one", "A sentence, with a comma and a \"quote\".", EX_REFUTED, 1.25, 1.125, 1.5, JRX_MEASURED, "a note"},
        {"two", "Another.", EX_NOT_TESTABLE, NAN, NAN, NAN, JRX_ESTIMATED, ""}};
    struct ex_claim read[2];
    assert_int_equal(ex_claims_read(dir, read, 2), 0);
    assert_int_equal(ex_claims_write(dir, written, 2), 0);
    assert_int_equal(ex_claims_read(dir, read, 2), 2);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(read[i].id, written[i].id);
        assert_string_equal(read[i].statement, written[i].statement);
        assert_string_equal(read[i].note, written[i].note);
        assert_int_equal(read[i].verdict, written[i].verdict);
        assert_int_equal(read[i].source, written[i].source);
    }
    assert_true(read[0].figure == 1.25 && read[0].lo == 1.125 && read[0].hi == 1.5);
    assert_true(isnan(read[1].figure) && isnan(read[1].lo) && isnan(read[1].hi));
    snprintf(path, sizeof path, "%s/claims.csv", dir);
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_is_supported_only_by_a_whole_interval),
        cmocka_unit_test(no_estimate_can_support_a_claim_about_energy),
        cmocka_unit_test(claims_survive_their_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
