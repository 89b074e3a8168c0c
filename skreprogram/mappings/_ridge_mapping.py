"""Ridge regression on source outputs."""

from skreprogram.mappings._head import list_alphas, solve_head, standardise
from skreprogram.mappings._linear import LinearMapping


class RidgeMapping(LinearMapping, name="ridge"):
    """Solve a dense matrix and a bias on the source's outputs.

    When nothing before the source trains, this is ridge regression in closed form, as in
    `FeaturesMapping`: one pass of the data through the source, also where that is a black box.
    Otherwise it trains by gradient as `LinearMapping` does.

    Parameters
    ----------
    alphas : array-like of float or None, default=None
        Ridge penalties to choose from by the leave-one-out error, relative to outputs of unit
        norm; None takes 25 from 1e-5 to 1e3.
    l2 : float, default=0.0
        Weight of the squared matrix in the training loss, where it trains by gradient.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.mappings import RidgeMapping
    >>> mapping, y = RidgeMapping(), torch.arange(8.0)[:, None]
    >>> outputs = torch.cat([2 * y, y.sin()], 1)
    >>> params = mapping.init(outputs, 1, torch.Generator())
    >>> params = mapping.solve(params, outputs, y, torch.ones(8), 1)
    >>> bool((mapping.apply(params, outputs) - y).abs().max() < 0.01)
    True
    """

    def __init__(self, alphas=None, l2=0.0):
        super().__init__(l2)
        self.alphas = alphas

    def init(self, given, n_classes, generator):
        list_alphas(self.alphas)
        return super().init(given, n_classes, generator)

    def pool(self, params, given):
        """Hand the outputs through, which are the features here.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            What `init` drew.
        given : torch.Tensor of shape (n_samples, n_outputs)
            Outputs.

        Returns
        -------
        given : torch.Tensor of shape (n_samples, n_outputs)
            The same.
        """
        return given

    def solve(self, params, given, y, weight, n_classes, loss=None):
        """Solve the head in closed form.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            What `init` drew.
        given : torch.Tensor of shape (n_samples, n_outputs)
            Outputs for the training data.
        y : torch.Tensor of int of shape (n_samples,), or of float of shape (n_samples, n_targets)
            Class codes, or values.
        weight : torch.Tensor of shape (n_samples,)
            Positive sample weights.
        n_classes : int
            Number of target classes, or of values of a sample.
        loss : callable or None, default=None
            Losses of rows of values, where it is not the squared error that counts.

        Returns
        -------
        params : dict of str to torch.Tensor
            With the head's weights.
        """
        standard = standardise(given.mean(0), given.std(0, correction=0))
        head = solve_head(given, y, weight, n_classes, standard, self.alphas, loss)
        # in the units of `init`, so that it can go on training from here
        weight = head.weight * params["spread"]
        return {**params, "centre": head.shift, "weight": weight, "bias": head.bias}
