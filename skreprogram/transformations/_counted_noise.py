"""Noise as a pure function of a seed, so that it can be drawn inside ``torch.func.vmap``."""

import math

import torch

WORD = 0xFFFFFFFF


def gumbel_noise(seed, shape):
    """Independent standard Gumbel numbers, the same on every device.

    Parameters
    ----------
    seed : torch.Tensor of int64 of shape (1,)
        Not negative; other seeds give other numbers.
    shape : tuple of int
        What is wanted.

    Returns
    -------
    noise : torch.Tensor of float32 of that shape

    Notes
    -----
    A counter goes through a hash of 32 bits [1]_, twice, with the seed between.

    References
    ----------
    .. [1] C. Wellons, "Prospecting for Hash Functions", nullprogram.com, 2018: lowbias32.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.transformations._counted_noise import gumbel_noise
    >>> noise = gumbel_noise(torch.tensor([3]), (1000, 10))
    >>> round(noise.mean().item(), 1)  # Euler's constant
    0.6
    """
    counter = torch.arange(math.prod(shape), device=seed.device).reshape(shape)
    bits = _hashed(_hashed(counter) ^ _hashed(seed + 1))
    # 23 bits and a half: neither 0 nor 1 in float32
    uniform = ((bits >> 9).float() + 0.5) / 2**23
    return -(-uniform.log()).log()


def _hashed(words):
    """Whole numbers of 32 bits, mixed; products that are too large lose high bits only."""
    words = words & WORD
    words = ((words ^ (words >> 16)) * 0x7FEB352D) & WORD
    words = ((words ^ (words >> 15)) * 0x846CA68B) & WORD
    return words ^ (words >> 16)
