"""What happens between epochs: keep the best programs, refit the mapping, show progress."""

import torch
from skorch.callbacks import Callback
from tqdm.auto import tqdm

from skreprogram.mappings import LabelMapping


class BestPrograms(Callback):
    """Record the losses of every program; keep each at its own best epoch.

    A program that rests takes no further part in the loss, so that what becomes of it cannot
    disturb the others.

    Parameters
    ----------
    patience : int or None
        Epochs without a better validation loss after which a program rests; None keeps the last
        epoch.
    """

    def __init__(self, patience):
        self.patience = patience

    def on_train_begin(self, net, **kwargs):
        """Start with the programs as they are."""
        model = net.module_
        self.histories_ = [[] for _ in range(model.n_programs)]
        self.best_ = [None] * model.n_programs
        self.lowest_ = [float("inf")] * model.n_programs
        self.waited_ = [0] * model.n_programs
        net.awake_ = [True] * model.n_programs

    def on_epoch_end(self, net, **kwargs):
        """Note the losses; let programs rest that have waited long enough."""
        train = net.mean_losses(training=True).tolist()
        valid = None if self.patience is None else net.mean_losses(training=False).tolist()
        for k, history in enumerate(self.histories_):
            if not net.awake_[k]:
                continue
            row = {"epoch": len(history) + 1, "train_loss": train[k]}
            if valid is not None:
                row["valid_loss"] = valid[k]
                self._compare(net, k, valid[k])
            history.append(row)
        net.awake_ = [self.patience is None or n < self.patience for n in self.waited_]

    def programs(self, net):
        """Tensors of every program at its best epoch: pairs of input and output side."""
        return [best or net.module_.rows(k) for k, best in enumerate(self.best_)]

    def _compare(self, net, k, loss):
        if loss < self.lowest_[k]:
            self.lowest_[k], self.waited_[k] = loss, 0
            self.best_[k] = net.module_.rows(k)
        else:
            self.waited_[k] += 1


class StopWhenAllRest(Callback):
    """End training when no program is awake; comes last, so that all see the last epoch."""

    def on_epoch_end(self, net, **kwargs):
        """Stop in skorch's way, which is to end in good order."""
        if not any(net.awake_):
            raise KeyboardInterrupt


class RefitMapping(Callback):
    """Estimate a label mapping again from the counts of the epoch that ended."""

    def on_epoch_end(self, net, **kwargs):
        """Refit when it is due and another epoch follows."""
        mapping = net.module_.mapping
        epoch = len(net.history)
        if not isinstance(mapping, LabelMapping) or not mapping.refit_every:
            return
        if epoch % mapping.refit_every == 0 and epoch < net.max_epochs:
            counts = net.counts_
            if mapping.refresh == "exact":
                counts = net.exact_counts()
            matrices = [
                mapping.estimate(own.cpu(), generator)
                for own, generator in zip(counts, net.generators, strict=True)
            ]
            constants = net.module_.output_constants
            constants.update(matrix=torch.stack(matrices).to(counts.device), counts=counts)


class ProgressBar(Callback):
    """A bar over the epochs with the losses, on standard error."""

    def on_train_begin(self, net, **kwargs):
        """Open the bar."""
        self.bar_ = tqdm(total=net.max_epochs, desc="training the program", unit="epoch")

    def on_epoch_end(self, net, **kwargs):
        """Move on by an epoch."""
        losses = {"train_loss": f"{net.mean_losses(training=True).mean().item():.4f}"}
        if net.valid_rows is not None:
            losses["valid_loss"] = f"{net.mean_losses(training=False).mean().item():.4f}"
        self.bar_.set_postfix(losses)
        self.bar_.update()

    def on_train_end(self, net, **kwargs):
        """Close the bar."""
        self.bar_.close()
