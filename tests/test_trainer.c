/* joulerx train, distill and evaluate, as users run them. */
#include "experiments/net_calls.h"
#include "models/receiver/presets.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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
    assert_int_equal(program_run(&p, "train --resume -q a.st"), 0); /* the checkpoint knows them */
    assert_int_equal(program_run(&p, "train --resume -q --seed=1 --network=teacher a.st"), 0);
    assert_int_equal(program_run(&p, "train --resume -q --clip=3 a.st"), 2);
    says(p.err, "clip 1, not 3");
    assert_int_equal(program_run(&p, "train --resume -q none.st"), 1);
    says(p.err, "none.st");
    assert_int_equal(program_run(&p, "train " SMALL "%s a.st", own), 2); /* not over a file that is there */
    says(p.err, "--resume");
    assert_int_equal(program_run(&p, "train " SMALL "%s --seed=2 --start=a.st b.st", own), 0);
    assert_int_equal(program_run(&p, "train -q --resume --start=a.st b.st"), 2);
    says(p.err, "--start=a.st: a training that is resumed has begun");
    assert_int_equal(program_run(&p, "train " SMALL "--width=2 --start=a.st c.st"), 2);
    says(p.err, "the two must be the same");
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

/* ---- kill -9 ---- */

enum { PAGE = 4096 };

/* "joulerx <line>" with its stderr in a pipe of one page: once that is full it waits for us, so it is still at work
 * after as many lines as we care to read, however fast it is. */
static pid_t start(const struct program *p, const char *line, int *errors)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, PAGE) >= 0);
    pid_t child = fork();
    if (!child) {
        char words[4096];
        snprintf(words, sizeof words, "cd %s && exec %s %s >out", p->dir, p->path, line);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl("/bin/sh", "sh", "-c", words, (char *)NULL);
        _exit(99);
    }
    close(ends[1]);
    *errors = ends[0];
    return child;
}

/* Runs the line until it has said so many lines, then kills it. */
static void run_and_kill(const struct program *p, const char *line, int lines)
{
    int errors, status;
    char byte;
    pid_t child = start(p, line, &errors);
    while (lines && read(errors, &byte, 1) == 1)
        lines -= byte == '\n';
    assert_int_equal(lines, 0);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    close(errors);
}

/* The tensors of a checkpoint: what follows its header. */
static size_t tensors(const struct program *p, const char *name, unsigned char *bytes, size_t size)
{
    char path[512];
    uint64_t header = 0;
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(&header, sizeof header, 1, file), 1);
    assert_int_equal(fseek(file, (long)header, SEEK_CUR), 0);
    size_t got = fread(bytes, 1, size, file);
    fclose(file);
    assert_true(got > 1000 && got < size);
    return got;
}

/* Rows of a curve cut down to what has to be the same in any run: to validation_ber_ratio. Returns how many. */
static int curve(const struct program *p, const char *name, char rows[][256], int most)
{
    static char text[262144];
    int count = 0;
    program_slurp(p, name, text, sizeof text);
    for (char *line = strtok(text, "\n"); line && count < most; line = strtok(NULL, "\n")) {
        int fields = 0;
        char *end = line;
        while (*end && (fields += *end == ',') < 8)
            end++;
        snprintf(rows[count++], sizeof rows[0], "%.*s", (int)(end - line), line);
    }
    return count;
}

