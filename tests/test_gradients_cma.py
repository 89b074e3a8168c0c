"""CMA-ES: what it finds, what it refuses, what it leaves alone."""

import math
import sys

import pytest
import torch
from every_gradient import Recorded, bowl, walk

from skreprogram.gradients import CovarianceAdaptation


@pytest.mark.parametrize("n_numbers", [2, 10])
def test_it_finds_the_minimum_of_a_quadratic_within_a_budget(n_numbers):
    loss, _, minimum = bowl(n_numbers)
    search, objective = CovarianceAdaptation(), Recorded(loss)
    start = torch.zeros(n_numbers, dtype=torch.float64)
    n_steps = 2000 // search.candidates_per_step(n_numbers)
    program, _ = walk(search, objective, start, n_steps)
    assert sum(map(len, objective.calls)) <= 2000
    assert (program - minimum).norm() < 1e-4 * minimum.norm()


def test_only_the_order_of_losses_matters():
    loss, _, _ = bowl()
    start = torch.zeros(6, dtype=torch.float64)
    plain, _ = walk(CovarianceAdaptation(), Recorded(loss), start, 5)
    bent, _ = walk(CovarianceAdaptation(), Recorded(lambda w: loss(w) ** 3 - 7), start, 5)
    assert torch.equal(plain, bent)


@pytest.mark.parametrize("n_numbers", [2, 50, 1000])
def test_the_population_grows_with_the_logarithm_of_the_program(n_numbers):
    expected = 4 + math.floor(3 * math.log(n_numbers))
    assert CovarianceAdaptation().candidates_per_step(n_numbers) == expected


def test_the_first_population_is_drawn_around_the_start_with_sigma0():
    objective, start = Recorded(bowl(20)[0]), torch.full((20,), 5.0, dtype=torch.float64)
    walk(CovarianceAdaptation(500, sigma0=0.2), objective, start, 1)
    assert objective.calls[0].std(0).mean().item() == pytest.approx(0.2, rel=0.05)
    torch.testing.assert_close(objective.calls[0].mean(0), start, atol=0.05, rtol=0)


def test_it_goes_on_from_the_program_that_it_is_given():
    search, generator = CovarianceAdaptation(500), torch.Generator().manual_seed(0)
    state = search.begin(torch.zeros(4), generator)
    objective = Recorded(bowl(4, dtype=torch.float32)[0])
    search.step(torch.full((4,), 50.0), objective, state, generator)
    assert (objective.calls[0].mean(0) - 50).abs().max() < 0.2


def test_a_program_that_is_too_large_is_refused_before_any_query():
    message = "Got a program of 1001 numbers.*expected at most 1000.*Use a coarse program"
    with pytest.raises(ValueError, match=message):
        CovarianceAdaptation().candidates_per_step(1001)
    with pytest.raises(ValueError, match=message):
        CovarianceAdaptation().begin(torch.zeros(1001), torch.Generator())


def test_a_larger_program_passes_on_demand():
    assert CovarianceAdaptation(max_numbers=5000).candidates_per_step(1001) == 24


def test_it_prints_nothing_and_writes_no_files(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flat = Recorded(lambda w: w.sum() * 0)
    walk(CovarianceAdaptation(), flat, torch.zeros(6, dtype=torch.float64), 40)
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "cma", None)
    with pytest.raises(ImportError, match=r"Got no cma.*pip install skreprogram\[black-box\]"):
        CovarianceAdaptation().begin(torch.zeros(3), torch.Generator())


def test_a_loss_that_is_not_a_number_is_the_worst():
    loss, _, minimum = bowl()
    hole = Recorded(lambda w: loss(w) if w[0] < 0.5 * minimum[0].abs() + 2 else w.sum() * torch.nan)
    program, _ = walk(CovarianceAdaptation(), hole, torch.zeros(6, dtype=torch.float64), 200)
    assert any(torch.isnan(hole.loss(w)) for call in hole.calls for w in call)
    assert (program - minimum).norm() < 1e-3
