/*
 * A powercap tree that is not there: a FUSE file system with the names, links, modes and texts of the kernel's, and
 * counters whose every microjoule is known. A test fixture; nothing it shows says anything about this machine.
 *
 *     powercap_fs [OPTION...] MOUNTPOINT          stays in the foreground; prints "ready" when it is mounted
 *       --zone=ID,NAME,UNIT_NJ,WATTS              in the order wanted; ID as in class/powercap: intel-rapl:0:1;
 *                                                 unit 0: the register of the first zone again
 *       --tick-us=1000 --jitter-us=4 --tails=0.002   update interval: normal, with that share between 0.83 and 1.17
 *       --mode=0400 --seed=1 --open               mode of energy_uj; other users may enter (needs root)
 *       --work=FILE --noise=0                     a server that works: the file is the program's $JOULERX_SDE
 *       --cost=ID,FLOP,REGION,L1,L2,L3,DRAM,CPU   energy of each event published there [pJ], each charge with that
 *                                                 relative noise
 *
 * MOUNTPOINT/.control takes one command a write, and shows the truth when read: "ZONE joule time_ns wraps" a line.
 *     power ZONE W | raw ZONE UNITS | fault ZONE ERRNO [AFTER_READS] | text ZONE TEXT | stuck ZONE | delay ZONE US |
 *     gone ZONE | clear ZONE         (clear ends all of the latter)
 *
 * A value is computed in the read itself: register = energy up to the last update, in whole units, modulo 2^32; shown
 * in microjoules, unit_nj * register / 1000 rounded down. Source: Linux drivers/powercap/intel_rapl_common.c,
 * rapl_unit_xlate(); update intervals as measured on Zen 2 (TU Dresden, "Energy efficiency aspects of the AMD Zen 2
 * architecture", 2021): mean 1.000 ms, sd 3 to 6 us, extremes 0.83 and 1.17 ms.
 */
#define FUSE_USE_VERSION 31
#include "harness/clock.h"
#include "tests/fake/zones.h"
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libfuse hands the tree to every operation. */
static struct tree *tree(void)
{
    return fuse_get_context()->private_data;
}

/* ---- the tree ---------------------------------------------------------------------------------------------------- */

static const char *const files[] = {"name",
                                    "energy_uj",
                                    "max_energy_range_uj",
                                    "enabled",
                                    "constraint_0_name",
                                    "constraint_0_power_limit_uw",
                                    "constraint_0_max_power_uw"};
enum { NAME, ENERGY, RANGE, ENABLED, CAP_NAME, CAP, CAP_MAX, FILES };

enum kind { NOTHING, FOLDER, LINK, FILE_OF_ZONE, CONTROL };

struct node {
    enum kind kind;
    int zone; /* of LINK, FILE_OF_ZONE and a zone's FOLDER; -1: a plain folder */
    int file;
    char control[32]; /* of a LINK or FOLDER of a control type */
};

static void control_of(const struct zone *z, char control[32])
{
    snprintf(control, 32, "%.*s", (int)strcspn(z->id, ":"), z->id);
}

/* devices/virtual/powercap/intel-rapl/intel-rapl:0/intel-rapl:0:1 */
static void device_path(const struct zone *z, char path[256])
{
    size_t used = (size_t)snprintf(path, 256, "devices/virtual/powercap/%.*s", (int)strcspn(z->id, ":"), z->id);
    for (const char *colon = strchr(z->id, ':'); colon; colon = strchr(colon + 1, ':')) {
        const char *end = strchr(colon + 1, ':');
        int length = end ? (int)(end - z->id) : (int)strlen(z->id);
        used += (size_t)snprintf(path + used, 256 - used, "/%.*s", length, z->id);
    }
}

static bool is_control(const struct tree *t, const char *name)
{
    for (int i = 0; i < t->zones; i++) {
        char control[32];
        control_of(&t->zone[i], control);
        if (!strcmp(control, name))
            return true;
    }
    return false;
}

