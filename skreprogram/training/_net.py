"""skorch's training loop around K stacked programs."""

import torch
from skorch import NeuralNet
from skorch.callbacks import LRScheduler
from torch import nn

from skreprogram.mappings import LabelMapping
from skreprogram.training._batches import StackedBatches
from skreprogram.training._callbacks import BestPrograms, ProgressBar, RefitMapping

OPTIMIZERS = {
    name.lower(): getattr(torch.optim, name)
    for name in ("Adam", "AdamW", "NAdam", "RAdam", "RMSprop", "SGD")
}
SCHEDULERS = {
    "cosine": ("CosineAnnealingLR", lambda epochs: {"T_max": epochs}),
    "plateau": ("ReduceLROnPlateau", lambda epochs: {"patience": 3, "factor": 0.5}),
    "linear": ("LinearLR", lambda epochs: {"end_factor": 0.01, "total_iters": epochs}),
}


class ProgramNet(NeuralNet):
    """Train a :class:`Reprogrammed` model; skorch brings loop, callbacks and optimiser.

    The loss of a program is the weighted mean of its rows' cross-entropies plus the penalties of
    its transformation and mapping. The losses of K programs are summed: no parameter is shared,
    so every program gets the gradient it would get alone.

    Parameters
    ----------
    module : Reprogrammed
        The model.
    generators : list of torch.Generator
        One a program, for dropout.
    **kwargs
        Parameters of ``skorch.NeuralNet``.
    """

    def __init__(self, module, *, generators, **kwargs):
        self.generators = generators
        super().__init__(module, **kwargs)

    def get_iterator(self, dataset, training=False):
        """Our batches iterate themselves."""
        return dataset

    def on_epoch_begin(self, net, **kwargs):
        """Forget the sums of the last epoch."""
        super().on_epoch_begin(net, **kwargs)
        self.sums_ = {True: 0.0, False: 0.0}
        self.masses_ = {True: 0.0, False: 0.0}
        self.counts_ = None

    def train_step_single(self, batch, **fit_params):
        """One forward and backward pass for all programs."""
        model = self.module_
        X, y, weight = self._batch(batch, training=True)
        given = model.given(X, self._disturbed())
        losses = cross_entropies(model.scores(given), y, weight)
        self._record(losses, weight, training=True)
        self._count(given, y, weight)
        total = losses.sum() + self._penalties()
        if not torch.isfinite(total):
            raise ValueError(
                f"Got a training loss of {total.item()} in epoch {len(self.history)}, expected a "
                f"finite number. Use a smaller learning rate (it is lr={self.lr}), or bring X to "
                "a smaller scale."
            )
        total.backward()
        return {"loss": total, "y_pred": None}

    def validation_step(self, batch, **fit_params):
        """Losses of all programs on their validation rows."""
        X, y, weight = self._batch(batch, training=False)
        with torch.no_grad():
            losses = cross_entropies(self.module_(X), y, weight)
        self._record(losses, weight, training=False)
        return {"loss": losses.sum(), "y_pred": None}

    def mean_losses(self, training):
        """Mean loss of each program over the epoch; shape (K,)."""
        return self.sums_[training] / self.masses_[training]

    def exact_counts(self):
        """Label counts of the programs as they are now, by a further pass over the data."""
        self.counts_ = None
        with torch.no_grad():
            for batch in StackedBatches(self.train_rows.tasks, self.batch_size):
                X, y, weight = self.train_rows.gather(batch)
                self._count(self.module_.given(X), y, weight)
        return self.counts_

    def _batch(self, batch, training):
        dataset = self.train_rows if training else self.valid_rows
        return dataset.gather(batch)

    def _record(self, losses, weight, training):
        mass = weight.sum(1)
        self.sums_[training] = self.sums_[training] + losses.detach() * mass
        self.masses_[training] = self.masses_[training] + mass

    def _count(self, given, y, weight):
        if isinstance(self.module_.mapping, LabelMapping):
            counts = count_labels(
                given.detach(), y, weight, self.module_.output_constants["matrix"].shape[-1]
            )
            self.counts_ = counts if self.counts_ is None else self.counts_ + counts

    def _disturbed(self):
        """Every program's tensors with its own dropout."""
        params = self.module_.input_params()
        disturb = self.module_.transformation.disturb
        sides = [
            disturb({name: tensor[k] for name, tensor in params.items()}, generator)
            for k, generator in enumerate(self.generators)
        ]
        return {name: torch.stack([side[name] for side in sides]) for name in params}

    def _penalties(self):
        model, total = self.module_, 0.0
        for strategy, params in (
            (model.transformation, model.input_params()),
            (model.mapping, model.output_params()),
        ):
            for k in range(model.n_programs):
                total = total + strategy.penalty({n: tensor[k] for n, tensor in params.items()})
        return total


