"""What a source model takes: the target side of every input transformation."""

from typing import NamedTuple

import torch

# token ids of an estimator's door; the first token of its vocabulary has the third
PADDING, UNKNOWN, FIRST_TOKEN = 0, 1, 2

# the last channel of a source of text says what a position is
IGNORED, ATTENDED, READ = 0, 1, 2


class Vocabulary(NamedTuple):
    """The tokens of a source of text.

    Parameters
    ----------
    embeddings : torch.Tensor of shape (n_tokens, d)
        One vector a token, before positions are added; frozen.
    padding, unknown, mask, start, end : int or None, default=None
        Numbers of the special tokens; None where the source has none. Start and end are those
        that its own tokenizer puts around a text.
    fills_mask : bool, default=False
        Whether the source was trained to fill the mask in, so that its state there says most.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import Vocabulary
    >>> Vocabulary(torch.rand(100, 8), padding=0, mask=3).n_tokens
    100
    """

    embeddings: torch.Tensor
    padding: int | None = None
    unknown: int | None = None
    mask: int | None = None
    start: int | None = None
    end: int | None = None
    fills_mask: bool = False

    @property
    def n_tokens(self):
        """Number of tokens."""
        return len(self.embeddings)


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
    vocabulary : Vocabulary or None, default=None
        The tokens, where the source reads text. One input then has the shape (length, d + 1): the
        embedding of each position, and in the last channel 0 where it is padding, 1 where it is
        attended and 2 where it is attended and read. The first axis may be shorter.

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
    vocabulary: Vocabulary | None = None

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
