"""Small source models, and data that they can be reprogrammed for. Tests import this module."""

import os

import numpy as np
import torch
from torch import nn

from skreprogram.sources import SourceModel


def seeded(make, seed=0):
    """Call a maker of networks with seeded draws, leaving the global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def table_network(n_inputs=8, n_outputs=6):
    """A network on feature tables."""
    return seeded(
        lambda: nn.Sequential(nn.Linear(n_inputs, 16), nn.Tanh(), nn.Linear(16, n_outputs))
    )


def disturbed_network(n_inputs=8, n_outputs=6):
    """A network that differs in training mode: batch statistics and dropout."""
    return seeded(
        lambda: nn.Sequential(
            nn.Linear(n_inputs, 16),
            nn.BatchNorm1d(16),
            nn.Tanh(),
            nn.Dropout(0.5),
            nn.Linear(16, n_outputs),
        )
    )


class ImageNetwork(nn.Module):
    """A small convolutional network on images of one channel."""

    input_shape = (1, 8, 8)

    def __init__(self, n_outputs=6):
        super().__init__()
        self.convolution = nn.Conv2d(1, 4, 3)
        self.linear = nn.Linear(4 * 36, n_outputs)

    def forward(self, images):
        return self.linear(self.convolution(images).relu().flatten(1))


class SoundNetwork(nn.Module):
    """A small convolutional network on half a second of sound at 400 hertz."""

    input_shape = (200,)

    def __init__(self, n_outputs=6):
        super().__init__()
        self.convolution = nn.Conv1d(1, 32, 32, stride=4)
        self.linear = nn.Linear(64, n_outputs)

    def forward(self, waveform):
        heard = self.convolution(waveform.unsqueeze(1)).relu()
        return self.linear(torch.cat([heard.mean(-1), heard.std(-1)], 1))


class ConstantNetwork(nn.Module):
    """A network that answers every row alike, in a shape or with values that are wrong."""

    def __init__(self, answer):
        super().__init__()
        self.register_buffer("answer", torch.as_tensor(answer))

    def forward(self, inputs):
        return self.answer.expand(len(inputs), *self.answer.shape).clone()


def table_source(n_inputs=8, n_outputs=6):
    """Handle of :func:`table_network`."""
    return SourceModel.from_module(table_network(n_inputs, n_outputs), (n_inputs,))


def image_source():
    """Handle of :class:`ImageNetwork`."""
    return SourceModel.from_module(seeded(ImageNetwork), (1, 8, 8), value_range=(0, 1))


def sound_source():
    """Handle of :class:`SoundNetwork`."""
    facts = {"value_range": (-1, 1), "sampling_rate": 400}
    return SourceModel.from_module(seeded(SoundNetwork), (200,), **facts)


def blobs(n_samples=30, n_features=5, n_classes=3, random_state=0):
    """A table whose classes lie apart; labels are 0, 1, ..."""
    rng = np.random.RandomState(random_state)
    y = np.arange(n_samples) % n_classes
    centres = 4 * rng.normal(size=(n_classes, n_features))
    return centres[y] + rng.normal(size=(n_samples, n_features)), y


def squares(n_samples=24, random_state=0):
    """Images of shape (1, 5, 5) between 0 and 1, bright on the left or on the right."""
    rng = np.random.RandomState(random_state)
    y = np.arange(n_samples) % 2
    X = rng.uniform(0, 0.4, size=(n_samples, 1, 5, 5))
    X[y == 0, :, :, :2] += 0.6
    X[y == 1, :, :, 3:] += 0.6
    return X, y


class HeavyNetwork(nn.Module):
    """A network of 100 MB whose every weight has a part in the outputs."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 6)
        self.ballast = nn.Parameter(torch.empty(25_000_000))

    def forward(self, inputs):
        return self.linear(inputs) + self.ballast.mean()


def heavy_network(log):
    """Build a :class:`HeavyNetwork`, and note in a file which process did."""
    with open(log, "a") as file:
        file.write(f"{os.getpid()}\n")
    return HeavyNetwork()
