"""Run estimators on data sets of the UCR archive; README.md tells the protocol."""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from _machine import machine, version_of
from _ucr_estimators import ESTIMATORS, THREADS
from _ucr_figure import draw
from _ucr_groups import GROUPS
from _ucr_results import RESULTS
from _ucr_runs import finished_sets, group_runs, mean_scores
from _ucr_scores import scores
from _ucr_table import make_published_table, make_table
from skreprogram.datasets import load_ucr


def main(argv=None):
    """Run what is missing in the results file, then report; 1 if a run failed."""
    options = parse(argv)
    done = RESULTS.finished(options.results)
    RESULTS.drop_half_row(options.results)
    todo = [run for run in planned(options) if tuple(map(str, run)) not in done]
    n_failed = run_all(todo, options)
    rows = [row for row in RESULTS.read(options.results) if wanted(row, options.seeds)]
    report(rows, options)
    if n_failed:
        print(f"{n_failed} runs failed. The same command tries them again.", file=sys.stderr)
    return int(n_failed > 0)


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--archive", type=Path, help="folder of the unpacked archive; without it, as `load_ucr`"
    )
    parser.add_argument(
        "--group",
        nargs="+",
        default=["development"],
        help=f"{' or '.join(GROUPS)}, or names of data sets",
    )
    parser.add_argument("--estimators", nargs="+", choices=ESTIMATORS, required=True)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--results", type=Path, required=True, help="CSV file; runs that it has are not repeated"
    )
    parser.add_argument("--table", type=Path, help="Markdown file to write")
    parser.add_argument(
        "--reference", type=Path, help="CSV file of published accuracies, for a second table"
    )
    parser.add_argument("--figure", type=Path, help="critical-difference diagram to write")
    options = parser.parse_args(argv)
    names = [name for entry in options.group for name in GROUPS.get(entry, [entry])]
    options.datasets = list(dict.fromkeys(names))
    return options


def planned(options):
    """All runs, everything on one data set before the next."""
    return [
        (dataset, name, seed)
        for dataset in options.datasets
        for name in options.estimators
        for seed in (options.seeds if ESTIMATORS[name].uses_seed else [0])
    ]


def wanted(row, seeds):
    name = row["estimator"]
    return name in ESTIMATORS and (not ESTIMATORS[name].uses_seed or int(row["seed"]) in seeds)


def run_all(todo, options):
    """Do the runs, write each down, and return how many failed."""
    n_failed = 0
    progress = tqdm(todo, unit="run", disable=not todo)
    loaded = None, None
    for dataset, name, seed in progress:
        progress.set_postfix_str(f"{dataset} {name}")
        try:
            if loaded[0] != dataset:
                loaded = dataset, load_ucr(dataset, path=options.archive)
            row = run_one(loaded[1], name, seed)
        except Exception as error:  # one failure must not end a night's run
            n_failed += 1
            tqdm.write(f"FAILED {dataset} {name} seed {seed}: {error!r}", file=sys.stderr)
            continue
        RESULTS.append(options.results, {"dataset": dataset, **row})
    return n_failed


def run_one(data, name, seed):
    """Fit on the training part, score on the test part, and return the row."""
    X_train, y_train, X_test, y_test = data
    configuration = ESTIMATORS[name]
    estimator = configuration.make(seed)
    # numba changes torch's number of threads when MiniRocket runs in the same process
    torch.set_num_threads(THREADS)
    start = time.perf_counter()
    estimator.fit(X_train, y_train)
    fitted = time.perf_counter()
    predicted, probabilities = answers(estimator, X_test, configuration.gives_probabilities)
    end = time.perf_counter()
    return {
        "estimator": name,
        "seed": seed,
        **scores(y_test, predicted, probabilities, estimator.classes_),
        "fit_seconds": f"{fitted - start:.3f}",
        "predict_seconds": f"{end - fitted:.3f}",
        "n_train": len(X_train),
        "n_test": len(X_test),
        "length": X_train.shape[-1],
        "n_classes": len(np.unique(y_train)),
        "version": version_of(configuration.package),
        "machine": machine(),
    }


def answers(estimator, X, gives_probabilities):
    """Labels and probabilities, with one pass through the source for both."""
    if not gives_probabilities:
        return estimator.predict(X), None
    probabilities = estimator.predict_proba(X)
    return estimator.classes_[probabilities.argmax(axis=1)], probabilities


def report(rows, options):
    """Print the tables, and write the files that were asked for."""
    table = make_table(rows, options.datasets, options.estimators)
    if options.reference:
        table += "\n" + make_published_table(
            rows, options.datasets, options.estimators, options.reference
        )
    print(table)
    if options.table:
        options.table.parent.mkdir(parents=True, exist_ok=True)
        options.table.write_text(table, encoding="utf-8")
    if options.figure:
        report_figure(rows, options)


def report_figure(rows, options):
    """Draw the diagram if there is something to compare, else say why not."""
    runs = group_runs(rows, options.datasets, options.estimators)
    complete = finished_sets(runs, options.datasets, options.estimators)
    if not complete or len(options.estimators) < 2:
        print(
            f"No figure: got {len(complete)} data sets that all of {len(options.estimators)} "
            "estimators have finished, but expected one at least, and two estimators.",
            file=sys.stderr,
        )
        return
    accuracy = mean_scores(runs, "accuracy", complete, options.estimators)
    draw(accuracy, options.estimators, options.figure)


if __name__ == "__main__":
    sys.exit(main())
