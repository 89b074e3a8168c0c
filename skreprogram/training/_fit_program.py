"""Fit one program in the way that its source and its gradient allow."""

from typing import NamedTuple

from skreprogram.gradients import Surrogate
from skreprogram.sources import SeveralSources, as_source
from skreprogram.training._fit import fit_programs
from skreprogram.training._query_fit import fit_by_queries
from skreprogram.training._surrogate import fit_surrogate
from skreprogram.training._task import Program


class Fitted(NamedTuple):
    """What fitting one program gives.

    Parameters
    ----------
    program : Program
        The program.
    source : SourceModel, BlackBoxSource or SeveralSources
        What it is a program of.
    n_queries : int, default=0
        Rows that were asked of a black box, or for an estimated gradient.
    stopped_by : str or None, default=None
        Why a training by queries ended before its time.
    primed : Primed or None, default=None
        The local copy of a black box, and how well it answers.
    """

    program: Program
    source: object
    n_queries: int = 0
    stopped_by: str | None = None
    primed: object = None


def fit_program(task, composition, options, source, load, max_queries=None):
    """Fit one program: by gradient, by queries, or to a local copy.

    Parameters
    ----------
    task : Task
        What to fit.
    composition : Composition
        The loaded source with transformation and mapping.
    options : TrainingOptions
        How to train.
    source : SourceModel, BlackBoxSource or SeveralSources
        The handle of the source.
    load : callable
        From a handle to a loaded network and its device.
    max_queries : int or None, default=None
        Queries that the fit may use.

    Returns
    -------
    fitted : Fitted

    Raises
    ------
    ValueError
        For several sources and a gradient that is not that of backpropagation.
    """
    if isinstance(source, SeveralSources) and not options.gradient.looks_inside:
        raise ValueError(
            f"Got gradient={options.gradient!r} with the sources {source.name!r}, expected "
            "'backprop': gradients are estimated from queries of one source alone. Use "
            "gradient='auto'."
        )
    if isinstance(options.gradient, Surrogate) and not source.differentiable:
        local = as_source(options.gradient.source, source.input_shape)
        made = fit_surrogate(task, composition, options, source, local, load, max_queries)
        return Fitted(made.program, made.source, made.n_queries, None, made.primed)
    if source.differentiable and not options.asks_queries:
        return Fitted(fit_programs([task], composition, options)[0], source)
    report = fit_by_queries(task, composition, options, source, max_queries)
    return Fitted(report.program, source, report.n_queries, report.stopped_by)
