/* How the machine is now: a few dozen small files. What cannot be read is unknown. */
#include "harness/machine.h"
#include "harness/sysfs.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct roots {
    const char *sysfs, *procfs;
};

static double number(const char *root, const char *path)
{
    char text[128], *end;
    if (jrx_sysfs_text(text, sizeof text, root, "%s", path))
        return NAN;
    double value = strtod(text, &end);
    return end == text ? NAN : value;
}

/* A file that holds 0 or 1. */
static enum jrx_yesno flag(const char *root, const char *path)
{
    double value = number(root, path);
    return isnan(value) ? JRX_UNKNOWN : value != 0 ? JRX_YES : JRX_NO;
}

static enum jrx_yesno not(enum jrx_yesno answer) { return answer == JRX_UNKNOWN ? answer : !answer; }

/* "always [madvise] never": the word in brackets. */
static void chosen(char *word, size_t size, const char *root, const char *path)
{
    char text[128];
    word[0] = 0;
    if (jrx_sysfs_text(text, sizeof text, root, "%s", path))
        return;
    const char *open = strchr(text, '['), *shut = open ? strchr(open, ']') : NULL;
    if (shut)
        snprintf(word, size, "%.*s", (int)(shut - open - 1), open + 1);
}

/* The same file of each CPU: the text if all agree, "mixed" if not, "" if none has it. */
static void governor_of_all(char *word, size_t size, const char *sysfs)
{
    char text[32];
    word[0] = 0;
    for (int cpu = 0; cpu < 4096; cpu++) {
        if (jrx_sysfs_text(text, sizeof text, sysfs, "devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu)) {
            char here[64];
            snprintf(here, sizeof here, "%s/devices/system/cpu/cpu%d", sysfs, cpu);
            if (access(here, F_OK))
                return;
            continue;
        }
        if (*word && strcmp(word, text)) {
            snprintf(word, size, "mixed");
            return;
        }
        snprintf(word, size, "%s", text);
    }
}

static double throttles(const char *sysfs)
{
    double sum = NAN;
    for (int cpu = 0; cpu < 4096; cpu++) {
        char path[96];
        snprintf(path, sizeof path, "devices/system/cpu/cpu%d/thermal_throttle/core_throttle_count", cpu);
        double count = number(sysfs, path);
        if (isnan(count))
            break;
        sum = isnan(sum) ? count : sum + count;
    }
    return sum;
}

/* The hottest input of the CPU's own sensors: coretemp on Intel, k10temp and zenpower on AMD. */
static double temperature(const char *sysfs)
{
    double hottest = NAN;
    for (int chip = 0; chip < 64; chip++) {
        char name[32];
        if (jrx_sysfs_text(name, sizeof name, sysfs, "class/hwmon/hwmon%d/name", chip))
            continue;
        if (strcmp(name, "coretemp") && strcmp(name, "k10temp") && strcmp(name, "zenpower"))
            continue;
        for (int input = 1; input <= 256; input++) {
            char path[64];
            snprintf(path, sizeof path, "class/hwmon/hwmon%d/temp%d_input", chip, input);
            hottest = fmax(hottest, number(sysfs, path) / 1000); /* fmax passes over NAN */
        }
    }
    return hottest;
}

/* The tightest long-term package limit, and the rating of that package. */
static void power_caps(struct jrx_machine_state *state, const char *sysfs)
{
    for (int zone = 0; zone < 16; zone++) {
        char name[32], path[96];
        if (jrx_sysfs_text(name, sizeof name, sysfs, "class/powercap/intel-rapl:%x/name", zone) ||
            strncmp(name, "package-", 8))
            continue;
        snprintf(path, sizeof path, "class/powercap/intel-rapl:%x/constraint_0_power_limit_uw", zone);
        double limit_w = number(sysfs, path) * 1e-6;
        snprintf(path, sizeof path, "class/powercap/intel-rapl:%x/constraint_0_max_power_uw", zone);
        double max_w = number(sysfs, path) * 1e-6;
        if (limit_w > 0 && (isnan(state->power_cap_w) || limit_w < state->power_cap_w)) {
            state->power_cap_w = limit_w;
            state->power_cap_max_w = max_w > 0 ? max_w : NAN;
        }
    }
}

/* Bit 0 of MSR 0xBC (IA32_MISC_PACKAGE_CTLS): RAPL readings are noised. Root only; AMD has no such register. */
static enum jrx_yesno energy_filtering(const char *sysfs)
{
    unsigned char bytes[8];
    if (strcmp(sysfs, "/sys"))
        return JRX_UNKNOWN; /* a tree of someone's else says nothing about this CPU's registers */
    int fd = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return JRX_UNKNOWN;
    ssize_t got = pread(fd, bytes, sizeof bytes, 0xBC);
    close(fd);
    return got != (ssize_t)sizeof bytes ? JRX_UNKNOWN : bytes[0] & 1 ? JRX_YES : JRX_NO;
}

/* Containers hide /sys/devices/virtual/powercap (GHSA-jq35-85cj-fj4p); the links to it in class/powercap stay. */
static enum jrx_yesno powercap_masked(const char *sysfs)
{
    char path[PATH_MAX];
    enum jrx_yesno masked = JRX_UNKNOWN;
    snprintf(path, sizeof path, "%s/class/powercap", sysfs);
    DIR *tree = opendir(path);
    for (struct dirent *entry; tree && (entry = readdir(tree));)
        if (*entry->d_name != '.' && masked != JRX_YES)
            masked = faccessat(dirfd(tree), entry->d_name, F_OK, 0) ? JRX_YES : JRX_NO;
    if (tree)
        closedir(tree);
    return masked;
}

static enum jrx_yesno in_hypervisor(const char *procfs)
{
    char path[4096], text[8192];
    snprintf(path, sizeof path, "%s/cpuinfo", procfs);
    FILE *file = fopen(path, "re");
    if (!file)
        return JRX_UNKNOWN;
    size_t got = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[got] = 0;
    if (!strstr(text, "\nflags"))
        return JRX_UNKNOWN;
    return strstr(text, " hypervisor") ? JRX_YES : JRX_NO;
}

static double load_ratio(const struct roots *at)
{
    char online[256];
    double load = number(at->procfs, "loadavg"), units = 0;
    if (jrx_sysfs_text(online, sizeof online, at->sysfs, "devices/system/cpu/online"))
        return NAN;
    /* "0-15,32-47" */
    for (char *p = online; *p;) {
        char *end;
        long first = strtol(p, &end, 10), last = first;
        if (end == p)
            return NAN;
        if (*end == '-')
            last = strtol(end + 1, &end, 10);
        units += (double)(last - first + 1);
        p = *end == ',' ? end + 1 : end;
        if (p == end && *end)
            return NAN;
    }
    return units > 0 ? load / units : NAN;
}

void jrx_machine_state_read(struct jrx_machine_state *state, const char *sysfs, const char *procfs)
{
    const struct roots at = {sysfs ? sysfs : "/sys", procfs ? procfs : "/proc"};
    memset(state, 0, sizeof *state);
    governor_of_all(state->governor, sizeof state->governor, at.sysfs);
    if (jrx_sysfs_text(state->driver, sizeof state->driver, at.sysfs, "devices/system/cpu/cpu0/cpufreq/scaling_driver"))
        state->driver[0] = 0;
    state->turbo = flag(at.sysfs, "devices/system/cpu/cpufreq/boost");
    if (state->turbo == JRX_UNKNOWN)
        state->turbo = not(flag(at.sysfs, "devices/system/cpu/intel_pstate/no_turbo"));
    state->smt = flag(at.sysfs, "devices/system/cpu/smt/active");
    state->nmi_watchdog = flag(at.procfs, "sys/kernel/nmi_watchdog");
    state->numa_balancing = flag(at.procfs, "sys/kernel/numa_balancing");
    state->energy_filtering = energy_filtering(at.sysfs);
    state->hypervisor = in_hypervisor(at.procfs);
    state->powercap_masked = powercap_masked(at.sysfs);
    chosen(state->huge_pages, sizeof state->huge_pages, at.sysfs, "kernel/mm/transparent_hugepage/enabled");
    state->aslr = number(at.procfs, "sys/kernel/randomize_va_space");
    state->perf_event_paranoid = number(at.procfs, "sys/kernel/perf_event_paranoid");
    state->frequency_hz = 1e3 * number(at.sysfs, "devices/system/cpu/cpu0/cpufreq/scaling_cur_freq");
    state->frequency_max_hz = 1e3 * number(at.sysfs, "devices/system/cpu/cpu0/cpufreq/scaling_max_freq");
    state->temperature_c = temperature(at.sysfs);
    state->load_ratio = load_ratio(&at);
    state->throttled = throttles(at.sysfs);
    state->power_cap_w = state->power_cap_max_w = NAN;
    power_caps(state, at.sysfs);
    state->uptime_s = number(at.procfs, "uptime");
}
