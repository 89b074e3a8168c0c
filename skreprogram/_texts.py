"""Texts and lists of tokens as users give them: checked, one element a sample."""

from numbers import Integral

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils.validation import _check_sample_weight

_WISH = "expected one axis of texts, or of lists of tokens"
# numpy's kinds of arrays whose rows can be tokens: texts, objects, whole numbers
_TOKENS = "UTOiu"
# without max_length no sample is longer than this, however long the training texts are
LONGEST = 512


def check_texts(X):
    """Validate X; return its samples.

    Parameters
    ----------
    X : list, ndarray or pandas.Series of str or of sequences of tokens
        Tokens are texts or whole numbers. Rows of a two-dimensional array of these are sequences.

    Returns
    -------
    samples : list of str or of list
        Texts as they are, and sequences of tokens as lists.

    Raises
    ------
    ValueError, TypeError
        In a sentence that says what to do.
    """
    _check_container(X)
    samples = [_checked(sample, i) for i, sample in enumerate(X)]
    if not samples:
        raise ValueError(f"Got X with 0 sample(s), a minimum of 1 is needed: {_WISH}.")
    return samples


def _check_container(X):
    if isinstance(X, (str, bytes)):
        raise ValueError(f"Got X as a single text, {_WISH}. Put it into a list: [X].")
    if isinstance(X, pd.DataFrame):
        raise ValueError(
            f"Got X as a table with the columns {list(X.columns)[:5]}, {_WISH}. Pass one of its "
            "columns, for example X['text']."
        )
    if issparse(X) or not hasattr(X, "__len__") or isinstance(X, (dict, set)):
        raise TypeError(
            f"Got X of type {type(X).__name__}, {_WISH}. Put the texts into a list, an array or a "
            "pandas Series."
        )
    if isinstance(X, np.ndarray):
        _check_array(X)


def _check_array(X):
    if X.ndim != 1 and (X.ndim != 2 or X.dtype.kind not in _TOKENS):
        raise ValueError(
            f"Got X of shape {X.shape} and type {X.dtype}, {_WISH}. For tables and images use "
            "ReprogrammingClassifier, for series TimeSeriesReprogrammer."
        )
    if X.ndim == 2 and X.shape[1] == 1:
        raise ValueError(f"Got X of shape {X.shape}, {_WISH}. Pass X[:, 0].")


def _checked(sample, i):
    """One sample, a text or the list of its tokens."""
    if isinstance(sample, str):
        return sample
    if isinstance(sample, bytes):
        raise TypeError(
            f"Got bytes in row {i} of X, {_WISH}. Decode them, for example by .decode('utf-8')."
        )
    if isinstance(sample, (list, tuple)) or (isinstance(sample, np.ndarray) and sample.ndim == 1):
        return _checked_tokens(sample, i)
    if np.ndim(sample) == 0 and pd.isna(sample):
        raise ValueError(
            f"Got a missing value, {sample!r}, in row {i} of X, {_WISH}. Drop such rows, or fill "
            "them with an empty text."
        )
    raise TypeError(
        f"Got {sample!r} of type {type(sample).__name__} in row {i} of X, {_WISH}. Convert numbers "
        "by str, or use ReprogrammingClassifier for them."
    )


def _checked_tokens(sample, i):
    tokens = sample.tolist() if isinstance(sample, np.ndarray) else list(sample)
    for token in tokens:
        if not isinstance(token, (str, Integral)):
            raise TypeError(
                f"Got the token {token!r} of type {type(token).__name__} in row {i} of X, expected "
                "tokens that are texts or whole numbers. Convert or drop it."
            )
    return tokens


def weighing(samples, sample_weight):
    """Samples that count; those of weight 0 must be as good as absent."""
    weight = _check_sample_weight(sample_weight, samples, dtype=np.float64)
    seen = [own for own, mass in zip(samples, weight, strict=True) if mass > 0]
    # no weight at all is refused later, with all the labels at hand
    return seen or samples


def reads_source_tokens(transformation):
    """Whether an input transformation takes a language model's own tokens."""
    return getattr(transformation, "reads_source_tokens", False)


def length_of(samples, max_length):
    """Numbers of tokens to which samples are padded or cut off."""
    if max_length is None:
        return min(max(max(map(len, samples)), 1), LONGEST)
    if not isinstance(max_length, Integral) or isinstance(max_length, bool) or max_length < 1:
        raise ValueError(
            f"Got max_length={max_length!r}, expected None or a positive whole number of tokens."
        )
    return int(max_length)
