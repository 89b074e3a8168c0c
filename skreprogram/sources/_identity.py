"""What names a function by its content, so that its answers are found again."""

import hashlib
import inspect
from functools import partial
from types import FunctionType
from uuid import uuid4

import numpy as np
from joblib.hashing import NumpyHasher


class ContentHasher(NumpyHasher):
    """joblib's hash, of the named fields of an array alone.

    The bytes between the fields, which align them, are whatever lay in memory: by them a
    scikit-learn tree differed from itself in another process.
    """

    def save(self, obj):
        """Add an object to what is hashed."""
        if isinstance(obj, np.ndarray) and obj.dtype.names:
            obj = {name: np.ascontiguousarray(obj[name]) for name in obj.dtype.names}
        super().save(obj)


def identity_of(predict):
    """Text that names a function by its content, or a random one where that cannot be.

    Parameters
    ----------
    predict : callable
        A function, a partial one, or an object with ``__call__``.

    Returns
    -------
    identity : str
        Of the pickle and of the written text: a pickle alone names a function by its module and
        name, and every script may have its own ``__main__.predict``.
    """
    try:
        return f"{ContentHasher('sha1').hash(predict)} {_text_of(predict)}"
    except Exception:  # whatever a reduce method of a stranger raises
        return uuid4().hex


def _text_of(predict):
    function = predict.func if isinstance(predict, partial) else predict
    function = getattr(function, "__func__", function)
    try:
        text = inspect.getsource(function if isinstance(function, FunctionType) else type(function))
    except (OSError, TypeError):  # compiled, or typed in where nobody keeps it
        return ""
    return hashlib.sha256(inspect.cleandoc(text).encode()).hexdigest()
