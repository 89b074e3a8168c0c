"""Where the tokens of a text and what is put around it come to stand: pure functions."""

from functools import lru_cache

import torch
from torch.nn import functional

from skreprogram._input_space import ATTENDED, FIRST_TOKEN, IGNORED, PADDING, UNKNOWN


def given(*tokens):
    """The tokens that the source has, each to be attended, as pairs of number and mark."""
    return tuple((token, ATTENDED) for token in tokens if token is not None)


def framed(X, before, behind, space):
    """Put further tokens directly before and behind each text.

    Parameters
    ----------
    X : torch.Tensor of int of shape (n_samples, length)
        Numbers of the source's tokenizer: 0 padding at the end, 1 unknown, t + 2 token t.
    before, behind : tuple of (int, int)
        The source's tokens to put there, and the mark of each. Numbers above those of the
        vocabulary stand for prompts.
    space : InputSpace
        What the source takes; texts are cut so that everything else has room.

    Returns
    -------
    tokens, marks : torch.Tensor of int of shape (n_samples, n_positions)
        The source's tokens; 0 padding, 1 attended, 2 read.
    """
    text = X[:, : space.shape[0] - len(before) - len(behind)]
    length = (text != PADDING).sum(1, keepdim=True)
    frame = torch.tensor([*before, *behind, (0, IGNORED)], device=X.device)
    head, tail = frame[: len(before)], frame[len(before) :]
    place = torch.arange(text.shape[1] + len(behind), device=X.device) - length
    # beyond the text: what stands behind it, and then padding
    beyond = tail[place.clamp(0, len(behind))]
    own = functional.pad(source_tokens(text, space.vocabulary), (0, len(behind)))
    inside = place < 0
    tokens = torch.where(inside, own, beyond[..., 0])
    marks = torch.where(inside, ATTENDED, beyond[..., 1])
    first = head.expand(len(X), *head.shape)
    return torch.cat([first[..., 0], tokens], 1), torch.cat([first[..., 1], marks], 1)


def source_tokens(X, vocabulary):
    """Numbers of the source's tokenizer as numbers of its vocabulary."""
    tokens = (X - FIRST_TOKEN).clamp_min(0)
    stand_ins = (vocabulary.unknown, vocabulary.padding, vocabulary.start, 0)
    return tokens.where(X != UNKNOWN, next(token for token in stand_ins if token is not None))


def embedded(tokens, marks, vocabulary, prompts=None):
    """Look up the embeddings.

    Parameters
    ----------
    tokens, marks : torch.Tensor of int of shape (n_samples, n_positions)
        As of :func:`framed`.
    vocabulary : Vocabulary
        The source's.
    prompts : torch.Tensor of shape (n_prompts, d) or None, default=None
        What the tokens behind the vocabulary's stand for.

    Returns
    -------
    inputs : torch.Tensor of shape (n_samples, n_positions, d + 1)
    """
    n_tokens = vocabulary.n_tokens
    vectors = vectors_on(vocabulary.embeddings, tokens.device)[tokens.clamp_max(n_tokens - 1)]
    if prompts is not None:
        own = prompts[(tokens - n_tokens).clamp_min(0)]
        vectors = torch.where((tokens >= n_tokens).unsqueeze(-1), own, vectors)
    return torch.cat([vectors, marks.unsqueeze(-1).to(vectors.dtype)], -1)


def check_text(transformation, X, space, n_added):
    """Refuse what is no text in the source's own tokens, or leaves no room for any."""
    check_vocabulary(transformation, space)
    kind, n_tokens = type(transformation).__name__, space.vocabulary.n_tokens
    if X.is_floating_point() or X.ndim != 2:
        raise ValueError(
            f"Got samples of shape {tuple(X.shape[1:])} and type {X.dtype} in {kind}, expected "
            "numbers of tokens, one axis of integers a sample. Use SequenceReprogrammer, which "
            "makes them of texts."
        )
    highest = int(X.max())
    if int(X.min()) < 0 or highest >= n_tokens + FIRST_TOKEN:
        raise ValueError(
            f"Got numbers of tokens from {int(X.min())} to {highest} in {kind}, expected them from "
            f"0 to {n_tokens + FIRST_TOKEN - 1}, those of the source's own tokenizer. Set "
            "tokenizer='source'."
        )
    check_room(transformation, space, n_added)


def check_vocabulary(transformation, space):
    """Refuse a source that does not read embeddings."""
    if space.vocabulary is None:
        raise ValueError(
            f"Got a source that takes inputs of shape {tuple(space.shape)} for "
            f"{type(transformation).__name__}, expected a source of text, which has a vocabulary. "
            "Use source='minilm' or TextSource."
        )


def check_room(transformation, space, n_added=0):
    """Refuse a source whose positions are all taken by what is put around the text."""
    n_added += len(given(space.vocabulary.start, space.vocabulary.end))
    if n_added >= space.shape[0]:
        raise ValueError(
            f"Got {n_added} positions around the text in {type(transformation).__name__} for a "
            f"source that takes {space.shape[0]}, expected fewer, so that some text is left. Use "
            "fewer prompts, or a source with a larger max_length."
        )


@lru_cache(maxsize=2)
def vectors_on(embeddings, device):
    """The source's embeddings where the data are, copied there once."""
    return embeddings.to(device)
