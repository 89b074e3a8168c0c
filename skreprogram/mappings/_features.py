"""A head on the source's features, solved in closed form."""

import torch
from torch.utils._pytree import tree_leaves, tree_map

from skreprogram.mappings._base import OutputMapping
from skreprogram.mappings._head import class_targets, list_alphas, solve_head, standardise
from skreprogram.mappings._pooling import POOLINGS, WITH_THRESHOLDS, pool, share_levels
from skreprogram.mappings._ridge import solve_ridge

# rows that are pooled at once, as many as go through a source: more would leave a CPU's caches
N_ROWS = 32


class FeaturesMapping(OutputMapping, name="features"):
    """Classify, or predict values, by pooled features of all the source's stages.

    When nothing before the source trains, the head is ridge regression in closed form, its penalty
    chosen by the leave-one-out error. For classes its targets are one-hot, and its probabilities
    are calibrated on the leave-one-out scores. Otherwise the head trains by gradient together with
    the program.

    Parameters
    ----------
    poolings : tuple of {"mean", "std", "max", "min", "thirds", "share", "crossings"}, \
            default=("mean", "std", "max", "thirds", "share")
        Statistics of each channel over its positions. "share" is the share of positions above
        thresholds, "crossings" how often a threshold is crossed from one position to the next.
    quantiles : tuple of float, default=(0.5, 0.75, 0.9)
        Those thresholds, as quantiles of each channel over the training data.
    alphas : array-like of float or None, default=None
        Ridge penalties to choose from, relative to features of unit norm; None takes 25 from
        1e-5 to 1e3.

    Notes
    -----
    Several views of a sample (:class:`skreprogram.transformations.SideBySide`) contribute their
    features side by side.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.mappings import FeaturesMapping
    >>> mapping, stages = FeaturesMapping(), (torch.rand(8, 3, 50), torch.rand(8, 4))
    >>> params = mapping.init(stages, 2, torch.Generator())
    >>> mapping.pool(params, stages).shape
    torch.Size([8, 31])
    """

    reads = "features"

    def __init__(
        self,
        poolings=("mean", "std", "max", "thirds", "share"),
        quantiles=(0.5, 0.75, 0.9),
        alphas=None,
    ):
        self.poolings = poolings
        self.quantiles = quantiles
        self.alphas = alphas

    @property
    def trainable(self):
        return ("weight", "bias")

    def init(self, given, n_classes, generator):
        return self.init_pooled(given, n_classes, generator)[0]

    def init_pooled(self, given, n_classes, generator):
        self._check()
        params = {}
        for i, stage in enumerate(tree_leaves(given)):
            if self._needs_thresholds() and stage.ndim > 2:
                levels = share_levels(stage, self.quantiles)
                params[f"thresholds/{i}"], params[f"width/{i}"] = levels
        starts = range(0, len(tree_leaves(given)[0]), N_ROWS)
        parts = (tree_map(lambda s, i=i: s[i : i + N_ROWS], given) for i in starts)
        pooled = torch.cat([self.pool(params, part) for part in parts])
        mean = pooled.mean(0)
        # a program that trains moves features that the data hardly move: they need a floor
        spread = pooled.std(0, correction=0) + 0.1 * mean.abs() + 1e-3
        params.update(standardise(mean, spread))
        params["weight"] = pooled.new_zeros(pooled.shape[1], n_classes)
        params["bias"] = pooled.new_zeros(n_classes)
        return params, pooled

    def pool(self, params, given):
        """Pool the stages, before anything is standardised.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            What `init` drew.
        given : tuple of torch.Tensor of shape (n_samples, channels, *positions)
            Stages, or for each view a tuple of them.

        Returns
        -------
        pooled : torch.Tensor of shape (n_samples, n_features)
            Statistics of all stages side by side.
        """
        poolings = tuple(self.poolings)
        stages = enumerate(tree_leaves(given))
        parts = [
            pool(stage, poolings, params.get(f"thresholds/{i}"), params.get(f"width/{i}"))
            for i, stage in stages
        ]
        return torch.cat(parts, 1)

    def score(self, params, pooled):
        """Score the target classes from pooled features.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            What `init` drew or `solve` found.
        pooled : torch.Tensor of shape (n_samples, n_features)
            Pooled features.

        Returns
        -------
        scores : torch.Tensor of shape (n_samples, n_classes)
            Unnormalised logarithms of probabilities.
        """
        centred = pooled - params["shift"]
        if "factor" in params:
            centred = centred * params["factor"]
        return centred @ params["weight"] + params["bias"]

    def apply(self, params, given):
        return self.score(params, self.pool(params, given))

    def solve(self, params, pooled, y, weight, n_classes, loss=None):
        """Solve the head in closed form on pooled features.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            What `init` drew; with ``feature_weights``, standardised features are multiplied by
            them.
        pooled : torch.Tensor of shape (n_samples, n_features)
            Pooled features of the training data.
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
            With the head's weights; for classes scaled so that a softmax gives calibrated
            probabilities.
        """
        # without weights: a feature that is constant in the heavy rows would explode in the others
        spread, own = pooled.std(0, correction=0), params.get("feature_weights")
        standard = standardise(pooled.mean(0), spread, own)
        head = solve_head(pooled, y, weight, n_classes, standard, self.alphas, loss)
        return {**without_scales(params), **head._asdict()}

    def ridge(self, F, y, weight, n_classes):
        """Solve one head on standardised features, with the best penalty.

        Parameters
        ----------
        F : ndarray of shape (n_samples, n_features)
            Standardised features.
        y : torch.Tensor of int of shape (n_samples,), or of float of shape (n_samples, n_targets)
            Class codes, or values.
        weight : ndarray of shape (n_samples,)
            Positive sample weights with the mean one.
        n_classes : int
            Number of target classes, or of values of a sample.

        Returns
        -------
        solution : RidgeSolution
            Before any calibration.
        """
        targets = class_targets(y, n_classes, F.dtype)
        return solve_ridge(F, targets, weight, list_alphas(self.alphas))

    def _check(self):
        unknown = [name for name in self.poolings if name not in POOLINGS]
        if unknown or not len(self.poolings):
            raise ValueError(
                f"Got poolings={self.poolings!r}, expected at least one of {list(POOLINGS)}."
            )
        if not all(0 < quantile < 1 for quantile in self.quantiles):
            raise ValueError(f"Got quantiles={self.quantiles!r}, expected numbers between 0 and 1.")
        if self._needs_thresholds() and not len(self.quantiles):
            raise ValueError(
                "Got quantiles=() with the pooling 'share' or 'crossings', expected at least one. "
                "Leave both out of poolings to do without."
            )
        list_alphas(self.alphas)

    def _needs_thresholds(self):
        return any(name in self.poolings for name in WITH_THRESHOLDS)


def without_scales(params):
    """Tensors without those that a solution folds into its weights."""
    folded = ("factor", "feature_weights")
    return {name: tensor for name, tensor in params.items() if name not in folded}
