"""Time and memory of training steps of a Transformer in PyTorch.

    python3 torch_text_step.py --blocks own --heads 4 --threads 2 task.safetensors

The file has the first weights, in the layout of this library, and batches of tokens. A
step is forward, label-smoothed cross entropy, backward and AdamW, in float32 without
dropout. The blocks are PyTorch's modules, or with "own" the functions of
torch_text_net.py. Prints one line of JSON as torch_step.py does, with the losses of all steps.
"""

import argparse
import json
import statistics
import time

import torch
from torch.nn import functional as F

import torch_resident
import torch_safetensors
from torch_text_net import PADDING, build

SMOOTHING, RATE, BETAS, DECAY = 0.1, 5e-4, (0.9, 0.98), 1e-4


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", choices=("own", "modules"), required=True)
    parser.add_argument("--heads", type=int, required=True)
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--warmup", type=int, required=True)
    parser.add_argument("task")
    args = parser.parse_args()

    base = torch_resident.resident("VmRSS")
    if args.threads > 0:
        torch.set_num_threads(args.threads)
    given = torch_safetensors.read(args.task)
    batches = []
    while f"batch{len(batches)}/source" in given:
        batches.append([given.pop(f"batch{len(batches)}/{part}") for part in ("source", "target", "next")])
    net = build(args.blocks, args.heads, given)
    adamw = torch.optim.AdamW(net.parameters(), lr=RATE, betas=BETAS, weight_decay=DECAY)

    times, losses = [], []
    for i in range(args.warmup + args.steps):
        source, target, following = batches[i % len(batches)]
        began = time.perf_counter()
        adamw.zero_grad(set_to_none=True)
        loss = F.cross_entropy(net(source, target).flatten(0, 1), following.flatten(), ignore_index=PADDING, label_smoothing=SMOOTHING)
        loss.backward()
        adamw.step()
        losses.append(loss.item())
        if i >= args.warmup:
            times.append(1e3 * (time.perf_counter() - began))
        del loss
    print(json.dumps({
        "median_ms": statistics.median(times),
        "min_ms": min(times),
        "peak_bytes": torch_resident.resident("VmHWM"),
        "base_bytes": base,
        "parameters": sum(p.numel() for p in net.parameters()),
        "losses": losses,
        "version": torch.__version__,
        "blas": torch_resident.blas(),
        "threads": torch.get_num_threads(),
    }))


main()
