"""Climb the ladder of label mappings on images; README.md tells the protocol."""

import argparse
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
from tqdm import tqdm

import skreprogram
from _images_configurations import CONFIGURATIONS, LADDER, Budget
from _images_data import DATASETS, cut, load, validation
from _images_results import RESULTS
from _images_table import make_tables
from _machine import machine
from skreprogram.sources import load_source


def main(argv=None):
    """Run what is missing in the results file, then print the tables; 1 if a run failed."""
    options = parse(argv)
    done = RESULTS.finished(options.results)
    RESULTS.drop_half_row(options.results)
    n_failed = run_all(
        [run for run in planned(options) if tuple(map(str, run)) not in done], options
    )
    tables = make_tables(RESULTS.read(options.results), options.datasets, options.configurations)
    print(tables)
    if options.table:
        options.table.parent.mkdir(parents=True, exist_ok=True)
        options.table.write_text(tables, encoding="utf-8")
    if n_failed:
        print(f"{n_failed} runs failed. The same command tries them again.", file=sys.stderr)
    return int(n_failed > 0)


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with mnist5k and cifar10_subset")
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=["mnist", "cifar10"])
    parser.add_argument("--configurations", nargs="+", choices=CONFIGURATIONS, default=list(LADDER))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--source", default="imagenet-efficientnet-lite0")
    parser.add_argument("--side", type=int, default=64, help="pixels of the source's input")
    parser.add_argument("--n-train", type=int, default=600, help="training images at most")
    parser.add_argument("--n-test", type=int, default=1_000, help="test images at most")
    parser.add_argument("--epochs", type=int, default=Budget().max_epochs)
    parser.add_argument("--lr", type=float, default=Budget().lr)
    parser.add_argument("--batch-size", type=int, default=Budget().batch_size)
    parser.add_argument(
        "--validation",
        type=int,
        metavar="N",
        help="score on so many images of the training part, and leave the test part alone",
    )
    parser.add_argument("--results", type=Path, required=True, help="CSV file; resumed")
    parser.add_argument("--table", type=Path, help="Markdown file to write")
    return parser.parse_args(argv)


def planned(options):
    """All runs, one seed of everything before the next seed."""
    return [
        (dataset, name, seed)
        for seed in options.seeds
        for dataset in options.datasets
        for name in options.configurations
    ]


def run_all(todo, options):
    """Do the runs, write each down, and return how many failed."""
    n_failed = 0
    for dataset, name, seed in tqdm(todo, unit="run", disable=not todo):
        try:
            row = run_one(parts_of(options, dataset, seed), name, seed, options)
        except FileNotFoundError as error:  # without the data there is nothing to go on with
            sys.exit(str(error))
        except Exception as error:  # one failure must not end a night's run
            n_failed += 1
            tqdm.write(f"FAILED {dataset} {name} seed {seed}: {error!r}", file=sys.stderr)
            continue
        RESULTS.append(options.results, {"dataset": dataset, **row})
    return n_failed


def parts_of(options, dataset, seed):
    """Training part, cut down, and test part, or what stands for it."""
    parts = load(dataset, options.data, seed)
    if options.validation is not None:
        parts = validation(parts, options.validation, seed)
    parts = cut(parts, options.n_train, seed)
    return parts._replace(
        X_test=parts.X_test[: options.n_test], y_test=parts.y_test[: options.n_test]
    )


def run_one(parts, name, seed, options):
    """Fit on the training part, score on the test part, and return the row."""
    configuration = CONFIGURATIONS[name]
    side = configuration.side or options.side
    source = source_of(options.source, side)
    if configuration.random_weights:
        source = source.with_random_weights(seed)
    budget = configuration.budget or Budget(options.epochs, options.lr, options.batch_size)
    estimator = configuration.make(source, budget, seed)
    start, cpu = time.perf_counter(), time.process_time()
    estimator.fit(parts.X_train, parts.y_train)
    fitted, cpu = time.perf_counter(), time.process_time() - cpu
    predicted = estimator.predict(parts.X_test)
    end = time.perf_counter()
    return {
        "configuration": name,
        "seed": seed,
        "accuracy": f"{np.mean(predicted == parts.y_test):.6f}",
        "fit_seconds": f"{fitted - start:.2f}",
        "fit_cpu_seconds": f"{cpu:.2f}",
        "predict_seconds": f"{end - fitted:.2f}",
        "n_train": len(parts.y_train),
        "n_test": len(parts.y_test),
        "side": side,
        **budget._asdict(),
        "version": f"skreprogram {skreprogram.__version__}",
        "machine": machine(),
    }


@cache
def source_of(name, side):
    return load_source(name, input_shape=(3, side, side))


if __name__ == "__main__":
    sys.exit(main())
