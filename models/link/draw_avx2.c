#include "models/link/draw_template.h"

const struct lk_draw_ops lk_draw_avx2 = DRAW_OPS;
