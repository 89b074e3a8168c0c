"""Programs on a grid of few points: pure functions."""

from torch.nn import functional

from skreprogram.transformations._parameters import check_whole

# those that torch interpolates, by the number of axes after the channels
MODES = {1: "linear", 2: "bilinear"}


def grid_shape(space, n_points):
    """Shape of a program on a grid: points along height and width, or along the last axis.

    Without `n_points` it is that of the source's input.
    """
    if n_points is None:
        return tuple(space.shape)
    n_axes = _n_axes(space)
    return (*space.shape[:-n_axes], *(n_points,) * n_axes)


def interpolated(program, space):
    """Interpolate a program to the source's input; one of that size is left as it is.

    Parameters
    ----------
    program : torch.Tensor of shape (*leading_axes, *points)
        As `grid_shape` has it.
    space : InputSpace
        What the source takes.

    Returns
    -------
    program : torch.Tensor of shape space.shape
        Between the lowest and the highest of its points.
    """
    if program.shape == tuple(space.shape):
        return program
    n_axes = _n_axes(space)
    channels = program.reshape(1, -1, *program.shape[-n_axes:])
    size = tuple(space.shape[-n_axes:])
    full = functional.interpolate(channels, size=size, mode=MODES[n_axes], align_corners=False)
    return full.reshape(tuple(space.shape))


def check_grid(transformation, space):
    """Refuse more points than an axis has values, and sources with too many axes."""
    if len(space.shape) > 3:
        raise ValueError(
            f"Got n_points={transformation.n_points!r} in {type(transformation).__name__} for a "
            f"source that takes inputs of shape {tuple(space.shape)}, expected images, series or "
            "vectors. Set n_points=None."
        )
    check_whole(transformation, "n_points", highest=min(space.shape[-_n_axes(space) :]))


def _n_axes(space):
    return 2 if len(space.shape) == 3 else 1
