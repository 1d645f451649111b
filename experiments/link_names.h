/* Names of what a link is made of, as options take them and tables print them. */
#ifndef EXPERIMENTS_LINK_NAMES_H
#define EXPERIMENTS_LINK_NAMES_H
#include "models/link/slot.h"

enum { EX_MODULATIONS = LK_256QAM + 1, EX_ENGINES = LK_WAVEFORM + 1 };

/* By number; "" where there is no such. */
const char *ex_profile_name(int profile);
const char *ex_pattern_name(int pattern);
const char *ex_modulation_name(int bits);
const char *ex_engine_name(int engine);
const char *ex_definition_name(int definition);

#endif
