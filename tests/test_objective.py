"""The loss of a batch as a function of the program's numbers."""

import numpy as np
import pytest
import torch
from small_tasks import composition, task
from toys import seeded

from skreprogram.losses import CrossEntropy, FocalLoss
from skreprogram.mappings import FrequencyMapping, LinearMapping, RandomMapping
from skreprogram.sources import BlackBoxSource
from skreprogram.training import Composition
from skreprogram.training._meter import MeteredNetwork, QueryMeter
from skreprogram.training._objective import BatchObjective, flat, lay_out
from skreprogram.transformations import (
    CoarseGridTransformation,
    PaddingTransformation,
    TilingTransformation,
)

MAPPINGS = [LinearMapping(), RandomMapping(), FrequencyMapping(n_source_labels=2)]


def sides(around, rows, seed=0):
    """First tensors of a program."""
    generator = torch.Generator().manual_seed(seed)
    theta = around.transformation.init(rows.X, around.space, generator)
    with torch.no_grad():
        given = around.model([(theta, {})]).given(rows.X[None])[0]
    return theta, around.mapping.init(given, 2, generator)


def objective(mapping, transformation=None, loss=None, levels=None, n_rows=10):
    around = composition(mapping, transformation or TilingTransformation(2, init_scale=0.5, l2=0.0))
    rows = task(n_rows).train
    model = around.model([sides(around, rows)])
    return BatchObjective(model, loss or CrossEntropy(), (rows.X, rows.y, rows.weight), levels)


def candidates(asked, n=3, spread=0.1):
    start = flat(asked.model.theta)
    return start + spread * seeded(lambda: torch.randn(n, len(start), dtype=start.dtype))


@pytest.mark.parametrize("mapping", MAPPINGS, ids=repr)
@pytest.mark.parametrize("loss", [CrossEntropy(), FocalLoss()], ids=repr)
def test_losses_of_candidates_are_those_of_the_programs_one_by_one(mapping, loss):
    asked = objective(mapping, loss=loss)
    programs = candidates(asked)
    found = asked.losses(programs)
    model = asked.model
    for program, got in zip(programs, found, strict=True):
        with torch.no_grad():
            for name, tensor in lay_out(program, model.theta).items():
                model.theta[name].copy_(tensor)
            rows = loss.rows(model(asked.X[None])[0], asked.y) * asked.weight
        torch.testing.assert_close(got, rows.sum() / asked.weight.sum())


def test_candidates_that_do_not_fit_into_memory_at_once_have_the_same_losses(monkeypatch):
    whole = objective(RandomMapping())
    programs = candidates(whole, n=5)
    expected = whole.losses(programs)
    monkeypatch.setattr("skreprogram.training._objective.BYTES_AT_ONCE", 2000)
    torch.testing.assert_close(objective(RandomMapping()).losses(programs), expected)


def test_every_candidate_gets_the_same_dropout():
    asked = objective(RandomMapping(), TilingTransformation(2, init_scale=1.0, dropout=0.5))
    same = flat(asked.model.theta).expand(4, -1)
    losses = asked.losses(same)
    torch.testing.assert_close(losses, losses[:1].expand(4), rtol=0, atol=0)


def test_penalty_of_the_transformation_is_part_of_the_loss():
    free = objective(RandomMapping())
    bound = objective(RandomMapping(), TilingTransformation(2, init_scale=0.5, l2=0.1))
    programs = candidates(free)
    penalties = 0.1 * programs.square().sum(1)
    torch.testing.assert_close(bound.losses(programs), free.losses(programs) + penalties)


def test_gradient_of_a_trained_mapping_is_exact():
    asked = objective(LinearMapping())
    asked.losses(flat(asked.model.theta)[None])
    asked.mean_loss().backward()
    weight = asked.model.omega["weight"]
    found = weight.grad.clone()
    weight.grad = None
    rows = CrossEntropy().rows(asked.model(asked.X[None])[0], asked.y) * asked.weight
    (rows.sum() / asked.weight.sum()).backward()
    torch.testing.assert_close(found, weight.grad)


