"""Gradients: how the training of a program knows where to go."""

from skreprogram.gradients._base import Gradient, Objective, Step

__all__ = ["Gradient", "Objective", "Step"]
