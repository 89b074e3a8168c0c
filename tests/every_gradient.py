"""Every gradient from queries, and losses whose gradient is known. Tests import this module."""

import torch

from skreprogram.gradients import (
    CovarianceAdaptation,
    Gradient,
    Objective,
    QueryGradient,
    RandomDirections,
    SimultaneousPerturbation,
)

VARIANTS = {
    "rgf, two-sided": RandomDirections(4, two_sided=True),
    "rgf, orthogonal": RandomDirections(4, orthogonal=True),
    "rgf, dimension": RandomDirections(4, scale="dimension", smoothing=0.5),
    "spsa, corrected": SimultaneousPerturbation(
        3, perturbation="segmented", momentum=0.9, gain_decay=0.4, scale=2.0
    ),
    "cma-es, large": CovarianceAdaptation(population=12),
}
ASKING = [name for name in Gradient.names() if isinstance(Gradient.resolve(name), QueryGradient)]
EVERY_NAME = [*ASKING, *VARIANTS]


def gradient_of(name):
    """The strategy of a short name or a variant."""
    return VARIANTS[name] if name in VARIANTS else Gradient.resolve(name)


class Recorded(Objective):
    """A loss that notes what it is asked."""

    n_rows = 1

    def __init__(self, loss, levels_per_unit=None):
        self.loss = loss
        self.levels_per_unit = levels_per_unit
        self.calls = []

    def losses(self, candidates):
        self.calls.append(candidates.clone())
        return torch.stack([self.loss(candidate) for candidate in candidates])

    def levels_moved(self, start, candidates):
        """For a source whose inputs are the program, in so many levels for every 1."""
        if self.levels_per_unit is None:
            return None
        return self.levels_per_unit * (candidates - start).abs().mean(1)


def bowl(n_numbers=6, seed=0, dtype=torch.float64):
    """A quadratic with a minimum of 0 at some point: (loss, gradient, minimum)."""
    generator = torch.Generator().manual_seed(seed)
    minimum = torch.randn(n_numbers, generator=generator, dtype=dtype)
    turn = torch.linalg.qr(torch.randn(n_numbers, n_numbers, generator=generator, dtype=dtype))[0]
    matrix = turn @ torch.diag(torch.linspace(1, 4, n_numbers, dtype=dtype)) @ turn.T
    return (
        lambda w: 0.5 * (w - minimum) @ matrix @ (w - minimum),
        lambda w: matrix @ (w - minimum),
        minimum,
    )


def network(n_numbers=40, seed=0):
    """The loss of a small frozen tanh network that is given the program, in double precision."""
    generator = torch.Generator().manual_seed(seed)
    options = {"generator": generator, "dtype": torch.float64}
    hidden = torch.randn(n_numbers, 16, **options) / n_numbers**0.5
    out = torch.randn(16, **options)
    return lambda w: torch.nn.functional.softplus(torch.tanh(w @ hidden) @ out)


def true_gradient(loss, program):
    """By backpropagation."""
    return torch.func.grad(loss)(program)


def walk(gradient, objective, start, n_steps, lr=0.1, seed=0):
    """Steps of plain SGD, or of the strategy itself: (last program, steps)."""
    generator = torch.Generator().manual_seed(seed)
    state, program, steps = gradient.begin(start, generator), start, []
    for _ in range(n_steps):
        steps.append(gradient.step(program, objective, state, generator))
        step = steps[-1]
        program = program - lr * step.gradient if step.program is None else step.program
    return program, steps
