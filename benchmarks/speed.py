"""Training throughput of the Voice2Series configuration against a plain loop.

The plain loop is written as the reference code works: every item of a data set is a frame of
16,000 samples that Python fills with the replicas, a DataLoader collates them, and the whole frame
goes through the frozen source, forwards and backwards. The source is the network as one writes it
in torch (``_speed_networks.py``). The second rival is the same loop around the package's own form
of the network, so that the table tells apart what the network gains and what the training gains.
Ours places whole batches and computes once what a batch shares. Weights, batch size, optimiser and
number of threads are the same; the rivals take turns, and ratios are taken pair by pair.

    python benchmarks/speed.py --rounds 4 --epochs 3

On a machine that others use as well, wall time says little, and threads that wait for one another
say less: ``--threads 1`` measures the CPU time of one thread instead.
"""

import argparse
import copy
import os
import platform
import time
from statistics import median

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from _speed_networks import written_plainly
from skreprogram.datasets import load_ucr
from skreprogram.mappings import RandomMapping
from skreprogram.sources import AttentionRNN, KeywordNetwork, SourceModel
from skreprogram.training import Composition, Rows, Task, TrainingOptions, fit_programs
from skreprogram.transformations import TilingTransformation

BATCH_SIZE = 32
LR = 0.05


class Frames(Dataset):
    """One frame a series, filled by a Python loop over the replicas."""

    def __init__(self, X, y, n_replicas, size):
        self.X, self.y, self.n_replicas, self.size = X, y, n_replicas, size

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        series = self.X[i]
        frame = np.zeros(self.size, dtype=np.float32)
        step = self.size // len(series) // self.n_replicas * len(series)
        for replica in range(self.n_replicas):
            frame[replica * step : replica * step + len(series)] = series
        return frame, self.y[i]


def plain_loop(source, X, y, n_replicas, epochs):
    """Train one program as the reference code does; return the loss of the last epoch."""
    network, size = source.load(), source.input_shape[0]
    n_classes = int(y.max()) + 1
    matrix = RandomMapping().estimate(torch.zeros(source.n_outputs, n_classes), _generator())
    data = Frames(X, y, n_replicas, size)
    mask = torch.from_numpy(Frames(np.ones_like(X[:1]), y, n_replicas, size)[0][0] == 0).float()
    program = (0.0112 * torch.randn(size, generator=_generator())).requires_grad_()
    optimizer = torch.optim.Adam([program], LR)
    loader = DataLoader(data, BATCH_SIZE, shuffle=True, generator=_generator())
    for _ in range(epochs):
        total = 0.0
        for frames, labels in loader:
            logits = network.outputs(frames + mask * torch.tanh(program))
            scores = torch.logsumexp(logits.unsqueeze(-1) + matrix.log(), 1)
            loss = torch.nn.functional.cross_entropy(scores, labels)
            loss = loss + 0.04 * program.square().sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
    return total / len(data)


def ours(source, X, y, n_replicas, epochs, precision):
    """Train one program with the package; return the loss of the last epoch."""
    composition = Composition(
        source.load().with_precision(precision),
        source.input_space,
        TilingTransformation(n_replicas),
        RandomMapping(),
    )
    weight = torch.ones(len(X))
    task = Task(
        Rows(torch.from_numpy(X)[:, None], torch.from_numpy(y), weight), int(y.max()) + 1, 0
    )
    options = TrainingOptions(max_epochs=epochs, lr=LR, batch_size=BATCH_SIZE)
    return fit_programs([task], composition, options)[0].history[-1]["train_loss"]


def compare(name, source, plain, X, y, n_replicas, epochs, rounds, clock):
    """Time the rivals in turn; print medians and paired ratios."""
    rivals = {
        "plain loop": lambda: plain_loop(plain, X, y, n_replicas, epochs),
        "plain loop, our network": lambda: plain_loop(source, X, y, n_replicas, epochs),
        "skreprogram": lambda: ours(source, X, y, n_replicas, epochs, "full"),
        "skreprogram, bf16": lambda: ours(source, X, y, n_replicas, epochs, "bf16"),
    }
    seconds = {rival: [] for rival in rivals}
    for number in range(rounds + 1):
        for rival, run in rivals.items():
            start = clock()
            run()
            # the first round warms caches up
            if number:
                seconds[rival].append(clock() - start)
    for rival, measured in seconds.items():
        pairs = zip(seconds["plain loop"], measured, strict=True)
        ratios = [plain / own for plain, own in pairs]
        rate = len(X) * epochs / median(measured)
        print(
            f"| {name} | {n_replicas} | {rival} | {rate:.0f} | {median(ratios):.2f} "
            f"[{min(ratios):.2f}-{max(ratios):.2f}] |",
            flush=True,
        )


def both_forms(network):
    """Sources of the package's network and of the same one written plainly."""
    plain = written_plainly(copy.deepcopy(network))
    facts = {"value_range": (-1, 1), "sampling_rate": 16_000}
    sources = [SourceModel.from_module(form, (16_000,), **facts) for form in (network, plain)]
    waveforms = 0.1 * torch.randn(4, 16_000, generator=_generator())
    ours, theirs = (source.load().outputs(waveforms) for source in sources)
    torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=1e-3)
    return sources


def _generator():
    return torch.Generator().manual_seed(0)


def main():
    """Run the comparison on GunPoint, which is bundled with sktime."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    X, y, X_more, y_more = load_ucr("GunPoint")
    X = np.concatenate([X, X_more]).astype(np.float32)
    y = np.unique(np.concatenate([y, y_more]), return_inverse=True)[1]
    # speed does not depend on the weights, so that nothing is downloaded
    networks = {
        "speech-commands": KeywordNetwork(),
        "attention RNN": AttentionRNN(n_outputs=36, front_end="log_magnitude"),
    }
    clock = time.process_time if options.threads == 1 else time.perf_counter
    print(f"{platform.machine()}, {options.threads} threads, {len(X)} series of {X.shape[1]}")
    print("| source | replicas | loop | series per second | times the plain loop |")
    print("|---|---|---|---|---|")
    for name, network in networks.items():
        source, plain = both_forms(network)
        for n_replicas in (1, 3, 10):
            compare(name, source, plain, X, y, n_replicas, options.epochs, options.rounds, clock)


if __name__ == "__main__":
    main()
