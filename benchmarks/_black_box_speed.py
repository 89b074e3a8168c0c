"""Seconds of queries: all of a step in one batch against one after the other, and our own share.

Both ask the same queries through the objective of the training loop, in turn.
"""

import os
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import nn

from skreprogram.losses import CrossEntropy
from skreprogram.mappings import LinearMapping
from skreprogram.sources import BlackBoxSource, SourceModel, load_source
from skreprogram.sources._weights import read_weights
from skreprogram.training import Composition
from skreprogram.training._objective import BatchObjective, flat
from skreprogram.transformations import CoarseGridTransformation

SHARED = Path(os.environ.get("SKREPROGRAM_SHARED", Path(__file__).parents[2] / "shared"))
CIFAR = SHARED / "weights" / "cifar10_resnet20.th"
# candidates of a step, and rows of its batch
N_CANDIDATES, N_ROWS = 20, 4
# seconds of a service's answer, whatever is asked at once
LATENCY = 0.015


def report(options):
    """Both tables in Markdown.

    Parameters
    ----------
    options : argparse.Namespace
        ``rounds``: measurements of each.
    """
    lines = [
        f"{N_CANDIDATES} candidates, batches of {N_ROWS} rows, {options.rounds} rounds, "
        f"{torch.get_num_threads()} thread(s)",
        "",
        "| source | one batch, ms | one after the other, ms | times as fast | difference |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, make in SOURCES.items():
        source = make()
        if source is not None:
            lines.append(compare(name, source, options.rounds))
    own = own_seconds(options.rounds)
    lines += [
        "",
        f"Of our own, in CPU time, a query of an image of shape {IMAGE} takes {1e6 * own:.0f} µs, "
        f"{100 * own / LATENCY:.1f} % of a model of {1e3 * LATENCY:.0f} ms.",
    ]
    return "\n".join(lines)


def compare(name, source, n_rounds):
    """Time one step's queries in both ways, in turn; return the line of the table."""
    objective, candidates = step_of(source)
    ways = (
        lambda: objective.losses(candidates),
        lambda: torch.cat([objective.losses(one) for one in candidates.split(1)]),
    )
    difference = (ways[0]() - ways[1]()).abs().max().item()
    seconds = np.array([[_seconds(way) for way in ways] for _ in range(n_rounds)])
    ratios = seconds[:, 1] / seconds[:, 0]
    batch, loop = 1e3 * np.median(seconds, 0)
    return (
        f"| {name} | {batch:.1f} | {loop:.1f} | "
        f"{median(ratios):.2f} [{min(ratios):.2f}-{max(ratios):.2f}] | {difference:.0e} |"
    )


def own_seconds(n_rounds):
    """CPU seconds a query of all but the model: one that answers at once is asked."""
    source = BlackBoxSource(at_once, IMAGE, 2, value_range=(0, 1), levels=256, identity="none")
    objective, candidates = step_of(source)
    objective.losses(candidates)
    seconds = [
        _seconds(lambda: objective.losses(candidates), time.process_time) for _ in range(n_rounds)
    ]
    return median(seconds) / (N_CANDIDATES * N_ROWS)


def step_of(source):
    """The objective of one batch of random images, and candidates next to its program."""
    generator = torch.Generator().manual_seed(0)
    transformation, mapping, space = (
        CoarseGridTransformation(8),
        LinearMapping(),
        source.input_space,
    )
    X = torch.rand(N_ROWS, space.shape[0], 8, 8, generator=generator)
    theta = transformation.init(X, space, generator)
    composition = Composition(source.load(), space, transformation, mapping)
    omega = mapping.init(torch.randn(8, source.n_outputs, generator=generator), 2, generator)
    # a mapping that starts at 0 would hide differences
    omega["weight"] = torch.randn(omega["weight"].shape, generator=generator)
    model = composition.model([(theta, omega)])
    batch = X, torch.arange(N_ROWS) % 2, torch.ones(N_ROWS)
    program = flat(model.theta)
    noise = torch.randn(N_CANDIDATES, len(program), generator=generator)
    return BatchObjective(model, CrossEntropy(), batch, source.levels), program + 0.1 * noise


def _seconds(function, clock=time.perf_counter):
    start = clock()
    with torch.no_grad():
        function()
    return clock() - start


IMAGE = (3, 224, 224)


def at_once(images):
    """Answer without looking."""
    return np.full((len(images), 2), 0.5)


def slowly(images):
    """Answer as a service does: the way there and back takes longer than the model."""
    time.sleep(LATENCY)
    return at_once(images)


def dense():
    """A dense network, small enough that a call costs more than its sums."""
    layers = nn.Flatten(), nn.Linear(192, 64), nn.Tanh(), nn.Linear(64, 10)
    return SourceModel.from_module(nn.Sequential(*layers), (3, 8, 8), value_range=(0, 1))


def resnet20():
    """The CIFAR-10 network whose weights lie beside the repository; None without them."""
    if not CIFAR.is_file():
        return None
    from _black_box_resnet import ResNet20

    network = ResNet20()
    network.load_state_dict(read_weights(CIFAR))
    facts = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
    return SourceModel.from_module(network, (3, 32, 32), value_range=(0, 1), **facts)


SOURCES = {
    "dense network": dense,
    "ResNet-20, 32 pixels": resnet20,
    "open-nsfw by ONNX Runtime": lambda: load_source("open-nsfw"),
    "service of 15 ms a request": lambda: BlackBoxSource(
        slowly, (3, 32, 32), 2, value_range=(0, 1), levels=256, identity="slow"
    ),
}
