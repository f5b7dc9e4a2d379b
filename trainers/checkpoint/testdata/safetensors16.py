"""Reads safetensors files by their definition, and writes each tensor x of one as
x.float32, its values in F32, and as x, those values rounded to x's dtype again.

    python3 safetensors16.py INPUT OUTPUT [INPUT OUTPUT]...
"""
import json
import struct
import sys

import torch

dtypes = {"F16": torch.float16, "BF16": torch.bfloat16}


def convert(source, target):
    with open(source, "rb") as f:
        length, = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(length))
        data = f.read()
    out, body = {}, b""

    def add(name, dtype, t, raw):
        nonlocal body
        out[name] = {"dtype": dtype, "shape": list(t.shape), "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw

    for name, e in header.items():
        begin, end = e["data_offsets"]
        t = torch.frombuffer(bytearray(data[begin:end]), dtype=dtypes[e["dtype"]]).reshape(e["shape"])
        wide = t.float()
        add(name + ".float32", "F32", wide, wide.numpy().tobytes())
        narrow = wide.to(dtypes[e["dtype"]]).contiguous().view(torch.int16)
        add(name, e["dtype"], t, narrow.numpy().tobytes())
    text = json.dumps(out).encode()
    with open(target, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + body)


for source, target in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    convert(source, target)
