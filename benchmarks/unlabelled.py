"""Learn from few labels and many rows without one; README.md tells the protocol.

    python benchmarks/unlabelled.py --archive FOLDER --results benchmarks/results/unlabelled.csv \
        --table benchmarks/results/unlabelled.md --figure benchmarks/results/unlabelled.png
"""

import argparse
import shlex
import sys
import time
import warnings
from pathlib import Path

from tqdm import tqdm

from _machine import machine, version_of
from _unlabelled_configurations import CONFIGURATIONS, EVERY, applies, labelled_part
from _unlabelled_results import RESULTS, draw, make_table
from _unlabelled_targets import TARGETS, folder_of, split

PACKAGES = ("skreprogram", "torch", "scikit-learn")


def main(argv=None):
    """Run what is missing in the results file, then print the table; 1 if a run failed."""
    options = parse(argv)
    # label spreading divides by the mass of rows that no label reaches
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="sklearn.semi_supervised")
    warnings.filterwarnings("ignore", message="y contains no unlabeled samples")
    RESULTS.drop_half_row(options.results)
    done = RESULTS.finished(options.results)
    n_failed = 0
    for run in tqdm([run for run in planned(options) if run not in done], unit="run"):
        try:
            RESULTS.append(options.results, run_one(run, options.archive))
        except Exception as error:  # one failure must not end a night's run
            n_failed += 1
            tqdm.write(f"FAILED {', '.join(run)}: {error!r}", file=sys.stderr)
    words = [*(sys.argv[1:] if argv is None else argv)]
    if options.archive is not None:
        words[words.index("--archive") + 1] = "FOLDER"
    command = shlex.join(["python", "benchmarks/unlabelled.py", *map(str, words)])
    rows = RESULTS.read(options.results)
    table = make_table(rows, options.configurations, command)
    print(table)
    if options.table:
        options.table.parent.mkdir(parents=True, exist_ok=True)
        options.table.write_text(table, encoding="utf-8")
    if options.figure:
        draw(rows, options.configurations, options.figure)
    return int(n_failed > 0)


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--configurations", nargs="+", choices=EVERY, default=list(CONFIGURATIONS))
    parser.add_argument("--per-class", nargs="+", help="labelled rows of a class; all by default")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--archive", help="folder of the unpacked UCR archive")
    parser.add_argument(
        "--validation",
        action="store_true",
        help="score on a piece of the training part, and leave the test part alone",
    )
    parser.add_argument("--results", type=Path, required=True, help="CSV file; resumed")
    parser.add_argument("--table", type=Path, help="Markdown file to write")
    parser.add_argument("--figure", type=Path, help="picture to draw")
    return parser.parse_args(argv)


def planned(options):
    """All runs, one seed of everything before the next seed."""
    part = "validation" if options.validation else "test"
    return [
        (target, part, per_class, name, str(seed))
        for seed in options.seeds
        for target in options.targets
        for per_class in options.per_class or TARGETS[target].per_class
        for name in options.configurations
        if applies(target, name, per_class)
    ]


def run_one(run, archive):
    """Fit and score, and return the row."""
    target, part, per_class, name, seed = run
    X, y, X_test, y_test = split(
        target, folder_of(archive), part == "validation", per_class, int(seed)
    )
    estimator = EVERY[name](target, y, int(seed))
    X_fit, y_fit = labelled_part(X, y, name)
    start, cpu = time.perf_counter(), time.process_time()
    estimator.fit(X_fit, y_fit)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {
        "target": target,
        "scored_on": part,
        "per_class": per_class,
        "configuration": name,
        "seed": seed,
        "accuracy": f"{estimator.score(X_test, y_test):.6f}",
        "n_labelled": int((y != -1).sum()),
        "n_unlabelled": int((y == -1).sum()),
        "n_test": len(y_test),
        "fit_seconds": f"{seconds:.2f}",
        "fit_cpu_seconds": f"{cpu:.2f}",
        "version": ", ".join(filter(None, map(version_of, PACKAGES))),
        "machine": machine(),
    }


if __name__ == "__main__":
    sys.exit(main())
