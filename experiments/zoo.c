#include "experiments/zoo.h"
#include "experiments/experiment.h"
#include "harness/base/error.h"
#include "models/receiver/fields.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a zoo is made from. */
struct plan {
    struct ex_zoo *zoo;
    struct rx_preset recipe;
    const struct ex_preset *preset;
    uint64_t seed;
};

static int count_flop(struct ex_network *network)
{
    struct nn_net *net = malloc(sizeof *net);
    int status = net ? rx_net_init(net, &network->config.shape) : jrx_fail(JRX_ENOMEM, "no memory for networks");
    if (!status) {
        network->slot_flop = 2 * (double)nn_macs_per_re(net);
        network->parameters = nn_parameters(net);
        nn_net_fini(net);
    }
    free(net);
    return status;
}

static int add(const struct plan *plan, struct ex_network network)
{
    struct ex_zoo *zoo = plan->zoo;
    struct rx_preset recipe = plan->recipe;
    int64_t *steps = &recipe.network[network.role].steps;
    if (zoo->count == EX_NETWORKS)
        return jrx_fail(JRX_EINVAL, "the preset asks for more than %d networks: fewer widths, seeds or values to sweep",
                        EX_NETWORKS);
    *steps = llround((double)*steps * network.share);
    *steps = *steps < EX_STRETCHES ? EX_STRETCHES : *steps;
    recipe.network[network.role].width = network.width;
    recipe.common.loss.mix = network.mix;
    recipe.common.loss.temperature = network.temperature;
    network.config =
        rx_preset_config(&recipe, network.role, plan->seed + (uint64_t)(network.seed ? network.seed - 1 : 0));
    if (network.config.average > 0) /* no further back than a thirtieth of the training */
        network.config.average = fmin(network.config.average, fmax(0.5, 1 - 30 / (double)*steps));
    zoo->network[zoo->count++] = network;
    int status = rx_train_config_check(&network.config);
    return status ? status : count_flop(&zoo->network[zoo->count - 1]);
}

static int add_teacher(const struct plan *plan, double factor, unsigned sweeps)
{
    struct ex_network teacher = {.role = RX_TEACHER,
                                 .width = plan->recipe.network[RX_TEACHER].width * factor,
                                 .share = 1,
                                 .teacher = -1,
                                 .mix = plan->recipe.common.loss.mix,
                                 .temperature = plan->recipe.common.loss.temperature,
                                 .sweeps = sweeps};
    if (factor == 1)
        snprintf(teacher.name, sizeof teacher.name, "teacher");
    else
        snprintf(teacher.name, sizeof teacher.name, "teacher-w%g", teacher.width);
    return add(plan, teacher);
}

/* One that is there already takes part in one more sweep. */
static int add_student(const struct plan *plan, struct ex_network student)
{
    struct ex_zoo *zoo = plan->zoo;
    char *name = student.name;
    const size_t size = sizeof student.name;
    if (student.role == RX_SCRATCH) {
        student.teacher = -1;
        student.mix = plan->recipe.common.loss.mix;
        student.temperature = plan->recipe.common.loss.temperature;
    }
    int at = snprintf(name, size, "%s-w%g-s%d", rx_role_name(student.role), student.width, student.seed);
    if (student.temperature != plan->recipe.common.loss.temperature || student.mix != plan->recipe.common.loss.mix)
        at += snprintf(name + at, size - (size_t)at, "-T%g-a%g", student.temperature, student.mix);
    if (student.share != 1)
        at += snprintf(name + at, size - (size_t)at, "-d%g", student.share);
    if (student.teacher > 0)
        snprintf(name + at, size - (size_t)at, "-t%g", zoo->network[student.teacher].width);
    for (int i = 0; i < zoo->count; i++)
        if (!strcmp(zoo->network[i].name, name)) {
            zoo->network[i].sweeps |= student.sweeps;
            return 0;
        }
    return add(plan, student);
}

static int add_seeds(const struct plan *plan, struct ex_network like)
{
    int status = 0;
    for (like.seed = 1; like.seed <= plan->zoo->seeds && !status; like.seed++)
        status = add_student(plan, like);
    return status;
}

static int add_pair(const struct plan *plan, struct ex_network like)
{
    like.role = RX_SCRATCH;
    int status = add_seeds(plan, like);
    like.role = RX_DISTILLED;
    return status ? status : add_seeds(plan, like);
}

static int add_grid(const struct plan *plan, struct ex_network like)
{
    const struct ex_numbers *temperatures = &plan->preset->temperatures, *mixes = &plan->preset->mixes;
    int status = 0;
    for (int i = 0; i < temperatures->count * mixes->count && !status; i++) {
        like.temperature = temperatures->value[i / mixes->count];
        like.mix = mixes->value[i % mixes->count];
        status = add_seeds(plan, like);
    }
    return status;
}

