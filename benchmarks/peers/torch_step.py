"""Time and memory of training steps of a net in PyTorch.

A step is forward, cross entropy, backward and SGD with momentum 0.9, or Adam, on random
data of ten classes, in float32, in bfloat16 where autocast has it, or in bfloat16 alone.
Prints one line of JSON: the median and the least
milliseconds of a step, and this process's resident memory in bytes, after the
imports and at its peak.
"""

import argparse
import json
import statistics
import time

import torch

import torch_nets
from torch_resident import blas, resident


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--net", choices=sorted(torch_nets.NETS), required=True)
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--warmup", type=int, default=10)
    parser.add_argument("--channels-last", action="store_true", help="order of images in memory")
    parser.add_argument("--precision", choices=["float32", "autocast", "bfloat16"], default="float32")
    parser.add_argument("--optimizer", choices=["sgdm", "adam"], default="sgdm")
    parser.add_argument("--foreach", action="store_true", help="Adam on lists of parameters")
    args = parser.parse_args()

    base = resident("VmRSS")
    if args.threads > 0:
        torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    net = torch_nets.NETS[args.net](10)
    loss = torch.nn.CrossEntropyLoss()
    if args.precision == "bfloat16":
        net = net.bfloat16()
    if args.optimizer == "adam":
        rule = torch.optim.Adam(net.parameters(), lr=0.001, foreach=args.foreach)
    else:
        rule = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    x, t = torch_nets.batch(args.net, args.batch)
    if args.precision == "bfloat16":
        x = x.bfloat16()
    if args.channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)

    times = []
    for i in range(args.warmup + args.steps):
        began = time.perf_counter()
        rule.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.precision == "autocast"):
            y = net(x)
        loss(y.float(), t).backward()
        rule.step()
        if i >= args.warmup:
            times.append(1e3 * (time.perf_counter() - began))
    print(json.dumps({
        "median_ms": statistics.median(times),
        "min_ms": min(times),
        "peak_bytes": resident("VmHWM"),
        "base_bytes": base,
        "parameters": torch_nets.parameters(net),
        "version": torch.__version__,
        "blas": blas(),
        "threads": torch.get_num_threads(),
    }))


main()
