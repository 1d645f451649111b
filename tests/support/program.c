/* Running the program: see the header. */
#include "tests/support/program.h"
#include "tests/support/test.h"
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

void program_init(struct program *p)
{
    memset(p, 0, sizeof *p);
    tree_new(p->dir);
    ssize_t length = readlink("/proc/self/exe", p->path, sizeof p->path - 16);
    p->path[length > 0 ? length : 0] = 0;
    char *slash = strrchr(p->path, '/'); /* build/tests/test_x */
    strcpy(slash, "/../joulerx");
}

void program_fini(struct program *p)
{
    tree_free(p->dir);
}

void program_slurp(const struct program *p, const char *name, char *text, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    FILE *file = fopen(path, "r");
    size_t got = file ? fread(text, 1, size - 1, file) : 0;
    text[got] = 0;
    if (file)
        fclose(file);
}

static int run_line(struct program *p, const char *line)
{
    if (access(p->path, X_OK))
        skip_because("the program is not built beside the tests: make all");
    int status = system(line);
    program_slurp(p, "out", p->out, sizeof p->out);
    program_slurp(p, "err", p->err, sizeof p->err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int program_run(struct program *p, const char *format, ...)
{
    char arguments[2048], line[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(arguments, sizeof arguments, format, args);
    va_end(args);
    snprintf(line, sizeof line, "cd %s || exit 99; %s %s >out 2>err", p->dir, p->path, arguments);
    return run_line(p, line);
}

int program_shell(struct program *p, const char *format, ...)
{
    char words[3072], line[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    snprintf(line, sizeof line, "cd %s || exit 99; { %s ; } >out 2>err", p->dir, words);
    return run_line(p, line);
}

void says(const char *text, const char *words)
{
    if (!strstr(text, words))
        fail_msg("'%s' is not in:\n%s", words, text);
}
