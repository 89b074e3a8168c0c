"""Padding with a program around the data: equation 1 of the survey."""

import warnings
from numbers import Integral

import torch

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._grid import check_grid, grid_shape, interpolated
from skreprogram.transformations._parameters import check_choice, check_takes_images, check_whole
from skreprogram.transformations._placement import (
    laid_out,
    most_replicas,
    placed,
    resized,
    size_inside,
    size_of,
)
from skreprogram.transformations._range import affine_to_range, bounded, clipped, into_range

PROGRAMS = ("around", "lower triangle", "everywhere", "none")
WORDS = ("centre", "start", "end")


class PaddingTransformation(InputTransformation, name="padding"):
    """Place the data inside the source's input and train what is around them.

    Equation 1 of the survey [1]_: ``inputs = pad(x) + M * delta``. The program ``delta`` goes
    through tanh into the source's value range, and M is 1 where the program acts.

    Parameters
    ----------
    placement : {"centre", "start", "end"} or (int, int), default="centre"
        Where the data lie along every axis; or row and column of an image's upper left corner.
    program : {"around", "lower triangle", "everywhere", "none"}, default="around"
        Where the program acts: outside the data; also on the diagonal of square images and below
        it, where symmetric matrices say nothing new [3]_; on all data (then the sum is cut off at
        the range's ends); or nowhere.
    init_scale : float, default=0.0
        Standard deviation of the program at its start. With 0 it starts at the middle of the
        value range.
    l2 : float, default=0.0
        Weight of the squared program in the training loss.
    size : int, (int, int) or None, default=None
        Images are resized so that their longer side has so many pixels, or to (height, width).
        None leaves them as they are, but shrinks those that are larger than the source's input.
    n_replicas : int, default=1
        Copies of an image, laid in a grid. More than fit are cut down, with a warning.
    n_points : int or None, default=None
        The program lives on so many points along height and width, or along the last axis of
        vectors and series, and is interpolated between them before M is applied: few numbers, as
        gradients that are estimated from queries need them. None: a number for every value.

    Notes
    -----
    Where the source takes images, grey images are repeated in three channels, colour images are
    averaged to one, and rows of a table become square images of side ``ceil(sqrt(n_features))``,
    filled up with the lowest value of the range. An odd frame is wider behind the data by one.

    References
    ----------
    .. [1] P.-Y. Chen, "Model Reprogramming: Resource-Efficient Cross-Domain Machine Learning",
       AAAI 2024, equation 1.
    .. [2] G. Elsayed, I. Goodfellow, J. Sohl-Dickstein, "Adversarial Reprogramming of Neural
       Networks", ICLR 2019, equations 1 and 2.
    .. [3] Y.-Y. Tsai, P.-Y. Chen, T.-Y. Ho, "Transfer Learning without Knowing: Reprogramming
       Black-box Machine Learning Models with Scarce Data and Limited Resources", ICML 2020: the
       correlation matrices of ABIDE.

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

    def __init__(
        self,
        placement="centre",
        program="around",
        init_scale=0.0,
        l2=0.0,
        size=None,
        n_replicas=1,
        n_points=None,
    ):
        self.placement = placement
        self.program = program
        self.init_scale = init_scale
        self.l2 = l2
        self.size = size
        self.n_replicas = n_replicas
        self.n_points = n_points

    @property
    def trainable(self):
        return () if self.program == "none" else ("program",)

    def init(self, X, space, generator):
        self._check_words(space)
        self._check_shape(X, space)
        params = affine_to_range(X, space)
        if self.program != "none":
            shape = grid_shape(space, self.n_points)
            drawn = torch.randn(shape, generator=generator, dtype=X.dtype)
            params["program"] = drawn * self.init_scale
        return params

    def apply(self, params, X, space):
        data = laid_out(into_range(params, X, space), space)
        if len(space.shape) == 3:
            data = clipped(resized(data, self._size(data.shape[1:], space)), space)
        shown = torch.ones_like(data[:1])
        if self.program == "lower triangle":
            data, shown = data.triu(1), shown.triu(1)
        gaps = 1 - self._placed(shown, space)
        spread = self._placed(data, space)
        if self.program == "none":
            return spread + gaps * space.centre
        program = interpolated(bounded(params["program"], space), space)
        if self.program == "everywhere":
            return clipped(spread + gaps * space.centre + (program - space.centre), space)
        return spread + gaps * program

    def penalty(self, params):
        return self.l2 * params["program"].square().sum() if self.l2 else 0.0

    def _placed(self, data, space):
        n_replicas = self.n_replicas
        if n_replicas > 1:
            n_replicas = min(n_replicas, most_replicas(data.shape[1:], space.shape))
        return placed(data, space.shape, self.placement, n_replicas)

    def _size(self, shape, space):
        """Height and width of the placed image."""
        if self.size is None:
            return size_inside(shape, space.shape)
        return size_of(self.size, shape) if isinstance(self.size, Integral) else tuple(self.size)

    def _check_words(self, space):
        check_choice(self, "program", PROGRAMS)
        check_whole(self, "n_replicas")
        if self.n_points is not None:
            check_grid(self, space)
        if isinstance(self.placement, str):
            check_choice(self, "placement", WORDS)
        elif not _is_pair(self.placement, 0) or self.n_replicas > 1:
            raise ValueError(
                f"Got placement={self.placement!r} with n_replicas={self.n_replicas} in "
                f"PaddingTransformation, expected one of {list(WORDS)}, or for a single replica "
                "the row and column of its upper left corner."
            )
        sized = isinstance(self.size, Integral) and self.size >= 1
        if not (self.size is None or sized or _is_pair(self.size, 1)):
            raise ValueError(
                f"Got size={self.size!r} in PaddingTransformation, expected a positive number of "
                "pixels, (height, width), or None."
            )
        if self.size is not None or self.n_replicas > 1 or not isinstance(self.placement, str):
            check_takes_images(self, space)

    def _check_shape(self, X, space):
        shape = tuple(laid_out(X[:1], space).shape[1:])
        images = len(shape) == len(space.shape) == 3
        if images:
            size = self._size(shape, space)
            if self.size is None and size != shape[1:]:
                warnings.warn(
                    f"Got images of {shape[1:]} pixels for a source that takes "
                    f"{tuple(space.shape[1:])}: they are shrunk to {size}. Set size={size} to "
                    "silence this.",
                    stacklevel=3,
                )
            shape = shape[:1] + size
        self._check_room(X, shape, space)
        if self.program == "lower triangle" and not (images and shape[1] == shape[2]):
            raise ValueError(
                f"Got samples of shape {tuple(X.shape[1:])} with program='lower triangle', "
                "expected square matrices for a source that takes images. Set program='around'."
            )
        if self.n_replicas > 1 and (most := most_replicas(shape, space.shape)) < self.n_replicas:
            warnings.warn(
                f"Got n_replicas={self.n_replicas}, but only {most} images of {shape[1:]} pixels "
                f"fit into {tuple(space.shape[1:])}: {most} are used. Set n_replicas={most} or "
                "less to silence this.",
                stacklevel=3,
            )

    def _check_room(self, X, shape, space):
        corner = (0,) * len(shape)
        if not isinstance(self.placement, str):
            corner = (0,) * (len(shape) - 2) + tuple(self.placement)
        needed = tuple(map(sum, zip(corner, shape, strict=True)))
        fits = len(shape) == len(space.shape) and all(map(int.__le__, needed, space.shape))
        if not fits:
            raise ValueError(
                f"Got samples of shape {tuple(X.shape[1:])}, expected at most "
                f"{tuple(space.shape)}, the source's input shape, with its number of axes; placed "
                f"they would take {needed}. Make the samples smaller, for example by the parameter "
                "size, or choose another source; series also take input_transformation='tiling', "
                "which resamples them."
            )


def _is_pair(value, lowest):
    return (
        isinstance(value, (list, tuple))
        and len(value) == 2
        and all(isinstance(number, Integral) and number >= lowest for number in value)
    )
