"""Compare frozen features of trained architectures on development sets of the UCR archive.

Every architecture gets the default transformation and head of `TimeSeriesReprogrammer`; test parts
are cut to at most 150 series. Never run it on the headline sets: they choose nothing.
"""

import argparse
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

from architectures import ARCHITECTURES
from skreprogram import TimeSeriesReprogrammer
from skreprogram.datasets import load_ucr
from skreprogram.sources import SourceModel

SETS = (
    "ArrowHead BME Beef CBF Car DiatomSizeReduction FaceFour Lightning7 Meat MoteStrain PowerCons "
    "ToeSegmentation1"
).split()
N_TEST = 150


def accuracies(source, archive):
    """Accuracy of the default configuration around a source on every set."""
    found = []
    for name in SETS:
        X, y, X_test, y_test = load_ucr(name, path=archive)
        picked = np.random.RandomState(0).permutation(len(X_test))[:N_TEST]
        clf = TimeSeriesReprogrammer(source, random_state=0).fit(X, y)
        found.append(clf.score(X_test[picked], y_test[picked]))
    return found


def main():
    """Print a row for every trained file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--archive", type=Path, required=True)
    parser.add_argument("trained", type=Path, nargs="+", help="ARCHITECTURE.safetensors")
    options = parser.parse_args()
    print("| file | mean | " + " | ".join(SETS) + " |")
    print("|---" * (len(SETS) + 2) + "|")
    for path in options.trained:
        kind = next(name for name in ARCHITECTURES if path.stem.startswith(name))
        network = ARCHITECTURES[kind]()
        network.load_state_dict({n: t.float() for n, t in load_file(path).items()})
        facts = {"value_range": (-1.0, 1.0), "flexible": True, "sampling_rate": 16_000}
        source = SourceModel.from_module(network.eval(), (16_000,), **facts)
        row = accuracies(source, options.archive)
        cells = " | ".join(f"{accuracy:.3f}" for accuracy in row)
        print(f"| {path.stem} | {np.mean(row):.4f} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
