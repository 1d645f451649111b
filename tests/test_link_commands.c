/* joulerx simulate and joulerx dataset, called as the program calls them. */
#include "experiments/command.h"
#include "harness/base/error.h"
#include "models/link/snr.h"
#include "models/nn/safetensors.h"
#include "tests/support/test.h"
#include <complex.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct ex_command cmd_simulate, cmd_dataset;

static char folder[] = "/tmp/joulerx-test-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return !mkdtemp(folder);
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* Runs a command with up to 15 words, NULL last. */
static int call(const struct ex_command *command, char *const *words)
{
    char name[] = "joulerx command", copies[16][256], *argv[17] = {name};
    int argc = 1;
    for (; words[argc - 1]; argc++) {
        snprintf(copies[argc - 1], sizeof copies[0], "%s", words[argc - 1]);
        argv[argc] = copies[argc - 1];
    }
    return command->run(argc, argv);
}
#define CALL(command, ...) call(&(command), (char *[]){__VA_ARGS__, NULL})

static const char *in_folder(const char *option, const char *name, char text[256])
{
    snprintf(text, 256, "%s%s/%s", option, folder, name);
    return text;
}

/* The file, without it afterwards. */
static void slurp(const char *path, char *text, size_t size)
{
    FILE *from = fopen(path, "r");
    assert_non_null(from);
    size_t length = fread(text, 1, size - 1, from);
    text[length] = 0;
    fclose(from);
    unlink(path);
}

/* Field `column` (by its header) of line `row`, 1 the first after the header. */
static void field(const char *csv, const char *column, int row, char *out, size_t size)
{
    int at = 0, found = -1;
    for (const char *p = csv; *p && *p != '\n'; at++) {
        size_t length = strcspn(p, ",\n");
        if (length == strlen(column) && !memcmp(p, column, length))
            found = at;
        p += length + (p[length] == ',');
    }
    assert_true(found >= 0);
    for (; row; row--) {
        csv = strchr(csv, '\n');
        assert_non_null(csv);
        csv++;
    }
    for (; found; found--)
        csv += strcspn(csv, ",\n") + 1;
    size_t length = strcspn(csv, ",\n");
    assert_true(length < size);
    memcpy(out, csv, length);
    out[length] = 0;
}

static void simulate_writes_the_same_rows_at_any_number_of_threads(void **state)
{
    (void)state;
    static char csv[2][20000];
    char option[256], path[256], a[64], b[64];
    static const char *const columns[] = {"receiver",        "modulation", "profile",        "engine",     "pilots",
                                          "snr_db",          "slots",      "bits",           "bit_errors", "ber",
                                          "ber_ci_lo",       "ber_ci_hi",  "mi_bits_per_re", "ber_bit3",   "ber_bit4",
                                          "ber_minus_first", "seed",       "sir_lo_db"};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(CALL(cmd_simulate, "--receiver=genie,ls", "--modulation=16qam", "--profile=tdl-a,tdl-b",
                              "--doppler=0-500", "--snr=0:5:10", "--slots=20", "--pilots=2", "--prb=4",
                              i ? "--threads=2" : "--threads=1", (char *)in_folder("--csv=", "out.csv", option)),
                         0);
        slurp(in_folder("", "out.csv", path), csv[i], sizeof csv[i]);
    }
    for (int row = 1; row <= 6; row++)
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            field(csv[0], columns[c], row, a, sizeof a);
            field(csv[1], columns[c], row, b, sizeof b);
            assert_string_equal(a, b);
        }
    field(csv[0], "receiver", 4, a, sizeof a);
    assert_string_equal(a, "ls");
    field(csv[0], "snr_db", 4, a, sizeof a);
    assert_string_equal(a, "5");
    field(csv[0], "profile", 1, a, sizeof a);
    assert_string_equal(a, "tdl-a+tdl-b");
    field(csv[0], "bits", 1, a, sizeof a);
    assert_string_equal(a, "49920"); /* 20 slots of (48 * 14 - 2 * 24) REs, 4 bits */
    field(csv[0], "ber_bit4", 1, a, sizeof a);
    assert_string_equal(a, "");
    field(csv[0], "sir_lo_db", 1, a, sizeof a);
    assert_string_equal(a, "");
    field(csv[0], "ber_minus_first", 1, a, sizeof a);
    assert_string_equal(a, "");
    char e0[64], e1[64], n[64], d[64];
    field(csv[0], "bit_errors", 1, e0, sizeof e0);
    field(csv[0], "bit_errors", 2, e1, sizeof e1);
    field(csv[0], "bits", 2, n, sizeof n);
    field(csv[0], "ber_minus_first", 2, d, sizeof d);
    assert_near(atof(d), (atof(e1) - atof(e0)) / atof(n), 1e-12);
}

