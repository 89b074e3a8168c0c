"""Random directions: the gradient estimate of black-box adversarial reprogramming."""

import torch

from skreprogram.gradients._base import QueryGradient, Step
from skreprogram.gradients._calibration import scaled, uncalibrated
from skreprogram.gradients._parameters import check_choice, check_number, check_whole
from skreprogram.gradients._smoothing import first_smoothing

# that of the authors' code
SMOOTHING = 0.1


class RandomDirections(QueryGradient, name="rgf"):
    """Average differences of the loss along random directions.

    The averaged random gradient-free estimate of BAR [1]_, with q directions U_j of length 1,
    drawn uniformly from the sphere in d dimensions:

    ``g = b / q * sum_j (f(W + beta * U_j) - f(W)) / beta * U_j``

    The loss f(W) is asked once, so a step asks for ``q + 1`` programs; with `two_sided`,
    ``(f(W + beta * U_j) - f(W - beta * U_j)) / (2 * beta)`` takes the difference's place, and a
    step asks for ``2 q``. The cosine between g and the true gradient is about
    ``sqrt(q / (q + d - 1))``: choose an input transformation with few numbers.

    Parameters
    ----------
    n_directions : int, default=20
        Directions in each step: q.
    smoothing : float or "auto", default="auto"
        Distance of the candidates: beta. "auto" is 0.1, more where the source rounds its
        inputs: enough for them to move by one level.
    two_sided : bool, default=False
        Whether candidates lie on both sides of the program.
    orthogonal : bool, default=False
        Whether the directions of a step are orthogonal, in groups of d at most.
    scale : {"calibrated", "dimension"} or float, default="calibrated"
        Factor b. "dimension" is d, with which g is unbiased for the loss averaged over a ball of
        radius beta [2]_. "calibrated" is one constant, measured in the first steps, that gives g a
        root mean square of 1: the learning rate of plain SGD then is the change of the program's
        numbers in a first step.

    Notes
    -----
    The scale of BAR's code is d; learning rates of the paper belong to it.

    References
    ----------
    .. [1] Y.-Y. Tsai, P.-Y. Chen, T.-Y. Ho, "Transfer Learning without Knowing: Reprogramming
       Black-box Machine Learning Models with Scarce Data and Limited Resources", ICML 2020,
       equation 6.
    .. [2] Y. Nesterov, V. Spokoiny, "Random Gradient-Free Minimization of Convex Functions",
       Foundations of Computational Mathematics 17, 2017.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.gradients import RandomDirections
    >>> class Bowl:
    ...     def losses(self, candidates):
    ...         return candidates.square().sum(1)
    ...     def levels_moved(self, start, candidates):
    ...         return None
    >>> exact = RandomDirections(2, two_sided=True, orthogonal=True, scale="dimension")
    >>> program, generator = torch.tensor([1.0, 3.0]), torch.Generator().manual_seed(0)
    >>> state = exact.begin(program, generator)
    >>> exact.step(program, Bowl(), state, generator).gradient
    tensor([2.0000, 6.0000])
    """

    def __init__(
        self,
        n_directions=20,
        smoothing="auto",
        two_sided=False,
        orthogonal=False,
        scale="calibrated",
    ):
        self.n_directions = n_directions
        self.smoothing = smoothing
        self.two_sided = two_sided
        self.orthogonal = orthogonal
        self.scale = scale

    def candidates_per_step(self, n_numbers):
        self._check()
        return 2 * self.n_directions if self.two_sided else self.n_directions + 1

    def begin(self, start, generator):
        self._check()
        return {"smoothing": 0.0, **uncalibrated()}

    def step(self, program, objective, state, generator):
        directions = self._directions(program, generator)
        if not state["smoothing"]:
            state["smoothing"], _ = first_smoothing(
                self.smoothing, SMOOTHING, program, directions, objective
            )
        beta = state["smoothing"]
        moved = program + beta * directions
        if self.two_sided:
            losses = objective.losses(torch.cat([moved, program - beta * directions]))
            above, below = losses.chunk(2)
            slopes, loss = (above - below) / (2 * beta), losses.mean()
        else:
            losses = objective.losses(torch.cat([program.unsqueeze(0), moved]))
            slopes, loss = (losses[1:] - losses[0]) / beta, losses[0]
        # no matrix product: autocast would round it
        estimate = (slopes.to(program).unsqueeze(1) * directions).mean(0)
        scale = len(program) if self.scale == "dimension" else self.scale
        return Step(scaled(estimate, scale, state, self.n_directions), None, loss)

    def _directions(self, program, generator):
        """Draw directions of length 1: (n_directions, n_numbers)."""
        shape = (self.n_directions, len(program))
        drawn = torch.randn(
            shape, generator=generator, dtype=program.dtype, device=generator.device
        ).to(program.device)
        if self.orthogonal:
            return torch.cat([_orthogonal(group) for group in drawn.split(len(program))])
        return drawn / drawn.norm(dim=1, keepdim=True)

    def _check(self):
        check_whole(self, "n_directions")
        check_number(self, "smoothing", ["auto"])
        check_choice(self, "two_sided", [False, True])
        check_choice(self, "orthogonal", [False, True])
        check_number(self, "scale", ["calibrated", "dimension"])


def _orthogonal(drawn):
    """Orthonormal rows, each uniform on the sphere, from rows of normal numbers."""
    columns, triangle = torch.linalg.qr(drawn.T)
    # LAPACK chooses signs; these make the result uniform (Mezzadri 2007)
    return (columns * triangle.diagonal().sign()).T
