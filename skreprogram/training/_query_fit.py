"""Fit a program by queries: planned, counted, and ended in good order."""

import warnings
from dataclasses import replace
from typing import NamedTuple

import torch

from skreprogram.mappings import LabelMapping
from skreprogram.training._fit import N_PROBED, fit_programs, merge_copies
from skreprogram.training._meter import MeteredNetwork, QueryMeter, announce
from skreprogram.training._task import Program


class QueryReport(NamedTuple):
    """What a fit by queries gives.

    Parameters
    ----------
    program : Program
        The best program.
    n_queries : int
        Rows that the source was asked; answers that lay on disk are not among them.
    stopped_by : str or None
        Why the training ended before its time.
    """

    program: Program
    n_queries: int
    stopped_by: str | None


def fit_by_queries(task, composition, options, source, max_queries=None):
    """Fit a program to a task, counting what it asks.

    Parameters
    ----------
    task : Task
        What to fit.
    composition : Composition
        The loaded source with transformation and mapping.
    options : TrainingOptions
        How to train.
    source : SourceModel or BlackBoxSource
        The handle: its cost per query, levels and name.
    max_queries : int or None, default=None
        Queries that the fit may use.

    Returns
    -------
    report : QueryReport

    Raises
    ------
    ValueError
        Where the limit does not even allow the first step.
    QueryError
        Where the source fails before the first step.
    """
    planned, least = planned_queries(task, composition, options)
    if max_queries is not None and max_queries < least:
        raise ValueError(
            f"Got max_queries={max_queries}, but {least} queries are needed before this fit knows "
            "anything. Raise max_queries, or give fewer samples, smaller batches, or a gradient "
            "of fewer directions."
        )
    planned = planned if max_queries is None else min(planned, max_queries)
    if options.verbose or source.cost_per_query:
        announce(planned, source)
    meter = QueryMeter(planned, source.cost_per_query, max_queries, options.verbose)
    network = MeteredNetwork(composition.network, meter, source.levels)
    try:
        metered = replace(composition, network=network)
        program = fit_programs([task], metered, replace(options, verbose=0))[0]
    finally:
        meter.close()
    _warn_of(meter, source.name)
    reason = None if meter.stopped_by is None else str(meter.stopped_by)
    return QueryReport(program, meter.asked, reason)


def planned_queries(task, composition, options):
    """Count the queries of a fit before it asks any.

    Parameters
    ----------
    task : Task
        What to fit.
    composition : Composition
        The source with transformation and mapping.
    options : TrainingOptions
        How to train.

    Returns
    -------
    planned : int
        Queries of the whole fit, if nothing ends it early.
    least : int
        Queries until the first step has been made.
    """
    n_rows = len(task.train)
    n_valid = 0 if options.patience is None else len(task.valid)
    n_unlabelled = 0 if task.unlabelled is None else len(task.unlabelled)
    transformation, mapping = composition.transformation, composition.mapping
    if not transformation.trainable:
        solved = hasattr(mapping, "solve")
        once = len(merge_copies(task.train)) if solved else n_rows + n_valid
        return once + n_unlabelled, once + n_unlabelled
    before = _queries_before(task, mapping)
    if not options.asks_queries:
        per_row = 1
    else:
        generator = torch.Generator().manual_seed(task.seed)
        theta = transformation.init(task.train.X, composition.space, generator)
        n_numbers = sum(theta[name].numel() for name in transformation.trainable)
        per_row = options.gradient.candidates_per_step(n_numbers)
    epochs = options.max_epochs * (n_rows * per_row + n_valid)
    first_step = per_row * min(n_rows, options.batch_size)
    return before + epochs + _queries_of_refits(n_rows, mapping, options), before + first_step


def _queries_before(task, mapping):
    """Queries that the output side needs before the first step."""
    if isinstance(mapping, LabelMapping):
        if mapping.uses_counts:
            return len(task.train)
        return 0 if task.start is not None else 1
    return 0 if task.start is not None else min(N_PROBED, len(merge_copies(task.train)))


def _queries_of_refits(n_rows, mapping, options):
    exact = isinstance(mapping, LabelMapping) and mapping.refresh == "exact"
    if not exact or not mapping.refit_every:
        return 0
    return n_rows * ((options.max_epochs - 1) // mapping.refit_every)


def _warn_of(meter, name):
    """Say why a training ended early; the limit that a user set needs no words."""
    if meter.stopped_by is None or meter.stopped_by == "max_queries":
        return
    warnings.warn(
        f"The training ended early, after {meter.used:,} queries of {name!r}. Reason: "
        f"{meter.stopped_by}. The best program until then is kept: set warm_start=True and fit "
        "again to go on from it or, where the source caches its answers, repeat the same fit to "
        "go on as if nothing had happened.",
        stacklevel=6,
    )
