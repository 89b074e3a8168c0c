"""Black boxes with known answers, that count, fail or stop. Tests import this module."""

import numpy as np
import torch
from toys import table_network

from skreprogram.sources import BlackBoxSource


class Asked:
    """A function of a table of eight columns, and how many rows it was asked.

    Parameters
    ----------
    fails_at : int or None, default=None
        Number of the call from which on it raises `error`.
    error : Exception, default=ConnectionError()
        What it raises.
    n_failures : int or None, default=None
        After so many failures it answers again; None means never.
    """

    def __init__(self, fails_at=None, error=None, n_failures=None):
        self.network = table_network()
        self.fails_at, self.n_failures = fails_at, n_failures
        self.error = error or ConnectionError("no route to host")
        self.n_calls = self.n_rows = 0

    def __call__(self, rows):
        self.n_calls += 1
        if self.fails_at is not None and self.n_calls >= self.fails_at and self.n_failures != 0:
            self.n_failures = None if self.n_failures is None else self.n_failures - 1
            raise self.error
        self.n_rows += len(rows)
        with torch.no_grad():
            answers = self.network(torch.from_numpy(np.ascontiguousarray(rows)).float())
        return answers.softmax(1).numpy()


def black_box(function=None, **facts):
    """A handle of such a function."""
    facts = {"value_range": (-3, 3), "name": "toy", **facts}
    return BlackBoxSource(Asked() if function is None else function, (8,), 6, **facts)
