"""How much each of several classifiers has to say, from predictions of samples left out."""

import numpy as np
from scipy.special import softmax

from skreprogram.mappings._calibration import calibrate

N_ROUNDS = 300


def mix(left_out, codes, sample_weight):
    """Shares of classifiers in the mean of their probabilities, and one factor of their scores.

    The shares make the mean likeliest for samples that were left out: stacking by the logarithmic
    score [1]_. The problem is convex; some hundred rounds of expectation maximisation from equal
    shares solve it, each of which gives a classifier the mean share that it has in the
    probabilities of the right classes.

    Parameters
    ----------
    left_out : ndarray of shape (n_heads, n_samples, n_classes)
        Scores of each classifier for samples that were left out of its fit.
    codes : ndarray of int of shape (n_samples,)
        Classes.
    sample_weight : ndarray of shape (n_samples,)
        Positive weights.

    Returns
    -------
    shares : ndarray of shape (n_heads,)
        Non-negative, with sum one.
    factor : float
        Of all scores, before the softmax.

    References
    ----------
    .. [1] Y. Yao, A. Vehtari, D. Simpson, A. Gelman, "Using Stacking to Average Bayesian
       Predictive Distributions", Bayesian Analysis 13(3), 2018, equation 4.
    """
    n_heads, n_samples, _ = left_out.shape
    factor = calibrate(left_out, codes, sample_weight).factor
    right = softmax(factor * left_out, axis=2)[:, np.arange(n_samples), codes]
    shares = np.full(n_heads, 1 / n_heads)
    for _ in range(N_ROUNDS):
        parts = shares[:, None] * right
        shares = (parts / parts.sum(0).clip(1e-300)) @ sample_weight / sample_weight.sum()
    return shares, calibrate(left_out, codes, sample_weight, shares).factor
