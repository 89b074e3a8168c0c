"""The target tasks of the sequences benchmark: real texts, DNA, peptides and molecules."""

import csv
import gzip
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.model_selection import StratifiedKFold, train_test_split

# rows of a test part at most, and of each class of a training part where all are asked for
MOST_TEST, MOST_PER_CLASS = 500, 1_000
ALL = "all"


class Parts(NamedTuple):
    """Texts, as lists, and labels, as arrays, of both parts."""

    X_train: list
    y_train: np.ndarray
    X_test: list
    y_test: np.ndarray


class Target(NamedTuple):
    """A task of the benchmark.

    Parameters
    ----------
    read : callable
        From the data folder to a list of `Parts`: one split, or the folds of a small set.
    tokens : {"words", "characters"}
        What a text is made of.
    aligned : bool, default=False
        Whether all texts are of one length and a position means the same in each.
    imbalanced : bool, default=False
        Whether accuracy says little: classes are weighted and other scores are reported.
    """

    read: Any
    tokens: str = "characters"
    aligned: bool = False
    imbalanced: bool = False


def sentiment(folder):
    """SST-2, whole sentences; its own training and test part."""
    return _own_parts(folder, "text/stsa.binary.train", "text/stsa.binary.test", "utf-8")


def questions(folder):
    """TREC, six kinds of questions; its own training and test part."""
    return _own_parts(folder, "text/TREC.train.all", "text/TREC.test.all", "latin-1")


def splice(folder):
    """Primate splice junctions, 60 bases: exon to intron, intron to exon, or neither."""
    return [_split(*_dna(folder, "splice"))]


def promoters(folder):
    """E. coli promoters, 57 bases; so few that they are cross-validated in five folds."""
    X, y = _dna(folder, "promoters")
    folds = StratifiedKFold(5, shuffle=True, random_state=0).split(X, y)
    return [_parts(X, y, train, test) for train, test in folds]


def peptides(folder):
    """Antimicrobial peptides against others of UniProt."""
    lines = _lines(folder, "amp/AMPvsUniProt.csv")[1:]
    return [_split(*once(line.split(",") for line in lines))]


def toxicity(folder, assay):
    """Molecules of Tox21 as SMILES: active in one assay or not."""
    with gzip.open(_existing(folder, "tox21/tox21.csv.gz"), "rt", encoding="utf-8") as file:
        known = [(row["smiles"], row[assay]) for row in csv.DictReader(file) if row[assay]]
    return [_split(*once(known))]


TARGETS = {
    "SST-2": Target(sentiment, "words"),
    "TREC": Target(questions, "words"),
    "splice": Target(splice, aligned=True),
    "promoters": Target(promoters, aligned=True),
    "peptides": Target(peptides),
    # the assays with the largest shares of actives among those of 5,800 molecules and more
    "SR-MMP": Target(partial(toxicity, assay="SR-MMP"), imbalanced=True),
    "NR-AhR": Target(partial(toxicity, assay="NR-AhR"), imbalanced=True),
}


def load(name, folder):
    """Load a target; the splits are the same for every seed.

    Parameters
    ----------
    name : str
        One of `TARGETS`.
    folder : path-like or None
        Where the data are.

    Returns
    -------
    folds : list of Parts
        No text is in both parts of a fold. Test parts have at most `MOST_TEST` rows.

    Raises
    ------
    FileNotFoundError
        Where a file is missing.
    """
    return TARGETS[name].read(folder)


def once(rows):
    """Every text once; texts with several labels are left out.

    Parameters
    ----------
    rows : iterable of (str, str)
        Text and label.

    Returns
    -------
    X : list of str
        Texts, without white space around them.
    y : ndarray of shape (n_samples,)
        Labels.
    """
    labels = {}
    for text, label in rows:
        labels.setdefault(text.strip(), set()).add(label.strip())
    clear = {text: min(own) for text, own in labels.items() if len(own) == 1}
    return list(clear), np.array(list(clear.values()))


def reduced(parts, per_class, seed):
    """Keep so many training rows of each class, or all there are where a class has fewer.

    Parameters
    ----------
    parts : Parts
        Both parts; the test part stays.
    per_class : str
        A number, or "all": all rows, but not more than `MOST_PER_CLASS` of each class.
    seed : int
        Draws them. Rows of a smaller number are among those of a larger one.

    Returns
    -------
    parts : Parts
    """
    y, limit = parts.y_train, MOST_PER_CLASS if per_class == ALL else int(per_class)
    order = np.random.default_rng(seed).permutation(len(y))
    kept = np.concatenate([order[y[order] == own][:limit] for own in np.unique(y)])
    # in their own order, so that classes are mixed as they were
    kept = np.sort(kept)
    return parts._replace(X_train=[parts.X_train[i] for i in kept], y_train=y[kept])


def is_reduction(parts, per_class):
    """Whether so many rows a class are fewer than "all", or all."""
    largest = np.unique(parts.y_train, return_counts=True)[1].max()
    return per_class == ALL or int(per_class) < min(largest, MOST_PER_CLASS)


def validation(parts):
    """Put a piece of the training part in the place of the test part, which nobody sees then."""
    return _split(parts.X_train, parts.y_train)


def _own_parts(folder, train, test, encoding):
    # "label text" a line
    parts = [
        once(line.split(" ", 1)[::-1] for line in _lines(folder, name, encoding))
        for name in (train, test)
    ]
    (X, y), (X_test, y_test) = parts
    known = set(X_test)
    train = [i for i, text in enumerate(X) if text not in known]
    test = _cut(y_test, MOST_TEST)
    X, y = [X[i] for i in train], y[train]
    return [Parts(X, y, [X_test[i] for i in test], y_test[test])]


def _dna(folder, name):
    # "label, name, bases" a line
    rows = (line.split(",") for line in _lines(folder, f"dna_uci/{name}.data"))
    return once((bases, label) for label, _, bases in rows)


def _split(X, y):
    """A fifth, stratified, is the test part, but not more than `MOST_TEST` rows."""
    rows = np.arange(len(y))
    n_test = min(len(y) // 5, MOST_TEST)
    train, test = train_test_split(rows, test_size=n_test, stratify=y, random_state=0)
    return _parts(X, y, np.sort(train), np.sort(test))


def _parts(X, y, train, test):
    return Parts([X[i] for i in train], y[train], [X[i] for i in test], y[test])


def _cut(y, most):
    rows = np.arange(len(y))
    if len(y) <= most:
        return rows
    return np.sort(train_test_split(rows, train_size=most, stratify=y, random_state=0)[0])


def _lines(folder, name, encoding="utf-8"):
    lines = _existing(folder, name).read_text(encoding=encoding).split("\n")
    return [line for line in lines if line.strip()]


def _existing(folder, name):
    path = None if folder is None else Path(folder) / name
    if path is None or not path.is_file():
        raise FileNotFoundError(
            f"Got --data {folder}, but expected a folder with the file {name}. README.md says what "
            "is in it."
        )
    return path
