/* joulerx fit FILE.csv: a linear model of any column by others, and what its coefficients are worth. */
#include "experiments/command.h"
#include "experiments/fit_report.h"
#include "harness/base/error.h"
#include <argp.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    struct ex_fit_request request;
    struct em_fit_options fit;
    const char *csv, *figures, *profile, *as;
    int json, strict, dram;
};

enum {
    OPT_RESPONSE = 256,
    OPT_TERMS,
    OPT_NO_CONSTANT,
    OPT_WEIGHTS,
    OPT_METHOD,
    OPT_GROUP,
    OPT_WHERE,
    OPT_ESTIMATED,
    OPT_RIDGE,
    OPT_CONFIDENCE,
    OPT_RESAMPLES,
    OPT_SEED,
    OPT_CSV,
    OPT_FIGURES,
    OPT_PROFILE,
    OPT_AS,
    OPT_DRAM,
    OPT_STRICT
};

static const struct argp_option options[] = {
    {"response", OPT_RESPONSE, "COL", 0, "what is explained: an energy, a power", 0},
    {"terms", OPT_TERMS, "TERM,...", 0,
     "what explains it; a term is a column, NUMBER*column, a sum of such with +, or 1, the constant", 0},
    {"no-constant", OPT_NO_CONSTANT, NULL, 0, "leave out the constant that is added otherwise", 0},
    {"weights", OPT_WEIGHTS, "1|1/y", 0, "all rows alike (default), or divided by the response: relative errors", 0},
    {"method", OPT_METHOD, "ols|nnls|huber|ridge", 0,
     "least squares (default), with no coefficient below 0, with outliers counted less, or drawn towards 0", 0},
    {"group", OPT_GROUP, "COL", 0,
     "rows of one value belong together (kernel, session) and are resampled and left out "
     "together; default: runs of neighbouring rows",
     0},
    {"where", OPT_WHERE, "COL=VALUE", 0, "only rows that have it; may be repeated", 0},
    {"estimated", OPT_ESTIMATED, NULL, 0, "fit estimated energy all the same; it returns the profile it came from", 0},
    {"ridge", OPT_RIDGE, "RATIO", 0,
     "penalty of --method=ridge, of a column's squared norm; default: by left-out groups", 0},
    {"confidence", OPT_CONFIDENCE, "PERCENT", 0, "of the intervals (95)", 0},
    {"resamples", OPT_RESAMPLES, "N", 0, "of the bootstrap (1000)", 0},
    {"seed", OPT_SEED, "N", 0, "of the bootstrap (1)", 0},
    {"csv", OPT_CSV, "OUT", 0, "observed, predicted and residual of each row as CSV, - for standard output", 0},
    {"json", 'j', NULL, 0, "machine-readable", 0},
    {"figures", OPT_FIGURES, "DIR", 0, "predicted against observed, residuals and breakdown, drawn into DIR", 0},
    {"profile", OPT_PROFILE, "FILE", 0,
     "write the coefficients with their covariance, for joulerx estimate --profile=FILE; needs --as", 0},
    {"as", OPT_AS, "TERM,...", 0, "what each of --terms is in it: time, awake, cpu, flop, l1, l2, l3 or dram", 0},
    {"dram", OPT_DRAM, NULL, 0, "the response is the memory's energy (default: the package's)", 0},
    {"strict", OPT_STRICT, NULL, 0, "exit with 4 if a coefficient is not identifiable", 0},
    {0}};

/* A whole argument as a number in [low, high], or a usage error. */
static double number(const char *text, double low, double high, const char *option, struct argp_state *state)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= low && value <= high))
        argp_error(state, "--%s=%s: give a number from %g to %g", option, text, low, high);
    return value;
}

static int weights(const char *text, struct argp_state *state)
{
    if (strcmp(text, "1") && strcmp(text, "1/y"))
        argp_error(state, "--weights=%s: give 1 or 1/y", text);
    return !strcmp(text, "1/y");
}

