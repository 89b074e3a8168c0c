"""The data sets of the images benchmark: training and test part of each."""

import gzip
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skreprogram.datasets import make_squares


class Parts(NamedTuple):
    """Images (n, channels, height, width) or (n, height, width), and labels, of both parts."""

    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def mnist(folder, seed):
    """Read 5,000 images, 500 a digit; a fifth of them, drawn with the seed, is the test part."""
    path = _existing(folder, "mnist5k/mnist_5k.csv.gz")
    with gzip.open(path, "rt", encoding="ascii") as lines:
        table = np.loadtxt(lines, delimiter=",", dtype=np.uint8)
    return _fifth_apart(table[:, :-1].reshape(-1, 28, 28), table[:, -1], seed)


def cifar10(folder, seed):
    """Read 2,000 training and 1,000 test images; the parts are those of CIFAR-10."""
    with np.load(_existing(folder, "cifar10_subset/cifar10_subset.npz")) as file:
        X_train, X_test = (file[name].transpose(0, 3, 1, 2) for name in ("X_train", "X_test"))
        return Parts(X_train, file["y_train"], X_test, file["y_test"])


def squares(folder, seed):
    """Draw 8,000 training and 1,000 test images of squares to be counted."""
    X, y = make_squares(9_000, random_state=seed)
    return Parts(X[:8_000], y[:8_000], X[8_000:], y[8_000:])


def digits(folder, seed):
    """Take the 1,797 digits of scikit-learn; a fifth of them is the test part."""
    X, y = load_digits(return_X_y=True)
    return _fifth_apart(X.reshape(-1, 8, 8) / 16, y, seed)


DATASETS = {"mnist": mnist, "cifar10": cifar10, "squares": squares, "digits": digits}


def load(name, folder, seed):
    """Load a data set.

    Parameters
    ----------
    name : str
        One of `DATASETS`.
    folder : path-like or None
        Where the files of MNIST and CIFAR-10 are.
    seed : int
        Draws the parts where the set has none.

    Returns
    -------
    parts : Parts
    """
    return DATASETS[name](folder, seed)


def cut(parts, n_train, seed):
    """Keep so many training images at most, as many of every class up to one."""
    if n_train is None or n_train >= len(parts.y_train):
        return parts
    X, _, y, _ = train_test_split(
        parts.X_train,
        parts.y_train,
        train_size=n_train,
        stratify=parts.y_train,
        random_state=seed,
    )
    return parts._replace(X_train=X, y_train=y)


def validation(parts, n_valid, seed):
    """Put a piece of the training part in the place of the test part, which nobody sees then."""
    X, X_valid, y, y_valid = train_test_split(
        parts.X_train,
        parts.y_train,
        test_size=n_valid,
        stratify=parts.y_train,
        random_state=1_000 + seed,
    )
    return Parts(X, y, X_valid, y_valid)


def _fifth_apart(X, y, seed):
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.2, stratify=y, random_state=seed
    )
    return Parts(X_train, y_train, X_test, y_test)


def _existing(folder, name):
    path = None if folder is None else Path(folder) / name
    if path is None or not path.is_file():
        raise FileNotFoundError(
            f"Got --data {folder}, but expected a folder with the file {name}. README.md says what "
            "is in it; --datasets squares digits need no files."
        )
    return path