static void kill_and_resume(const char *command, const char *options, const char *teacher)
{
    enum { KILLS = 3, ROWS = 400, BYTES = 1 << 20 };
    static const int lines[KILLS] = {3, 22, 8}; /* two before the first checkpoint: what is trained, and tilings */
    static unsigned char whole[BYTES], killed[BYTES];
    static char want[ROWS][256], got[ROWS][256];
    struct program p;
    char line[1024];
    program_init(&p);
    assert_int_equal(program_run(&p, "train " SMALL "teacher.st"), 0);
    snprintf(line, sizeof line, "%s --preset=smoke --threads=2 --every=1 --validate=2 --steps=200 %s %s", command,
             options, teacher);
    assert_int_equal(program_run(&p, "%s whole.st --csv=whole.csv", line), 0);
    for (int i = 0; i < KILLS; i++) {
        char words[2048];
        snprintf(words, sizeof words, "%s killed.st --csv=killed.csv %s", line, i ? "--resume" : "");
        run_and_kill(&p, words, lines[i]);
    }
    /* the checkpoint knows how it was trained; another number of threads changes nothing */
    assert_int_equal(program_run(&p,
                                 "%s --resume --every=1 --validate=2 --threads=1 --quiet --csv=killed.csv %s killed.st",
                                 command, teacher),
                     0);
    size_t bytes = tensors(&p, "whole.st", whole, BYTES);
    assert_int_equal(tensors(&p, "killed.st", killed, BYTES), bytes);
    assert_memory_equal(killed, whole, bytes);
    /* the curve: each kill may have cost a row, and none is there twice or differs */
    int rows = curve(&p, "whole.csv", want, ROWS), left = curve(&p, "killed.csv", got, ROWS), at = 0;
    assert_int_equal(rows, 201);
    assert_in_range(left, rows - KILLS, rows);
    for (int i = 0; i < left; i++, at++) {
        while (at < rows && strcmp(want[at], got[i]))
            at++;
        assert_true(at < rows);
    }
    program_fini(&p);
}

static void a_training_killed_at_any_moment_ends_with_the_same_weights(void **state)
{
    (void)state;
    kill_and_resume("train", "--average=0.9 --modulation=qpsk,16qam", "");
}

static void a_distillation_killed_at_any_moment_ends_with_the_same_weights(void **state)
{
    (void)state;
    kill_and_resume("distill", "--optimiser=lamb --hint=0.1", "teacher.st");
}

static void what_cannot_be_is_said_in_one_line_before_any_work(void **state)
{
    (void)state;
    struct program p;
    program_init(&p);
    static const struct {
        const char *options;
        int exit;
        const char *words;
    } bad[] = {{"a.st --prb=100000", 2, "--prb=100000: give a whole number from 1 to 273"},
               {"a.st --rx=9", 2, "--rx=9"},
               {"a.st --snr=loud", 2, "--snr=loud"},
               {"a.st --width=nan", 2, "--width=nan"},
               {"a.st --batch=3 --micro=2", 2, "batch 3 is no multiple of micro-batch 2"},
               {"nowhere/a.st", 1, "nowhere/a.st: could not be made (No such file or directory); make the folder"},
               {"a.st --csv=nowhere/a.csv", 1, "nowhere/a.csv"},
               {"--resume junk.st", 1, "junk.st: 5 bytes are no safetensors file"}};
    assert_int_equal(program_shell(&p, "echo junk >junk.st"), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(program_run(&p, "train " SMALL "%s", bad[i].options), bad[i].exit);
        says(p.err, bad[i].words);
    }
    assert_int_equal(program_shell(&p, "test ! -e a.st"), 0);
    program_fini(&p);
}

/* ---- what it tells ---- */

