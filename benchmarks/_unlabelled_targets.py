"""Targets of the benchmark of unlabelled rows: data, and which rows keep their label."""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from skreprogram.datasets import load_ucr
from skreprogram.sources import SourceModel

SIDE = 12
N_STEPS_SOURCE = 400
SERIES = "SwedishLeaf"
ALL = "all"


class Target(NamedTuple):
    """A task of the benchmark.

    Parameters
    ----------
    read : callable
        From the folder of the archive to X_train, X_test, y_train, y_test.
    per_class : tuple of str
        Labelled rows of each class.
    """

    read: Any
    per_class: tuple


def digits(folder):
    """The digits 5 to 9, (n, 1, 8, 8) between 0 and 1; the source has seen 0 to 4."""
    X, y = _digits()
    return train_test_split(X[y > 4], y[y > 4], test_size=0.25, stratify=y[y > 4], random_state=0)


def series(folder):
    """A development set of the UCR archive, its own parts."""
    X_train, y_train, X_test, y_test = load_ucr(SERIES, path=folder)
    return X_train, X_test, y_train, y_test


TARGETS = {
    "digits": Target(digits, ("2", "5", "20", ALL)),
    SERIES: Target(series, ("2", "5", "10", ALL)),
}


def split(target, folder, validated, per_class, seed):
    """X_train, y_train with -1 for rows without a label, X_test, y_test.

    With `validated` both parts are cut from the training part.
    """
    X_train, X_test, y_train, y_test = TARGETS[target].read(folder)
    if validated:
        X_train, X_test, y_train, y_test = train_test_split(
            X_train, y_train, test_size=0.3, stratify=y_train, random_state=0
        )
    return X_train, partly_labelled(y_train, per_class, seed), X_test, y_test


def partly_labelled(y, per_class, seed):
    """Labels of so many rows of each class, drawn by the seed; -1 elsewhere."""
    if per_class == ALL:
        return y
    rng = np.random.RandomState(seed)
    rows = [rng.permutation(np.flatnonzero(y == label)) for label in np.unique(y)]
    kept = np.concatenate([own[: int(per_class)] for own in rows])
    return np.where(np.isin(np.arange(len(y)), kept), y, -1)


@cache
def other_digits():
    """A small convolutional network of the digits 0 to 4, trained in a second or two."""
    X, y = _digits()
    X, y = torch.tensor(X[y < 5]).float(), torch.tensor(y[y < 5])
    X = nn.functional.interpolate(X, (SIDE, SIDE), mode="bilinear")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = _network()
        optimizer = torch.optim.Adam(network.parameters(), 0.003)
        for _ in range(N_STEPS_SOURCE):
            rows = torch.randint(len(X), (64,))
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(X[rows]), y[rows]).backward()
            optimizer.step()
    return SourceModel.from_module(network, (1, SIDE, SIDE), value_range=(0, 1))


def untrained(seed):
    """The same network with weights as they are drawn."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _network()
    return SourceModel.from_module(network, (1, SIDE, SIDE), value_range=(0, 1))


def shifted(X, generator):
    """Images moved by a pixel at most each way, with a little noise."""
    down, right = (int(torch.randint(-1, 2, (), generator=generator)) for _ in range(2))
    moved = nn.functional.pad(X, (1, 1, 1, 1))[..., 1 - down : 9 - down, 1 - right : 9 - right]
    return moved + 0.1 * torch.randn(X.shape, generator=generator, dtype=X.dtype)


def _network():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(288, 64),
        nn.ReLU(),
        nn.Linear(64, 5),
    )


@cache
def _digits():
    X, y = load_digits(return_X_y=True)
    return X.reshape(-1, 1, 8, 8) / 16, y


def folder_of(path):
    """The folder that holds the sets, of an unpacked archive."""
    inner = Path(path) / "UCRArchive_2018" if path is not None else None
    return inner if inner is not None and inner.is_dir() else path
