"""Reprogram black boxes by queries, beside true gradients; README.md tells the protocol.

    python benchmarks/black_box.py --results benchmarks/results/black_box.csv \
        --table benchmarks/results/black_box.md --figure benchmarks/results/black_box.png
"""

import argparse
import shlex
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from tqdm import tqdm

from _black_box_configurations import CONFIGURATIONS, SERVICES, make_estimator
from _black_box_results import ONCE, RESULTS, draw, make_tables
from _black_box_targets import DEVELOPMENT, TARGETS, load
from _machine import machine, version_of
from skreprogram.sources import load_source

# every target that is reported, with the service that is reprogrammed for it
PAIRS = (
    ("open-nsfw", "digits 0 or 1"),
    ("open-nsfw", "breast cancer"),
    ("magika", "ten digits"),
    ("magika", "breast cancer"),
)
PACKAGES = ("skreprogram", "onnxruntime", "torch", "cma")


def main(argv=None):
    """Run what is missing in the results file, then print the tables; 1 if a run failed."""
    options = parse(argv)
    RESULTS.drop_half_row(options.results)
    done = RESULTS.finished(options.results)
    n_failed = run_all([run for run in planned(options) if run not in done], options)
    rows = RESULTS.read(options.results)
    words = sys.argv[1:] if argv is None else argv
    command = shlex.join(["python", "benchmarks/black_box.py", *map(str, words)])
    tables = make_tables(rows, options.configurations, command)
    print(tables)
    if options.table:
        options.table.parent.mkdir(parents=True, exist_ok=True)
        options.table.write_text(tables, encoding="utf-8")
    if options.figure and rows:
        draw(rows, options.configurations, options.figure)
    if n_failed:
        print(f"{n_failed} runs failed. The same command tries them again.", file=sys.stderr)
    return int(n_failed > 0)


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", nargs="+", choices=SERVICES, default=list(SERVICES))
    parser.add_argument("--targets", nargs="+", choices=[*TARGETS, *DEVELOPMENT])
    parser.add_argument(
        "--configurations", nargs="+", choices=CONFIGURATIONS, default=list(CONFIGURATIONS)
    )
    parser.add_argument("--budgets", nargs="+", type=int, default=[500, 1_000, 2_000, 5_000])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--results", type=Path, required=True, help="CSV file; resumed")
    parser.add_argument("--table", type=Path, help="Markdown file to write")
    parser.add_argument("--figure", type=Path, help="image file to write")
    parser.add_argument(
        "--answers",
        type=Path,
        help="folder that keeps answers: a fit of more queries asks only what one of fewer did not",
    )
    return parser.parse_args(argv)


def planned(options):
    """All runs, one seed of everything before the next seed, small budgets first."""
    chosen = PAIRS
    if options.targets is not None:
        chosen = [(source, target) for source in SERVICES for target in options.targets]
    return [
        (source, target, name, str(seed), str(budget))
        for seed in options.seeds
        for source, target in chosen
        if source in options.sources
        for name in options.configurations
        if CONFIGURATIONS[name].runs_on(SERVICES[source])
        for budget in budgets_of(CONFIGURATIONS[name], options.budgets)
    ]


def budgets_of(configuration, budgets):
    """Budgets that a configuration is run with.

    A row through the twin costs five queries' time and true gradients need few: they get the
    smallest.
    """
    if configuration.once:
        return [ONCE]
    return sorted(budgets)[:1] if configuration.on == "twin" else sorted(budgets)


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
    """Fit on the training part, score on the test part, and return the row."""
    name, target, label, seed, budget = run
    configuration, parts = CONFIGURATIONS[label], load(target)
    source = source_of(name, configuration.on, options.answers)
    n_train = len(parts.y_train)
    limit = n_train if budget == ONCE else int(budget)
    X_train, X_test = (shaped(X, source.input_shape) for X in (parts.X_train, parts.X_test))
    estimator = make_estimator(configuration, name, source, n_train, limit, int(seed))
    start, cpu = time.perf_counter(), time.process_time()
    estimator.fit(X_train, parts.y_train)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    accuracy = np.mean(estimator.predict(X_test) == parts.y_test)
    return {
        "source": name,
        "target": target,
        "configuration": label,
        "seed": seed,
        "budget": budget,
        "n_queries": estimator.n_queries_ or n_passed(configuration, estimator, n_train),
        "accuracy": f"{accuracy:.6f}",
        "fit_seconds": f"{seconds:.2f}",
        "fit_cpu_seconds": f"{cpu:.2f}",
        "n_train": n_train,
        "n_test": len(parts.y_test),
        "stopped_by": estimator.stopped_by_ or "",
        "version": versions(),
        "machine": machine(),
    }


def n_passed(configuration, estimator, n_train):
    """Rows that true gradients pass through the twin: once where only the mapping trains."""
    return n_train if configuration.once else estimator.n_iter_ * n_train


@cache
def source_of(name, kind, answers):
    """The black box, its answers kept in a folder where one is given, or its twin."""
    if kind == "twin":
        return SERVICES[name].twin()
    source = load_source(name)
    return source if answers is None else replace(source, cache=str(answers))


def shaped(X, input_shape):
    """Images become rows for a source of rows."""
    return X if len(input_shape) == 3 else X.reshape(len(X), -1)


def versions():
    return ", ".join(filter(None, map(version_of, PACKAGES)))


if __name__ == "__main__":
    sys.exit(main())
