"""Time an epoch of iterative label mapping against a loop as the code of ILM-VP works.

    python benchmarks/images_speed.py --rounds 5

Both train the same program around the same images, in frames of the same size, for the same
source in full precision, in turn. The plain loop runs the source as it was trained, the package
runs it folded and with channels last, as it always does.
"""

import argparse
import copy
import os
import platform
import time
from statistics import median

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch.callbacks import Callback

import _images_plain_loop as plain
from _images_networks import NETWORKS
from skreprogram import ReprogrammingClassifier
from skreprogram.mappings import FrequencyMapping
from skreprogram.sources import SourceModel
from skreprogram.training import Composition, Rows, Task, TrainingOptions, fit_programs
from skreprogram.transformations import PaddingTransformation

MEAN, STD = (0.498,) * 3, (0.502,) * 3
LR = 0.01


class Stopwatch(Callback):
    """Wall and CPU seconds between the beginning and the end of training."""

    def on_train_begin(self, net, **kwargs):
        self.began_ = clocks()

    def on_train_end(self, net, **kwargs):
        self.seconds_ = clocks() - self.began_


def clocks():
    """Wall and CPU seconds of this process."""
    return np.array([time.perf_counter(), time.process_time()])


def images(n_samples, image_side, n_classes=10):
    """Random bytes in colour, (n, height, width, channels), and labels."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (n_samples, image_side, image_side, 3), dtype=np.uint8)
    return X, np.arange(n_samples) % n_classes


def run_plain(network, X, y, options, dtype=torch.float32):
    """Train by the plain loop; return seconds of its epochs, twice, and the program."""
    prompt = plain.Prompt(options.side, X.shape[1], MEAN, STD).to(dtype)
    optimizer = torch.optim.Adam([prompt.program], LR)
    start = clocks()
    plain.train(network, prompt, X, y, options.epochs, options.batch_size, optimizer)
    seconds = clocks() - start
    return seconds, seconds, prompt.program.detach() * prompt.mask


def run_ours(source, X, y, options, precision="full", dtype=torch.float32):
    """Train by the package; return seconds of its epochs, of all it does, and the program."""
    stopwatch = Stopwatch()
    composition = Composition(
        source.load(dtype=dtype).with_precision(precision),
        source.input_space,
        PaddingTransformation(),
        FrequencyMapping(refit_every=1),
    )
    training = TrainingOptions(
        max_epochs=options.epochs,
        lr=LR,
        batch_size=options.batch_size,
        callbacks=(stopwatch,),
    )
    start = clocks()
    images, weight = (torch.from_numpy(array).to(dtype) for array in (X, np.ones(len(y))))
    rows = Rows(images.permute(0, 3, 1, 2) / 255, torch.from_numpy(y), weight)
    (program,) = fit_programs([Task(rows, int(y.max()) + 1, 0)], composition, training)
    whole = clocks() - start
    return stopwatch.seconds_, whole, torch.from_numpy(program.input["program"])


def compare(name, source, network, options):
    """Time the rivals in turn; return the lines of the table."""
    X, y = images(options.n_samples, options.image_side)
    rivals = {
        "plain loop": lambda: run_plain(network, X, y, options),
        "skreprogram": lambda: run_ours(source, X, y, options),
        "skreprogram, bf16": lambda: run_ours(source, X, y, options, "bf16"),
    }
    measured = {rival: [] for rival in rivals}
    for number in range(options.rounds + 1):
        for rival, run in rivals.items():
            seconds = run()[:2]
            # the first round warms caches up
            if number:
                measured[rival].append(seconds)
    base = np.array(measured["plain loop"])
    return [_line(name, rival, np.array(measured[rival]), base, options) for rival in rivals]


def _line(name, rival, seconds, base, options):
    """Epoch seconds, and ratios to the plain loop round by round."""
    epoch = np.median(seconds[:, 0, 0]) / options.epochs
    ratios = base / seconds
    columns = [ratios[:, 0, 0], ratios[:, 0, 1], ratios[:, 1, 1]]
    cells = [f"{median(c):.2f} [{min(c):.2f}-{max(c):.2f}]" for c in columns]
    return f"| {name} | {rival} | {epoch:.2f} | {' | '.join(cells)} |"


def difference_after_one_step(source, network, options):
    """Largest difference of the two programs after one step of Adam, in double precision.

    In double precision folding changes nothing but the last digits; in single precision the sign
    of a gradient that is nearly 0 decides a whole step of Adam.
    """
    one_step = argparse.Namespace(**{**vars(options), "epochs": 1})
    X, y = images(options.batch_size, options.image_side)
    doubled = copy.deepcopy(network).double()
    *_, theirs = run_plain(doubled, X, y, one_step, dtype=torch.float64)
    *_, own = run_ours(source, X, y, one_step, dtype=torch.float64)
    own = own * (theirs != 0)
    return float((own - theirs).abs().max()), float(theirs.abs().max())


def accuracies(source, epochs):
    """Accuracy of full precision and bf16 on the digits of scikit-learn, and CPU seconds."""
    X, y = load_digits(return_X_y=True)
    split = train_test_split(
        X.reshape(-1, 8, 8), y, train_size=300, test_size=400, stratify=y, random_state=0
    )
    for mapping in ("iterative", "linear"):
        for precision in ("full", "bf16"):
            classifier = ReprogrammingClassifier(
                source,
                input_transformation=PaddingTransformation(size=32),
                output_mapping=mapping,
                precision=precision,
                lr_scheduler="cosine",
                max_epochs=epochs,
                lr=0.03,
                random_state=0,
            )
            start = clocks()
            classifier.fit(split[0], split[2])
            seconds = (clocks() - start)[1]
            yield mapping, precision, classifier.score(split[1], split[3]), seconds


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=2, help="epochs of one measurement")
    parser.add_argument("--n-samples", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--side", type=int, default=64, help="pixels of the source's input")
    parser.add_argument("--image-side", type=int, default=32)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--accuracy-epochs", type=int, default=5, help="0 leaves accuracies out")
    return parser.parse_args(argv)


def main(argv=None):
    """Print the check of the arithmetic, the table of times and the accuracies in bf16."""
    options = parse(argv)
    torch.set_num_threads(options.threads)
    times, checks, scores = [], [], []
    for name in options.networks:
        network = NETWORKS[name]()
        facts = {"value_range": (0, 1), "mean": MEAN, "std": STD}
        source = SourceModel.from_module(network, (3, options.side, options.side), **facts)
        difference, size = difference_after_one_step(source, network, options)
        checks.append(f"| {name} | {difference:.1e} | {size:.1e} |")
        times += compare(name, source, network, options)
        if options.accuracy_epochs and name == "efficientnet-lite0":
            scores = [
                f"| {mapping} | {precision} | {accuracy:.4f} | {seconds:.0f} |"
                for mapping, precision, accuracy, seconds in accuracies(
                    source, options.accuracy_epochs
                )
            ]
    print(report(options, checks, times, scores))


def report(options, checks, times, scores):
    """All tables in Markdown."""
    lines = [
        f"{platform.machine()}, {options.threads} thread(s), {options.n_samples} images of "
        f"{options.image_side} pixels in {options.side}, batches of {options.batch_size}, "
        f"{options.rounds} rounds of {options.epochs} epochs",
        "",
        "| source | loop | epoch s | times the plain loop | in CPU time | with the start, CPU |",
        "|---|---|---:|---:|---:|---:|",
        *times,
        "",
        "| source | largest difference of the programs after one step | largest entry |",
        "|---|---:|---:|",
        *checks,
    ]
    if scores:
        lines += ["", "| mapping | precision | accuracy | fit CPU s |", "|---|---|---:|---:|"]
        lines += scores
    return "\n".join(lines)


if __name__ == "__main__":
    main()
