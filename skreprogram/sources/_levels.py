"""Inputs rounded to the values that a black box can be told, 8-bit pixels for example."""

import numpy as np

_BLOCK = 1 << 18  # numbers at a time, so that the passes over them stay in the processor's cache


class Levels:
    """Equally spaced values of a range, and their numbers 0, 1, ... (codes).

    Parameters
    ----------
    value_range : tuple of float
        Lowest and highest value.
    n_levels : int
        How many values, at least 2; 256 for 8-bit pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from skreprogram.sources._levels import Levels
    >>> pixels = Levels((-1.0, 1.0), 5)
    >>> codes = pixels.codes(np.float32([[-1.0, -0.3, 0.1, 7.0]]))
    >>> codes
    array([[0, 1, 2, 4]], dtype=uint8)
    >>> pixels.values(codes, np.float32)
    array([[-1. , -0.5,  0. ,  1. ]], dtype=float32)
    """

    def __init__(self, value_range, n_levels):
        low, high = value_range
        self._low, self._last = float(low), n_levels - 1
        self._per_unit = self._last / (float(high) - self._low)
        self.dtype = np.min_scalar_type(self._last)

    def codes(self, values, out=None):
        """Number of the level nearest to each value.

        Parameters
        ----------
        values : ndarray of shape (n, *input_shape), float
            Values outside of the range count as its ends.
        out : ndarray of the same shape and of the type `dtype` or None, default=None
            Where to write them.

        Returns
        -------
        codes : ndarray of the same shape, unsigned integers

        Raises
        ------
        FloatingPointError
            When a value is NaN or infinite.
        """
        low, per_unit = (values.dtype.type(number) for number in (self._low, self._per_unit))
        codes = np.empty(values.shape, self.dtype) if out is None else out
        for part in _blocks(values):
            scaled = (values[part] - low if low else values[part]) * per_unit
            np.rint(scaled, out=scaled)
            # two quick passes, which mostly save the slow one of the clipping
            least, most = scaled.min(initial=0), scaled.max(initial=0)
            if not np.isfinite(most - least):
                raise FloatingPointError("NaN or infinite values have no level")
            if least < 0 or most > self._last:
                np.clip(scaled, 0, self._last, out=scaled)
            codes[part] = scaled
        return codes

    def values(self, codes, dtype):
        """Values of the levels.

        Parameters
        ----------
        codes : ndarray of shape (n, *input_shape), unsigned integers
            Numbers of levels.
        dtype : dtype
            float32 or float64.

        Returns
        -------
        values : ndarray of the same shape and of `dtype`
        """
        values = np.empty(codes.shape, dtype)
        for part in _blocks(codes):
            block = values[part]
            block[...] = codes[part]
            # a quotient, because k / 255 is what others call the pixel k
            block /= values.dtype.type(self._per_unit)
            if self._low:
                block += values.dtype.type(self._low)
        return values


def _blocks(array):
    """Slices of whole rows that together hold about `_BLOCK` numbers."""
    step = max(1, _BLOCK * len(array) // max(array.size, 1))
    return [slice(start, start + step) for start in range(0, len(array), step)]
