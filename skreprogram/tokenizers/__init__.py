"""Tokenizers: from texts to numbers of tokens."""

from skreprogram.tokenizers._base import Tokenizer
from skreprogram.tokenizers._characters import CharacterTokenizer
from skreprogram.tokenizers._function import FunctionTokenizer
from skreprogram.tokenizers._kmers import KmerTokenizer
from skreprogram.tokenizers._resolve import as_tokenizer
from skreprogram.tokenizers._words import WordTokenizer

__all__ = [
    "CharacterTokenizer",
    "FunctionTokenizer",
    "KmerTokenizer",
    "Tokenizer",
    "WordTokenizer",
    "as_tokenizer",
]
