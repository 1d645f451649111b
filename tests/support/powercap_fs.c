/* Starting the powercap stand-in. */
#include "tests/support/powercap_fs.h"
#include "tests/support/test.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* build/tests/fake/powercap_fs, from build/tests/test_x or build/tests/bench/x. */
static void find_program(char path[512])
{
    static const char *const places[] = {"/fake/powercap_fs", "/../fake/powercap_fs"};
    ssize_t length = readlink("/proc/self/exe", path, 480);
    path[length > 0 ? length : 0] = 0;
    char *slash = strrchr(path, '/');
    for (int i = 0; i < 2; i++) {
        strcpy(slash ? slash : path, places[i]);
        if (!access(path, X_OK))
            return;
    }
}

static void run(const char *program, const char *const *options, char *mount, int out)
{
    char *argv[40];
    int argc = 0;
    argv[argc++] = (char *)"powercap_fs";
    for (int i = 0; options[i] && argc < 38; i++)
        argv[argc++] = (char *)options[i];
    argv[argc++] = mount;
    argv[argc] = NULL;
    dup2(out, STDOUT_FILENO);
    int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDERR_FILENO);
    execv(program, argv);
    _exit(127);
}

int powercap_fs_start(struct powercap_fs *fs, const char *const *options)
{
    char program[512];
    int ends[2];
    memset(fs, 0, sizeof *fs);
    tree_new(fs->mount);
    find_program(program);
    if (access(program, X_OK)) {
        snprintf(fs->why, sizeof fs->why, "the powercap stand-in was not built (apt install libfuse3-dev)");
        return -1;
    }
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fs->pid = fork();
    if (!fs->pid)
        run(program, options, fs->mount, ends[1]);
    close(ends[1]);
    struct pollfd ready = {.fd = ends[0], .events = POLLIN};
    char word[16] = "";
    if (poll(&ready, 1, 10000) == 1 && read(ends[0], word, sizeof word - 1) > 0 && !strncmp(word, "ready", 5)) {
        close(ends[0]);
        /* "ready" is said when the kernel asks first; from then on lookups wait for answers. */
        return 0;
    }
    close(ends[0]);
    snprintf(fs->why, sizeof fs->why, "FUSE is not permitted here (/dev/fuse: %s)",
             access("/dev/fuse", R_OK | W_OK) ? strerror(errno) : "there, but mounting failed");
    powercap_fs_stop(fs);
    return -1;
}

void powercap_fs_stop(struct powercap_fs *fs)
{
    if (fs->pid) {
        char command[128];
        snprintf(command, sizeof command, "fusermount3 -u -z %s 2>/dev/null", fs->mount);
        if (umount2(fs->mount, MNT_DETACH) && system(command))
            kill(fs->pid, SIGTERM);
        kill(fs->pid, SIGTERM);
        waitpid(fs->pid, NULL, 0);
        fs->pid = 0;
    }
    if (*fs->mount)
        rmdir(fs->mount);
}

void powercap_fs_tell(const struct powercap_fs *fs, const char *format, ...)
{
    char path[128], line[256];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    snprintf(path, sizeof path, "%s/.control", fs->mount);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, line, strlen(line)), strlen(line));
    close(fd);
}

double powercap_fs_truth_j(const struct powercap_fs *fs, const char *zone, unsigned long long *time_ns)
{
    char path[128], id[32];
    double joule;
    unsigned long long at, wraps;
    snprintf(path, sizeof path, "%s/.control", fs->mount);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fscanf(file, "%31s %lf %llu %llu", id, &joule, &at, &wraps) == 4)
        if (!strcmp(id, zone)) {
            fclose(file);
            if (time_ns)
                *time_ns = at;
            return joule;
        }
    fclose(file);
    fail_msg("no zone %s", zone);
    return NAN;
}
