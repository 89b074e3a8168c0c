"""A user's function as tokenizer."""

from skreprogram.tokenizers._base import Tokenizer


class FunctionTokenizer(Tokenizer):
    """Let a function cut the texts; passing the function itself as `tokenizer` does the same.

    Parameters
    ----------
    function : callable
        From a text to the list of its tokens. At the top level of a module it can be pickled.
    max_vocabulary : int or None, default=None
        Most tokens that get a number; the most frequent ones do.
    min_count : int, default=1
        Occurrences in the training texts that a token needs for a number of its own.

    Examples
    --------
    >>> from skreprogram.tokenizers import FunctionTokenizer
    >>> FunctionTokenizer(str.split).tokens("to be")
    ['to', 'be']
    """

    def __init__(self, function, max_vocabulary=None, min_count=1):
        super().__init__(max_vocabulary, min_count)
        self.function = function

    def tokens(self, text):
        tokens = self.function(text)
        if not isinstance(tokens, (list, tuple)):
            raise TypeError(
                f"Got {tokens!r} of type {type(tokens).__name__} from the tokenizer "
                f"{self.function!r} for the text {text!r}, expected the list of its tokens."
            )
        return list(tokens)
