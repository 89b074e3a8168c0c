"""Sources of text that read words: small recurrent networks, held by reference."""

from dataclasses import dataclass, replace

import torch

from skreprogram._input_space import ATTENDED, InputSpace, Vocabulary
from skreprogram.sources._source_model import SourceModel
from skreprogram.sources._source_words import SourceWords


@dataclass(frozen=True, repr=False, eq=False)
class WordSource(SourceModel):
    """A frozen classifier of texts with a vocabulary of words.

    ``load_source("questions-lstm")`` returns one. It is used like
    :class:`skreprogram.sources.TextSource`, and needs no further package.

    Parameters
    ----------
    weights, digest : str
        The safetensors file and its sha256.
    input_shape : tuple of int
        Most positions of one input, and d + 1: the embeddings of words, and a channel that says of
        each position: 0 is padding, 1 attended, 2 attended and read.
    n_outputs : int
        Number of source classes.
    factory, factory_options, structure : object, default=None
        As in :class:`SourceModel`.
    value_range, mean, std : tuple, default=None
        As there; embeddings have no bounds.
    output_kind : str, default="logits"
        As there.
    output_names, feature_layers : tuple, default=None
        As there.
    flexible : bool, default=False
        As there.
    sampling_rate : float, default=None
        As there.
    name : str or None, default=None
        Name to print.
    words : str, default=""
        The safetensors file whose metadata list the words, one a line, in the order of the
        embeddings from the third on; where it is empty, that of the weights.

    See Also
    --------
    TextSource : Language models.

    Examples
    --------
    >>> from skreprogram.sources import load_source
    >>> source = load_source("questions-lstm")
    >>> source
    WordSource('questions-lstm', (512, 97) -> 6)
    >>> source.input_space.vocabulary.embeddings.shape
    torch.Size([3211, 96])
    """

    words: str = ""

    def __post_init__(self):
        super().__post_init__()
        # the control has other weights, and the same words
        object.__setattr__(self, "words", self.words or self.weights)

    def with_max_length(self, max_length):
        """Return the same source for inputs of at most so many positions.

        Parameters
        ----------
        max_length : int
            Any positive number.

        Returns
        -------
        source : WordSource
            The handle, of the same weights.
        """
        return replace(self, input_shape=(max_length, self.input_shape[1]))

    @property
    def tokenizer(self):
        """The source's own :class:`SourceWords`."""
        return SourceWords(self.words)

    @property
    def input_space(self):
        """What the network takes; the vocabulary's embeddings are those of the loaded network."""
        # training put the unknown word in the place of others: it is this source's mask
        vocabulary = Vocabulary(self.load().embeddings, padding=0, unknown=1, mask=1)
        return InputSpace(self.input_shape, flexible=self.flexible, vocabulary=vocabulary)

    def _probe(self, module, n_inputs):
        """Noise as embeddings of attended positions."""
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn((n_inputs, 8, self.input_shape[1]), generator=generator)
        noise[..., -1] = ATTENDED
        return noise

    def __repr__(self):
        return f"WordSource({self.name!r}, {self.input_shape} -> {self.n_outputs})"
