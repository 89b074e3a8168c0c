"""skorch's training loop around one program whose mapping is solved in every step."""

import torch
from torch.utils._pytree import tree_map

from skreprogram.training._callbacks import BestPrograms
from skreprogram.training._net import ProgramNet
from skreprogram.training._predict import passes
from skreprogram.training._solution_batches import halve


class SolutionNet(ProgramNet):
    """Train one program by what a solved half of a batch says of the other half.

    ``task_`` and ``composition_`` are set before `fit`: the training rows, and what computes them.
    """

    def on_epoch_begin(self, net, **kwargs):
        """Take the scales of the features from all training rows, as they are now."""
        super().on_epoch_begin(net, **kwargs)
        self._refresh()
        # the program moves from here on
        self.solved_, self.row_losses_ = None, []

    def begin(self):
        """Choose what is fixed, from the start.

        Returns
        -------
        losses : torch.Tensor of shape (n_valid,) or None
            Of the held-out rows, where there are any.
        """
        model, task = self.module_, self.task_
        self.fixed_, self.features_ = None, None
        self._refresh()
        rows = task.train
        params = {name: tensor.cpu() for name, tensor in _first(model.output_params()).items()}
        with torch.no_grad():
            fixed = model.mapping.fix(params, self.features_, rows.y, rows.weight, task.n_classes)
        device = next(model.parameters()).device
        tensors = (fixed.mean, fixed.spread, fixed.shares)
        mean, spread, shares = (tensor.to(device) for tensor in tensors)
        self.fixed_ = fixed._replace(mean=mean, spread=spread, shares=shares)
        if self.valid_rows is None:
            return None
        self.solved_, parts = None, []
        for batch in self.valid_rows:
            X, y, _ = self.valid_rows.gather(batch)
            parts.append(self._held_out(X, y))
        return torch.cat(parts)

    def train_step_single(self, batch, **fit_params):
        """One step of the program, through the solution of half of the batch."""
        model = self.module_
        X, y, weight = self._training_batch(batch)
        if X.shape[1] < 2:
            return {"loss": weight.new_zeros(()), "y_pred": None}
        asked = halve(y[0], self.generators[0]).to(X.device)
        pooled = pooled_features(model, X, self._disturbed())
        halves = [(pooled[part], y[0, part], weight[0, part]) for part in (~asked, asked)]
        params = _first(model.output_params())
        scores = model.mapping.answer(params, self.fixed_, *halves, self.task_.n_classes)
        loss = self._losses(scores[None].to(X.dtype), *(t[None] for t in halves[1][1:]))
        self._record(loss, halves[1][2][None], training=True)
        total = (loss + self._penalties(loss)).sum()
        self._backward(total, torch.tensor(self.awake_, device=X.device))
        self.features_ = None
        return {"loss": total, "y_pred": None}

    def validation_step(self, batch, **fit_params):
        """Losses of held-out rows under the solution of the training rows."""
        X, y, weight = self.valid_rows.gather(batch)
        losses = self._held_out(X, y)
        self.row_losses_.append(losses)
        mean = ((losses * weight[0]).sum() / weight.sum())[None]
        self._record(mean, weight, training=False)
        return {"loss": mean.sum(), "y_pred": None}

    def _held_out(self, X, y):
        """Loss of each of some held-out rows."""
        model, rows = self.module_, self.task_.train
        params = {n: t.detach().cpu() for n, t in _first(model.output_params()).items()}
        with torch.no_grad():
            if self.solved_ is None:
                self._refresh()
                known = (rows.y.cpu(), rows.weight.cpu(), self.task_.n_classes)
                loss = {} if self.loss.closed_form else {"loss": self.loss.rows}
                solved = model.mapping.solve(params, self.features_, *known, **loss)
                self.solved_ = {name: tensor.to(X.device) for name, tensor in solved.items()}
            scores = model.mapping.score(self.solved_, pooled_features(model, X))
            return self.loss.rows(scores[None], y)[0]

    def _refresh(self):
        """Features of all training rows under the program as it is."""
        if self.features_ is not None:
            return
        model, X = self.module_, self.task_.train.X
        if model.network is None:
            self.features_ = X
            return
        parts = passes(X, lambda batch: pooled_features(model, batch), self.composition_)
        self.features_ = torch.cat(list(parts))
        if self.fixed_ is not None:
            mean, spread = self.features_.mean(0), self.features_.std(0, correction=0)
            self.fixed_ = self.fixed_._replace(
                mean=mean.to(self.fixed_.mean), spread=spread.to(self.fixed_.spread)
            )


class BestBySolution(BestPrograms):
    """Keep the best epoch, or the start where no epoch is better by so many standard errors."""

    def __init__(self, patience, margin):
        super().__init__(patience)
        self.margin = margin

    def on_train_begin(self, net, **kwargs):
        """Measure the start."""
        super().on_train_begin(net, **kwargs)
        self.before_ = net.begin()
        self.passed_, self.start_ = False, net.module_.rows(0)
        if self.before_ is not None:
            weight = net.valid_rows.tasks[0].weight
            self.lowest_ = [((self.before_ * weight).sum() / weight.sum()).item()]

    def on_epoch_end(self, net, **kwargs):
        """Compare with the start, row by row."""
        best = self.lowest_[0]
        super().on_epoch_end(net, **kwargs)
        if self.before_ is None:
            return
        gain, error = paired_gain(
            self.before_, torch.cat(net.row_losses_), net.valid_rows.tasks[0].weight
        )
        self.histories_[0][-1].update(gain=gain, gain_error=error)
        if self.lowest_[0] < best:
            self.passed_ = gain > self.margin * error

    def programs(self, net):
        """Tensors that are kept."""
        if self.before_ is None:
            return super().programs(net)
        return [self.best_[0] if self.passed_ else self.start_]


def paired_gain(before, after, weight):
    """Weighted mean by which losses fall, and its standard error.

    Parameters
    ----------
    before, after : torch.Tensor of shape (n_rows,)
        Losses of the same rows.
    weight : torch.Tensor of shape (n_rows,)
        Positive weights.

    Returns
    -------
    gain, error : float
    """
    share, fall = weight / weight.sum(), before - after
    gain = (share * fall).sum()
    # of n equal weights this is the variance with n - 1, over n
    variance = (share.square() * (fall - gain).square()).sum() / (1 - share.square().sum())
    return gain.item(), variance.clamp_min(0).sqrt().item()


def pooled_features(model, X, input_params=None):
    """Pooled features of one program's batch.

    Parameters
    ----------
    model : Reprogrammed
        One program; without a source, X already has pooled features.
    X : torch.Tensor of shape (1, n_rows, *data_shape)
        Batch.
    input_params : dict or None, default=None
        As in `Reprogrammed.given`.

    Returns
    -------
    pooled : torch.Tensor of shape (n_rows, n_features)
    """
    if model.network is None:
        return X[0]
    given = tree_map(lambda stage: stage[0], model.given(X, input_params))
    return model.mapping.pool(_first(model.output_params()), given)


def _first(params):
    return {name: tensor[0] for name, tensor in params.items()}
