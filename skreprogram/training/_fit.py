"""Fit K programs: by gradient, or behind the source where nothing before it trains."""

from collections import defaultdict
from dataclasses import replace

import torch

from skreprogram.mappings import LabelMapping
from skreprogram.training._batches import n_batches
from skreprogram.training._closed_form import (
    N_PROBED,
    given_of,
    input_side,
    merge_copies,
    solve_closed_form,
)
from skreprogram.training._finetuning import begun_solved, source_side
from skreprogram.training._net import count_labels
from skreprogram.training._optimizers import stacks_exactly
from skreprogram.training._predict import passes
from skreprogram.training._self_training import solve_in_rounds
from skreprogram.training._settling import settle
from skreprogram.training._task import Rows
from skreprogram.training._through_solution import fit_through_solution, trains_through_solution
from skreprogram.training._train import program_of, train_stack


def fit_programs(tasks, composition, options):
    """Fit one program a task; tasks that step alike are trained in one stack.

    Parameters
    ----------
    tasks : list of Task
        What to fit.
    composition : Composition
        The loaded source with transformation and mapping.
    options : TrainingOptions
        How to train.

    Returns
    -------
    programs : list of Program
        In the order of the tasks. A program fitted in company equals the one fitted alone.
    """
    # copies that change in every epoch go through the source anew
    changing = options.unlabelled is not None and options.unlabelled.compares
    if trains_through_solution(composition):
        return [fit_through_solution(task, composition, options) for task in tasks]
    moving = composition.transformation.trainable or options.finetune is not None
    if not moving and not changing:
        return [_fit_behind(task, composition, options) for task in tasks]
    groups = defaultdict(list)
    for i, task in enumerate(tasks):
        alone = options.asks_queries or not stacks_exactly(options) or task.unlabelled is not None
        apart = i if alone else None
        groups[apart, _steps(task, options.batch_size)].append(i)
    programs = [None] * len(tasks)
    for members in groups.values():
        fitted = _fit_stack([tasks[i] for i in members], composition, options)
        for i, program in zip(members, fitted, strict=True):
            programs[i] = program
    return programs


def _fit_stack(tasks, composition, options):
    """Train several tasks by gradient, at once: both sides, and perhaps tensors of the source."""
    generators, sides = [], []
    for task in tasks:
        generator = torch.Generator().manual_seed(task.seed)
        theta = input_side(task, composition, generator)
        tuned = source_side(task, theta, composition, options.finetune)
        probe = composition.model([(theta, {}, tuned)])
        sides.append((theta, _first_head(task, probe, composition, generator, options), tuned))
        generators.append(generator)
    return train_stack(tasks, composition.model(sides), generators, options)


def _first_head(task, probe, composition, generator, options):
    """The mapping's tensors before training: solved ones, where nothing before the source moves."""
    solves = hasattr(composition.mapping, "solve") and not composition.transformation.trainable
    if not solves or (task.start is not None and task.start.source):
        return _output_side(task, probe, composition, generator, options)
    task = task._replace(start=None)
    drawn = _output_side(task, probe, composition, generator, options)
    solved = solve_closed_form(task, probe, composition, generator, options)
    return begun_solved(drawn, solved.tensors()[1])


def _fit_behind(task, composition, options):
    """Fit the mapping only: the source runs once over the data."""
    generator = torch.Generator().manual_seed(task.seed)
    theta = input_side(task, composition, generator)
    probe = composition.model([(theta, {})])
    if hasattr(composition.mapping, "solve"):
        return solve_closed_form(task, probe, composition, generator, options)
    behind = task._replace(
        train=_through(task.train, probe, composition, options.verbose),
        valid=task.valid and _through(task.valid, probe, composition, options.verbose),
        unlabelled=_through(task.unlabelled, probe, composition, options.verbose),
    )
    cached = composition.model([(theta, {})], cached=True)
    omega = _output_side(behind, cached, composition, generator)
    if not composition.mapping.trainable:
        if behind.unlabelled is not None and composition.mapping.uses_counts:
            omega = _recounted(behind, cached, composition, generator, options.unlabelled)
        return program_of((theta, omega))
    model = composition.model([(theta, omega)], cached=True)
    return train_stack([behind], model, [generator], options)[0]


def _recounted(behind, cached, composition, generator, strategy):
    """Estimate a label mapping in rounds that label further rows."""

    def estimate(rows):
        return _output_side(behind._replace(train=rows), cached, composition, generator)

    score = composition.mapping.apply
    return solve_in_rounds(estimate, score, behind.train, behind.unlabelled, strategy)


def _output_side(task, probe, composition, generator, options=None):
    """The mapping's tensors before training."""
    mapping = composition.mapping
    if isinstance(mapping, LabelMapping) and mapping.uses_counts:
        counts = _counts(task.train, task.n_classes, probe, composition)
        if task.start is not None:
            counts = counts + task.start.tensors()[1]["counts"]
        return {"matrix": mapping.estimate(counts, generator), "counts": counts}
    if task.start is not None:
        return task.start.tensors()[1]
    return _fresh_output_side(task, probe, composition, generator, options)


def _fresh_output_side(task, probe, composition, generator, options):
    """The mapping's first tensors, from what the source gives for some rows."""
    mapping, rows = composition.mapping, merge_copies(task.train)
    if isinstance(mapping, LabelMapping):
        # of the outputs only their number matters
        rows = rows.split(1)[0]
    picked = torch.randperm(len(rows), generator=generator)[:N_PROBED].sort().values
    given = given_of(rows, picked, probe, composition)
    omega = mapping.init(given, task.n_classes, generator)
    settles = mapping.trainable and mapping.reads == "outputs"
    if options is None or not options.asks_queries or not settles:
        return omega
    # the answers are bought: a mapping that fits them shows the program where to go
    return settle(
        mapping, omega, given, Rows(given, rows.y[picked], rows.weight[picked]), options.loss
    )


def _counts(rows, n_classes, probe, composition):
    """Label counts of one program over all its rows; shape (n_outputs, n_classes)."""
    total = 0
    with torch.no_grad():
        for part in rows.to(composition.device).split(composition.rows_at_once):
            given = probe.given(part.X[None])
            votes = probe.mapping.votes(given, n_classes)
            total += count_labels(given, part.y[None], part.weight[None], n_classes, votes)
    return total[0].cpu()


def _through(rows, probe, composition, verbose):
    """The rows with what the source gives in the place of the data."""
    if rows is None:
        return None
    parts = list(passes(rows.X, probe.given, composition, verbose))
    return replace(rows, X=torch.cat(parts, 1)[0])


def _steps(task, batch_size):
    """What two tasks must share to be trained in one stack."""
    valid = None if task.valid is None else n_batches(task.valid, batch_size)
    return n_batches(task.train, batch_size), valid, task.train.X.shape[1:], task.n_classes
