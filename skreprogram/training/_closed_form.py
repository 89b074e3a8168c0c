"""Solve a mapping in closed form on what the source gives for all rows."""

from dataclasses import replace
from hashlib import blake2b

import torch
from torch.utils._pytree import tree_map

from skreprogram.training._predict import passes
from skreprogram.training._self_training import solve_in_rounds
from skreprogram.training._task import Rows
from skreprogram.training._train import program_of

# rows shown to the source before training, for the constants of the mapping
N_PROBED = 256


def solve_closed_form(task, probe, composition, generator, options, kept=None):
    """Solve the mapping in closed form on features that the source computes once.

    Parameters
    ----------
    task : Task
        What to fit.
    probe : Reprogrammed
        The program's input side before the source.
    composition : Composition
        The loaded source with transformation and mapping.
    generator : torch.Generator
        For mappings that draw.
    options : TrainingOptions
        How to train.
    kept : dict of str to torch.Tensor or None, default=None
        Tensors of the mapping that stand in the place of those that it draws.

    Returns
    -------
    program : Program
    """
    mapping, rows, verbose = composition.mapping, merge_copies(task.train), options.verbose
    picked, given = probed(rows, probe, composition, verbose)
    omega, first = mapping.init_pooled(given, task.n_classes, generator)
    if kept:
        omega = {**omega, **kept}
        first = mapping.pool(omega, given)
    constants = {name: tensor.to(composition.device) for name, tensor in omega.items()}

    def pooled(batch):
        return mapping.pool(constants, tree_map(lambda stage: stage[0], probe.given(batch)))

    others = torch.ones(len(rows), dtype=torch.bool).index_fill(0, picked, False).nonzero()[:, 0]
    # filled part by part: of thousands of rows there is no room for a second copy
    features = first.new_empty(len(rows), first.shape[1])
    features[picked] = first
    for part in passes(rows.X[others], pooled, composition, verbose):
        features[others[: len(part)]] = part
        others = others[len(part) :]
    loss = {} if options.loss.closed_form else {"loss": options.loss.rows}

    def solve(known):
        return mapping.solve(omega, known.X, known.y, known.weight, task.n_classes, **loss)

    rows = replace(rows, X=features)
    if task.unlabelled is None or not options.unlabelled.closed_form:
        return program_of((probe.rows(0)[0], solve(rows)))
    more = merge_copies(task.unlabelled)
    more = replace(more, X=torch.cat(list(passes(more.X, pooled, composition, verbose))))
    score = getattr(mapping, "score", mapping.apply)
    solved = solve_in_rounds(solve, score, rows, more, options.unlabelled)
    return program_of((probe.rows(0)[0], solved))


def probed(rows, probe, composition, verbose=0):
    """Numbers of some rows, and what the source gives for them.

    They are evenly spread and not drawn: a closed form has one answer, whatever the seed.
    """
    picked = torch.linspace(0, len(rows) - 1, min(N_PROBED, len(rows))).round().long()
    return picked, given_of(rows, picked, probe, composition, verbose)


def input_side(task, composition, generator):
    """The input side before training: drawn, or that of the program to go on with."""
    if task.start is not None:
        return task.start.tensors()[0]
    # copies merged: constants of the data are the same whether rows are weighted or repeated
    X = merge_copies(task.train).X
    if task.unlabelled is not None:
        X = torch.cat([X, merge_copies(task.unlabelled).X])
    theta = composition.transformation.init(X, composition.space, generator)
    # data that are no measurements, such as numbers of tokens, do not tell the precision
    kind = task.train.weight.dtype
    return {name: t.to(kind) if t.is_floating_point() else t for name, t in theta.items()}


def given_of(rows, picked, probe, composition, verbose=0):
    """What the source gives for some rows."""
    parts = list(passes(rows.X[picked], probe.given, composition, verbose))
    return tree_map(lambda *tensors: torch.cat(tensors, 1)[0], *parts)


def merge_copies(rows):
    """Make one row of identical ones, with their summed weight.

    Leave-one-out would be fooled by a copy that stays in.
    """
    places = {}
    for i, (x, y) in enumerate(zip(rows.X.contiguous().numpy(), rows.y.numpy(), strict=True)):
        places.setdefault((blake2b(x, digest_size=16).digest(), y.tobytes()), []).append(i)
    if len(places) == len(rows):
        return rows
    first = torch.tensor([members[0] for members in places.values()])
    weight = torch.stack([rows.weight[members].sum() for members in places.values()])
    return Rows(rows.X[first], rows.y[first], weight)
