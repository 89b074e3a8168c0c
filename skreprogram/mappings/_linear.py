"""A trained linear map from source outputs to target classes."""

from skreprogram.mappings._base import OutputMapping


class LinearMapping(OutputMapping, name="linear"):
    """Train a dense matrix and a bias on the source's outputs.

    Parameters
    ----------
    l2 : float, default=0.0
        Weight of the squared matrix in the training loss.

    Notes
    -----
    The outputs are centred, and divided by one number, the spread of all outputs before training,
    so that one learning rate suits sources with large and small logits. A spread of its own for
    each output would explode when the program moves an output that the data hardly move.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.mappings import LinearMapping
    >>> mapping, logits = LinearMapping(), torch.randn(8, 5)
    >>> mapping.apply(mapping.init(logits, 3, torch.Generator()), logits).shape
    torch.Size([8, 3])
    """

    def __init__(self, l2=0.0):
        self.l2 = l2

    @property
    def trainable(self):
        return ("weight", "bias")

    def init(self, given, n_classes, generator):
        return {
            "centre": given.mean(0),
            "spread": given.std(correction=0).clamp_min(1e-8),
            "weight": given.new_zeros(given.shape[1], n_classes),
            "bias": given.new_zeros(n_classes),
        }

    def apply(self, params, given):
        standard = (given - params["centre"]) / params["spread"]
        return standard @ params["weight"] + params["bias"]

    def penalty(self, params):
        return self.l2 * params["weight"].square().sum() if self.l2 else 0.0
