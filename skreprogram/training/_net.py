"""skorch's training loop around K stacked programs."""

import torch
from skorch import NeuralNet
from torch import nn

from skreprogram.mappings import LabelMapping
from skreprogram.training._batches import StackedBatches
from skreprogram.training._callbacks import (
    ProgressBar,
    RefitMapping,
    StopWhenAllRest,
)
from skreprogram.training._optimizers import optimizer_settings, schedule
from skreprogram.training._renewal import RenewPrograms


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
        One a program, for dropout and augmentation.
    loss : Loss
        The loss of a sample.
    augmentation : callable or None, default=None
        Changes the data of a training batch.
    **kwargs
        Parameters of ``skorch.NeuralNet``.
    """

    def __init__(self, module, *, generators, loss, augmentation=None, **kwargs):
        self.generators = generators
        self.loss = loss
        self.augmentation = augmentation
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
        X, y, weight = self._training_batch(batch)
        given = model.given(X, self._disturbed())
        losses = self._losses(model.scores(given), y, weight)
        self._record(losses, weight, training=True)
        self._count(given, y, weight)
        awake = torch.tensor(self.awake_, device=losses.device)
        total = (losses + self._penalties(losses)).where(awake, 0.0).sum()
        self._backward(total, awake)
        return {"loss": total, "y_pred": None}

    def validation_step(self, batch, **fit_params):
        """Losses of all programs on their validation rows."""
        X, y, weight = self.valid_rows.gather(batch)
        with torch.no_grad():
            losses = self._losses(self.module_(X), y, weight)
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

    def _training_batch(self, batch):
        X, y, weight = self.train_rows.gather(batch)
        return self._augmented(X, self.augmentation, self.generators), y, weight

    def _augmented(self, X, augmentation, generators):
        """Every program's batch, changed with the generator of the program."""
        if augmentation is None:
            return X
        changed = [augmentation(x, g) for x, g in zip(X, generators, strict=True)]
        for own in changed:
            if not isinstance(own, torch.Tensor) or own.shape != X.shape[1:]:
                raise ValueError(
                    f"Got {_words(own)} from the augmentation, expected a tensor of shape "
                    f"{tuple(X.shape[1:])} as it was given. Return as many samples of that shape."
                )
        return torch.stack(changed).to(X.dtype)

    def _backward(self, total, awake):
        """Gradients of the loss, which must be finite where programs still train."""
        if not torch.isfinite(total):
            raise self._diverged(f"a training loss of {total.item()}", "a finite number")
        total.backward()
        gradients = (tensor.grad for tensor in self.module_.parameters() if tensor.grad is not None)
        if not all(torch.isfinite(gradient[awake]).all() for gradient in gradients):
            raise self._diverged("NaN or infinite gradients", "finite ones")

    def _losses(self, scores, y, weight):
        """Weighted mean loss of each program; shape (K,)."""
        # rows of weight 0 fill up the shorter batches of a stack and do not count
        return (self.loss.rows(scores, y) * weight).sum(1) / weight.sum(1).clamp_min(1e-12)

    def _record(self, losses, weight, training):
        mass = weight.sum(1)
        self.sums_[training] = self.sums_[training] + losses.detach() * mass
        self.masses_[training] = self.masses_[training] + mass

    def _count(self, given, y, weight):
        mapping = self.module_.mapping
        if isinstance(mapping, LabelMapping):
            given, n_classes = given.detach(), self.module_.output_constants["matrix"].shape[-1]
            votes = mapping.votes(given, n_classes)
            counts = count_labels(given, y, weight, n_classes, votes)
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

    def _penalties(self, losses):
        """What transformation and mapping add to each program's loss; shape (K,)."""
        model = self.module_
        total = torch.zeros_like(losses)
        for strategy, params in (
            (model.transformation, model.input_params()),
            (model.mapping, model.output_params()),
        ):
            for k in range(model.n_programs):
                penalty = strategy.penalty({n: tensor[k] for n, tensor in params.items()})
                total[k] = total[k] + penalty
        return total

    def _diverged(self, got, expected):
        return ValueError(
            f"Got {got} in epoch {len(self.history)}, expected {expected}. Use a smaller learning "
            f"rate (it is lr={self.lr}), or bring X to a smaller scale."
        )


def count_labels(logits, y, weight, n_classes, votes=None):
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
    votes : torch.Tensor of shape (K, n, n_outputs) or None, default=None
        What each row gives to each source label; None gives one to the highest output.

    Returns
    -------
    counts : torch.Tensor of shape (K, n_outputs, n_classes)
    """
    if votes is not None:
        classes = nn.functional.one_hot(y, n_classes).to(votes.dtype)
        return votes.transpose(1, 2) @ (classes * weight.unsqueeze(-1))
    n_programs, _, n_outputs = logits.shape
    programs = torch.arange(n_programs, device=logits.device).unsqueeze(1)
    cells = (programs * n_outputs + logits.argmax(-1)) * n_classes + y
    sums = torch.bincount(
        cells.flatten(), weight.flatten(), minlength=n_programs * n_outputs * n_classes
    )
    return sums.reshape(n_programs, n_outputs, n_classes).to(logits.dtype)


def net_settings(model, train, valid, options, device, best):
    """Arguments that every net of this package gets, from the options of the estimators.

    Parameters
    ----------
    model : Reprogrammed
        The programs.
    train, valid : StackedBatches or None
        Their data.
    options : TrainingOptions
        How to train.
    device : torch.device
        Where to.
    best : BestPrograms
        What keeps the programs.

    Returns
    -------
    settings : dict
    """
    callbacks = [("best", best), ("refit", RefitMapping()), ("renew", RenewPrograms())]
    if options.verbose:
        callbacks.append(("bar", ProgressBar()))
    if options.lr_scheduler is not None:
        callbacks.append(("lr_scheduler", schedule(options)))
    callbacks += [(f"user_{i}", callback) for i, callback in enumerate(options.callbacks)]
    callbacks.append(("stop", StopWhenAllRest()))
    return {
        "loss": options.loss,
        "augmentation": options.augmentation,
        "criterion": nn.CrossEntropyLoss,
        **optimizer_settings(options, model),
        "lr": options.lr,
        "max_epochs": options.max_epochs,
        "batch_size": options.batch_size,
        "train_split": None if valid is None else _beside(valid),
        "callbacks": callbacks,
        "callbacks__print_log": None,
        "device": device,
        "verbose": 0,
    }


def _beside(valid):
    def split(train, y=None, **kwargs):
        return train, valid

    return split


def _words(returned):
    """What a function returned, in words."""
    if isinstance(returned, torch.Tensor):
        return f"a tensor of shape {tuple(returned.shape)}"
    return f"an object of type {type(returned).__name__}"
