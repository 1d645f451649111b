"""safetensors files of F32 tensors, read and written."""
import json
import struct

import numpy


def read_safetensors(path):
    """(metadata, {name: numpy array}) of a safetensors file of F32 tensors."""
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    metadata = header.pop("__metadata__", {})
    arrays = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        flat = numpy.frombuffer(data[8 + size + begin : 8 + size + end], dtype="<f4")
        arrays[name] = flat.reshape(entry["shape"]).copy()
    return metadata, arrays


def write_safetensors(path, arrays):
    header, blobs, at = {}, [], 0
    for name, array in arrays.items():
        blob = numpy.ascontiguousarray(array, dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
