"""Sources of text: Hugging Face language models, held by reference."""

from dataclasses import dataclass, replace

import torch

from skreprogram._input_space import ATTENDED, InputSpace, Vocabulary
from skreprogram.sources._language_models import (
    digest_of,
    facts_of,
    folder_of,
    load_encoder,
    load_tokenizer,
    special_tokens,
    weights_of,
)
from skreprogram.sources._source_model import SourceModel
from skreprogram.sources._source_tokenizer import SourceTokenizer
from skreprogram.sources._weights import locate

MAX_LENGTH = 256


@dataclass(frozen=True, repr=False, eq=False)
class TextSource(SourceModel):
    """A frozen language model: a source whose inputs are sequences of embeddings.

    Make one with :meth:`from_pretrained`, or ``load_source("minilm")``. Needs the extra ``text``.
    One input has the shape (length, d + 1): the tokens' embeddings, before positions are added,
    and a channel that says of each position: 0 is padding, 1 attended, 2 attended and read. The
    answer is the mean of the last states over what is read; see
    :class:`skreprogram.sources.TextEncoder`.

    Parameters
    ----------
    weights, digest : str
        The safetensors file, or the index of several, and the sha256.
    input_shape : tuple of int
        Most positions of one input, and d + 1.
    n_outputs : int
        Length of the answer.
    factory, factory_options, structure : object, default=None
        As in :class:`SourceModel`; only the control has a structure.
    value_range, mean, std : tuple, default=None
        As there; embeddings have no bounds.
    output_kind : str, default="logits"
        As there.
    output_names, feature_layers : tuple, default=None
        As there; without them the features are the pooled states of every layer.
    flexible : bool, default=False
        As there; True in all handles that :meth:`from_pretrained` makes.
    sampling_rate : float, default=None
        As there.
    name : str or None, default=None
        Name to print.
    folder : str
        Where config.json, the tokenizer's files and the weights lie; ``"package:NAME/PATH"`` in an
        installed package.
    kind : {"encoder", "masked", "causal"}
        What the model was trained for.
    head : {"none", "transform", "decoder"}
        What its states go through.
    special_tokens : tuple of (str, int)
        Numbers of special tokens, by the names of :class:`Vocabulary`.

    See Also
    --------
    SourceModel : Networks of any other kind.

    Examples
    --------
    >>> from skreprogram.sources import load_source
    >>> source = load_source("minilm")
    >>> source
    TextSource('minilm', (256, 385) -> 384)
    >>> source.input_space.vocabulary.embeddings.shape
    torch.Size([30522, 384])
    """

    folder: str = ""
    kind: str = "encoder"
    head: str = "none"
    special_tokens: tuple = ()

    @classmethod
    def from_pretrained(
        cls, name_or_folder, head="auto", max_length=None, download=True, name=None
    ):
        """Describe a language model by its folder, or by its name on the Hugging Face hub.

        The weights must be safetensors; no code of the folder is run.

        Parameters
        ----------
        name_or_folder : path-like
            A folder that ``save_pretrained`` wrote, with its tokenizer, or a name of the hub.
        head : {"auto", "none", "transform", "decoder"}, default="auto"
            What the states go through: nothing, the dense layer of a masked language model's head,
            or its whole head, which gives one score a token. "auto" is "transform" where there is
            such a head and "none" elsewhere.
        max_length : int or None, default=None
            Most positions of one input; None takes 256, or fewer where the model has fewer.
        download : bool, default=True
            Whether files may be downloaded from the hub.
        name : str or None, default=None
            Name to print; None takes that of the folder.

        Returns
        -------
        source : TextSource
            The handle. The weights are hashed, but not read before they are needed.

        Raises
        ------
        DownloadError
            Where there is no such folder and the hub cannot help.
        ImportError
            Where transformers is not installed.
        ValueError
            For models without the wanted head, and lengths they cannot take.
        """
        folder = folder_of(name_or_folder, download)
        facts, weights = facts_of(folder, head), weights_of(folder)
        return cls(
            weights=str(weights),
            digest=digest_of(weights),
            input_shape=(_length(max_length, facts.max_length), facts.n_embedded + 1),
            n_outputs=facts.n_outputs,
            flexible=True,
            name=name or str(name_or_folder).rstrip("/").rpartition("/")[2],
            folder=str(folder),
            kind=facts.kind,
            head=facts.head,
            special_tokens=special_tokens(load_tokenizer(folder)),
        )

    def with_max_length(self, max_length):
        """Return the same source for inputs of at most so many positions.

        Parameters
        ----------
        max_length : int
            At most those of this handle.

        Returns
        -------
        source : TextSource
            The handle, of the same weights.
        """
        shape = (_length(max_length, self.input_shape[0]), self.input_shape[1])
        return replace(self, input_shape=shape)

    @property
    def tokenizer(self):
        """The source's own :class:`SourceTokenizer`."""
        return SourceTokenizer(self.folder)

    @property
    def input_space(self):
        """What the network takes; the vocabulary's embeddings are those of the loaded network."""
        # wherever programs run: transformations are drawn on the CPU
        special, fills = dict(self.special_tokens), self.kind == "masked"
        vocabulary = Vocabulary(self.load().embeddings, **special, fills_mask=fills)
        return InputSpace(self.input_shape, flexible=True, vocabulary=vocabulary)

    def _build(self):
        if self.structure is not None:
            return super()._build()
        path = locate(self.weights)
        if not path.exists() or digest_of(path) != self.digest:
            state = "other weights" if path.exists() else "nothing"
            raise ValueError(
                f"Got {state} at {path} for the source {self.name!r}, expected a file with sha256 "
                f"{self.digest}. Put it back, or make the source again."
            )
        return load_encoder(path.parent, self.kind, self.head)

    def _probe(self, module, n_inputs):
        """Noise as embeddings of attended positions."""
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn((n_inputs, 8, self.input_shape[1]), generator=generator)
        noise[..., -1] = ATTENDED
        return noise

    def __repr__(self):
        return f"TextSource({self.name!r}, {self.input_shape} -> {self.n_outputs})"


def _length(wanted, most):
    if wanted is None:
        return min(MAX_LENGTH, most)
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 1 <= wanted <= most:
        raise ValueError(
            f"Got max_length={wanted!r}, expected None or a whole number from 1 to {most}, the "
            "most positions that the model takes."
        )
    return wanted
