"""Reprogram models of images and language for sequences; README.md tells the protocol.

    python benchmarks/sequences.py --data FOLDER --results benchmarks/results/sequences.csv \
        --table benchmarks/results/sequences.md --figure benchmarks/results/sequences.png
"""

import argparse
import shlex
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score
from tqdm import tqdm

from _machine import machine, version_of
from _sequences_configurations import CONFIGURATIONS, count_numbers
from _sequences_results import RESULTS, draw, make_tables
from _sequences_targets import ALL, TARGETS, is_reduction, load, reduced, validation

PACKAGES = ("skreprogram", "torch", "scikit-learn", "transformers")


def main(argv=None):
    """Run what is missing in the results file, then print the tables; 1 if a run failed."""
    options = parse(argv)
    RESULTS.drop_half_row(options.results)
    done = RESULTS.finished(options.results)
    n_failed = run_all([run for run in planned(options) if run not in done], options)
    rows = RESULTS.read(options.results)
    words = sys.argv[1:] if argv is None else argv
    command = shlex.join(["python", "benchmarks/sequences.py", *map(str, words)])
    tables = make_tables(rows, scores_of(options.targets), options.configurations, command)
    print(tables)
    if options.table:
        options.table.parent.mkdir(parents=True, exist_ok=True)
        options.table.write_text(tables, encoding="utf-8")
    if options.figure and rows:
        draw(rows, scores_of(options.targets), options.configurations, options.figure)
    if n_failed:
        print(f"{n_failed} runs failed. The same command tries them again.", file=sys.stderr)
    return int(n_failed > 0)


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with text, dna_uci, amp and tox21")
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument(
        "--configurations", nargs="+", choices=CONFIGURATIONS, default=list(CONFIGURATIONS)
    )
    parser.add_argument(
        "--per-class", nargs="+", type=size, default=["16", "64", "256", ALL], metavar="N|all"
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--validation",
        action="store_true",
        help="score on a piece of the training part, and leave the test part alone",
    )
    parser.add_argument("--results", type=Path, required=True, help="CSV file; resumed")
    parser.add_argument("--table", type=Path, help="Markdown file to write")
    parser.add_argument("--figure", type=Path, help="image file to write")
    return parser.parse_args(argv)


def size(word):
    """A positive whole number, or "all", as text."""
    if word != ALL and not (word.isascii() and word.isdigit() and int(word) > 0):
        raise argparse.ArgumentTypeError(
            f"Got {word!r}, expected a positive whole number or {ALL!r}."
        )
    return word if word == ALL else str(int(word))


def planned(options):
    """All runs, one seed of everything before the next seed, few rows first."""
    part = "validation" if options.validation else "test"
    return [
        (target, part, per_class, name, str(seed))
        for seed in options.seeds
        for per_class in options.per_class
        for target in options.targets
        if is_reduction(folds_of(target, options)[0], per_class)
        for name in options.configurations
        if CONFIGURATIONS[name].runs_on(TARGETS[target], per_class)
    ]


def folds_of(target, options):
    """Training and test part, or what stands for it, of every fold."""
    try:
        return _folds(target, options.data, options.validation)
    except FileNotFoundError as error:  # without the data there is nothing to go on with
        sys.exit(str(error))


@cache
def _folds(target, folder, validated):
    folds = load(target, folder)
    return [validation(parts) for parts in folds] if validated else folds


def run_all(todo, options):
    """Do the runs, write each down, and return how many failed."""
    n_failed = 0
    for run in tqdm(todo, unit="run", disable=not todo):
        try:
            row = run_one(run, options)
        except Exception as error:  # one failure must not end a night's run
            n_failed += 1
            tqdm.write(f"FAILED {', '.join(run)}: {error!r}", file=sys.stderr)
            continue
        RESULTS.append(options.results, row)
    return n_failed


def run_one(run, options):
    """Fit and score every fold, and return the row of their means."""
    target, part, per_class, name, seed = run
    folds = [reduced(parts, per_class, int(seed)) for parts in folds_of(target, options)]
    fits = [fit_and_score(parts, name, TARGETS[target], int(seed)) for parts in folds]
    means = {column: np.mean([fit[column] for fit in fits]) for column in fits[0]}
    return {
        "target": target,
        "scored_on": part,
        "per_class": per_class,
        "configuration": name,
        "seed": seed,
        **{column: f"{value:.6f}".rstrip("0").rstrip(".") for column, value in means.items()},
        "n_train": len(folds[0].y_train),
        "n_test": sum(len(parts.y_test) for parts in folds),
        "n_folds": len(folds),
        "version": versions(),
        "machine": machine(),
    }


def fit_and_score(parts, name, target, seed):
    """Fit on the training part and score on the test part; columns of a row."""
    configuration = CONFIGURATIONS[name]
    X_train, X_test = (configuration.shown(X, target) for X in (parts.X_train, parts.X_test))
    estimator = configuration.unfitted(target, seed, len(parts.y_train))
    start, cpu = time.perf_counter(), time.process_time()
    estimator.fit(X_train, parts.y_train)
    fitted, cpu = time.perf_counter(), time.process_time() - cpu
    chances = estimator.predict_proba(X_test)
    end = time.perf_counter()
    n_trained, n_stored = count_numbers(estimator)
    return {
        **scores(parts.y_test, chances, estimator.classes_),
        "n_trained": n_trained,
        "n_stored": n_stored,
        "fit_seconds": fitted - start,
        "fit_cpu_seconds": cpu,
        "predict_seconds": end - fitted,
    }


def scores(y, chances, classes):
    """Scores of probabilities (n_samples, n_classes); the curve's is a mean over classes."""
    predicted = classes[chances.argmax(1)]
    against = chances[:, 1] if len(classes) == 2 else chances
    return {
        "accuracy": accuracy_score(y, predicted),
        "balanced_accuracy": balanced_accuracy_score(y, predicted),
        "roc_auc": roc_auc_score(y, against, multi_class="ovr", labels=classes),
    }


def scores_of(targets):
    """The scores that the tables show, the figure's first."""
    shown = {True: ("roc_auc", "balanced_accuracy"), False: ("accuracy",)}
    return {target: shown[TARGETS[target].imbalanced] for target in targets}


def versions():
    return ", ".join(filter(None, map(version_of, PACKAGES)))


if __name__ == "__main__":
    sys.exit(main())
