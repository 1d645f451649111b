#include "experiments/estimates.h"
#include "experiments/figure.h"
#include "harness/base/error.h"
#include "harness/meters/profile.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>

static const char *const names[EX_ESTIMATORS] = {"datasheet", "access", "fitted"};

const char *ex_estimator_name(enum ex_estimator estimator)
{
    return names[estimator];
}

const char *ex_estimator_figures(const struct ex_figures *figures, enum ex_estimator estimator)
{
    return estimator == EX_DATASHEET ? figures->sheet.name
           : estimator == EX_ACCESS  ? figures->priced
                                     : figures->profile.name;
}

static void set_prices(struct ex_figures *figures, const struct jrx_profile *profile)
{
    const double *v = profile->value;
    figures->prices = (struct em_prices){
        .flop_j = 1e-12 * v[JRX_FLOP],
        .byte_j = {1e-12 * v[JRX_L1_BYTE], 1e-12 * v[JRX_L2_BYTE], 1e-12 * v[JRX_L3_BYTE], 1e-12 * v[JRX_DRAM_BYTE]},
        .constant_w = v[JRX_PACKAGE_STATIC] + v[JRX_DRAM_STATIC]};
    snprintf(figures->priced, sizeof figures->priced, "%s", profile->name);
}

int ex_figures_read(struct ex_figures *figures, const char *cpu, const char *prices, const char *fitted,
                    const struct jrx_cache_geometry *geometry)
{
    char folder[PATH_MAX];
    struct jrx_profile profile;
    double *const size[] = {&figures->caches.l1_bytes, &figures->caches.l2_bytes, &figures->caches.l3_bytes};
    *figures = (struct ex_figures){.fitted = fitted != NULL};
    for (unsigned k = 0; k < geometry->levels && k < sizeof size / sizeof *size; k++)
        *size[k] = (double)geometry->level[k].bytes;
    int status = ex_home_path("models/energy/datasheets", folder, sizeof folder);
    if (!status)
        status = em_datasheet_find(folder, cpu, &figures->sheet);
    if (!status && !(status = jrx_profile_read(&profile, prices)))
        set_prices(figures, &profile);
    if (!status && fitted)
        status = em_profile_load(fitted, &figures->profile);
    return status;
}

void ex_estimate(const struct ex_figures *figures, const struct em_count *count, const struct em_use *use,
                 double utilisation_ratio, struct em_energy energy[EX_ESTIMATORS])
{
    energy[EX_DATASHEET] = em_estimate_datasheet(&figures->sheet, count, use->threads, utilisation_ratio);
    energy[EX_ACCESS] = em_estimate_access(&figures->prices, count, use);
    energy[EX_FITTED] = (struct em_energy){.total_j = NAN, .interval = {NAN, NAN}};
    for (int part = 0; part < EM_PARTS; part++)
        energy[EX_FITTED].part_j[part] = NAN;
    if (figures->fitted)
        energy[EX_FITTED] = em_estimate_fitted(&figures->profile, count, use);
}

/* ---- networks --------------------------------------------------------------------------------------------------- */

static void add(const struct em_count *one, struct em_count *sum)
{
    sum->flop += one->flop;
    sum->executed_flop += one->executed_flop;
    sum->load_bytes += one->load_bytes;
    sum->store_bytes += one->store_bytes;
    sum->compulsory_bytes += one->compulsory_bytes;
    for (int level = 0; level < EM_LEVELS; level++)
        sum->bytes[level] += one->bytes[level];
}

static int add_call(const struct em_layer *call, const struct em_caches *caches, struct em_count *sum)
{
    struct em_count one;
    int status = em_count_layer(call, caches, &one);
    if (!status)
        add(&one, sum);
    return status;
}

static int add_convolution(const struct nn_layer *layer, const struct kn_shape *shape, int training,
                           const struct nn_tilings *tilings, const struct em_caches *caches, struct em_count *sum)
{
    int status = 0;
    for (int dir = KN_FWD; dir < KN_DIRS && !status && (dir == KN_FWD || training); dir++) {
        struct em_layer call = {layer->op, (enum kn_dir)dir, *shape, layer->tile[dir], layer->kernel[dir]};
        if (dir == KN_BWD_DATA && layer->in[0] == 0)
            continue; /* nobody asks for the gradient of the input */
        if (tilings && !call.kernel)
            call.tile = tilings->get(tilings->self, kn_best(call.op, call.dir), shape, 1);
        status = add_call(&call, caches, sum);
    }
    return status;
}

/* What inference and training run of the layers that are passes. The gradient of a sum is added to that of one part;
 * the other part shares its memory. */
static int add_pass(enum nn_kind kind, const struct kn_shape *shape, int training, const struct em_caches *caches,
                    struct em_count *sum)
{
    static const struct {
        enum kn_op op;
        enum kn_dir dir;
        int forward, training; /* whether it is run */
    } calls[] = {{KN_RELU, KN_FWD, 1, 0},
                 {KN_BATCH_NORM, KN_FWD, 0, 1},
                 {KN_BATCH_NORM, KN_BWD_DATA, 0, 1},
                 {KN_ADD, KN_FWD, 1, 1},
                 {KN_ADD, KN_BWD_WEIGHTS, 0, 1}};
    int status = 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls && !status; i++)
        if ((kind == NN_ADD) == (calls[i].op == KN_ADD) && (training ? calls[i].training : calls[i].forward))
            status = add_call(&(struct em_layer){.op = calls[i].op, .dir = calls[i].dir, .shape = *shape}, caches, sum);
    return status;
}

int ex_count_network(const struct nn_net *net, int n, int f, int t, int training, const struct em_caches *caches,
                     struct em_count *count)
{
    int status = 0;
    *count = (struct em_count){0};
    for (int i = 0; i < net->layers && !status; i++) {
        const struct nn_layer *layer = &net->layer[i];
        const struct kn_shape shape = nn_layer_shape(layer, n, f, t);
        status = layer->kind == NN_CONV ? add_convolution(layer, &shape, training, net->tilings, caches, count)
                                        : add_pass(layer->kind, &shape, training, caches, count);
    }
    if (training) { /* the optimiser: parameters, gradient and two moments read, three of them written */
        const double floats = (double)net->parameter_floats, bytes = sizeof(float) * floats;
        em_count_pass(12 * floats, 4 * bytes, 3 * bytes, caches, count);
    }
    return status;
}
