"""CMA-ES: a population that learns the shape of the loss."""

import math

import numpy as np
import torch

from skreprogram.gradients._base import QueryGradient, Step
from skreprogram.gradients._parameters import check_number, check_whole


class CovarianceAdaptation(QueryGradient, name="cma-es"):
    """Draw programs from a normal distribution and move it to the better ones.

    The covariance matrix adaptation evolution strategy [1]_, by the package ``cma`` [2]_. It is an
    optimiser of its own, which needs no learning rate: a step returns the next program, the mean
    of the distribution. It only compares losses, and so leads where queries are few and programs
    small; the covariances of d numbers are d^2.

    Parameters
    ----------
    population : int or None, default=None
        Programs in each step; None stands for ``4 + floor(3 ln d)``.
    sigma0 : float, default=0.3
        Standard deviation of the program's numbers at the start.
    max_numbers : int, default=1000
        Larger programs are refused.

    Notes
    -----
    The state holds the package's object, which pickles: a fit that is resumed from it goes on as
    if it had not stopped.

    References
    ----------
    .. [1] N. Hansen, A. Ostermeier, "Completely Derandomized Self-Adaptation in Evolution
       Strategies", Evolutionary Computation 9, 2001.
    .. [2] N. Hansen, Y. Akimoto, P. Baudis, "CMA-ES/pycma on Github", Zenodo, 2019.

    Examples
    --------
    >>> from skreprogram.gradients import CovarianceAdaptation
    >>> CovarianceAdaptation().candidates_per_step(192)
    19
    """

    def __init__(self, population=None, sigma0=0.3, max_numbers=1000):
        self.population = population
        self.sigma0 = sigma0
        self.max_numbers = max_numbers

    def candidates_per_step(self, n_numbers):
        self._check(n_numbers)
        return self.population or 4 + int(3 * math.log(n_numbers))

    def begin(self, start, generator):
        seed = torch.randint(2**31, (), generator=generator, device=generator.device).item()
        options = {
            "popsize": self.candidates_per_step(len(start)),
            # numbers of its own, and no seed: otherwise cma seeds numpy's global state and uses it
            "randn": np.random.RandomState(seed).randn,
            "seed": np.nan,
            "verbose": -9,
        }
        return {"search": _cma().CMAEvolutionStrategy(_array(start), self.sigma0, options)}

    def step(self, program, objective, state, generator):
        search = state["search"]
        # where training goes on from another program, for example the best so far
        search.mean = _array(program)
        asked = search.ask()
        losses = objective.losses(torch.as_tensor(np.stack(asked)).to(program))
        search.tell(asked, losses.tolist())
        return Step(None, torch.as_tensor(search.mean).to(program), losses.mean())

    def _check(self, n_numbers):
        if self.population is not None:
            check_whole(self, "population", lowest=3)
        check_number(self, "sigma0")
        check_whole(self, "max_numbers")
        if n_numbers > self.max_numbers:
            raise ValueError(
                f"Got a program of {n_numbers} numbers for CovarianceAdaptation, expected at most "
                f"{self.max_numbers}, because it learns a matrix of their covariances. Use a "
                "coarse program, for example PaddingTransformation(n_points=8), gradient='spsa', "
                "or a larger max_numbers."
            )


def _array(program):
    return program.detach().cpu().double().numpy()


def _cma():
    try:
        import cma
    except ImportError as error:
        raise ImportError(
            "Got no cma, the package behind CovarianceAdaptation. Install it: "
            "pip install skreprogram[black-box]."
        ) from error
    return cma
