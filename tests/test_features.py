"""The features mapping: pooled, standardised, solved in closed form and calibrated."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import RidgeCV
from sklearn.metrics import log_loss

from skreprogram.mappings import FeaturesMapping
from skreprogram.training import Rows
from skreprogram.training._fit import merge_copies

ALPHAS = np.logspace(-4, 3, 8)


def table(n_rows=40, n_features=6, n_classes=3, seed=0, dtype=np.float64):
    """Features of classes that overlap, with scales and offsets of their own."""
    rng = np.random.RandomState(seed)
    codes = np.arange(n_rows) % n_classes
    F = rng.normal(size=(n_classes, n_features))[codes] + rng.normal(size=(n_rows, n_features))
    F = F * rng.uniform(0.1, 10, n_features) + rng.normal(size=n_features)
    return torch.from_numpy(F.astype(dtype)), torch.from_numpy(codes)


def solved(F, codes, weight=None, mapping=None):
    """Mapping and its tensors after `solve`."""
    mapping = mapping or FeaturesMapping(alphas=ALPHAS)
    weight = torch.ones(len(F), dtype=F.dtype) if weight is None else weight
    n_classes = int(codes.max()) + 1
    params = mapping.init((F,), n_classes, torch.Generator())
    return mapping, mapping.solve(params, F, codes, weight, n_classes)


def standard(F):
    """Unit variance, rows of about unit norm."""
    F = F.numpy()
    return (F - F.mean(0)) / F.std(0) / np.sqrt(F.shape[1])


@pytest.mark.parametrize("shape", [(40, 6), (20, 60)])
def test_classes_are_those_of_scikit_learns_ridge_cv_on_standardised_features(shape):
    F, codes = table(*shape)
    mapping, params = solved(F, codes)
    targets = np.where(np.arange(3) == codes.numpy()[:, None], 1.0, -1.0)
    ridge = RidgeCV(ALPHAS).fit(standard(F), targets)
    scores = mapping.score(params, F).numpy()
    expected = ridge.predict(standard(F))
    sharp = scores.std() / expected.std()
    np.testing.assert_allclose(scores, sharp * expected, atol=1e-8 * sharp)


def test_weights_mean_repetition_once_copies_are_merged():
    F, codes = table(30)
    times = torch.from_numpy(np.random.RandomState(1).randint(1, 4, size=30))
    order = torch.arange(30).repeat_interleave(times)
    copies = Rows(F[order], codes[order], torch.ones(len(order), dtype=F.dtype))
    merged = merge_copies(copies)
    _, repeated = solved(merged.X, merged.y, merged.weight)
    _, weighted = solved(F, codes, times.double())
    torch.testing.assert_close(repeated["weight"], weighted["weight"])
    torch.testing.assert_close(repeated["bias"], weighted["bias"])


def test_the_scale_of_the_weights_does_not_change_the_directions():
    F, codes = table(30)
    weight = torch.rand(30, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 0.1
    first, second = (
        torch.nn.functional.normalize(
            solved(F, codes, scale * weight)[1]["weight"].flatten(), dim=0
        )
        for scale in (1.0, 1000.0)
    )
    torch.testing.assert_close(first, second)


def test_large_offsets_change_nothing_in_single_precision():
    F, codes = table(dtype=np.float32)
    F = (F - F.mean(0)) / F.std(0)
    offset = 2.0**12  # exact in binary, so that only the arithmetic of the mapping rounds
    F = (F * 1024).round() / 1024
    mapping, params = solved(F, codes)
    _, moved = solved(F + offset, codes)
    torch.testing.assert_close(
        mapping.score(moved, F + offset), mapping.score(params, F), atol=2e-2, rtol=0
    )


def test_features_that_are_constant_get_no_weight():
    F, codes = table(dtype=np.float32)
    constant = torch.full((len(F), 2), 5.3)
    mapping, params = solved(torch.cat([F, constant], 1), codes)
    _, without = solved(F, codes)
    assert not params["weight"][6:].any()
    torch.testing.assert_close(params["weight"][:6], without["weight"])


def test_probabilities_are_calibrated_on_rows_that_were_left_out():
    F, codes = table(400, 6, seed=2)
    train, test = slice(0, 200), slice(200, 400)
    mapping, params = solved(F[train], codes[train])
    scores = mapping.score(params, F[test])

    def loss(sharper):
        return log_loss(codes[test], (sharper * scores).softmax(1).numpy())

    assert loss(1.0) < min(loss(0.5), loss(2.0))


def test_a_class_without_rows_is_never_the_likeliest():
    F, codes = table()
    mapping = FeaturesMapping()
    params = mapping.init((F,), 4, torch.Generator())
    params = mapping.solve(params, F, codes, torch.ones(40, dtype=F.dtype), 4)
    scores = mapping.score(params, F)
    assert torch.isfinite(scores).all() and (scores.argmax(1) != 3).all()


def test_stages_are_pooled_side_by_side_each_with_its_thresholds():
    stages = (torch.randn(9, 3, 20), torch.randn(9, 2, 4, 4) + 5, torch.randn(9, 6))
    mapping = FeaturesMapping(poolings=("mean", "share"), quantiles=(0.5, 0.9))
    params = mapping.init(stages, 2, torch.Generator())
    pooled = mapping.pool(params, stages)
    assert pooled.shape == (9, 3 * 3 + 2 * 3 + 6)
    torch.testing.assert_close(pooled[:, :3], stages[0].mean(2))
    torch.testing.assert_close(pooled[:, 9:11], stages[1].mean((2, 3)))
    torch.testing.assert_close(pooled[:, 15:], stages[2])
    assert pooled[:, 11:13].mean() == pytest.approx(0.5, abs=0.02)


def test_apply_is_pool_and_score():
    stages = (torch.randn(9, 3, 20), torch.randn(9, 6))
    mapping = FeaturesMapping()
    params = mapping.init(stages, 2, torch.Generator())
    params["weight"] = torch.randn_like(params["weight"])
    pooled = mapping.pool(params, stages)
    standard = (pooled - params["shift"]) * params["factor"]
    expected = standard @ params["weight"] + params["bias"]
    torch.testing.assert_close(mapping.apply(params, stages), expected)


@pytest.mark.parametrize(
    "wrong",
    [
        {"poolings": ()},
        {"poolings": ("mean", "median")},
        {"quantiles": (0.5, 1.0)},
        {"quantiles": ()},
        {"alphas": []},
        {"alphas": [1.0, -1.0]},
        {"alphas": [np.nan]},
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=f"Got {next(iter(wrong))}=.*expected"):
        FeaturesMapping(**wrong).init((torch.randn(4, 3, 5),), 2, torch.Generator())
