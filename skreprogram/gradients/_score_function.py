"""The score function: a gradient for programs that choose, from queries."""

from typing import NamedTuple

import torch

from skreprogram.gradients._base import Gradient, Step
from skreprogram.gradients._parameters import check_choice, check_number, check_whole


class Draws(NamedTuple):
    """What an objective answers about choices that a program drew.

    Parameters
    ----------
    losses : torch.Tensor of shape (n_draws, n_rows)
        Loss of every draw of every row.
    log_probs : torch.Tensor of shape (n_draws, n_rows)
        Logarithm of the probability of each draw, with the graph of the program.
    shares : torch.Tensor of shape (n_rows,)
        Share of each row in the loss of the batch; the sum is 1.
    """

    losses: torch.Tensor
    log_probs: torch.Tensor
    shares: torch.Tensor


class ScoreFunction(Gradient, name="score-function"):
    """Draw choices, ask what they cost, make the cheap ones likelier: REINFORCE.

    For input transformations that choose among source tokens and can draw, such as
    :class:`skreprogram.transformations.VocabularyRemapping`. With S draws s of every row and
    baselines b that do not depend on them,

    ``g = 1 / S * sum_s (loss(s) - b) * grad log p(s)``

    is an unbiased estimate of the gradient of the expected loss [1]_. A query costs as much as one
    of an ordinary training row: a step asks ``S`` times the rows of a batch.

    Parameters
    ----------
    n_draws : int, default=4
        Draws of each row in each step: S.
    baseline : {"leave-one-out", "moving-average", "none"}, default="leave-one-out"
        What losses are compared with: the mean of the row's other draws [2]_, for which there must
        be two at least; the average of earlier steps' losses, and in the first step of the batch's
        other draws; or 0.
    decay : float, default=0.9
        Share of earlier steps in the moving average.

    Notes
    -----
    Reprogramming of texts by labels alone began with one draw, the rewards 1 and -1, no baseline,
    and losses of the first tokens only in the first epochs [3]_. Here a loss of any kind is the
    cost.

    References
    ----------
    .. [1] R. J. Williams, "Simple Statistical Gradient-Following Algorithms for Connectionist
       Reinforcement Learning", Machine Learning 8, 1992.
    .. [2] W. Kool, H. van Hoof, M. Welling, "Buy 4 REINFORCE Samples, Get a Baseline for Free!",
       ICLR workshop 2019.
    .. [3] P. Neekhara, S. Hussain, S. Dubnov, F. Koushanfar, "Adversarial Reprogramming of Text
       Classification Neural Networks", EMNLP 2019.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.gradients import Draws, ScoreFunction
    >>> class Coin:
    ...     def draws(self, program, n_draws, generator):
    ...         p = program.sigmoid()
    ...         heads = torch.rand(n_draws, 1, generator=generator) < p.detach()
    ...         log_probs = torch.where(heads, p.log(), (1 - p).log())
    ...         return Draws(heads.float(), log_probs, torch.ones(1))
    >>> score, generator = ScoreFunction(n_draws=20_000), torch.Generator().manual_seed(0)
    >>> program = torch.zeros(1)
    >>> step = score.step(program, Coin(), score.begin(program, generator), generator)
    >>> round(step.gradient.item(), 2)  # the derivative of a sigmoid at 0
    0.25
    """

    asks_queries = True
    needs_draws = True

    def __init__(self, n_draws=4, baseline="leave-one-out", decay=0.9):
        self.n_draws = n_draws
        self.baseline = baseline
        self.decay = decay

    def candidates_per_step(self, n_numbers):
        """Draws of every row in a step, whatever the program's size.

        Parameters
        ----------
        n_numbers : int
            Numbers of the program.

        Returns
        -------
        n_draws : int
            Queries that a row costs in a step.
        """
        self._check()
        return self.n_draws

    def begin(self, start, generator):
        """Return what is carried from step to step: the moving average.

        Parameters
        ----------
        start : torch.Tensor of shape (n_numbers,)
            The program of the start.
        generator : torch.Generator
            Not used: nothing is drawn yet.

        Returns
        -------
        state : dict
            Step counter and average.
        """
        self._check()
        return {"n_steps": 0, "average": 0.0}

    def step(self, program, objective, state, generator):
        """Estimate the gradient at a program from the losses of what it draws.

        Parameters
        ----------
        program : torch.Tensor of shape (n_numbers,)
            The program as it is.
        objective : object
            The batch: ``draws(program, n_draws, generator)`` returns :class:`Draws`.
        state : dict
            What `begin` returned; changed in place.
        generator : torch.Generator
            The program's own.

        Returns
        -------
        step : Step
            The gradient, and the mean loss of the draws.
        """
        with torch.enable_grad():
            program = program.detach().requires_grad_()
            losses, log_probs, shares = objective.draws(program, self.n_draws, generator)
            losses = losses.detach()
            costs = (losses - self._baseline(losses, state)).to(log_probs)
            expected = ((costs * log_probs).mean(0) * shares.to(log_probs)).sum()
            (gradient,) = torch.autograd.grad(expected, program)
        loss = (losses.mean(0) * shares).sum()
        kept = self.decay if state["n_steps"] else 0.0
        state["average"] = kept * state["average"] + (1 - kept) * losses.mean().item()
        state["n_steps"] += 1
        return Step(gradient, None, loss)

    def _baseline(self, losses, state):
        """What each loss is compared with; nothing of its own draw is in it."""
        if self.baseline == "none":
            return 0.0
        if self.baseline == "leave-one-out":
            return (losses.sum(0) - losses) / (len(losses) - 1)
        if state["n_steps"]:
            return state["average"]
        return (losses.sum() - losses) / max(losses.numel() - 1, 1)

    def _check(self):
        check_choice(self, "baseline", ["leave-one-out", "moving-average", "none"])
        check_whole(self, "n_draws", 2 if self.baseline == "leave-one-out" else 1)
        check_number(self, "decay", zero=True)
        if self.decay >= 1:
            raise ValueError(
                f"Got decay={self.decay!r} in {type(self).__name__}, expected a share below 1. Use "
                "0.9."
            )
