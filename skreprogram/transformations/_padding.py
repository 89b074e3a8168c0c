"""Zero padding with a program in the frame: equation 1 of the survey."""

import torch

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._range import affine_to_range, bounded, into_range


class PaddingTransformation(InputTransformation, name="padding"):
    """Place the data inside the source's input and train what is around it.

    Equation 1 of the survey [1]_: ``inputs = pad(x) + M * delta``. The program ``delta`` goes
    through tanh into the source's value range, and M is 1 where the program acts.

    Parameters
    ----------
    placement : {"centre", "start", "end"}, default="centre"
        Where the data lie along every axis.
    program : {"around", "everywhere", "none"}, default="around"
        Where the program acts: outside the data, on them as well (then the sum is cut off at the
        range's ends), or nowhere.
    init_scale : float, default=0.0
        Standard deviation of the program at its start. With 0 it starts at the middle of the
        value range.
    l2 : float, default=0.0
        Weight of the squared program in the training loss.

    References
    ----------
    .. [1] P.-Y. Chen, "Model Reprogramming: Resource-Efficient Cross-Domain Machine Learning",
       AAAI 2024, equation 1.
    .. [2] G. Elsayed, I. Goodfellow, J. Sohl-Dickstein, "Adversarial Reprogramming of Neural
       Networks", ICLR 2019.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import PaddingTransformation
    >>> padding, space = PaddingTransformation(), InputSpace((1, 4, 4), (0.0, 1.0))
    >>> X = torch.ones(2, 1, 2, 2)
    >>> params = padding.init(X, space, torch.Generator())
    >>> padding.apply(params, X, space)[0, 0]
    tensor([[0.5000, 0.5000, 0.5000, 0.5000],
            [0.5000, 1.0000, 1.0000, 0.5000],
            [0.5000, 1.0000, 1.0000, 0.5000],
            [0.5000, 0.5000, 0.5000, 0.5000]])
    """

    def __init__(self, placement="centre", program="around", init_scale=0.0, l2=0.0):
        self.placement = placement
        self.program = program
        self.init_scale = init_scale
        self.l2 = l2

    @property
    def trainable(self):
        return () if self.program == "none" else ("program",)

    def init(self, X, space, generator):
        self._check(X, space)
        params = affine_to_range(X, space)
        if self.program != "none":
            drawn = torch.randn(space.shape, generator=generator, dtype=X.dtype)
            params["program"] = drawn * self.init_scale
        return params

    def apply(self, params, X, space):
        placed = into_range(params, X, space).reshape(len(X), *self._laid_out(X.shape[1:], space))
        widths = self._widths(placed.shape[1:], space)
        padded = torch.nn.functional.pad(placed, widths)
        if self.program == "none":
            return padded
        program = bounded(params["program"], space)
        if self.program == "everywhere":
            total = padded + program - space.centre
            return total if space.value_range is None else total.clamp(*space.value_range)
        covered = torch.nn.functional.pad(torch.ones_like(placed[:1]), widths)
        return padded + (1 - covered) * program

    def penalty(self, params):
        return self.l2 * params["program"].square().sum() if self.l2 else 0.0

    def _laid_out(self, shape, space):
        """Shape of a sample with as many axes as the source's input has, where that is possible."""
        while len(shape) > len(space.shape) and shape[0] == 1:
            shape = shape[1:]
        return (1,) * (len(space.shape) - len(shape)) + tuple(shape)

    def _widths(self, shape, space):
        """Padding before and after, last axis first, as torch wants it."""
        widths = []
        for length, room in zip(reversed(shape), reversed(space.shape), strict=True):
            free = room - length
            before = {"centre": free // 2, "start": 0, "end": free}[self.placement]
            widths += [before, free - before]
        return widths

    def _check(self, X, space):
        known = {
            "placement": ("centre", "start", "end"),
            "program": ("around", "everywhere", "none"),
        }
        for name, allowed in known.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"Got {name}={getattr(self, name)!r} in PaddingTransformation, expected one of "
                    f"{list(allowed)}."
                )
        shape = self._laid_out(X.shape[1:], space)
        fits = len(shape) == len(space.shape) and all(
            length <= room for length, room in zip(shape, space.shape, strict=True)
        )
        if not fits:
            raise ValueError(
                f"Got samples of shape {tuple(X.shape[1:])}, expected at most {space.shape}, the "
                "source's input shape, with its number of axes. Make the samples smaller, for "
                "example by resizing images, or choose another source; series also take "
                "input_transformation='tiling', which resamples them."
            )
