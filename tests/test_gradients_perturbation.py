"""Simultaneous perturbation against Spall's and BlackVIP's formulas."""

import pytest
import torch
from every_gradient import Recorded, bowl, network, true_gradient, walk

from skreprogram.gradients import SimultaneousPerturbation

ZERO = torch.zeros(12, dtype=torch.float64)


def perturbations(objective, program, step, c):
    """The perturbations behind what was asked in a step."""
    above, below = objective.calls[step].chunk(2)
    torch.testing.assert_close(above + below, (2 * program).expand_as(above))
    return (above - program) / c


@pytest.mark.parametrize("perturbation", ["rademacher", "segmented"])
@pytest.mark.parametrize(("momentum", "alpha"), [(0.0, 0.0), (0.9, 0.4)])
def test_steps_of_sgd_are_those_of_blackvip_written_out(perturbation, momentum, alpha):
    loss, a, c, gamma, o, q = network(12), 0.3, 0.01, 0.2, 1.0, 4
    spsa = SimultaneousPerturbation(
        q, c, gamma, perturbation, momentum, gain_decay=alpha, gain_offset=o, scale=1.0
    )
    objective = Recorded(loss)
    found, _ = walk(spsa, objective, ZERO, 15, lr=a)
    w, m = ZERO, 0
    for k in range(1, 16):
        ck, ak = c / k**gamma, a / (k + o) ** alpha
        ghat = 0
        for delta in perturbations(objective, w, k - 1, ck):
            ghat = ghat + (loss(w + ck * delta) - loss(w - ck * delta)) / (2 * ck * delta) / q
        m = momentum * m + ghat
        w = w - ak * (ghat + momentum * m)
    torch.testing.assert_close(found, w)


@pytest.mark.parametrize(
    ("perturbation", "least", "most"), [("rademacher", 1.0, 1.0), ("segmented", 0.5, 1.0)]
)
def test_no_number_of_a_perturbation_is_small(perturbation, least, most):
    objective = Recorded(network(12))
    spsa = SimultaneousPerturbation(200, 0.5, perturbation=perturbation)
    walk(spsa, objective, ZERO, 1)
    drawn = perturbations(objective, ZERO, 0, 0.5)
    assert least - 1e-9 < drawn.abs().min() and drawn.abs().max() < most + 1e-9
    # both signs alike, in every number
    assert (drawn.sign().mean(0).abs() < 0.3).all()


@pytest.mark.parametrize("perturbation", ["rademacher", "segmented"])
def test_estimates_of_a_quadratic_are_unbiased_at_any_distance(perturbation):
    loss, gradient, _ = bowl(5)
    spsa = SimultaneousPerturbation(5, 2.0, 0.0, perturbation, scale=1.0)
    steps = walk(spsa, Recorded(loss), torch.zeros(5, dtype=torch.float64), 2000, lr=0.0)[1]
    found = torch.stack([step.gradient for step in steps])
    error = found.std(0) / 2000**0.5
    expected = gradient(torch.zeros(5, dtype=torch.float64))
    assert ((found.mean(0) - expected).abs() < 4 * error).all()


@pytest.mark.parametrize(("q", "d"), [(5, 40), (20, 40), (60, 40)])
def test_the_cosine_with_the_true_gradient_is_that_of_theory(q, d):
    # signs divided by sqrt(d) are directions of length 1 with E[u u'] = I / d, as those of the
    # sphere: see the test of random directions
    loss, program = network(d), torch.zeros(d, dtype=torch.float64)
    steps = walk(SimultaneousPerturbation(q, 1e-4), Recorded(loss), program, 200, lr=0.0)[1]
    found = torch.stack([step.gradient for step in steps])
    cosines = torch.cosine_similarity(found, true_gradient(loss, program).unsqueeze(0))
    assert cosines.mean().item() == pytest.approx((q / (d + q - 1)) ** 0.5, rel=0.07)


def test_the_gain_decays_with_the_step():
    loss = network(12)
    decaying, constant = (
        walk(SimultaneousPerturbation(5, gain_decay=a, gain_offset=2.0), Recorded(loss), ZERO, 4, 0)
        for a in (0.5, 0.0)
    )
    for k, (less, whole) in enumerate(zip(decaying[1], constant[1], strict=True), start=1):
        torch.testing.assert_close(less.gradient, whole.gradient / (k + 2) ** 0.5)


@pytest.mark.parametrize("n_directions", [1, 5])
def test_the_first_calibrated_gradient_has_a_root_mean_square_of_one(n_directions):
    spsa = SimultaneousPerturbation(n_directions)
    (step,) = walk(spsa, Recorded(network(12)), ZERO, 1)[1]
    assert step.gradient.square().mean().sqrt().item() == pytest.approx(1)


def test_momentum_averages_estimates_towards_the_true_gradient():
    loss = network(12)
    true = true_gradient(loss, ZERO)
    last = {}
    for momentum in (0.0, 0.9):
        spsa = SimultaneousPerturbation(1, momentum=momentum, scale=1.0)
        steps = walk(spsa, Recorded(loss), ZERO, 60, lr=0.0)[1][20:]
        gradients = torch.stack([step.gradient for step in steps])
        last[momentum] = torch.cosine_similarity(gradients, true.unsqueeze(0)).mean()
    assert last[0.9] > 1.5 * last[0.0]
