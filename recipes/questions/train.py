"""Train a recurrent network on the questions of TREC, and write the weights that the package ships.

The number of epochs is fixed beforehand. The test part is not scored without --test.
"""

import argparse
import json
import shlex
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional
from tqdm import tqdm

from questions import KINDS, UNKNOWN, numbered, read, split, vocabulary_of
from skreprogram.sources._question_network import QuestionNetwork
from skreprogram.sources._source_words import N_SPECIAL


def inputs_of(network, numbers):
    """Embeddings and marks of a list of texts; shape (n, longest, n_embedded + 1)."""
    longest = max(1, *map(len, numbers))
    table = torch.tensor([own + [0] * (longest - len(own)) for own in numbers])
    marks = (table > 0).float().unsqueeze(2)
    return torch.cat([network.words(table), marks], 2)


def with_unknown(numbers, share):
    """The same texts, some words of which have become unknown."""
    lost = [torch.rand(len(own)) < share for own in numbers]
    return [
        [UNKNOWN if gone else number for number, gone in zip(own, away.tolist(), strict=True)]
        for own, away in zip(numbers, lost, strict=True)
    ]


def train(network, numbers, labels, options):
    """Minimise the cross-entropy, one cycle of the learning rate."""
    labels, n_steps = torch.from_numpy(labels), -(-len(numbers) // options.batch_size)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=options.weight_decay)
    n_steps *= options.epochs
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.lr, n_steps, pct_start=0.2)
    with tqdm(total=n_steps, unit="step", mininterval=options.refresh) as bar:
        for _ in range(options.epochs):
            for rows in torch.randperm(len(numbers)).split(options.batch_size):
                texts = with_unknown([numbers[row] for row in rows], options.unknown)
                loss = step(network, optimizer, texts, labels[rows], options.dropout)
                schedule.step()
                bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
                bar.update()


def step(network, optimizer, texts, labels, dropout):
    """One step of the optimiser, with dropout on embeddings and on what the head reads."""
    inputs = inputs_of(network, texts)
    inputs = torch.cat([functional.dropout(inputs[..., :-1], dropout), inputs[..., -1:]], 2)
    pooled = functional.dropout(network.stages(inputs)[-1], dropout)
    loss = functional.cross_entropy(network.head(pooled), labels, label_smoothing=0.05)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimizer.step()
    return loss.item()


@torch.no_grad()
def accuracies(network, numbers, labels):
    """Share of the questions that are sorted rightly, of all and of each kind."""
    right = network(inputs_of(network, numbers)).argmax(1).numpy() == labels
    result = {"all": right.mean()}
    result |= {kind: right[labels == code].mean() for code, kind in enumerate(KINDS)}
    return {name: round(float(share), 4) for name, share in result.items()}


def halve(network):
    """Round all weights to float16, as they are stored."""
    stored = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    network.load_state_dict(stored)
    return stored


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with TREC.train.all")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=8e-3)
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--dropout", type=float, default=0.4)
    parser.add_argument("--unknown", type=float, default=0.1, help="share of words to hide")
    parser.add_argument("--min-count", type=int, default=2, help="of a word of the vocabulary")
    parser.add_argument("--n-embedded", type=int, default=96)
    parser.add_argument("--n-hidden", type=int, default=96)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--test", action="store_true", help="score the test part, once at the end")
    parser.add_argument("--refresh", type=float, default=0.5, help="seconds between progress lines")
    return parser.parse_args()


def main():
    options = parse()
    # sums in one order, so that a machine gives the same bits twice
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    test = read(options.data / "TREC.test.all")
    training, validation = split(read(options.data / "TREC.train.all"), test)
    vocabulary = vocabulary_of(training, options.min_count)
    sizes = {"n_embedded": options.n_embedded, "n_hidden": options.n_hidden}
    network = QuestionNetwork(len(vocabulary) + N_SPECIAL, len(KINDS), **sizes)
    start = time.perf_counter()
    train(network, numbered(training, vocabulary), training.labels, options)
    seconds = time.perf_counter() - start
    # with a second entry the order of the header would be another in every run
    save_file(halve(network), options.out, {"words": "\n".join(vocabulary)})
    parts = {"validation": validation} | ({"test": test} if options.test else {})
    report = {
        "command": shlex.join(["python", Path(sys.argv[0]).name, *sys.argv[1:]]),
        "n_rows": len(vocabulary) + N_SPECIAL,
        "n_parameters": sum(p.numel() for p in network.parameters()),
        "n_bytes": options.out.stat().st_size,
        "seconds": round(seconds),
        "n_training": len(training.labels),
    }
    for name, part in parts.items():
        report[f"n_{name}"] = len(part.labels)
        report[name] = accuracies(network, numbered(part, vocabulary), part.labels)
        known = np.mean([UNKNOWN != n for own in numbered(part, vocabulary) for n in own])
        report[f"{name}_known_words"] = round(float(known), 3)
    options.out.with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
