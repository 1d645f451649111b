/* `joulerx list`: what can be counted, by which formula, and what every column of every table means. */
#include "experiments/net_calls.h"
#include "harness/table.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include <math.h>

static struct program p;

static int setup(void **state)
{
    (void)state;
    program_init(&p);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    program_fini(&p);
    return 0;
}

static void meters_and_counters_are_available_or_say_why_not(void **state)
{
    (void)state;
    assert_int_equal(program_run(&p, "list meters"), 0);
    for (const char *const *name = (const char *const[]){"perf", "powercap", "likwid", "model", "replay", NULL}; *name;
         name++)
        says(p.out, *name);
    says(p.out, "estimated");
    assert_int_equal(program_run(&p, "list counters"), 0);
    says(p.out, "cachesim   simulated");
    says(p.out, "papi");
    says(p.out, "likwid");
}

static void events_come_with_formula_and_source(void **state)
{
    (void)state;
    assert_int_equal(program_run(&p, "list events"), 0);
    says(p.out, "sde:::joulerx::flop_declared"); /* ours, published while it lists */
    for (const char *const *name =
             (const char *const[]){"skx", "clx", "icx", "spr", "zen2", "zen3", "zen4", "zen5", NULL};
         *name; name++) {
        char heading[32];
        snprintf(heading, sizeof heading, "event set %s, ", *name);
        says(p.out, heading);
    }
    says(p.out, "skx    l2_read_bytes      bytes  64 * L1D:REPLACEMENT; source: Intel perfmon SKX, L1D.REPLACEMENT");
    /* each metric of each set has a source */
    for (char *line = strstr(p.out, "event set "); line; line = strchr(line, '\n'), line += line != NULL)
        if (*line && strncmp(line, "event set", 9) && *line != '\n') {
            char one[2048];
            snprintf(one, sizeof one, "%.*s", (int)strcspn(line, "\n"), line);
            says(one, "; source: ");
        }
}

static void columns_are_those_that_files_have(void **state)
{
    (void)state;
    struct jrx_csv *csv;
    char path[256];
    static char listed[sizeof p.out];
    assert_int_equal(program_run(&p, "list columns"), 0);
    memcpy(listed, p.out, sizeof listed);
    assert_int_equal(program_run(&p, "run tiling --preset=smoke --grid-f=12 --quiet --meter=model --out=r"), 0);
    static const char *const files[] = {"samples", "summary", "claims"};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/r/tiling/%s.csv", p.dir, files[i]);
        assert_int_equal(jrx_csv_read(&csv, path, NULL), 0);
        for (size_t c = 0; c < jrx_csv_columns(csv); c++) {
            char word[128];
            snprintf(word, sizeof word, " %s ", jrx_csv_name(csv, c));
            says(listed, word);
        }
        jrx_csv_free(csv);
    }
    assert_int_equal(program_run(&p, "stat --csv --meter=model -- true"), 0);
    for (char *at = p.out; *at && *at != '\n'; at += *at == ',') {
        char word[128];
        snprintf(word, sizeof word, " %.*s ", (int)strcspn(at, ",\n"), at);
        says(listed, word);
        at += strcspn(at, ",\n");
    }
}

