"""A part of the training data that training does not see."""

import numpy as np
from sklearn.model_selection import train_test_split

from skreprogram.training._task import rows_of


def hold_out(X, y, weight, fraction, seed):
    """Cut a part from training data; with classes it is stratified.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...)
        Data.
    y : ndarray of int of shape (n_samples,), or of float of shape (n_samples, n_targets)
        Class codes, or values; rows with the code -1 have no label and train.
    weight : ndarray of shape (n_samples,)
        Sample weights.
    fraction : float
        Share of the part.
    seed : int
        Seed of the draw.

    Returns
    -------
    train, valid : Rows
        What is left, and the part; with classes both hold every one.

    Raises
    ------
    ValueError
        Where there are too few samples for that.
    """
    rows, unlabelled = np.arange(len(y)), np.arange(0)
    if y.dtype.kind in "iu":
        rows, unlabelled = np.flatnonzero(y >= 0), np.flatnonzero(y < 0)
    train, valid = _parted(rows, y[rows], fraction, seed)
    train = np.concatenate([train, unlabelled])
    return tuple(rows_of(X[part], y[part], weight[part]) for part in (train, valid))


def _parted(rows, y, fraction, seed):
    """Numbers of rows that train, and of those that validate."""
    n_valid = round(fraction * len(y))
    classes = y if y.dtype.kind in "iu" else None
    if classes is None:
        _check_room(len(y), n_valid, fraction)
    else:
        _check_classes(y, n_valid, fraction)
    return train_test_split(rows, test_size=n_valid, stratify=classes, random_state=seed)


def _check_room(n_samples, n_valid, fraction):
    if n_valid < 1 or n_samples - n_valid < 1:
        raise ValueError(
            f"Got {n_samples} samples, too few to cut a validation part of {fraction}. Set "
            "early_stopping=False, or give more data."
        )


def _check_classes(y, n_valid, fraction):
    n_samples, n_classes = np.bincount(y), len(np.unique(y))
    smallest = n_samples[n_samples > 0].min()
    if smallest < 2 or n_valid < n_classes or len(y) - n_valid < n_classes:
        raise ValueError(
            f"Got {len(y)} samples, {smallest} of them in the smallest class, too few to cut a "
            f"validation part of {fraction} with every class. Set early_stopping=False, or give "
            "more data."
        )
