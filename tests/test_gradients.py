"""What every gradient from queries keeps to, and the true one."""

import copy
import pickle

import numpy as np
import pytest
import torch
from every_gradient import EVERY_NAME, Recorded, bowl, gradient_of, walk
from sklearn.base import clone

from skreprogram.gradients import Backpropagation, Gradient

EVERY = pytest.mark.parametrize("name", EVERY_NAME)


def asked(name, n_steps=3, dtype=torch.float64, seed=0):
    """What some steps on a bowl ask and give."""
    objective = Recorded(bowl(dtype=dtype)[0])
    start = torch.zeros(6, dtype=dtype)
    program, steps = walk(gradient_of(name), objective, start, n_steps, seed=seed)
    return program, steps, objective.calls


@EVERY
def test_a_step_asks_once_and_for_as_many_programs_as_announced(name):
    _, _, calls = asked(name)
    assert [call.shape for call in calls] == [(gradient_of(name).candidates_per_step(6), 6)] * 3


@EVERY
def test_a_step_gives_either_a_gradient_or_a_program(name):
    for step in asked(name)[1]:
        (given,) = (part for part in step[:2] if part is not None)
        assert given.shape == (6,) and torch.isfinite(given).all()


@EVERY
def test_the_loss_of_a_step_is_a_number_near_that_of_the_program(name):
    start, loss = torch.zeros(6, dtype=torch.float64), bowl()[0]
    (step,) = walk(gradient_of(name), Recorded(loss), start, 1)[1]
    assert step.loss.shape == ()
    assert step.loss.item() == pytest.approx(loss(start).item(), rel=0.3)


@EVERY
def test_steps_lower_the_loss(name):
    loss, _, minimum = bowl()
    start = torch.zeros(6, dtype=torch.float64)
    lr = 0.01 if name == "rgf, dimension" or name == "spsa, corrected" else 0.05
    program, _ = walk(gradient_of(name), Recorded(loss), start, 60, lr)
    assert loss(program) < 0.5 * loss(start)


@EVERY
def test_the_same_generator_gives_the_same_steps(name):
    first, again, other = asked(name), asked(name), asked(name, seed=1)
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], other[0])


@EVERY
def test_global_random_states_are_left_alone(name):
    asked(name)  # what is imported on first use is imported
    before = torch.get_rng_state(), np.random.get_state()
    asked(name)
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_equal(before[1], np.random.get_state())


@EVERY
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_precision_is_that_of_the_program(name, dtype):
    program, _, calls = asked(name, dtype=dtype)
    assert {program.dtype, *(call.dtype for call in calls)} == {dtype}


@EVERY
def test_autocast_changes_nothing(name):
    asked = []
    for enabled in (False, True):
        asked.append(Recorded(lambda w: (w - 1).square().sum()))
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            walk(gradient_of(name), asked[-1], torch.zeros(6), 3)
    assert torch.equal(asked[0].calls[2], asked[1].calls[2])


@EVERY
def test_a_fit_that_is_resumed_from_its_pickled_state_goes_on_as_it_would_have(name):
    gradient, objective = gradient_of(name), Recorded(bowl()[0])
    program, generator = torch.zeros(6, dtype=torch.float64), torch.Generator().manual_seed(0)
    state = gradient.begin(program, generator)
    gradient.step(program, objective, state, generator)
    resumed = torch.Generator()
    resumed.set_state(generator.get_state())
    copied = pickle.loads(pickle.dumps(state))
    for its_state, its_generator in ((state, generator), (copied, resumed)):
        for _ in range(2):
            gradient.step(program, objective, its_state, its_generator)
    assert all(map(torch.equal, objective.calls[1:3], objective.calls[3:5]))


@EVERY
def test_a_state_holds_tensors_and_numbers_alone_but_for_the_search_of_cma(name):
    gradient = gradient_of(name)
    state = gradient.begin(torch.zeros(6), torch.Generator())
    others = {
        key for key, kept in state.items() if not isinstance(kept, (int, float, torch.Tensor))
    }
    assert others <= {"search"}


@EVERY
def test_steps_leave_the_strategy_and_the_program_as_they_are(name):
    gradient, start = clone(gradient_of(name)), torch.ones(6, dtype=torch.float64)
    before = copy.deepcopy(gradient.get_params())
    walk(gradient, Recorded(bowl()[0]), start, 2)
    assert gradient.get_params() == before
    assert torch.equal(start, torch.ones(6, dtype=torch.float64))


@EVERY
def test_a_program_of_one_number_has_steps(name):
    loss, _, minimum = bowl(1)
    start = minimum + 1
    program, _ = walk(gradient_of(name), Recorded(loss), start, 20, lr=0.01)
    assert loss(program) < loss(start)


def test_the_true_gradient_asks_no_queries():
    assert not Gradient.resolve("backprop").asks_queries
    assert isinstance(Gradient.resolve("backprop"), Backpropagation)


def test_a_name_that_is_nearly_right_is_suggested():
    with pytest.raises(ValueError, match="Did you mean 'cma-es'"):
        Gradient.resolve("cmaes")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("rgf", {"n_directions": 0}),
        ("rgf", {"n_directions": 2.5}),
        ("rgf", {"smoothing": 0.0}),
        ("rgf", {"smoothing": "large"}),
        ("rgf", {"two_sided": "yes"}),
        ("rgf", {"orthogonal": None}),
        ("rgf", {"scale": "d"}),
        ("spsa", {"n_directions": True}),
        ("spsa", {"perturbation": "gaussian"}),
        ("spsa", {"smoothing_decay": -0.1}),
        ("spsa", {"momentum": float("inf")}),
        ("spsa", {"scale": "dimension"}),
        ("cma-es", {"population": 2}),
        ("cma-es", {"sigma0": "auto"}),
        ("cma-es", {"max_numbers": None}),
    ],
)
def test_parameters_that_make_no_sense_are_refused(name, wrong):
    gradient = gradient_of(name).set_params(**wrong)
    with pytest.raises(ValueError, match=f"Got {next(iter(wrong))}=.*, expected"):
        gradient.begin(torch.zeros(6), torch.Generator())
