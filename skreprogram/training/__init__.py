"""Training: K programs around one frozen source, by gradient or in closed form."""

from skreprogram.training._device import load_network
from skreprogram.training._fit import Composition, class_scores, fit_programs, source_inputs
from skreprogram.training._task import Program, Rows, Task, TrainingOptions, rows_of

__all__ = [
    "Composition",
    "Program",
    "Rows",
    "Task",
    "TrainingOptions",
    "class_scores",
    "fit_programs",
    "load_network",
    "rows_of",
    "source_inputs",
]
