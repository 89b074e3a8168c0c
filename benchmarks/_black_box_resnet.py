"""ResNet-20 for CIFAR-10, with the names of the published weights."""

from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """Two convolutions with a way around them that has no weights."""

    def __init__(self, n_inputs, n_channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(n_inputs, n_channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_channels)
        self.conv2 = nn.Conv2d(n_channels, n_channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_channels)
        self.stride, self.missing = stride, n_channels - n_inputs

    def forward(self, maps):
        inside = self.bn1(self.conv1(maps)).relu()
        around = maps[..., :: self.stride, :: self.stride]
        half = self.missing // 2
        around = F.pad(around, (0, 0, 0, 0, half, self.missing - half))
        return (self.bn2(self.conv2(inside)) + around).relu()


class ResNet20(nn.Module):
    """The network of He et al. (CVPR 2016) for images of 32 by 32 pixels."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*(Block(16, 16, 1) for _ in range(3)))
        self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
        self.layer3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
        self.linear = nn.Linear(64, 10)

    def forward(self, images):
        """Map images (n, 3, 32, 32) to logits (n, 10)."""
        maps = self.bn1(self.conv1(images)).relu()
        return self.linear(self.layer3(self.layer2(self.layer1(maps))).mean((2, 3)))
