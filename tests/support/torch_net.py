"""A network that net_dump() wrote, rebuilt in PyTorch from its table of layers: the independent implementation that our
engine is tested against and timed beside."""
import json

import torch
import torch.nn.functional as F

from .safetensors import read_safetensors

NO_BIT = 2  # a label of a place that carries no bit


class Net(torch.nn.Module):
    """Values [n, c, f, t]. Batch norm's running statistics are its biased ones, as the engine's are."""

    def __init__(self, path, dtype=torch.float32):
        super().__init__()
        metadata, arrays = read_safetensors(path)
        self.layers = json.loads(metadata["layers"])
        self.extra = {}
        self.index = {}
        names = {layer["name"] for layer in self.layers}
        for name, array in arrays.items():
            tensor = torch.from_numpy(array).to(dtype)
            if name.rpartition(".")[0] not in names:
                self.extra[name] = torch.from_numpy(array)
            elif "running" in name:
                self.register_buffer(name.replace(".", "_"), tensor)
            else:
                self.register_parameter(name.replace(".", "_"), torch.nn.Parameter(tensor))
        self.parameter_names = [n for n in arrays if hasattr(self, n.replace(".", "_")) and "running" not in n]

    def get(self, name):
        return getattr(self, name.replace(".", "_"))

    def decayed(self):
        """Parameters that weight decay shrinks, and the others."""
        split = [[], []]
        for name in self.parameter_names:
            split[self.get(name).dim() != 4].append(self.get(name))
        return split

    def forward(self, x):
        values = [x]
        last = {v: i for i, layer in enumerate(self.layers) for v in layer["in"] if v >= 0}
        for i, layer in enumerate(self.layers):
            a = values[layer["in"][0]]
            name = layer["name"]
            if layer["kind"] == "conv":
                side = layer["op"] != "pointwise"
                dilation = (layer["dil_f"], layer["dil_t"])
                y = F.conv2d(
                    a, self.get(name + ".weight"), self.get(name + ".bias"), dilation=dilation,
                    padding=dilation if side else 0, groups=layer["ic"] if layer["op"] == "depthwise" else 1)
            elif layer["kind"] == "add":
                y = a + values[layer["in"][1]]
            else:
                y = F.relu_(F.batch_norm(
                    a, None if self.training else self.get(name + ".running_mean"),
                    None if self.training else self.get(name + ".running_var"), self.get(name + ".weight"),
                    self.get(name + ".bias"), self.training, 0.1, 1e-5))
            values.append(y)
            for v in layer["in"]:  # free what nobody reads any more
                if v >= 0 and last[v] == i:
                    values[v] = None
        return values[-1]


def loss_sum(logits, label):
    """Cross-entropy summed over the places that carry a bit, and how many do."""
    mask = (label != NO_BIT).to(logits.dtype)
    bits = F.binary_cross_entropy_with_logits(logits, label * mask, weight=mask, reduction="sum")
    return bits, mask.sum()
