"""Reprogram the automaton of digits for other tasks; docs/guide/automata.rst tells the protocol.

python benchmarks/automata.py --results benchmarks/results/automata.csv \
    --table benchmarks/results/automata.md
"""

import argparse
import shlex
import sys
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from _automata_targets import TARGETS, Parts
from _controls import CONTROL
from _machine import machine, version_of
from _results_file import ResultsFile
from skreprogram import ReprogrammingClassifier
from skreprogram.sources import load_source
from skreprogram.transformations import StateMatrixTransformation

FIELDS = (
    *("target", "scored_on", "configuration", "seed", "accuracy", "n_trained", "n_train"),
    *("n_test", "fit_cpu_seconds", "version", "machine"),
)
RESULTS = ResultsFile(FIELDS, FIELDS[:4])
# what stands before the source, and what behind
SIDES = {
    "outputs as they are": ("resizing", "first"),
    "linear mapping": ("resizing", "linear"),
    "pixels, linear": ("overlay", "linear"),
    "matrix": (StateMatrixTransformation(), "first"),
    "matrix, linear": (StateMatrixTransformation(), "linear"),
}
CONFIGURATIONS = (
    *SIDES,
    *(f"{name}{CONTROL}" for name in ("linear mapping", "matrix, linear")),
)
PACKAGES = ("skreprogram", "torch", "scikit-learn")


def main(argv=None):
    """Run what is missing in the results file, then print the table."""
    options = parse(argv)
    RESULTS.drop_half_row(options.results)
    done = RESULTS.finished(options.results)
    todo = [run for run in planned(options) if run not in done]
    for run in tqdm(todo, unit="run", disable=not todo):
        RESULTS.append(options.results, run_one(run, options))
    words = sys.argv[1:] if argv is None else argv
    command = shlex.join(["python", "benchmarks/automata.py", *map(str, words)])
    table = make_table(RESULTS.read(options.results), command)
    print(table)
    if options.table:
        options.table.write_text(table, encoding="utf-8")


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument(
        "--configurations", nargs="+", choices=CONFIGURATIONS, default=list(CONFIGURATIONS)
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--n-train", type=int, default=300, help="rows that a seed draws")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--lr", type=float, default=0.003)
    parser.add_argument(
        "--validation",
        action="store_true",
        help="score on rows of the training part, and leave the test part alone",
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
        for name in options.configurations
    ]


def run_one(run, options):
    """Fit, score, and return the row."""
    target, part, name, seed = run
    parts = drawn(TARGETS[target](), options, int(seed))
    clf = unfitted(name, options, int(seed))
    start = time.process_time()
    clf.fit(parts.X_train, parts.y_train)
    seconds = time.process_time() - start
    mapping, transformation = clf.mapping_, clf.transformation_
    inputs, outputs = clf.program_.input, clf.program_.output
    n_trained = sum(inputs[key].size for key in transformation.trainable)
    n_trained += sum(outputs[key].size for key in mapping.trainable)
    return {
        **dict(zip(FIELDS[:4], run, strict=True)),
        "accuracy": f"{clf.score(parts.X_test, parts.y_test):.4f}",
        "n_trained": n_trained,
        "n_train": len(parts.y_train),
        "n_test": len(parts.y_test),
        "fit_cpu_seconds": f"{seconds:.1f}",
        "version": ", ".join(filter(None, map(version_of, PACKAGES))),
        "machine": machine(),
    }


def drawn(parts, options, seed):
    """So many rows of the training part, and the test part or the training part's rest."""
    order = np.random.default_rng(seed).permutation(len(parts.y_train))
    kept, rest = order[: options.n_train], order[options.n_train :][:300]
    X, y = parts.X_train, parts.y_train
    if options.validation:
        return Parts(X[kept], y[kept], X[rest], y[rest])
    return parts._replace(X_train=X[kept], y_train=y[kept])


def unfitted(name, options, seed):
    """The estimator of a configuration."""
    transformation, mapping = SIDES[name.removesuffix(CONTROL)]
    source = load_source("digit-automaton")
    return ReprogrammingClassifier(
        source.with_random_weights(seed) if name.endswith(CONTROL) else source,
        input_transformation=transformation,
        output_mapping=mapping,
        max_epochs=options.epochs,
        lr=options.lr,
        output_lr=0.03,
        lr_scheduler="cosine",
        batch_size=25,
        random_state=seed,
    )


def make_table(rows, command):
    """Mean accuracy over the seeds, and their spread."""
    targets = [name for name in TARGETS if any(row["target"] == name for row in rows)]
    lines = [
        f"Accuracy: mean over seeds ± standard deviation. `{command}`",
        "",
        f"| configuration | numbers trained | {' | '.join(targets)} |",
        f"|---|---|{'---|' * len(targets)}",
    ]
    for name in CONFIGURATIONS:
        own = [row for row in rows if row["configuration"] == name]
        if own:
            most = max(int(row["n_trained"]) for row in own)
            cells = (cell([row for row in own if row["target"] == target]) for target in targets)
            lines.append(f"| {name} | {most} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def cell(rows):
    """One cell of the table."""
    if not rows:
        return ""
    scores = np.array([float(row["accuracy"]) for row in rows])
    spread = f" ± {scores.std(ddof=1):.3f}" if len(scores) > 1 else ""
    return f"{scores.mean():.3f}{spread} ({len(scores)})"


if __name__ == "__main__":
    main()
