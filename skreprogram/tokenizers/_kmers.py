"""Runs of k characters as tokens."""

from numbers import Integral

from skreprogram.tokenizers._base import Tokenizer


class KmerTokenizer(Tokenizer, name="kmer"):
    """Runs of k characters: words of DNA and proteins, which have no spaces.

    The name ``"kmer:4"`` stands for ``KmerTokenizer(4)``.

    Parameters
    ----------
    k : int, default=3
        Characters of a token.
    stride : int, default=1
        Characters from the start of one token to that of the next: 1 lets them overlap, k lays
        them end to end.
    max_vocabulary : int or None, default=None
        Most tokens that get a number; the most frequent ones do.
    min_count : int, default=1
        Occurrences in the training texts that a token needs for a number of its own.

    Notes
    -----
    Every character is in some token: the last one is shorter where the stride leaves less than k
    characters, and a text of less than k characters is one token.

    Examples
    --------
    >>> from skreprogram.tokenizers import KmerTokenizer
    >>> KmerTokenizer(3).tokens("ACGTA")
    ['ACG', 'CGT', 'GTA']
    >>> KmerTokenizer(3, stride=3).tokens("ACGTA")
    ['ACG', 'TA']
    """

    def __init__(self, k=3, stride=1, max_vocabulary=None, min_count=1):
        super().__init__(max_vocabulary, min_count)
        self.k = k
        self.stride = stride

    @classmethod
    def with_argument(cls, argument):
        if not argument.isdecimal():
            raise ValueError(
                f"Got the tokenizer 'kmer:{argument}', expected a whole number behind the colon, "
                "for example 'kmer:3'."
            )
        return cls(int(argument))

    def tokens(self, text):
        self._check_numbers()
        if not text:
            return []
        end = max(len(text) - self.k + self.stride, 1)
        return [text[start : start + self.k] for start in range(0, end, self.stride)]

    def _check_numbers(self):
        for name, highest in (("k", None), ("stride", self.k)):
            value = getattr(self, name)
            whole = isinstance(value, Integral) and not isinstance(value, bool) and value >= 1
            if not whole or (highest is not None and value > highest):
                limits = "" if highest is None else f" of at most k={highest}"
                raise ValueError(
                    f"Got {name}={value!r} in KmerTokenizer, expected a positive whole number"
                    f"{limits}."
                )
