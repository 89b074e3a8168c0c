"""A generator of eight heaps on a circle, written down rather than trained. Tests import this."""

import math

import numpy as np
import torch
from torch import nn

from skreprogram.sources import GeneratorSource

N_HEAPS = 8


class Ring(nn.Module):
    """Latents (n, 4) to points (n, 2): direction from the first two numbers, radius from the third.

    The direction of standard normal numbers is uniform; bending it towards the nearest of eight
    directions heaps the points there.
    """

    def forward(self, latents):
        angle = torch.atan2(latents[:, 1], latents[:, 0])
        angle = angle - 0.9 / N_HEAPS * torch.sin(N_HEAPS * angle)
        radius = 1 + 0.05 * latents[:, 2]
        return torch.stack([radius * angle.cos(), radius * angle.sin()], 1)


def ring_source():
    """Handle of :class:`Ring`."""
    return GeneratorSource.from_module(Ring(), (4,))


def heap_of(points):
    """Number of the nearest heap, 0 to 7, of each point."""
    angle = np.arctan2(points[:, 1], points[:, 0]) * N_HEAPS / (2 * math.pi)
    return np.round(angle).astype(int) % N_HEAPS


def ring(n_per_heap=10, random_state=0):
    """Points (n, 2) around the eight heaps, and the number of the heap."""
    rng = np.random.RandomState(random_state)
    y = np.arange(N_HEAPS).repeat(n_per_heap)
    angle = 2 * math.pi * y / N_HEAPS + rng.normal(0, 0.1, len(y))
    radius = 1 + 0.05 * rng.normal(size=len(y))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1), y
