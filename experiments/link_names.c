#include "experiments/link_names.h"
#include "experiments/link_options.h"
#include "models/link/dmrs.h"
#include "models/link/tdl.h"
#include <stdio.h>
#include <string.h>

const char *ex_profile_name(int profile)
{
    return lk_tdl_get((enum lk_profile)profile)->name;
}

const char *ex_pattern_name(int pattern)
{
    return lk_pattern_get(pattern)->name;
}

const char *ex_modulation_name(int bits)
{
    static const char *const name[EX_MODULATIONS] = {
        [LK_QPSK] = "qpsk", [LK_16QAM] = "16qam", [LK_64QAM] = "64qam", [LK_256QAM] = "256qam"};
    return name[bits] ? name[bits] : "";
}

const char *ex_engine_name(int engine)
{
    static const char *const name[EX_ENGINES] = {[LK_GRID] = "grid", [LK_WAVEFORM] = "waveform"};
    return name[engine];
}

const char *ex_definition_name(int definition)
{
    static const char *const name[LK_SNR_DEFINITIONS] = {"re", "band", "slot"};
    return name[definition];
}

/* ---- of a whole config ---- */

static const char *join(unsigned mask, const char *(*name)(int), char *text, size_t size)
{
    *text = 0;
    for (int i = 0; mask >> i; i++) {
        size_t used = strlen(text);
        if (mask >> i & 1)
            snprintf(text + used, size - used, "%s%s", used ? "+" : "", name(i));
    }
    return text;
}

const char *ex_link_profiles(const struct lk_config *config, char *text, size_t size)
{
    return join(config->profiles, ex_profile_name, text, size);
}

const char *ex_link_patterns(const struct lk_config *config, char *text, size_t size)
{
    return join(config->patterns, ex_pattern_name, text, size);
}

const char *ex_link_modulation(const struct lk_config *config)
{
    return ex_modulation_name((int)config->modulation);
}

const char *ex_link_engine(const struct lk_config *config)
{
    return ex_engine_name((int)config->engine);
}

const char *ex_link_definition(const struct ex_link *link)
{
    return ex_definition_name((int)link->snr_definition);
}
