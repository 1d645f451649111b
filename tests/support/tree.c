/* Trees of small files in a temporary folder. */
#include "tests/support/tree.h"
#include "tests/support/test.h"
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

void tree_new(char root[TREE_PATH])
{
    snprintf(root, TREE_PATH, "/tmp/joulerx-tree-XXXXXX");
    assert_non_null(mkdtemp(root));
    assert_int_equal(chmod(root, 0755), 0); /* other users read it too */
}

static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0755);
        *slash = '/';
    }
}

void tree_put(const char *root, const char *format, ...)
{
    char line[8192], path[8300];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    char *text = strchr(line, '=');
    assert_non_null(text);
    *text++ = 0;
    snprintf(path, sizeof path, "%s/%s", root, line);
    make_folders(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

void tree_link(const char *root, const char *path, const char *target)
{
    char full[512];
    snprintf(full, sizeof full, "%s/%s", root, path);
    make_folders(full);
    assert_int_equal(symlink(target, full), 0);
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
    (void)s, (void)type, (void)ftw;
    return remove(path);
}

void tree_free(const char *root)
{
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void tree_zone(const char *root, const char *zone, const char *name, const char *range, const char *energy)
{
    tree_put(root, "class/powercap/%s/name=%s\n", zone, name);
    if (*range)
        tree_put(root, "class/powercap/%s/max_energy_range_uj=%s\n", zone, range);
    tree_put(root, "class/powercap/%s/energy_uj=%s\n", zone, energy);
}
