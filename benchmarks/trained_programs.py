"""Train programs on top of the frozen transformation; README.md tells the protocol.

    python benchmarks/trained_programs.py --archive FOLDER --group development \
        --results benchmarks/results/trained_programs.csv \
        --table benchmarks/results/trained_programs.md
"""

import argparse
import shlex
import sys
import time
from pathlib import Path

import torch
from tqdm import tqdm

from _machine import machine, version_of
from _trained_programs_configurations import CONFIGURATIONS, make
from _trained_programs_results import RESULTS, make_table
from _trained_programs_types import TYPES
from _ucr_groups import GROUPS
from _ucr_scores import scores
from skreprogram.datasets import load_ucr

PACKAGES = ("skreprogram", "torch")


def main(argv=None):
    """Run what is missing in the results file, then print the table; 1 if a run failed."""
    options = parse(argv)
    torch.set_num_threads(options.threads)
    RESULTS.drop_half_row(options.results)
    done = RESULTS.finished(options.results)
    todo = [run for run in planned(options) if run not in done]
    n_failed = 0
    for run in tqdm(todo, unit="run", disable=not todo):
        try:
            RESULTS.append(options.results, run_one(*run, options.archive))
        except Exception as error:  # one failure must not end a night's run
            n_failed += 1
            tqdm.write(f"FAILED {', '.join(run)}: {error!r}", file=sys.stderr)
    words = [*(sys.argv[1:] if argv is None else argv)]
    if options.archive is not None:
        words[words.index("--archive") + 1] = "FOLDER"
    command = shlex.join(["python", "benchmarks/trained_programs.py", *map(str, words)])
    rows = [row for row in RESULTS.read(options.results) if row["dataset"] in options.datasets]
    table = make_table(rows, options.configurations, command)
    print(table)
    if options.table:
        options.table.parent.mkdir(parents=True, exist_ok=True)
        options.table.write_text(table, encoding="utf-8")
    return int(n_failed > 0)


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--archive", type=Path, help="folder of the unpacked archive")
    parser.add_argument(
        "--group",
        nargs="+",
        default=["development"],
        help=f"{' or '.join(GROUPS)}, or names of data sets",
    )
    parser.add_argument(
        "--configurations", nargs="+", choices=CONFIGURATIONS, default=list(CONFIGURATIONS)
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--results", type=Path, required=True, help="CSV file; resumed")
    parser.add_argument("--table", type=Path, help="Markdown file to write")
    options = parser.parse_args(argv)
    names = [name for entry in options.group for name in GROUPS.get(entry, [entry])]
    options.datasets = list(dict.fromkeys(names))
    return options


def planned(options):
    """All runs: one seed of every configuration before the next seed."""
    return [
        (dataset, configuration, str(seed))
        for seed in options.seeds
        for configuration in options.configurations
        for dataset in options.datasets
    ]


def run_one(dataset, configuration, seed, archive):
    """Fit on the training part, score on the test part, and return the row."""
    X, y, X_test, y_test = load_ucr(dataset, path=archive)
    start = time.perf_counter()
    estimator, held_out = fitted(configuration, int(seed), X, y)
    fit_end = time.perf_counter()
    probabilities = estimator.predict_proba(X_test)
    predicted = estimator.classes_[probabilities.argmax(axis=1)]
    end = time.perf_counter()
    judged = scores(y_test, predicted, probabilities, estimator.classes_)
    return {
        "dataset": dataset,
        "type": TYPES.get(dataset, "other"),
        "configuration": configuration,
        "seed": seed,
        "accuracy": judged["accuracy"],
        "log_loss": judged["log_loss"],
        **gain_of(estimator.history_),
        "held_out": held_out,
        "epochs": estimator.n_iter_,
        "fit_seconds": f"{fit_end - start:.2f}",
        "predict_seconds": f"{end - fit_end:.2f}",
        "n_train": len(X),
        "n_test": len(X_test),
        "version": ", ".join(filter(None, map(version_of, PACKAGES))),
        "machine": machine(),
    }


def fitted(configuration, seed, X, y):
    """The fitted estimator, and whether rows were held out; else it is the frozen one."""
    estimator = make(configuration, seed, len(X))
    try:
        return estimator.fit(X, y), int(estimator.n_iter_ > 0)
    except ValueError as error:
        if "too few to cut a validation part" not in str(error):
            raise
    # nothing could decide whether to train: what a user would have is the frozen transformation
    still = [view.set_params(**still_of(view)) for view in _views(estimator)]
    estimator.set_params(input_transformation__transformations=still)
    return estimator.set_params(output_mapping=estimator.output_mapping.mapping).fit(X, y), 0


def still_of(view):
    """Parameters that make a view frozen."""
    names = ("trains", "transformation__trains")
    return {name: () for name in names if name in view.get_params()}


def _views(estimator):
    return estimator.input_transformation.transformations


def gain_of(history):
    """By how much the loss of held-out rows fell at the epoch that was kept; 0 for the start."""
    best = min(history, key=lambda row: row["valid_loss"], default={"gain": 0.0})
    if not best["gain"] > 0:
        return {"gain": 0, "gain_error": 0}
    return {name: f"{best[name]:.6f}" for name in ("gain", "gain_error")}


if __name__ == "__main__":
    sys.exit(main())
