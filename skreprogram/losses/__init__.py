"""Training losses: what a wrong answer costs, of classes and of values."""

from skreprogram.losses._of_classes import ClassBalancedLoss, CrossEntropy, FocalLoss, Loss
from skreprogram.losses._of_values import (
    AbsoluteLoss,
    QuantileLoss,
    RegressionLoss,
    SquaredLoss,
)

__all__ = [
    "AbsoluteLoss",
    "ClassBalancedLoss",
    "CrossEntropy",
    "FocalLoss",
    "Loss",
    "QuantileLoss",
    "RegressionLoss",
    "SquaredLoss",
]