static void bins_of_sinr_share_out_the_slots(void **state)
{
    (void)state;
    static char csv[20000];
    char option[256], path[256], text[64];
    assert_int_equal(CALL(cmd_simulate, "-r", "ls", "--snr=draw:0:20", "--sir=5-15", "--sinr-bins=-2:6:22",
                          "--slots=40", "--prb=3", "-c", (char *)in_folder("", "bins.csv", option)),
                     0);
    slurp(in_folder("", "bins.csv", path), csv, sizeof csv);
    int slots = 0, rows = 0;
    double last = 1;
    for (const char *p = strchr(csv, '\n') + 1; *p; p = strchr(p, '\n') + 1)
        rows++;
    assert_in_range(rows, 2, 4);
    for (int row = 1; row <= rows; row++) {
        field(csv, "slots", row, text, sizeof text);
        slots += atoi(text);
        field(csv, "ber", row, text, sizeof text);
        last = atof(text);
        field(csv, "mi_matched_bits_per_re", row, text, sizeof text);
        assert_string_equal(text, "");
    }
    assert_int_equal(slots, 40);
    field(csv, "ber", 1, text, sizeof text);
    assert_true(last < atof(text));
}

/* The definitions of SNR: the same slots, at the offset that is said */
static void definitions_of_snr_differ_by_what_they_say(void **state)
{
    (void)state;
    struct lk_config config = lk_config_default();
    struct lk_slot slot;
    config.snr_db[0] = config.snr_db[1] = 10;
    assert_int_equal(lk_slot_init(&slot, &config), 0);
    lk_slot_draw_snr(&slot, &config, LK_SNR_BAND, 1, 0);
    assert_near(slot.snr_db, 10 + 10 * log10(512.0 / 312), 1e-9);
    assert_near(slot.noise_power, pow(10, -slot.snr_db / 10), 1e-12);
    lk_slot_draw_snr(&slot, &config, LK_SNR_SLOT, 1, 0);
    double power = 0;
    for (int i = 0; i < 2 * 4368; i++)
        power += pow((double)cabsf(slot.h[i]), 2) / (2 * 4368);
    assert_relative(power / slot.noise_power, 10, 1e-5);
    lk_slot_fini(&slot);
}

static void dataset_holds_the_slots_that_are_drawn(void **state)
{
    (void)state;
    char option[256], path[256];
    assert_int_equal(CALL(cmd_dataset, "--slots=5", "--prb=2", "--rx=3", "--seed=9", "--modulation=64qam", "--channel",
                          (char *)in_folder("--out=", "slots.safetensors", option)),
                     0);
    struct nn_st_file file;
    assert_int_equal(nn_st_open(&file, in_folder("", "slots.safetensors", path)), 0);
    assert_int_equal(file.tensors, 6);
    assert_string_equal(nn_st_meta(&file, "seed"), "9");
    const struct nn_st_tensor *y = nn_st_find(&file, "y"), *h = nn_st_find(&file, "h"),
                              *bits = nn_st_find(&file, "bits"), *xp = nn_st_find(&file, "xp"),
                              *mask = nn_st_find(&file, "mask"), *parameters = nn_st_find(&file, "parameters");
    assert_true(y && h && bits && xp && mask && parameters);
    assert_int_equal(y->dim[1], 6);
    assert_int_equal(bits->dim[1], 6);
    struct lk_config config = lk_config_default();
    struct lk_slot slot;
    config.prb = 2;
    config.rx = 3;
    config.modulation = LK_64QAM;
    assert_int_equal(lk_slot_init(&slot, &config), 0);
    size_t res = 24 * 14;
    for (size_t s = 0; s < 5; s++) {
        lk_slot_draw(&slot, &config, 9, s);
        assert_near(parameters->data[s * 7], slot.snr_db, 1e-5);
        assert_near(parameters->data[s * 7 + 6], slot.pattern, 0);
        for (size_t i = 0; i < res; i++) {
            assert_true(mask->data[s * res + i] == (slot.re[i] == LK_DATA));
            assert_true(xp->data[s * 2 * res + i] == crealf(slot.xp[i]));
            assert_true(y->data[(s * 6 + 3) * res + i] == cimagf(slot.y[res + i]));
            assert_true(h->data[(s * 6 + 4) * res + i] == crealf(slot.h[2 * res + i]));
            for (size_t b = 0; b < 6; b++)
                assert_true(bits->data[(s * 6 + b) * res + i] == slot.bit[i * 6 + b]);
        }
    }
    lk_slot_fini(&slot);
    nn_st_close(&file);
    unlink(path);
}

