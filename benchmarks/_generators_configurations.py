"""Ways to draw digits of a class, for the benchmark of generators."""

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skreprogram import GeneratorReprogrammer
from skreprogram.sources import DigitsGenerator, load_source
from skreprogram.training import AdversarialOptions, ConditionalGenerator, train_adversarially

N_LATENT, N_EMBEDDING = 32, 8


class FromScratch(BaseEstimator):
    """A conditional GAN on the labelled images alone, nothing pretrained.

    The generator is that of the source, with an embedding of the class behind its noise; losses,
    discriminator and averaging are those of `GeneratorReprogrammer`.

    Parameters
    ----------
    n_steps, lr, gradient_penalty, loss, averaging, random_state
        As there.
    """

    def __init__(
        self,
        n_steps=500,
        lr=1e-3,
        gradient_penalty=3.0,
        loss="hinge",
        averaging=0.99,
        random_state=None,
    ):
        self.n_steps = n_steps
        self.lr = lr
        self.gradient_penalty = gradient_penalty
        self.loss = loss
        self.averaging = averaging
        self.random_state = random_state

    def fit(self, X, y):
        """Train on images (n, 64) with labels 0 to 9."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.random_state)
            self.network_ = DigitsGenerator(N_LATENT + N_EMBEDDING)
            embedding = torch.randn(10, N_EMBEDDING)
        params = {"embedding": embedding, **dict(self.network_.named_parameters())}
        conditional = ConditionalGenerator(params, self._generate, N_LATENT)
        options = AdversarialOptions(
            n_steps=self.n_steps,
            lr=self.lr,
            gradient_penalty=self.gradient_penalty,
            loss=self.loss,
            averaging=self.averaging,
        )
        images = torch.from_numpy(np.float32(X)).reshape(-1, 8, 8)
        rows = images, torch.from_numpy(y)
        self.params_, _ = train_adversarially(
            conditional, rows, 10, (8.0, 8.0), options, self.random_state
        )
        return self

    def sample(self, y, random_state=None):
        """Images (n, 64) of the labels (n,)."""
        generator = torch.Generator().manual_seed(random_state)
        noise = torch.randn(len(y), N_LATENT, generator=generator)
        with torch.no_grad():
            images = self._generate(self.params_, noise, torch.as_tensor(y))
        return images.flatten(1).numpy()

    def _generate(self, params, noise, codes):
        weights = {name: value for name, value in params.items() if name != "embedding"}
        latents = torch.cat([noise, params["embedding"][codes]], 1)
        return torch.func.functional_call(self.network_, weights, (latents,))


class Copies(BaseEstimator):
    """The labelled images themselves, drawn with replacement: right, and nothing new."""

    def fit(self, X, y):
        """Keep images (n, 64) and labels (n,)."""
        self.X_, self.y_ = X, y
        return self

    def sample(self, y, random_state=None):
        """Images (n, 64) of the labels (n,)."""
        rng = check_random_state(random_state)
        return self.X_[[rng.choice(np.flatnonzero(self.y_ == label)) for label in y]]


def _random_weights(seed):
    source = load_source("digits-generator").with_random_weights(seed)
    return GeneratorReprogrammer(source, random_state=seed)


CONFIGURATIONS = {
    "reprogrammed": lambda seed: GeneratorReprogrammer(random_state=seed),
    "hinge": lambda seed: GeneratorReprogrammer(loss="hinge", random_state=seed),
    "share-to-1": lambda seed: GeneratorReprogrammer(largest_share=1.0, random_state=seed),
    "per-class": lambda seed: GeneratorReprogrammer(
        input_transformation="per-class", random_state=seed
    ),
    "random-weights": _random_weights,
    "from-scratch": lambda seed: FromScratch(random_state=seed),
    "from-scratch-pu": lambda seed: FromScratch(loss="positive-unlabelled", random_state=seed),
    "copies": lambda seed: Copies(),
}
