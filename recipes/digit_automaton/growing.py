"""Grow a picture from one cell, then another one by a state matrix; README.md tells how."""

import argparse
import json
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.nn.functional import max_pool2d
from tqdm import trange

from skreprogram.sources import CellularAutomaton
from skreprogram.transformations import StateMatrixTransformation

SIDE, N_STATES = 12, 16
GREEN, RED = (0.1, 0.8, 0.2), (0.9, 0.1, 0.1)
N_POOLED, N_ROWS = 64, 8
TIMES = (64, 200, 500)
MATRIX = StateMatrixTransformation(n_states=N_STATES)


def main(argv=None):
    """Train the automaton and a matrix for each other picture; write errors and pictures."""
    options = parse(argv)
    torch.manual_seed(options.seed)
    start = time.perf_counter()
    automaton = CellularAutomaton(n_states=N_STATES, size=(SIDE, SIDE), n_fixed=0)
    torch.nn.init.zeros_(automaton.change.weight)
    torch.nn.init.zeros_(automaton.change.bias)
    grow(automaton, list(automaton.parameters()), None, picture(), options.steps, seeds())
    automaton.requires_grad_(False)
    torch.save(automaton.state_dict(), options.out.with_suffix(".pt"))
    grown = developed(automaton, seeds(N_ROWS), None, 64)[-1]
    report = {**vars(options), "out": options.out.name, "unperturbed": errors(automaton, picture())}
    films = {"green cross": film(automaton)}
    for name, target in targets().items():
        entries = torch.zeros(N_STATES * (N_STATES + 1) // 2, requires_grad=True)
        started = torch.cat([seeds(N_POOLED // 2), grown.repeat(N_POOLED // 2 // N_ROWS, 1, 1, 1)])
        grow(automaton, [entries], entries, target, options.program_steps, started)
        films[name] = film(automaton, entries.detach())
        report[name] = {
            "matrix": errors(automaton, target, entries.detach()),
            "matrix off": errors(automaton, target),
        }
        report["seconds"] = round(time.perf_counter() - start)
        options.out.with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n")
        draw(films, options.out)


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="picture; errors go beside it")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--program-steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def picture(colour=GREEN, arms=4):
    """A cross of RGBA, premultiplied, of shape (SIDE, SIDE, 4); its upper arm may be missing."""
    image = torch.zeros(SIDE, SIDE, 4)
    paint = torch.tensor([*colour, 1.0])
    image[5:7, 2:10] = paint
    image[2 if arms == 4 else 5 : 10, 5:7] = paint
    return image


def targets():
    return {"red cross": picture(RED), "no upper arm": picture(arms=3)}


def seeds(n=N_POOLED):
    """States with one living cell, of shape (n, SIDE, SIDE, N_STATES)."""
    states = torch.zeros(n, SIDE, SIDE, N_STATES)
    states[:, SIDE // 2, SIDE // 2, 3:] = 1.0
    return states


def living(state):
    """1 around every cell that is not transparent."""
    opaque = state[..., 3].unsqueeze(1)
    return (max_pool2d(opaque, 3, 1, 1) > 0.1).to(state.dtype).permute(0, 2, 3, 1)


def developed(automaton, state, matrix, n_steps):
    """States after each of some steps, in which a random half of the cells changes."""
    states = [state]
    for _ in range(n_steps):
        before, awake = living(state), (torch.rand(*state.shape[:3], 1) < 0.5).to(state.dtype)
        state = automaton.step(state, before, awake, matrix)
        state = state * living(state)
        states.append(state)
    return states


def matrix_of(entries):
    return None if entries is None else MATRIX.matrix({"state_matrix": entries})


def grow(automaton, trained, entries, target, n_iterations, pool):
    """Train what is given on roll-outs of a pool of states, the worst of a batch sown again."""
    optimizer = torch.optim.Adam(trained, lr=2e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, n_iterations)
    pool, first = pool.clone(), pool[:1]
    for _ in trange(n_iterations, unit="step", mininterval=5):
        rows = torch.randperm(len(pool))[:N_ROWS]
        state = pool[rows]
        state[distances(state, target).argmax()] = first[0]
        n_steps = int(torch.randint(24, 40, ()))
        state = developed(automaton, state, matrix_of(entries), n_steps)[-1]
        loss = distances(state, target).mean()
        optimizer.zero_grad()
        loss.backward()
        for tensor in trained:
            tensor.grad /= tensor.grad.norm() + 1e-8
        optimizer.step()
        schedule.step()
        pool[rows] = state.detach()


def distances(state, target):
    """Mean squared error of RGBA, row by row."""
    return (state[..., :4] - target).square().mean((1, 2, 3))


@torch.no_grad()
def errors(automaton, target, entries=None):
    """Mean squared error from the seed after some times, over several roll-outs."""
    states = developed(automaton, seeds(N_ROWS), matrix_of(entries), max(TIMES))
    return {n: round(distances(states[n], target).mean().item(), 5) for n in TIMES}


@torch.no_grad()
def film(automaton, entries=None):
    """One roll-out: 64 steps from the seed without, 136 with the matrix, 64 without again."""
    before = developed(automaton, seeds(1), None, 64)
    during = developed(automaton, before[-1], matrix_of(entries), 136)
    after = developed(automaton, during[-1], None, 64)
    return [before[16][0], before[64][0], during[16][0], during[136][0], after[64][0]]


def draw(films, path):
    """Write pictures over a white ground."""
    titles = "16 steps", "64 steps", "16 with A", "136 with A", "64 after A"
    figure, axes = plt.subplots(
        len(films), len(titles), figsize=(7.5, 1.7 * len(films)), layout="constrained"
    )
    for row, (name, states) in zip(axes, films.items(), strict=True):
        row[0].set_ylabel(name)
        for axis, state in zip(row, states, strict=True):
            opaque = state[..., 3:4].clamp(0, 1)
            axis.imshow(np.clip(1 - opaque + state[..., :3], 0, 1))
            axis.set(xticks=[], yticks=[])
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title)
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