static struct node find_in_zone(const struct tree *t, int i, const char *rest)
{
    if (t->zone[i].gone)
        return (struct node){NOTHING, i, 0, ""};
    if (!*rest)
        return (struct node){FOLDER, i, 0, ""};
    for (int f = 0; f < FILES; f++)
        if (!strcmp(rest + 1, files[f]))
            return (struct node){FILE_OF_ZONE, i, f, ""};
    return (struct node){NOTHING, i, 0, ""};
}

static struct node find(const struct tree *t, const char *path)
{
    static const char *const folders[] = {"/",        "/class",           "/class/powercap",
                                          "/devices", "/devices/virtual", "/devices/virtual/powercap"};
    struct node node = {NOTHING, -1, 0, ""};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (!strcmp(path, folders[i]))
            return (struct node){FOLDER, -1, 0, ""};
    if (!strcmp(path, "/.control"))
        return (struct node){CONTROL, -1, 0, ""};
    const char *base = strrchr(path, '/') + 1;
    if (!strncmp(path, "/class/powercap/", 16) && base == path + 16) {
        node.zone = fake_find(t, base);
        if (node.zone >= 0 ? !t->zone[node.zone].gone : is_control(t, base))
            node.kind = LINK;
        snprintf(node.control, sizeof node.control, "%.31s", base);
        return node;
    }
    if (!strncmp(path, "/devices/virtual/powercap/", 26) && base == path + 26 && is_control(t, base)) {
        snprintf(node.control, sizeof node.control, "%.31s", base);
        node.kind = FOLDER;
        return node;
    }
    for (int i = 0; i < t->zones; i++) {
        char device[256];
        device_path(&t->zone[i], device);
        size_t length = strlen(device);
        if (strncmp(path + 1, device, length) || (path[1 + length] && path[1 + length] != '/'))
            continue;
        node = find_in_zone(t, i, path + 1 + length);
        if (node.kind != NOTHING)
            return node;
    }
    return node;
}

static int on_getattr(const char *path, struct stat *st, struct fuse_file_info *info)
{
    (void)info;
    struct node node = find(tree(), path);
    memset(st, 0, sizeof *st);
    st->st_nlink = 1;
    switch (node.kind) {
    case NOTHING: return -ENOENT;
    case FOLDER: st->st_mode = S_IFDIR | 0755; return 0;
    case LINK: st->st_mode = S_IFLNK | 0777; return 0;
    case CONTROL: st->st_mode = S_IFREG | 0600; return 0;
    case FILE_OF_ZONE: break;
    }
    unsigned own = tree()->zone[node.zone].mode;
    st->st_mode = S_IFREG | (node.file != ENERGY ? 0444 : own ? own : tree()->mode);
    st->st_size = 4096;
    return 0;
}

static int on_chmod(const char *path, mode_t mode, struct fuse_file_info *info)
{
    (void)info;
    struct node node = find(tree(), path);
    if (node.kind != FILE_OF_ZONE || node.file != ENERGY)
        return -EPERM;
    tree()->zone[node.zone].mode = mode & 0777;
    return 0;
}

static int on_readlink(const char *path, char *target, size_t size)
{
    struct node node = find(tree(), path);
    char device[256];
    if (node.kind != LINK)
        return -EINVAL;
    if (node.zone < 0)
        snprintf(device, sizeof device, "devices/virtual/powercap/%s", node.control);
    else
        device_path(&tree()->zone[node.zone], device);
    snprintf(target, size, "../../%s", device);
    return 0;
}

static void list_zones(const struct tree *t, const char *below, bool flat, void *buffer, fuse_fill_dir_t fill)
{
    for (int i = 0; i < t->zones; i++) {
        char device[256], control[32];
        if (t->zone[i].gone)
            continue;
        control_of(&t->zone[i], control);
        device_path(&t->zone[i], device);
        *strrchr(device, '/') = 0;
        if (flat || !strcmp(device, below))
            fill(buffer, t->zone[i].id, NULL, 0, 0);
        bool first = true;
        for (int k = 0; k < i; k++)
            first = first && strncmp(t->zone[k].id, t->zone[i].id, strcspn(t->zone[i].id, ":") + 1);
        if (first && (flat || !strcmp(below, "devices/virtual/powercap")))
            fill(buffer, control, NULL, 0, 0);
    }
}

