"""The opponent in adversarial training: it tells real samples of a class from generated ones."""

import math

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

# images with more numbers than this are looked at by convolutions
DENSE_AT_MOST = 256
N_HIDDEN = 128


class ProjectionDiscriminator(nn.Module):
    """Scores of samples given their class, ``w . phi(x) + e_y . phi(x)`` [1]_.

    All matrices have spectral norm one [2]_. It serves training only and is no part of a program.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample.
    n_classes : int
        Number of classes.
    centre, spread : float, default=0.0, 1.0
        It sees ``(x - centre) / spread``.
    body : callable or None, default=None
        Function of the shape that makes phi, a module from ``(n, *shape)`` to ``(n, d)``. None
        takes two dense layers, or convolutions for images of more than 256 numbers.

    References
    ----------
    .. [1] T. Miyato, M. Koyama, "cGANs with Projection Discriminator", ICLR 2018.
    .. [2] T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida, "Spectral Normalization for Generative
       Adversarial Networks", ICLR 2018.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.training._discriminator import ProjectionDiscriminator
    >>> scores = ProjectionDiscriminator((8, 8), 3)(torch.rand(5, 8, 8), torch.tensor([0] * 5))
    >>> scores.shape
    torch.Size([5])
    """

    def __init__(self, shape, n_classes, centre=0.0, spread=1.0, body=None):
        super().__init__()
        self.centre, self.spread = centre, spread
        self.body = default_body(shape) if body is None else body(shape)
        with torch.no_grad():
            features = self.body(torch.zeros(2, *shape))
        if features.ndim != 2 or len(features) != 2:
            raise ValueError(
                f"Got features of shape {tuple(features.shape)} from discriminator for two "
                "samples, expected (2, d). End it in torch.nn.Flatten()."
            )
        self.head = spectral_norm(nn.Linear(features.shape[1], 1))
        self.embedding = spectral_norm(nn.Embedding(n_classes, features.shape[1]))

    def forward(self, X, codes):
        """One score a sample, high for what looks like a real one of its class."""
        features = self.body((X - self.centre) / self.spread)
        return self.head(features).squeeze(1) + (self.embedding(codes) * features).sum(1)


def default_body(shape):
    """Features of samples: dense layers, or convolutions for images that are not tiny.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample.

    Returns
    -------
    body : torch.nn.Module
        From ``(n, *shape)`` to ``(n, d)``.
    """
    is_image = len(shape) in (2, 3) and min(shape[-2:]) >= 8
    if math.prod(shape) <= DENSE_AT_MOST or not is_image:
        return nn.Sequential(
            nn.Flatten(),
            spectral_norm(nn.Linear(math.prod(shape), N_HIDDEN)),
            nn.LeakyReLU(0.1),
            spectral_norm(nn.Linear(N_HIDDEN, N_HIDDEN)),
            nn.LeakyReLU(0.1),
        )
    n_channels = 1 if len(shape) == 2 else shape[0]
    layers = [nn.Flatten(), nn.Unflatten(1, (n_channels, *shape[-2:]))]
    for n_inputs, width in ((n_channels, 32), (32, 64), (64, 128)):
        layers += [spectral_norm(nn.Conv2d(n_inputs, width, 4, 2, 1)), nn.LeakyReLU(0.1)]
    return nn.Sequential(*layers, nn.Flatten())
