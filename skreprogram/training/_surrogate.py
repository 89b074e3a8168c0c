"""Fit a program to a local copy of a black box."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from sklearn.metrics import accuracy_score, r2_score

from skreprogram._input_space import InputSpace
from skreprogram.training._fit import fit_programs
from skreprogram.training._holdout import hold_out
from skreprogram.training._meter import MeteredNetwork, QueryMeter, announce
from skreprogram.training._predict import class_scores, source_inputs
from skreprogram.training._priming import Primed, prime
from skreprogram.training._task import Program, Rows
from skreprogram.transformations import IdentityTransformation

# share of the training data on which copy and black box are compared
COMPARED = 0.2


class SurrogateFit(NamedTuple):
    """What a fit by a local copy gives.

    Parameters
    ----------
    program : Program
        The program, of the source that was chosen.
    source : SourceModel or BlackBoxSource
        The local copy, or the black box where the copy fell behind.
    primed : Primed
        The copy and how well it answers.
    n_queries : int
        Rows that the black box was asked.
    """

    program: Program
    source: object
    primed: Primed
    n_queries: int


def fit_surrogate(task, composition, options, source, local, load, max_queries=None):
    """Buy one answer a training sample, prime a local network with them, reprogram it.

    Parameters
    ----------
    task : Task
        What to fit.
    composition : Composition
        The loaded black box with transformation and mapping.
    options : TrainingOptions
        How to train the copy; its gradient holds the threshold.
    source : BlackBoxSource
        The handle of the black box.
    local : SourceModel
        The handle of the local network.
    load : callable
        From a handle to a loaded network and its device.
    max_queries : int or None, default=None
        Queries that the fit may use.

    Returns
    -------
    fitted : SurrogateFit
    """
    generator = torch.Generator().manual_seed(task.seed)
    theta = composition.transformation.init(task.train.X, composition.space, generator)
    unprogrammed = Program({name: tensor.numpy() for name, tensor in theta.items()}, {})
    inputs, answers, n_queries = _bought(
        task, composition, unprogrammed, options, source, max_queries
    )
    names = source.output_names
    primed = prime(local, inputs, answers, composition.space, generator, names, source.name)
    network, device = load(primed.source)
    copy = replace(composition, network=network, space=primed.source.input_space, device=device)
    answered = task._replace(train=replace(task.train, X=answers), valid=None, start=None)
    space, identity = InputSpace(tuple(answers.shape[1:])), IdentityTransformation()
    mapped = replace(composition, network=None, space=space, transformation=identity)
    quiet = replace(options, patience=None, verbose=0)
    threshold = options.gradient.threshold
    if threshold is not None and _falls_behind(task, copy, answered, mapped, quiet, threshold):
        (behind,) = fit_programs([answered], mapped, quiet)
        program = Program(unprogrammed.input, behind.output, behind.history)
        return SurrogateFit(program, source, primed, n_queries)
    (program,) = fit_programs([task._replace(start=None)], copy, options)
    return SurrogateFit(program, primed.source, primed, n_queries)


def _bought(task, composition, unprogrammed, options, source, max_queries):
    """What the black box is shown of the training samples without a program, and its answers."""
    n_rows = len(task.train)
    if max_queries is not None and max_queries < n_rows:
        raise ValueError(
            f"Got max_queries={max_queries}, but a surrogate asks about each of {n_rows} training "
            "samples once. Raise max_queries, or give fewer samples."
        )
    if options.verbose or source.cost_per_query:
        announce(n_rows, source)
    inputs = source_inputs(
        unprogrammed, composition.transformation, composition.space, task.train.X.numpy()
    )
    if isinstance(inputs, tuple):
        raise ValueError(
            f"Got the transformation {composition.transformation!r}, which shows {len(inputs)} "
            "views of a sample, but a surrogate learns from one. Choose one of a single view."
        )
    meter = QueryMeter(n_rows, source.cost_per_query, max_queries, options.verbose)
    network = MeteredNetwork(composition.network, meter)
    try:
        answers = network.outputs(torch.from_numpy(inputs).to(composition.device)).cpu()
    finally:
        meter.close()
    return inputs, answers, meter.asked


def _falls_behind(task, copy, answered, mapped, options, threshold):
    """Whether the copy scores less, by the threshold, than the black box and a mapping."""
    rows = task.train
    places = np.arange(len(rows))
    parts = hold_out(places, rows.y.numpy(), rows.weight.numpy(), COMPARED, task.seed)
    kept, held = (part.X for part in parts)

    def score(whole, composition):
        train, test = (_picked(whole.train, places) for places in (kept, held))
        (program,) = fit_programs([whole._replace(train=train, start=None)], composition, options)
        scores = class_scores(program, composition, test.X.numpy())
        of_values = test.y.is_floating_point()
        measure, guessed = (r2_score, scores) if of_values else (accuracy_score, scores.argmax(1))
        return measure(test.y.numpy(), guessed, sample_weight=test.weight.numpy())

    return score(task, copy) < score(answered, mapped) - threshold


def _picked(rows, places):
    return Rows(rows.X[places], rows.y[places], rows.weight[places])
