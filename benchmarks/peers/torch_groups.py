"""Trains a small net in float64 by torch.optim with parameter groups.

    python3 torch_groups.py < tasks.json

The input has tasks by name: the data, the weights at the start and, for each optimizer, its
groups: names of parameters, settings and the rate's factor by step. Parameters in no group
are frozen. The output has, by the same names, the loss before each step and the weights
after the last one.
"""

import json
import sys

import torch
import torch.nn.functional as F


def read(a):
    return torch.tensor(a["data"], dtype=torch.float64).reshape(a["shape"])


def train(task):
    x, labels = read(task["x"]), torch.tensor(task["labels"])
    w = {name: read(a) for name, a in task["weights"].items()}
    optimizers, factors = [], []
    for o in task["optimizers"]:
        groups = []
        for g in o["groups"]:
            for name in g["names"]:
                w[name].requires_grad_()
            groups.append({"params": [w[name] for name in g["names"]], **g["settings"]})
        optimizers.append(getattr(torch.optim, o["class"])(groups, lr=1.0))
        factors.append([[g["settings"]["lr"] * f for f in g["factors"]] for g in o["groups"]])
    losses = []
    for step in range(task["steps"]):
        rows = task["rows"][step]
        h = torch.tanh(x[rows] @ w["first"] + w["first bias"])
        h = F.layer_norm(h, h.shape[1:], w["gain"], w["shift"], eps=1e-5)
        loss = F.cross_entropy(h @ w["last"] + w["last bias"], labels[rows])
        losses.append(loss.item())
        for o in optimizers:
            o.zero_grad()
        loss.backward()
        for o, rates in zip(optimizers, factors):
            for g, rate in zip(o.param_groups, rates):
                g["lr"] = rate[step]
            o.step()
    return {"losses": losses, "weights": {name: a.detach().flatten().tolist() for name, a in w.items()}}


torch.set_num_threads(1)
json.dump({name: train(task) for name, task in json.load(sys.stdin).items()}, sys.stdout)
