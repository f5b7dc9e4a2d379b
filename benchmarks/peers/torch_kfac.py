"""Time and memory of KFAC's training steps on a fully connected net in PyTorch.

    python3 torch_kfac.py --threads 2 --settings '{"lr": 0.01, ...}' task.safetensors

The file has the first weights, in the layout of this library, and batches x and t, used
in turn. The settings are those of this library's KFACConfig; the factors are those of the
batch's own targets, kept from the backward pass. A step that is timed is an interval of
inverses: inverse_every training steps. Prints one line of JSON as torch_step.py does, with
the losses of the first training steps.
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn

import torch_resident
import torch_safetensors


class KFAC:
    """d = nu (G + sqrt(l)/pi)^-1 g (A + pi sqrt(l))^-1, v = momentum v + d + decay w, w = w - lr v."""

    def __init__(self, net, settings):
        self.s = settings
        self.layers = [m for m in net if isinstance(m, nn.Linear)]
        self.momentum = [torch.zeros(m.out_features, m.in_features + 1) for m in self.layers]
        self.factors, self.inverses, self.updates, self.steps = None, None, 0, 0
        for m in self.layers:
            m.register_forward_hook(self.keep)

    def averages(self):
        return self.steps % self.s["factor_every"] == 0

    def keep(self, layer, inputs, output):
        if self.averages():
            layer.a = inputs[0].detach()
            output.register_hook(lambda s, layer=layer: setattr(layer, "s", s))

    def moments(self):
        for m in self.layers:
            n = len(m.a)
            a = torch.cat([m.a, m.a.new_ones(n, 1)], 1)
            yield torch.mm(a.T, a).div_(n), torch.mm(m.s.T, m.s).mul_(n)
            m.a = m.s = None

    def average(self):
        self.updates += 1
        w = min(1 - 1 / self.updates, self.s["cov_decay"])
        if self.factors is None:
            self.factors = list(self.moments())
            return
        for old, new in zip(self.factors, self.moments()):
            for x, y in zip(old, new):
                x.mul_(w).add_(y, alpha=1 - w)

    def invert(self):
        self.inverses = []
        for a, g in self.factors:
            pi = ((a.trace() / len(a)) / (g.trace() / len(g))).sqrt().item()
            self.inverses.append([self.damped(a, pi * self.s["damping"] ** 0.5), self.damped(g, self.s["damping"] ** 0.5 / pi)])

    @staticmethod
    def damped(x, damping):
        x = x.clone()
        x.diagonal().add_(damping)
        return torch.cholesky_inverse(torch.linalg.cholesky(x))

    @torch.no_grad()
    def step(self):
        s = self.s
        if self.averages():
            self.average()
        if self.steps % s["inverse_every"] == 0:
            self.invert()
        self.steps += 1
        gradients = [torch.cat([m.weight.grad, m.bias.grad[:, None]], 1) for m in self.layers]
        directions = [g @ x @ a for x, (a, g) in zip(gradients, self.inverses)]
        nu = 1
        if s["kl_clip"] > 0:
            size = s["lr"] ** 2 * sum(torch.dot(d.flatten(), x.flatten()).item() for d, x in zip(directions, gradients))
            nu = min(1, (s["kl_clip"] / size) ** 0.5) if size > 0 else 1
        for m, d, v in zip(self.layers, directions, self.momentum):
            v.mul_(s["momentum"]).add_(d, alpha=nu)
            if s["weight_decay"] > 0:
                v[:, :-1].add_(m.weight, alpha=s["weight_decay"])
                v[:, -1].add_(m.bias, alpha=s["weight_decay"])
            m.weight.sub_(v[:, :-1], alpha=s["lr"])
            m.bias.sub_(v[:, -1], alpha=s["lr"])


def build(arrays):
    """The net of the weights."""
    net = nn.Sequential()
    for w in arrays:
        m = nn.Linear(len(w) - 1, w.shape[1])
        with torch.no_grad():
            m.weight.copy_(w[:-1].T)
            m.bias.copy_(w[-1])
        net.append(m).append(nn.ReLU(inplace=True))
    return net[:-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--warmup", type=int, required=True)
    parser.add_argument("--losses", type=int, required=True, help="how many are printed")
    parser.add_argument("task")
    args = parser.parse_args()

    base = torch_resident.resident("VmRSS")
    if args.threads > 0:
        torch.set_num_threads(args.threads)
    given = torch_safetensors.read(args.task)
    batches = []
    while f"batch{len(batches)}/x" in given:
        batches.append([given.pop(f"batch{len(batches)}/{part}") for part in ("x", "t")])
    net = build(given.values())
    kfac, loss = KFAC(net, args.settings), nn.CrossEntropyLoss()

    times, losses = [], []
    for i in range(args.warmup + args.steps):
        began = time.perf_counter()
        for _ in range(args.settings["inverse_every"]):
            x, t = batches[kfac.steps % len(batches)]
            net.zero_grad(set_to_none=True)
            j = loss(net(x), t)
            j.backward()
            kfac.step()
            losses.append(j.item())
        if i >= args.warmup:
            times.append(1e3 * (time.perf_counter() - began))
    print(json.dumps({
        "median_ms": statistics.median(times),
        "min_ms": min(times),
        "peak_bytes": torch_resident.resident("VmHWM"),
        "base_bytes": base,
        "parameters": sum(p.numel() for p in net.parameters()),
        "losses": losses[:args.losses],
        "version": torch.__version__,
        "blas": torch_resident.blas(),
        "threads": torch.get_num_threads(),
    }))


main()
