"""Questions of TREC: read, cut into words, and split."""

from collections import Counter
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split

from skreprogram.sources._source_words import N_SPECIAL, words_of

# in the order of the files' labels 0 to 5
KINDS = ("description", "entity", "abbreviation", "human", "location", "number")
N_VALIDATION = 545
UNKNOWN = 1


class Questions(NamedTuple):
    """Words of each question, as lists, and labels, as an array."""

    words: list
    labels: np.ndarray

    def among(self, rows):
        """The questions of some rows."""
        return Questions([self.words[row] for row in rows], self.labels[rows])


def read(path):
    """All questions of a file, "label text" a line, each text once."""
    lines = path.read_text(encoding="latin-1").split("\n")
    found = {}
    for line in filter(str.strip, lines):
        label, _, text = line.partition(" ")
        found.setdefault(tuple(words_of(text)), int(label))
    return Questions([list(words) for words in found], np.array(list(found.values())))


def split(questions, test):
    """Training and validation part of questions, without those that occur in the test part.

    The validation part is drawn once, by kind; no seed changes it.
    """
    asked = set(map(tuple, test.words))
    rows = [row for row, words in enumerate(questions.words) if tuple(words) not in asked]
    train, validation = train_test_split(
        np.array(rows), test_size=N_VALIDATION, stratify=questions.labels[rows], random_state=0
    )
    return questions.among(train), questions.among(validation)


def vocabulary_of(questions, min_count):
    """Words that occur so often, the most frequent first, those of equal count by alphabet."""
    counts = Counter(word for words in questions.words for word in words)
    kept = [word for word, count in counts.items() if count >= min_count]
    return sorted(kept, key=lambda word: (-counts[word], word))


def numbered(questions, vocabulary):
    """Rows of the table of embeddings as a list of lists; unknown words have the second."""
    numbers = {word: number for number, word in enumerate(vocabulary, N_SPECIAL)}
    return [[numbers.get(word, UNKNOWN) for word in words] for words in questions.words]
