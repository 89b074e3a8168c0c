"""A small generator of handwritten digits."""

import torch
from torch import nn


class DigitsGenerator(nn.Module):
    """Generator of images of 8 x 8 pixels, a multilayer perceptron as in the first paper [1]_.

    It is trained in ``recipes/digits_generator``.

    Parameters
    ----------
    n_latent : int, default=32
        Numbers of one latent vector.
    n_hidden : int, default=256
        Numbers in each of the two hidden layers.
    brightest : float, default=16.0
        Highest value of a pixel; the lowest is 0.

    References
    ----------
    .. [1] I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.sources import DigitsGenerator
    >>> DigitsGenerator()(torch.zeros(5, 32)).shape
    torch.Size([5, 8, 8])
    """

    def __init__(self, n_latent=32, n_hidden=256, brightest=16.0):
        super().__init__()
        self.brightest = brightest
        self.layers = nn.Sequential(
            nn.Linear(n_latent, n_hidden),
            nn.LeakyReLU(0.1),
            nn.Linear(n_hidden, n_hidden),
            nn.LeakyReLU(0.1),
            nn.Linear(n_hidden, 64),
        )

    def forward(self, latents):
        """Draw images.

        Parameters
        ----------
        latents : torch.Tensor of shape (n, n_latent)
            Standard normal numbers.

        Returns
        -------
        images : torch.Tensor of shape (n, 8, 8)
            Pixels from 0 to `brightest`.
        """
        return self.brightest * torch.sigmoid(self.layers(latents)).unflatten(1, (8, 8))
