"""Reads and writes safetensors files."""

import json
import struct

import torch

DTYPES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64}


def read(path):
    """The tensors of a safetensors file by name, in the order of their data."""
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = bytearray(f.read())
    tensors = {}
    for name, e in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = e["data_offsets"]
        tensors[name] = torch.frombuffer(data[begin:end], dtype=DTYPES[e["dtype"]]).reshape(e["shape"])
    return tensors


def write(path, tensors):
    header, data = {}, b""
    for name, x in tensors.items():
        b = x.detach().contiguous().numpy().tobytes()
        dtype = next(k for k, v in DTYPES.items() if v == x.dtype)
        header[name] = dict(dtype=dtype, shape=list(x.shape), data_offsets=[len(data), len(data) + len(b)])
        data += b
    head = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(head)) + head + data)
