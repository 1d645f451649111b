/*
 * models/energy/fit.h against the Statistical Reference Datasets of NIST (itl.nist.gov/div898/strd): certified values
 * of linear least squares at the edge of double precision. Those used here were recomputed in exact fractions.
 */
#include "harness/base/error.h"
#include "models/energy/fit.h"
#include "tests/support/test.h"

enum { MOST_ROWS = 82, MOST_COLS = 11 };
static const char *const names[MOST_COLS] = {"1", "x", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10"};
static const struct em_fit_options plain = {.method = EM_OLS, .confidence_ratio = 0.95, .seed = 1};

static void fit_powers(const double *x, const double *y, int rows, int cols, struct em_fit *fit, int want)
{
    double columns[MOST_ROWS * MOST_COLS];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++)
            columns[i + j * rows] = pow(x[i], j);
    const struct em_data data = {.rows = (size_t)rows, .cols = cols, .x = columns, .y = y, .names = names};
    assert_int_equal(em_fit_init(fit, &data, &plain), want);
}

/* Wampler 1 and 2: y = sum of c^j x^j, x = 0 ... 20, exactly; c = 1 and 0.1. Wampler 3: noise whose fit is c = 1. */
static void polynomials_of_wampler_come_back_to_eight_digits(void **state)
{
    (void)state;
    static const double noisy[21] = {760,    -2042,  2111,    -1684,   3888,    1858,    11379,
                                     17560,  39287,  64382,   113159,  175108,  273291,  400186,
                                     581243, 811568, 1121004, 1506550, 2002767, 2611612, 3369180};
    for (int set = 1; set <= 3; set++) {
        double x[21], y[21], c = set == 2 ? 0.1 : 1;
        struct em_fit fit;
        for (int i = 0; i < 21; i++) {
            x[i] = i;
            y[i] = 0;
            for (int j = 0; j < 6; j++)
                y[i] += pow(c, j) * pow(i, j);
            y[i] = set == 3 ? noisy[i] : y[i];
        }
        fit_powers(x, y, 21, 6, &fit, 0);
        for (int j = 0; j < 6; j++)
            assert_relative(fit.coefficient[j].value, pow(c, j), 1e-8);
        em_fit_fini(&fit);
    }
}

static const double longley[16][7] = {
    {60323, 83.0, 234289, 2356, 1590, 107608, 1947},  {61122, 88.5, 259426, 2325, 1456, 108632, 1948},
    {60171, 88.2, 258054, 3682, 1616, 109773, 1949},  {61187, 89.5, 284599, 3351, 1650, 110929, 1950},
    {63221, 96.2, 328975, 2099, 3099, 112075, 1951},  {63639, 98.1, 346999, 1932, 3594, 113270, 1952},
    {64989, 99.0, 365385, 1870, 3547, 115094, 1953},  {63761, 100.0, 363112, 3578, 3350, 116219, 1954},
    {66019, 101.2, 397469, 2904, 3048, 117388, 1955}, {67857, 104.6, 419180, 2822, 2857, 118734, 1956},
    {68169, 108.4, 442769, 2936, 2798, 120445, 1957}, {66513, 110.8, 444546, 4681, 2637, 121950, 1958},
    {68655, 112.6, 482704, 3813, 2552, 123366, 1959}, {69564, 114.2, 502601, 3931, 2514, 125368, 1960},
    {69331, 115.7, 518173, 4806, 2572, 127852, 1961}, {70551, 116.9, 554894, 4007, 2827, 130081, 1962}};

/* Condition 5e9, unscaled. Certified coefficients, standard deviations and R2. */
static void longley_comes_back_to_eight_digits(void **state)
{
    (void)state;
    static const double value[] = {-3482258.63459582, 15.0618722713733,    -0.0358191792925910, -2.02022980381683,
                                   -1.03322686717359, -0.0511041056535807, 1829.15146461355};
    static const double deviation[] = {890420.383607373,  84.9149257747669,  0.0334910077722432, 0.488399681651699,
                                       0.214274163161675, 0.226073200069370, 455.478499142212};
    double x[7 * 16], y[16];
    for (int i = 0; i < 16; i++) {
        y[i] = longley[i][0];
        x[i] = 1;
        for (int j = 1; j < 7; j++)
            x[i + j * 16] = longley[i][j];
    }
    const struct em_data data = {.rows = 16, .cols = 7, .x = x, .y = y, .names = names};
    struct em_fit fit;
    assert_int_equal(em_fit_init(&fit, &data, &plain), 0);
    for (int j = 0; j < 7; j++) {
        assert_relative(fit.coefficient[j].value, value[j], 1e-8);
        assert_relative(fit.coefficient[j].standard_error, deviation[j], 1e-8);
    }
    assert_relative(fit.r2, 0.995479004577296, 1e-12);
    em_fit_fini(&fit);
}