def test_what_the_candidates_were_given_weighs_as_much_as_the_batch_once():
    asked = objective(RandomMapping())
    asked.losses(candidates(asked, n=3))
    given, y, weight = asked.given()
    assert given.shape == (1, 30, 6) and y.shape == weight.shape == (1, 30)
    torch.testing.assert_close(weight.sum(), asked.weight.sum())


def test_inputs_that_move_are_measured_in_levels():
    asked = objective(RandomMapping(), PaddingTransformation(), levels=201)
    start = torch.zeros(12, dtype=torch.float64)
    # the frame passes through tanh; the value range is 2 wide, so a level is 0.01
    there = torch.full((1, 12), 0.05, dtype=torch.float64).atanh()
    torch.testing.assert_close(asked.levels_moved(start, there), torch.tensor([5.0]).double())


def test_inputs_that_are_not_rounded_have_no_levels():
    asked = objective(RandomMapping())
    assert asked.levels_moved(flat(asked.model.theta), candidates(asked)) is None


def test_flat_numbers_are_laid_out_again_as_they_were():
    asked = objective(LinearMapping())
    theta = asked.model.theta
    again = lay_out(flat(theta), theta)
    assert all(torch.equal(again[name], tensor) for name, tensor in theta.items())


class Calls:
    """A black box on images that counts its calls; brightness and contrast are its classes."""

    def __init__(self):
        self.n_calls = 0

    def __call__(self, images):
        self.n_calls += 1
        return np.stack([images.mean((1, 2, 3)), images.std((1, 2, 3))], 1)


def additive_objective(function, **facts):
    """The objective of a coarse grid on twelve images of one channel."""
    facts = {"value_range": (0, 1), "output_kind": "logits", **facts}
    source = BlackBoxSource(function, (3, 16, 16), 2, **facts)
    network = MeteredNetwork(source.load(), QueryMeter(10_000), source.levels)
    coarse, mapping, space = CoarseGridTransformation(2), LinearMapping(), source.input_space
    generator = torch.Generator().manual_seed(0)
    X = torch.rand(12, 1, 5, 5, generator=generator)
    theta = coarse.init(X, space, generator)
    omega = mapping.init(torch.randn(8, 2, generator=generator), 2, generator)
    omega["weight"] = torch.randn(omega["weight"].shape, generator=generator)
    model = Composition(network, space, coarse, mapping).model([(theta, omega)])
    return BatchObjective(model, CrossEntropy(), (X, torch.arange(12) % 2, torch.ones(12)))


@pytest.mark.parametrize("levels", [None, 256])
def test_additive_programs_of_a_black_box_have_the_losses_of_the_transformation(levels):
    asked = additive_objective(Calls(), levels=levels)
    programs = candidates(asked, n=4, spread=1.0)
    inputs = asked.model.candidate_inputs({"program": programs.reshape(4, 3, 2, 2)}, asked.X)
    given = asked.model.read(inputs)
    rows = CrossEntropy().rows(asked.model.candidate_scores(given), asked.y.expand(4, -1))
    torch.testing.assert_close(asked.losses(programs), rows.mean(1), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("bytes_made", [1, 2**20])
def test_inputs_that_are_made_few_at_a_time_are_asked_in_one_call(monkeypatch, bytes_made):
    monkeypatch.setattr("skreprogram.training._objective.BYTES_MADE", bytes_made)
    function = Calls()
    asked = additive_objective(function)
    asked.losses(candidates(asked, n=5))
    assert function.n_calls == 1
    assert asked.model.network.meter.asked == 5 * 12


def test_the_images_that_candidates_share_stay_as_they_are():
    asked = additive_objective(Calls())
    before = asked.X.clone()
    programs = candidates(asked, n=3, spread=5.0)
    first = asked.losses(programs)
    torch.testing.assert_close(asked.losses(programs), first, rtol=0, atol=0)
    assert torch.equal(asked.X, before)
