"""Teach a speech model a few commands by a few clips; README.md tells the protocol.

    python benchmarks/low_resource_speech.py --data FOLDER \
        --results benchmarks/results/low_resource_speech.csv \
        --table benchmarks/results/low_resource_speech.md \
        --figure benchmarks/results/low_resource_speech.png
"""

import argparse
import shlex
import sys
import time
from pathlib import Path

from tqdm import tqdm

from _low_resource_speech_configurations import CONFIGURATIONS
from _low_resource_speech_data import TARGETS, read, split
from _low_resource_speech_figure import draw
from _low_resource_speech_results import RESULTS, as_hits, make_table
from _machine import machine, version_of

PACKAGES = ("skreprogram", "torch", "scikit-learn", "scipy")


def main(argv=None):
    """Run what is missing in the results file, then print the table; 1 if a run failed."""
    options = parse(argv)
    RESULTS.drop_half_row(options.results)
    done = RESULTS.finished(options.results)
    clips = read(options.data)
    n_failed = 0
    for run in tqdm([run for run in planned(options) if run not in done], unit="run"):
        try:
            RESULTS.append(options.results, run_one(run, clips))
        except Exception as error:  # one failure must not end a night's run
            n_failed += 1
            tqdm.write(f"FAILED {', '.join(run)}: {error!r}", file=sys.stderr)
    rows = RESULTS.read(options.results)
    words = sys.argv[1:] if argv is None else argv
    command = shlex.join(["python", "benchmarks/low_resource_speech.py", *map(str, words)])
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
    parser.add_argument("--data", type=Path, required=True, help="the free spoken digit dataset")
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument(
        "--configurations", nargs="+", choices=CONFIGURATIONS, default=list(CONFIGURATIONS)
    )
    parser.add_argument("--clips", nargs="+", type=int, default=[1, 5, 20], help="of each class")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--validation",
        action="store_true",
        help="score on one of the training speakers, and leave the test speakers alone",
    )
    parser.add_argument("--results", type=Path, required=True, help="CSV file; resumed")
    parser.add_argument("--table", type=Path, help="Markdown file to write")
    parser.add_argument("--figure", type=Path, help="PNG file to draw")
    return parser.parse_args(argv)


def planned(options):
    """All runs, one seed of everything before the next seed."""
    part = "validation" if options.validation else "test"
    return [
        (target, part, name, str(n_clips), str(seed))
        for seed in options.seeds
        for n_clips in options.clips
        for target in options.targets
        for name in options.configurations
    ]


def run_one(run, clips):
    """Fit and score, and return the row."""
    target, part, name, n_clips, seed = run
    train, test = split(TARGETS[target](clips), int(n_clips), int(seed), part == "validation")
    estimator = CONFIGURATIONS[name](int(seed), len(train.y))
    start, cpu = time.perf_counter(), time.process_time()
    estimator.fit(train.X, train.y)
    fitted, cpu = time.perf_counter(), time.process_time() - cpu
    right = estimator.predict(test.X) == test.y
    return {
        "target": target,
        "scored_on": part,
        "configuration": name,
        "clips": n_clips,
        "seed": seed,
        "accuracy": f"{right.mean():.6f}",
        "hits": as_hits(right),
        "speakers": " ".join(sorted(set(test.speaker))),
        "fit_seconds": f"{fitted - start:.1f}",
        "fit_cpu_seconds": f"{cpu:.1f}",
        "n_train": len(train.y),
        "n_test": len(test.y),
        "version": ", ".join(filter(None, map(version_of, PACKAGES))),
        "machine": machine(),
    }


if __name__ == "__main__":
    sys.exit(main())
