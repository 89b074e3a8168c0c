"""Regression: values in their own units, solved or trained, whatever the loss."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import QuantileRegressor, RidgeCV
from sklearn.model_selection import GridSearchCV
from toys import disturbed_network, table_network, table_source

import skreprogram
from skreprogram import ReprogrammingClassifier, ReprogrammingRegressor
from skreprogram.gradients import Surrogate
from skreprogram.losses import QuantileLoss, RegressionLoss
from skreprogram.mappings import RidgeMapping
from skreprogram.sources import BlackBoxSource, SourceModel

ALPHAS = np.logspace(-4, 3, 8)


def line(n_samples=60, noise=0.1, seed=0):
    """A table, and a sum of its columns."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n_samples, 5))
    return X, X @ [1.0, 2.0, 0.0, -1.0, 0.5] + noise * rng.normal(size=n_samples)


def solved(**changes):
    """A regressor whose head on twelve outputs is solved, not fitted."""
    settings = {"output_mapping": "ridge", "dtype": "float64", "random_state": 0, **changes}
    return ReprogrammingRegressor(table_source(5, 12), input_transformation="identity", **settings)


def trained(**changes):
    """A regressor whose both sides train by gradient, not fitted."""
    settings = {"max_epochs": 40, "lr": 0.03, "random_state": 0, **changes}
    return ReprogrammingRegressor(table_source(8, 12), **settings)


def outputs_of(X):
    """What the source of `solved` answers."""
    with torch.no_grad():
        return table_network(5, 12).double()(torch.from_numpy(X)).numpy()


def asked(n_features=8):
    """The source of `trained` as a black box."""

    def answer(rows):
        with torch.no_grad():
            return table_network(n_features, 12)(torch.from_numpy(rows).float()).numpy()

    return BlackBoxSource(answer, (n_features,), 12, output_kind="logits", max_batch=10_000)


def standard(F):
    """Unit variance, rows of about unit norm."""
    return (F - F.mean(0)) / F.std(0) / np.sqrt(F.shape[1])


@pytest.mark.parametrize("make", [solved, trained])
def test_predictions_are_in_the_units_of_y(make):
    X, y = line(120)
    y = 1e6 + 1e3 * y
    reg = make().fit(X[:60], y[:60])
    assert reg.score(X[60:], y[60:]) > 0.8
    assert abs(reg.predict(X).mean() - y.mean()) < 1e3


@pytest.mark.parametrize("loss", RegressionLoss.names())
def test_other_units_of_y_change_nothing_else(loss):
    X, y = line()
    reg = solved(loss=loss, output_mapping=RidgeMapping([0.01]))
    plain, scaled = (reg.fit(X, target).predict(X) for target in (y, 50 - 3 * y))
    assert_allclose(scaled, 50 - 3 * plain, atol=1e-3)


def test_the_solved_head_is_scikit_learns_ridge_cv_on_the_outputs():
    X, y = line()
    reg = solved(output_mapping=RidgeMapping(ALPHAS)).fit(X, y)
    F = standard(outputs_of(X))
    assert_allclose(reg.predict(X), RidgeCV(ALPHAS).fit(F, y).predict(F), atol=1e-8)
    assert reg.n_iter_ == 0


@pytest.mark.parametrize("q", [0.2, 0.5])
def test_a_solved_quantile_is_that_of_scikit_learns_linear_programme(q):
    X, y = line(noise=2.0)
    reg = solved(output_mapping=RidgeMapping([1e-9]), loss=QuantileLoss(q)).fit(X, y)
    F = standard(outputs_of(X))
    expected = QuantileRegressor(quantile=q, alpha=0).fit(F, y).predict(F)
    # small errors are smoothed, and the last digits of the linear programme are as free
    assert np.abs(reg.predict(X) - expected).mean() < 0.02 * y.std()


def test_quantiles_hold_their_share_of_further_samples():
    X, y = line(600, noise=2.0)
    for q in (0.1, 0.5, 0.9):
        reg = solved(loss=QuantileLoss(q), output_mapping=RidgeMapping([0.1, 1.0]))
        reg.fit(X[:300], y[:300])
        assert (y[300:] < reg.predict(X[300:])).mean() == pytest.approx(q, abs=0.08)


def test_the_absolute_loss_forgives_an_outlier_that_draws_the_squared_one():
    X, y = line(noise=0)
    spoiled = y.copy()
    spoiled[0] += 1000
    off = {
        loss: np.abs(solved(loss=loss).fit(X, spoiled).predict(X)[1:] - y[1:]).mean()
        for loss in ("absolute", "squared")
    }
    assert off["absolute"] < 0.5 * off["squared"]


@pytest.mark.parametrize("loss", RegressionLoss.names())
def test_every_loss_trains_by_its_name(loss):
    history = trained(loss=loss, max_epochs=20).fit(*line()).history_
    assert history[-1]["train_loss"] < 0.8 * history[0]["train_loss"]


