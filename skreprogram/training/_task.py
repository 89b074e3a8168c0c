"""What is trained on, what comes out, and how."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch

from skreprogram.gradients import Gradient
from skreprogram.losses import CrossEntropy, Loss, RegressionLoss


@dataclass(frozen=True)
class Rows:
    """Samples of a target task, as tensors: data, class codes or values, positive weights.

    Codes have the shape (n_samples,), values (n_samples, n_targets).
    """

    X: torch.Tensor
    y: torch.Tensor
    weight: torch.Tensor

    def __len__(self):
        return len(self.X)

    def to(self, device):
        """The same rows on a device."""
        return Rows(self.X.to(device), self.y.to(device), self.weight.to(device))

    def parted(self):
        """Rows with a label, and those with the code -1; None where there are none."""
        if self.y.is_floating_point() or (self.y >= 0).all():
            return self, None
        return tuple(
            Rows(self.X[part], self.y[part], self.weight[part])
            for part in (self.y >= 0, self.y < 0)
        )

    def split(self, n_rows):
        """Parts of at most so many rows."""
        columns = (tensor.split(n_rows) for tensor in (self.X, self.y, self.weight))
        return [Rows(*part) for part in zip(*columns, strict=True)]


def rows_of(X, y, weight):
    """Tensors over the memory of arrays: the door from numpy to torch."""
    return Rows(*(torch.from_numpy(np.ascontiguousarray(array)) for array in (X, y, weight)))


class Task(NamedTuple):
    """One program to fit.

    Parameters
    ----------
    train : Rows
        Training samples.
    n_classes : int
        Number of target classes, or of values of a sample.
    seed : int
        Seed of the program's own generator.
    valid : Rows or None
        Samples that decide when to stop.
    start : Program or None
        Where to continue.
    unlabelled : Rows or None
        Further training samples, whose codes have no meaning.
    """

    train: Rows
    n_classes: int
    seed: int
    valid: Rows | None = None
    start: "Program | None" = None
    unlabelled: Rows | None = None


@dataclass
class Program:
    """The learned tensors, as numpy arrays, and how they came about.

    Parameters
    ----------
    input : dict of str to ndarray
        Tensors of the input transformation.
    output : dict of str to ndarray
        Tensors of the output mapping.
    history : list of dict
        A row an epoch: ``epoch``, ``train_loss``, and ``valid_loss`` where there is validation.
    source : dict of str to ndarray
        Fine-tuned tensors that stand in the place of the source's own, by their names there.
    """

    input: dict
    output: dict
    history: list = field(default_factory=list)
    source: dict = field(default_factory=dict)

    def tensors(self):
        """Both sides as dictionaries of tensors.

        Returns
        -------
        sides : tuple of dict
            Input side and output side.
        """
        return _tensors(self.input), _tensors(self.output)

    def source_tensors(self):
        """The fine-tuned tensors of the source.

        Returns
        -------
        tensors : dict of str to torch.Tensor
        """
        return _tensors(self.source)


def _tensors(arrays):
    return {name: torch.tensor(array) for name, array in arrays.items()}


@dataclass(frozen=True)
class TrainingOptions:
    """How programs are trained; the words are those of the estimators."""

    max_epochs: int = 100
    lr: float = 0.01
    batch_size: int = 32
    optimizer: object = "adam"
    weight_decay: float = 0.0
    lr_scheduler: object = None
    patience: int | None = None
    validation_fraction: float = 0.2
    callbacks: tuple = ()
    loss: Loss | RegressionLoss = field(default_factory=CrossEntropy)
    output_lr: float | None = None
    finetune: object = None
    finetune_lr: float = 0.001
    augmentation: object = None
    unlabelled: object = None
    gradient: Gradient | None = None
    verbose: int = 0

    @property
    def asks_queries(self):
        """Whether the program's gradient is estimated from queries."""
        return self.gradient is not None and self.gradient.asks_queries
