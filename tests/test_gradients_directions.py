"""Random directions against BAR's formula and the theory of its estimate."""

import pytest
import torch
from every_gradient import Recorded, bowl, network, true_gradient, walk

from skreprogram.gradients import RandomDirections


def at_zero(n_numbers):
    return torch.zeros(n_numbers, dtype=torch.float64)


def estimates(gradient, objective, program, n_estimates):
    """Independent estimates at one program: (n_estimates, n_numbers)."""
    generator = torch.Generator().manual_seed(0)
    state = gradient.begin(program, generator)
    steps = [gradient.step(program, objective, state, generator) for _ in range(n_estimates)]
    return torch.stack([step.gradient for step in steps])


def cosines(gradient, n_numbers, n_estimates=200):
    """Of estimates with the true gradient of a network's loss."""
    loss, program = network(n_numbers), at_zero(n_numbers)
    drawn = estimates(gradient, Recorded(loss), program, n_estimates)
    return torch.cosine_similarity(drawn, true_gradient(loss, program).unsqueeze(0))


@pytest.mark.parametrize("two_sided", [False, True])
@pytest.mark.parametrize(("q", "d"), [(5, 40), (20, 40), (60, 40)])
def test_the_cosine_with_the_true_gradient_is_that_of_theory(q, d, two_sided):
    # g = sum_j u_j (u_j . v) with E[u u'] = I / d has E[g . v] = q / d |v|^2 and
    # E|g|^2 = q / d |v|^2 + q (q - 1) / d^2 |v|^2, so that the cosine is near sqrt(q / (d + q - 1))
    found = cosines(RandomDirections(q, smoothing=1e-4, two_sided=two_sided), d)
    assert found.mean().item() == pytest.approx((q / (d + q - 1)) ** 0.5, rel=0.07)


@pytest.mark.parametrize(("q", "d"), [(5, 40), (20, 40), (40, 40)])
def test_the_energy_that_orthogonal_directions_catch_is_q_of_d(q, d):
    found = cosines(RandomDirections(q, smoothing=1e-4, orthogonal=True), d)
    assert found.square().mean().item() == pytest.approx(q / d, rel=0.07)


def test_orthogonal_directions_of_all_dimensions_give_a_quadratics_gradient_exactly():
    loss, gradient, _ = bowl(7)
    exact = RandomDirections(7, 0.3, two_sided=True, orthogonal=True, scale="dimension")
    (found,) = estimates(exact, Recorded(loss), at_zero(7), 1)
    torch.testing.assert_close(found, gradient(at_zero(7)))


@pytest.mark.parametrize("orthogonal", [False, True])
def test_directions_lie_on_all_sides_alike(orthogonal):
    objective = Recorded(lambda w: w.sum())
    estimates(RandomDirections(5, 1.0, orthogonal=orthogonal), objective, at_zero(6), 400)
    directions = torch.stack(objective.calls)[:, 1:]
    # the numbers of a direction have variance 1 / 6
    assert (directions.mean(0).abs() < 4 / (6 * 400) ** 0.5).all()


@pytest.mark.parametrize("orthogonal", [False, True])
def test_more_directions_than_dimensions_are_averaged(orthogonal):
    loss, gradient, _ = bowl(4)
    many = RandomDirections(400, 0.3, two_sided=True, orthogonal=orthogonal, scale="dimension")
    (found,) = estimates(many, Recorded(loss), at_zero(4), 1)
    expected = gradient(at_zero(4))
    assert (found - expected).norm() < 0.25 * expected.norm()


@pytest.mark.parametrize("two_sided", [False, True])
def test_the_scale_of_the_dimension_is_unbiased_on_a_linear_function(two_sided):
    slope = torch.arange(1.0, 9.0, dtype=torch.float64)
    unbiased = RandomDirections(10, 1.0, two_sided, scale="dimension")
    found = estimates(unbiased, Recorded(lambda w: w @ slope), at_zero(8), 2000)
    error = found.std(0) / 2000**0.5
    assert ((found.mean(0) - slope).abs() < 4 * error).all()
    assert (4 * error < 0.5).all()


def test_two_sided_estimates_of_a_quadratic_are_unbiased_at_any_distance():
    loss, gradient, _ = bowl(5)
    wide = RandomDirections(5, 3.0, two_sided=True, scale="dimension")
    found = estimates(wide, Recorded(loss), at_zero(5), 2000)
    error = found.std(0) / 2000**0.5
    assert ((found.mean(0) - gradient(at_zero(5))).abs() < 4 * error).all()


@pytest.mark.parametrize("scale", [1.0, "dimension"])
def test_steps_of_sgd_are_those_of_bar_written_out(scale):
    loss, q, d, beta, lr = network(12), 3, 12, 0.1, 0.05
    b = d if scale == "dimension" else scale
    objective = Recorded(loss)
    found, _ = walk(RandomDirections(q, beta, scale=scale), objective, at_zero(d), 10, lr)
    w = at_zero(d)
    for candidates in objective.calls:
        directions = (candidates[1:] - w) / beta
        g = 0
        for u in directions:
            assert u.norm().item() == pytest.approx(1)
            g = g + b * (loss(w + beta * u) - loss(w)) / beta * u
        w = w - lr * g / q
    torch.testing.assert_close(found, w)


def test_the_loss_at_the_program_is_reported_where_it_is_asked():
    loss, _, minimum = bowl()
    (step,) = walk(RandomDirections(4), Recorded(loss), minimum, 1)[1]
    assert step.loss == 0


@pytest.mark.parametrize("q", [1, 5, 50])
@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_the_first_calibrated_gradient_has_a_root_mean_square_of_one(q, factor):
    loss = network(30)
    (first,) = estimates(RandomDirections(q), Recorded(lambda w: factor * loss(w)), at_zero(30), 1)
    assert first.square().mean().sqrt().item() == pytest.approx(1)


def test_losses_whose_squares_underflow_are_calibrated():
    slope = torch.full((5,), 1e-25)
    (first,) = estimates(RandomDirections(9), Recorded(lambda w: w @ slope), torch.zeros(5), 1)
    assert first.square().mean().sqrt().item() == pytest.approx(1)


def test_the_calibration_is_one_constant_once_twenty_directions_are_seen():
    objective, start = Recorded(network(30)), at_zero(30)
    plain = estimates(RandomDirections(8, scale=1.0), objective, start, 12)
    calibrated = estimates(RandomDirections(8), objective, start, 12)
    factors = (calibrated / plain).mean(1)
    # from here on: three steps of eight directions
    torch.testing.assert_close(factors[2:], factors[2].expand(10))
    rms = plain[:3].square().mean().sqrt()
    assert factors[2].item() == pytest.approx(1 / rms.item())


def test_answers_that_do_not_change_leave_the_calibration_to_a_later_step():
    slope = torch.ones(5, dtype=torch.float64)
    answers = iter([lambda w: w.sum() * 0, lambda w: w @ slope])
    gradient, generator = RandomDirections(30), torch.Generator().manual_seed(0)
    state = gradient.begin(at_zero(5), generator)
    flat, first = (
        gradient.step(at_zero(5), Recorded(answer), state, generator).gradient for answer in answers
    )
    assert not flat.any()
    assert first.square().mean().sqrt().item() == pytest.approx(1)
