/*
 * What meter_likwid needs of LIKWID, with registers of our own: a library for tests. JOULERX_STUB: "still" registers
 * do not move, "refuse" reads fail, "nodram" only that one stands still, "exit" ends the process; else 100 W by the
 * clock, 2^-14 J a count.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int topology_init(void);
void topology_finalize(void);
void HPMmode(int mode_of_access);
int HPMinit(void);
int HPMaddThread(int cpu);
void HPMfinalize(void);
int power_init(int cpu);
int power_read(int cpu, uint64_t reg, uint32_t *data);
double power_getEnergyUnit(int domain);
void power_finalize(void);

static int mode(const char *name)
{
    const char *set = getenv("JOULERX_STUB");
    return set && !strcmp(set, name);
}

int topology_init(void)
{
    return 0;
}
void topology_finalize(void) {}
void HPMmode(int mode_of_access)
{
    (void)mode_of_access;
}

int HPMinit(void)
{
    if (mode("exit"))
        exit(1);
    return 0;
}

int HPMaddThread(int cpu)
{
    return cpu < 0;
}
void HPMfinalize(void) {}
int power_init(int cpu)
{
    return cpu < 0;
}
void power_finalize(void) {}
double power_getEnergyUnit(int domain)
{
    return domain < 0 ? 0 : 1 / 16384.0;
}

int power_read(int cpu, uint64_t reg, uint32_t *data)
{
    struct timespec t;
    (void)cpu;
    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    if (mode("refuse"))
        return -5;
    uint64_t ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000; /* moves once a millisecond */
    *data = mode("still") || (mode("nodram") && reg == 0x619) ? 7 : (uint32_t)(ms * 16384 / 10);
    return 0;
}