static int on_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info *info,
                      enum fuse_readdir_flags flags)
{
    (void)offset, (void)info, (void)flags;
    struct node node = find(tree(), path);
    if (node.kind != FOLDER)
        return -ENOTDIR;
    fill(buffer, ".", NULL, 0, 0);
    fill(buffer, "..", NULL, 0, 0);
    if (!strcmp(path, "/")) {
        fill(buffer, "class", NULL, 0, 0);
        fill(buffer, "devices", NULL, 0, 0);
    } else if (!strcmp(path, "/class")) {
        fill(buffer, "powercap", NULL, 0, 0);
    } else if (!strcmp(path, "/devices")) {
        fill(buffer, "virtual", NULL, 0, 0);
    } else if (!strcmp(path, "/devices/virtual")) {
        fill(buffer, "powercap", NULL, 0, 0);
    } else {
        list_zones(tree(), path + 1, !strcmp(path, "/class/powercap"), buffer, fill);
    }
    for (int f = 0; f < FILES && node.zone >= 0; f++)
        fill(buffer, files[f], NULL, 0, 0);
    return 0;
}

/* ---- reading and writing -------------------------------------------------------------------------------------------
 */

static int energy_text(struct tree *t, struct zone *z, char *text, size_t size)
{
    if (z->delay_us)
        usleep(z->delay_us);
    if (z->fault && z->fault_after-- <= 0)
        return -z->fault;
    if (z->has_text)
        return snprintf(text, size, "%s", z->text);
    return snprintf(text, size, "%" PRIu64 "\n", fake_energy_uj(t, z));
}

static int file_text(struct tree *t, struct zone *z, int file, char *text, size_t size)
{
    switch (file) {
    case NAME: return snprintf(text, size, "%s\n", z->name);
    case ENERGY: return energy_text(t, z, text, size);
    case RANGE:
        return snprintf(text, size, "%" PRIu64 "\n", (uint64_t)(4294967295ull * (unsigned __int128)z->unit_nj / 1000));
    case ENABLED: return snprintf(text, size, "1\n");
    case CAP_NAME: return snprintf(text, size, "long_term\n");
    default: return snprintf(text, size, "200000000\n");
    }
}

static int on_open(const char *path, struct fuse_file_info *info)
{
    (void)path;
    info->direct_io = 1; /* every read comes here */
    return 0;
}

static int on_read(const char *path, char *buffer, size_t size, off_t offset, struct fuse_file_info *info)
{
    (void)info;
    struct node node = find(tree(), path);
    char text[8192];
    int length = -ENODEV; /* a held descriptor of a zone that is gone */
    if (node.kind == CONTROL)
        length = fake_truth(tree(), text, sizeof text);
    else if (node.kind == FILE_OF_ZONE)
        length = file_text(tree(), &tree()->zone[node.zone], node.file, text, sizeof text);
    if (length < 0 || offset >= length)
        return length < 0 ? length : 0;
    size_t rest = (size_t)(length - offset);
    memcpy(buffer, text + offset, rest < size ? rest : size);
    return (int)(rest < size ? rest : size);
}

static int on_write(const char *path, const char *buffer, size_t size, off_t offset, struct fuse_file_info *info)
{
    (void)offset, (void)info;
    char line[256];
    if (find(tree(), path).kind != CONTROL)
        return -EACCES;
    if (size >= sizeof line)
        return -EINVAL;
    memcpy(line, buffer, size);
    line[size] = 0;
    int status = fake_command(tree(), line);
    return status ? status : (int)size;
}

static int on_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
    (void)path, (void)size, (void)info;
    return 0;
}

static void *on_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
    (void)connection;
    /* Nothing is cached, so that a zone that goes is gone at once. */
    config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
    config->direct_io = 1;
    puts("ready");
    fflush(stdout);
    return tree();
}