static void bad_options_get_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *option, *message;
    } bad[] = {
        {"--snr=3:", "--snr=3:: give FIRST:STEP:LAST"},
        {"--snr=1:2", "--snr=1:2"},
        {"--snr=0:1:1000", "at most 128 points"},
        {"--snr=5,x", "--snr=5,x"},
        {"--snr=200", "link: snr_db 200..200"},
        {"--snr=draw:3", "draw:LOW:HIGH"},
        {"--delay-spread=10", "with its unit"},
        {"--delay-spread=5us", "beyond the cyclic prefix"},
        {"--profile=tdl-z", "no 'tdl-z'; there are tdl-a"},
        {"--profile=", "--profile: no ''"},
        {"--pattern=nr-5", "no 'nr-5'; there are deeprx-1a"},
        {"--doppler=500-0", "doppler_hz 500..0"},
        {"--pilots=3", "--pilots=3: give a whole number from 1 to 2"},
        {"--sir=a", "--sir=a"},
        {"--receiver=zf", "no receiver 'zf'"},
        {"--receiver=", "give one at least"},
        {"--slots=0", "--slots=0"},
        {"--modulation=8psk", "no '8psk'; there are qpsk"},
        {"--engine=fft", "there are grid, waveform"},
        {"--precision=2", "--precision=2"},
        {"--sinr-bins=3", "FIRST:WIDTH:LAST"},
        {"--scs=60", "give 15 or 30"},
        {"--snr-definition=x", "there are re, band, slot"},
        {"--seed=-1", "--seed=-1"},
        {"--correlation=1", "rx_correlation 1"},
        {"--rx=5", "--rx=5: give a whole number from 1 to 4"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(CALL(cmd_simulate, "--slots=1", (char *)bad[i].option), JRX_EINVAL);
        if (!strstr(jrx_last_error(), bad[i].message))
            fail_msg("%s: %s", bad[i].option, jrx_last_error());
        assert_null(strchr(jrx_last_error(), '\n'));
    }
    assert_int_equal(CALL(cmd_dataset, "--slots=1"), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "--out=FILE is missing"));
    assert_int_equal(CALL(cmd_dataset, "--slots=1", "--out=/dev/null"), JRX_EINVAL);
    assert_int_equal(CALL(cmd_dataset, "--slots=1", "--snr=1,2", "--out=/tmp/x"), JRX_EINVAL);
}

static void a_file_that_cannot_be_written_is_said_before_the_work(void **state)
{
    (void)state;
    assert_int_equal(CALL(cmd_simulate, "--slots=100000000", "--csv=/nowhere/out.csv"), JRX_EIO);
    assert_non_null(strstr(jrx_last_error(), "/nowhere/out.csv: could not be opened to write"));
}

/* The rows go to standard output then: the cost of the run is not lost */
static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(CALL(cmd_simulate, "-r", "ls", "--slots=1", "--prb=1", "--csv=/dev/full"), JRX_EIO);
    assert_non_null(strstr(jrx_last_error(), "/dev/full: could not be written (No space left on device)"));
    struct stat still;
    assert_int_equal(stat("/dev/full", &still), 0);
    assert_true(S_ISCHR(still.st_mode));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simulate_writes_the_same_rows_at_any_number_of_threads),
        cmocka_unit_test(bins_of_sinr_share_out_the_slots),
        cmocka_unit_test(definitions_of_snr_differ_by_what_they_say),
        cmocka_unit_test(dataset_holds_the_slots_that_are_drawn),
        cmocka_unit_test(bad_options_get_one_line),
        cmocka_unit_test(a_file_that_cannot_be_written_is_said_before_the_work),
        cmocka_unit_test(a_full_disk_is_an_error),
    };
    return cmocka_run_group_tests_name("link_commands", tests, make_folder, remove_folder);
}
