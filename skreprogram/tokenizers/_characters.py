"""Characters as tokens."""

from skreprogram.tokenizers._base import Tokenizer


class CharacterTokenizer(Tokenizer, name="char"):
    """Every character is a token: letters of DNA and proteins, symbols of SMILES, spelling.

    Upper and lower case, spaces and signs are kept apart.

    Parameters
    ----------
    max_vocabulary : int or None, default=None
        Most characters that get a number; the most frequent ones do.
    min_count : int, default=1
        Occurrences in the training texts that a character needs for a number of its own.

    Examples
    --------
    >>> from skreprogram.tokenizers import CharacterTokenizer
    >>> tokenizer = CharacterTokenizer()
    >>> samples = tokenizer.split(["ACA", "GA"])
    >>> vocabulary = tokenizer.learn(samples)
    >>> vocabulary
    {'A': 2, 'C': 3, 'G': 4}
    >>> tokenizer.encode(samples, vocabulary, 4)
    array([[2, 3, 2, 0],
           [4, 2, 0, 0]])
    """

    def tokens(self, text):
        return list(text)