static void add_where(struct ex_fit_request *request, const char *text, struct argp_state *state)
{
    if (request->wheres == EX_WHERES)
        argp_error(state, "--where: at most %d of them", EX_WHERES);
    else
        request->where[request->wheres++] = text;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *to = state->input;
    switch (key) {
    case OPT_RESPONSE: to->request.response = argument; break;
    case OPT_TERMS: to->request.terms = argument; break;
    case OPT_NO_CONSTANT: to->request.no_constant = 1; break;
    case OPT_WEIGHTS: to->request.relative = weights(argument, state); break;
    case OPT_METHOD:
        if (em_method_parse(argument, &to->fit.method))
            argp_error(state, "--method=%s: there are ols, nnls, huber and ridge", argument);
        break;
    case OPT_GROUP: to->request.group = argument; break;
    case OPT_WHERE: add_where(&to->request, argument, state); break;
    case OPT_ESTIMATED: to->request.estimated = 1; break;
    case OPT_RIDGE: to->fit.ridge = number(argument, 1e-15, 1e3, "ridge", state); break;
    case OPT_CONFIDENCE: to->fit.confidence_ratio = number(argument, 1, 99.9, "confidence", state) / 100; break;
    case OPT_RESAMPLES: to->fit.resamples = (int)number(argument, 0, 1e6, "resamples", state); break;
    case OPT_SEED: to->fit.seed = (uint64_t)number(argument, 0, 9e15, "seed", state); break;
    case OPT_CSV: to->csv = argument; break;
    case OPT_FIGURES: to->figures = argument; break;
    case OPT_PROFILE: to->profile = argument; break;
    case OPT_AS: to->as = argument; break;
    case OPT_DRAM: to->dram = 1; break;
    case 'j': to->json = 1; break;
    case OPT_STRICT: to->strict = 1; break;
    case ARGP_KEY_ARG:
        if (to->request.path)
            argp_error(state, "'%s': one file at a time", argument);
        to->request.path = argument;
        break;
    case ARGP_KEY_END:
        if (!to->request.path || !to->request.response || !to->request.terms)
            argp_error(state, "give DATA.csv, --response=COL and --terms=TERM,...");
        if (!to->profile != !to->as)
            argp_error(state, "--profile=FILE and --as=TERM,... go together");
        if (to->json && to->csv && !strcmp(to->csv, "-"))
            argp_error(state, "--json and --csv=- both write to standard output; give --csv a file");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* Rows, figures and what is said on standard output: words unless rows or JSON are wanted there. */
static int report(const struct arguments *a, const struct ex_fit_report *r)
{
    int status = a->csv ? ex_fit_rows(r, a->csv) : 0;
    if (!status && a->figures)
        status = ex_fit_figures(r, a->figures);
    if (!status && a->profile)
        status = ex_fit_profile(r, a->as, a->dram, a->profile);
    if (!status && a->json)
        status = ex_fit_json(r, stdout);
    else if (!status && !(a->csv && !strcmp(a->csv, "-")))
        ex_fit_print(r, stdout);
    return status;
}

static int check(const struct ex_fit_report *r)
{
    char text[EX_ADVICE];
    for (int j = 0; j < r->fit->cols; j++)
        if (*ex_fit_advice(r, j, text))
            return jrx_fail(JRX_EQUALITY, "%s", text);
    return 0;
}

static int run(int argc, char **argv)
{
    struct arguments a = {.fit = {.method = EM_OLS, .resamples = 1000, .confidence_ratio = 0.95, .seed = 1}};
    const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "DATA.csv",
        .doc = "Fits --response as a sum of coefficients times --terms and says for each coefficient "
               "whether the data identify it, and what would."};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    a.fit.relative = a.request.relative;
    a.fit.jackknife = a.profile != NULL;
    struct ex_fit_input input;
    struct em_fit fit = {0};
    int status = ex_fit_input_init(&input, &a.request);
    if (!status)
        status = em_fit_init(&fit, &input.data, &a.fit);
    const struct ex_fit_report r = {&a.request, &input, &fit};
    if (!status)
        status = report(&a, &r);
    if (!status && a.strict)
        status = check(&r);
    em_fit_fini(&fit);
    ex_fit_input_fini(&input);
    return status;
}

const struct ex_command cmd_fit = {
    .name = "fit", .summary = "regress an energy in any CSV file on its causes", .order = 60, .run = run};
