"""Rows of the label -1: what they teach, and that nothing else takes notice of them."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.semi_supervised import SelfTrainingClassifier
from toys import blobs, sound_source, table_network, table_source

import skreprogram
from skreprogram import ReprogrammingClassifier, SequenceReprogrammer, TimeSeriesReprogrammer
from skreprogram.datasets import make_tones
from skreprogram.sktime import SktimeReprogrammer
from skreprogram.sources import BlackBoxSource, SourceModel
from skreprogram.transformations import FrequencyModulation, TokenPatchesTransformation
from skreprogram.unlabelled import Consistency, EntropyMinimisation, PseudoLabels


def noisy(X, generator):
    return X + 0.1 * torch.randn(X.shape, generator=generator, dtype=X.dtype)


STRATEGIES = {
    "pseudo-label": PseudoLabels(threshold=0.34),
    "consistency": Consistency(threshold=0.34, augmentation=noisy),
    "entropy": EntropyMinimisation(weight=1.0),
}
each_strategy = pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)


def classifier(unlabelled=None, **params):
    """A program trained by gradient."""
    settings = {"max_epochs": 5, "random_state": 0, **params}
    return ReprogrammingClassifier(table_source(), unlabelled=unlabelled, **settings)


def solved(unlabelled=None, **params):
    """A head solved on the outputs of a source that hands the data on."""
    source = SourceModel.from_module(torch.nn.Identity(), (5,))
    sides = {"input_transformation": "identity", "output_mapping": "ridge"}
    settings = {**sides, "random_state": 0, **params}
    return ReprogrammingClassifier(source, unlabelled=unlabelled, **settings)


def partly(y, n_labelled):
    """Labels of which the first ones are kept."""
    return np.where(np.arange(len(y)) < n_labelled, y, -1)


def two_clusters():
    """Two clusters with a gap, of which six rows say little in five dimensions."""
    rng = np.random.RandomState(0)
    y = np.arange(200) % 2
    X = rng.normal(size=(200, 5))
    X[:, :2] += 2 * (2 * y - 1)[:, None]
    return X, y


def same_program(first, second):
    return all(
        np.array_equal(first.program_.output[name], second.program_.output[name])
        for name in first.program_.output
    )


# without a strategy


def test_without_a_strategy_minus_one_is_a_class():
    X, y = blobs(n_classes=2)
    clf = classifier().fit(X, 2 * y - 1)
    assert clf.classes_.tolist() == [-1, 1]
    assert set(clf.predict(X)) == {-1, 1}


@each_strategy
def test_without_unlabelled_rows_a_strategy_changes_nothing(strategy):
    X, y = blobs()
    assert same_program(classifier(strategy).fit(X, y), classifier().fit(X, y))


# with one


@each_strategy
def test_unlabelled_rows_are_no_class_and_change_the_program(strategy):
    X, y = blobs(60)
    clf = classifier(strategy).fit(X, partly(y, 12))
    assert clf.classes_.tolist() == [0, 1, 2]
    assert clf.predict_proba(X).shape == (60, 3)
    assert not same_program(clf, classifier().fit(X[:12], y[:12]))


@pytest.mark.parametrize("name", ["PseudoLabels", "Consistency", "EntropyMinimisation"])
def test_a_weight_of_zero_is_as_good_as_no_unlabelled_rows(name):
    X, y = blobs(60)
    strategy = getattr(skreprogram.unlabelled, name)(weight=0.0)
    if name == "Consistency":
        strategy.set_params(augmentation=noisy)
    with_rows = classifier(strategy, input_transformation="padding").fit(X, partly(y, 12))
    without = classifier(input_transformation="padding").fit(X[:12], y[:12])
    proba = with_rows.predict_proba(X)
    np.testing.assert_allclose(proba, without.predict_proba(X), atol=1e-5)


@each_strategy
def test_the_same_seed_gives_the_same_program(strategy):
    X, y = blobs(60)
    first, second = (classifier(clone(strategy)).fit(X, partly(y, 12)) for _ in range(2))
    assert same_program(first, second)


def test_entropy_makes_unlabelled_rows_surer():
    X, y = blobs(60)

    def mean_entropy(weight):
        clf = classifier(EntropyMinimisation(weight, warm_up=0.0), max_epochs=60, lr=0.03)
        log_p = clf.fit(X, partly(y, 12)).predict_log_proba(X[12:])
        return -(np.exp(log_p) * log_p).sum(1).mean()

    assert mean_entropy(1.0) < 0.7 * mean_entropy(0.0)


def test_rounds_of_pseudo_labels_find_the_gap_between_two_clusters():
    X, y = two_clusters()
    alone = solved().fit(X[:6], y[:6]).score(X, y)
    with_rows = solved("pseudo-label").fit(X, partly(y, 6)).score(X, y)
    assert alone < 0.8 and with_rows == 1.0


def test_rounds_that_believe_nothing_equal_the_labelled_rows_alone():
    X, y = blobs(60)
    unsure = solved(PseudoLabels(threshold=1.0)).fit(X, partly(y, 12))
    np.testing.assert_array_equal(
        unsure.predict_proba(X), solved().fit(X[:12], y[:12]).predict_proba(X)
    )


def test_rounds_that_believe_the_truth_equal_a_fit_to_all_labels():
    X, y = blobs(60)
    believing = solved(PseudoLabels(threshold=0.0)).fit(X, partly(y, 30))
    whole = solved().fit(X, y)
    weights = [clf.program_.output["weight"] for clf in (believing, whole)]
    # the temperature behind is searched for, and depends on the order of the rows
    first, second = (weight / np.linalg.norm(weight) for weight in weights)
    np.testing.assert_allclose(first, second, atol=1e-5)


def test_pseudo_labels_have_a_voice_in_a_frequency_mapping():
    X, y = blobs(60)
    counts = [
        ReprogrammingClassifier(
            table_source(5),
            input_transformation="identity",
            output_mapping="frequency",
            unlabelled=PseudoLabels(threshold=0.0, weight=weight),
            random_state=0,
        )
        .fit(X, partly(y, 12))
        .program_.output["counts"]
        .sum()
        for weight in (0.0, 1.0)
    ]
    assert counts == [12, 60]


def test_a_head_behind_a_frozen_transformation_learns_from_each_strategy():
    X, y = blobs(60)
    for strategy in STRATEGIES.values():
        clf = solved(strategy, output_mapping="linear", max_epochs=3).fit(X, partly(y, 12))
        alone = solved(output_mapping="linear", max_epochs=3).fit(X[:12], y[:12])
        assert not np.allclose(clf.predict_proba(X), alone.predict_proba(X), atol=1e-4)


# what labelled rows alone decide


def test_early_stopping_validates_on_labelled_rows():
    X, y = blobs(60)
    clf = classifier(STRATEGIES["entropy"], early_stopping=True).fit(X, partly(y, 30))
    alone = classifier(early_stopping=True).fit(X[:30], y[:30])
    # before the unlabelled rows have had a say: the same validation rows, nearly the same program
    first, expected = (fitted.history_[0]["valid_loss"] for fitted in (clf, alone))
    assert first == pytest.approx(expected, rel=0.1)
    assert "valid_loss" in clf.history_[-1]


def test_balanced_class_weights_count_labelled_rows():
    X, y = blobs(60)
    kept = partly(y, 12)
    kept[[0, 3]] = -1
    settings = {"class_weight": "balanced"}
    unsure = solved(PseudoLabels(threshold=1.0), **settings).fit(X, kept)
    alone = solved(**settings).fit(X[kept >= 0], y[kept >= 0])
    np.testing.assert_array_equal(unsure.predict_proba(X), alone.predict_proba(X))


@each_strategy
def test_an_unlabelled_row_of_weight_zero_is_as_good_as_absent(strategy):
    X, y = blobs(60)
    weight = (np.arange(60) < 40).astype(float)
    weighted = classifier(strategy).fit(X, partly(y, 12), sample_weight=weight)
    assert same_program(weighted, classifier(strategy).fit(X[:40], partly(y, 12)[:40]))


# around it


def test_partial_fit_in_rounds_equals_fit_on_all_that_was_seen():
    X, y = blobs(60)
    kept = partly(y, 12)
    kept[30:33] = y[30:33]
    whole = solved(PseudoLabels(threshold=0.5)).fit(X, kept)
    parts = solved(PseudoLabels(threshold=0.5)).partial_fit(X[:30], kept[:30])
    parts.partial_fit(X[30:], kept[30:])
    np.testing.assert_array_equal(whole.predict_proba(X), parts.predict_proba(X))


def test_partial_fit_by_gradient_is_an_epoch_with_the_unlabelled_rows():
    X, y = blobs(60)
    kept = partly(y, 12)
    once, twice = (classifier(STRATEGIES["entropy"], max_epochs=1) for _ in range(2))
    once.partial_fit(X, kept)
    twice.partial_fit(X, kept).partial_fit(X, kept)
    assert (once.n_iter_, twice.n_iter_) == (1, 2)
    assert not same_program(once, twice)


def test_labels_of_text_stand_in_an_array_of_objects():
    X, y = blobs(60)
    names = np.array(["ash", "beech", "cedar"], dtype=object)[y]
    names[12:] = -1
    clf = classifier("pseudo-label").fit(X, names)
    assert clf.classes_.tolist() == ["ash", "beech", "cedar"]


def test_a_saved_estimator_predicts_the_same(tmp_path):
    X, y = blobs(60)
    clf = classifier(Consistency(augmentation=noisy)).fit(X, partly(y, 12))
    clf.save(tmp_path / "program.safetensors")
    again = skreprogram.load(tmp_path / "program.safetensors", source=table_source())
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))


def test_series_take_unlabelled_rows_here_and_in_sktime():
    X, y = make_tones(n_samples=30, length=40, random_state=0)
    modulation = FrequencyModulation(low=20, high=180, samples_per_point=5)
    params = {"input_transformation": modulation, "unlabelled": "pseudo-label", "random_state": 0}
    inside = TimeSeriesReprogrammer(sound_source(), **params).fit(X, partly(y, 12))
    adapter = SktimeReprogrammer(sound_source(), **params).fit(X, partly(y, 12))
    assert adapter.classes_.tolist() == inside.classes_.tolist() == sorted(set(y))
    np.testing.assert_array_equal(adapter.predict(X), inside.predict(X))


def test_sequences_take_unlabelled_rows_and_learn_their_tokens():
    network = torch.nn.Sequential(torch.nn.Flatten(), table_network(64, 8))
    source = SourceModel.from_module(network, (1, 8, 8), value_range=(0, 1))
    patches = TokenPatchesTransformation(patch_size=2)
    clf = SequenceReprogrammer(
        source, input_transformation=patches, unlabelled="entropy", max_epochs=1, random_state=0
    ).fit(["AAC", "CAA", "GTT", "TGT", "UUU"], np.array([0, 0, 1, 1, -1]))
    assert clf.classes_.tolist() == [0, 1]
    assert "U" in clf.vocabulary_


def test_the_self_training_of_scikit_learn_works_around_an_estimator():
    X, y = blobs(60)
    around = SelfTrainingClassifier(solved(), threshold=0.6).fit(X, partly(y, 12))
    assert around.score(X, y) >= solved().fit(X[:12], y[:12]).score(X, y)
    assert (around.transduction_ >= 0).sum() > 12


def test_a_black_box_is_asked_once_about_every_row():
    X, y = blobs(60)
    source = BlackBoxSource(lambda rows: rows, (5,), 5, output_kind="logits")
    sides = {"input_transformation": "identity", "output_mapping": "ridge"}
    clf = ReprogrammingClassifier(source, unlabelled="pseudo-label", random_state=0, **sides)
    assert clf.fit(X, partly(y, 12)).n_queries_ == 60


def test_the_weight_grows_over_its_share_of_the_epochs():
    strategy = EntropyMinimisation(weight=2.0, warm_up=0.5)
    assert [strategy.weight_at(epoch, 8) for epoch in (1, 2, 4, 8)] == [0.5, 1.0, 2.0, 2.0]
    # a single epoch, as of partial_fit, does not wait
    assert strategy.weight_at(1, 1) == 2.0
