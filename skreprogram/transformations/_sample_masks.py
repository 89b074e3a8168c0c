"""A shared program under a mask that a small network makes of each sample."""

import math

import torch
from torch.nn import functional

from skreprogram.transformations._full_size import FullSizeTransformation, full_size
from skreprogram.transformations._parameters import check_takes_images, check_whole
from skreprogram.transformations._range import swing

# rows from which the normalisation takes its statistics: enough for a mean of a whole map
MOST_ROWS = 64


class MaskedTransformation(FullSizeTransformation, name="sample-masks"):
    """Resize the data to the source's input and add a program, weighted for each sample.

    Sample-specific masks [1]_: ``inputs = clip(resize(x) + delta * f(resize(x)))``, where a light
    network f of 3 x 3 convolutions makes one weight a channel for every patch of pixels. The
    program starts at 0, so that nothing is added.

    Parameters
    ----------
    widths : tuple of int, default=(8, 16, 32, 64)
        Channels behind each convolution but the last: the authors' network for ResNets. Theirs for
        large transformers is ``(8, 16, 32, 64, 128)``.
    patch_size : int, default=8
        Side of a patch, a power of two: so many of the first convolutions are followed by a
        max-pooling of 2 x 2 that one value remains for each patch.
    strength : float, default=1.0
        Largest addition under a mask of 1, as a share of the width of the value range.
    clip : {"hard", "straight-through"}, default="hard"
        Whether gradients are 0 where the sum is cut off at the range's ends, or pass.

    Notes
    -----
    For three channels and the default widths the network has 26 499 numbers, as the authors' has.
    A tanh bounds the weights: without it the sum soon leaves the range everywhere, where nothing is
    learned any more. Where theirs normalises by the statistics of the batch, this one uses those
    that the first network has on the training data, so that no sample's mask depends on its
    company.

    References
    ----------
    .. [1] C. Cai, Z. Ye, L. Feng, J. Qi, F. Liu, "Sample-specific Masks for Visual Reprogramming-
       based Prompting", ICML 2024, sections 3.2 and 3.3.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import MaskedTransformation
    >>> masked, space = MaskedTransformation(), InputSpace((3, 32, 32), (0.0, 1.0))
    >>> params = masked.init(torch.rand(4, 3, 16, 16), space, torch.Generator())
    >>> sum(params[name].numel() for name in masked.trainable if name != "program")
    26499
    """

    def __init__(self, widths=(8, 16, 32, 64), patch_size=8, strength=1.0, clip="hard"):
        self.widths = widths
        self.patch_size = patch_size
        self.strength = strength
        self.clip = clip

    @property
    def trainable(self):
        last = len(self.widths)
        layers = [f"{name}{i}" for i in range(last + 1) for name in ("kernel", "bias")]
        norms = [f"{name}{i}" for i in range(last) for name in ("gain", "shift")]
        return ("program", *layers, *norms)

    def drawn(self, X, space, generator):
        check_takes_images(self, space)
        self._check_numbers()
        params = {"program": X.new_zeros(space.shape)}
        channels = (space.shape[0], *self.widths, space.shape[0])
        for i, (before, behind) in enumerate(zip(channels[:-1], channels[1:], strict=True)):
            # the usual start of a convolution: uniform, by the number of values it reads
            for name, shape in ((f"kernel{i}", (behind, before, 3, 3)), (f"bias{i}", (behind,))):
                uniform = torch.rand(shape, generator=generator, dtype=X.dtype)
                params[name] = (2 * uniform - 1) / math.sqrt(9 * before)
        return params

    def init(self, X, space, generator):
        params = super().init(X, space, generator)
        # evenly spaced rows: the order of the data must not pick a class
        rows = X[torch.linspace(0, len(X) - 1, min(len(X), MOST_ROWS)).long()]
        self._calibrate(params, full_size(params, rows, space), space)
        return params

    def changed(self, params, images, space):
        return images + self._masks(params, images, space) * swing(
            params["program"], space, self.strength
        )

    def _calibrate(self, params, images, space):
        """Add statistics of every layer over the data, and gains and shifts that change nothing."""
        maps = (images - space.centre) / space.half_range
        for i, width in enumerate(self.widths):
            maps = functional.conv2d(maps, params[f"kernel{i}"], params[f"bias{i}"], padding=1)
            params[f"mean{i}"] = maps.mean((0, 2, 3))
            params[f"variance{i}"] = maps.var((0, 2, 3), correction=0)
            params[f"gain{i}"], params[f"shift{i}"] = maps.new_ones(width), maps.new_zeros(width)
            maps = self._behind(params, maps, i)

    def _masks(self, params, images, space):
        """One weight for each sample, channel and pixel; equal inside a patch."""
        maps = (images - space.centre) / space.half_range
        for i in range(len(self.widths)):
            maps = functional.conv2d(maps, params[f"kernel{i}"], params[f"bias{i}"], padding=1)
            maps = self._behind(params, maps, i)
        last = len(self.widths)
        maps = functional.conv2d(maps, params[f"kernel{last}"], params[f"bias{last}"], padding=1)
        patches = (
            maps.tanh()
            .repeat_interleave(self.patch_size, -2)
            .repeat_interleave(self.patch_size, -1)
        )
        return patches[..., : space.shape[1], : space.shape[2]]

    def _behind(self, params, maps, i):
        """Normalisation, rectification and perhaps pooling behind a convolution."""
        mean, variance, gain, shift = (
            params[f"{name}{i}"][:, None, None] for name in ("mean", "variance", "gain", "shift")
        )
        maps = functional.relu((maps - mean) * (variance + 1e-5).rsqrt() * gain + shift)
        if i < self._n_poolings():
            # the last patch of a side that is no multiple of the patch size is cut off
            maps = functional.max_pool2d(maps, 2, ceil_mode=True)
        return maps

    def _n_poolings(self):
        return int(self.patch_size).bit_length() - 1

    def _check_numbers(self):
        if not self.widths or any(int(width) != width or width < 1 for width in self.widths):
            raise ValueError(
                f"Got widths={self.widths!r} in MaskedTransformation, expected at least one "
                "positive whole number."
            )
        check_whole(self, "patch_size", 1, 2 ** len(self.widths))
        if 2 ** self._n_poolings() != self.patch_size:
            raise ValueError(
                f"Got patch_size={self.patch_size!r} in MaskedTransformation, expected a power of "
                f"two from 1 to {2 ** len(self.widths)}."
            )