def cross_entropies(scores, y, weight):
    """Weighted mean cross-entropy of each program.

    Parameters
    ----------
    scores : torch.Tensor of shape (K, n, n_classes)
        Unnormalised log-probabilities.
    y : torch.Tensor of int of shape (K, n)
        Class codes.
    weight : torch.Tensor of shape (K, n)
        Weights; rows of weight 0 do not count.

    Returns
    -------
    losses : torch.Tensor of shape (K,)
    """
    rows = nn.functional.cross_entropy(scores.transpose(1, 2), y, reduction="none")
    return (rows * weight).sum(1) / weight.sum(1).clamp_min(1e-12)


def count_labels(logits, y, weight, n_classes):
    """Add up which source label each class gets.

    Parameters
    ----------
    logits : torch.Tensor of shape (K, n, n_outputs)
        What the source gives.
    y : torch.Tensor of int of shape (K, n)
        Class codes.
    weight : torch.Tensor of shape (K, n)
        Sample weights.
    n_classes : int
        Number of target classes.

    Returns
    -------
    counts : torch.Tensor of shape (K, n_outputs, n_classes)
    """
    n_programs, _, n_outputs = logits.shape
    programs = torch.arange(n_programs, device=logits.device).unsqueeze(1)
    cells = (programs * n_outputs + logits.argmax(-1)) * n_classes + y
    sums = torch.bincount(
        cells.flatten(), weight.flatten(), minlength=n_programs * n_outputs * n_classes
    )
    return sums.reshape(n_programs, n_outputs, n_classes).to(logits.dtype)


def make_net(model, train, valid, generators, options, device):
    """Put the net together from the options of the estimators."""
    callbacks = [("best", BestPrograms(options.patience)), ("refit", RefitMapping())]
    if options.verbose:
        callbacks.append(("bar", ProgressBar()))
    if options.lr_scheduler is not None:
        callbacks.append(("lr_scheduler", _scheduler(options)))
    callbacks += [(f"user_{i}", callback) for i, callback in enumerate(options.callbacks)]
    net = ProgramNet(
        model,
        generators=generators,
        criterion=nn.CrossEntropyLoss,
        optimizer=_optimizer(options.optimizer),
        lr=options.lr,
        optimizer__weight_decay=options.weight_decay,
        max_epochs=options.max_epochs,
        batch_size=options.batch_size,
        train_split=None if valid is None else _beside(valid),
        callbacks=callbacks,
        callbacks__print_log=None,
        device=device,
        verbose=0,
    )
    net.train_rows, net.valid_rows = train, valid
    return net


def _beside(valid):
    def split(train, y=None, **kwargs):
        return train, valid

    return split


def _optimizer(choice):
    if isinstance(choice, str) and choice.lower() in OPTIMIZERS:
        return OPTIMIZERS[choice.lower()]
    if isinstance(choice, type) and issubclass(choice, torch.optim.Optimizer):
        return choice
    raise ValueError(
        f"Got optimizer={choice!r}, expected one of {sorted(OPTIMIZERS)} or a class of torch.optim."
    )


def _scheduler(options):
    choice = options.lr_scheduler
    if isinstance(choice, str) and choice in SCHEDULERS:
        policy, arguments = SCHEDULERS[choice]
        monitor = "valid_loss" if options.patience is not None else "train_loss"
        return LRScheduler(policy, monitor=monitor, **arguments(options.max_epochs))
    if callable(choice):
        return LRScheduler("LambdaLR", lr_lambda=choice)
    raise ValueError(
        f"Got lr_scheduler={choice!r}, expected None, one of {sorted(SCHEDULERS)} or a function "
        "from the epoch to a factor."
    )