@pytest.mark.parametrize("make", [solved, trained])
def test_a_constant_comes_back(make):
    X, _ = line()
    assert_allclose(make().fit(X, np.full(60, 0.1)).predict(X), 0.1, rtol=1e-6)


def test_several_targets_are_each_what_they_are_alone():
    X, y = line()
    Y = np.column_stack([y, 100 * X[:, 0], np.ones(60)])
    one_alpha = {"output_mapping": RidgeMapping([0.1])}
    together = solved(**one_alpha).fit(X, Y).predict(X)
    assert together.shape == (60, 3)
    for k in range(3):
        alone = solved(**one_alpha).fit(X, Y[:, k]).predict(X)
        assert_allclose(together[:, k], alone, atol=1e-8)


@pytest.mark.parametrize("make", [solved, trained])
def test_the_shape_of_y_comes_back(make):
    X, y = line()
    assert make(max_epochs=1).fit(X, y).predict(X).shape == (60,)
    assert make(max_epochs=1).fit(X, y[:, None]).predict(X).shape == (60, 1)
    assert make(max_epochs=1).fit(X, np.c_[y, y]).predict(X).shape == (60, 2)


def test_weights_mean_repetition():
    X, y = line(30)
    times = np.random.RandomState(1).randint(0, 4, size=30)
    weighted = solved().fit(X, y, sample_weight=times).predict(X)
    repeated = solved().fit(np.repeat(X, times, axis=0), np.repeat(y, times)).predict(X)
    assert_allclose(weighted, repeated, atol=1e-7)


def test_early_stopping_keeps_the_best_epoch_of_a_part_of_the_data():
    reg = trained(early_stopping=True, n_iter_no_change=3, max_epochs=200, lr=0.1)
    history = reg.fit(*line(noise=2.0)).history_
    losses = [row["valid_loss"] for row in history]
    assert len(history) < 200 and np.argmin(losses) == len(losses) - 4


def test_too_few_samples_for_early_stopping_are_refused():
    X, y = line(2)
    with pytest.raises(ValueError, match="Got 2 samples, too few to cut a validation part"):
        trained(early_stopping=True).fit(X, y)


def test_partial_fit_of_a_solved_head_equals_fit_on_everything():
    X, y = line()
    parts = solved().partial_fit(X[:20], y[:20]).partial_fit(X[20:], y[20:])
    assert_allclose(parts.predict(X), solved().fit(X, y).predict(X), atol=1e-10)


def test_partial_fit_of_a_trained_program_goes_on_in_the_first_units():
    X, y = line()
    reg = trained().partial_fit(X, y)
    mean = reg.target_mean_
    for _ in range(30):
        reg.partial_fit(X, y + 1)
    assert reg.n_iter_ == 31 and reg.target_mean_ == mean
    assert reg.score(X, y + 1) > 0.7


def test_partial_fit_refuses_another_number_of_targets():
    X, y = line()
    reg = trained().partial_fit(X, y)
    with pytest.raises(ValueError, match=r"Got y with targets of shape \(2,\)"):
        reg.partial_fit(X, np.c_[y, y])


def test_a_warm_start_goes_on_with_the_program_and_its_units():
    X, y = line()
    reg = trained(warm_start=True, max_epochs=10).fit(X, y)
    first, mean = reg.history_[0]["train_loss"], reg.target_mean_
    reg.fit(X, y)
    assert reg.history_[0]["train_loss"] < 0.8 * first and reg.target_mean_ == mean
    with pytest.raises(ValueError, match=r"target shape \[2\], expected .*target shape|\[2\]"):
        reg.fit(X, np.c_[y, y])


@pytest.mark.parametrize("make", [solved, trained])
def test_a_loaded_regressor_predicts_bit_by_bit_the_same(make, tmp_path):
    X, y = line()
    reg = make(loss=QuantileLoss(0.9), max_epochs=2).fit(X[:20], np.c_[y, 1e6 * y][:20])
    reg.save(tmp_path / "program")
    loaded = skreprogram.load(tmp_path / "program", source=reg.source)
    assert type(loaded) is ReprogrammingRegressor and loaded.loss.q == 0.9
    assert_array_equal(loaded.predict(X), reg.predict(X))
    assert not hasattr(loaded, "classes_")


def test_a_pickle_takes_kilobytes():
    X, y = line()
    assert len(pickle.dumps(trained(max_epochs=2).fit(X, y))) < 10_000


def test_a_black_box_is_reprogrammed_by_queries():
    X, y = line()
    reg = ReprogrammingRegressor(asked(), max_epochs=30, lr=0.03, random_state=0).fit(X, y)
    assert reg.score(X, y) > 0.8 and reg.n_queries_ > 60
    assert min(row["train_loss"] for row in reg.history_) < reg.history_[0]["train_loss"]


