"""Going on with the program of the last fit."""

import warnings
from typing import NamedTuple

import numpy as np

from skreprogram.training import Program


class LastFit(NamedTuple):
    """What a warm start goes on from."""

    program: Program
    targets: np.ndarray | tuple
    input_shape: tuple


def last_fit(estimator):
    """Remember the last fit before its attributes are overwritten.

    Parameters
    ----------
    estimator : BaseReprogrammer
        Perhaps fitted.

    Returns
    -------
    previous : LastFit or None
        None without ``warm_start`` or without an earlier fit.
    """
    if not estimator.warm_start or not hasattr(estimator, "program_"):
        return None
    return LastFit(estimator.program_, _targets(estimator), estimator.input_shape_)


def start_from(previous, estimator):
    """The program to go on with, for data of the same kind.

    Parameters
    ----------
    previous : LastFit or None
        What `last_fit` gave.
    estimator : BaseReprogrammer
        With the classes, or the shape of the targets, and the shape of the new data.

    Returns
    -------
    program : Program or None
    """
    if previous is None:
        return None
    program, targets, shape = previous
    found = _targets(estimator)
    if shape != estimator.input_shape_ or not np.array_equal(targets, found):
        noun = estimator._target_fact.rstrip("_").replace("_", " ")
        raise ValueError(
            f"Got warm_start=True with samples of shape {estimator.input_shape_} and {noun} "
            f"{np.array(found).tolist()}, expected those of the last fit: {shape} and "
            f"{np.array(targets).tolist()}. Set warm_start=False, or clone the estimator."
        )
    return program


def with_seen(seen, rows):
    """Rows of earlier calls of partial_fit, and these.

    Parameters
    ----------
    seen : tuple of ndarray or None
        Data, targets and weights of the earlier ones; None after fit or a load.
    rows : tuple of ndarray
        Further ones.

    Returns
    -------
    rows : tuple of ndarray
    """
    if seen is None:
        warnings.warn(
            "Got partial_fit after fit or load, which keep no samples, but this mapping is "
            "solved over all samples: it begins anew with those of partial_fit. Use "
            "partial_fit from the first samples on, or fit everything at once.",
            stacklevel=4,
        )
        return rows
    return tuple(np.concatenate([old, new]) for old, new in zip(seen, rows, strict=True))


def _targets(estimator):
    """What the fit learned of its targets: classes, or the shape of one target."""
    return getattr(estimator, estimator._target_fact)
