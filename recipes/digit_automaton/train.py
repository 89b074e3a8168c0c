"""Train a cellular automaton that classifies scikit-learn's digits; README.md tells how."""

import argparse
import json
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from sklearn.datasets import load_digits
from torch.nn import functional
from tqdm import trange

from skreprogram.sources import CellularAutomaton

N_TRAINING = 1297  # the last 500 images, by other writers, are left for judging
# first step whose beliefs count: before it a message has not crossed the image
FIRST_JUDGED = 9


def main(argv=None):
    """Train with the given seed, and write the automaton and a report."""
    options = parse(argv)
    torch.manual_seed(options.seed)
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
    labels = torch.tensor(digits.target)
    start = time.perf_counter()
    automaton, loss = train(images[:N_TRAINING], labels[:N_TRAINING], options)
    seconds = time.perf_counter() - start
    save_file(automaton.state_dict(), options.out)
    report = {
        **{name: value for name, value in vars(options).items() if name != "out"},
        "n_parameters": sum(tensor.numel() for tensor in automaton.parameters()),
        "last_loss": loss,
        "training": judge(automaton, images[:N_TRAINING], labels[:N_TRAINING]),
        "other_writers": judge(automaton, images[N_TRAINING:], labels[N_TRAINING:]),
        "seconds": round(seconds),
    }
    options.out.with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report))


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--lr", type=float, default=2e-3, help="falls to a tenth linearly")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def train(images, labels, options):
    """Squared error of every cell's beliefs, in every step from the ninth on.

    Parameters
    ----------
    images : torch.Tensor of shape (n, 1, 8, 8)
        Ink from 0 to 1.
    labels : torch.Tensor of shape (n,)
        Digits.
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    automaton : CellularAutomaton
        In evaluation mode.
    loss : float
        Of the last step.
    """
    automaton = CellularAutomaton()
    # at the start nothing changes in any step
    torch.nn.init.zeros_(automaton.change.weight)
    torch.nn.init.zeros_(automaton.change.bias)
    optimizer = torch.optim.Adam(automaton.parameters(), lr=options.lr)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, options.steps)
    for _ in trange(options.steps, unit="step", mininterval=5):
        rows = torch.randint(len(images), (options.batch_size,))
        loss = error_of_cells(automaton, images[rows], labels[rows])
        optimizer.zero_grad()
        loss.backward()
        for parameter in automaton.parameters():
            # through so many steps gradients die away or explode; their direction does not
            parameter.grad /= parameter.grad.norm() + 1e-8
        optimizer.step()
        schedule.step()
    return automaton.eval(), loss.item()


def error_of_cells(automaton, images, labels):
    """Mean squared error of beliefs over judged steps, cells and classes."""
    beliefs = automaton.roll_out(images)[FIRST_JUDGED:, ..., -automaton.n_outputs :]
    goal = functional.one_hot(labels, automaton.n_outputs).to(images.dtype)[:, None, None]
    living = automaton.living(images)
    errors = (beliefs - goal).square().mean(4, keepdim=True) * living
    return errors.sum() / (len(beliefs) * living.sum())


@torch.no_grad()
def judge(automaton, images, labels):
    """Accuracy of the mean belief, and the share of cells that are right."""
    beliefs = automaton.roll_out(images)[-1, ..., -automaton.n_outputs :]
    living = automaton.living(images).squeeze(3)
    right = (beliefs.argmax(3) == labels[:, None, None]) * living
    accuracy = (automaton(images).argmax(1) == labels).double().mean()
    return {
        "accuracy": round(accuracy.item(), 4),
        "cells": round((right.sum() / living.sum()).item(), 4),
    }


if __name__ == "__main__":
    main()