static int add_students(const struct plan *plan)
{
    struct ex_zoo *zoo = plan->zoo;
    struct ex_network like = {.role = RX_DISTILLED,
                              .mix = plan->recipe.common.loss.mix,
                              .temperature = plan->recipe.common.loss.temperature,
                              .share = 1,
                              .sweeps = EX_WIDTH};
    int status = 0;
    for (int i = 0; i < zoo->widths.count && !status; i++) {
        like.width = zoo->widths.value[i];
        status = add_pair(plan, like);
    }
    like.width = zoo->middle;
    like.sweeps = EX_TEMPERATURE;
    if (!status)
        status = add_grid(plan, like);
    like.sweeps = EX_TEACHER;
    for (; like.teacher <= plan->preset->teachers.count && plan->preset->teachers.count && !status; like.teacher++)
        status = add_seeds(plan, like);
    like.teacher = 0;
    like.sweeps = EX_DATA;
    for (int i = 0; i <= plan->preset->shares.count && plan->preset->shares.count && !status; i++) {
        like.share = i < plan->preset->shares.count ? plan->preset->shares.value[i] : 1;
        status = add_pair(plan, like);
    }
    return status;
}

/* A teacher that is given may be another network, trained for longer or at another rate, but for the same slots, and it
 * has not seen the channels that bit errors are counted on. */
static int take_given(struct ex_network *teacher, const char *path)
{
    struct rx_train_config given;
    const struct rx_train_config *recipe = &teacher->config;
    int status = rx_config_load(&given, path);
    if (status)
        return status;
    const char *differs = given.shape.rx != recipe->shape.rx                 ? "antennas"
                          : given.link.modulation != recipe->link.modulation ? "modulation"
                          : given.link.profiles & ~recipe->link.profiles     ? "channel profiles"
                          : given.link.patterns != recipe->link.patterns     ? "pilots"
                          : given.loss.mix > 0                               ? "teacher of its own"
                                                                             : NULL;
    if (differs)
        return jrx_fail(
            JRX_EINVAL,
            "--teacher=%s: not trained as the recipe says, by its %s; joulerx train --preset=RECIPE makes one", path,
            differs);
    teacher->width = given.shape.width;
    teacher->config = given;
    return count_flop(teacher);
}

static int fill(struct ex_zoo *zoo, const struct ex_preset *preset, uint64_t seed)
{
    const struct rx_preset *recipe = rx_preset_find(preset->recipe);
    if (!recipe)
        return JRX_EINVAL;
    struct plan plan = {.zoo = zoo, .recipe = *recipe, .preset = preset, .seed = seed};
    zoo->widths = preset->widths;
    zoo->middle = preset->widths.value[preset->widths.count / 2];
    zoo->seeds = preset->seeds;
    zoo->given = *preset->teacher != 0;
    for (int role = 0; role < RX_ROLES; role++) {
        int steps = role == RX_TEACHER ? preset->teacher_steps : preset->student_steps;
        if (steps)
            plan.recipe.network[role].steps = steps;
    }
    int status = add_teacher(&plan, 1, EX_WIDTH | EX_TEACHER);
    if (!status && zoo->given)
        status = take_given(&zoo->network[0], preset->teacher);
    for (int i = 0; i < preset->teachers.count && !status; i++)
        status = add_teacher(&plan, preset->teachers.value[i], EX_TEACHER);
    return status ? status : add_students(&plan);
}

int ex_zoo_new(struct ex_zoo **out, const struct ex_preset *preset, uint64_t seed)
{
    struct ex_zoo *zoo = *out = calloc(1, sizeof *zoo);
    int status = zoo && (zoo->network = calloc(EX_NETWORKS, sizeof *zoo->network))
                     ? fill(zoo, preset, seed)
                     : jrx_fail(JRX_ENOMEM, "no memory for a list of networks");
    if (status) {
        ex_zoo_free(zoo);
        *out = NULL;
    }
    return status;
}

void ex_zoo_free(struct ex_zoo *zoo)
{
    if (zoo)
        free(zoo->network);
    free(zoo);
}

/* ---- finding ---------------------------------------------------------------------------------------------------- */

/* All that tells students apart within the sweeps of `like`. */
static int find(const struct ex_zoo *zoo, const struct ex_network *like)
{
    for (int i = 0; i < zoo->count; i++) {
        const struct ex_network *n = &zoo->network[i];
        if (n->sweeps & like->sweeps && n->role == like->role && n->seed == like->seed && n->width == like->width &&
            n->share == like->share && (n->role == RX_SCRATCH || n->teacher == like->teacher) &&
            (isnan(like->mix) || (n->mix == like->mix && n->temperature == like->temperature)))
            return i;
    }
    return -1;
}

