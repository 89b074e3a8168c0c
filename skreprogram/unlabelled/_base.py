"""The contract of all that learns from unlabelled rows."""

from abc import abstractmethod
from numbers import Integral, Real

from skreprogram._strategy import Strategy

# lowest and highest value of each number that a strategy may have, and its kind
BOUNDS = {
    "weight": (0, float("inf"), Real),
    "warm_up": (0, 1, Real),
    "threshold": (0, 1, Real),
    "batch_size": (1, float("inf"), Integral),
    "max_rounds": (0, float("inf"), Integral),
}


class Unlabelled(Strategy, family="use of unlabelled rows"):
    """What rows without a label add to the training loss.

    The loss of a program is the mean over its labelled rows, plus `weight` times the mean over as
    many unlabelled rows as `batch_size` says. `weight` grows from nothing to its value over the
    share `warm_up` of the epochs: what a program believes at first is worth little.
    """

    # whether a closed form can use it, in rounds
    closed_form = False
    # whether it compares a row with a changed copy
    compares = False

    @abstractmethod
    def rows(self, scores, changed=None):
        """Loss of every unlabelled row.

        Parameters
        ----------
        scores : torch.Tensor of shape (..., n_classes)
            Unnormalised logarithms of probabilities.
        changed : torch.Tensor of shape (..., n_classes) or None, default=None
            Those of augmented copies, where the strategy compares.

        Returns
        -------
        losses : torch.Tensor of shape (...)
            Not negative.
        """

    def check(self):
        """Refuse parameters that cannot be used."""
        for name, value in self.get_params(deep=False).items():
            if name not in BOUNDS:
                continue
            lowest, highest, kind = BOUNDS[name]
            number = isinstance(value, kind) and not isinstance(value, bool)
            if not number or not lowest <= value <= highest or value == float("inf"):
                whole = "whole " if kind is Integral else ""
                bound = f"of at least {lowest}" if highest > 1 else f"from {lowest} to {highest}"
                raise ValueError(
                    f"Got {name}={value!r} in {type(self).__name__}, expected a {whole}number "
                    f"{bound}."
                )

    def weight_at(self, epoch, max_epochs):
        """Weight of the unlabelled rows in an epoch.

        Parameters
        ----------
        epoch : int
            From 1 on.
        max_epochs : int
            Epochs of the whole training.

        Returns
        -------
        weight : float
            What their mean loss is multiplied by.
        """
        growing = self.warm_up * max_epochs
        return self.weight * min(1.0, epoch / growing if growing else 1.0)


def confident(scores, threshold):
    """Likeliest classes, and where their probability reaches a threshold.

    Parameters
    ----------
    scores : torch.Tensor of shape (..., n_classes)
        Unnormalised logarithms of probabilities; no gradient flows back.
    threshold : float
        Least probability.

    Returns
    -------
    codes : torch.Tensor of int of shape (...)
    sure : torch.Tensor of bool of shape (...)
    """
    probability, codes = scores.detach().softmax(-1).max(-1)
    return codes, probability >= threshold
