"""The words of a source that reads words: texts as numbers of its vocabulary."""

import re
from dataclasses import dataclass
from functools import lru_cache

from safetensors import safe_open

from skreprogram.sources._fixed_vocabulary import FixedVocabulary
from skreprogram.sources._weights import locate

# the first rows of the source's table of embeddings
N_SPECIAL = 2


def words_of(text):
    """Cut a text into words and single punctuation marks, in lower case.

    Parameters
    ----------
    text : str
        Perhaps empty.

    Returns
    -------
    words : list of str
        In the order of the text.

    Examples
    --------
    >>> from skreprogram.sources._source_words import words_of
    >>> words_of("Who was Galileo's wife?")
    ['who', 'was', 'galileo', "'", 's', 'wife', '?']
    """
    return re.findall(r"\w+|[^\w\s]", text.lower())


@dataclass(frozen=True)
class SourceWords(FixedVocabulary):
    """Cuts texts into words, with the vocabulary of a source that was trained on them.

    The functions are those of :class:`skreprogram.sources.SourceTokenizer`: the source's token t
    has the number t + 2. What the source does not know has the number 1.

    Parameters
    ----------
    weights : str
        The safetensors file whose metadata list the words, as in
        :class:`skreprogram.sources.SourceModel`.

    Examples
    --------
    >>> from skreprogram.sources import load_source
    >>> tokenizer = load_source("questions-lstm").tokenizer
    >>> samples = tokenizer.split(["Who reprogrammed it?", ""])
    >>> samples
    [['who', 'reprogrammed', 'it', '?'], []]
    >>> tokenizer.encode(samples, tokenizer.learn(samples), 4)[1]
    array([0, 0, 0, 0])
    """

    weights: str

    def split(self, samples):
        """Cut texts; lists of tokens are left as they are.

        Parameters
        ----------
        samples : list of str or of list
            Texts, or tokens of each sample.

        Returns
        -------
        samples : list of list
            Tokens of each sample.
        """
        return [words_of(own) if isinstance(own, str) else list(own) for own in samples]

    def source_tokens(self, words):
        """Numbers of words in the source's vocabulary.

        Parameters
        ----------
        words : sequence of str
            Each one word of the source.

        Returns
        -------
        tokens : tuple of int
            For `initial` of :class:`skreprogram.transformations.PromptTransformation`.

        Raises
        ------
        ValueError
            For words that the source does not know.
        """
        known = self._known()
        unknown = [word for word in words if word.lower() not in known]
        if unknown:
            raise ValueError(
                f"Got {unknown}, expected words among the {len(known)} that the source knows. "
                "Choose others."
            )
        return tuple(known[word.lower()] for word in words)

    def _known(self):
        return _numbered_words(self.weights)


@lru_cache(maxsize=8)
def _numbered_words(weights):
    """From words to rows of the table of embeddings, read once in a process."""
    with safe_open(locate(weights), "numpy") as file:
        metadata = file.metadata() or {}
    if "words" not in metadata:
        raise ValueError(
            f"Got {weights!r}, whose metadata hold {sorted(metadata)}, expected 'words', one a "
            "line in the order of the embeddings. Save it with them, or use another tokenizer."
        )
    words = metadata["words"].split("\n")
    return {word: number for number, word in enumerate(words, N_SPECIAL)}
