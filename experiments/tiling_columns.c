/* The columns of what experiment tiling concludes. */
#include "experiments/series.h"
#include "experiments/tiling.h"

static const struct jrx_column summary_columns[] = {
    {"cell", JRX_TEXT, "kind and tiling"},
    {"kind", JRX_TEXT, "kind of layer"},
    {"layer", JRX_TEXT, "operator, channels, multiplier, dilation"},
    {"kernel", JRX_TEXT, "the kernel's file name"},
    {"tiling", JRX_TEXT, "default, or what was asked for"},
    {"tile", JRX_TEXT, "the tiling as the kernel resolved it"},
    {"flop", JRX_REAL, "useful FLOP of one call, the same for all tilings of a layer"},
    EX_ESTIMATE_COLUMNS("time", "ms", "median of the run time, measured"),
    EX_ESTIMATE_COLUMNS("rate", "flop_per_s", "flop over the median time, measured"),
    EX_ESTIMATE_COLUMNS("energy", "mj", "median of the energy, of the source in energy_source"),
    {"energy_source", JRX_TEXT, "measured, replayed or estimated"},
    {"sim_l1_bytes", JRX_REAL, "simulated: loads and stores of one call"},
    {"sim_l2_bytes", JRX_REAL, "simulated: bytes between L1 and L2 of one call"},
    {"sim_l3_bytes", JRX_REAL, "simulated: bytes between L2 and L3"},
    {"sim_dram_bytes", JRX_REAL, "simulated: bytes between L3 and memory"},
    {"sim_bytes", JRX_REAL, "simulated: the last three together, the traffic that tilings are ordered by"},
    EX_TILING_BYTES,
    {"is_default", JRX_INTEGER, "1: the default tiling"},
    {"best_time", JRX_INTEGER, "1: least median time of its layer in the even repetitions, which flatters it there"},
    {"best_energy", JRX_INTEGER, "1: least median energy in the even repetitions"},
    {"best_bytes", JRX_INTEGER, "1: least sim_bytes (of equal ones the first planned)"},
    {"most_bytes", JRX_INTEGER, "1: most sim_bytes"},
    {"front", JRX_INTEGER,
     "1: on the layer's Pareto front of time, energy and sim_bytes (medians of all repetitions: near ties may fall "
     "either way)"},
};
const struct jrx_schema ex_tiling_summary = {"tiling summary", summary_columns,
                                             sizeof summary_columns / sizeof *summary_columns};

static const struct jrx_column layer_columns[] = {
    {"kind", JRX_TEXT, "kind of layer"},
    {"layer", JRX_TEXT, "operator, channels, multiplier, dilation"},
    {"kernel", JRX_TEXT, "the kernel's file name"},
    {"flop", JRX_REAL, "useful FLOP of one call"},
    {"best_time", JRX_TEXT, "tiling with the least median time in the even repetitions; ratios are of the odd ones"},
    {"best_energy", JRX_TEXT, "with the least median energy in the even repetitions"},
    {"best_bytes", JRX_TEXT, "with the least simulated traffic"},
    {"most_bytes", JRX_TEXT, "with the most"},
    {"fronts", JRX_INTEGER, "tilings on the Pareto front"},
    {"energy_source", JRX_TEXT, "of ratios of energies: measured, replayed or estimated"},
    EX_ESTIMATE_COLUMNS("traffic_time", "ratio", "time: most traffic over least; all repetitions, nothing is chosen"),
    EX_ESTIMATE_COLUMNS("traffic_energy", "ratio", "energy: most traffic over least; all repetitions"),
    {"traffic_bytes_ratio", JRX_REAL, "simulated traffic: most over least"},
    EX_ESTIMATE_COLUMNS("worst_time", "ratio", "time: worst by time over best by time"),
    EX_ESTIMATE_COLUMNS("worst_energy", "ratio", "energy: worst by energy over best by energy"),
    EX_ESTIMATE_COLUMNS("default_time", "ratio", "time: default over best by time"),
    EX_ESTIMATE_COLUMNS("default_energy", "ratio", "energy: default over best by energy"),
    {"default_bytes_ratio", JRX_REAL, "simulated traffic: default over least"},
    EX_ESTIMATE_COLUMNS("by_bytes_time", "ratio", "time: best by traffic over best by time"),
    EX_ESTIMATE_COLUMNS("by_bytes_energy", "ratio", "energy: best by traffic over best by energy"),
    EX_ESTIMATE_COLUMNS("by_time_energy", "ratio", "energy: best by time over best by energy"),
    {"by_time_bytes_ratio", JRX_REAL, "simulated traffic: best by time over least"},
    EX_ESTIMATE_COLUMNS("by_energy_time", "ratio", "time: best by energy over best by time"),
    {"by_energy_bytes_ratio", JRX_REAL, "simulated traffic: best by energy over least"},
};
const struct jrx_schema ex_tiling_layers = {"How far the best tilings of a layer are apart", layer_columns,
                                            sizeof layer_columns / sizeof *layer_columns};
