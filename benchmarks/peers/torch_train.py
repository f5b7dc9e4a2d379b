"""Trains nets in PyTorch from given weights.

    python3 torch_train.py --steps N --rate RATE NET INPUT OUTPUT [NET INPUT OUTPUT]...

An input is a safetensors file: x, t and the weights of this library in its order
and layout. A step is forward, cross entropy, backward and SGD with momentum 0.9,
on the whole of (x, t). The output is a file of the same kind: the losses of the
steps, the gradients of the first one under "gradient/" and the names of the
weights, and the weights after the last. Prints "{}" when all is done.
"""

import argparse

import torch
from torch import nn

import torch_nets
from torch_safetensors import read, write


def layers(net):
    return [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear, nn.BatchNorm2d))]


def set_weights(net, arrays):
    """Sets all weights from an iterator over the arrays of this library."""
    with torch.no_grad():
        for m in layers(net):
            if isinstance(m, nn.BatchNorm2d):
                for p in (m.weight, m.bias, m.running_mean, m.running_var):
                    p.copy_(next(arrays))
                continue
            w = next(arrays)
            if m.bias is not None:
                m.bias.copy_(w[-1])
                w = w[:-1]
            m.weight.copy_(w.T.reshape(m.weight.shape))
    if next(arrays, None) is not None:
        raise SystemExit("more weights than the net has")


def weights(net, of=lambda p: p):
    """All weights, or of applied to each, as arrays of this library."""
    arrays = []
    for m in layers(net):
        if isinstance(m, nn.BatchNorm2d):
            arrays += [of(m.weight), of(m.bias), m.running_mean, m.running_var]
            continue
        w = of(m.weight).flatten(1).T
        if m.bias is not None:
            w = torch.cat([w, of(m.bias)[None]])
        arrays.append(w)
    return [a.detach().clone() for a in arrays]


def train(name, source, target, steps, rate):
    given = read(source)
    x, t = given.pop("x"), given.pop("t")
    net = torch_nets.NETS[name](10).to(x.dtype)
    set_weights(net, iter(given.values()))
    loss = nn.CrossEntropyLoss()
    sgd = torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9)
    losses, out = [], {}
    for _ in range(steps):
        sgd.zero_grad(set_to_none=True)
        j = loss(net(x), t)
        j.backward()
        losses.append(j.item())
        if not out:
            gradients = weights(net, lambda p: p.grad)
            out = {"gradient/" + name: g for name, g in zip(given, gradients)}
        sgd.step()
    out["loss"] = torch.tensor(losses, dtype=torch.float64)
    out.update(zip(given, weights(net)))
    write(target, out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("nets", nargs="+", metavar="NET INPUT OUTPUT")
    args = parser.parse_args()
    for net, source, target in zip(args.nets[::3], args.nets[1::3], args.nets[2::3], strict=True):
        train(net, source, target, args.steps, args.rate)
    print("{}")


main()
