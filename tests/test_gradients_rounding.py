"""The distance of candidates survives a source that rounds its inputs."""

import warnings

import pytest
import torch
from every_gradient import Recorded, walk

from skreprogram.gradients import RandomDirections, SimultaneousPerturbation

ESTIMATORS = pytest.mark.parametrize("estimator", [RandomDirections, SimultaneousPerturbation])
SLOPE = torch.linspace(-1, 1, 30, dtype=torch.float64)
START = torch.zeros(30, dtype=torch.float64)


def rounding(levels_per_unit):
    """A linear loss behind inputs that are rounded."""
    return Recorded(
        lambda w: (w * levels_per_unit).round() @ SLOPE / levels_per_unit, levels_per_unit
    )


def moves(objective, step=0):
    """Mean levels by which candidates of a step differ from the program."""
    calls = objective.calls[step]
    return objective.levels_moved(START, calls[calls.ne(0).any(1)]).mean().item()


@ESTIMATORS
@pytest.mark.parametrize("levels_per_unit", [10.0, 127.0, 1000.0])
def test_inputs_move_by_at_least_a_level(estimator, levels_per_unit):
    objective = rounding(levels_per_unit)
    walk(estimator(), objective, START, 1)
    assert moves(objective) >= 1


@ESTIMATORS
def test_inputs_move_by_less_than_two_levels_where_the_default_was_too_small(estimator):
    objective = rounding(10.0)
    walk(estimator(), objective, START, 1)
    assert moves(objective) < 2


@ESTIMATORS
def test_the_default_stays_where_nothing_is_rounded_or_levels_are_fine(estimator):
    asked = []
    for levels in (None, 1e6):
        asked.append(Recorded(lambda w: w @ SLOPE, levels))
        walk(estimator(), asked[-1], START, 1)
    assert torch.equal(asked[0].calls[0], asked[1].calls[0])


@ESTIMATORS
def test_the_gradient_is_found_through_rounding_that_hides_it_from_a_small_distance(estimator):
    cosines = {}
    for smoothing in (0.001, "auto"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            gradient = estimator(60, smoothing)
            (step,) = walk(gradient, rounding(20.0), START, 1)[1]
        cosines[smoothing] = torch.cosine_similarity(step.gradient, SLOPE, dim=0).item()
    assert cosines[0.001] == 0
    assert cosines["auto"] > 0.7


@ESTIMATORS
def test_numbers_move_by_one_at_most(estimator):
    objective = rounding(0.01)
    with pytest.warns(UserWarning, match="Let the program act more strongly"):
        walk(estimator(), objective, START, 1)
    moved = objective.calls[0][objective.calls[0].ne(0).any(1)]
    torch.testing.assert_close(moved.square().mean().sqrt(), START.new_tensor(1.0))


@ESTIMATORS
def test_a_number_is_used_as_it_is_with_one_warning_where_answers_would_not_change(estimator):
    objective = rounding(127.0)
    with pytest.warns(UserWarning, match="Got smoothing=0.002.*expected at least half") as caught:
        walk(estimator(smoothing=0.002), objective, START, 3)
    assert len(caught) == 1
    assert moves(objective) < 0.5


@ESTIMATORS
def test_a_number_that_moves_inputs_enough_gives_no_warning(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        walk(estimator(smoothing=0.05), rounding(127.0), START, 2)


def test_a_program_that_moves_no_input_is_told():
    nothing = Recorded(lambda w: w.sum() * 0, float("nan"))
    with pytest.warns(UserWarning, match="by 0 quantisation levels"):
        walk(RandomDirections(), nothing, START, 1)


@pytest.mark.parametrize(("levels_per_unit", "rounded"), [(None, False), (127.0, True)])
def test_a_decaying_distance_ends_at_one_level(levels_per_unit, rounded):
    spsa = SimultaneousPerturbation(smoothing_decay=2.0)
    objective = Recorded(lambda w: w @ SLOPE, levels_per_unit)
    walk(spsa, objective, START, 5, lr=0.0)
    # 0.01, a twenty-fifth of it without rounding, 1 / 127 with it
    expected = 1 / 127 if rounded else 0.01 / 25
    assert objective.calls[4].abs().mean().item() == pytest.approx(expected)
