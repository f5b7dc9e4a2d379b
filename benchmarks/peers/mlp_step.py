"""Time of one training step of a fully connected net in PyTorch.

The net is 784-1000-1000-10 with ReLU on random data in float32; a step is
forward, cross entropy, backward and SGD with momentum 0.9. Prints one line of
JSON with the median and the least milliseconds of a step.
"""

import argparse
import json
import statistics
import time

import torch


def blas():
    """The shared library that serves torch's matrix products, if it shows."""
    try:
        with open("/proc/self/maps") as maps:
            files = {line.split()[-1] for line in maps if "/" in line}
    except OSError:
        return "unknown"
    for word in ("openblas", "mkl_rt", "mkl_core", "blis", "libblas"):
        for f in sorted(files):
            if word in f:
                return f.rsplit("/", 2)[-2] + "/" + f.rsplit("/", 1)[-1]
    return "built in"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--warmup", type=int, default=10)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    net = torch.nn.Sequential(
        torch.nn.Linear(784, 1000), torch.nn.ReLU(),
        torch.nn.Linear(1000, 1000), torch.nn.ReLU(),
        torch.nn.Linear(1000, 10),
    )
    loss = torch.nn.CrossEntropyLoss()
    sgd = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    x = torch.rand(args.batch, 784)
    t = torch.randint(10, (args.batch,))

    times = []
    for i in range(args.warmup + args.steps):
        began = time.perf_counter()
        sgd.zero_grad(set_to_none=True)
        loss(net(x), t).backward()
        sgd.step()
        if i >= args.warmup:
            times.append(1e3 * (time.perf_counter() - began))
    print(json.dumps({
        "median_ms": statistics.median(times),
        "min_ms": min(times),
        "version": torch.__version__,
        "blas": blas(),
        "threads": torch.get_num_threads(),
    }))


main()
