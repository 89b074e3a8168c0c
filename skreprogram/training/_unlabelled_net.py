"""The training loop where unlabelled rows add to the loss."""

from itertools import chain, repeat

import torch

from skreprogram.training._batches import StackedBatches
from skreprogram.training._net import ProgramNet


class UnlabelledNet(ProgramNet):
    """Train one program on labelled and unlabelled rows.

    An epoch goes once over the labelled rows; every step takes the next batch of the unlabelled
    ones along. Their part of the loss is added as a penalty is, so that the losses in the history
    remain those of labelled rows.

    Parameters
    ----------
    module : Reprogrammed
        The model, of one program.
    unlabelled : Unlabelled
        What the rows teach.
    further : Rows
        Unlabelled rows; their codes have no meaning.
    **kwargs
        Parameters of :class:`ProgramNet`.
    """

    def __init__(self, module, *, unlabelled, further, **kwargs):
        self.unlabelled = unlabelled
        self.further = further
        super().__init__(module, **kwargs)

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Begin to draw unlabelled rows."""
        super().on_train_begin(net, X, y, **kwargs)
        # apart from the labelled rows, which are shuffled as without unlabelled ones
        self.draws_ = torch.Generator().manual_seed(self.generators[0].initial_seed() + 1)
        self.batches_ = StackedBatches([self.further], self.unlabelled.batch_size, [self.draws_])
        self.endless_ = chain.from_iterable(repeat(self.batches_))

    def _penalties(self, losses):
        return super()._penalties(losses) + self._unlabelled_loss()

    def _unlabelled_loss(self):
        """What the next unlabelled rows add to the loss; shape (1,)."""
        strategy, model = self.unlabelled, self.module_
        factor = strategy.weight_at(len(self.history), self.max_epochs)
        X, _, weight = self.batches_.gather(next(self.endless_))
        params = self._disturbed()
        if strategy.compares:
            with torch.no_grad():
                scores = model.scores(model.given(X))
            changed = model.scores(model.given(self._changed(X), params))
            rows = strategy.rows(scores, changed)
        else:
            rows = strategy.rows(model.scores(model.given(X, params)))
        return factor * (rows * weight).sum(1) / weight.sum(1).clamp_min(1e-12)

    def _changed(self, X):
        """Augmented copies, by the function of the strategy or else of the labelled rows."""
        return self._augmented(X, self.unlabelled.augmentation or self.augmentation, [self.draws_])
