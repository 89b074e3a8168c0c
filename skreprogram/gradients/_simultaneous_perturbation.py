"""Simultaneous perturbation (SPSA), with the gradient correction of BlackVIP."""

import torch

from skreprogram.gradients._base import QueryGradient, Step
from skreprogram.gradients._calibration import calibration, uncalibrated
from skreprogram.gradients._parameters import check_choice, check_number, check_whole
from skreprogram.gradients._smoothing import first_smoothing

# that of BlackVIP
SMOOTHING = 0.01


class SimultaneousPerturbation(QueryGradient, name="spsa"):
    """Change all numbers of the program at once, up and down, and divide the loss by the change.

    Spall's estimate [1]_, averaged over q perturbations D_j whose numbers are independent. In
    step k = 1, 2, ... and with element-wise division,

    ``g = 1 / q * sum_j (f(W + c_k * D_j) - f(W - c_k * D_j)) / (2 * c_k * D_j)``,
    ``c_k = c / k^gamma``.

    With a momentum beta it is corrected as in BlackVIP [2]_: ``m <- beta * m + g``, and the
    optimiser is given ``(g + beta * m) / (k + o)^alpha``. With plain SGD of learning rate a that is
    the paper's step; with Adam, which has a momentum of its own, leave `momentum` and `gain_decay`
    at 0.

    Parameters
    ----------
    n_directions : int, default=1
        Perturbations in each step: q. A step asks for ``2 q`` programs.
    smoothing : float or "auto", default="auto"
        Change of each number: c. "auto" is 0.01, more where the source rounds its inputs:
        enough for them to move by one level. Then c_k does not fall below that.
    smoothing_decay : float, default=0.1
        Exponent gamma; 0 keeps c.
    perturbation : {"rademacher", "segmented"}, default="rademacher"
        Numbers of D: -1 or 1; or, as in BlackVIP, uniform on [-1, -0.5] and [0.5, 1].
    momentum : float, default=0.0
        Share beta of earlier estimates that is kept.
    gain_decay : float, default=0.0
        Exponent alpha; 0 keeps the gain.
    gain_offset : float, default=1.0
        Steps o that the decay of the gain begins after.
    scale : "calibrated" or float, default="calibrated"
        Factor of what the optimiser is given; 1 leaves the estimate as it is. "calibrated" is one
        constant, measured in the first steps, that gives g a root mean square of 1: the learning
        rate of plain SGD then is the change of the program's numbers in a first step (without
        momentum and decay).

    References
    ----------
    .. [1] J. C. Spall, "Multivariate Stochastic Approximation Using a Simultaneous Perturbation
       Gradient Approximation", IEEE Transactions on Automatic Control 37, 1992.
    .. [2] C. Oh et al., "BlackVIP: Black-Box Visual Prompting for Robust Transfer Learning",
       CVPR 2023: SPSA-GC.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.gradients import SimultaneousPerturbation
    >>> class Bowl:
    ...     def losses(self, candidates):
    ...         return candidates.square().sum(1)
    ...     def levels_moved(self, start, candidates):
    ...         return None
    >>> spsa = SimultaneousPerturbation(n_directions=2000, scale=1.0)
    >>> program, generator = torch.tensor([1.0, 3.0]), torch.Generator().manual_seed(0)
    >>> state = spsa.begin(program, generator)
    >>> gradient = spsa.step(program, Bowl(), state, generator).gradient
    >>> torch.allclose(gradient, 2 * program, atol=0.5)
    True
    """

    def __init__(
        self,
        n_directions=1,
        smoothing="auto",
        smoothing_decay=0.1,
        perturbation="rademacher",
        momentum=0.0,
        gain_decay=0.0,
        gain_offset=1.0,
        scale="calibrated",
    ):
        self.n_directions = n_directions
        self.smoothing = smoothing
        self.smoothing_decay = smoothing_decay
        self.perturbation = perturbation
        self.momentum = momentum
        self.gain_decay = gain_decay
        self.gain_offset = gain_offset
        self.scale = scale

    def candidates_per_step(self, n_numbers):
        self._check()
        return 2 * self.n_directions

    def begin(self, start, generator):
        self._check()
        return {
            "k": 0,
            "smoothing": 0.0,
            "least_smoothing": 0.0,
            "momentum": torch.zeros_like(start),
            **uncalibrated(),
        }

    def step(self, program, objective, state, generator):
        perturbations = self._perturbations(program, generator)
        state["k"] += 1
        if not state["smoothing"]:
            state["smoothing"], state["least_smoothing"] = first_smoothing(
                self.smoothing, SMOOTHING, program, perturbations, objective
            )
        decayed = state["smoothing"] / state["k"] ** self.smoothing_decay
        c = max(decayed, state["least_smoothing"])
        moves = c * perturbations
        losses = objective.losses(torch.cat([program + moves, program - moves]))
        above, below = losses.to(program).chunk(2)
        estimate = ((above - below).unsqueeze(1) / (2 * moves)).mean(0)
        return Step(self._corrected(estimate, state), None, losses.mean())

    def _corrected(self, estimate, state):
        """What the optimiser is given for an estimate: momentum, gain and scale."""
        state["momentum"] = self.momentum * state["momentum"] + estimate
        gain = (state["k"] + self.gain_offset) ** -self.gain_decay
        if self.scale == "calibrated":
            gain *= calibration(estimate, state, self.n_directions)
        else:
            gain *= self.scale
        return gain * (estimate + self.momentum * state["momentum"])

    def _perturbations(self, program, generator):
        """Draw perturbations: (n_directions, n_numbers)."""
        drawn = torch.rand(
            (self.n_directions, len(program)),
            generator=generator,
            dtype=program.dtype,
            device=generator.device,
        ).to(program.device)
        if self.perturbation == "rademacher":
            return 1 - 2 * drawn.round()
        # [0, 0.5) becomes [-1, -0.5); none is small, because the loss is divided by them
        return torch.where(drawn < 0.5, drawn - 1, drawn)

    def _check(self):
        check_whole(self, "n_directions")
        check_number(self, "smoothing", ["auto"])
        check_choice(self, "perturbation", ["rademacher", "segmented"])
        for name in ("smoothing_decay", "momentum", "gain_decay", "gain_offset"):
            check_number(self, name, zero=True)
        check_number(self, "scale", ["calibrated"])
