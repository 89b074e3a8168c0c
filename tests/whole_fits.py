"""Whole fits around a forest of digits, here or in a process of their own that may be killed.

Tests import this module; as a script it fits once:

    python tests/whole_fits.py MAX_EPOCHS CACHE here FOREST.joblib
    python tests/whole_fits.py MAX_EPOCHS CACHE there URL
"""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import joblib
import numpy as np
from sklearn.datasets import load_iris

from skreprogram import ReprogrammingClassifier
from skreprogram.gradients import RandomDirections
from skreprogram.sources import BlackBoxSource

X, Y = (part[::5] for part in load_iris(return_X_y=True))
PIXELS = {"value_range": (0, 16), "levels": 17}
_PATIENCE = 60.0


def here(forest, cache=None):
    """The forest as a black box in this process."""
    facts = {"cache": cache, **PIXELS}
    return BlackBoxSource.from_estimator(forest, **facts)


def there(url, **options):
    """The forest on a server; four rows a request, so that a fit takes many."""
    patient = {"max_batch": 4, "backoff": 0.1, "timeout": 3.0, "binary": False, "cache": None}
    return BlackBoxSource.from_server(url, "digits", **PIXELS, **{**patient, **options})


def classifier(source, **params):
    """Flowers told apart by a forest of digits: steps of six candidates for ten rows."""
    params = {"max_epochs": 4, "batch_size": 10, "lr": 0.2, "random_state": 0, **params}
    return ReprogrammingClassifier(source, gradient=RandomDirections(5), **params)


def assert_same_program(first, second):
    """Every number of two fitted programs is equal, to the last bit."""
    for side in ("input", "output"):
        one, other = getattr(first.program_, side), getattr(second.program_, side)
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


def n_kept(source):
    """Answers of a source that lie on disk, perhaps while another process writes."""
    if not source.answers_file.exists():
        return 0
    with closing(sqlite3.connect(source.answers_file, timeout=_PATIENCE)) as connection:
        try:
            return connection.execute("SELECT count(*) FROM answers").fetchone()[0]
        except sqlite3.OperationalError:  # the file is there, but not yet its table
            return 0


def kill_a_fit(source, max_epochs, n_answers, *place):
    """Fit in another process, and end it as a crash would once so many answers are on disk.

    Parameters
    ----------
    source : BlackBoxSource
        The same source here, with a cache in a folder.
    max_epochs : int
        Epochs of the fit.
    n_answers : int
        Answers to wait for.
    *place : str
        What the script takes: "here" and the file of the forest, or "there" and the address.

    Returns
    -------
    n_kept : int
        Answers that it left.
    """
    folder = source.answers_file.parent
    command = [sys.executable, __file__, str(max_epochs), str(folder), *map(str, place)]
    fitting = subprocess.Popen(command)
    until = time.monotonic() + _PATIENCE
    while n_kept(source) < n_answers:
        assert fitting.poll() is None, "the fit ended before it could be killed"
        assert time.monotonic() < until, "the fit is too slow"
        time.sleep(0.002)
    fitting.kill()
    assert fitting.wait() != 0
    return n_kept(source)


if __name__ == "__main__":
    max_epochs, cache, place, address = sys.argv[1:]
    asked = here(joblib.load(address), cache) if place == "here" else there(address, cache=cache)
    classifier(asked, max_epochs=int(max_epochs)).fit(X, Y)