/* Beside what is said there is the program with its libraries, some 10 MiB. */
static void the_memory_that_is_said_beforehand_is_what_it_takes(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip_because("the sanitizer's own memory is in the way");
#endif
    static const char *const options[] = {"--prb=26 --batch=16 --micro=16 --width=0.5",
                                          "--prb=40 --batch=8 --micro=4 --optimiser=lamb --average=0.9 --width=2"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct program p;
        struct rusage used;
        char line[512], text[4096];
        int errors, status;
        size_t length = 0;
        double said_mib = NAN;
        program_init(&p);
        if (access(p.path, X_OK))
            skip_because("the program is not built beside the tests: make all");
        snprintf(line, sizeof line, "train --preset=smoke --threads=2 --steps=2 --validate=2 %s a.st", options[i]);
        pid_t child = start(&p, line, &errors);
        for (ssize_t got = 1; got > 0 && length < sizeof text - 1; length += (size_t)(got > 0 ? got : 0))
            got = read(errors, text + length, sizeof text - 1 - length);
        text[length] = 0;
        close(errors);
        assert_int_equal(wait4(child, &status, 0, &used), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        const char *at = strstr(text, "peak memory ");
        assert_non_null(at);
        assert_int_equal(sscanf(at, "peak memory %lf MiB", &said_mib), 1);
        const double took_mib = (double)used.ru_maxrss / 1024;
        assert_true(said_mib > 40);
        assert_true(took_mib > said_mib && took_mib < said_mib + 32);
        program_fini(&p);
    }
}

static void progress_tells_loss_errors_speed_joules_with_their_source_and_time_left(void **state)
{
    (void)state;
    struct program p;
    static char csv[65536];
    program_init(&p);
    assert_int_equal(program_run(&p, "train --preset=smoke --every=20 --meter=model a.st --csv=a.csv"), 0);
    says(p.err, "peak memory");
    static const char *const words[] = {"loss ", "validation BER ", " slots/s, ", " J estimated", " left"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        says(p.err, words[i]);
    says(p.out, "after 40 steps");
    says(p.out, "J estimated");
    program_slurp(&p, "a.csv", csv, sizeof csv);
    says(csv, "step,slots,rate_ratio,loss_bit,bce_bit,ber_ratio,validation_bce_bit,validation_ber_ratio,"
              "speed_slots_per_s,time_s,energy_j,energy_source,left_s\n20,80,");
    assert_int_equal(rows(csv, ",estimated,"), 2);
    if (!program_shell(&p, "command -v gnuplot >/dev/null"))
        assert_int_equal(program_shell(&p, "test -s a.svg && test -s a.png"), 0);
    assert_int_equal(program_run(&p, "train " SMALL "b.st --meter=nonsense"), 2);
    /* away from its folder the model meter has no profile: the same training, its energy missing */
    assert_int_equal(program_shell(&p, "cp %s away && ./away train " SMALL "c.st --csv=c.csv >out 2>err", p.path), 0);
    if (!strstr(p.err, "no energy is known"))
        skip_because("this machine has a meter that needs no profile");
    program_slurp(&p, "c.csv", csv, sizeof csv);
    says(csv, ",,,0\n"); /* energy, source; no time left */
    program_fini(&p);
}

/* Away from its folder the model meter has no profile; told where, the program finds its plots all the same. */
static void without_energy_the_curve_is_drawn_over_time(void **state)
{
    (void)state;
    struct program p;
    program_init(&p);
    if (program_shell(&p, "command -v gnuplot >/dev/null"))
        skip_because("gnuplot is not here");
    assert_int_equal(program_shell(&p,
                                   "cp %s away && mkdir home && ln -s \"$(dirname %s)/../plots\" home/plots && "
                                   "JOULERX_HOME=$PWD/home ./away train " SMALL "a.st --csv=a.csv >out 2>err",
                                   p.path, p.path),
                     0);
    if (!strstr(p.err, "no energy is known"))
        skip_because("this machine has a meter that needs no profile");
    assert_null(strstr(p.err, "was not drawn"));
    assert_int_equal(program_shell(&p, "test -s a.png && grep -q 'training time (s)' a.svg"), 0);
    assert_int_equal(program_shell(&p, "grep -q 'energy (J)' a.svg"), 1);
    program_fini(&p);
}

/* ---- tilings ---- */

/* A tile file with a row for every call of a step: small blocks, for weights' gradients a row at a time, which adds up
 * in another order and so must not be taken. Returns how many calls; how many keep the order, into *kept. */
static int write_tiles(const char *path, const struct rx_train_config *c, int *kept)
{
    static struct nn_net net;
    static struct ex_net_call call[EX_NET_CALLS];
    struct ex_tiles tiles;
    assert_int_equal(rx_net_init(&net, &c->shape), 0);
    const int calls =
        ex_net_calls(&net, NN_FUSED_TRAINING, c->micro, c->link.prb * LK_PRB_SUBCARRIERS, LK_SYMBOLS, 1, call);
    assert_true(calls > 10);
    assert_int_equal(ex_tiles_read_file(&tiles, path), 0);
    *kept = 0;
    for (int i = 0; i < calls; i++) {
        const struct ex_net_call *k = &call[i];
        struct ex_tile_row row = {.objective = "time",
                                  .f = k->shape.f,
                                  .t = k->shape.t,
                                  .n = k->shape.n,
                                  .threads = k->threads,
                                  .tile = {.f = 1, .oc = k->kernel->dir == KN_FWD ? 16 : 0}};
        snprintf(row.kernel, sizeof row.kernel, "%s", k->kernel->name);
        kn_layer_format(k->kernel->op, &k->shape, row.layer, sizeof row.layer);
        assert_int_equal(ex_tiles_put(&tiles, &row), 0);
        *kept += k->kernel->dir != KN_BWD_WEIGHTS;
    }
    assert_int_equal(ex_tiles_write(&tiles), 0);
    ex_tiles_fini(&tiles);
    nn_net_fini(&net);
    return calls;
}

static void load(const struct program *p, const char *name, struct rx_receiver *receiver)
{
    char path[TREE_PATH + 32];
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    assert_int_equal(rx_receiver_load(receiver, path), 0);
}

/* The file is used and said, and no bit of the weights tells of it; so a training may go on with another file. */
static void a_tile_file_changes_no_weight(void **state)
{
    (void)state;
    struct program p;
    char path[TREE_PATH + 16], line[128];
    struct rx_receiver a, b;
    int kept;
    const struct rx_train_config config = rx_preset_config(rx_preset_find("smoke"), RX_TEACHER, 1);
    program_init(&p);
    snprintf(path, sizeof path, "%s/tiles.csv", p.dir);
    const int calls = write_tiles(path, &config, &kept);
    setenv("JOULERX_TILES", "", 1);
    assert_int_equal(program_run(&p, "train --preset=smoke --threads=1 plain.st"), 0);
    says(p.err, "tilings: no file for");
    setenv("JOULERX_TILES", path, 1);
    assert_int_equal(program_run(&p, "train --preset=smoke --threads=2 tiled.st"), 0);
    says(p.err, "tiles.csv");
    snprintf(line, sizeof line, "%d of the %d different calls of a step have a row", kept, calls);
    says(p.err, line);
    assert_int_equal(program_run(&p, "evaluate --slots=4 --prb=1 --snr=0 tiled.st"), 0);
    says(p.err, "tiles.csv");
    unsetenv("JOULERX_TILES");
    load(&p, "plain.st", &a);
    load(&p, "tiled.st", &b);
    assert_memory_equal(a.parameters, b.parameters, a.net.parameter_floats * sizeof(float));
    assert_memory_equal(a.statistics, b.statistics, a.net.statistic_floats * sizeof(float));
    rx_receiver_fini(&a);
    rx_receiver_fini(&b);
    program_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_is_said_in_one_line_before_any_work),
        cmocka_unit_test(without_energy_the_curve_is_drawn_over_time),
        cmocka_unit_test(a_tile_file_changes_no_weight),
        cmocka_unit_test(one_network_of_four_antennas_is_trained_and_evaluated_on_all_modulations),
        cmocka_unit_test(a_training_killed_at_any_moment_ends_with_the_same_weights),
        cmocka_unit_test(a_distillation_killed_at_any_moment_ends_with_the_same_weights),
        cmocka_unit_test(the_memory_that_is_said_beforehand_is_what_it_takes),
        cmocka_unit_test(progress_tells_loss_errors_speed_joules_with_their_source_and_time_left),
        cmocka_unit_test(a_checkpoint_goes_on_with_the_options_it_was_made_with_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
