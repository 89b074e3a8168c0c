"""Train an unconditional generator of scikit-learn's digits; README.md tells how."""

import argparse
import json
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from sklearn.datasets import load_digits
from torch.nn.functional import relu
from tqdm import trange

from discriminator import Discriminator
from skreprogram.sources._digits_generator import DigitsGenerator

N_TRAINING = 1297  # the last 500 images, by other writers, are left for judging
PENALISED_EVERY = 4  # steps, which costs a quarter of the time and nothing else


def main(argv=None):
    """Train with the given seed, and write the averaged generator and a report."""
    options = parse(argv)
    torch.manual_seed(options.seed)
    images = torch.tensor(load_digits().images[:N_TRAINING], dtype=torch.float32)  # no labels
    start = time.perf_counter()
    generator, losses = train(images, options)
    seconds = time.perf_counter() - start
    save_file(generator.state_dict(), options.out)
    report = {
        **{name: value for name, value in vars(options).items() if name != "out"},
        "n_parameters": sum(tensor.numel() for tensor in generator.parameters()),
        "last_losses": losses,
        "seconds": round(seconds),
    }
    options.out.with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report))


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    parser.add_argument("--steps", type=int, default=30_000)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-4)
    parser.add_argument("--penalty", type=float, default=0.1, help="weight of R1")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def train(images, options):
    """Hinge losses, one step of the discriminator to one of the generator.

    Parameters
    ----------
    images : torch.Tensor of shape (n, 8, 8)
        Pixels from 0 to 16.
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    generator : DigitsGenerator
        Mean over the last steps, exponentially weighted.
    losses : dict of str to float
        Of the last step.
    """
    generator, discriminator = DigitsGenerator(), Discriminator()
    averaged = torch.optim.swa_utils.AveragedModel(
        generator, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.999)
    )
    settings = {"lr": options.lr, "betas": (0.0, 0.9)}
    generator_steps = torch.optim.Adam(generator.parameters(), **settings)
    discriminator_steps = torch.optim.Adam(discriminator.parameters(), **settings)
    for number in trange(options.steps, unit="step", mininterval=1):
        real = images[torch.randint(len(images), (options.batch_size,))]
        fake = generator(torch.randn(options.batch_size, 32))
        cost = hinge(discriminator, real, fake.detach())
        if number % PENALISED_EVERY == 0:
            cost = cost + PENALISED_EVERY * options.penalty * slope(discriminator, real)
        step(discriminator_steps, cost)
        loss = -discriminator(fake).mean()
        step(generator_steps, loss)
        averaged.update_parameters(generator)
    return averaged.module, {"discriminator": cost.item(), "generator": loss.item()}


def hinge(discriminator, real, fake):
    return relu(1 - discriminator(real)).mean() + relu(1 + discriminator(fake)).mean()


def slope(discriminator, real):
    """Mean squared gradient at real images (R1), on the scale from -1 to 1 of the discriminator."""
    real = real.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(discriminator(real).sum(), real, create_graph=True)
    return (8 * slopes).square().sum((1, 2)).mean()


def step(optimizer, cost):
    optimizer.zero_grad()
    cost.backward()
    optimizer.step()


if __name__ == "__main__":
    main()
