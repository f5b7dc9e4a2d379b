"""Trains small nets and exchanges their weights as safetensors files.

    python3 torch_weights.py train FOLDER
    python3 torch_weights.py evaluate FOLDER

The first writes NAME.safetensors, the state dict of each net after some steps, and
NAME.data.safetensors, the set x, t that it was trained on. The second loads
NAME.back.safetensors into new nets, every name required. Both print the mean loss of
each net on its set, in evaluation mode, as JSON.
"""

import json
import os
import sys

import torch
from torch import nn

import torch_safetensors


class LeNet(nn.Module):
    """As in PyTorch's tutorial on CIFAR-10."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = nn.functional.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x)))))


def mlp():
    return nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 5))


def normed():
    """Has what LeNet lacks: no biases, a kernel that is no square, statistics."""
    return nn.Sequential(
        nn.Conv2d(2, 4, (3, 2), bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
        nn.Linear(4 * 4 * 5, 7, bias=False), nn.LayerNorm(7), nn.Linear(7, 3))


# By name the net, the shape of an example, the classes and the dtype.
NETS = {
    "lenet": (LeNet, (3, 32, 32), 10, torch.float32),
    "mlp": (mlp, (20,), 5, torch.float32),
    "mlp64": (mlp, (20,), 5, torch.float64),
    "normed": (normed, (2, 6, 6), 3, torch.float32),
}
EXAMPLES, STEPS = 64, 8


def loss_of(net, x, t):
    net.eval()
    with torch.no_grad():
        return nn.functional.cross_entropy(net(x), t).item()


def train(folder, name):
    make, shape, classes, dtype = NETS[name]
    net = make().to(dtype)
    x = torch.randn(EXAMPLES, *shape, dtype=dtype)
    t = torch.randint(classes, (EXAMPLES,))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for _ in range(STEPS):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), t).backward()
        optimizer.step()
    torch_safetensors.write(os.path.join(folder, name + ".safetensors"), net.state_dict())
    torch_safetensors.write(os.path.join(folder, name + ".data.safetensors"), {"x": x, "t": t})
    return loss_of(net, x, t)


def evaluate(folder, name):
    make, _, _, dtype = NETS[name]
    net = make().to(dtype)
    net.load_state_dict(torch_safetensors.read(os.path.join(folder, name + ".back.safetensors")), strict=True)
    data = torch_safetensors.read(os.path.join(folder, name + ".data.safetensors"))
    return loss_of(net, data["x"], data["t"])


if __name__ == "__main__":
    torch.manual_seed(1)
    run = {"train": train, "evaluate": evaluate}[sys.argv[1]]
    print(json.dumps({name: run(sys.argv[2], name) for name in NETS}))
