"""Going on with the program of the last fit."""

from typing import NamedTuple

import numpy as np

from skreprogram.training import Program


class LastFit(NamedTuple):
    """What a warm start goes on from."""

    program: Program
    classes: np.ndarray
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
    return LastFit(estimator.program_, estimator.classes_, estimator.input_shape_)


def start_from(previous, estimator):
    """The program to go on with, for data of the same kind.

    Parameters
    ----------
    previous : LastFit or None
        What `last_fit` gave.
    estimator : BaseReprogrammer
        With the classes and the shape of the new data.

    Returns
    -------
    program : Program or None
    """
    if previous is None:
        return None
    program, classes, shape = previous
    if shape != estimator.input_shape_ or not np.array_equal(classes, estimator.classes_):
        raise ValueError(
            f"Got warm_start=True with samples of shape {estimator.input_shape_} and classes "
            f"{estimator.classes_.tolist()}, expected those of the last fit: {shape} and "
            f"{classes.tolist()}. Set warm_start=False, or clone the estimator."
        )
    return program
