"""What a run is scored by: accuracy, and how far its probabilities can be believed."""

import numpy as np
from sklearn.metrics import log_loss


def scores(y_true, predicted, probabilities, classes):
    """The columns of a row that compare answers with labels.

    Parameters
    ----------
    y_true, predicted : array-like of shape (n_samples,)
        Labels.
    probabilities : ndarray of shape (n_samples, n_classes) or None
        None where the estimator has none; then their columns are empty.
    classes : array-like of shape (n_classes,)
        Labels in the order of the columns of `probabilities`.

    Returns
    -------
    dict of str to str
        ``accuracy``, ``log_loss`` (nats, natural logarithm), ``calibration_error``.
    """
    row = {"accuracy": f"{np.mean(predicted == y_true):.6f}"}
    if probabilities is None:
        return row | {"log_loss": "", "calibration_error": ""}
    error = expected_calibration_error(y_true, probabilities, classes)
    return row | {
        "log_loss": f"{log_loss(y_true, probabilities, labels=classes):.6f}",
        "calibration_error": f"{error:.6f}",
    }


def expected_calibration_error(y_true, probabilities, classes, n_bins=15):
    """Mean distance between the highest probability and the share of right answers.

    Samples are put into bins B of equal width by the probability of their likeliest class:
    ``sum_B |B| / n * |accuracy(B) - mean probability(B)|``.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels.
    probabilities : ndarray of shape (n_samples, n_classes)
        Rows sum to one.
    classes : array-like of shape (n_classes,)
        Labels in the order of the columns.
    n_bins : int, default=15
        Bins between 0 and 1, each with its upper edge.

    Returns
    -------
    float
        Between 0 and 1; 0 is calibrated.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On Calibration of Modern Neural Networks",
       ICML 2017, equation 3.

    Examples
    --------
    Four answers of probability 0.9, one of them wrong.

    >>> probabilities = np.array([[0.9, 0.1]] * 4)
    >>> round(expected_calibration_error([0, 0, 0, 1], probabilities, [0, 1]), 6)
    0.15
    """
    confidence = np.asarray(probabilities, dtype=float).max(axis=1)
    right = np.asarray(classes)[np.argmax(probabilities, axis=1)] == np.asarray(y_true)
    bins = np.ceil(confidence * n_bins).astype(int)
    # the sizes of the bins cancel: |sum of their differences| / n
    differences = np.bincount(bins, weights=right - confidence)
    return float(np.abs(differences).sum() / len(confidence))
