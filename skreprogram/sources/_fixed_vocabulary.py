"""What tokenizers share whose vocabulary is that of a source."""

import numpy as np

from skreprogram._input_space import FIRST_TOKEN, PADDING, UNKNOWN


class FixedVocabulary:
    """Mixin: nothing is learned, and the source's token t has the number t + 2.

    0 is padding and 1 an unknown token in the numbers of every tokenizer. A subclass says with
    ``_known`` which tokens the source has, as a dict from tokens to their numbers there.
    """

    def learn(self, samples):
        """Return an empty vocabulary: there is nothing to learn.

        Parameters
        ----------
        samples : list of list
            Tokens of each sample.

        Returns
        -------
        vocabulary : dict
            Empty, so that programs stay small.
        """
        return {}

    def encode(self, samples, vocabulary, length):
        """Look up tokens; cut off at the end what is too long and fill up what is too short.

        Parameters
        ----------
        samples : list of list
            Tokens of each sample.
        vocabulary : dict
            Not used.
        length : int
            Numbers a sample.

        Returns
        -------
        numbers : ndarray of int64 of shape (n_samples, length)
            0 padding, 1 unknown, t + 2 the source's token t.
        """
        known = self._known()
        numbers = np.full((len(samples), length), PADDING, dtype=np.int64)
        for row, tokens in zip(numbers, samples, strict=True):
            kept = [known.get(token, UNKNOWN - FIRST_TOKEN) for token in tokens[:length]]
            row[: len(kept)] = np.add(kept, FIRST_TOKEN)
        return numbers

    def __sklearn_clone__(self):
        return self
