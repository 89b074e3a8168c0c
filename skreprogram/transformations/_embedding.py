"""Texts as the embeddings that a source of text takes."""

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._text_positions import check_text, embedded, framed, given


class EmbeddingTransformation(InputTransformation, name="embedding"):
    """Show the source its own tokens' embeddings: the text as it is, nothing trains.

    With it the source runs once per text, and only the output mapping is fitted: a linear probe of
    the frozen language model.

    Notes
    -----
    X holds numbers of the source's own tokenizer, of shape (n_samples, length): 0 is padding at
    the end, 1 an unknown token, t + 2 the source's token t. Around each text stand the tokens that
    the source's tokenizer puts there, ``[CLS] text [SEP]`` for BERT. Texts that are too long for
    the source lose their end, never these tokens.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace, Vocabulary
    >>> from skreprogram.transformations import EmbeddingTransformation
    >>> vocabulary = Vocabulary(torch.arange(5.0)[:, None], padding=0, start=1, end=2)
    >>> space = InputSpace((6, 2), flexible=True, vocabulary=vocabulary)
    >>> X = torch.tensor([[5, 6, 5], [6, 0, 0]])
    >>> EmbeddingTransformation().apply({}, X, space)[..., 0]
    tensor([[1., 3., 4., 3., 2.],
            [1., 4., 2., 0., 0.]])
    """

    reads_source_tokens = True

    def init(self, X, space, generator):
        check_text(self, X, space, 0)
        return {}

    def apply(self, params, X, space):
        vocabulary = space.vocabulary
        before, behind = given(vocabulary.start), given(vocabulary.end)
        tokens, marks = framed(X, before, behind, space)
        return embedded(tokens, marks, vocabulary)
