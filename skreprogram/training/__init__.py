"""Training: K programs around one frozen source, by gradient or in closed form."""

from skreprogram.training._adversarial import (
    AdversarialOptions,
    ConditionalGenerator,
    train_adversarially,
)
from skreprogram.training._composition import Composition
from skreprogram.training._device import load_network
from skreprogram.training._fit import fit_programs
from skreprogram.training._fit_program import fit_program
from skreprogram.training._holdout import hold_out
from skreprogram.training._predict import class_scores, source_inputs
from skreprogram.training._task import Program, Rows, Task, TrainingOptions, rows_of

__all__ = [
    "AdversarialOptions",
    "Composition",
    "ConditionalGenerator",
    "Program",
    "Rows",
    "Task",
    "TrainingOptions",
    "class_scores",
    "fit_program",
    "fit_programs",
    "hold_out",
    "load_network",
    "rows_of",
    "source_inputs",
    "train_adversarially",
]
