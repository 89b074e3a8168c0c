"""Linear heads that are solved, for classes and for values."""

import math
from typing import NamedTuple

import numpy as np
import torch

from skreprogram.mappings._calibration import calibrate
from skreprogram.mappings._least_loss import solve_least_loss
from skreprogram.mappings._ridge import solve_ridge


class Head(NamedTuple):
    """Scores are ``(given - shift) @ weight + bias``."""

    shift: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor


def solve_head(given, y, sample_weight, n_targets, standard, alphas=None, loss=None):
    """Solve a linear head.

    Parameters
    ----------
    given : torch.Tensor of shape (n_samples, n_features)
        Features of the training data.
    y : torch.Tensor of int of shape (n_samples,), or of float of shape (n_samples, n_targets)
        Class codes, which become one-hot targets and calibrated scores, or values.
    sample_weight : torch.Tensor of shape (n_samples,)
        Positive weights.
    n_targets : int
        Number of target classes, or of values of a sample.
    standard : dict of str to torch.Tensor
        ``shift`` and ``factor`` that standardise the features.
    alphas : array-like of float or None, default=None
        Penalties to choose from; None takes 25 from 1e-5 to 1e3.
    loss : callable or None, default=None
        Losses of rows of values, from predicted values and y; None is the squared error.

    Returns
    -------
    head : Head
        In the precision of the features.
    """
    F = ((given - standard["shift"]) * standard["factor"]).numpy()
    weight = sample_weight.numpy()
    sharp = 1.0
    if loss is not None:
        # thirds of the decades: these trials are not free
        alphas = list_alphas(alphas, 9)
        coef, intercept = solve_least_loss(F, y.numpy(), weight / weight.sum(), alphas, loss)
    else:
        targets = class_targets(y, n_targets, F.dtype)
        # mean weight one, so that the penalties mean the same whatever the weights' scale
        solution = solve_ridge(F, targets, weight / weight.mean(), list_alphas(alphas))
        coef, intercept = solution.coef, solution.intercept
        if not y.is_floating_point():
            sharp = calibrate(solution.left_out, y.numpy(), weight).factor
    # the factors go into the weights, which makes the program a quarter smaller
    coef = coef * sharp * standard["factor"].numpy()[:, None]
    tensors = (torch.from_numpy(np.asarray(part)).to(given) for part in (coef, intercept * sharp))
    return Head(standard["shift"], *tensors)


def standardise(mean, spread, weights=None):
    """Shift and factor that give every feature unit variance and every row about unit norm.

    Parameters
    ----------
    mean, spread : torch.Tensor of shape (n_features,)
        Of the features; constant ones get the factor 0.
    weights : torch.Tensor of shape (n_features,) or None, default=None
        Positive numbers that the features are multiplied by, before rows get unit norm; None is
        one for each.

    Returns
    -------
    standard : dict of str to torch.Tensor
        ``shift`` and ``factor``.
    """
    usable = spread > 1e-6 * (1 + mean.abs())
    factor = torch.where(usable, 1 / spread.where(usable, spread.new_ones(())), 0.0)
    if weights is None:
        return {"shift": mean, "factor": factor / math.sqrt(max(int(usable.sum()), 1))}
    norm = (weights.square() * usable).sum().clamp_min(torch.finfo(mean.dtype).tiny).sqrt()
    return {"shift": mean, "factor": factor * weights / norm}


def list_alphas(alphas, n_alphas=25):
    """Check ridge penalties; None stands for so many from 1e-5 to 1e3."""
    listed = np.logspace(-5, 3, n_alphas) if alphas is None else np.asarray(alphas, float)
    if listed.ndim != 1 or not len(listed) or not (np.isfinite(listed) & (listed > 0)).all():
        raise ValueError(f"Got alphas={alphas!r}, expected None or a list of positive numbers.")
    return listed


def class_targets(y, n_targets, dtype):
    """One-hot targets of -1 and 1; values as they are."""
    if y.is_floating_point():
        return y.numpy()
    return np.where(np.arange(n_targets) == y.numpy()[:, None], 1.0, -1.0).astype(dtype)
