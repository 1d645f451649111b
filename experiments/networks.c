#include "experiments/networks.h"
#include "harness/base/error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int ex_validation_link(const struct ex_settings *settings, struct lk_config *link)
{
    *link = lk_config_default();
    link->prb = settings->preset->grid_f / LK_PRB_SUBCARRIERS;
    return lk_config_check(link);
}

int ex_network_config(const struct ex_settings *settings, enum rx_role role, struct rx_train_config *config)
{
    const struct rx_preset *preset = rx_preset_find(settings->preset->recipe);
    if (!preset)
        return JRX_EINVAL;
    *config = rx_preset_config(preset, role, settings->seed);
    return rx_train_config_check(config);
}

char *ex_network_path(const struct ex_run *run, enum rx_role role, char *path)
{
    snprintf(path, PATH_MAX + 64, "%s/models/%s.safetensors", run->base, rx_role_name(role));
    return path;
}

int ex_networks_load(const struct ex_run *run, struct rx_receiver *receiver)
{
    char path[PATH_MAX + 64];
    int status = 0;
    for (int i = 0; i < RX_ROLES && !status; i++) {
        if (access(ex_network_path(run, (enum rx_role)i, path), R_OK))
            return jrx_fail(JRX_EIO, "%s is missing; experiment learning makes it: joulerx run learning %s", path,
                            run->experiment->name);
        status = rx_receiver_load(&receiver[i], path);
    }
    return status;
}

void ex_networks_fini(struct rx_receiver *receiver)
{
    for (int i = 0; i < RX_ROLES; i++)
        rx_receiver_fini(&receiver[i]);
}
