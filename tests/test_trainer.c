/* joulerx train, distill and evaluate, as users run them. */
#include "tests/support/program.h"
#include "tests/support/test.h"

/* A training of a second or less; slots of one PRB. */
#define SMALL "--preset=smoke --quiet --threads=2 "

static int rows(const char *csv, const char *words)
{
    int count = 0;
    for (const char *at = csv; (at = strstr(at, words)); at++)
        count++;
    return count;
}

static void one_network_of_four_antennas_is_trained_and_evaluated_on_all_modulations(void **state)
{
    (void)state;
    struct program p;
    static char csv[65536];
    program_init(&p);
    assert_int_equal(program_run(&p, "train " SMALL "--rx=4 --modulation=qpsk,16qam,64qam,256qam all.st"), 0);
    assert_int_equal(program_run(&p, "evaluate -q --rx=4 --modulation=qpsk,256qam --slots=8 --prb=1 --snr=0,20 "
                                     "--csv=all.csv all.st"),
                     0);
    says(p.out, "BER, qpsk, at SNR [dB]");
    says(p.out, "BER, 256qam, at SNR [dB]");
    program_slurp(&p, "all.csv", csv, sizeof csv);
    assert_int_equal(rows(csv, "\nall.st,"), 4);
    assert_int_equal(rows(csv, ",qpsk,"), rows(csv, ",256qam,"));
    assert_int_equal(program_run(&p, "evaluate -q --slots=8 --prb=1 all.st"), 2); /* two antennas */
    says(p.err, "4 antennas");
    assert_int_equal(program_run(&p, "train " SMALL "--logits=4 --modulation=64qam no.st"), 2);
    says(p.err, "4 outputs on slots of 2 antennas and up to 6 bits");
    program_fini(&p);
}

static void a_checkpoint_goes_on_with_the_options_it_was_made_with_only(void **state)
{
    (void)state;
    struct program p;
    program_init(&p);
    const char *own = "--optimiser=lamb --rate=1e-2 --clip=1 --average=0.9 --snr-weight=yes --blocks=2 "
                      "--multiplier=1 --sir=0-36 --snr=-4-32 --profile=tdl-b,tdl-c --doppler=0-500 --steps=20";
    assert_int_equal(program_run(&p, "train " SMALL "%s a.st", own), 0);
    assert_int_equal(program_run(&p, "train " SMALL "%s --resume a.st", own), 0);
    assert_int_equal(program_run(&p, "train " SMALL "%s a.st", own), 2); /* not over a file that is there */
    says(p.err, "--resume");
    static const char *const other[][2] = {{"--optimiser=adamw", "optimiser lamb, not adamw"},
                                           {"--clip=2", "clip 1, not 2"},
                                           {"--sir=none", "link.sir_min_db"},
                                           {"--modulation=qpsk,16qam", "link.mixture 0, not 20"},
                                           {"--profile=tdl-b", "link.profiles 6, not 2"},
                                           {"--blocks=3", "blocks 2, not 3"},
                                           {"--seed=2", "seed"}};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        assert_int_equal(program_run(&p, "train " SMALL "%s %s --resume a.st", own, other[i][0]), 2);
        says(p.err, other[i][1]);
    }
    program_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_network_of_four_antennas_is_trained_and_evaluated_on_all_modulations),
        cmocka_unit_test(a_checkpoint_goes_on_with_the_options_it_was_made_with_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