static void networks_have_published_counts_and_estimates_that_say_so(void **state)
{
    (void)state;
    struct jrx_csv *csv;
    double row[5], first[5] = {0};
    static const char *const names[] = {"width_ratio", "parameters", "slot_flop", "training_bytes", "slot_dynamic_j"};
    assert_int_equal(program_shell(&p, "'%s' list networks --csv > networks.csv", p.path), 0);
    char path[256];
    snprintf(path, sizeof path, "%s/networks.csv", p.dir);
    assert_int_equal(jrx_csv_read(&csv, path, NULL), 0);
    assert_true(jrx_csv_rows(csv) > 15);
    int widths = 0;
    for (size_t r = 0; r < jrx_csv_rows(csv); r++) {
        for (int k = 0; k < 5; k++)
            assert_int_equal(jrx_csv_real(csv, r, (size_t)jrx_csv_find(csv, names[k]), &row[k]), 0);
        assert_string_equal(jrx_csv_text(csv, r, (size_t)jrx_csv_find(csv, "energy_source")), "estimated");
        assert_true(strlen(jrx_csv_text(csv, r, (size_t)jrx_csv_find(csv, "profile"))) > 0);
        if (r == 0)
            memcpy(first, row, sizeof first);
        if (r > 0 && row[0] != 1 && !strcmp(jrx_csv_text(csv, r, 0), "deeprx")) { /* wider costs more of everything */
            widths++;
            for (int k = 1; k < 5; k++)
                assert_true((row[k] > first[k]) == (row[0] > 1));
        }
    }
    assert_int_equal(widths, 7);
    assert_near(first[1], 1232516, 0); /* as the MathWorks example prints it */
    assert_near(first[2], 10.63e9, 0.005e9);
    assert_true(first[4] > 31e-12 * 10.5e9); /* its FLOP at the profile's 31 pJ, and bytes on top */
    jrx_csv_free(csv);
    assert_int_equal(program_run(&p, "list networks"), 0);
    says(p.out, "energy estimated: profile generic-x86-server");
    says(p.out, "tilings: ");
    assert_int_equal(program_run(&p, "list networks --json"), 0);
    says(p.out, "\"energy_source\": \"estimated\"");
    assert_int_equal(program_run(&p, "list networks --profile=nosuch"), 2);
    says(p.err, "nosuch");
    assert_int_equal(program_run(&p, "list kernels --csv"), 2);
}

/* A file with a row for every call of the published network: one row of the grid at a time. */
static void write_tiles(const char *path)
{
    static struct ex_net_call call[EX_NET_CALLS];
    struct ex_tiles tiles;
    struct nn_net *net;
    assert_int_equal(ex_published_new(&net, rx_body_find("deeprx")), 0);
    const int calls = ex_net_calls(net, NN_FUSED_INFERENCE, 1, 312, 14, 1, call);
    assert_true(calls > 10);
    assert_int_equal(ex_tiles_read_file(&tiles, path), 0);
    for (int i = 0; i < calls; i++) {
        struct ex_tile_row row = {.objective = "time", .f = 312, .t = 14, .n = 1, .threads = 1, .tile = {.f = 1}};
        snprintf(row.kernel, sizeof row.kernel, "%s", call[i].kernel->name);
        kn_layer_format(call[i].kernel->op, &call[i].shape, row.layer, sizeof row.layer);
        assert_int_equal(ex_tiles_put(&tiles, &row), 0);
    }
    assert_int_equal(ex_tiles_write(&tiles), 0);
    ex_tiles_fini(&tiles);
    ex_published_free(net);
}

static double published_j(const char *tiles)
{
    struct jrx_csv *csv;
    char path[256];
    double energy_j;
    assert_int_equal(program_shell(&p, "JOULERX_TILES='%s' '%s' list networks --csv > networks.csv", tiles, p.path), 0);
    snprintf(path, sizeof path, "%s/networks.csv", p.dir);
    assert_int_equal(jrx_csv_read(&csv, path, NULL), 0);
    assert_int_equal(jrx_csv_real(csv, 0, (size_t)jrx_csv_find(csv, "slot_dynamic_j"), &energy_j), 0);
    jrx_csv_free(csv);
    return energy_j;
}

static void networks_are_estimated_with_the_tilings_that_they_would_run_with(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s/tiles.csv", p.dir);
    write_tiles(path);
    const double tiled = published_j(path), usual = published_j("");
    assert_true(fabs(tiled - usual) > 0.001 * usual); /* other blocks, other bytes */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meters_and_counters_are_available_or_say_why_not),
        cmocka_unit_test(events_come_with_formula_and_source),
        cmocka_unit_test(columns_are_those_that_files_have),
        cmocka_unit_test(networks_have_published_counts_and_estimates_that_say_so),
        cmocka_unit_test(networks_are_estimated_with_the_tilings_that_they_would_run_with),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
