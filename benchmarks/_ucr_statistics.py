"""Comparisons of estimators over data sets: mean ranks and paired tests."""

from itertools import combinations

import numpy as np
from scipy.stats import rankdata, wilcoxon


def mean_ranks(accuracy):
    """Mean rank of each estimator, 1 for the best; equal accuracies share their rank.

    Parameters
    ----------
    accuracy : ndarray of shape (n_sets, n_estimators)

    Returns
    -------
    ndarray of shape (n_estimators,)
    """
    return rankdata(-accuracy, axis=1).mean(axis=0)


def signed_rank_p(first, second):
    """P-value of Wilcoxon's signed-rank test, two-sided, over data sets.

    Ranks of sets with equal accuracies are split evenly, as Demsar recommends, so two equal
    columns have 1.

    Parameters
    ----------
    first, second : ndarray of shape (n_sets,)
        Accuracies on the same sets.

    Returns
    -------
    float

    References
    ----------
    .. [1] J. Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", Journal of
       Machine Learning Research, 2006.
    """
    return float(wilcoxon(first, second, zero_method="zsplit").pvalue)


def holm(p_values):
    """P-values corrected for their number, step down, after Holm.

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)

    Returns
    -------
    ndarray of shape (n_tests,)
        In the order given: below 0.05 what is significant with a family-wise error of 5 %.

    References
    ----------
    .. [1] S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal
       of Statistics, 1979.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p_values = np.asarray(p_values, dtype=float)
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    corrected = np.empty_like(p_values)
    corrected[order] = np.minimum(1, np.maximum.accumulate(factors * p_values[order]))
    return corrected


def pairwise_p(accuracy):
    """P-values between all pairs of estimators, corrected for the number of pairs.

    Parameters
    ----------
    accuracy : ndarray of shape (n_sets, n_estimators)

    Returns
    -------
    ndarray of shape (n_estimators, n_estimators)
        Symmetric, with ones on the diagonal.

    References
    ----------
    .. [1] A. Benavoli, G. Corani, F. Mangili, "Should We Really Use Post-Hoc Tests Based on
       Mean-Ranks?", Journal of Machine Learning Research, 2016.
    """
    pairs = list(combinations(range(accuracy.shape[1]), 2))
    corrected = holm([signed_rank_p(accuracy[:, i], accuracy[:, j]) for i, j in pairs])
    matrix = np.eye(accuracy.shape[1])
    for (i, j), p_value in zip(pairs, corrected, strict=True):
        matrix[i, j] = matrix[j, i] = p_value
    return matrix
