"""Programs that train through the solution of the head behind the source."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from small_tasks import composition, options, task
from torch import nn
from toys import SoundNetwork, seeded, sound_source

from skreprogram import (
    ReprogrammingClassifier,
    TimeSeriesReprogrammer,
    TimeSeriesReprogrammingRegressor,
    load,
)
from skreprogram.datasets import make_tones
from skreprogram.mappings import FeaturesMapping, HeadsMapping, ThroughSolution
from skreprogram.mappings._ridge import solve_ridge
from skreprogram.sources import SourceModel
from skreprogram.training import fit_programs
from skreprogram.training._solution_batches import PairedBatches, halve
from skreprogram.training._solution_net import paired_gain
from skreprogram.transformations import FrequencyModulation, SideBySide

ALL = ("band", "gain", "program")
BANDS = {"low": 20, "high": 180, "samples_per_point": 5}
X, Y = make_tones(n_samples=40, length=30, n_classes=2, random_state=0)


def tones(trains=()):
    """Two views for the toy source of sound."""
    return SideBySide([FrequencyModulation(trains=trains, **BANDS), "stretching"])


def classifier(trains=ALL, mapping=None, **kind):
    """An estimator that trains through the solution, for few epochs."""
    mapping = ThroughSolution(stage_weights=True) if mapping is None else mapping
    kind = {"max_epochs": 2, "random_state": 0, **kind}
    source = kind.pop("source", None) or sound_source()
    place = FrequencyModulation(trains=trains, **BANDS)
    return TimeSeriesReprogrammer(
        source, input_transformation=place, output_mapping=mapping, **kind
    )


@pytest.mark.parametrize("head", ["heads", "features"])
def test_a_start_that_is_kept_is_the_frozen_estimator(head):
    frozen = classifier((), head).fit(X, Y)
    never = ThroughSolution(head, stage_weights=True, margin=1e9)
    kept = classifier(mapping=never, early_stopping=True).fit(X, Y)
    assert_array_equal(kept.predict_proba(X), frozen.predict_proba(X))
    assert len(kept.history_) == 2 and not kept.program_.output["log_weights"].any()


def test_training_begins_at_the_frozen_estimator():
    frozen = classifier((), "heads").fit(X, Y)
    begun = classifier(lr=1e-12, optimizer="sgd").fit(X, Y)
    assert_allclose(begun.predict_proba(X), frozen.predict_proba(X), atol=1e-5)


def test_without_anything_to_train_it_is_its_head():
    frozen = classifier((), HeadsMapping(("mean", "std"))).fit(X, Y)
    same = classifier((), ThroughSolution(HeadsMapping(("mean", "std")))).fit(X, Y)
    assert_array_equal(same.predict_proba(X), frozen.predict_proba(X))
    assert same.n_iter_ == 0


@pytest.mark.parametrize("head", ["heads", "features"])
def test_the_solution_of_a_batch_is_the_closed_form_with_the_same_penalty(head):
    generator = torch.Generator().manual_seed(0)
    stages = tuple(
        torch.randn(20, *shape, generator=generator, dtype=torch.float64)
        for shape in ((3, 9), (4, 7))
    )
    codes, weight = torch.arange(20) % 3, torch.ones(20, dtype=torch.float64)
    inner = {"heads": HeadsMapping, "features": FeaturesMapping}[head](("mean",), alphas=[0.3])
    mapping = ThroughSolution(inner)
    params = mapping.init(stages, 3, generator)
    F = mapping.pool(params, stages)
    fixed = mapping.fix(params, F, codes, weight, 3)
    rows = (F, codes, weight)
    scores = mapping.answer(params, fixed, rows, rows, 3).softmax(1)
    standard = ((F - F.mean(0)) / F.std(0, correction=0) / F.shape[1] ** 0.5).numpy()
    targets = np.where(np.arange(3) == codes.numpy()[:, None], 1.0, -1.0)
    ridge = solve_ridge(standard, targets, weight.numpy(), [0.3])
    expected = torch.from_numpy(standard @ ridge.coef + ridge.intercept)
    # a factor, which calibrates, is all by which the logarithms differ
    logs = scores.log() - scores.log().mean(1, keepdim=True)
    centred = expected - expected.mean(1, keepdim=True)
    torch.testing.assert_close(logs / logs.norm(), centred / centred.norm())


def test_weights_of_stages_are_inside_the_weights_of_the_head():
    generator = torch.Generator().manual_seed(0)
    stages = tuple(torch.randn(30, n, 9, generator=generator).double() for n in (3, 4))
    codes, weight = torch.arange(30) % 2, torch.ones(30, dtype=torch.float64)
    mapping = ThroughSolution(FeaturesMapping(("mean",), alphas=[0.1]), stage_weights=True)
    params = mapping.init(stages, 2, generator)
    params["log_weights"] = torch.tensor([0.0, -50.0], dtype=torch.float64)
    solved = mapping.solve(params, mapping.pool(params, stages), codes, weight, 2)
    alone = ThroughSolution(FeaturesMapping(("mean",), alphas=[0.1]))
    first = alone.init(stages[:1], 2, generator)
    expected = alone.solve(first, alone.pool(first, stages[:1]), codes, weight, 2)
    torch.testing.assert_close(solved["weight"][:3], expected["weight"])
    assert solved["weight"][3:].abs().max() < 1e-12
    torch.testing.assert_close(mapping.apply(solved, stages), alone.apply(expected, stages[:1]))


def mixed_tables(n_samples=120):
    """A column that tells the class among many that do not."""
    rng = np.random.RandomState(0)
    y = np.arange(n_samples) % 2
    table = rng.normal(size=(n_samples, 6))
    table[:, 0] = 2 * y - 1 + 0.1 * rng.normal(size=n_samples)
    return table, y


def narrow_classifier(**kind):
    """A source that hears one number, which the program mixes from the columns of a table."""
    network = seeded(lambda: nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 4)))
    source = SourceModel.from_module(network, (1,), value_range=(-1, 1))
    kind = {"lr": 0.1, "max_epochs": 60, "n_iter_no_change": 30, "random_state": 4, **kind}
    return ReprogrammingClassifier(source, input_transformation="dense", **kind)


def test_a_trained_program_succeeds_where_the_frozen_one_fails():
    table, y = mixed_tables()
    train, test = slice(0, 60), slice(60, 120)
    frozen = narrow_classifier(output_mapping=ThroughSolution("features"), lr=1e-12)
    frozen = frozen.set_params(max_epochs=1).fit(table[train], y[train])
    trained = narrow_classifier(output_mapping=ThroughSolution("features"), early_stopping=True)
    trained.fit(table[train], y[train])
    assert frozen.score(table[test], y[test]) < 0.75
    assert trained.score(table[test], y[test]) > 0.95


def test_labels_of_pure_noise_keep_the_start():
    noise = np.random.RandomState(1).randint(2, size=len(X))
    kept = classifier(early_stopping=True, max_epochs=8, validation_fraction=0.4).fit(X, noise)
    assert_array_equal(kept.program_.input["program"], 0)
    assert not kept.program_.output["log_weights"].any()


def test_everything_that_may_train_moves_without_early_stopping():
    start = classifier((), "heads").fit(X, Y).program_.input
    trained = classifier().fit(X, Y).program_
    assert trained.input["program"].any() and trained.output["log_weights"].all()
    for name in ("band", "gain"):
        assert not np.allclose(trained.input[name], start[name], atol=1e-4)


def test_weights_of_stages_train_behind_a_frozen_transformation():
    trained = classifier(()).fit(X, Y)
    assert trained.n_iter_ == 2 and trained.program_.output["log_weights"].any()


def test_the_source_is_never_changed():
    source = SourceModel.from_module(
        seeded(SoundNetwork), (200,), value_range=(-1, 1), sampling_rate=400
    )
    before = source.load().state_digest()
    classifier(source=source, early_stopping=True).fit(X, Y)
    assert source.load().state_digest() == before


def test_a_saved_classifier_answers_as_before(tmp_path):
    source = sound_source()
    clf = classifier(source=source, early_stopping=True).fit(X, Y)
    clf.save(tmp_path / "trained.safetensors")
    loaded = load(tmp_path / "trained.safetensors", source=source)
    assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    assert loaded.history_ == clf.history_


def test_weights_of_stages_take_eight_bytes_each():
    frozen, trained = (
        clf.fit(X, Y).program_.output for clf in (classifier((), "heads"), classifier(()))
    )
    sizes = [sum(array.nbytes for array in output.values()) for output in (frozen, trained)]
    # the number of features of each stage, and its weight
    n_stages = len(trained["log_weights"])
    assert sizes[1] - sizes[0] == 8 * n_stages


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_same_seed_gives_the_same_program(early_stopping):
    state = torch.random.get_rng_state()
    first, second = (
        classifier(early_stopping=early_stopping).fit(X, Y).predict_proba(X) for _ in range(2)
    )
    assert_array_equal(first, second)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_several_views_train_each_with_their_tensors():
    clf = classifier(source=sound_source())
    clf = clf.set_params(input_transformation=tones(("band",))).fit(X, Y)
    assert clf.program_.output["log_weights"].shape == (2,)
    assert set(clf.program_.input) >= {"0/band", "1/program"}


def test_values_train_through_the_solution():
    place = FrequencyModulation(trains=("band",), **BANDS)
    mapping, values = ThroughSolution("features", stage_weights=True), X.std(-1).ravel()
    regressor = TimeSeriesReprogrammingRegressor(
        sound_source(),
        input_transformation=place,
        output_mapping=mapping,
        max_epochs=3,
        early_stopping=True,
        random_state=0,
    )
    assert np.isfinite(regressor.fit(X, values).predict(X)).all()
    assert len(regressor.history_) == 3


def test_going_on_solves_all_samples_again():
    clf = classifier().partial_fit(X[:20], Y[:20], classes=[0, 1])
    before = clf.program_.input["band"]
    clf.partial_fit(X[20:], Y[20:])
    assert clf.n_iter_ == 2 and not np.array_equal(clf.program_.input["band"], before)
    again = classifier().partial_fit(X[:20], Y[:20])
    assert clf.score(X, Y) >= again.score(X, Y)


def test_a_warm_start_goes_on_from_the_trained_program():
    clf = classifier(warm_start=True).fit(X, Y)
    before = clf.program_
    clf.set_params(lr=1e-12, optimizer="sgd").fit(X, Y)
    for side in ("input", "output"):
        for name in ("program", "log_weights"):
            if name in getattr(before, side):
                assert_allclose(getattr(clf.program_, side)[name], getattr(before, side)[name])


def test_several_tasks_are_fitted_as_each_alone():
    tasks = [task(12, seed=seed) for seed in range(2)]
    composed = composition(ThroughSolution(margin=0.0))
    programs = fit_programs(tasks, composed, options(patience=2))
    for one, program in zip(tasks, programs, strict=True):
        alone = fit_programs([one], composed, options(patience=2))[0]
        assert_array_equal(program.input["program"], alone.input["program"])


@pytest.mark.parametrize(
    "wrong", [{"finetune": "all"}, {"unlabelled": "pseudo-label"}, {"gradient": "spsa"}]
)
def test_what_does_not_go_through_a_solution_is_refused(wrong):
    with pytest.raises(ValueError, match=f"Got {next(iter(wrong))}=.*expected"):
        classifier(**wrong).fit(X, Y)


@pytest.mark.parametrize("wrong", [{"mapping": "linear"}, {"margin": -1.0}, {"margin": "one"}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=f"Got {next(iter(wrong))}=.*expected"):
        classifier(mapping=ThroughSolution(**wrong)).fit(X, Y)


def test_half_of_each_class_is_predicted():
    y = torch.tensor([0] * 6 + [1] * 4 + [2])
    asked = halve(y, torch.Generator().manual_seed(0))
    assert [int(asked[y == code].sum()) for code in range(3)] == [3, 2, 0]


def test_values_and_single_rows_are_halved_too():
    generator = torch.Generator().manual_seed(0)
    assert halve(torch.randn(8, 1), generator).sum() == 4
    assert halve(torch.arange(6), generator).sum() == 3


def test_batches_are_made_of_pairs_of_a_class():
    rows = task(40, n_classes=10).train
    batches = PairedBatches([rows], 8, [torch.Generator().manual_seed(0)])
    seen = []
    for numbers, _ in batches:
        y = rows.y[numbers[:, 0]]
        assert torch.equal(y[::2], y[1::2])
        seen += numbers[:, 0].tolist()
    assert sorted(seen) == list(range(40))


def test_the_gain_is_a_paired_mean_with_its_standard_error():
    before, after = torch.rand(2, 9, dtype=torch.float64, generator=torch.Generator())
    gain, error = paired_gain(before, after, torch.full((9,), 3.0, dtype=torch.float64))
    fall = (before - after).numpy()
    assert gain == pytest.approx(fall.mean())
    assert error == pytest.approx(fall.std(ddof=1) / 3)
