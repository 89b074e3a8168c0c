"""Classify series of several channels, of unequal lengths too; README.md tells the protocol.

    python benchmarks/multivariate.py --results benchmarks/results/multivariate.csv \
        --table benchmarks/results/multivariate.md
"""

import argparse
import shlex
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neighbors import KNeighborsClassifier
from tqdm import tqdm

from _machine import machine, version_of
from _markdown import markdown_table, mean_and_spread
from _multivariate_targets import TARGETS, halves
from _results_file import ResultsFile
from _ucr_estimators import ESTIMATORS
from _ucr_rockets import RocketRidge
from skreprogram._panels import common_length, resample

FIELDS = ("target", "scored_on", "estimator", "seed", "accuracy", "n_train", "n_test")
FIELDS += ("n_channels", "lengths", "n_classes", "fit_seconds", "predict_seconds")
FIELDS += ("version", "machine")
RESULTS = ResultsFile(FIELDS, key=FIELDS[:4])
PACKAGES = ("skreprogram", "torch", "scikit-learn", "sktime")


class Resampled(ClassifierMixin, BaseEstimator):
    """A classifier that wants one length, behind the interpolation that the package uses.

    Parameters
    ----------
    classifier : estimator
        Takes arrays of shape (n_samples, n_channels, length).
    flat : bool, default=False
        Whether it takes rows: all channels one after the other.
    """

    def __init__(self, classifier, flat=False):
        self.classifier = classifier
        self.flat = flat

    def fit(self, X, y):
        self.length_ = common_length(X)
        self.classifier.fit(self._array(X), y)
        self.classes_ = self.classifier.classes_
        return self

    def predict(self, X):
        return self.classifier.predict(self._array(X))

    def _array(self, X):
        X = np.asarray(X) if self.length_ is None else resample(X, self.length_)
        return X.reshape(len(X), -1) if self.flat else X


def minirocket(seed):
    _compile()
    return Resampled(RocketRidge("MiniRocketMultivariate", random_state=seed))


@cache
def _compile():
    # once a process and before any clock runs: numba compiles at the first call
    X = np.random.default_rng(0).standard_normal((4, 2, 20))
    RocketRidge("MiniRocketMultivariate").fit(X, [0, 1, 0, 1]).predict(X)


def nearest_neighbour(seed):
    return Resampled(KNeighborsClassifier(n_neighbors=1), flat=True)


OURS = ("default", "fast", "image", "speech-random-weights")
CHOSEN = {name: ESTIMATORS[name].make for name in OURS}
CHOSEN |= {"minirocket-multivariate": minirocket, "1nn-euclidean": nearest_neighbour}
# solved in closed form, or nothing to solve: their answers do not depend on a seed
ONCE = ("default", "fast", "image", "1nn-euclidean")


def main(argv=None):
    """Run what is missing in the results file, then print the table; 1 if a run failed."""
    options = parse(argv)
    RESULTS.drop_half_row(options.results)
    done = RESULTS.finished(options.results)
    n_failed = 0
    for run in tqdm([run for run in planned(options) if run not in done], unit="run"):
        try:
            RESULTS.append(options.results, run_one(run, options.data))
        except Exception as error:  # one failure must not end a night's run
            n_failed += 1
            tqdm.write(f"FAILED {', '.join(run)}: {error!r}", file=sys.stderr)
    words = [*map(str, sys.argv[1:] if argv is None else argv)]
    if options.data is not None:
        words[words.index("--data") + 1] = "FOLDER"
    command = shlex.join(["python", "benchmarks/multivariate.py", *words])
    table = make_table(RESULTS.read(options.results), command)
    print(table)
    if options.table:
        options.table.parent.mkdir(parents=True, exist_ok=True)
        options.table.write_text(table, encoding="utf-8")
    return int(n_failed > 0)


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--estimators", nargs="+", choices=CHOSEN, default=list(CHOSEN))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--data", type=Path, help="folder of the spoken digits")
    parser.add_argument(
        "--validation",
        action="store_true",
        help="score on a third of the training part, and leave the test part alone",
    )
    parser.add_argument("--results", type=Path, required=True, help="CSV file; resumed")
    parser.add_argument("--table", type=Path, help="Markdown file to write")
    return parser.parse_args(argv)


def planned(options):
    """All runs, one seed of everything before the next seed."""
    part = "validation" if options.validation else "test"
    return [
        (target, part, name, str(seed))
        for seed in options.seeds
        for target in options.targets
        for name in options.estimators
        if name not in ONCE or seed == options.seeds[0]
    ]


def run_one(run, folder):
    """Fit and score, and return the row."""
    name, part, estimator, seed = run
    target = TARGETS[name](folder)
    if part == "validation":
        target = halves(target)
    made = CHOSEN[estimator](int(seed))
    start = time.perf_counter()
    made.fit(target.X, target.y)
    fitted = time.perf_counter()
    accuracy = np.mean(made.predict(target.X_test) == target.y_test)
    lengths = sorted({series.shape[-1] for part in (target.X, target.X_test) for series in part})
    return {
        "target": name,
        "scored_on": part,
        "estimator": estimator,
        "seed": seed,
        "accuracy": f"{accuracy:.6f}",
        "n_train": len(target.y),
        "n_test": len(target.y_test),
        "n_channels": len(target.X[0]),
        "lengths": "-".join(map(str, sorted({lengths[0], lengths[-1]}))),
        "n_classes": len(np.unique(target.y)),
        "fit_seconds": f"{fitted - start:.2f}",
        "predict_seconds": f"{time.perf_counter() - fitted:.2f}",
        "version": ", ".join(filter(None, map(version_of, PACKAGES))),
        "machine": machine(),
    }


def make_table(rows, command):
    """Write the results as Markdown: mean and standard deviation over seeds."""
    targets, names = (list(dict.fromkeys(row[key] for row in rows)) for key in FIELDS[:3:2])
    parts = " and ".join(sorted({row["scored_on"] for row in rows}))
    head = f"Accuracy on the {parts} part, mean over seeds ± standard deviation (seeds)."
    lines = [[name, *(_cell(rows, target, name) for target in targets)] for name in names]
    table = markdown_table(["estimator", *targets], lines)
    return f"{head}\n\n{table}\n\nCommand: `{command}`\n"


def _cell(rows, target, name):
    own = [r for r in rows if (r["target"], r["estimator"]) == (target, name)]
    scores = [float(row["accuracy"]) for row in own]
    return f"{mean_and_spread(scores)} ({len(scores)})" if scores else ""


if __name__ == "__main__":
    sys.exit(main())
