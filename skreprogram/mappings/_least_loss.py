"""Linear regression of least loss, for convex losses other than the squared error."""

from itertools import islice

import numpy as np
import torch
from scipy.optimize import minimize
from sklearn.model_selection import KFold

N_FOLDS = 5
ONE_FOLD_FROM = 1_000


def solve_least_loss(F, Y, share, alphas, loss):
    """Fit linear regression of a convex loss, its penalty chosen by cross-validation.

    The mean loss plus ``alpha / n |coef|^2`` is convex, and solved to its minimum in double
    precision. Each fifth of the rows is held out in turn; of more than a thousand rows the first
    fifth only, which then says enough.

    Parameters
    ----------
    F : ndarray of shape (n_samples, n_features)
        Features, rows of about unit norm.
    Y : ndarray of shape (n_samples, n_targets)
        Targets.
    share : ndarray of shape (n_samples,)
        Positive weights that sum to one.
    alphas : array-like of float
        Positive penalties to choose from, which mean what they mean in ridge regression.
    loss : callable
        Losses of rows, from predicted values and targets, as tensors.

    Returns
    -------
    coef : ndarray of shape (n_features, n_targets)
        Weights.
    intercept : ndarray of shape (n_targets,)
        Values where all features are 0.
    """
    rows, rotation = _rotated(F.astype(np.float64))
    rows, Y, share = (np.ascontiguousarray(part, dtype=np.float64) for part in (rows, Y, share))
    penalties = 2 * np.sort(alphas)[::-1] / len(rows)
    best = 0
    if len(penalties) > 1 and len(rows) >= N_FOLDS:
        best = _held_out(rows, Y, share, penalties, loss).argmin()
    found = _minimise(rows, Y, share, penalties[best], loss)
    return rotation @ found[:-1], found[-1]


def _rotated(F):
    """Turn to the principal axes, as few as there are rows: the minimum stays the same."""
    left, sizes, right = np.linalg.svd(F, full_matrices=False)
    return left * sizes, right.T


def _held_out(rows, Y, share, penalties, loss):
    """Loss of rows that were left out, for each penalty."""
    # not the order of the rows, which may be sorted
    folds = KFold(N_FOLDS, shuffle=True, random_state=0).split(rows)
    n_trials = 1 if len(rows) > ONE_FOLD_FROM else N_FOLDS
    total = np.zeros(len(penalties))
    for kept, held in islice(folds, n_trials):
        inner = share[kept] / share[kept].sum()
        found = None
        # from stiff to loose, each from where the last one ended
        for i, penalty in enumerate(penalties):
            found = _minimise(rows[kept], Y[kept], inner, penalty, loss, found, 1e-6)
            predicted = rows[held] @ found[:-1] + found[-1]
            losses = loss(torch.from_numpy(predicted), torch.from_numpy(Y[held]))
            total[i] += share[held] @ losses.numpy()
    return total


def _minimise(rows, Y, share, penalty, loss, start=None, tolerance=1e-10):
    """Weights and, in the last row, intercepts of least loss plus penalty."""
    if start is None:
        start = np.vstack([np.zeros((rows.shape[1], Y.shape[1])), share @ Y])
    shares, targets = torch.from_numpy(share), torch.from_numpy(Y)
    # in these units of the coefficients all directions are about equally steep
    lengths = np.square(rows).sum(0) + penalty * len(rows) / 2
    unit = np.append(1 / np.sqrt(lengths), 1 / np.sqrt(len(rows)))[:, None]

    def value_and_slope(numbers):
        coef, intercept = np.split(numbers.reshape(start.shape) * unit, [-1])
        scores = torch.from_numpy(rows @ coef + intercept).requires_grad_()
        total = (loss(scores, targets) * shares).sum()
        (slope,) = torch.autograd.grad(total, scores)
        slope = slope.numpy()
        slopes = np.vstack([rows.T @ slope + penalty * coef, slope.sum(0)]) * unit
        value = total.item() + penalty / 2 * np.square(coef).sum()
        return len(rows) * value, len(rows) * slopes.ravel()

    first = (start / unit).ravel()
    limits = {"maxiter": 500, "ftol": tolerance, "gtol": 1e-6}
    found = minimize(value_and_slope, first, jac=True, method="L-BFGS-B", options=limits)
    return found.x.reshape(start.shape) * unit
