"""Data as images, and where they lie in the source's input: pure functions."""

import math

import torch
from torch.nn import functional


def with_axes(X, space):
    """Give samples as many axes as the source's input has, where that is possible.

    Rows become square images where the source takes images: the values fill the lines of a square
    of side ``ceil(sqrt(n_features))``, whose rest holds the lowest value of the range (0 where the
    source is unbounded).

    Parameters
    ----------
    X : torch.Tensor of shape (n_samples, *data_shape)
        Data in the value range.
    space : InputSpace
        What the source takes.

    Returns
    -------
    X : torch.Tensor of shape (n_samples, *axes)
        The same values; rows of a table as (n_samples, 1, side, side).
    """
    if X.ndim == 2 and len(space.shape) == 3:
        return squares(X, 0.0 if space.value_range is None else space.value_range[0])
    shape = tuple(X.shape[1:])
    while len(shape) > len(space.shape) and shape[0] == 1:
        shape = shape[1:]
    return X.reshape(len(X), *(1,) * (len(space.shape) - len(shape)), *shape)


def squares(rows, fill):
    """Lay (n_samples, n_features) out as (n_samples, 1, side, side)."""
    n_features = rows.shape[1]
    side = math.isqrt(n_features - 1) + 1
    full = functional.pad(rows, (0, side**2 - n_features), value=fill)
    return full.reshape(len(rows), 1, side, side)


def laid_out(X, space):
    """Give samples the axes of the source's input, and images its number of channels.

    Grey images are repeated in three channels, colours are averaged to one.
    """
    X = with_axes(X, space)
    if len(space.shape) != 3 or X.ndim != 4:
        return X
    channels = X.shape[1], space.shape[0]
    if channels == (1, 3):
        return X.expand(-1, 3, -1, -1)
    return X.mean(1, keepdim=True) if channels == (3, 1) else X


def resized(images, size):
    """Resize images bilinearly to (height, width), smoothed beforehand where they shrink."""
    old = tuple(images.shape[-2:])
    if old == tuple(size):
        return images
    if images.shape[1] > 1 and images.stride(1) == 0:
        # one channel that was repeated: resized once
        return resized(images[:, :1], size).expand(-1, images.shape[1], -1, -1)
    how = {"size": size, "mode": "bilinear", "align_corners": False}
    if any(new < length for new, length in zip(size, old, strict=True)):
        return functional.interpolate(images, antialias=True, **how)
    # each channel by itself: over few channels torch's loop takes about three times as long
    planes = functional.interpolate(images.flatten(0, 1).unsqueeze(1), **how)
    return planes.reshape(*images.shape[:2], *size)


def size_of(longer_side, shape):
    """Height and width of an image with a new longer side and the same proportions."""
    factor = longer_side / max(shape[-2:])
    return tuple(max(1, round(length * factor)) for length in shape[-2:])


def size_inside(shape, room):
    """Height and width at which an image fits: its own, or smaller in the same proportions."""
    factor = min(space / length for length, space in zip(shape[-2:], room[-2:], strict=True))
    if factor >= 1:
        return tuple(shape[-2:])
    return tuple(max(1, round(length * factor)) for length in shape[-2:])


def most_replicas(shape, room):
    """How many copies fit into a grid over the last two axes."""
    return math.prod(space // length for length, space in zip(shape[-2:], room[-2:], strict=True))


def placed(data, room, placement, n_replicas=1):
    """Lay data into a larger array of zeros.

    Masks are made by placing ones, so that an image and its mask cannot be a pixel apart.

    Parameters
    ----------
    data : torch.Tensor of shape (n_samples, *shape)
        Data with as many axes as the room.
    room : tuple of int
        Shape of the larger array.
    placement : {"centre", "start", "end"} or (int, int)
        Along every axis (an odd rest leaves its larger part behind), or row and column of the
        upper left corner. Several replicas are placed so inside the cells of a grid.
    n_replicas : int, default=1
        Copies, as many as fit at most.

    Returns
    -------
    spread : torch.Tensor of shape (n_samples, *room)
        The data, and 0 where none lie.
    """
    if n_replicas > 1:
        return _replicas(data, room, placement, n_replicas)
    widths = []
    for axis, (length, space) in enumerate(zip(data.shape[1:], room, strict=True)):
        free = space - length
        if isinstance(placement, str):
            before = {"centre": free // 2, "start": 0, "end": free}[placement]
        else:
            # a corner concerns height and width, the last two axes
            before = placement[axis - len(room)] if axis >= len(room) - 2 else 0
        widths = [before, free - before, *widths]
    return functional.pad(data, widths)


def _replicas(data, room, placement, n_replicas):
    """Copies in the cells of a grid over the last two axes, line by line."""
    grid = _grid(data.shape, room, n_replicas)
    covered, number = True, 0
    for axis, n_cells in zip((-2, -1), grid, strict=True):
        source, inside, cell = _along(data.shape[axis], room[axis], n_cells, placement, data.device)
        data = data.index_select(axis, source)
        upright = (-1,) + (1,) * (-axis - 1)
        covered = covered & inside.reshape(upright)
        number = number * n_cells + cell.reshape(upright)
    return data * (covered & (number < n_replicas))


def _grid(shape, room, n_replicas):
    """Rows and columns of a grid that is about as wide as high, where there is room."""
    rows_fit, columns_fit = (room[axis] // shape[axis] for axis in (-2, -1))
    columns = min(columns_fit, math.isqrt(n_replicas - 1) + 1)
    rows = -(-n_replicas // columns)
    if rows > rows_fit:
        rows = rows_fit
        columns = -(-n_replicas // rows)
    return rows, columns


def _along(length, room, n_cells, placement, device):
    """Which entry of the data lies at each place of an axis, whether one does, and its cell."""
    place = torch.arange(room, device=device)
    # cell i begins at floor(i * room / n_cells)
    cell = ((place + 1) * n_cells - 1) // room
    begin = cell * room // n_cells
    free = (cell + 1) * room // n_cells - begin - length
    source = place - begin - {"centre": free // 2, "start": 0, "end": free}[placement]
    return source.clamp(0, length - 1), (source >= 0) & (source < length), cell
