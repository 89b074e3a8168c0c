"""The contract of a tokenizer."""

from abc import abstractmethod
from collections import Counter
from itertools import chain
from numbers import Integral

import numpy as np

from skreprogram._strategy import Strategy

PADDING, UNKNOWN = 0, 1


class Tokenizer(Strategy, family="tokenizer"):
    """Cuts texts into tokens, learns their vocabulary and numbers them.

    A tokenizer is a specification with pure functions: the vocabulary that `learn` returns is kept
    by the estimator. A subclass writes `tokens`; one with a vocabulary of its own, such as that of
    a language model, writes `learn` and `encode` as well.

    Parameters
    ----------
    max_vocabulary : int or None, default=None
        Most tokens that get a number; the most frequent ones do.
    min_count : int, default=1
        Occurrences in the training texts that a token needs for a number of its own. From 2 on,
        training sees the unknown token.

    Notes
    -----
    0 is padding, 1 an unknown token; those of the vocabulary follow, most frequent first, those of
    equal count in alphabetical order.
    """

    def __init__(self, max_vocabulary=None, min_count=1):
        self.max_vocabulary = max_vocabulary
        self.min_count = min_count

    @classmethod
    def with_argument(cls, argument):
        """Make the tokenizer that ``"name:argument"`` stands for; here there is none.

        Parameters
        ----------
        argument : str
            What follows the colon.

        Returns
        -------
        tokenizer : Tokenizer
        """
        raise ValueError(
            f"Got the argument {argument!r} behind the name of {cls.__name__}, expected the name "
            "alone. Leave it and the colon out."
        )

    @abstractmethod
    def tokens(self, text):
        """Cut one text.

        Parameters
        ----------
        text : str
            Perhaps empty.

        Returns
        -------
        tokens : list
            In the order of the text.
        """

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
        return [self.tokens(own) if isinstance(own, str) else list(own) for own in samples]

    def learn(self, samples):
        """Number the tokens of training data.

        Parameters
        ----------
        samples : list of list
            Tokens of each sample.

        Returns
        -------
        vocabulary : dict
            From tokens to numbers, in ascending order.

        Raises
        ------
        ValueError
            Where no token is left.
        """
        self._check()
        counts = Counter(chain.from_iterable(samples))
        frequent = [token for token, count in counts.items() if count >= self.min_count]
        if not frequent:
            raise ValueError(
                f"Got {len(samples)} training samples without a token that occurs min_count="
                f"{self.min_count} times, expected some text. Check X, or choose another tokenizer."
            )
        # by their text where counts are equal, so that the order of the samples does not matter
        frequent.sort(key=lambda token: (-counts[token], str(token)))
        return {token: i for i, token in enumerate(frequent[: self.max_vocabulary], UNKNOWN + 1)}

    def encode(self, samples, vocabulary, length):
        """Look up tokens; cut off at the end what is too long and fill up what is too short.

        Parameters
        ----------
        samples : list of list
            Tokens of each sample.
        vocabulary : dict
            What `learn` returned.
        length : int
            Numbers a sample.

        Returns
        -------
        numbers : ndarray of int64 of shape (n_samples, length)
            0 is padding, 1 an unknown token.
        """
        numbers = np.full((len(samples), length), PADDING, dtype=np.int64)
        for row, tokens in zip(numbers, samples, strict=True):
            kept = [vocabulary.get(token, UNKNOWN) for token in tokens[:length]]
            row[: len(kept)] = kept
        return numbers

    def _check(self):
        for name in ("max_vocabulary", "min_count"):
            value = getattr(self, name)
            whole = isinstance(value, Integral) and not isinstance(value, bool) and value >= 1
            if not whole and not (name == "max_vocabulary" and value is None):
                raise ValueError(
                    f"Got {name}={value!r} in {type(self).__name__}, expected a positive whole "
                    "number."
                )
