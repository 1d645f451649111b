/* A table of three columns in a folder of its own: what tests of harness/table write and read. */
#ifndef TESTS_SUPPORT_TABLE_PLACE_H
#define TESTS_SUPPORT_TABLE_PLACE_H
#include "harness/table.h"

extern const struct jrx_schema place_schema; /* cell,rep,energy_pkg_j */

struct place {
    char folder[64], path[96], part[128], tmp[128];
};

/** cmocka's set-up and tear-down: *state is a struct place. A file left behind fails the tear-down. */
int place_set_up(void **state);
int place_tear_down(void **state);
#define with_place(test) cmocka_unit_test_setup_teardown(test, place_set_up, place_tear_down)

void write_file(const char *path, const char *text, size_t bytes);
/** Fails unless the file holds just this text. */
void assert_file(const char *path, const char *want);
/** Fills the fields of a row. */
void put_row(struct jrx_table *t, const char *cell, int64_t rep, double energy_j);
/** Fails unless the last error says this, in one line. */
void assert_message(const char *part);

#endif
