/* Trees of small files in a temporary folder: a stand-in for parts of /sys and /proc that do not change. */
#ifndef TESTS_SUPPORT_TREE_H
#define TESTS_SUPPORT_TREE_H

enum { TREE_PATH = 64 };

/** Makes an empty folder, named in root. The test fails if it cannot. */
void tree_new(char root[TREE_PATH]);
/** Writes root/path, making its folders; path and text as in printf, separated by '=' : "a/b=%d". */
void tree_put(const char *root, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** A symbolic link root/path to `target`. */
void tree_link(const char *root, const char *path, const char *target);
/** Removes root and all below it. */
void tree_free(const char *root);

/** A powercap zone: class/powercap/<zone>/{name,max_energy_range_uj,energy_uj}. range "" leaves the file out. */
void tree_zone(const char *root, const char *zone, const char *name, const char *range, const char *energy);

#endif
