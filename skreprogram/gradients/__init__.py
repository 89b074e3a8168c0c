"""Gradients: how the training of a program knows where to go."""

from skreprogram.gradients._backpropagation import Backpropagation
from skreprogram.gradients._base import Gradient, Objective, QueryGradient, Step
from skreprogram.gradients._covariance_adaptation import CovarianceAdaptation
from skreprogram.gradients._random_directions import RandomDirections
from skreprogram.gradients._score_function import Draws, ScoreFunction
from skreprogram.gradients._simultaneous_perturbation import SimultaneousPerturbation
from skreprogram.gradients._surrogate import Surrogate

__all__ = [
    "Backpropagation",
    "CovarianceAdaptation",
    "Draws",
    "Gradient",
    "Objective",
    "QueryGradient",
    "RandomDirections",
    "ScoreFunction",
    "SimultaneousPerturbation",
    "Step",
    "Surrogate",
]
