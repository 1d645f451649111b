/* A tile file as joulerx tune writes it, for tests to fill. */
#ifndef TESTS_SUPPORT_TILE_FILE_H
#define TESTS_SUPPORT_TILE_FILE_H
#include "tests/support/test.h"

/** The header of a tile file and these rows. */
static inline void put_file(const char *path, const char *rows)
{
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    fprintf(to,
            "kernel,layer,grid,batch,threads,objective,tile,gain_ratio,gain_ci_lo_ratio,gain_ci_hi_ratio,energy_source,"
            "date,commit,machine\n%s",
            rows);
    assert_int_equal(fclose(to), 0);
}

#endif
