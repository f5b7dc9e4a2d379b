"""Reads a safetensors file by its definition, and writes each tensor x of it as
x.float32, its values in F32, and as x, those values rounded to x's dtype again."""
import json
import struct
import sys

import torch

dtypes = {"F16": torch.float16, "BF16": torch.bfloat16}

with open(sys.argv[1], "rb") as f:
    length, = struct.unpack("<Q", f.read(8))
    header = json.loads(f.read(length))
    data = f.read()

out, body = {}, b""


def add(name, dtype, t, raw):
    global body
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
with open(sys.argv[2], "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text + body)
