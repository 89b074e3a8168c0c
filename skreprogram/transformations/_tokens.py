"""The contract of a transformation of tokens."""

import torch

from skreprogram.transformations._base import InputTransformation


class TokenTransformation(InputTransformation):
    """Base of transformations whose data are numbers of tokens, not measurements.

    X is of integers and of shape (n_samples, length): 0 is padding, 1 a token that the vocabulary
    lacks, and the vocabulary's tokens follow.

    A subclass has a parameter ``n_tokens``, the length of the table it draws, because training
    data need not hold the largest number: unknown tokens, say, may first come at prediction. Only
    the estimator knows the vocabulary, so that it sets this parameter of its own copy; from there
    on it is copied, printed and saved like every other. None takes the largest number in X.
    """

    def table_length(self, X):
        """Number of rows of a table of all tokens, after a look at the training data.

        Parameters
        ----------
        X : torch.Tensor of int of shape (n_samples, length)
            Training data.

        Returns
        -------
        n_tokens : int
            One more than the largest number that may come.

        Raises
        ------
        ValueError
            For data that are no numbers of tokens, or larger than ``n_tokens`` allows.
        """
        kind = type(self).__name__
        if X.is_floating_point() or X.ndim != 2:
            raise ValueError(
                f"Got samples of shape {tuple(X.shape[1:])} and type {X.dtype} in {kind}, expected "
                "numbers of tokens, one axis of integers a sample. Use SequenceReprogrammer, which "
                "makes them of texts."
            )
        lowest, highest = int(X.min()), int(X.max())
        n_tokens = highest + 1 if self.n_tokens is None else self.n_tokens
        if lowest < 0 or highest >= n_tokens:
            raise ValueError(
                f"Got numbers of tokens from {lowest} to {highest} in {kind}, expected them from 0 "
                f"to {n_tokens - 1}. Leave n_tokens out, or set it to {highest + 1}."
            )
        return n_tokens


def kept_tokens(X, n_places):
    """Numbers of tokens cut off or filled up with padding to a length.

    Parameters
    ----------
    X : torch.Tensor of int of shape (n_samples, length)
        Numbers of tokens.
    n_places : int
        How many the source is shown.

    Returns
    -------
    X : torch.Tensor of int of shape (n_samples, n_places)
        0 where there was nothing.
    """
    return torch.nn.functional.pad(X, (0, n_places - X.shape[1]))
