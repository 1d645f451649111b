#include "experiments/family.h"
#include "experiments/net_calls.h"
#include "experiments/sheet.h"
#include "harness/base/error.h"
#include "models/energy/count.h"
#include "models/nn/run.h"
#include "models/receiver/deeprx.h"
#include <jansson.h>

enum { ANTENNAS = 2, LOGITS = 4, GRID_F = EX_FAMILY_PRB * LK_PRB_SUBCARRIERS, GRID_T = LK_SYMBOLS };

static const struct ex_member family[] = {
    {"deeprx", 1, 0, 0},    {"deeprx", 2, 0, 0},    {"deeprx", 1.5, 0, 0},   {"deeprx", 0.75, 0, 0},
    {"deeprx", 0.5, 0, 0},  {"deeprx", 0.25, 0, 0}, {"deeprx", 0.125, 0, 0}, {"deeprx", 0.0625, 0, 0},
    {"deeprx", 1, 9, 0},    {"deeprx", 1, 7, 0},    {"deeprx", 1, 5, 0},     {"deeprx", 1, 3, 0},
    {"deeprx", 1, 0, 1},    {"deeprx", 1, 0, 3},    {"deeprx", 1, 0, 4},     {"short7", 1, 0, 0},
    {"short7", 0.5, 0, 0},  {"short7", 0.25, 0, 0}, {"short5", 1, 0, 0},     {"short5", 0.5, 0, 0},
    {"short5", 0.25, 0, 0}, {"short3", 1, 0, 0},    {"short3", 0.5, 0, 0},   {"short3", 0.25, 0, 0},
    {NULL, 0, 0, 0}};

const struct ex_member *ex_family(void)
{
    return family;
}

/* ---- costs ---- */

/* A forward call as a network makes it. */
static struct em_layer call_of(enum kn_op op, struct kn_shape shape, const struct ex_tiles *tiles)
{
    struct em_layer layer = {.op = op, .shape = shape};
    const struct ex_net_call call = {.kernel = kn_best(op, KN_FWD), .shape = shape, .threads = 1};
    enum ex_tile_from from;
    if (tiles)
        layer.tile = ex_net_call_tile(tiles, &call, &from);
    return layer;
}

/* Bytes of one pass forward, stages fused, summed over the convolutions: what other layers read and write passes by in
 * the same cache lines, or is a few values a pixel of the last norm. */
static int count_pass(const struct nn_net *net, const struct jrx_cache_geometry *geometry, const struct ex_tiles *tiles,
                      struct em_count *sum)
{
    struct nn_unit unit[NN_MAX_LAYERS];
    struct em_layer call[2 * NN_MAX_LAYERS];
    struct em_caches caches = {0};
    double *const size[] = {&caches.l1_bytes, &caches.l2_bytes, &caches.l3_bytes};
    size_t calls = 0;
    for (unsigned k = 0; k < geometry->levels && k < 3; k++)
        *size[k] = (double)geometry->level[k].bytes;
    const int units = nn_units(net, 1, unit);
    for (int u = 0; u < units; u++) {
        const int single = unit[u].fused ? unit[u].shortcut : unit[u].first;
        if (unit[u].fused)
            call[calls++] = call_of(KN_SEPARABLE, nn_stage_shape(net, &unit[u], 1, GRID_F, GRID_T), tiles);
        if (single >= 0 && net->layer[single].kind == NN_CONV)
            call[calls++] =
                call_of(net->layer[single].op, nn_layer_shape(&net->layer[single], 1, GRID_F, GRID_T), tiles);
    }
    return em_count_layers(call, calls, &caches, sum);
}

int ex_member_cost(const struct ex_member *member, const struct jrx_cache_geometry *caches,
                   const struct jrx_profile *profile, const struct ex_tiles *tiles, struct ex_member_cost *cost)
{
    const struct rx_body *body = rx_body_find(member->body);
    struct nn_net net = {.layers = 0};
    struct em_count count;
    if (!body)
        return JRX_EINVAL;
    int status = rx_net_init(&net, &(struct rx_shape){.body = body,
                                                      .width = member->width,
                                                      .blocks = member->blocks,
                                                      .multiplier = member->multiplier,
                                                      .rx = ANTENNAS,
                                                      .logits = LOGITS});
    if (status)
        return status;
    if (!(status = count_pass(&net, caches, tiles, &count))) {
        const struct jrx_work work = {count.flop, count.bytes[EM_L1], count.bytes[EM_L2], count.bytes[EM_L3],
                                      count.bytes[EM_DRAM]};
        const struct jrx_estimated e = jrx_profile_energy(profile, &work, 1, 0, 0);
        *cost = (struct ex_member_cost){
            .blocks = member->blocks ? member->blocks : body->blocks,
            .multiplier = member->multiplier ? member->multiplier : 2,
            .parameters = nn_parameters(&net),
            .flop = 2.0 * GRID_F * GRID_T * (double)nn_macs_per_re(&net),
            .useful_flop = nn_forward_flop(&net, 1, GRID_F, GRID_T),
            .inference_bytes = (int64_t)nn_context_bytes(&net, NN_FUSED_INFERENCE, 1, GRID_F, GRID_T, 1),
            .training_bytes = (int64_t)nn_context_bytes(&net, NN_FUSED_TRAINING, EX_FAMILY_BATCH, GRID_F, GRID_T, 1),
            .checkpointed_bytes =
                (int64_t)nn_context_bytes(&net, NN_CHECKPOINTED_TRAINING, EX_FAMILY_BATCH, GRID_F, GRID_T, 1),
            .kept_bytes = (int64_t)nn_context_bytes(&net, NN_TRAINING, EX_FAMILY_BATCH, GRID_F, GRID_T, 1),
            .dynamic_j = e.package_j + e.dram_j};
    }
    nn_net_fini(&net);
    return status;
}

