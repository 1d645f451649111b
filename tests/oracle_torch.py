"""Trains what net_dump() wrote for a number of steps in double precision, and writes what came of it.

    oracle_torch.py IN OUT STEPS      IN: a network with tensors "input" and "label"; OUT: losses, gradients, weights
"""
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
import numpy  # noqa: E402
import torch  # noqa: E402
from support.safetensors import write_safetensors  # noqa: E402
from support.torch_net import Net, loss_sum  # noqa: E402


def main(source, target, steps):
    torch.set_num_threads(1)
    net = Net(source, torch.float64).train()
    x, label = (net.extra[name].double() for name in ("input", "label"))
    weights, others = net.decayed()
    groups = [{"params": weights, "weight_decay": 1e-4}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=1e-4, eps=1e-2)
    losses, out = [], {}
    for step in range(steps):
        optimiser.zero_grad()
        total, bits = loss_sum(net(x), label)
        (total / bits).backward()
        losses.append((total / bits).item())
        if step == 0:
            for name in net.parameter_names:
                out["first." + name] = net.get(name).grad.numpy().copy()
        optimiser.step()
    for name in net.parameter_names:
        out["grad." + name] = net.get(name).grad.numpy()
        out["last." + name] = net.get(name).detach().numpy()
    out["loss"] = numpy.array(losses)
    write_safetensors(target, out)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
