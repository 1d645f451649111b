#include "models/energy/estimate.h"
#include <math.h>

static const char *const part_names[EM_PARTS] = {"flop", "l1", "l2", "l3", "dram", "constant"};

const char *em_part_name(enum em_part part)
{
    return part_names[part];
}

void em_count_pass(double flop, double read_bytes, double write_bytes, const struct em_caches *caches,
                   struct em_count *sum)
{
    double crossing = read_bytes + 2 * write_bytes;
    sum->flop += flop;
    sum->executed_flop += flop;
    sum->load_bytes += read_bytes;
    sum->store_bytes += write_bytes;
    sum->compulsory_bytes += read_bytes + write_bytes;
    sum->bytes[EM_L1] += read_bytes + write_bytes;
    sum->bytes[EM_L2] += caches->l2_bytes > 0 ? crossing : (double)NAN;
    sum->bytes[EM_L3] += caches->l3_bytes > 0 ? crossing : (double)NAN;
    sum->bytes[EM_DRAM] += crossing;
}

static void add_up(struct em_energy *energy)
{
    energy->total_j = 0;
    for (int part = 0; part < EM_PARTS; part++)
        energy->total_j += energy->part_j[part];
}

double em_estimate_time_s(const struct em_datasheet *sheet, const struct em_count *count, double threads,
                          double utilisation_ratio)
{
    return em_time_flop_per_clock_s(count->flop, sheet->flop_per_clock, sheet->base_hz, threads, utilisation_ratio);
}

struct em_energy em_estimate_datasheet(const struct em_datasheet *sheet, const struct em_count *count, double threads,
                                       double utilisation_ratio)
{
    struct em_energy energy = {.interval = {NAN, NAN}};
    energy.part_j[EM_PART_FLOP] =
        em_share_w(sheet, threads) * em_estimate_time_s(sheet, count, threads, utilisation_ratio);
    add_up(&energy);
    return energy;
}

/* What has no price costs nothing, known or not. */
static double cost_j(double price_j, double amount)
{
    return fabs(price_j) > 0 ? price_j * amount : 0;
}

struct em_energy em_estimate_access(const struct em_prices *prices, const struct em_count *count,
                                    const struct em_use *use)
{
    struct em_energy energy = {.interval = {NAN, NAN}};
    energy.part_j[EM_PART_FLOP] = cost_j(prices->flop_j, count->flop);
    for (int level = 0; level < EM_LEVELS; level++)
        energy.part_j[EM_PART_L1 + level] = cost_j(prices->byte_j[level], count->bytes[level]);
    energy.part_j[EM_PART_CONSTANT] = cost_j(prices->constant_w, use->time_s);
    add_up(&energy);
    return energy;
}

struct em_energy em_estimate_fitted(const struct em_profile *profile, const struct em_count *count,
                                    const struct em_use *use)
{
    const double x[EM_TERMS] = {[EM_TERM_TIME] = use->time_s,
                                [EM_TERM_AWAKE] = use->time_s,
                                [EM_TERM_CPU] = use->threads * use->time_s,
                                [EM_TERM_FLOP] = count->flop,
                                [EM_TERM_L1] = count->bytes[EM_L1],
                                [EM_TERM_L2] = count->bytes[EM_L2],
                                [EM_TERM_L3] = count->bytes[EM_L3],
                                [EM_TERM_DRAM] = count->bytes[EM_DRAM]};
    struct em_energy energy = {.total_j = 0};
    double half_j = 0;
    for (int r = 0; r < EM_RESPONSES; r++) {
        double half_width_j;
        if (!profile->of[r].fitted)
            continue;
        em_fitted_value_j(&profile->of[r], x, &half_width_j);
        half_j += half_width_j;
        for (int term = 0; term < EM_TERMS; term++) {
            int part = term < EM_TERM_FLOP ? EM_PART_CONSTANT : EM_PART_FLOP + term - EM_TERM_FLOP;
            energy.part_j[part] += cost_j(profile->of[r].value[term], x[term]);
        }
    }
    add_up(&energy);
    energy.interval = (struct em_interval){energy.total_j - half_j, energy.total_j + half_j};
    return energy;
}
