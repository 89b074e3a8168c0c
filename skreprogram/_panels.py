"""Sets of time series as users give them: containers, unequal lengths, padding."""

import numpy as np
import pandas as pd
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import _check_sample_weight


def panel_to_array(X):
    """Turn sktime containers into (n, channels, length); hand anything else through.

    A row-indexed table of series (``pd-multiindex``), a table of cells that hold series
    (``nested_univ``) and a list of tables (``df-list``) are known. Where lengths differ, the
    result is a list of arrays of shape (n_channels, length).
    """
    multiindex = isinstance(X, pd.DataFrame) and isinstance(X.index, pd.MultiIndex)
    nested = isinstance(X, pd.DataFrame) and X.size and isinstance(X.iat[0, 0], pd.Series)
    listed = isinstance(X, list) and len(X) and isinstance(X[0], pd.DataFrame)
    if not (multiindex or nested or listed):
        return X
    from sktime.datatypes import convert_to

    tables = convert_to(X, to_type="df-list")
    series = [table.to_numpy().T for table in tables]
    return np.stack(series) if len({each.shape for each in series}) == 1 else series


def common_length(X, sample_weight=None):
    """The length that series of unequal lengths are brought to: that of the longest.

    Parameters
    ----------
    X : object
        What `panel_to_array` gave.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Rows of weight 0 have no say.

    Returns
    -------
    length : int or None
        Time points; None where X is no set of series of unequal lengths.
    """
    series = _read(X)
    if series is None or len({each.shape[-1] for each in series}) == 1:
        return None
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
    counted = [each.shape[-1] for each, mass in zip(series, weight, strict=True) if mass > 0]
    # no weight at all is refused later, with the labels at hand
    return max(counted, default=1)


def resample(X, length):
    """Bring every series to one length by linear interpolation between its time points.

    Parameters
    ----------
    X : object
        What `panel_to_array` gave.
    length : int
        Time points of the result; the first and the last one stay where they are.

    Returns
    -------
    X : ndarray of shape (n_samples, length) or (n_samples, n_channels, length)
        In float64; what is no set of series comes back as it is, for others to refuse.

    Raises
    ------
    ValueError
        For NaN elsewhere than at the end of all channels, for infinity, and for series that differ
        in their channels.
    """
    series = _read(X)
    if series is None:
        return X
    shapes = sorted({each.shape[:-1] for each in series})
    if len(shapes) > 1:
        raise ValueError(
            f"Got X with series of the shapes {[(*shape, 'length') for shape in shapes]}, expected "
            "the same channels in all. Drop the channels that some lack."
        )
    return np.stack([_stretched(each, length) for each in series])


def without_padding(X):
    """Cut off the NaN with which an array pads its shorter series.

    Parameters
    ----------
    X : ndarray of float of shape (n_samples, ..., length)
        NaN at the end of all channels of a series is padding; other NaN stays.

    Returns
    -------
    series : list of ndarray of shape (..., length)
        Empty ones where there is nothing but NaN.
    """
    missing = np.isnan(X).all(axis=tuple(range(1, X.ndim - 1)))
    n_padding = np.logical_and.accumulate(missing[:, ::-1], axis=1).sum(axis=1)
    return [each[..., : X.shape[-1] - n] for each, n in zip(X, n_padding, strict=True)]


def _stretched(series, length):
    assert_all_finite(series, input_name="X")
    n_points = series.shape[-1]
    if n_points == length:
        return series
    # where every new point lies between two old ones
    place = np.linspace(0, n_points - 1, length)
    left = place.astype(int)
    right = np.minimum(left + 1, n_points - 1)
    series = series.astype(np.float64, copy=False)
    return series[..., left] + (place - left) * (series[..., right] - series[..., left])


def _read(X):
    """Series as a list of arrays without padding; None where X holds anything else."""
    numbers = isinstance(X, np.ndarray) and X.dtype.kind in "iuf" and X.ndim in (2, 3) and X.size
    padded = numbers and X.dtype.kind == "f" and np.isnan(X[..., -1]).any()
    series = without_padding(X) if padded else list(X) if numbers else _arrays(X)
    sizes = [each.size for each in series]
    if not any(sizes):
        return None
    if not all(sizes):
        raise ValueError(
            f"Got X with nothing, or nothing but NaN, in the series {sizes.index(0)}, expected at "
            "least one time point. Drop such series."
        )
    return series


def _arrays(X):
    """The elements of a list as arrays of numbers; nothing where one cannot be a series."""
    objects = isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1
    if not (objects or isinstance(X, (list, tuple))):
        return []
    try:
        series = [np.asarray(each) for each in X]
    except ValueError:  # channels of unequal lengths within a series
        return []
    usable = all(each.dtype.kind in "iufb" and each.ndim in (1, 2) for each in series)
    return series if usable else []


__all__ = ["common_length", "panel_to_array", "resample", "without_padding"]
