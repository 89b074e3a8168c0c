"""Where nothing before the source trains, the source runs once and only the mapping is fitted."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from every_mapping import EVERY_NAME, mapping_of
from sklearn.linear_model import LogisticRegression
from small_tasks import assert_equal_programs, composition, options, rows, task

from skreprogram.mappings import FeaturesMapping, FrequencyMapping, LinearMapping, OutputMapping
from skreprogram.training import class_scores, fit_programs, rows_of
from skreprogram.training._fit import merge_copies
from skreprogram.transformations import SideBySide, TilingTransformation

STILL = TilingTransformation(2, program=False)


class Counting:
    """A network that counts the rows it sees."""

    shares_frames = runs_in_threads = False
    rows_at_once = 64

    def __init__(self, network):
        self.network = network
        self.seen = []

    def outputs(self, inputs, *rest):
        self.seen += [row.numpy().tobytes() for row in inputs]
        return self.network.outputs(inputs, *rest)

    def features(self, inputs, *rest):
        self.seen += [row.numpy().tobytes() for row in inputs]
        return self.network.features(inputs, *rest)


@pytest.mark.parametrize("name", EVERY_NAME)
@pytest.mark.parametrize("n_rows", [20, 300])
def test_the_source_sees_every_row_once_at_most(name, n_rows):
    composed = composition(mapping_of(name), STILL)
    counting = Counting(composed.network)
    fit_programs([task(n_rows)], replace(composed, network=counting), options())
    assert len(counting.seen) == len(set(counting.seen)) <= n_rows


def test_the_source_sees_validation_rows_once_too():
    composed = composition(LinearMapping(), STILL)
    counting = Counting(composed.network)
    fit_programs([task(20, n_valid=10)], replace(composed, network=counting), options(patience=5))
    assert len(counting.seen) == len(set(counting.seen)) == 30


@pytest.mark.parametrize("n_rows", [20, 300])
def test_the_solved_head_is_that_of_all_rows_in_their_order(n_rows):
    mapping, one = FeaturesMapping(alphas=[0.1]), task(n_rows)
    composed = composition(mapping, STILL)
    program = fit_programs([one], composed, options())[0]
    theta, omega = program.tensors()
    (stage,) = composed.network.features(STILL.apply(theta, one.train.X, composed.space))
    solved = mapping.solve(omega, mapping.pool(omega, (stage,)), one.train.y, one.train.weight, 2)
    for name in ("weight", "bias"):
        np.testing.assert_allclose(program.output[name], solved[name], atol=1e-8)


def test_a_closed_form_does_not_depend_on_the_seed():
    composed = composition(FeaturesMapping(), STILL)
    tasks = [task(300)._replace(seed=seed) for seed in (0, 1)]
    assert_equal_programs(*fit_programs(tasks, composed, options()), atol=0)


def test_views_contribute_their_features_side_by_side():
    views = SideBySide([STILL, TilingTransformation(1, program=False)])
    composed = composition(FeaturesMapping(), views)
    program = fit_programs([task()], composed, options())[0]
    alone = fit_programs([task()], composition(FeaturesMapping(), STILL), options())[0]
    assert program.output["weight"].shape[0] == 2 * alone.output["weight"].shape[0]


def test_views_give_the_mean_of_their_log_probabilities():
    views = SideBySide([STILL, TilingTransformation(1, program=False)])
    composed = composition(FrequencyMapping(), views)
    X = task().train.X
    theta = views.init(X, composed.space, torch.Generator())
    given = composed.model([(theta, {})]).given(X[None])[0]
    first, second = (
        composed.network.outputs(view).log_softmax(1)
        for view in views.apply(theta, X, composed.space)
    )
    torch.testing.assert_close(given, (first + second) / 2)


def test_a_linear_head_reaches_the_loss_of_logistic_regression():
    composed, one = composition(LinearMapping(), STILL), task(40)
    program = fit_programs([one], composed, options(max_epochs=400, lr=0.3, batch_size=40))[0]
    theta, omega = program.tensors()
    logits = composed.network.outputs(STILL.apply(theta, one.train.X, composed.space))
    F = ((logits - omega["centre"]) / omega["spread"]).numpy()
    weight, y = one.train.weight.numpy(), one.train.y.numpy()
    expected = LogisticRegression(C=1e6, max_iter=5000).fit(F, y, weight).predict_log_proba(F)
    scores = class_scores(program, composed, one.train.X.numpy())
    got = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    losses = [np.average(-p[np.arange(40), y], weights=weight) for p in (got, expected)]
    assert losses[0] == pytest.approx(losses[1], abs=0.01)


@pytest.mark.parametrize("name", ["features", "frequency"])
def test_a_weight_is_a_repetition(name):
    composed = composition(OutputMapping.resolve(name), STILL)
    plain = rows(20, 0)
    times = torch.arange(20) % 3 + 1
    order = torch.arange(20).repeat_interleave(times)
    weighted = replace(plain, weight=times.double())
    repeated = replace(
        plain, X=plain.X[order], y=plain.y[order], weight=torch.ones(len(order)).double()
    )
    programs = fit_programs(
        [task()._replace(train=train) for train in (weighted, repeated)], composed, options()
    )
    X = rows(10, 1).X.numpy()
    scores = [class_scores(program, composed, X) for program in programs]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-8)


def test_copies_are_merged_with_their_weights_only_within_a_class():
    X = np.array([[1.0], [2.0], [1.0], [1.0], [2.0]])
    merged = merge_copies(rows_of(X, np.array([0, 1, 0, 1, 1]), np.array([1.0, 2, 3, 4, 5])))
    pairs = zip(merged.X[:, 0].tolist(), merged.y.tolist(), merged.weight.tolist(), strict=True)
    assert sorted(pairs) == [(1.0, 0, 4.0), (1.0, 1, 4.0), (2.0, 1, 7.0)]
