"""From what a user passes as `tokenizer` to a specification."""

from skreprogram.tokenizers._base import Tokenizer
from skreprogram.tokenizers._function import FunctionTokenizer


def as_tokenizer(choice):
    """Return the tokenizer that a name, an object or a function stands for.

    Parameters
    ----------
    choice : str, Tokenizer or callable
        A name, perhaps with an argument behind a colon as in "kmer:3"; an object; or a function
        from a text to the list of its tokens.

    Returns
    -------
    tokenizer : Tokenizer
        The same object where one was passed.

    Examples
    --------
    >>> from skreprogram.tokenizers import as_tokenizer
    >>> as_tokenizer("kmer:4")
    KmerTokenizer(k=4)
    >>> as_tokenizer(str.split)
    FunctionTokenizer(function=<method 'split' of 'str' objects>)
    """
    if isinstance(choice, str) and ":" in choice:
        name, _, argument = choice.partition(":")
        return type(Tokenizer.resolve(name)).with_argument(argument)
    # a class is callable too, but was meant as an object
    if callable(choice) and not isinstance(choice, (Tokenizer, type)):
        return FunctionTokenizer(choice)
    return Tokenizer.resolve(choice)
