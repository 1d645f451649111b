/* Runs the program itself, as users run it, in a folder of the test's own. */
#ifndef TESTS_SUPPORT_PROGRAM_H
#define TESTS_SUPPORT_PROGRAM_H
#include "tests/support/tree.h"
#include <stddef.h>

struct program {
    char dir[TREE_PATH];          /* where it runs */
    char path[512];               /* build/joulerx */
    char out[131072], err[32768]; /* of the last run */
};

void program_init(struct program *p);
void program_fini(struct program *p);
/** "joulerx <arguments>" by the shell; returns the exit status. Skips the test where the program was not built. */
int program_run(struct program *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** A whole shell line in the folder; likewise. */
int program_shell(struct program *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** A file of the folder as text. */
void program_slurp(const struct program *p, const char *name, char *text, size_t size);
/** Fails unless the words are in the text. */
void says(const char *text, const char *words);

#endif
