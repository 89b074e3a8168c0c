"""Training: K programs around one frozen source, by gradient or in closed form."""

from skreprogram.training._composition import Composition
from skreprogram.training._device import load_network
from skreprogram.training._fit import fit_programs
from skreprogram.training._predict import class_scores, source_inputs
from skreprogram.training._query_fit import QueryReport, fit_by_queries, planned_queries
from skreprogram.training._task import Program, Rows, Task, TrainingOptions, rows_of

__all__ = [
    "Composition",
    "Program",
    "QueryReport",
    "Rows",
    "Task",
    "TrainingOptions",
    "class_scores",
    "fit_by_queries",
    "fit_programs",
    "load_network",
    "planned_queries",
    "rows_of",
    "source_inputs",
]