int ex_zoo_student(const struct ex_zoo *zoo, enum rx_role role, double width, int seed)
{
    const struct ex_network *t = zoo->network;
    return find(zoo, &(struct ex_network){.sweeps = EX_WIDTH,
                                          .role = role,
                                          .width = width,
                                          .seed = seed,
                                          .share = 1,
                                          .mix = t->mix,
                                          .temperature = t->temperature});
}

int ex_zoo_grid(const struct ex_zoo *zoo, double temperature, double mix, int seed)
{
    return find(zoo, &(struct ex_network){.sweeps = EX_TEMPERATURE,
                                          .role = RX_DISTILLED,
                                          .width = zoo->middle,
                                          .seed = seed,
                                          .share = 1,
                                          .mix = mix,
                                          .temperature = temperature});
}

int ex_zoo_taught(const struct ex_zoo *zoo, int teacher, int seed)
{
    return find(zoo, &(struct ex_network){.sweeps = EX_TEACHER,
                                          .role = RX_DISTILLED,
                                          .width = zoo->middle,
                                          .seed = seed,
                                          .share = 1,
                                          .teacher = teacher,
                                          .mix = NAN});
}

int ex_zoo_share(const struct ex_zoo *zoo, enum rx_role role, double share, int seed)
{
    return find(zoo,
                &(struct ex_network){
                    .sweeps = EX_DATA, .role = role, .width = zoo->middle, .seed = seed, .share = share, .mix = NAN});
}

double ex_network_step_flop(const struct ex_zoo *zoo, int network)
{
    const struct ex_network *n = &zoo->network[network];
    double res = (double)n->config.batch * n->config.link.prb * LK_PRB_SUBCARRIERS * LK_SYMBOLS;
    return res * (3 * n->slot_flop + (n->teacher >= 0 ? zoo->network[n->teacher].slot_flop : 0));
}

double ex_network_flop(const struct ex_zoo *zoo, int network)
{
    return ex_network_step_flop(zoo, network) * (double)zoo->network[network].config.schedule.steps;
}

/*
 * 1 / share = a + (c / channels)^2, channels C being those of a block of that many FLOP a resource element, 8 C^2:
 * beside the products, whose FLOP grow with C^2, a block has passes that take as long for one channel as for 16. Fitted
 * to steps of all four tables of blocks, widths 1/16 to 1, on one thread of a Zen 5: a 1.25, here 1.4 for loss and
 * optimiser; c 19 to 25 on slots of 2 PRB, which narrow networks are trained on, 16 to 21 on 26.
 */
double ex_network_share(const struct ex_network *network)
{
    const struct rx_shape *shape = &network->config.shape;
    const int blocks = shape->blocks ? shape->blocks : shape->body->blocks;
    const double channels_squared = network->slot_flop / (8.0 * blocks);
    return 1 / (1.4 + 24 * 24 / channels_squared);
}

double ex_network_peak_flop(const struct ex_zoo *zoo, int network)
{
    const struct ex_network *n = &zoo->network[network];
    const struct rx_train_config *config = &n->config;
    const double res = (double)config->batch * config->link.prb * LK_PRB_SUBCARRIERS * LK_SYMBOLS;
    double flop = 3 * n->slot_flop / ex_network_share(n);
    if (n->teacher >= 0)
        flop += zoo->network[n->teacher].slot_flop / ex_network_share(&zoo->network[n->teacher]);
    return res * flop * (double)config->schedule.steps;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

char *ex_network_path(const struct ex_run *run, const struct ex_network *network, char *path)
{
    snprintf(path, EX_NETWORK_PATH, "%s/models/%s.safetensors", run->base, network->name);
    return path;
}

int ex_network_load(const struct ex_run *run, const struct ex_network *network, struct rx_receiver *receiver)
{
    char path[EX_NETWORK_PATH];
    if (access(ex_network_path(run, network, path), R_OK))
        return jrx_fail(JRX_EIO, "%s is missing; experiment learning makes it: joulerx run learning %s", path,
                        run->experiment->name);
    int status = rx_receiver_load(receiver, path);
    receiver->net.tilings = run->settings->tilings;
    return status;
}

int ex_validation_link(const struct ex_settings *settings, struct lk_config *link)
{
    *link = rx_validation_link(&settings->zoo->network[0].config.link);
    link->sir_db[0] = link->sir_db[1] = INFINITY; /* the axis of the curves is noise alone */
    link->prb = settings->preset->grid_f / LK_PRB_SUBCARRIERS;
    if (settings->preset->pilots)
        link->patterns =
            settings->preset->pilots == 1 ? 0x3 : 0xc; /* models/link/dmrs.h: two with one symbol, two with two */
    return lk_config_check(link);
}