/* ---- forms ---- */

static void print_line(const struct ex_member *member, const struct ex_member_cost *c)
{
    printf("%-8s %6g %6d %4d %11lld %8.3f %9.1f %9.1f %9.1f %9.1f %9.3g\n", member->body, member->width, c->blocks,
           c->multiplier, (long long)c->parameters, c->flop * 1e-9, (double)c->inference_bytes * 1e-6,
           (double)c->training_bytes * 1e-6, (double)c->checkpointed_bytes * 1e-6, (double)c->kept_bytes * 1e-6,
           c->dynamic_j * 1e3);
}

static void print_head(const struct jrx_profile *profile, const struct ex_tiles *tiles)
{
    char text[PATH_MAX + 128];
    printf("a slot of %d PRB, %d antennas, %d logits; training memory of %d slots on one thread: as it is, with "
           "--checkpointing, and if all maps were kept;\nenergy estimated: profile %s, FLOP and modelled bytes alone, "
           "no static power; %s\n\n",
           EX_FAMILY_PRB, ANTENNAS, LOGITS, EX_FAMILY_BATCH, profile->name, ex_tiles_say(tiles, text, sizeof text));
    printf("%-8s %6s %6s %4s %11s %8s %9s %9s %9s %9s %9s\n", "body", "width", "blocks", "mult", "parameters", "GFLOP",
           "infer MB", "train MB", "again MB", "kept MB", "est. mJ");
}

static void print_row(struct ex_sheet *sheet, const struct ex_member *member, const struct ex_member_cost *c,
                      const struct jrx_profile *profile)
{
    ex_sheet_text(sheet, "body", member->body);
    ex_sheet_real(sheet, "width_ratio", member->width);
    ex_sheet_integer(sheet, "blocks", c->blocks);
    ex_sheet_integer(sheet, "multiplier", c->multiplier);
    ex_sheet_integer(sheet, "parameters", c->parameters);
    ex_sheet_real(sheet, "slot_flop", c->flop);
    ex_sheet_real(sheet, "slot_useful_flop", c->useful_flop);
    ex_sheet_integer(sheet, "inference_bytes", c->inference_bytes);
    ex_sheet_integer(sheet, "training_bytes", c->training_bytes);
    ex_sheet_integer(sheet, "training_checkpointed_bytes", c->checkpointed_bytes);
    ex_sheet_integer(sheet, "training_kept_bytes", c->kept_bytes);
    ex_sheet_real(sheet, "slot_dynamic_j", c->dynamic_j);
    ex_sheet_text(sheet, "energy_source", jrx_source_name(JRX_ESTIMATED));
    ex_sheet_text(sheet, "profile", profile->name);
    ex_sheet_end_row(sheet);
}

static json_t *object_of(const struct ex_member *member, const struct ex_member_cost *c,
                         const struct jrx_profile *profile)
{
    return json_pack("{s:s, s:f, s:i, s:i, s:I, s:f, s:f, s:I, s:I, s:I, s:I, s:f, s:s, s:s}", "body", member->body,
                     "width_ratio", member->width, "blocks", c->blocks, "multiplier", c->multiplier, "parameters",
                     (json_int_t)c->parameters, "slot_flop", c->flop, "slot_useful_flop", c->useful_flop,
                     "inference_bytes", (json_int_t)c->inference_bytes, "training_bytes", (json_int_t)c->training_bytes,
                     "training_checkpointed_bytes", (json_int_t)c->checkpointed_bytes, "training_kept_bytes",
                     (json_int_t)c->kept_bytes, "slot_dynamic_j", c->dynamic_j, "energy_source",
                     jrx_source_name(JRX_ESTIMATED), "profile", profile->name);
}

int ex_family_print(enum ex_family_form form, const char *profile_name)
{
    struct jrx_profile profile;
    struct jrx_cache_geometry caches;
    struct ex_sheet sheet;
    struct ex_tiles tiles = {0};
    json_t *array = form == EX_FAMILY_JSON ? json_array() : NULL;
    int status = jrx_profile_read(&profile, profile_name);
    if (!status)
        status = jrx_cache_geometry_read(&caches);
    if (!status)
        status = ex_tiles_read(&tiles);
    ex_sheet_stdout(&sheet);
    if (!status && form == EX_FAMILY_TABLE)
        print_head(&profile, &tiles);
    for (const struct ex_member *member = family; member->body && !status; member++) {
        struct ex_member_cost cost;
        if ((status = ex_member_cost(member, &caches, &profile, &tiles, &cost)))
            break;
        switch (form) {
        case EX_FAMILY_TABLE: print_line(member, &cost); break;
        case EX_FAMILY_CSV:
            if (sheet.header)
                print_row(&sheet, member, &cost, &profile);
            print_row(&sheet, member, &cost, &profile);
            break;
        case EX_FAMILY_JSON: json_array_append_new(array, object_of(member, &cost, &profile)); break;
        }
    }
    if (!status && array) {
        json_dumpf(array, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
        putchar('\n');
    }
    json_decref(array);
    ex_tiles_fini(&tiles);
    return status;
}