static int add_zone(struct tree *t, const char *spec)
{
    struct zone *z = &t->zone[t->zones];
    if (t->zones == ZONES || sscanf(spec, "%31[^,],%31[^,],%u,%lf", z->id, z->name, &z->unit_nj, &z->power_w) != 4 ||
        !strchr(z->id, ':'))
        return -1;
    t->zones++;
    return 0;
}

static int add_cost(struct tree *t, const char *spec)
{
    char id[32];
    double cost_pj[EVENTS];
    int zone = sscanf(spec, "%31[^,],%lf,%lf,%lf,%lf,%lf,%lf,%lf", id, &cost_pj[0], &cost_pj[1], &cost_pj[2],
                      &cost_pj[3], &cost_pj[4], &cost_pj[5], &cost_pj[6]) == 1 + EVENTS
                   ? fake_find(t, id)
                   : -1;
    if (zone >= 0)
        memcpy(t->zone[zone].cost_pj, cost_pj, sizeof cost_pj);
    return zone < 0 ? -1 : 0;
}

static int parse(struct tree *t, int argc, char **argv)
{
    static const struct option options[] = {{"zone", 1, 0, 'z'},
                                            {"tick-us", 1, 0, 't'},
                                            {"jitter-us", 1, 0, 'j'},
                                            {"tails", 1, 0, 'a'},
                                            {"mode", 1, 0, 'm'},
                                            {"seed", 1, 0, 's'},
                                            {"open", 0, 0, 'o'},
                                            {"work", 1, 0, 'w'},
                                            {"noise", 1, 0, 'n'},
                                            {"cost", 1, 0, 'c'},
                                            {0, 0, 0, 0}};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (c) {
        case 'z':
            if (add_zone(t, optarg))
                return -1;
            break;
        case 't': t->tick_ns = 1e3 * atof(optarg); break;
        case 'j': t->jitter_ns = 1e3 * atof(optarg); break;
        case 'a': t->tails = atof(optarg); break;
        case 'm': t->mode = (unsigned)strtoul(optarg, NULL, 8); break;
        case 's': t->seed = strtoull(optarg, NULL, 10); break;
        case 'o': t->open = true; break;
        case 'w': t->work = optarg; break;
        case 'n': t->noise = atof(optarg); break;
        case 'c':
            if (add_cost(t, optarg))
                return -1;
            break;
        default: return -1;
        }
    return optind == argc - 1 && t->zones ? 0 : -1;
}

int main(int argc, char **argv)
{
    static const struct fuse_operations operations = {.init = on_init,
                                                      .getattr = on_getattr,
                                                      .chmod = on_chmod,
                                                      .readlink = on_readlink,
                                                      .readdir = on_readdir,
                                                      .open = on_open,
                                                      .read = on_read,
                                                      .write = on_write,
                                                      .truncate = on_truncate};
    struct tree *t = calloc(1, sizeof *t);
    if (!t)
        return 1;
    *t = (struct tree){.tick_ns = 1e6, .jitter_ns = 4000, .tails = 0.002, .mode = 0400, .seed = 1};
    if (parse(t, argc, argv)) {
        fprintf(stderr, "usage: powercap_fs --zone=ID,NAME,UNIT_NJ,WATTS... [OPTION...] MOUNTPOINT\n");
        return 2;
    }
    uint64_t now = jrx_clock_ns();
    for (int i = 0; i < t->zones; i++) {
        struct zone *z = &t->zone[i];
        jrx_rng_init(&z->rng, t->seed, (uint64_t)i);
        jrx_rng_init(&z->noise, t->seed, (uint64_t)(ZONES + i));
        z->since_ns = now;
        z->next_ns = now + (uint64_t)(t->tick_ns * jrx_rng_uniform(&z->rng));
        z->offset = z->shown = 1000000; /* a counter of 0 would not be shown by the kernel */
    }
    char *fuse_argv[] = {
        argv[0],        "-f", "-s", "-o", t->open ? "allow_other,default_permissions" : "default_permissions",
        argv[argc - 1], NULL};
    int status = fuse_main(6, fuse_argv, &operations, t);
    free(t);
    return status;
}
