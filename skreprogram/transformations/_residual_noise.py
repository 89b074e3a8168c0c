"""Invertible residual blocks before a generator, shared by the classes or one stack a class."""

import math
from numbers import Real

import torch
from torch.nn.functional import leaky_relu

from skreprogram.transformations._noise import NoiseTransformation, as_latents
from skreprogram.transformations._parameters import check_whole


class ResidualNoise(NoiseTransformation, name="residual"):
    """Noise and an embedding of the class through invertible residual blocks (InRep+ [1]_).

    ``z_0 = (u, e_y)`` and ``z_k = z_(k-1) + a(W_k2 a(W_k1 z_(k-1) + b_k1) + b_k2)`` with the leaky
    rectifier ``a`` of slope 0.1. All matrices have spectral norms of at most `contraction`, so that
    every block is invertible [2]_: different noise never collapses into one latent, and what the
    generator can draw of a class is not lost by the program.

    Parameters
    ----------
    n_embedding : int or None, default=None
        Numbers that stand for a class; noise fills the rest of the latent. None takes a quarter of
        the latent. The paper has 10 of 128.
    n_blocks : int, default=3
        Residual blocks.
    contraction : float in (0, 1), default=0.9
        Largest spectral norm of a matrix. At 1, which is what spectral normalisation gives,
        invertibility is not certain.

    Notes
    -----
    The norms are computed exactly in each step, by singular values; beyond about 500 numbers a
    latent this is what takes the time.

    References
    ----------
    .. [1] T. Dinh, D. Seo, Z. Du, L. Shang, K. Lee, "Improved Input Reprogramming for GAN
       Conditioning", 2022, arXiv:2201.02692.
    .. [2] J. Behrmann, W. Grathwohl, R. Chen, D. Duvenaud, J.-H. Jacobsen, "Invertible Residual
       Networks", ICML 2019.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import ResidualNoise
    >>> residual, space = ResidualNoise(n_embedding=2), InputSpace((8,))
    >>> params = residual.init(3, space, torch.Generator())
    >>> noise, codes = torch.randn(5, residual.n_noise(space)), torch.tensor([0, 0, 1, 1, 2])
    >>> residual.apply(params, noise, codes, space).shape
    torch.Size([5, 8])
    """

    def __init__(self, n_embedding=None, n_blocks=3, contraction=0.9):
        self.n_embedding = n_embedding
        self.n_blocks = n_blocks
        self.contraction = contraction

    def n_noise(self, space):
        return space.size - self._n_embedding(space)

    def init(self, n_classes, space, generator):
        _check(self)
        embedding = torch.randn(n_classes, self._n_embedding(space), generator=generator)
        return {"embedding": embedding, **_draw_blocks((), self.n_blocks, space.size, generator)}

    def apply(self, params, noise, codes, space):
        values = torch.cat([noise, params["embedding"][codes]], 1)
        weights = contracted(params["weights"], self.contraction)
        for weight, bias in zip(weights, params["biases"], strict=True):
            inner = _rectified(values @ weight[0].T + bias[0])
            values = values + _rectified(inner @ weight[1].T + bias[1])
        return as_latents(values, space)

    def _n_embedding(self, space):
        if space.size < 2:
            raise ValueError(
                f"Got a generator whose latents have shape {space.shape}, expected at least two "
                "numbers: one of noise, one for the class. Use input_transformation='per-class'."
            )
        if self.n_embedding is None:
            return max(1, space.size // 4)
        check_whole(self, "n_embedding", 1, space.size - 1)
        return self.n_embedding


class PerClassNoise(NoiseTransformation, name="per-class"):
    """Residual blocks of its own for every class, nothing shared (GAN reprogramming [1]_).

    The noise has as many numbers as the latent. In the paper a discriminator is trained for each
    class as well; here the classes share one, which knows the class.

    Parameters
    ----------
    n_blocks : int, default=3
        Residual blocks.
    contraction : float in (0, 1), default=0.9
        Largest spectral norm of a matrix.

    See Also
    --------
    ResidualNoise : The same with the blocks shared, which needs fewer labels.

    References
    ----------
    .. [1] K. Lee, C. Suh, K. Ramchandran, "Reprogramming GANs via Input Noise Design", ECML PKDD
       2020.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import PerClassNoise
    >>> params = PerClassNoise(n_blocks=2).init(3, InputSpace((8,)), torch.Generator())
    >>> params["weights"].shape
    torch.Size([3, 2, 2, 8, 8])
    """

    def __init__(self, n_blocks=3, contraction=0.9):
        self.n_blocks = n_blocks
        self.contraction = contraction

    def n_noise(self, space):
        return space.size

    def init(self, n_classes, space, generator):
        _check(self)
        return _draw_blocks((n_classes,), self.n_blocks, space.size, generator)

    def apply(self, params, noise, codes, space):
        weights = contracted(params["weights"], self.contraction)[codes]
        biases, values = params["biases"][codes], noise
        for block in range(weights.shape[1]):
            inner = _rectified(_rows(weights[:, block, 0], values) + biases[:, block, 0])
            values = values + _rectified(_rows(weights[:, block, 1], inner) + biases[:, block, 1])
        return as_latents(values, space)


def contracted(matrices, largest):
    """Scale matrices down to a spectral norm of at most `largest`.

    Parameters
    ----------
    matrices : torch.Tensor of shape (..., n, n)
        Square matrices.
    largest : float
        Bound of their largest singular values.

    Returns
    -------
    scaled : torch.Tensor of shape (..., n, n)
        Those within the bound as they are.
    """
    norms = torch.linalg.matrix_norm(matrices, 2).clamp_min(largest)
    return matrices * (largest / norms)[..., None, None]


def _draw_blocks(leading, n_blocks, size, generator):
    """Matrices near a spectral norm of one, as random ones with this spread have half of it."""
    shape = (*leading, n_blocks, 2, size, size)
    return {
        "weights": torch.randn(shape, generator=generator) / (2 * math.sqrt(size)),
        "biases": torch.zeros(shape[:-1]),
    }


def _rectified(values):
    return leaky_relu(values, 0.1)


def _rows(matrices, values):
    """Each row by its own matrix."""
    return (matrices @ values.unsqueeze(-1)).squeeze(-1)


def _check(transformation):
    check_whole(transformation, "n_blocks")
    value = transformation.contraction
    if not isinstance(value, Real) or not 0 < value < 1:
        raise ValueError(
            f"Got contraction={value!r} in {type(transformation).__name__}, expected a number "
            "between 0 and 1, without the ends."
        )
