"""Writes the golden file of the update rules, computed by torch.optim.

    python3 torch_rules.py ../../trainers/testdata/torch_rules.json

Every number that goes in (weights, gradients, rates) is a multiple of 2^-10 or
a power of two, so float32 and float64 start from the same values. The file has
the parameters with their gradients by step, and for each rule and dtype the
weights of all parameters, one after the other, after each step.
"""

import json
import random
import sys

import torch

STEPS = 8
# The learning rate's factor by step: the direction must not depend on it.
FACTORS = [1, 1, 1, 0.5, 0.5, 0.25, 2, 1]
SHAPES = {"matrix": [3, 4], "vector": [5]}

# Name, optimizer and settings here; class and settings in PyTorch.
RULES = [
    ("sgd", "sgd", {}, torch.optim.SGD, {}),
    ("sgd, decay", "sgd", {"weight_decay": 0.0625}, torch.optim.SGD, {"weight_decay": 0.0625}),
    ("momentum", "sgdm", {}, torch.optim.SGD, {"momentum": 0.9}),
    ("momentum, decay", "sgdm", {"momentum": 0.75, "weight_decay": 0.0625}, torch.optim.SGD,
     {"momentum": 0.75, "weight_decay": 0.0625}),
    ("nesterov", "sgdm", {"nesterov": True}, torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    ("nesterov, decay", "sgdm", {"nesterov": True, "weight_decay": 0.0625}, torch.optim.SGD,
     {"momentum": 0.9, "nesterov": True, "weight_decay": 0.0625}),
    ("rmsprop", "rmsprop", {}, torch.optim.RMSprop, {}),
    ("rmsprop, momentum", "rmsprop", {"momentum": 0.9}, torch.optim.RMSprop, {"momentum": 0.9}),
    ("rmsprop, decay", "rmsprop", {"decay": 0.9, "weight_decay": 0.0625}, torch.optim.RMSprop,
     {"alpha": 0.9, "weight_decay": 0.0625}),
    ("adam", "adam", {}, torch.optim.Adam, {}),
    ("adam, decay", "adam", {"beta2": 0.98, "weight_decay": 0.0625}, torch.optim.Adam,
     {"betas": (0.9, 0.98), "weight_decay": 0.0625}),
    ("adamw", "adamw", {}, torch.optim.AdamW, {}),
    ("adamw, decay", "adamw", {"eps": 1e-3, "weight_decay": 0.25}, torch.optim.AdamW,
     {"eps": 1e-3, "weight_decay": 0.25}),
]
LR = 2.0 ** -6


def draw(shape, magnitude):
    """Numbers of the given shape, flat, away from 0."""
    n = 1
    for s in shape:
        n *= s
    return [random.choice((-1, 1)) * round(1024 * magnitude * random.uniform(0.25, 1)) / 1024 for _ in range(n)]


def run(rule, params, dtype):
    """The weights after each step."""
    weights = [torch.tensor(p["start"], dtype=dtype).reshape(p["shape"]).requires_grad_() for p in params]
    optimizer = rule[3](weights, lr=LR, **rule[4])
    after = []
    for step, factor in enumerate(FACTORS):
        optimizer.param_groups[0]["lr"] = LR * factor
        for w, p in zip(weights, params):
            w.grad = torch.tensor(p["gradients"][step], dtype=dtype).reshape(p["shape"])
        optimizer.step()
        flat = [x for w in weights for x in w.detach().flatten().tolist()]
        # Nine digits identify a float32 number.
        after.append([float("%.9g" % x) if dtype == torch.float32 else x for x in flat])
    return after


def golden():
    random.seed(1)
    torch.set_num_threads(1)
    params = [{
        "name": name,
        "shape": shape,
        "start": draw(shape, 2),
        "gradients": [draw(shape, 4.0 ** (step % 3 - 1)) for step in range(STEPS)],
    } for name, shape in SHAPES.items()]
    return {
        "torch": torch.__version__,
        "factors": FACTORS,
        "params": params,
        "rules": [{
            "name": r[0],
            "optimizer": r[1],
            "lr": LR,
            "settings": r[2],
            "float64": run(r, params, torch.float64),
            "float32": run(r, params, torch.float32),
        } for r in RULES],
    }


def main():
    text = json.dumps(golden(), indent=None, separators=(",", ":"))
    # One array of numbers on each line.
    text = text.replace("],[", "],\n[").replace('},{"', '},\n{"').replace("]],", "]],\n") + "\n"
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w") as f:
            f.write(text)
    else:
        sys.stdout.write(text)


main()
