"""Replicas of a series with a program in the gaps: Voice2Series."""

import math
import warnings
from numbers import Integral

import torch
from torch.nn import functional

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._range import affine_to_range, bounded, into_range


class TilingTransformation(InputTransformation, name="tiling"):
    """Repeat the series inside the source's input and train the waveform in the gaps.

    The placement of Voice2Series [1]_: ``n_replicas`` copies start at equal steps, which are
    multiples of the length of the series. ``M`` is 0 where copies lie and 1 elsewhere:
    ``inputs = tile(x) + M * delta``.

    Parameters
    ----------
    n_replicas : int, default=1
        Copies of the series. More than fit are cut down, with a warning.
    dropout : float in [0, 1), default=0.0
        Share of the program that is dropped in each training step; never in prediction.
    l2 : float, default=0.04
        Weight of the squared program in the training loss.
    init_scale : float, default=0.0112
        Standard deviation of the program at its start; the default is that of the Glorot
        uniform draw of the authors' code.
    program : bool, default=True
        Whether there is a program; without one the gaps hold the middle of the value range.

    Notes
    -----
    Series longer than the source's input are resampled to its length, with a warning. Channels
    are laid one after the other in each replica, and so are the channels of the source.

    References
    ----------
    .. [1] C.-H. H. Yang, Y.-Y. Tsai, P.-Y. Chen, "Voice2Series: Reprogramming Acoustic Models for
       Time Series Classification", ICML 2021, section 3.1.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import TilingTransformation
    >>> tiling, space = TilingTransformation(2, program=False), InputSpace((10,))
    >>> X = torch.tensor([[[1.0, 2.0]]])
    >>> tiling.apply(tiling.init(X, space, torch.Generator()), X, space)
    tensor([[1., 2., 0., 0., 1., 2., 0., 0., 0., 0.]])
    """

    def __init__(self, n_replicas=1, dropout=0.0, l2=0.04, init_scale=0.0112, program=True):
        self.n_replicas = n_replicas
        self.dropout = dropout
        self.l2 = l2
        self.init_scale = init_scale
        self.program = program

    @property
    def trainable(self):
        return ("program",) if self.program else ()

    def init(self, X, space, generator):
        self._check()
        slots = self._slots(X, space)
        if slots < 1:
            warnings.warn(
                f"Got series of {X[0].numel()} points for a source input of "
                f"{space.size}: they are resampled to fit. Shorten them to silence this.",
                stacklevel=2,
            )
        elif self.n_replicas > slots:
            warnings.warn(
                f"Got n_replicas={self.n_replicas}, but only {slots} copies of "
                f"{X[0].numel()} points fit into {space.size} samples: {slots} are "
                f"used. Set n_replicas={slots} or less to silence this.",
                stacklevel=2,
            )
        params = affine_to_range(X, space)
        if self.program:
            drawn = torch.randn(space.shape, generator=generator, dtype=X.dtype)
            params["program"] = drawn * self.init_scale
        return params

    def apply(self, params, X, space):
        flat = into_range(params, X, space).flatten(1)
        room = space.size
        if flat.shape[1] > room:
            flat = functional.interpolate(
                flat.unsqueeze(1), size=room, mode="linear", align_corners=True
            ).squeeze(1)
        tiled, covered = self._tile(flat, room), self._tile(torch.ones_like(flat[:1]), room)
        gaps = bounded(params["program"], space) if self.program else space.centre
        frame = (1 - covered).reshape(1, *space.shape)
        return tiled.reshape(len(X), *space.shape) + frame * gaps

    def own_spans(self, data_shape, space):
        length, room = math.prod(data_shape), space.size
        if length > room or len(space.shape) > 1:
            return None
        replicas, step = self._layout(length, room)
        return [(i * step * length, (i * step + 1) * length) for i in range(replicas)]

    def disturb(self, params, generator):
        if not self.dropout or not self.program:
            return params
        program = params["program"]
        kept = torch.rand(program.shape, generator=generator, dtype=program.dtype) >= self.dropout
        return {**params, "program": program * kept.to(program) / (1 - self.dropout)}

    def penalty(self, params):
        return self.l2 * params["program"].square().sum() if self.program and self.l2 else 0.0

    def _slots(self, X, space):
        return space.size // X[0].numel()

    def _tile(self, flat, room):
        """Copies at multiples of the length, zeros between them."""
        length = flat.shape[1]
        replicas, step = self._layout(length, room)
        cell = functional.pad(flat, (0, (step - 1) * length))
        return functional.pad(cell.repeat(1, replicas), (0, room - replicas * step * length))

    def _layout(self, length, room):
        """Number of copies, and lengths from one to the next."""
        slots = room // length
        replicas = min(self.n_replicas, slots)
        return replicas, slots // replicas

    def _check(self):
        if not isinstance(self.n_replicas, Integral) or self.n_replicas < 1:
            raise ValueError(
                f"Got n_replicas={self.n_replicas!r} in TilingTransformation, expected a positive "
                "whole number."
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(
                f"Got dropout={self.dropout!r} in TilingTransformation, expected a share in [0, 1)."
            )
