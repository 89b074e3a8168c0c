"""Arrays, labels and weights as users give them: checked, with every sentence about shapes."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_array, column_or_1d, validate_data
from skorch.callbacks import Callback

_TEXT = (
    "Got X with text, expected numbers: dtype='numeric' is not compatible with arrays of "
    "bytes/strings. Convert your data to numeric values explicitly instead."
)
_RAGGED = (
    "Got X with rows of different lengths, expected equal ones. Cut, pad or resample the samples "
    "to one length."
)


def check_samples(estimator, X, dtype, reset):
    """Validate X; remember its shape at fit, compare with it later.

    Parameters
    ----------
    estimator : BaseEstimator
        Gets ``n_features_in_``, ``feature_names_in_`` and ``input_shape_`` where `reset`.
    X : array-like of shape (n_samples, ...)
        Data with at least two axes.
    dtype : numpy dtype
        Of the result.
    reset : bool
        True in fit, False afterwards.

    Returns
    -------
    X : ndarray
        C-contiguous, finite.
    """
    if getattr(X, "requires_grad", False):
        raise TypeError(
            "Got X as a torch tensor that requires gradients, expected data without a graph. "
            "Pass X.detach()."
        )
    _refuse_text(X)
    try:
        X = validate_data(estimator, X, reset=reset, dtype=dtype, order="C", allow_nd=True)
    except ValueError as error:
        if "could not convert string" in str(error):
            raise ValueError(_TEXT) from error
        if "inhomogeneous" in str(error) or "setting an array element" in str(error):
            raise ValueError(_RAGGED) from error
        raise
    if reset:
        estimator.input_shape_ = X.shape[1:]
    elif X.shape[1:] != estimator.input_shape_:
        raise ValueError(
            f"Got X with samples of shape {X.shape[1:]}, expected {estimator.input_shape_} as at "
            "fit. Cut, pad or resample the samples to that shape."
        )
    return X


def check_labels(y, n_samples, classes=None):
    """Validate labels; return sorted classes and codes.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels of any kind that sorts.
    n_samples : int
        Number of rows in X.
    classes : array-like or None, default=None
        All classes, where y may lack some.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
    codes : ndarray of int of shape (n_samples,)
    """
    if y is None:
        raise ValueError(
            "This classifier requires y to be passed, but the target y is None. Pass one label "
            "a sample."
        )
    y = column_or_1d(y, warn=True)
    if pd.isna(pd.Series(y)).any():
        raise ValueError(
            "Got y with NaN or missing labels, expected one label a sample. Drop those rows."
        )
    found = _sorted(y)
    check_classification_targets(y)
    if len(y) != n_samples:
        raise ValueError(
            f"Got {n_samples} samples in X and {len(y)} labels in y, expected as many. "
            "Found input variables with inconsistent numbers of samples."
        )
    classes = found if classes is None else _sorted(classes)
    codes = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    unknown = np.unique(y[classes[codes] != y])
    if len(unknown):
        raise ValueError(
            f"Got labels {unknown.tolist()} in y, expected only those in classes="
            f"{classes.tolist()}. Name all classes in the first call of partial_fit."
        )
    return classes, codes


def _sorted(labels):
    try:
        return np.unique(labels)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in labels})
        raise ValueError(
            f"Got labels of different types in y: {kinds}, expected one type that sorts. Convert "
            "them, for example by y.astype(str)."
        ) from error


def check_values(y, n_samples):
    """Validate targets of regression.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Finite numbers.
    n_samples : int
        Number of rows in X.

    Returns
    -------
    y : ndarray of float64 of the same shape
    """
    if y is None:
        raise ValueError(
            "This regressor requires y to be passed, but the target y is None. Pass one value a "
            "sample."
        )
    y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y", estimator="a regressor")
    if y.ndim not in (1, 2) or (y.ndim == 2 and not y.shape[1]):
        raise ValueError(
            f"Got y of shape {y.shape}, expected (n_samples,) or (n_samples, n_targets). Reshape y."
        )
    if len(y) != n_samples:
        raise ValueError(
            f"Got {n_samples} samples in X and {len(y)} targets in y, expected as many. "
            "Found input variables with inconsistent numbers of samples."
        )
    return y


def check_weights(sample_weight, X, y=None, class_weight=None):
    """Validate sample weights and multiply the class weights in; shape (n_samples,)."""
    weight = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True, copy=True
    )
    if weight.sum() == 0:
        raise ValueError("Got sample weights that are all zero, expected some positive ones.")
    if class_weight is not None:
        present = weight > 0
        weight[present] *= compute_sample_weight(class_weight, y[present])
    return weight


def check_enough_classes(codes, classes):
    """Refuse data from which nothing can be learned."""
    found = np.unique(codes)
    if len(codes) == 1:
        raise ValueError("Got 1 sample, expected at least two, of two classes. Give more data.")
    if len(found) < 2:
        raise ValueError(
            f"Got y with 1 class, {classes[found].tolist()} (rows of zero weight do not count), "
            "expected at least two classes. Check y and sample_weight."
        )


def add_channel_axis(X):
    """Series of shape (n, length) or (n, channels, length) as (n, channels, length)."""
    if X.ndim == 2:
        return X[:, None, :]
    if X.ndim != 3:
        raise ValueError(
            f"Got X of shape {X.shape}, expected series of shape (n_samples, length) or "
            "(n_samples, n_channels, length). Reshape X."
        )
    return X


def _refuse_text(X):
    kind = getattr(getattr(X, "dtype", None), "kind", None)
    first = X[0] if isinstance(X, (list, tuple)) and len(X) else None
    if kind in ("U", "S") or isinstance(X, str) or isinstance(first, str):
        raise ValueError(_TEXT)


def check_parameters(estimator):
    """Refuse parameters of the training that cannot be used; strategies check their own."""
    for name in ("max_epochs", "batch_size", "n_iter_no_change"):
        _check_number(estimator, name, 1, Integral)
    _check_number(estimator, "lr", 0, exclusive=True)
    _check_number(estimator, "weight_decay", 0)
    if estimator.max_queries is not None:
        _check_number(estimator, "max_queries", 1, Integral)
    if estimator.output_lr is not None:
        _check_number(estimator, "output_lr", 0, exclusive=True)
    if not (estimator.augmentation is None or callable(estimator.augmentation)):
        raise TypeError(
            f"Got augmentation={estimator.augmentation!r}, expected None or a function of a batch "
            "and a torch.Generator."
        )
    _check_number(estimator, "validation_fraction", 0, exclusive=True)
    if estimator.validation_fraction >= 1:
        raise ValueError(
            f"Got validation_fraction={estimator.validation_fraction!r}, expected a share below 1."
        )
    if estimator.dtype not in ("float32", "float64"):
        raise ValueError(f"Got dtype={estimator.dtype!r}, expected 'float32' or 'float64'.")
    if estimator.precision not in ("full", "bf16"):
        raise ValueError(f"Got precision={estimator.precision!r}, expected 'full' or 'bf16'.")
    weights = getattr(estimator, "class_weight", None)
    if not (weights is None or isinstance(weights, dict) or str(weights) == "balanced"):
        raise ValueError(f"Got class_weight={weights!r}, expected a dict, 'balanced' or None.")
    callbacks = estimator.callbacks
    if callbacks is not None and not (
        isinstance(callbacks, (list, tuple))
        and all(isinstance(callback, Callback) for callback in callbacks)
    ):
        raise TypeError(
            f"Got callbacks={callbacks!r}, expected a list of objects of skorch.callbacks, or None."
        )


def check_queries(gradient, source, transformation, mapping, precision):
    """Refuse a gradient that the source, or the precision, does not allow."""
    if not source.differentiable and mapping.reads == "features":
        raise ValueError(
            f"Got the source {source.name!r}, a black box, and the output mapping "
            f"{type(mapping).__name__}, which reads features, but a black box shows only its "
            "outputs. Use output_mapping='linear', 'frequency' or another label mapping."
        )
    if not transformation.trainable:
        return
    if not source.differentiable and gradient.looks_inside:
        raise ValueError(
            f"Got the source {source.name!r}, a black box, and gradient='backprop', which needs "
            "to look inside. Use gradient='auto', 'spsa', 'rgf' or 'cma-es', which ask queries."
        )
    if gradient.needs_draws and not hasattr(transformation, "draw"):
        raise ValueError(
            f"Got gradient={gradient!r} and the input transformation "
            f"{type(transformation).__name__}, which chooses nothing that could be drawn, expected "
            "one such as 'vocabulary-remapping'. Use gradient='auto'."
        )
    if gradient.asks_queries and precision != "full":
        raise ValueError(
            f"Got precision={precision!r} and a gradient that is estimated from small differences "
            "of losses, which rounding would drown. Use precision='full'."
        )


def check_finetuning(estimator, gradient):
    """Refuse to tune what cannot be looked into, or with a gradient of the program alone."""
    finetune, source = estimator.finetune, estimator.source_
    _check_number(estimator, "finetune_lr", 0, exclusive=True)
    if finetune is None:
        return
    if not source.differentiable:
        raise ValueError(
            f"Got finetune={finetune!r} with the source {source.name!r}, a black box, whose "
            "weights nobody sees, expected None. Leave finetune out, or use a network as source."
        )
    if gradient.asks_queries or not gradient.looks_inside:
        raise ValueError(
            f"Got finetune={finetune!r} and gradient={gradient!r}, which estimates the gradient of "
            "the program alone, expected 'backprop'. Use gradient='auto'."
        )


def check_through_solution(estimator, gradient):
    """Refuse what cannot train through the solution of a mapping."""
    if gradient.asks_queries or not gradient.looks_inside:
        raise ValueError(
            f"Got gradient={gradient!r} and a program that trains through the solution of its "
            "mapping, expected 'backprop'. Use gradient='auto'."
        )
    for name in ("finetune", "unlabelled"):
        value = getattr(estimator, name, None)
        if value is not None:
            raise ValueError(
                f"Got {name}={value!r} and a program that trains through the solution of its "
                "mapping, expected None. Use another output_mapping, such as 'features'."
            )


def _check_number(estimator, name, lowest, kind=Real, exclusive=False):
    value = getattr(estimator, name)
    number = isinstance(value, kind) and not isinstance(value, (bool, np.bool_))
    if not number or value < lowest or (exclusive and value == lowest) or not np.isfinite(value):
        whole = "whole " if kind is Integral else ""
        bound = f"greater than {lowest}" if exclusive else f"of at least {lowest}"
        raise ValueError(f"Got {name}={value!r}, expected a {whole}number {bound}.")


__all__ = [
    "add_channel_axis",
    "check_enough_classes",
    "check_finetuning",
    "check_labels",
    "check_parameters",
    "check_queries",
    "check_samples",
    "check_through_solution",
    "check_values",
    "check_weights",
]
