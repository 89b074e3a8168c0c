"""Adversarial training: what generates against a discriminator that knows the classes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from tqdm.auto import tqdm

from skreprogram.training._discriminator import ProjectionDiscriminator
from skreprogram.training._positive_unlabelled import discriminator_loss, share_of_good

# rows of the history that a training leaves
N_NOTED = 100
# steps of the discriminator to one whose gradient is penalised, so many times as much
PENALISED_EVERY = 4


@dataclass(frozen=True)
class AdversarialOptions:
    """How to train; the words are those of `GeneratorReprogrammer`."""

    n_steps: int = 500
    n_discriminator_steps: int = 2
    lr: float = 0.01
    discriminator_lr: float = 1e-3
    batch_size: int = 64
    gradient_penalty: float = 1.0
    averaging: float = 0.99
    loss: str = "positive-unlabelled"
    largest_share: float = 0.5
    discriminator: Callable | None = None
    verbose: int = 0


@dataclass(frozen=True)
class ConditionalGenerator:
    """What is trained: tensors, and the function from noise and class codes to samples.

    Parameters
    ----------
    params : dict of str to torch.Tensor
        All of them train.
    generate : callable
        ``generate(params, noise, codes)`` returns samples, differentiable in the tensors.
    n_noise : int
        Standard normal numbers that one sample is made of.
    """

    params: dict
    generate: Callable
    n_noise: int


def train_adversarially(conditional, rows, n_classes, scale, options, seed):
    """Train a conditional generator on labelled samples.

    Every batch holds the classes in equal shares, however rare they are in the data.

    Parameters
    ----------
    conditional : ConditionalGenerator
        What to train; its tensors stay as they are.
    rows : (torch.Tensor of shape (n_samples, ...), torch.Tensor of int of shape (n_samples,))
        Real samples and their class codes, on the device to train on.
    n_classes : int
        Number of classes, each with a sample.
    scale : (float, float)
        Centre and spread of the data.
    options : AdversarialOptions
        How.
    seed : int
        Of all that is drawn; the global generator is not disturbed.

    Returns
    -------
    params : dict of str to torch.Tensor
        Exponentially weighted means over the last steps.
    history : list of dict
        About a hundred rows: ``step``, ``loss``, ``discriminator_loss``, ``share``.

    Raises
    ------
    FloatingPointError
        When the losses are not finite.
    """
    game = _Game(conditional, rows, n_classes, scale, options, seed)
    history, every = [], max(1, options.n_steps // N_NOTED)
    bar = tqdm(total=options.n_steps, unit="step", disable=not options.verbose)
    bar.set_description("training the program")
    with bar:
        for step in range(options.n_steps):
            share = 0.0
            if options.loss == "positive-unlabelled":
                share = share_of_good(step, options.n_steps, n_classes, options.largest_share)
            cost, loss = game.step(step, share)
            bar.update()
            if (step + 1) % every == 0:
                history.append(_row(step, loss, cost, share))
                bar.set_postfix({name: f"{history[-1][name]:.3f}" for name in ("loss", "share")})
    return game.average, history


class _Game:
    """The two sides, their optimisers, and the draws."""

    def __init__(self, conditional, rows, n_classes, scale, options, seed):
        self.conditional, self.options, self.n_classes = conditional, options, n_classes
        self.X, codes = rows
        self.generator = torch.Generator().manual_seed(seed)
        self.order = codes.argsort(stable=True).cpu()
        self.counts = torch.bincount(codes, minlength=n_classes).cpu()
        self.starts = self.counts.cumsum(0) - self.counts
        params = conditional.params
        self.params = {name: p.detach().clone().requires_grad_() for name, p in params.items()}
        self.average = {name: p.detach().clone() for name, p in params.items()}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            opponent = ProjectionDiscriminator(
                tuple(self.X.shape[1:]), n_classes, *scale, options.discriminator
            )
        self.opponent = opponent.to(self.X.device, self.X.dtype)
        self.pupil_steps = _adam(self.params.values(), options.lr)
        self.opponent_steps = _adam(self.opponent.parameters(), options.discriminator_lr)

    def step(self, number, share):
        """Steps of the discriminator, then one of what generates; return the last two losses."""
        n_taught = self.options.n_discriminator_steps
        codes = torch.randint(
            self.n_classes, (n_taught + 1, self.options.batch_size), generator=self.generator
        )
        # what generates changes at the end only, so that it draws everything at once
        fake = self._samples(codes.flatten()).unflatten(0, codes.shape)
        for k in range(n_taught):
            penalised = (number * n_taught + k) % PENALISED_EVERY == 0
            cost = self._teach(codes[k], fake[k].detach(), share, penalised)
        return cost, self._improve(codes[-1], fake[-1], number)

    def _teach(self, codes, fake, share, penalised):
        real = self.X[self._rows_of(codes)]
        codes = codes.to(real.device)
        # real and generated samples in one pass
        scores = self.opponent(torch.cat([real, fake]), torch.cat([codes, codes]))
        cost = discriminator_loss(*scores.chunk(2), share)
        whole, weight = cost, PENALISED_EVERY * self.options.gradient_penalty
        if penalised and weight:
            whole = cost + weight * self._slope(real, codes)
        self.opponent_steps.zero_grad()
        whole.backward()
        self.opponent_steps.step()
        return cost.detach()

    def _improve(self, codes, fake, number):
        loss = -self.opponent(fake, codes.to(fake.device)).mean()
        values = list(self.params.values())
        gradients = torch.autograd.grad(loss, values)
        for value, gradient in zip(values, gradients, strict=True):
            value.grad = gradient
        self.pupil_steps.step()
        # a short memory at first, in which the values move most
        kept = min(self.options.averaging, (1 + number) / (10 + number))
        for name, value in self.params.items():
            self.average[name].lerp_(value.detach(), 1 - kept)
        return loss.detach()

    def _slope(self, real, codes):
        """Mean squared gradient of the scores of real samples (R1), on the scaled data."""
        real = real.requires_grad_()
        scores = self.opponent(real, codes).sum()
        (slopes,) = torch.autograd.grad(scores, real, create_graph=True)
        return (self.opponent.spread * slopes).flatten(1).square().sum(1).mean()

    def _samples(self, codes):
        shape = (len(codes), self.conditional.n_noise)
        noise = torch.randn(shape, generator=self.generator).to(self.X)
        return self.conditional.generate(self.params, noise, codes.to(self.X.device))

    def _rows_of(self, codes):
        """A row of each class asked for."""
        place = torch.rand(len(codes), generator=self.generator) * self.counts[codes]
        return self.order[self.starts[codes] + place.long()]


def _adam(values, lr):
    return torch.optim.Adam(list(values), lr, betas=(0.5, 0.999))


def _row(step, loss, cost, share):
    row = {"step": step + 1, "loss": loss.item(), "discriminator_loss": cost.item()}
    if not all(map(torch.isfinite, (loss, cost))):
        raise FloatingPointError(
            f"Got {row}, expected finite losses. Use a smaller lr or discriminator_lr, and check "
            "that X holds no extreme values."
        )
    return {**row, "share": share}
