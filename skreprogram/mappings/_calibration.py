"""Scores that become probabilities: one factor, from samples that were left out."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp


class Calibration(NamedTuple):
    """Factor of the scores, between 0.1 and 100, and the loss that is left with it."""

    factor: float
    loss: float


def calibrate(scores, codes, sample_weight, shares=None):
    """Find the factor that makes a softmax of the scores likeliest for the labels.

    This is temperature scaling. Of several classifiers it is the mean of their softmaxes that
    counts. Labels are smoothed as Platt does [1]_, so that classes which nothing confuses do not
    ask for an infinite factor.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_classes) or (n_heads, n_samples, n_classes)
        Scores of samples that were left out of the fit.
    codes : ndarray of int of shape (n_samples,)
        Classes.
    sample_weight : ndarray of shape (n_samples,)
        Weights.
    shares : ndarray of shape (n_heads,) or None, default=None
        How much each of several classifiers counts; None is equally.

    Returns
    -------
    calibration : Calibration
        ``factor``, and ``loss``: the weighted sum of the cross-entropies with the smoothed labels.

    References
    ----------
    .. [1] J. Platt, "Probabilistic Outputs for Support Vector Machines and Comparisons to
       Regularized Likelihood Methods", Advances in Large Margin Classifiers, 1999, section 2.2.
    """
    n_samples, n_classes = scores.shape[-2:]
    heads = scores.reshape(-1, n_samples, n_classes)
    shares = np.full(len(heads), 1 / len(heads)) if shares is None else shares
    mass = np.bincount(codes, sample_weight, n_classes)
    right = (mass + 1) / (mass + 2)
    target = np.repeat(((1 - right) / (n_classes - 1))[codes, None], n_classes, axis=1)
    target[np.arange(n_samples), codes] = right[codes]

    target *= sample_weight[:, None]
    below = heads - heads.max(2, keepdims=True)

    def loss(log_factor):
        # written out: thousands of calls in a fit, and scipy's checks take longer than the numbers
        scaled = np.exp(log_factor) * below
        log_p = scaled - np.log(np.exp(scaled).sum(2, keepdims=True))
        if len(log_p) > 1:
            log_p = logsumexp(log_p, axis=0, b=shares[:, None, None])
        return -(target * log_p).sum()

    limits = (np.log(0.1), np.log(100.0))
    found = minimize_scalar(loss, bounds=limits, options={"xatol": 1e-4})
    return Calibration(float(np.exp(found.x)), float(found.fun))
