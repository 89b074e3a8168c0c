"""The heads mapping: a head for each statistic, their probabilities averaged."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize, minimize_scalar
from scipy.special import softmax
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from skreprogram import TimeSeriesReprogrammer, TimeSeriesReprogrammingRegressor, load
from skreprogram.datasets import make_tones
from skreprogram.mappings import FeaturesMapping, HeadsMapping
from skreprogram.mappings._calibration import calibrate
from skreprogram.mappings._mixture import mix
from skreprogram.mappings._pooling import pool
from skreprogram.training._model import Reprogrammed
from skreprogram.transformations import IdentityTransformation

ALPHAS = np.logspace(-4, 3, 8)
N_CLASSES = 3
STILL = IdentityTransformation()


@pytest.fixture
def stages():
    generator = torch.Generator().manual_seed(0)
    codes = torch.arange(60) % N_CLASSES
    level = codes[:, None, None].double() / 2
    wide = torch.randn(60, 4, 20, generator=generator, dtype=torch.float64) + level
    narrow = torch.randn(60, 2, 5, generator=generator, dtype=torch.float64)
    return (wide, narrow), codes


def solved(mapping, stages, codes):
    params = mapping.init(stages, N_CLASSES, torch.Generator())
    weight = torch.ones(len(codes), dtype=torch.float64)
    return mapping.solve(params, mapping.pool(params, stages), codes, weight, N_CLASSES)


def test_each_feature_belongs_to_the_head_of_its_statistic(stages):
    mapping = HeadsMapping()
    params = mapping.init(stages[0], N_CLASSES, torch.Generator())
    pooled = mapping.pool(params, stages[0])
    for number, name in enumerate(mapping.poolings):
        levels = [(params[f"thresholds/{i}"], params[f"width/{i}"]) for i in range(2)]
        alone = [pool(s, (name,), *own) for s, own in zip(stages[0], levels, strict=True)]
        torch.testing.assert_close(pooled[:, params["head_of"][0] == number], torch.cat(alone, 1))


def test_each_of_several_views_has_a_head_on_all_its_features(stages):
    mapping = HeadsMapping(("mean", "max"))
    views = ((stages[0][0],), (stages[0][1], stages[0][0]))
    params = mapping.init(views, N_CLASSES, torch.Generator())
    by_statistic, by_view = params["head_of"]
    assert by_statistic.max() == 1
    assert by_view.tolist() == [2] * 8 + [3] * 12
    torch.testing.assert_close(
        mapping.pool(params, views)[:, by_view == 2], mapping.pool(params, (stages[0][0],))
    )


def test_more_views_than_a_byte_counts_have_a_head_each(stages):
    views = ((stages[0][1],),) * 130
    params = HeadsMapping(("mean",)).init(views, N_CLASSES, torch.Generator())
    assert params["head_of"][1].unique().tolist() == list(range(1, 131))


def test_the_head_of_a_view_is_ridge_on_its_features_alone(stages):
    mapping = HeadsMapping(("mean",), alphas=[0.1])
    views = ((stages[0][0],), (stages[0][1],))
    params = solved(mapping, views, stages[1])
    weight = params["weight"][1]
    for number, view in enumerate(views, 1):
        own = params["head_of"][1] == number
        alone = solved(mapping, view, stages[1])["weight"][0]
        # up to the factor that calibrates it
        torch.testing.assert_close(weight[own] / weight[own].norm(), alone / alone.norm())


def test_one_statistic_is_the_one_head_of_the_features_mapping(stages):
    both = [kind(("std",), alphas=ALPHAS) for kind in (HeadsMapping, FeaturesMapping)]
    scores = [mapping.apply(solved(mapping, *stages), stages[0]) for mapping in both]
    torch.testing.assert_close(*(score.softmax(1) for score in scores), atol=1e-3, rtol=1e-3)


def test_probabilities_are_a_mean_over_ridge_heads_of_scikit_learn(stages):
    given, codes = stages
    names = ("mean", "std", "max")
    mapping = HeadsMapping(names, alphas=ALPHAS)
    params = solved(mapping, given, codes)
    shares = params["shares"][:, None, None]
    got = mapping.apply(params, given).softmax(1).numpy()
    targets = np.where(np.arange(N_CLASSES) == codes.numpy()[:, None], 1.0, -1.0)
    heads = []
    for name in names:
        F = torch.cat([pool(stage, (name,)) for stage in given], 1).numpy()
        F = (F - F.mean(0)) / F.std(0) / np.sqrt(F.shape[1])
        trials = []
        for alpha in ALPHAS:
            left_out = cross_val_predict(Ridge(alpha), F, targets, cv=LeaveOneOut())
            factor, loss = calibrate(left_out, codes.numpy(), np.ones(len(F)))
            trials.append((loss, alpha, factor))
        _, alpha, factor = min(trials)
        heads.append(factor * Ridge(alpha).fit(F, targets).predict(F))

    def expected(factor):
        return (torch.from_numpy(factor * np.stack(heads)).softmax(2) * shares).sum(0).numpy()

    def distance(log_factor):
        return np.square(expected(np.exp(log_factor)) - got).sum()

    assert minimize_scalar(distance, bounds=(-3, 5)).fun < 1e-8


def test_the_last_factor_makes_the_mean_of_the_heads_likeliest():
    rng = np.random.RandomState(0)
    codes = rng.randint(2, size=400)
    truth = np.where(np.arange(2) == codes[:, None], 1.0, -1.0)
    heads = truth + rng.normal(scale=2.0, size=(3, 400, 2))

    def loss(factor):
        log_p = torch.from_numpy(factor * heads).softmax(2).mean(0).log().numpy()
        return -log_p[np.arange(400), codes].mean()

    found = calibrate(heads, codes, np.ones(400)).factor
    assert loss(found) < loss(found * 1.6) and loss(found) < loss(found / 1.6)


def test_a_classifier_that_guesses_gets_no_share():
    rng = np.random.RandomState(0)
    codes = rng.randint(3, size=300)
    truth = np.where(np.arange(3) == codes[:, None], 1.0, -1.0)
    good, guess = truth + rng.normal(size=(300, 3)), rng.normal(size=(300, 3))
    shares, _ = mix(np.stack([guess, good, guess[::-1]]), codes, np.ones(300))
    assert shares[1] > 0.9 and np.isclose(shares.sum(), 1)


def test_shares_are_those_that_scipy_finds_likeliest():
    rng = np.random.RandomState(1)
    codes = rng.randint(2, size=300)
    truth = np.where(np.arange(2) == codes[:, None], 1.0, -1.0)
    heads = np.stack([truth + rng.normal(scale=scale, size=(300, 2)) for scale in (1, 1.5, 2)])
    shares, _ = mix(heads, codes, np.ones(300))
    right = softmax(calibrate(heads, codes, np.ones(300)).factor * heads, axis=2)[
        :, np.arange(300), codes
    ]

    def loss(angles):
        return -np.log(softmax(angles) @ right).mean()

    found = minimize(loss, np.zeros(3))
    assert loss(np.log(shares + 1e-12)) < found.fun + 1e-4


def test_stages_without_positions_share_one_head(stages):
    vectors = (stages[0][0][..., 0], stages[0][1][..., 0])
    params = solved(HeadsMapping(), vectors, stages[1])
    assert params["bias"].shape == (1, N_CLASSES - 1)


def test_two_programs_at_once_score_as_each_alone(stages):
    given, codes = stages
    mapping = HeadsMapping(("mean", "std"))
    programs = [solved(mapping, given, codes), solved(mapping, given, codes.flip(0))]
    model = Reprogrammed(None, None, STILL, mapping, [({}, program) for program in programs])
    scores = model.scores(tuple(torch.stack([stage, stage]) for stage in given))
    for alone, at_once in zip(programs, scores, strict=True):
        torch.testing.assert_close(at_once, mapping.apply(alone, given))


def test_values_have_one_head_on_everything():
    X, y = make_tones(n_samples=20, length=40, n_classes=2, random_state=0)
    both = [
        TimeSeriesReprogrammingRegressor(
            input_transformation="modulation",
            output_mapping=kind(("mean", "std")),
            random_state=0,
        ).fit(X, y.astype(float))
        for kind in (HeadsMapping, FeaturesMapping)
    ]
    np.testing.assert_allclose(both[0].predict(X), both[1].predict(X))


def test_a_saved_classifier_answers_as_before(tmp_path):
    X, y = make_tones(n_samples=20, length=40, n_classes=2, random_state=0)
    clf = TimeSeriesReprogrammer(
        input_transformation="modulation", output_mapping="heads", random_state=0
    ).fit(X, y)
    clf.save(tmp_path / "heads.safetensors")
    loaded = load(tmp_path / "heads.safetensors")
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))


def test_fine_tuning_begins_at_the_heads_that_were_solved():
    X, y = make_tones(n_samples=20, length=40, n_classes=2, random_state=0)
    solved = TimeSeriesReprogrammer(
        input_transformation="modulation", output_mapping="heads", random_state=0
    ).fit(X, y)
    tuned = TimeSeriesReprogrammer(
        input_transformation="modulation",
        output_mapping="heads",
        finetune="last",
        finetune_lr=1e-12,
        lr=1e-12,
        max_epochs=1,
        random_state=0,
    ).fit(X, y)
    np.testing.assert_allclose(tuned.predict_proba(X), solved.predict_proba(X), atol=1e-4)
