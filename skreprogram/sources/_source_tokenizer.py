"""A source's own tokenizer: texts as numbers of the source's vocabulary."""

from dataclasses import dataclass

from skreprogram.sources._fixed_vocabulary import FixedVocabulary
from skreprogram.sources._language_models import load_tokenizer
from skreprogram.sources._weights import locate


@dataclass(frozen=True)
class SourceTokenizer(FixedVocabulary):
    """Cuts texts as the source's training did, with its vocabulary.

    The functions are those of the other tokenizers, but nothing is learned: the vocabulary is the
    source's. Token number t of the source has the number t + 2 here, because 0 is padding and 1
    an unknown token in the numbers of every tokenizer.

    Parameters
    ----------
    folder : str
        Folder of the tokenizer's files; ``"package:NAME/PATH"`` lies in an installed package.

    Examples
    --------
    >>> from skreprogram.sources import load_source
    >>> tokenizer = load_source("minilm").tokenizer
    >>> samples = tokenizer.split(["A reprogrammed model", ""])
    >>> samples
    [['a', 'rep', '##ro', '##gram', '##med', 'model'], []]
    >>> tokenizer.encode(samples, tokenizer.learn(samples), 4)
    array([[ 1039, 16362,  3219, 13115],
           [    0,     0,     0,     0]])
    """

    folder: str

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
        texts = [own for own in samples if isinstance(own, str)]
        cut = iter(self._cut(texts))
        return [next(cut) if isinstance(own, str) else list(own) for own in samples]

    def source_tokens(self, words):
        """Numbers of words in the source's vocabulary.

        Parameters
        ----------
        words : sequence of str
            Each one token, as it stands in the middle of a text.

        Returns
        -------
        tokens : tuple of int
            For `init` of :class:`skreprogram.transformations.PromptTransformation`, and for output
            mappings behind a source with ``head="decoder"``.

        Raises
        ------
        ValueError
            For words of several tokens.
        """
        # a space says that a word begins, where the vocabulary tells this apart
        cut = [self._loaded()(f" {word}", add_special_tokens=False)["input_ids"] for word in words]
        several = [word for word, tokens in zip(words, cut, strict=True) if len(tokens) != 1]
        if several:
            raise ValueError(
                f"Got {several}, of which each is several tokens or none, expected words that are "
                "one token of the source. Choose others."
            )
        return tuple(tokens[0] for tokens in cut)

    def _known(self):
        return self._loaded().get_vocab()

    def _cut(self, texts):
        if not texts:
            return []
        tokenizer = self._loaded()
        batch = tokenizer(texts, add_special_tokens=False, verbose=False)
        return [tokenizer.convert_ids_to_tokens(row) for row in batch["input_ids"]]

    def _loaded(self):
        return load_tokenizer(locate(f"{self.folder}/config.json").parent)
