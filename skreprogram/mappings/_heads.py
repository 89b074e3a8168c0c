"""A head for each statistic of the source's features and each view, and the mean of all."""

import numpy as np
import torch
from torch.nn.functional import pad

from skreprogram.mappings._calibration import calibrate
from skreprogram.mappings._features import FeaturesMapping, without_scales
from skreprogram.mappings._head import Head, class_targets, list_alphas, standardise
from skreprogram.mappings._mixture import mix
from skreprogram.mappings._pooling import order
from skreprogram.mappings._ridge import solve_ridge


class HeadsMapping(FeaturesMapping, name="heads"):
    """Classify by several ridge heads on pooled features, whose probabilities are averaged.

    Each statistic of the features, over all stages and views, has a ridge head of its own, in
    closed form and calibrated on its leave-one-out scores; beside a source of sound, the statistics
    of an image source have others. Where the source is shown several views of a sample, each view
    has a head, too, on all statistics of it. The class probability is a mean over the heads, with
    the shares that make it likeliest for the samples left out [1]_. One head on everything,
    `FeaturesMapping`, can be led astray by the statistic that varies most; a mean of several is
    calmer, as in ensembles of classifiers [2]_.

    Where the program trains by gradient, or where values are predicted, there is one head on all
    features, as in `FeaturesMapping`.

    Parameters
    ----------
    poolings : tuple of {"mean", "std", "max", "min", "thirds", "share", "crossings"}, \
            default=("mean", "std", "max", "thirds", "share", "crossings")
        Statistics of each channel over its positions, a head for each.
    quantiles : tuple of float, default=(0.5, 0.75, 0.9)
        Thresholds of "share" and "crossings", as quantiles of each channel over the training data.
    alphas : array-like of float or None, default=None
        Ridge penalties to choose from, for each head by the likelihood of samples left out; None
        takes 25 from 1e-5 to 1e3.

    See Also
    --------
    FeaturesMapping : One head on all statistics.

    References
    ----------
    .. [1] Y. Yao, A. Vehtari, D. Simpson, A. Gelman, "Using Stacking to Average Bayesian
       Predictive Distributions", Bayesian Analysis 13(3), 2018, equation 4.
    .. [2] J. Kittler et al., "On Combining Classifiers", IEEE Transactions on Pattern Analysis and
       Machine Intelligence 20(3), 1998, section 3 (the sum rule).

    Examples
    --------
    >>> import torch
    >>> from skreprogram.mappings import HeadsMapping
    >>> mapping, generator = HeadsMapping(poolings=("mean", "std")), torch.Generator()
    >>> stages = (torch.rand(8, 3, 50, generator=generator.manual_seed(0)),)
    >>> params = mapping.init(stages, 2, generator)
    >>> y = torch.arange(8) % 2
    >>> solved = mapping.solve(params, mapping.pool(params, stages), y, torch.ones(8), 2)
    >>> solved["bias"].shape  # a row a head; scores count from that of the last class
    torch.Size([2, 1])
    >>> mapping.apply(solved, stages).exp().sum(1).round(decimals=4)
    tensor([1., 1., 1., 1., 1., 1., 1., 1.])
    """

    vectorises = False

    def __init__(
        self,
        poolings=("mean", "std", "max", "thirds", "share", "crossings"),
        quantiles=(0.5, 0.75, 0.9),
        alphas=None,
    ):
        super().__init__(poolings, quantiles, alphas)

    def init_pooled(self, given, n_classes, generator):
        params, pooled = super().init_pooled(given, n_classes, generator)
        views = given if isinstance(given[0], tuple) else (given,)
        stages = [stage for view in views for stage in view]
        groups = [self._by_statistic(stages)]
        if len(views) > 1:
            counts = [sum(self._count(stage) for stage in view) for view in views]
            of_view = torch.arange(len(views)).repeat_interleave(torch.tensor(counts))
            groups.append(groups[0].max() + 1 + of_view)
        head_of = torch.stack(groups)
        # a number a feature: of the size of the thresholds, unless there are very many views
        small = head_of.max() <= torch.iinfo(torch.int8).max
        params["head_of"] = head_of.to(torch.int8 if small else torch.int16)
        return params, pooled

    def score(self, params, pooled):
        bias = params["bias"]
        if bias.ndim == 1:
            return super().score(params, pooled)
        centred = pooled - params["shift"]
        if "factor" in params:
            centred = centred * params["factor"]
        scores = []
        # statistics and views divide the features in two ways, into heads of ascending numbers
        for head_of, weight in zip(params["head_of"], params["weight"], strict=True):
            order = head_of.argsort(stable=True)
            sizes = [size for size in head_of.bincount().tolist() if size]
            parts = centred.index_select(1, order).split(sizes, 1), weight[order].split(sizes)
            scores += [own @ coef for own, coef in zip(*parts, strict=True)]
        every = pad(torch.stack(scores) + bias.unsqueeze(1), (0, 1)).log_softmax(2)
        # a share of zero must not make an infinity that gradients and exponents meet
        shares = params["shares"].clamp_min(torch.finfo(bias.dtype).tiny).log()
        return (every + shares[:, None, None]).logsumexp(0)

    def solve(self, params, pooled, y, weight, n_classes, loss=None):
        if y.is_floating_point():
            return super().solve(params, pooled, y, weight, n_classes, loss)
        # mean weight one, so that the penalties mean the same whatever the weights' scale
        weight = weight.numpy() / weight.numpy().mean()
        found, scales = [], params.get("feature_weights")
        head_of = params["head_of"]
        coef = pooled.new_zeros(*head_of.shape, n_classes)
        for number in range(int(head_of.max()) + 1):
            group, own = (head_of == number).nonzero(as_tuple=True)
            scale = None if scales is None else scales[own]
            head, left_out = self._one(pooled[:, own], y, weight, n_classes, scale)
            coef[group, own] = head.weight
            found.append((head.bias - head.shift @ head.weight, left_out))
        biases, left_out = zip(*found, strict=True)
        biases = torch.stack(biases)
        shares, sharp = mix(np.stack(left_out), y.numpy(), weight)
        # scores count from that of the last class, which need not be stored; and the biases take
        # the features' means, so that these need not be either: of two classes that is half
        weight, bias = ((part[..., :-1] - part[..., -1:]) * sharp for part in (coef, biases))
        head = Head(pooled.new_zeros(1), weight, bias)
        solved = {**without_scales(params), "shares": torch.from_numpy(shares).to(pooled)}
        return {**solved, **head._asdict()}

    def ridge(self, F, y, weight, n_classes):
        if y.is_floating_point():
            return super().ridge(F, y, weight, n_classes)
        codes = y.numpy()

        def loss(left_out, rows, weight):
            return calibrate(left_out, codes[rows], weight).loss

        targets = class_targets(y, n_classes, F.dtype)
        return solve_ridge(F, targets, weight, list_alphas(self.alphas), loss)

    def _one(self, pooled, y, weight, n_classes, scale=None):
        """One head and its scores of samples that were left out, both calibrated."""
        mean = pooled.mean(0)
        centred = pooled - mean
        # two passes: torch.std takes ten times as long along the rows
        standard = standardise(mean, centred.square().mean(0).sqrt(), scale)
        F = centred.mul_(standard["factor"]).numpy()
        solution = self.ridge(F, y, weight, n_classes)
        sharp = calibrate(solution.left_out, y.numpy(), weight).factor
        coef = sharp * torch.from_numpy(solution.coef).to(pooled) * standard["factor"].unsqueeze(1)
        bias = sharp * torch.from_numpy(np.asarray(solution.intercept)).to(pooled)
        return Head(standard["shift"], coef, bias), solution.left_out * sharp

    def _by_statistic(self, stages):
        """Number of the head of each feature, by its statistic."""
        names = order(tuple(self.poolings), len(self.quantiles))
        numbers = torch.tensor([self.poolings.index(name) for name in names])
        parts = []
        for stage in stages:
            # vectors have no statistics; those of sounds and of images are not of one kind
            kind = len(self.poolings) * (stage.ndim - 2)
            own = numbers + kind if stage.ndim > 2 else torch.zeros(1, dtype=torch.long)
            parts.append(own.repeat_interleave(stage.shape[1]))
        return torch.cat(parts).unique(return_inverse=True)[1]

    def _count(self, stage):
        """Number of features that are pooled from a stage."""
        names = order(tuple(self.poolings), len(self.quantiles))
        return stage.shape[1] * (len(names) if stage.ndim > 2 else 1)
