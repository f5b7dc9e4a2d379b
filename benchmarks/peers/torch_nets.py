"""The compared nets in PyTorch.

Images are N x 3 x 32 x 32. The modules stand in the order of this library's
parameters.
"""

import torch
from torch import nn
from torch.nn import functional as F


def mlp(classes):
    return nn.Sequential(
        nn.Linear(784, 1000), nn.ReLU(inplace=True),
        nn.Linear(1000, 1000), nn.ReLU(inplace=True),
        nn.Linear(1000, classes),
    )


def lenet(classes):
    return nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(inplace=True),
        nn.Linear(120, 84), nn.ReLU(inplace=True),
        nn.Linear(84, classes),
    )


def alexnet(classes):
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=5), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(256, classes),
    )


def vgg16(classes):
    """Configuration D without batch norm."""
    net, channels = nn.Sequential(), 3
    for width, convolutions in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(convolutions):
            net.append(nn.Conv2d(channels, width, 3, padding=1)).append(nn.ReLU(inplace=True))
            channels = width
        net.append(nn.MaxPool2d(2))
    return net.append(nn.Flatten()).append(nn.Linear(512, classes))


def conv_norm(channels, width, kernel, stride):
    return nn.Sequential(
        nn.Conv2d(channels, width, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(width),
    )


class Subsample(nn.Module):
    """Every other row and column, with channels of zeros after those of x."""

    def __init__(self, more):
        super().__init__()
        self.more = more

    def forward(self, x):
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.more))


class Block(nn.Module):
    """Two convolutions with a shortcut."""

    def __init__(self, channels, width, stride, project):
        super().__init__()
        self.first = conv_norm(channels, width, 3, stride)
        self.second = conv_norm(width, width, 3, 1)
        if stride == 1:
            self.shortcut = nn.Identity()
        elif project:
            self.shortcut = conv_norm(channels, width, 1, stride)
        else:
            self.shortcut = Subsample(width - channels)

    def forward(self, x):
        y = F.relu(self.first(x), inplace=True)
        y = self.second(y)
        y += self.shortcut(x)
        return F.relu(y, inplace=True)


def resnet(widths, blocks, project, classes):
    """A 3x3 stem and a stage of blocks for each width; each stage after the first
    halves the image. The shortcuts there are projections or have no parameters."""
    net = conv_norm(3, widths[0], 3, 1).append(nn.ReLU(inplace=True))
    channels = widths[0]
    for stage, width in enumerate(widths):
        for i in range(blocks):
            net.append(Block(channels, width, 2 if stage > 0 and i == 0 else 1, project))
            channels = width
    return net.append(nn.AdaptiveAvgPool2d(1)).append(nn.Flatten()).append(nn.Linear(channels, classes))


NETS = {
    "mlp": mlp,
    "lenet": lenet,
    "alexnet": alexnet,
    "vgg16": vgg16,
    "resnet8": lambda classes: resnet((16, 32, 64), 1, False, classes),
    "resnet18": lambda classes: resnet((64, 128, 256, 512), 2, True, classes),
    "resnet32": lambda classes: resnet((16, 32, 64), 5, False, classes),
}


def parameters(net):
    """The number of learned parameters."""
    return sum(p.numel() for p in net.parameters())


def batch(net, n):
    """n random examples for a net, with random classes."""
    shape = (784,) if net == "mlp" else (3, 32, 32)
    return torch.rand(n, *shape), torch.randint(10, (n,))