def test_a_ridge_head_asks_a_black_box_about_every_sample_once():
    X, y = line()
    reg = solved(dtype="float32").set_params(source=asked(5)).fit(X, y)
    assert reg.n_queries_ == 60 and reg.score(X, y) > 0.8


@pytest.mark.parametrize("threshold", [None, 0.05])
def test_a_local_copy_is_reprogrammed_for_values(threshold):
    X, y = line()
    gradient = Surrogate(table_source(8, 20), threshold=threshold)
    reg = trained(gradient=gradient).set_params(source=asked()).fit(X, y)
    assert reg.n_queries_ == 60 and reg.score(X, y) > 0.7


@pytest.mark.parametrize("mapping", ["frequency", "iterative", "bayesian"])
def test_label_mappings_are_refused(mapping):
    with pytest.raises(ValueError, match=f"Got output_mapping='{mapping}'.*expected a mapping to"):
        solved(output_mapping=mapping).fit(*line())


def test_losses_of_classes_and_of_values_are_told_apart():
    X, y = line()
    with pytest.raises(ValueError, match="Got the regression loss 'focal', expected one of"):
        solved(loss="focal").fit(X, y)
    with pytest.raises(ValueError, match="Got the loss 'squared', expected one of"):
        ReprogrammingClassifier(table_source(), loss="squared").fit(X, y > 0)


@pytest.mark.parametrize("make", [solved, trained])
@pytest.mark.parametrize("q", [0, 1, -0.5, "0.9"])
def test_quantiles_out_of_range_are_refused(make, q):
    with pytest.raises(ValueError, match="Got q=.*expected a number between 0 and 1"):
        make(loss=QuantileLoss(q), max_epochs=1).fit(*line())


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        (None, "requires y to be passed"),
        (np.r_[np.nan, np.zeros(59)], "contains NaN"),
        (np.r_[np.inf, np.zeros(59)], "contains infinity"),
        (np.zeros(59), "Got 60 samples in X and 59 targets"),
        (np.zeros((60, 0)), "0 feature|Got y of shape"),
        (np.zeros((60, 2, 2)), "Found array with dim 3|Got y of shape"),
    ],
)
def test_targets_that_cannot_be_used_are_refused(y, sentence):
    X, _ = line()
    with pytest.raises(ValueError, match=sentence):
        solved().fit(X, y)


def test_a_single_sample_of_positive_weight_is_refused():
    X, y = line()
    with pytest.raises(ValueError, match="Got 1 sample"):
        solved().fit(X, y, sample_weight=np.arange(60) == 3)


def test_quantiles_are_searched_like_any_parameter():
    reg = solved(loss=QuantileLoss(), output_mapping=RidgeMapping([0.1]))
    search = GridSearchCV(reg, {"loss__q": [0.1, 0.5]}, cv=2)
    assert search.fit(*line(noise=2.0)).best_params_ == {"loss__q": 0.5}


@pytest.mark.parametrize("finetune", ["norm", "all"])
def test_what_trains_inside_the_source_is_the_programs_own(finetune, tmp_path):
    X, y = line()
    source = SourceModel.from_module(disturbed_network(), (8,))
    before = [source.load(folded=folded).state_digest() for folded in (True, False)]
    reg = trained(finetune=finetune, finetune_lr=0.01).set_params(source=source).fit(X, y)
    assert [source.load(folded=folded).state_digest() for folded in (True, False)] == before
    shared = source.load(folded=False).tensors(reg.program_.source)
    assert len(shared) == {"norm": 2, "all": 6}[finetune]
    assert all(not np.array_equal(reg.program_.source[n], t) for n, t in shared.items())
    reg.save(tmp_path / "program")
    loaded = skreprogram.load(tmp_path / "program", source=source)
    assert_array_equal(loaded.predict(X), reg.predict(X))


def test_tensors_of_the_source_lower_the_loss_that_a_program_is_left_with():
    X, y = line()
    reg = trained(warm_start=True).fit(X, y)
    left = reg.history_[-1]["train_loss"]
    reg.set_params(finetune="all", finetune_lr=0.01).fit(X, y)
    assert reg.history_[-1]["train_loss"] < 0.8 * left


@pytest.mark.parametrize("mapping", ["ridge", "features"])
@pytest.mark.parametrize("loss", RegressionLoss.names())
def test_fine_tuning_begins_at_the_solved_head_whatever_the_loss(mapping, loss):
    X, y = line()
    still = {"finetune": "all", "max_epochs": 2, "lr": 1e-30, "finetune_lr": 1e-30}
    chosen = {"output_mapping": mapping, "loss": loss}
    begun = solved(**chosen, **still).fit(X, y)
    assert begun.n_iter_ == 2
    assert_allclose(begun.predict(X), solved(**chosen).fit(X, y).predict(X), atol=1e-6)
