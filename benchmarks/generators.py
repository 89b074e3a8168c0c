"""Draw digits of a class from few labelled ones; README.md tells the protocol.

    python benchmarks/generators.py --results benchmarks/results/generators.csv \
        --table benchmarks/results/generators.md --figure benchmarks/results/generators.png
"""

import argparse
import shlex
import sys
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split
from tqdm import tqdm

from _generators_configurations import CONFIGURATIONS
from _generators_judge import N_POOL, Judge, ValidationJudge, digits, verdict
from _generators_results import RESULTS, draw, make_tables
from _machine import machine, version_of

# labelled images of each class, all from the images that the recipe of the generator has seen;
# None: a share of them
SETTINGS = {
    "2-each": [2] * 10,
    "5%": None,
    "imbalanced": [20] * 5 + [3] * 5,
    "20-each": [20] * 10,
}
N_DRAWN = 200  # samples of each class that are judged


def main(argv=None):
    """Run what is missing in the results file, then print the tables."""
    options = parse(argv)
    RESULTS.drop_half_row(options.results)
    done = RESULTS.finished(options.results)
    part = "validation" if options.validation else "test"
    planned = [
        (setting, part, name, str(seed))
        for seed in options.seeds
        for setting in options.settings
        for name in options.configurations
    ]
    todo = [run for run in planned if run not in done]
    for run in tqdm(todo, unit="run", disable=not todo):
        RESULTS.append(options.results, run_one(run))
    words = sys.argv[1:] if argv is None else argv
    command = shlex.join(["python", "benchmarks/generators.py", *map(str, words)])
    tables = make_tables(RESULTS.read(options.results), options.configurations, command)
    print(tables)
    if options.table:
        options.table.parent.mkdir(parents=True, exist_ok=True)
        options.table.write_text(tables, encoding="utf-8")
    if options.figure:
        shown = {name: CONFIGURATIONS[name](0).fit(*labelled("5%", 0)) for name in options.shown}
        draw({name: sample_of(fitted, 0) for name, fitted in shown.items()}, options.figure)


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    names = list(CONFIGURATIONS)
    parser.add_argument("--configurations", nargs="+", choices=names, default=names)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--validation", action="store_true", help="let the other judge say how right samples are"
    )
    parser.add_argument("--results", type=Path, required=True, help="CSV file; resumed")
    parser.add_argument("--table", type=Path, help="Markdown file to write")
    parser.add_argument("--figure", type=Path, help="picture of samples to write")
    parser.add_argument(
        "--shown",
        nargs="+",
        choices=names,
        default=["reprogrammed", "from-scratch"],
        help="configurations in the picture",
    )
    return parser.parse_args(argv)


def labelled(setting, seed):
    """The labelled images (n, 64) of a setting, drawn by a seed, and their labels."""
    X, y = (part[:N_POOL] for part in digits())
    if SETTINGS[setting] is None:
        share = float(setting.rstrip("%")) / 100
        rows, _ = train_test_split(
            np.arange(N_POOL), train_size=share, stratify=y, random_state=seed
        )
        return X[rows], y[rows]
    rng = np.random.RandomState(seed)
    rows = [
        rng.choice(np.flatnonzero(y == label), n_images, replace=False)
        for label, n_images in enumerate(SETTINGS[setting])
    ]
    rows = np.concatenate(rows)
    return X[rows], y[rows]


def sample_of(fitted, seed):
    """Samples (2000, 64) of all classes in turn."""
    return fitted.sample(np.arange(10).repeat(N_DRAWN), random_state=seed)


@lru_cache(maxsize=1)  # configurations of one draw come one after the other
def judge_of(setting, part, seed):
    """The judge for programs fitted to the images of a setting and seed."""
    return (ValidationJudge if part == "validation" else Judge)(labelled(setting, seed)[0])


def run_one(run):
    """Fit, draw and judge; return the row."""
    setting, part, name, seed = run
    X, y = labelled(setting, int(seed))
    estimator = CONFIGURATIONS[name](int(seed))
    start, cpu = time.perf_counter(), time.process_time()
    estimator.fit(X, y)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    samples, labels = sample_of(estimator, int(seed)), np.arange(10).repeat(N_DRAWN)
    row = verdict(judge_of(setting, part, int(seed)), samples, labels)
    versions = map(version_of, ("skreprogram", "torch", "scikit-learn"))
    return {
        "setting": setting,
        "judged_by": part,
        "configuration": name,
        "seed": seed,
        **{column: f"{value:.5f}" for column, value in row.items()},
        "n_labelled": len(y),
        "fit_seconds": f"{seconds:.1f}",
        "fit_cpu_seconds": f"{cpu:.1f}",
        "version": ", ".join(filter(None, versions)),
        "machine": machine(),
    }


if __name__ == "__main__":
    sys.exit(main())
