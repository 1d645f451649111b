#include "tests/bench/train_layers.h"
#include "harness/stats.h"
#include "tests/bench/train_ours.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 5, KINDS = 8 };

struct part {
    const char *kind;
    double s[2], flop; /* forward, backward */
};

static const char *kind_of(const struct nn_net *net, const struct nn_unit *unit)
{
    const struct nn_layer *l = &net->layer[unit->first];
    if (unit->fused)
        return unit->shortcut >= 0 ? "stage with shortcut" : "stage";
    return l->kind == NN_CONV ? kn_op_name(l->op) : l->kind == NN_ADD ? "add" : "norm, relu";
}

static double flop_of(const struct ours *o, const struct nn_unit *unit)
{
    double sum = 0;
    for (int i = unit->first; i <= unit->last; i++)
        if (o->net.layer[i].kind == NN_CONV) {
            const struct kn_shape shape = nn_layer_shape(&o->net.layer[i], o->context.n, o->context.f, o->context.t);
            sum += kn_flop(o->net.layer[i].op, KN_FWD, &shape);
        }
    return sum;
}

static void least(double *s, double begin_s)
{
    *s = fmin(*s, ours_now_s() - begin_s);
}

/* Whole steps beside their units, so that what lies between the units (input, loss, AdamW) shows as the rest. */
static double time_units(struct ours *o, struct part *part)
{
    struct nn_context *c = &o->context;
    const int trains = nn_trains(c->mode);
    double whole_s = INFINITY;
    for (int u = 0; u < c->units; u++)
        part[u] = (struct part){kind_of(&o->net, &c->unit[u]), {INFINITY, trains ? INFINITY : 0}, 0};
    for (int round = 0; round < ROUNDS; round++) {
        double begin_s = ours_now_s();
        (trains ? ours_train : ours_infer)(o);
        least(&whole_s, begin_s);
        for (int u = 0; u < c->units; u++) {
            begin_s = ours_now_s();
            nn_forward_unit(c, u, o->parameters, o->statistics);
            least(&part[u].s[0], begin_s);
        }
        for (int u = c->units - 1; u >= 0 && trains; u--) {
            begin_s = ours_now_s();
            nn_backward_unit(c, u, o->parameters, o->gradient);
            least(&part[u].s[1], begin_s);
        }
    }
    return whole_s;
}

static void line(const char *name, const struct part *part, double work, double whole_s, double peak)
{
    const double s = part->s[0] + part->s[1];
    printf("  %-28s %-20s %8.2f %8.2f %8.2f", name, part->kind, part->s[0] * 1e3, part->s[1] * 1e3, part->flop * 1e-9);
    if (part->flop > 0)
        printf(" %6.0f %%", 100 * work * part->flop / s / peak);
    else
        printf(" %8s", "");
    printf(" %6.1f %%\n", 100 * s / whole_s);
}

int layers_print(enum nn_mode mode, int n, int threads, double peak)
{
    struct ours o;
    static struct part part[NN_MAX_LAYERS];
    struct part sum[KINDS] = {{NULL, {0, 0}, 0}}, all = {"", {0, 0}, 0}, rest = {"input, loss, AdamW", {0, 0}, 0};
    const double work = nn_trains(mode) ? 3 : 1; /* backward computes twice what forward does */
    int status = ours_init(&o, mode, 1, n, 312, threads);
    if (status) {
        ours_fini(&o);
        return status;
    }
    const double whole_s = time_units(&o, part);
    printf("%s by layer, batch %d, %d threads, least of %d\n  %-28s %-20s %8s %8s %8s %8s %8s\n",
           nn_trains(mode) ? "training" : "inference", n, threads, ROUNDS, "layers", "kind", "fwd ms", "bwd ms",
           "GFLOP", "of peak", "of all");
    for (int u = 0; u < o.context.units; u++) {
        const struct nn_unit *unit = &o.context.unit[u];
        char name[2 * NN_NAME + 8];
        int k = 0;
        part[u].flop = flop_of(&o, unit);
        snprintf(name, sizeof name, "%s%s%s", o.net.layer[unit->first].name, unit->fused ? " to " : "",
                 unit->fused ? strrchr(o.net.layer[unit->last].name, '.') + 1 : "");
        line(name, &part[u], work, whole_s, peak);
        while (k < KINDS - 1 && sum[k].kind && strcmp(sum[k].kind, part[u].kind) != 0)
            k++;
        sum[k].kind = part[u].kind;
        for (int d = 0; d < 2; d++) {
            sum[k].s[d] += part[u].s[d];
            all.s[d] += part[u].s[d];
        }
        sum[k].flop += part[u].flop;
        all.flop += part[u].flop;
    }
    for (int k = 0; k < KINDS && sum[k].kind; k++)
        line("all", &sum[k], work, whole_s, peak);
    rest.s[0] = whole_s - all.s[0] - all.s[1];
    line("rest", &rest, work, whole_s, peak);
    printf("  whole: %.1f ms, %.1f GFLOP/s, %.0f %% of the peak of %.0f GFLOP/s\n", whole_s * 1e3,
           work * all.flop / whole_s * 1e-9, 100 * work * all.flop / whole_s / peak, peak * 1e-9);
    ours_fini(&o);
    return 0;
}

int recipe_print(int threads)
{
    enum { BATCH = 8 };
    int status = 0;
    printf("the published recipe, 30,000 steps of 80 slots, at the median rate of steps of %d slots on %d threads\n",
           BATCH, threads);
    for (int i = 0; i < 3 && !status; i++) {
        const int prb = (const int[]){4, 6, 26}[i];
        struct ours o;
        double s[ROUNDS];
        status = ours_init(&o, NN_FUSED_TRAINING, 1, BATCH, 12 * prb, threads);
        if (!status)
            ours_train(&o);
        for (int r = 0; r < ROUNDS && !status; r++) {
            const double begin_s = ours_now_s();
            ours_train(&o);
            s[r] = ours_now_s() - begin_s;
        }
        ours_fini(&o);
        if (!status) {
            struct jrx_summary sum;
            jrx_summarize(s, ROUNDS, &sum);
            const double step_s = sum.median;
            printf("  %2d PRB: %7.1f ms a step, %6.1f slots/s: %5.1f days\n", prb, step_s * 1e3, BATCH / step_s,
                   30000.0 * 80 / BATCH * step_s / 86400);
        }
    }
    return status;
}
