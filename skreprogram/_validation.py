"""Arrays, labels and weights as users give them: checked, with every sentence about shapes."""

import numpy as np
import pandas as pd
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, column_or_1d, validate_data


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
    X = validate_data(
        estimator, X, reset=reset, dtype=dtype, order="C", allow_nd=True, ensure_min_samples=1
    )
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
    check_classification_targets(y)
    if len(y) != n_samples:
        raise ValueError(
            f"Got {n_samples} samples in X and {len(y)} labels in y, expected as many. "
            "Found input variables with inconsistent numbers of samples."
        )
    classes = np.unique(y) if classes is None else np.unique(classes)
    codes = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    unknown = np.unique(y[classes[codes] != y])
    if len(unknown):
        raise ValueError(
            f"Got labels {unknown.tolist()} in y, expected only those in classes="
            f"{classes.tolist()}. Name all classes in the first call of partial_fit."
        )
    return classes, codes


def check_weights(sample_weight, X, y, class_weight):
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


def panel_to_array(X):
    """Turn sktime containers into (n, channels, length); hand anything else through.

    A row-indexed table of series (``pd-multiindex``), a table of cells that hold series
    (``nested_univ``) and a list of tables (``df-list``) are known.
    """
    multiindex = isinstance(X, pd.DataFrame) and isinstance(X.index, pd.MultiIndex)
    nested = isinstance(X, pd.DataFrame) and X.size and isinstance(X.iat[0, 0], pd.Series)
    listed = isinstance(X, list) and len(X) and isinstance(X[0], pd.DataFrame)
    if not (multiindex or nested or listed):
        return X
    from sktime.datatypes import convert_to

    return convert_to(X, to_type="numpy3D")


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
        raise ValueError(
            "Got X with text, expected numbers: dtype='numeric' is not compatible with arrays of "
            "bytes/strings. Convert your data to numeric values explicitly instead."
        )


def check_finite_number(name, value, lowest, kinds=(int, float), exclusive=False):
    """Refuse a hyper-parameter that is no number or too small."""
    number = isinstance(value, kinds) and not isinstance(value, bool)
    if isinstance(value, np.generic):
        number = True
    if not number or value < lowest or (exclusive and value == lowest) or not np.isfinite(value):
        bound = f"greater than {lowest}" if exclusive else f"of at least {lowest}"
        raise ValueError(f"Got {name}={value!r}, expected a number {bound}.")


__all__ = [
    "add_channel_axis",
    "check_enough_classes",
    "check_finite_number",
    "check_labels",
    "check_samples",
    "check_weights",
    "panel_to_array",
]
