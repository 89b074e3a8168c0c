"""What a source model takes: the target side of every input transformation."""

from typing import NamedTuple


class InputSpace(NamedTuple):
    """The space of a source model's inputs, as numbers.

    Input transformations receive this and nothing else of the source model.

    Parameters
    ----------
    shape : tuple of int
        Shape of one input, without the batch axis.
    value_range : tuple of float or None, default=None
        Lowest and highest value an input may hold; None means unbounded.
    flexible : bool, default=False
        Whether the last axes may be longer or shorter than `shape` says (networks that are
        convolutional there and pool at their end).
    sampling_rate : float or None, default=None
        Samples per second of the last axis, in hertz, where the source listens to sound.

    Examples
    --------
    >>> from skreprogram._input_space import InputSpace
    >>> InputSpace((16000,), (-1.0, 1.0), flexible=True, sampling_rate=16000).size
    16000
    """

    shape: tuple
    value_range: tuple | None = None
    flexible: bool = False
    sampling_rate: float | None = None

    @property
    def size(self):
        """Number of values in one input."""
        product = 1
        for length in self.shape:
            product *= length
        return product

    @property
    def centre(self):
        """Middle of the value range; 0 where it is unbounded."""
        return 0.0 if self.value_range is None else sum(self.value_range) / 2

    @property
    def half_range(self):
        """Half the width of the value range; 1 where it is unbounded."""
        if self.value_range is None:
            return 1.0
        return (self.value_range[1] - self.value_range[0]) / 2
