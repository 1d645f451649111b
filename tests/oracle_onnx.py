"""Runs an ONNX model with ONNX Runtime where it is installed, else with the plain NumPy below, and writes its output.

    oracle_onnx.py MODEL IN OUT    IN: safetensors with tensor "input"; OUT: safetensors with tensor "logits"; prints which
"""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(__file__))
import numpy  # noqa: E402
from support.safetensors import read_safetensors, write_safetensors  # noqa: E402

try:
    import onnxruntime
except ImportError:
    onnxruntime = None


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """{number: [values]} of a message of the protobuf wire format."""
    out, at = {}, 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        else:
            size, at = varint(data, at) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], at)
            value, at = data[at : at + size], at + size
        out.setdefault(tag >> 3, []).append(value)
    return out


def attributes(node):
    out = {}
    for raw in node.get(5, []):
        a = fields(raw)
        kind = a[20][0]
        out[a[1][0].decode()] = struct.unpack("<f", a[2][0])[0] if kind == 1 else a[3][0] if kind == 2 else a[8]
    return out


def conv(x, w, b, group=1, kernel_shape=(1, 1), dilations=(1, 1), pads=(0, 0, 0, 0)):
    n, _, f, t = x.shape
    x = numpy.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    out = numpy.zeros((n, len(w), f, t)) + b[:, None, None]
    for i in range(kernel_shape[0]):
        for j in range(kernel_shape[1]):
            part = x[:, :, i * dilations[0] : i * dilations[0] + f, j * dilations[1] : j * dilations[1] + t]
            if group == 1:
                out += numpy.einsum("oc,ncft->noft", w[:, :, i, j], part)
            else:  # depthwise: output o reads input o // multiplier
                out += numpy.repeat(part, len(w) // group, axis=1) * w[:, 0, i, j][:, None, None]
    return out


def norm(x, scale, shift, mean, variance, epsilon):
    column = [v[:, None, None] for v in (scale, shift, mean, variance)]
    return (x - column[2]) / numpy.sqrt(column[3] + epsilon) * column[0] + column[1]


OPERATORS = {
    "Conv": conv, "BatchNormalization": norm, "Relu": lambda x: numpy.maximum(x, 0), "Add": lambda a, b: a + b}


def plain(model, x):
    graph = fields(fields(model)[7][0])
    values = {fields(graph[11][0])[1][0]: x.astype(float)}
    for raw in graph[5]:
        tensor = fields(raw)
        values[tensor[8][0]] = numpy.frombuffer(tensor[9][0], "<f4").reshape(tensor[1]).astype(float)
    for raw in graph[1]:
        node = fields(raw)
        operator = OPERATORS[node[4][0].decode()]
        values[node[2][0]] = operator(*[values[name] for name in node[1]], **attributes(node))
    return values[fields(graph[12][0])[1][0]]


def main(path, source, target):
    with open(path, "rb") as file:
        model = file.read()
    x = read_safetensors(source)[1]["input"]
    if onnxruntime:
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        y = session.run(["logits"], {"input": x})[0]
    else:
        y = plain(model, x)
    write_safetensors(target, {"logits": y})
    print("ONNX Runtime " + onnxruntime.__version__ if onnxruntime else "plain NumPy")


main(*sys.argv[1:])
