"""Writes the golden file of pooling and batch norm, computed by PyTorch.

    python3 torch_images.py ../../apoops/testdata/torch_images.json

All inputs are multiples of 2^-6. A case has its settings, the inputs, the value
and the gradients of sum(weights * value) by each input that has one, in float64.
"""

import json
import random
import sys

import torch
import torch.nn.functional as F

POOLS = [  # shape, kernel, stride, padding
    ([2, 3, 4, 6], [2, 2], [2, 2], [0, 0]),
    ([1, 2, 7, 5], [2, 2], [2, 2], [0, 0]),
    ([2, 2, 7, 8], [3, 3], [2, 2], [1, 1]),
    ([1, 2, 6, 9], [3, 2], [1, 3], [1, 0]),
]
NORMS = [[4, 3], [2, 3, 4, 5], [3, 2, 1, 2]]
EPSILON, RATE = 1e-3, 0.1


def draw(*shape):
    n = 1
    for s in shape:
        n *= s
    # Few values, so that maxima are often equal.
    return torch.tensor([random.randint(-64, 64) / 64 for _ in range(n)], dtype=torch.float64).reshape(shape)


def case(op, settings, f, *inputs):
    inputs = [x.requires_grad_() for x in inputs]
    y = f(*inputs)
    weights = draw(*y.shape)
    (y * weights).sum().backward()
    flat = lambda x: x.detach().flatten().tolist()
    return dict(op=op, settings=settings, shape=list(inputs[0].shape), inputs=[flat(x) for x in inputs], weights=flat(weights),
                value=flat(y), gradients=[flat(x.grad) for x in inputs])


def main():
    random.seed(1)
    cases = []
    for shape, kernel, stride, pad in POOLS:
        geometry = dict(kernel=kernel, stride=stride, pad=pad)
        cases.append(case("max", geometry, lambda x: F.max_pool2d(x, kernel, stride, pad), draw(*shape)))
        cases.append(case("average", geometry, lambda x: F.avg_pool2d(x, kernel, stride, pad), draw(*shape)))
    for shape in NORMS:
        c = shape[1]
        mean, variance = torch.zeros(c, dtype=torch.float64), torch.ones(c, dtype=torch.float64)
        norm = lambda training: lambda x, w, b: F.batch_norm(x, mean, variance, w, b, training, RATE, EPSILON)
        relu = lambda f: lambda *a: torch.relu(f(*a))
        cases.append(case("norm", {}, norm(True), draw(*shape), draw(c), draw(c)))
        cases.append(case("normRelu", {}, relu(norm(True)), draw(*shape), draw(c), draw(c)))
        moved = dict(mean=mean.tolist(), variance=variance.tolist())
        cases.append(case("evalRelu", moved, relu(norm(False)), draw(*shape), draw(c), draw(c)))
        # The running statistics after one step from 0 and 1.
        x = draw(*shape)
        mean, variance = torch.zeros(c, dtype=torch.float64), torch.ones(c, dtype=torch.float64)
        one = torch.ones(c, dtype=torch.float64)
        made = case("statistics", {}, norm(True), x, one, torch.zeros(c, dtype=torch.float64))
        made["settings"] = dict(mean=mean.tolist(), variance=variance.tolist())
        cases.append(made)
    out = json.dumps(dict(torch=torch.__version__, epsilon=EPSILON, rate=RATE, cases=cases))
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w") as f:
            f.write(out + "\n")
    else:
        print(out)


main()
