"""The opponent of the generator; it is needed in training only."""

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


class Discriminator(nn.Sequential):
    """Dense layers of spectral norm one over images ``(n, 8, 8)`` of values from 0 to 16."""

    def __init__(self, n_hidden=192):
        super().__init__(
            nn.Flatten(),
            spectral_norm(nn.Linear(64, n_hidden)),
            nn.LeakyReLU(0.1),
            spectral_norm(nn.Linear(n_hidden, n_hidden)),
            nn.LeakyReLU(0.1),
            nn.Linear(n_hidden, 1),
        )

    def forward(self, images):
        """One score an image, higher for what looks real."""
        return super().forward(images / 8 - 1).squeeze(1)
