"""Tokens as trained patches of an image."""

import math
import warnings

import torch
from torch.nn import functional

from skreprogram.transformations._host import host_image
from skreprogram.transformations._parameters import check_whole
from skreprogram.transformations._range import bounded, clipped, swing
from skreprogram.transformations._tokens import TokenTransformation, kept_tokens

# with fewer pixels a side, networks for photographs have hardly anything left to pool
SMALLEST = 64


class TokenPatchesTransformation(TokenTransformation, name="token-patches"):
    """Show tokens to a source of images: each token is a trained patch of pixels.

    The scheme of [1]_: a table ``theta`` holds one patch of ``channels x p x p`` numbers for every
    token of the vocabulary. Token i of a sample lies in row ``i // r`` and column ``i % r`` of a
    grid of r columns. Where pixels go from 0 to 1,
    ``inputs = (tanh(theta[token] + position[i]) + 1) / 2``.

    Parameters
    ----------
    patch_size : int, default=8
        Pixels of both sides of a patch. The authors' 16 is the patch of a vision transformer.
    image_size : int or None, default=None
        Pixels of both sides of the image. None takes the source's own height and width; where the
        source takes any size (``flexible``), the smallest square that holds all tokens, but at
        least 64 pixels and at most the source's own: a short sequence need not pay for 224.
    init_scale : float, default=1.0
        Standard deviation of the table at its start.
    positions : bool, default=True
        Whether a second table is added inside the tanh, with a patch for each cell of the grid
        instead of each token; it starts at 0. The authors' transformers know positions by
        themselves, convolutional networks see what is there better than where.
    host : array-like of shape (height, width) or (channels, height, width), or None, default=None
        An image to hide the patches in, inside the source's value range; it is resized. Then
        ``inputs = clip(host + 2 strength half_range tanh(...))``. None lets the patches
        be the image.
    strength : float, default=0.1
        Largest addition to a host, as a share of the width of the value range. The default is the
        paper's ``alpha = 0.2`` for pixels from -1 to 1.
    l2 : float, default=0.0
        Weight of the squared tables in the training loss.
    n_tokens : int or None, default=None
        Numbers of tokens that there are; :class:`skreprogram.SequenceReprogrammer` sets it.

    Notes
    -----
    Cells behind the last token hold the patch of padding, which trains like every other; the
    authors repeat the last token, so that a text and the same text with its last word said again
    would look alike. Tokens for which there is no cell are dropped, with a warning. Pixels that
    are left over, where the image's sides are no multiples of the patch's, hold the middle of the
    value range, or the host. Sources whose range is unbounded get the table as it is.

    The authors bound normalised pixels, so that a patch cannot reach the ends of the range with the
    normalisation of ImageNet; here the bounds are those of the range itself.

    References
    ----------
    .. [1] P. Neekhara, S. Hussain, J. Du, S. Dubnov, F. Koushanfar, J. McAuley, "Cross-modal
       Adversarial Reprogramming", WACV 2022.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import TokenPatchesTransformation
    >>> patches, space = TokenPatchesTransformation(1, init_scale=0.0), InputSpace((1, 2, 2))
    >>> X = torch.tensor([[2, 3, 2]])
    >>> params = patches.init(X, space, torch.Generator())
    >>> params["patches"] += torch.tensor([0.0, 0.1, 0.2, 0.3]).reshape(4, 1, 1, 1)
    >>> patches.apply(params, X, space)
    tensor([[[[0.2000, 0.3000],
              [0.2000, 0.0000]]]])
    """

    def __init__(
        self,
        patch_size=8,
        image_size=None,
        init_scale=1.0,
        positions=True,
        host=None,
        strength=0.1,
        l2=0.0,
        n_tokens=None,
    ):
        self.patch_size = patch_size
        self.image_size = image_size
        self.init_scale = init_scale
        self.positions = positions
        self.host = host
        self.strength = strength
        self.l2 = l2
        self.n_tokens = n_tokens

    @property
    def trainable(self):
        return ("patches", "positions") if self.positions else ("patches",)

    def init(self, X, space, generator):
        self._check(space)
        n_tokens, size = self.table_length(X), self._size(X.shape[1], space)
        n_cells = math.prod(self._grid(size))
        if X.shape[1] > n_cells:
            warnings.warn(
                f"Got samples of {X.shape[1]} tokens for {n_cells} cells of {self.patch_size} x "
                f"{self.patch_size} pixels in an image of {size[0]} x {size[1]}: the tokens behind "
                "them are dropped. Use a smaller patch_size, a larger image_size where the source "
                "takes it, or a smaller max_length to silence this.",
                stacklevel=2,
            )
        patch = space.shape[0], self.patch_size, self.patch_size
        drawn = torch.randn(n_tokens, *patch, generator=generator, dtype=torch.float32)
        params = {"patches": self.init_scale * drawn}
        if self.positions:
            params["positions"] = drawn.new_zeros(n_cells, *patch)
        if self.host is not None:
            params["host"] = host_image(self.host, space, size)
        return params

    def apply(self, params, X, space):
        size = self._size(X.shape[1], space)
        program = self._laid_out(params, X, size)
        if self.host is None:
            return bounded(program, space)
        return clipped(params["host"] + swing(program, space, self.strength), space)

    def penalty(self, params):
        if not self.l2:
            return 0.0
        return self.l2 * sum(params[name].square().sum() for name in self.trainable)

    def _laid_out(self, params, X, size):
        """Patches of the tokens side by side: (n_samples, channels, height, width)."""
        rows, columns = self._grid(size)
        patches = params["patches"][kept_tokens(X, rows * columns)]
        if self.positions:
            patches = patches + params["positions"]
        # (n, rows, columns, channels, p, p) to (n, channels, rows, p, columns, p)
        cells = patches.unflatten(1, (rows, columns)).permute(0, 3, 1, 4, 2, 5)
        image = cells.flatten(4, 5).flatten(2, 3)
        return functional.pad(image, (0, size[1] - image.shape[3], 0, size[0] - image.shape[2]))

    def _grid(self, size):
        """Rows and columns of cells."""
        return size[0] // self.patch_size, size[1] // self.patch_size

    def _size(self, length, space):
        """Height and width of the image."""
        if self.image_size is not None:
            return self.image_size, self.image_size
        if not space.flexible:
            return tuple(space.shape[1:])
        side = math.isqrt(max(length, 1) - 1) + 1
        cells = max(side, -(-SMALLEST // self.patch_size))
        return tuple(min(cells * self.patch_size, own) for own in space.shape[1:])

    def _check(self, space):
        if len(space.shape) != 3:
            raise ValueError(
                f"Got a source that takes inputs of shape {tuple(space.shape)} for "
                f"{type(self).__name__}, expected one that takes images: (channels, height, "
                "width). Choose such a source, or another transformation of tokens."
            )
        own = tuple(space.shape[1:])
        if self.image_size is not None:
            check_whole(self, "image_size")
            if not space.flexible and (self.image_size, self.image_size) != own:
                raise ValueError(
                    f"Got image_size={self.image_size} in {type(self).__name__}, but the source "
                    f"takes images of {own[0]} x {own[1]} pixels only. Leave image_size out."
                )
        check_whole(self, "patch_size", 1, self.image_size or min(own))