static const double filip_x[82] = {
    -6.860120914, -4.324130045, -4.358625055, -4.358426747, -6.955852379, -6.661145254, -6.355462942, -6.118102026,
    -7.115148017, -6.815308569, -6.519993057, -6.204119983, -5.853871964, -6.109523091, -5.79832982,  -5.482672118,
    -5.171791386, -4.851705903, -4.517126416, -4.143573228, -3.709075441, -3.499489089, -6.300769497, -5.953504836,
    -5.642065153, -5.031376979, -4.680685696, -4.329846955, -3.928486195, -8.56735134,  -8.363211311, -8.107682739,
    -7.823908741, -7.522878745, -7.218819279, -6.920818754, -6.628932138, -6.323946875, -5.991399828, -8.781464495,
    -8.663140179, -8.473531488, -8.247337057, -7.971428747, -7.676129393, -7.352812702, -7.072065318, -6.774174009,
    -6.478861916, -6.159517513, -6.835647144, -6.53165267,  -6.224098421, -5.910094889, -5.598599459, -5.290645224,
    -4.974284616, -4.64454848,  -4.290560426, -3.885055584, -3.408378962, -3.13200249,  -8.726767166, -8.66695597,
    -8.511026475, -8.165388579, -7.886056648, -7.588043762, -7.283412422, -6.995678626, -6.691862621, -6.392544977,
    -6.067374056, -6.684029655, -6.378719832, -6.065855188, -5.752272167, -5.132414673, -4.811352704, -4.098269308,
    -3.66174277,  -3.2644011};
static const double filip_y[82] = {
    0.8116, 0.9072, 0.9052, 0.9039, 0.8053, 0.8377, 0.8667, 0.8809, 0.7975, 0.8162, 0.8515, 0.8766, 0.8885, 0.8859,
    0.8959, 0.8913, 0.8959, 0.8971, 0.9021, 0.909,  0.9139, 0.9199, 0.8692, 0.8872, 0.89,   0.891,  0.8977, 0.9035,
    0.9078, 0.7675, 0.7705, 0.7713, 0.7736, 0.7775, 0.7841, 0.7971, 0.8329, 0.8641, 0.8804, 0.7668, 0.7633, 0.7678,
    0.7697, 0.77,   0.7749, 0.7796, 0.7897, 0.8131, 0.8498, 0.8741, 0.8061, 0.846,  0.8751, 0.8856, 0.8919, 0.8934,
    0.894,  0.8957, 0.9047, 0.9129, 0.9209, 0.9219, 0.7739, 0.7681, 0.7665, 0.7703, 0.7702, 0.7761, 0.7809, 0.7961,
    0.8253, 0.8602, 0.8809, 0.8301, 0.8664, 0.8834, 0.8898, 0.8964, 0.8963, 0.9074, 0.9119, 0.9228};

/*
 * A polynomial of degree 10 on -8.8 ... -3.1, condition 2e15, where the last bit of a power, which the C library and
 * the processor choose, moves the coefficients by 1e-7: there they must be called collinear, not be right to eight
 * digits. In powers of (x + 6) / 3 they must; those coefficients are from exact fractions.
 */
static void filip_is_called_collinear_and_solved_to_eight_digits_once_centred(void **state)
{
    (void)state;
    static const double value[] = {0.88604832232643527, 0.13317515389050757,  -0.61634142966018512, 0.17916820144500206,
                                   2.9147569398127846,  -1.236525543504575,   -6.28853732716557,    1.9653403702879482,
                                   6.3165223540794804,  -0.98485135001695012, -2.3794534143472754};
    double middle[82], sse = 0;
    struct em_fit fit;
    static const double certified[] = {-1467.48961422980,    -2772.17959193342,     -2316.37108160893,
                                       -1127.97394098372,    -354.478233703349,     -75.1242017393757,
                                       -10.8753180355343,    -1.06221498588947,     -0.0670191154593408,
                                       -0.00246781078275479, -0.0000402962525080404};
    fit_powers(filip_x, filip_y, 82, 11, &fit, 0);
    for (int j = 0; j < 11; j++) {
        assert_relative(fit.coefficient[j].value, certified[j], 1e-6);
        assert_true(j == 0 || fit.coefficient[j].verdict == EM_COLLINEAR);
    }
    em_fit_fini(&fit);
    for (int i = 0; i < 82; i++)
        middle[i] = (filip_x[i] + 6) / 3;
    fit_powers(middle, filip_y, 82, 11, &fit, 0);
    for (int j = 0; j < 11; j++)
        assert_relative(fit.coefficient[j].value, value[j], 1e-8);
    for (int i = 0; i < 82; i++)
        sse += pow(filip_y[i] - fit.fitted[i], 2);
    assert_relative(fit.r2, 0.996727416185620, 1e-10); /* certified, as the next */
    assert_relative(sqrt(sse / 71), 0.00334801051324544, 1e-10);
    em_fit_fini(&fit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polynomials_of_wampler_come_back_to_eight_digits),
        cmocka_unit_test(longley_comes_back_to_eight_digits),
        cmocka_unit_test(filip_is_called_collinear_and_solved_to_eight_digits_once_centred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
