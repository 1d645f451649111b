/*
 * What a datasheet lets one estimate: energy from FLOPs per watt, time and energy from FLOPs per clock.
 * The two factors that the paper's abstract names (arXiv 2507.10409); it prints no formula, these are the plain ones.
 * Every result is an *estimate* and must be labelled so. The arithmetic is pure; only em_datasheet_find() reads files.
 */
#ifndef MODELS_ENERGY_DATASHEET_H
#define MODELS_ENERGY_DATASHEET_H

enum { EM_TEXT = 160 };

/* One processor package, from datasheets/<name>.ini. Each figure has its source beside it. */
struct em_datasheet {
    char name[EM_TEXT];    /* what people call it */
    char match[EM_TEXT];   /* occurs in the CPU model string, as whole words */
    double tdp_w;          /* thermal design power of the package */
    double base_hz;        /* base clock: the one the TDP is stated at */
    double flop_per_clock; /* FP32, one core, FMA counted as 2 */
    double cores;          /* physical, of the package */
    char tdp_source[EM_TEXT], base_source[EM_TEXT], flop_source[EM_TEXT], cores_source[EM_TEXT];
    int fallback; /* 1: the CPU is not in the table, and these are generic.ini's figures, not its own */
};

/**
 * Finds the entry for a CPU model string (the "model name" of /proc/cpuinfo) among directory/<name>.ini: the longest
 * `match` that occurs in it as whole words ("Gold 6230" is not in "Gold 6230R"), case ignored. None: the stated
 * fallback, generic.ini, with `fallback` set. All entries are checked, not only the one that is found.
 * Returns 0; JRX_EIO: the directory cannot be read or has no generic.ini; JRX_EFORMAT as em_datasheet_load().
 */
int em_datasheet_find(const char *directory, const char *cpu_model, struct em_datasheet *sheet);

/**
 * One INI file into `sheet`. Section [cpu], keys: name, match, and tdp_w, base_hz, flop_per_clock, cores, each with
 * <key>_source. Returns 0; JRX_EIO: it cannot be read; JRX_EFORMAT: a key is missing, unknown or given twice, or a
 * figure is no number above 0 (file and key are named).
 */
int em_datasheet_load(const char *path, struct em_datasheet *sheet);

/** Peak [flop/s] of `cores` cores at base clock: flop_per_clock * base_hz * cores. Pure. */
double em_peak_flop_per_s(const struct em_datasheet *sheet, double cores);

/** The share of the TDP [W] that `cores` busy cores answer for: TDP * cores / package cores. An assumption. Pure. */
double em_share_w(const struct em_datasheet *sheet, double cores);

/** FLOPs per watt [flop/s/W, which is flop/J] of a machine that does flop_per_s at power_w. Pure. */
double em_flop_per_j(double flop_per_s, double power_w);

/** Energy from FLOPs/Watt [J]: flop / (flop_per_s / power_w). Pure; NAN unless rate and power are above 0. */
double em_energy_flop_per_watt_j(double flop, double flop_per_s, double power_w);

/**
 * Time from FLOPs/clock [s]: flop / (flop_per_clock * clock_hz * cores * utilisation_ratio).
 * utilisation_ratio: share of peak that the code reaches, in (0, 1]. Pure; NAN outside of the domain.
 */
double em_time_flop_per_clock_s(double flop, double flop_per_clock, double clock_hz, double cores,
                                double utilisation_ratio);

/** Energy from FLOPs/clock [J]: power_w times the time above. Pure. */
double em_energy_flop_per_clock_j(double flop, double flop_per_clock, double clock_hz, double cores,
                                  double utilisation_ratio, double power_w);

#endif
