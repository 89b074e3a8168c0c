"""Whole fits over HTTP that are disturbed: what it cost, and that the program is the same.

A forest of digits on MLServer is reprogrammed for flowers: undisturbed, with the server killed and
started again, behind a line that spoils a fifth of the answers, with the fitting process killed
and the same fit repeated, and with a server that is gone until the fit is repeated.

    SKREPROGRAM_SERVER_PYTHON=.venv-server/bin/python \
        python benchmarks/black_box_faults.py --table benchmarks/results/black_box_faults.md
"""

import argparse
import os
import platform
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from faulty_proxy import drawn, faulty_proxy
from serving import ServerProcess, digits_forest
from whole_fits import X, Y, classifier, here, kill_a_fit, n_kept, there

HEADER = (
    "| fit | queries | from the cache | requests | retries | faults | seconds | difference |",
    "|---|---:|---:|---:|---:|---|---:|---:|",
)


class Fits:
    """The fits of one table: a server, a number of epochs, and the program to compare with.

    Parameters
    ----------
    server : ServerProcess
        A running server of the digits forest.
    max_epochs : int
        Epochs of every fit.
    """

    def __init__(self, server, max_epochs):
        self.server, self.max_epochs = server, max_epochs
        self.expected = classifier(here(digits_forest()), max_epochs=max_epochs).fit(X, Y)

    def row(self, name, source):
        """Fit, and return the line of the table."""
        remote = source.predict
        before = np.array([remote.n_requests, remote.n_retries])
        kept = n_kept(source) if source.cache else 0
        start = time.perf_counter()
        clf = classifier(source, max_epochs=self.max_epochs).fit(X, Y)
        seconds = time.perf_counter() - start
        requests, retries = np.array([remote.n_requests, remote.n_retries]) - before
        faults = ", ".join(f"{n} {kind}" for kind, n in sorted(remote.faults.items())) or "none"
        return (
            f"| {name} | {clf.n_queries_:,} | {kept:,} | {requests:,} | {retries} | {faults} | "
            f"{seconds:.1f} | {difference(clf, self.expected):g} |"
        )

    def interrupted(self, source, n_requests):
        """A thread that ends the server once it was asked so often."""

        def kill():
            while source.predict.n_requests < n_requests:
                time.sleep(0.001)
            self.server.kill()

        thread = threading.Thread(target=kill)
        thread.start()
        return thread


def difference(first, second):
    """Largest difference of two fitted programs."""
    return max(
        np.abs(one[name] - other[name]).max()
        for one, other in (
            (getattr(first.program_, side), getattr(second.program_, side))
            for side in ("input", "output")
        )
        for name in one
    )


def lines(fits, folder):
    """Run every fit; yield the lines of the table."""
    server, n_killed = fits.server, 30 * fits.max_epochs
    yield fits.row("undisturbed", there(server.url))

    source = there(server.url)
    killing = fits.interrupted(source, n_killed)
    restart = threading.Thread(target=lambda: (killing.join(), server.start()))
    restart.start()
    yield fits.row("server killed and started again", source)
    restart.join()

    with faulty_proxy(server.url, drawn(0.2, seed=0)) as proxy:
        source = there(proxy.url, backoff=0.001)
        yield fits.row("a fifth of the answers spoilt", source)

    source = there(server.url, cache=folder / "process")
    kill_a_fit(source, fits.max_epochs, 100 * fits.max_epochs, "there", server.url)
    yield fits.row("process killed, fit repeated", source)
    yield fits.row("the same once more", source)

    source = there(server.url, cache=folder / "gone", retries=1, backoff=0.01)
    killing = fits.interrupted(source, n_killed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield fits.row("server gone for good: best program kept", source)
    killing.join()
    server.start()
    patient = there(server.url, cache=folder / "gone")
    yield fits.row("server back, fit repeated", patient)


def main():
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "server").mkdir()
        with ServerProcess("mlserver", folder / "server", {"digits": digits_forest()}) as server:
            found = list(lines(Fits(server, options.epochs), folder))
    table = "\n".join(
        [
            f"`python benchmarks/black_box_faults.py --epochs {options.epochs}`, "
            f"{platform.machine()}, {os.cpu_count()} processors.",
            "",
            *HEADER,
            *found,
        ]
    )
    print(table)
    if options.table:
        options.table.write_text(f"# Faults survived by whole fits over HTTP\n\n{table}\n")


if __name__ == "__main__":
    main()
