"""The contract of a gradient, and of what it may ask."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch

from skreprogram._strategy import Strategy


class Objective(ABC):
    """The loss of one batch as a function of the input side's numbers.

    All candidates of a call are answered together: they are programs side by side, in one pass of
    ``n_candidates x n_rows`` rows through the source.

    Attributes
    ----------
    n_rows : int
        Rows of the batch: what one candidate costs in queries.
    """

    n_rows: int

    @abstractmethod
    def losses(self, candidates):
        """Loss of every candidate on the same batch, with the same draws of all that is random.

        Parameters
        ----------
        candidates : torch.Tensor of shape (n_candidates, n_numbers)
            Programs, flat.

        Returns
        -------
        losses : torch.Tensor of shape (n_candidates,)
            In the order of the candidates.
        """

    @abstractmethod
    def levels_moved(self, start, candidates):
        """How far candidates move the source's inputs; asks no queries.

        Parameters
        ----------
        start : torch.Tensor of shape (n_numbers,)
            The program as it is.
        candidates : torch.Tensor of shape (n_candidates, n_numbers)
            Programs to compare with it.

        Returns
        -------
        levels : torch.Tensor of shape (n_candidates,) or None
            Mean distance, over those input values that move at all and before rounding, in steps
            of the source's quantisation; None where the source's inputs are not quantised.
        """


class Step(NamedTuple):
    """What one step of an estimate gives.

    Parameters
    ----------
    gradient : torch.Tensor of shape (n_numbers,) or None
        For the optimiser; None where `program` says where to go.
    program : torch.Tensor of shape (n_numbers,) or None
        The next program, where the strategy is an optimiser of its own.
    loss : torch.Tensor of shape ()
        Loss at the program, or next to it where the program itself was not asked about.
    """

    gradient: torch.Tensor | None
    program: torch.Tensor | None
    loss: torch.Tensor


class Gradient(Strategy, family="gradient"):
    """How the gradient of a program is had.

    With `looks_inside` it needs a source that torch can differentiate. With `asks_queries` it is
    estimated from losses alone, by the methods of `QueryGradient`. With `needs_draws` the input
    transformation must be one that chooses, and can draw.
    """

    asks_queries = False
    looks_inside = False
    needs_draws = False


class QueryGradient(Gradient):
    """A gradient that is estimated from queries, for sources that only answer.

    An estimator is a specification with pure functions on flat vectors, in the precision of the
    program. What it carries from step to step is a dictionary of tensors and numbers.
    """

    asks_queries = True

    @abstractmethod
    def candidates_per_step(self, n_numbers):
        """Programs that every step evaluates, all of them in one call of the objective.

        Parameters
        ----------
        n_numbers : int
            Numbers of the program.

        Returns
        -------
        n_candidates : int
            Times the rows of a batch, the queries of a step.
        """

    @abstractmethod
    def begin(self, start, generator):
        """Return what is carried from step to step, for example a step counter.

        Parameters
        ----------
        start : torch.Tensor of shape (n_numbers,)
            The program of the start.
        generator : torch.Generator
            The only source of randomness, in `begin` and in `step`.

        Returns
        -------
        state : dict
            Tensors and numbers, and for CMA-ES its own object.
        """

    @abstractmethod
    def step(self, program, objective, state, generator):
        """Estimate the gradient at a program from the losses of others next to it.

        Parameters
        ----------
        program : torch.Tensor of shape (n_numbers,)
            The program as it is.
        objective : Objective
            The batch.
        state : dict
            What `begin` returned; changed in place.
        generator : torch.Generator
            The program's own.

        Returns
        -------
        step : Step
            Where to go, and the loss.
        """
