"""Source models: frozen pretrained networks and black boxes, held by reference."""

from skreprogram.sources._attention_rnn import AttentionRNN
from skreprogram.sources._black_box import BlackBoxSource
from skreprogram.sources._catalogue import CatalogueEntry, list_sources, load_source
from skreprogram.sources._cellular_automaton import CellularAutomaton
from skreprogram.sources._digits_generator import DigitsGenerator
from skreprogram.sources._download import DownloadError
from skreprogram.sources._efficientnet_lite import EfficientNetLite
from skreprogram.sources._generator_source import GeneratorSource
from skreprogram.sources._keyword_network import KeywordNetwork
from skreprogram.sources._output_kinds import QueryError
from skreprogram.sources._packaged_generators import as_generator
from skreprogram.sources._remote import RemoteModel
from skreprogram.sources._remote_faults import RemoteError
from skreprogram.sources._resolve import as_source
from skreprogram.sources._several_sources import SeveralSources
from skreprogram.sources._source_model import SourceModel
from skreprogram.sources._source_tokenizer import SourceTokenizer
from skreprogram.sources._text_encoder import TextEncoder
from skreprogram.sources._text_source import TextSource

__all__ = [
    "AttentionRNN",
    "BlackBoxSource",
    "CatalogueEntry",
    "CellularAutomaton",
    "DigitsGenerator",
    "DownloadError",
    "EfficientNetLite",
    "GeneratorSource",
    "KeywordNetwork",
    "QueryError",
    "RemoteError",
    "RemoteModel",
    "SeveralSources",
    "SourceModel",
    "SourceTokenizer",
    "TextEncoder",
    "TextSource",
    "as_generator",
    "as_source",
    "list_sources",
    "load_source",
]
