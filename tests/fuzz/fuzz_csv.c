/* Tables: with a schema and without; whatever is taken can be read field by field. */
#include "harness/table.h"
#include "tests/fuzz/fuzz.h"
#include <math.h>

static const struct jrx_column columns[] = {
    {"cell", JRX_TEXT, "Text."}, {"rep", JRX_INTEGER, "Integer."}, {"energy_j", JRX_REAL, "Real."}};
static const struct jrx_schema schema = {"fuzz", columns, 3};

static void read_all(const struct jrx_csv *csv, int checked)
{
    for (size_t row = 0; row < jrx_csv_rows(csv); row++)
        for (size_t column = 0; column < jrx_csv_columns(csv); column++) {
            double real;
            int64_t integer;
            if (!jrx_csv_text(csv, row, column) || !*jrx_csv_name(csv, column))
                abort();
            int rc = jrx_csv_real(csv, row, column, &real);
            if (rc)
                fuzz_refused(rc);
            else if (isinf(real))
                abort();
            if ((rc = jrx_csv_integer(csv, row, column, -1, &integer)))
                fuzz_refused(rc);
            if (checked && rc && !strcmp(jrx_csv_name(csv, column), "rep"))
                abort(); /* the schema said that it is one */
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int with = 0; with < 2; with++) {
        struct jrx_csv *csv;
        int rc = jrx_csv_parse(&csv, (const char *)data, size, "fuzz.csv", with ? &schema : NULL);
        if (rc)
            fuzz_refused(rc);
        else
            read_all(csv, with);
        jrx_csv_free(csv);
    }
    return 0;
}
