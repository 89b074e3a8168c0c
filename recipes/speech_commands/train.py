"""Train a keyword network on a corpus of synthesise.py and measure it on unseen voices.

The number of epochs is fixed beforehand: the unseen voices choose nothing.
"""

import argparse
import json
import shlex
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from tqdm import tqdm

from architectures import ARCHITECTURES
from augment import RATE, augment
from words import WORDS


class Corpus:
    """The clips of a corpus file as tensors, in the order of the file."""

    def __init__(self, path):
        with np.load(path) as file:
            self.samples = torch.from_numpy(file["samples"])
            self.offsets = torch.from_numpy(file["offsets"])
            self.labels = torch.from_numpy(file["labels"])
            self.unseen = torch.from_numpy(file["unseen"])
            self.voices = file["voices"]
            self.n_unseen_voices = len(set(file["voices"][file["unseen"]]))
        self.engines = np.array([voice.split(":")[0] for voice in self.voices])

    def clips(self, rows):
        """Padded samples in [-1, 1] and lengths of some rows."""
        spans = [(int(self.offsets[row]), int(self.offsets[row + 1])) for row in rows]
        clips = torch.zeros(len(spans), RATE)
        for clip, (start, stop) in zip(clips, spans, strict=True):
            clip[: stop - start] = self.samples[start:stop] / 32_768
        return clips, torch.tensor([stop - start for start, stop in spans])


def train(network, corpus, options, generator):
    """Minimise the cross-entropy over augmented training clips, one learning-rate cycle."""
    rows = torch.nonzero(~corpus.unseen).squeeze(1)
    chances = engine_chances(corpus.engines[rows.numpy()], options.even)
    n_steps = options.epochs * (len(rows) // options.batch_size)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=options.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.lr, n_steps, pct_start=0.2)
    network.train()
    with tqdm(total=n_steps, unit="step", mininterval=options.refresh) as bar:
        for _ in range(options.epochs):
            if options.even:
                picked = torch.multinomial(chances, len(rows), True, generator=generator)
            else:
                picked = torch.randperm(len(rows), generator=generator)
            order = rows[picked]
            for batch in order.split(options.batch_size)[: len(rows) // options.batch_size]:
                waveform = augment(*corpus.clips(batch), generator)
                loss = step(network, optimizer, waveform, corpus.labels[batch])
                schedule.step()
                bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
                bar.update()


def engine_chances(engines, even):
    """Chance of each clip to be drawn: equal for all clips at 0, for all engines at 1."""
    names, place, counts = np.unique(engines, return_inverse=True, return_counts=True)
    share = (1 - even) * counts / counts.sum() + even / len(names)
    return torch.from_numpy((share / counts)[place])


def step(network, optimizer, waveform, labels):
    """One step of the optimiser; bfloat16 in the convolutions is twice as fast where it exists."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(waveform)
    loss = functional.cross_entropy(logits.float(), labels, label_smoothing=0.05)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimizer.step()
    return loss.item()


@torch.no_grad()
def accuracies(network, corpus, strength, seed=1):
    """Share of the clips of unseen voices that are recognised, of each engine and of all.

    "voices" is the mean over the voices, each of which counts once however many clips it has.
    """
    rows = torch.nonzero(corpus.unseen).squeeze(1)
    generator = torch.Generator().manual_seed(seed)
    network.eval()
    right = torch.cat(
        [
            network(augment(*corpus.clips(batch), generator, strength=strength)).argmax(1)
            == corpus.labels[batch]
            for batch in rows.split(128)
        ]
    ).numpy()
    engines, voices = corpus.engines[rows], corpus.voices[rows]
    by_voice = [right[voices == voice].mean() for voice in np.unique(voices)]
    result = {"all": right.mean(), "voices": np.mean(by_voice)}
    result |= {engine: right[engines == engine].mean() for engine in np.unique(engines)}
    return {name: round(float(share), 4) for name, share in result.items()}


def halve(network):
    """Round the weights of matrices and kernels to float16, as they are stored.

    Everything else is small, or needs the precision (running variances, the mel bands).
    """
    stored = dict(network.state_dict())
    for name, weight in network.named_parameters():
        if weight.ndim > 1:
            stored[name] = weight.detach().half()
    network.load_state_dict(stored)
    return {name: tensor.contiguous() for name, tensor in stored.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", choices=sorted(ARCHITECTURES), required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--weight-decay", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--even", type=float, default=0.0, help="0 draws clips alike, 1 engines")
    parser.add_argument("--start", type=Path, help="weights of an earlier run to go on with")
    parser.add_argument("--refresh", type=float, default=0.5, help="seconds between progress lines")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    generator = torch.Generator().manual_seed(options.seed)
    corpus = Corpus(options.corpus)
    network = ARCHITECTURES[options.architecture](len(WORDS))
    if options.start:
        network.load_state_dict({n: t.float() for n, t in load_file(options.start).items()})
    start = time.perf_counter()
    train(network, corpus, options, generator)
    seconds = time.perf_counter() - start
    metadata = {"architecture": options.architecture, "words": " ".join(WORDS)}
    save_file(halve(network), options.out, metadata)
    report = {
        "architecture": options.architecture,
        "n_parameters": sum(p.numel() for p in network.parameters()),
        "seconds": round(seconds),
        "seed": options.seed,
        "command": shlex.join(["python", Path(sys.argv[0]).name, *sys.argv[1:]]),
        "n_training_clips": int((~corpus.unseen).sum()),
        "n_unseen_clips": int(corpus.unseen.sum()),
        "n_unseen_voices": corpus.n_unseen_voices,
        "unseen_voices_clean": accuracies(network, corpus, strength=0.0),
        "unseen_voices_augmented": accuracies(network, corpus, strength=0.5),
    }
    options.out.with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
