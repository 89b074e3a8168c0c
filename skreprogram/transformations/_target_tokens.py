"""Target tokens in the place of a text, and the source tokens that may stand for them."""

import torch

from skreprogram._input_space import FIRST_TOKEN, PADDING
from skreprogram.transformations._parameters import check_whole
from skreprogram.transformations._text_positions import (
    check_room,
    check_vocabulary,
    embedded,
    framed,
    given,
)


def check_source_of_text(transformation, space):
    """Refuse a source that reads no embeddings, or has no room for any text."""
    check_vocabulary(transformation, space)
    check_room(transformation, space)


def usable_tokens(transformation, vocabulary, generator):
    """Source tokens that may stand for target tokens: no special ones.

    Parameters
    ----------
    transformation : TokenTransformation
        Its `n_source_tokens` are drawn at random; None, or more than there are, takes all.
    vocabulary : Vocabulary
        The source's.
    generator : torch.Generator
        The only source of randomness.

    Returns
    -------
    tokens : torch.Tensor of int of shape (n_source_tokens,)
        In ascending order.
    """
    n_wanted = transformation.n_source_tokens
    if n_wanted is not None:
        check_whole(transformation, "n_source_tokens")
    special = {vocabulary.padding, vocabulary.unknown, vocabulary.mask}
    special |= {vocabulary.start, vocabulary.end}
    usable = torch.tensor([t for t in range(vocabulary.n_tokens) if t not in special])
    if n_wanted is None or n_wanted >= len(usable):
        return usable
    return usable[torch.randperm(len(usable), generator=generator)[:n_wanted]].sort().values


def framed_tokens(X, tokens, space):
    """Source tokens in the places of target tokens, between the source's own special tokens.

    Parameters
    ----------
    X : torch.Tensor of int of shape (n_samples, length)
        Numbers of target tokens; where they are padding, there is nothing.
    tokens : torch.Tensor of int of shape (n_samples, length)
        The source's tokens.
    space : InputSpace
        What the source takes.

    Returns
    -------
    inputs : torch.Tensor of shape (n_samples, n_positions, d + 1)
    """
    return _framed(X, tokens, None, space)


def framed_vectors(X, rows, vectors, space):
    """Vectors in the places of target tokens, between the source's own special tokens.

    Parameters
    ----------
    X : torch.Tensor of int of shape (n_samples, length)
        Numbers of target tokens; where they are padding, there is nothing.
    rows : torch.Tensor of int of shape (n_samples, length)
        Row of `vectors` for each of them.
    vectors : torch.Tensor of shape (n_vectors, d)
        In the place of embeddings.
    space : InputSpace
        What the source takes.

    Returns
    -------
    inputs : torch.Tensor of shape (n_samples, n_positions, d + 1)
    """
    return _framed(X, rows + space.vocabulary.n_tokens, vectors, space)


def _framed(X, tokens, vectors, space):
    vocabulary = space.vocabulary
    text = torch.where(X == PADDING, PADDING, tokens + FIRST_TOKEN)
    placed = framed(text, given(vocabulary.start), given(vocabulary.end), space)
    return embedded(*placed, vocabulary, vectors)
