"""Writes the golden file of ops in bfloat16, computed by PyTorch on a CPU.

    python3 torch_bfloat16.py ../../apoops/testdata/torch_bfloat16.json

A case has the inputs and the gradient by the value in bfloat16, and the value and the
gradients by the inputs that PyTorch computes in bfloat16 and, from the same numbers, in
float32, rounded: some ops of it round sums or moments on the way.
"""

import json
import random
import sys

import torch
import torch.nn.functional as F

BF = torch.bfloat16


def draw(*shape, low=-2.0, high=2.0):
    n = 1
    for s in shape:
        n *= s
    return torch.tensor([random.uniform(low, high) for _ in range(n)]).reshape(shape).to(BF)


def flat(x):
    return x.detach().to(BF).float().flatten().tolist()


def results(f, inputs, dy, dtype):
    inputs = [x.detach().to(dtype).requires_grad_() for x in inputs]
    y = f(*inputs)
    y.backward(dy.to(dtype))
    return [flat(y)] + [flat(x.grad) for x in inputs]


def case(op, f, *inputs, backward=None):
    """backward is the gradient as a function of dy and y, where it depends on y: on that as
    it is kept, rounded."""
    dy = draw(*f(*inputs).shape)
    single = results(f, inputs, dy, torch.float32)
    if backward:
        single[1] = flat(backward(dy.float(), f(*[x.float() for x in inputs]).to(BF).float()))
    return dict(op=op, shapes=[list(x.shape) for x in inputs], inputs=[flat(x) for x in inputs], dy=flat(dy),
                low=results(f, inputs, dy, BF), single=single)


def main():
    random.seed(1)
    cases = [
        case("product", lambda x, w: x @ w, draw(5, 40), draw(40, 6)),
        case("relu", torch.relu, draw(4, 20)),
        case("tanh", torch.tanh, draw(4, 20)),
        case("sigmoid", torch.sigmoid, draw(4, 20)),
        case("add", lambda x, y: x + y, draw(4, 20), draw(4, 20)),
        case("softmax", lambda x: torch.softmax(x, 1), draw(4, 20)),
        case("logSoftmax", lambda x: torch.log_softmax(x, 1), draw(4, 20),
             backward=lambda dy, y: dy - y.exp() * dy.sum(1, keepdim=True)),
        case("layerNorm", lambda x, w, b: F.layer_norm(x, [20], w, b, 1e-5), draw(4, 20), draw(20), draw(20)),
        case("conv", lambda x, w: F.conv2d(x, w, padding=1), draw(2, 3, 7, 6), draw(4, 3, 3, 3)),
        case("max", lambda x: F.max_pool2d(x, 2), draw(2, 3, 6, 8)),
        case("average", lambda x: F.avg_pool2d(x, 2), draw(2, 3, 6, 8)),
        case("norm", lambda x, w, b: F.batch_norm(x, None, None, w, b, True, 0.1, 1e-5), draw(3, 2, 4, 5), draw(2), draw(2)),
    ]
    text = json.dumps(dict(torch=torch.__version__, cases=cases))
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w") as f:
            f.write(text + "\n")
    else:
        print(text)


if __name__ == "__main__":
    main()
