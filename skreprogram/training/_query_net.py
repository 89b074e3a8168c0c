"""The training loop where the program's gradient is estimated from queries."""

import torch

from skreprogram.mappings import LabelMapping
from skreprogram.sources import QueryError
from skreprogram.training._callbacks import BestPrograms
from skreprogram.training._drawing import DrawingObjective
from skreprogram.training._net import ProgramNet
from skreprogram.training._objective import flat, lay_out

# epochs are worse than knowing nothing by this much, so many in a row: the training diverges
DIVERGED = 1.5
EPOCHS_DIVERGED = 3


class StopTraining(Exception):
    """End the training here, in good order."""


class QueryNet(ProgramNet):
    """Train one program by losses alone, around a :class:`MeteredNetwork`.

    The input side follows the gradient strategy. A trained output side needs no queries of its
    own: its gradient is exact, from what the source gave for the candidates. The meter's
    `stopped_by` says why a training ended before its time.

    Parameters
    ----------
    module : Reprogrammed
        The model, of one program.
    gradient : Gradient
        How the gradient is had.
    **kwargs
        Parameters of :class:`ProgramNet`.
    """

    def __init__(self, module, *, gradient, **kwargs):
        self.gradient = gradient
        super().__init__(module, **kwargs)

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Begin the estimate at the program of the start."""
        super().on_train_begin(net, X, y, **kwargs)
        # apart from the shuffling, so that a weighted row and a repeated one meet the same draws
        self.draws_ = torch.Generator().manual_seed(self.generators[0].initial_seed() + 1)
        self.state_ = self.gradient.begin(flat(self.module_.theta), self.draws_)
        self.n_steps_, self.acceptable_, self.n_bad_epochs_ = 0, None, 0

    def fit_loop(self, *args, **kwargs):
        """Train until the end, the limit of queries, or a source that fails for good."""
        try:
            return super().fit_loop(*args, **kwargs)
        except QueryError as error:
            if not self.n_steps_:
                raise
            self.module_.network.meter.stopped_by = error
        except StopTraining as stop:
            self.module_.network.meter.stopped_by = str(stop)
        except KeyboardInterrupt:
            # programs that rest end the training in the same way
            if any(self.awake_):
                self.module_.network.meter.stopped_by = "an interrupt"
        return self

    def train_step_single(self, batch, **fit_params):
        """One step of the gradient strategy."""
        model = self.module_
        X, y, weight = self._training_batch(batch)
        seed = int(torch.randint(2**31 - 1, (), generator=self.draws_))
        rows = X[0], y[0], weight[0]
        objective = DrawingObjective(model, self.loss, rows, model.network.levels, seed)
        program = flat(model.theta)
        self._check_room(len(program), objective.n_rows)
        step = self.gradient.step(program, objective, self.state_, self.draws_)
        if not torch.isfinite(step.loss):
            raise StopTraining("a loss that is not finite")
        if self.acceptable_ is None:
            self.acceptable_ = max(step.loss.item(), objective.loss_of_knowing_nothing())
        self._move(step)
        self._record(step.loss.reshape(1), weight, training=True)
        if isinstance(model.mapping, LabelMapping):
            self._count(*objective.given())
        if len(model.omega):
            (objective.mean_loss() + self._output_penalty()).backward()
        self.n_steps_ += 1
        return {"loss": step.loss, "y_pred": None}

    def on_epoch_end(self, net, **kwargs):
        """Stop where the loss only grows."""
        super().on_epoch_end(net, **kwargs)
        bad = self.mean_losses(training=True).item() > DIVERGED * self.acceptable_
        self.n_bad_epochs_ = self.n_bad_epochs_ + 1 if bad else 0
        if self.n_bad_epochs_ == EPOCHS_DIVERGED:
            raise StopTraining("a loss that grows; use a smaller learning rate")

    def _check_room(self, n_numbers, n_rows):
        needed = self.gradient.candidates_per_step(n_numbers) * n_rows
        if not self.module_.network.meter.has_room(needed):
            raise StopTraining("max_queries")

    def _move(self, step):
        """Hand the gradient to the optimiser, or go where the strategy says."""
        theta = self.module_.theta
        if step.program is None:
            for name, tensor in lay_out(step.gradient, theta).items():
                theta[name].grad = tensor
            return
        with torch.no_grad():
            for name, tensor in lay_out(step.program, theta).items():
                theta[name].copy_(tensor)

    def _output_penalty(self):
        params = {name: tensor[0] for name, tensor in self.module_.output_params().items()}
        return self.module_.mapping.penalty(params)


class BestByTraining(BestPrograms):
    """Keep the program of the epoch with the lowest training loss, where nothing validates.

    Estimated gradients also lead astray, and a training may end in the middle of an epoch.
    """

    def on_epoch_end(self, net, **kwargs):
        """Note the losses of the epoch; compare its training loss."""
        awake = net.awake_[0]
        super().on_epoch_end(net, **kwargs)
        if awake and self.patience is None:
            self._compare(net, 0, self.histories_[0][-1]["train_loss"])
            self.waited_ = [0]

    def on_train_end(self, net, **kwargs):
        """Note an epoch that was not ended."""
        if torch.is_tensor(net.masses_[True]) and len(self.histories_[0]) < len(net.history):
            train = net.mean_losses(training=True).tolist()[0]
            self.histories_[0].append({"epoch": len(net.history), "train_loss": train})
            if self.patience is None:
                self._compare(net, 0, train)
