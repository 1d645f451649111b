#include "experiments/networks.h"
#include "harness/base/error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[EX_NETWORKS] = {"teacher", "scratch", "distilled"};

const char *ex_network_name(enum ex_network network)
{
    return names[network];
}

int ex_validation_link(const struct ex_settings *settings, struct lk_config *link)
{
    *link = lk_config_default();
    link->prb = settings->preset->grid_f / LK_PRB_SUBCARRIERS;
    return lk_config_check(link);
}

int ex_network_config(const struct ex_settings *settings, enum ex_network network, struct rx_train_config *config)
{
    int smoke = !settings->preset->evidence;
    double width = network == EX_TEACHER ? (smoke ? 0.125 : 0.5) : (smoke ? 0.0625 : 0.25);
    *config = (struct rx_train_config){
        .shape = {.body = rx_bodies(), .width = width, .rx = 2, .logits = RX_LOGITS},
        .link = lk_config_default(),
        .seed = settings->seed,
        .batch = 16,
        .micro = 4,
        .schedule = {.rate = 4e-3, .warmup = 50, .hold = smoke ? 20 : 600, .steps = smoke ? 40 : 2000},
        .adamw = nn_adamw_default(),
        .momentum = 0.1,
        .loss = {.mix = network == EX_DISTILLED ? 0.7 : 0, .temperature = 2}};
    if (smoke)
        config->schedule.warmup = 10;
    config->link.prb = smoke ? 1 : 4;
    return rx_train_config_check(config);
}

char *ex_network_path(const struct ex_run *run, enum ex_network network, char *path)
{
    snprintf(path, PATH_MAX + 64, "%s/models/%s.safetensors", run->base, names[network]);
    return path;
}

int ex_networks_load(const struct ex_run *run, struct rx_receiver *receiver)
{
    char path[PATH_MAX + 64];
    int status = 0;
    for (int i = 0; i < EX_NETWORKS && !status; i++) {
        if (access(ex_network_path(run, (enum ex_network)i, path), R_OK))
            return jrx_fail(JRX_EIO, "%s is missing; experiment learning makes it: joulerx run learning %s", path,
                            run->experiment->name);
        status = rx_receiver_load(&receiver[i], path);
    }
    return status;
}

void ex_networks_fini(struct rx_receiver *receiver)
{
    for (int i = 0; i < EX_NETWORKS; i++)
        rx_receiver_fini(&receiver[i]);
}
