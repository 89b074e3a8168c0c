"""Show what is no text to a frozen language model; README.md tells the protocol.

    python benchmarks/frozen_transformer.py --results benchmarks/results/frozen_transformer.csv \
        --table benchmarks/results/frozen_transformer.md
"""

import argparse
import shlex
import sys
import time
from pathlib import Path

from tqdm import tqdm

from _frozen_transformer_configurations import CONFIGURATIONS, TARGETS, count_numbers, split
from _frozen_transformer_results import RESULTS, make_table
from _machine import machine, version_of

PACKAGES = ("skreprogram", "torch", "scikit-learn", "transformers")


def main(argv=None):
    """Run what is missing in the results file, then print the table; 1 if a run failed."""
    options = parse(argv)
    RESULTS.drop_half_row(options.results)
    done = RESULTS.finished(options.results)
    n_failed = 0
    for run in tqdm([run for run in planned(options) if run not in done], unit="run"):
        try:
            RESULTS.append(options.results, run_one(run))
        except Exception as error:  # one failure must not end a night's run
            n_failed += 1
            tqdm.write(f"FAILED {', '.join(run)}: {error!r}", file=sys.stderr)
    words = sys.argv[1:] if argv is None else argv
    command = shlex.join(["python", "benchmarks/frozen_transformer.py", *map(str, words)])
    table = make_table(RESULTS.read(options.results), options.configurations, command)
    print(table)
    if options.table:
        options.table.parent.mkdir(parents=True, exist_ok=True)
        options.table.write_text(table, encoding="utf-8")
    return int(n_failed > 0)


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument(
        "--configurations", nargs="+", choices=CONFIGURATIONS, default=list(CONFIGURATIONS)
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--max-epochs", type=int, default=5)
    parser.add_argument(
        "--validation",
        action="store_true",
        help="score on a piece of the training part, and leave the test part alone",
    )
    parser.add_argument("--results", type=Path, required=True, help="CSV file; resumed")
    parser.add_argument("--table", type=Path, help="Markdown file to write")
    return parser.parse_args(argv)


def planned(options):
    """All runs, one seed of everything before the next seed."""
    part = "validation" if options.validation else "test"
    return [
        (target, part, name, str(options.max_epochs), str(seed))
        for seed in options.seeds
        for target in options.targets
        for name in options.configurations
    ]


def run_one(run):
    """Fit and score, and return the row."""
    target, part, name, max_epochs, seed = run
    X_train, X_test, y_train, y_test = split(target, part == "validation")
    estimator = CONFIGURATIONS[name](TARGETS[target], int(max_epochs), int(seed))
    start, cpu = time.perf_counter(), time.process_time()
    estimator.fit(X_train, y_train)
    fitted, cpu = time.perf_counter(), time.process_time() - cpu
    accuracy = estimator.score(X_test, y_test)
    end = time.perf_counter()
    n_program, n_source = count_numbers(estimator)
    return {
        "target": target,
        "scored_on": part,
        "configuration": name,
        "max_epochs": max_epochs,
        "seed": seed,
        "accuracy": f"{accuracy:.6f}",
        "n_program": n_program,
        "n_source": n_source,
        "fit_seconds": f"{fitted - start:.1f}",
        "fit_cpu_seconds": f"{cpu:.1f}",
        "predict_seconds": f"{end - fitted:.2f}",
        "n_train": len(y_train),
        "n_test": len(y_test),
        "version": ", ".join(filter(None, map(version_of, PACKAGES))),
        "machine": machine(),
    }


if __name__ == "__main__":
    sys.exit(main())
