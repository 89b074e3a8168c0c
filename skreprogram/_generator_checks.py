"""What users give a generator: parameters, data in its range, the classes they want."""

import math
from numbers import Integral, Real

import numpy as np

LOSSES = ("positive-unlabelled", "hinge")


def check_generator_parameters(estimator):
    """Refuse parameters of the adversarial training that cannot be used."""
    for name in ("n_steps", "n_discriminator_steps", "batch_size"):
        _check_number(estimator, name, Integral, lambda n: n >= 1, "a whole number of at least 1")
    for name in ("lr", "discriminator_lr"):
        _check_number(estimator, name, Real, lambda rate: rate > 0, "a positive number")
    _check_number(
        estimator, "gradient_penalty", Real, lambda weight: weight >= 0, "a number of at least 0"
    )
    _check_number(estimator, "averaging", Real, lambda share: 0 <= share < 1, "a number in [0, 1)")
    _check_number(
        estimator, "largest_share", Real, lambda share: 0 <= share <= 1, "a number in [0, 1]"
    )
    if estimator.loss not in LOSSES:
        raise ValueError(f"Got loss={estimator.loss!r}, expected one of {list(LOSSES)}.")
    if not (estimator.discriminator is None or callable(estimator.discriminator)):
        raise TypeError(
            f"Got discriminator={estimator.discriminator!r}, expected None or a function that "
            "makes a torch module from the shape of one sample."
        )


def check_fits_source(X, source):
    """Refuse samples that the generator could not have made.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...)
        Samples.
    source : GeneratorSource
        The generator.
    """
    shape, given = source.output_shape, X.shape[1:]
    if given not in (shape, (math.prod(shape),)):
        raise ValueError(
            f"Got X with samples of shape {given}, expected {shape} as the generator "
            f"{source.name!r} makes them, or flat rows of {math.prod(shape)} numbers. Resize X, or "
            "choose another source."
        )
    if source.output_range is None:
        return
    low, high = source.output_range
    # as much room as rounding to float32 may take
    room = 1e-5 * (high - low)
    if X.min() < low - room or X.max() > high + room:
        raise ValueError(
            f"Got X with values from {X.min():g} to {X.max():g}, expected values from {low:g} to "
            f"{high:g} as the generator {source.name!r} makes them. Scale X to that range."
        )


def check_wanted(y, n, classes):
    """Turn the classes that are wanted into codes.

    Parameters
    ----------
    y : array-like, label or None
        A class for each sample, one class, or all of them.
    n : int or None
        Samples of each, where y is no array.
    classes : ndarray of shape (n_classes,)
        What there is.

    Returns
    -------
    codes : ndarray of int of shape (n_samples,)
    """
    single = y is None or np.ndim(y) == 0
    if single != (n is not None):
        raise ValueError(
            f"Got y={y!r} and n={n!r}, expected an array of labels and no n, or one label (or None "
            "for all classes) and n, the number of samples of each."
        )
    if single and not (isinstance(n, Integral) and not isinstance(n, bool) and n >= 0):
        raise ValueError(f"Got n={n!r}, expected a whole number of at least 0.")
    wanted = np.repeat(classes if y is None else np.asarray([y]), n) if single else np.asarray(y)
    if wanted.ndim != 1:
        raise ValueError(
            f"Got y of shape {wanted.shape}, expected one label a sample: shape (n_samples,)."
        )
    numbers = {label: code for code, label in enumerate(classes.tolist())}
    unknown = sorted({label for label in wanted.tolist() if label not in numbers}, key=str)
    if unknown:
        raise ValueError(f"Got labels {unknown} in y, expected those of fit: {classes.tolist()}.")
    return np.array([numbers[label] for label in wanted.tolist()], dtype=np.int64)


def _check_number(estimator, name, kind, fits, words):
    value = getattr(estimator, name)
    if not isinstance(value, kind) or isinstance(value, (bool, np.bool_)) or not fits(value):
        raise ValueError(f"Got {name}={value!r}, expected {words}.")
