"""Words as tokens."""

import re

from skreprogram.tokenizers._base import Tokenizer


class WordTokenizer(Tokenizer, name="word"):
    r"""Words in lower case, found by scikit-learn's pattern: two or more letters or digits.

    Parameters
    ----------
    max_vocabulary : int or None, default=None
        Most words that get a number; the most frequent ones do.
    min_count : int, default=1
        Occurrences in the training texts that a word needs for a number of its own.
    lowercase : bool, default=True
        Whether capital letters become small ones first.
    pattern : str, default=r"\\b\\w\\w+\\b"
        Regular expression of a word, ``token_pattern`` of scikit-learn's vectorizers; where it has
        a group, the group is the word.

    Examples
    --------
    >>> from skreprogram.tokenizers import WordTokenizer
    >>> WordTokenizer().tokens("What is a Token?")
    ['what', 'is', 'token']
    """

    def __init__(self, max_vocabulary=None, min_count=1, lowercase=True, pattern=r"\b\w\w+\b"):
        super().__init__(max_vocabulary, min_count)
        self.lowercase = lowercase
        self.pattern = pattern

    def tokens(self, text):
        return re.findall(self.pattern, text.lower() if self.lowercase else text)
