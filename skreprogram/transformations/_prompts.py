"""Trained prompts around a text."""

from numbers import Integral

import torch

from skreprogram._input_space import READ
from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._parameters import check_choice, check_whole
from skreprogram.transformations._text_positions import check_text, embedded, framed, given

PLACEMENTS = ("before", "after", "around")


class PromptTransformation(InputTransformation, name="prompts"):
    """Put trained embeddings around each text: WARP's prompts.

    Nothing of the source is trained, and nothing but the prompts, n_prompts times d numbers. With
    a linear head on the answer at the [MASK] this is WARP [1]_; with ``n_prompts=0`` it is the
    linear probe of that position.

    Parameters
    ----------
    n_prompts : int, default=8
        Number of prompts.
    placement : {"before", "after", "around"}, default="before"
        Where they stand: ``[CLS] prompts text [MASK] [SEP]``, ``[CLS] text [MASK] prompts [SEP]``,
        or with the first half, and the odd one, before and the others after.
    mask : bool or "auto", default="auto"
        Whether there is a [MASK], directly behind the text, that alone is read. Without it the
        source reads all positions, or the last one where it looks back only. "auto" is True for
        masked language models.
    initial : {"mask", "normal"} or tuple of int, default="mask"
        What prompts start as: the embedding of [MASK]; normal numbers with the mean and the spread
        of all embeddings; or these tokens of the source, see
        :meth:`skreprogram.sources.SourceTokenizer.source_tokens`.

    Notes
    -----
    X holds numbers of the source's own tokenizer, as for :class:`EmbeddingTransformation`. Texts
    that are too long lose their end, never a prompt or the [MASK]. Prompts that start equal are
    told apart by their positions alone.

    References
    ----------
    .. [1] K. Hambardzumyan, H. Khachatrian, J. May, "WARP: Word-level Adversarial ReProgramming",
       ACL 2021.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace, Vocabulary
    >>> from skreprogram.transformations import PromptTransformation
    >>> vocabulary = Vocabulary(torch.arange(5.0)[:, None], mask=3, fills_mask=True)
    >>> space = InputSpace((9, 2), flexible=True, vocabulary=vocabulary)
    >>> prompts, X = PromptTransformation(2, initial=(1, 2)), torch.tensor([[6, 6], [6, 0]])
    >>> prompts.apply(prompts.init(X, space, torch.Generator()), X, space)[1]
    tensor([[1., 1.],
            [2., 1.],
            [4., 1.],
            [3., 2.],
            [0., 0.]])
    """

    reads_source_tokens = True

    def __init__(self, n_prompts=8, placement="before", mask="auto", initial="mask"):
        self.n_prompts = n_prompts
        self.placement = placement
        self.mask = mask
        self.initial = initial

    @property
    def trainable(self):
        return ("prompts",) if self.n_prompts else ()

    def init(self, X, space, generator):
        self._check()
        check_text(self, X, space, self.n_prompts + self._has_mask(space.vocabulary))
        self._check_mask(space.vocabulary)
        if not self.n_prompts:
            return {}
        return {"prompts": self._start(space.vocabulary, generator)}

    def apply(self, params, X, space):
        vocabulary = space.vocabulary
        prompts = given(*range(vocabulary.n_tokens, vocabulary.n_tokens + self.n_prompts))
        n_before = {"before": self.n_prompts, "after": 0}.get(
            self.placement, -(-self.n_prompts // 2)
        )
        read = ((vocabulary.mask, READ),) if self._has_mask(vocabulary) else ()
        before = given(vocabulary.start) + prompts[:n_before]
        behind = read + prompts[n_before:] + given(vocabulary.end)
        tokens, marks = framed(X, before, behind, space)
        return embedded(tokens, marks, vocabulary, params.get("prompts"))

    def _has_mask(self, vocabulary):
        if vocabulary is None:
            return False
        return vocabulary.fills_mask if isinstance(self.mask, str) else bool(self.mask)

    def _start(self, vocabulary, generator):
        vectors = vocabulary.embeddings.cpu()
        if self.initial == "mask":
            return vectors[vocabulary.mask].repeat(self.n_prompts, 1)
        if self.initial == "normal":
            drawn = torch.randn((self.n_prompts, vectors.shape[1]), generator=generator)
            return vectors.mean() + vectors.std() * drawn
        tokens = tuple(self.initial)
        if len(tokens) != self.n_prompts or not all(0 <= t < len(vectors) for t in tokens):
            raise ValueError(
                f"Got initial={self.initial!r} with n_prompts={self.n_prompts}, expected one token "
                f"for each prompt, numbers from 0 to {len(vectors) - 1}. Use "
                "source.tokenizer.source_tokens(words)."
            )
        return vectors[list(tokens)]

    def _check(self):
        check_whole(self, "n_prompts", 0)
        check_choice(self, "placement", PLACEMENTS)
        if not isinstance(self.mask, bool):
            check_choice(self, "mask", ("auto",))
        words = isinstance(self.initial, str) and self.initial in ("mask", "normal")
        numbers = isinstance(self.initial, (tuple, list)) and all(
            isinstance(token, Integral) for token in self.initial
        )
        if not (words or numbers):
            raise ValueError(
                f"Got initial={self.initial!r} in PromptTransformation, expected 'mask', 'normal' "
                "or a tuple of the source's tokens, one for each prompt."
            )

    def _check_mask(self, vocabulary):
        wanted = self._has_mask(vocabulary) or (self.n_prompts and self.initial == "mask")
        if wanted and vocabulary.mask is None:
            raise ValueError(
                f"Got mask={self.mask!r} and initial={self.initial!r} in PromptTransformation for "
                "a source without a [MASK], expected one that has it. Set mask=False and "
                "initial='normal'."
            )
