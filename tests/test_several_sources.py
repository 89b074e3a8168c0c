"""Several sources in one estimator: each sees its own views, and one mapping reads them all."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks
from small_tasks import assert_equal_programs, options, task
from toys import image_source, sound_source, squares, table_source

import skreprogram
from skreprogram import (
    GeneratorReprogrammer,
    ReprogrammingClassifier,
    SequenceReprogrammer,
    TimeSeriesReprogrammer,
    TimeSeriesReprogrammingRegressor,
)
from skreprogram.datasets import make_tones
from skreprogram.mappings import (
    FeaturesMapping,
    FrequencyMapping,
    GivenMapping,
    HeadsMapping,
    LinearMapping,
)
from skreprogram.sktime import SktimeReprogrammer
from skreprogram.sources import SeveralSources, SourceModel
from skreprogram.training import Composition, fit_programs
from skreprogram.transformations import (
    FrequencyModulation,
    PaddingTransformation,
    PerSource,
    SideBySide,
    StretchingTransformation,
)

X, Y = make_tones(n_samples=30, length=20, n_classes=2, random_state=0)
SOUND, TABLE = sound_source(), table_source(40)
MODULATED = FrequencyModulation(low=20, high=180, samples_per_point=10, scale="set")
STRETCHED = StretchingTransformation(program=False)


def classifier(sources=(SOUND, TABLE), placements=(MODULATED, STRETCHED), **params):
    """A classifier of series, solved in closed form."""
    given = {"input_transformation": list(placements), "random_state": 0, **params}
    return TimeSeriesReprogrammer(list(sources), **given)


def constant_source(answer):
    """A network on two numbers that returns them and something of its own."""
    network = torch.nn.Linear(2, 3)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]))
        network.bias.copy_(torch.tensor([0.0, 0.0, answer]))
    return SourceModel.from_module(network, (2,))


# what the mapping reads


def test_the_head_reads_the_features_of_all_sources_side_by_side():
    clf = classifier().fit(X, Y)
    rows = torch.from_numpy(X.reshape(30, 1, 20)).float()
    stages = []
    for source, placement in [(SOUND, MODULATED), (TABLE, STRETCHED)]:
        params = placement.init(rows, source.input_space, torch.Generator())
        shown = placement.apply(params, rows, source.input_space)
        stages.append(source.load().features(shown))
    head, stages = HeadsMapping(), tuple(stages)
    omega = head.init(stages, 2, torch.Generator())
    weight, codes = torch.ones(30), torch.from_numpy(Y)
    omega = head.solve(omega, head.pool(omega, stages), codes, weight, 2)
    expected = softmax(head.apply(omega, stages).numpy(), axis=1)
    assert_allclose(clf.predict_proba(X), expected, atol=1e-6)


def test_each_source_has_half_of_the_probability():
    quiet, loud = constant_source(0.0), constant_source(50.0)
    network = SeveralSources([quiet, loud]).load()
    shown = torch.tensor([[1.0, 2.0], [0.0, 0.5]])
    outputs = network.outputs([(shown,), (shown,)]).numpy()
    apart = [source.load().outputs(shown).numpy() for source in (quiet, loud)]
    assert_allclose(softmax(outputs, 1), np.hstack([softmax(a, 1) for a in apart]) / 2, rtol=1e-5)


def test_views_of_one_source_are_averaged_before_they_meet_the_other():
    network = SeveralSources([constant_source(0.0), constant_source(1.0)]).load()
    first, second = torch.tensor([[1.0, 2.0]]), torch.tensor([[-3.0, 0.5]])
    outputs = network.outputs([(first, second), (first,)]).numpy()
    logs = [log_softmax([[*view[0].tolist(), 0.0]], axis=1) for view in (first, second)]
    assert_allclose(outputs[:, :3], log_softmax(np.mean(logs, axis=0), axis=1), rtol=1e-5)


def test_a_label_mapping_chooses_among_the_labels_of_all_sources():
    # the first source says nothing, and the second one names the larger number
    table = np.random.RandomState(0).normal(size=(40, 2))
    larger = table.argmax(1)
    sources = [SourceModel.from_module(silent(), (2,)), constant_source(-9.0)]
    clf = ReprogrammingClassifier(
        sources, input_transformation="identity", output_mapping=FrequencyMapping()
    ).fit(table, larger)
    matrix = clf.program_.output["matrix"]
    assert matrix.shape == (6, 2)
    assert_array_equal(matrix[3:5], np.eye(2))
    assert clf.score(table, larger) == 1


def silent():
    """A network that answers every row alike."""
    network = torch.nn.Linear(2, 3)
    torch.nn.init.zeros_(network.weight)
    torch.nn.init.zeros_(network.bias)
    return network


def test_given_labels_count_through_all_sources():
    mapping = GivenMapping([1, 6 + 2])
    clf = classifier(output_mapping=mapping).fit(X, Y)
    shown = clf.reprogram(X)
    networks = SOUND.load(), TABLE.load()
    apart = [n.outputs(torch.from_numpy(v)) for n, v in zip(networks, shown, strict=True)]
    logs = torch.cat([logits.log_softmax(1) for logits in apart], 1).numpy()
    assert_allclose(clf.predict_proba(X), softmax(logs[:, [1, 8]], 1), rtol=1e-4)


# the input side


def test_reprogram_gives_the_views_of_the_first_source_first():
    both = SideBySide([MODULATED, STRETCHED])
    shown = classifier(placements=[both, STRETCHED]).fit(X, Y).reprogram(X[:3])
    assert [view.shape for view in shown] == [(3, 200), (3, 200), (3, 40)]
    assert_array_equal(shown[0], classifier([SOUND], [MODULATED]).fit(X, Y).reprogram(X[:3]))
    assert_array_equal(shown[2], classifier([TABLE], [STRETCHED]).fit(X, Y).reprogram(X[:3]))


def test_one_transformation_serves_all_sources():
    clf = TimeSeriesReprogrammer([SOUND, TABLE], input_transformation=STRETCHED).fit(X, Y)
    assert [view.shape[1:] for view in clf.reprogram(X)] == [(200,), (40,)]


def test_auto_shows_sound_to_ears_and_frames_to_others():
    clf = TimeSeriesReprogrammer([TABLE, "speech-commands"], max_epochs=1, random_state=0)
    clf.fit(X[:6], Y[:6])
    padding, views = clf.transformation_.transformations
    assert isinstance(padding, PaddingTransformation)
    assert len(views.transformations) == 8


def test_auto_shows_pictures_to_sources_of_three_colours():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 4))
    source = SourceModel.from_module(network, (3, 4, 4))
    assert TimeSeriesReprogrammer()._automatic("input_transformation", source) == "pictures"


def test_programs_before_all_sources_train():
    trained = StretchingTransformation(), PaddingTransformation()
    clf = classifier(placements=trained, output_mapping="linear", max_epochs=2).fit(X, Y)
    assert set(clf.transformation_.trainable) == {"0/program", "1/program"}
    assert all(np.abs(clf.program_.input[name]).max() > 0 for name in ("0/program", "1/program"))
    assert len(clf.history_) == 2


@pytest.mark.parametrize("finetune", [None, ["1/all"]])
@pytest.mark.parametrize("mapping", [LinearMapping(), FrequencyMapping(refit_every=1)])
def test_programs_fit_in_company_as_alone(mapping, finetune):
    sources = SeveralSources([table_source(12), table_source(5, 4)])
    placements = PerSource([PaddingTransformation(), SideBySide([PaddingTransformation()])])
    network = sources.load(dtype=torch.float64)
    composed = Composition(network, sources.input_space, placements, mapping)
    tasks, chosen = [task(seed=seed) for seed in range(3)], options(finetune=finetune)
    together = fit_programs(tasks, composed, chosen)
    for one, program in zip(tasks, together, strict=True):
        alone = fit_programs([one], composed, chosen)[0]
        assert_equal_programs(program, alone)
        assert set(program.source) == set(alone.source)
        for name, tensor in program.source.items():
            assert_allclose(tensor, alone.source[name], atol=1e-5)


@pytest.mark.parametrize("wrong", [[], [PerSource([MODULATED]), STRETCHED]])
def test_lists_that_are_no_input_side_are_refused(wrong):
    with pytest.raises(ValueError, match="one transformation for each source"):
        PerSource(wrong).init(torch.zeros(2, 1, 9), (SOUND.input_space,) * 2, torch.Generator())


@pytest.mark.parametrize("sources", [[SOUND, TABLE], SOUND])
def test_as_many_transformations_as_sources_are_needed(sources):
    clf = TimeSeriesReprogrammer(sources, input_transformation=[MODULATED] * 3)
    with pytest.raises(ValueError, match="Got 3 input transformations for [12] source"):
        clf.fit(X, Y)


def test_gradients_from_queries_are_refused():
    clf = classifier(placements=[StretchingTransformation(), STRETCHED], gradient="spsa")
    with pytest.raises(ValueError, match="queries of one source alone"):
        clf.fit(X, Y)


def test_other_doors_refuse_a_list():
    texts = ["aab", "bba", "abab", "baba"]
    with pytest.raises(ValueError, match="SequenceReprogrammer, expected one source, not a list"):
        SequenceReprogrammer(["questions-lstm"]).fit(texts, [0, 1, 0, 1])
    with pytest.raises(TypeError, match="Got a list as source"):
        GeneratorReprogrammer(["digits-generator"]).fit(np.zeros((4, 8, 8)), [0, 1, 0, 1])


# what trains inside


def test_the_networks_stay_as_they_were():
    before = [source.load().state_digest() for source in (SOUND, TABLE)]
    classifier(finetune="all", max_epochs=2).fit(X, Y).predict(X)
    assert [source.load().state_digest() for source in (SOUND, TABLE)] == before


@pytest.mark.parametrize(
    ("finetune", "tuned"),
    [
        ("head", ["0/linear.bias", "0/linear.weight", "1/2.bias", "1/2.weight"]),
        (["1/head"], ["1/2.bias", "1/2.weight"]),
        (["0/conv*", "2.bias"], ["0/convolution.bias", "0/convolution.weight", "1/2.bias"]),
    ],
)
def test_finetuning_names_a_source_by_its_number(finetune, tuned):
    clf = classifier(output_mapping="linear", finetune=finetune, max_epochs=2).fit(X, Y)
    assert sorted(clf.program_.source) == tuned
    shared = clf.source_.load(folded=False).tensors(tuned)
    assert all(not np.array_equal(clf.program_.source[n], t) for n, t in shared.items())


@pytest.mark.parametrize(
    ("finetune", "said"),
    [
        ("norm", "layers of normalisation"),
        (["nothing.*"], "no parameter"),
        (["2/head"], "0 to 1"),
        (["1/conv*"], "no parameter"),
        ("some", "expected None, one of"),
        ([], "expected None, one of"),
    ],
)
def test_what_no_source_has_cannot_be_tuned(finetune, said):
    with pytest.raises(ValueError, match=said):
        classifier(finetune=finetune).fit(X, Y)


def test_a_tuned_network_answers_by_its_own_tensors(tmp_path):
    clf = classifier(finetune=["1/all"], max_epochs=2).fit(X, Y)
    clf.save(tmp_path / "program")
    loaded = skreprogram.load(tmp_path / "program", source=[SOUND, TABLE])
    assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    untuned = classifier().fit(X, Y)
    assert not np.allclose(untuned.predict_proba(X), clf.predict_proba(X))


def test_each_network_may_multiply_in_half_precision():
    exact, rounded = classifier().fit(X, Y), classifier(precision="bf16").fit(X, Y)
    difference = np.abs(exact.predict_proba(X) - rounded.predict_proba(X)).max()
    assert 0 < difference < 0.1


# scikit-learn


def test_lists_of_sources_and_of_transformations_can_be_searched():
    grid = [
        {"source": [[SOUND]], "input_transformation": [[MODULATED], "stretching"]},
        {"source": [[SOUND, TABLE]], "input_transformation": [["padding", STRETCHED], STRETCHED]},
    ]
    search = GridSearchCV(classifier(max_epochs=1), grid, cv=2, error_score="raise").fit(X, Y)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_estimator_.source in ([SOUND], [SOUND, TABLE])


def test_names_of_sources_can_be_searched():
    grid = {"source": [["speech-commands"], ["speech-commands", TABLE]]}
    clf = TimeSeriesReprogrammer(input_transformation=STRETCHED)
    search = GridSearchCV(clf, grid, cv=2, error_score="raise").fit(X[:8], Y[:8])
    assert len(search.cv_results_["params"]) == 2


def test_a_clone_fits_the_same_program():
    clf = classifier().fit(X, Y)
    again = clone(clf).fit(X, Y)
    assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
    assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), clf.predict_proba(X))


@parametrize_with_checks([classifier(dtype="float64")])
def test_scikit_learn_check(estimator, check):
    check(estimator)


# other doors


def test_a_regressor_reads_several_sources():
    values = X[:, 3] - X[:, 7]
    params = {"input_transformation": [MODULATED, STRETCHED], "random_state": 0}
    both = TimeSeriesReprogrammingRegressor([SOUND, TABLE], **params).fit(X[:20], values[:20])
    assert both.predict(X).shape == (30,)
    assert both.score(X[:20], values[:20]) > 0.5


def test_images_enter_several_sources():
    images, side = squares()
    placements = ["auto", STRETCHED]
    clf = ReprogrammingClassifier(
        [image_source(), table_source(25)], input_transformation=placements, random_state=0
    ).fit(images, side)
    assert isinstance(clf.mapping_, FeaturesMapping)
    assert clf.score(images, side) > 0.9


def test_sktime_takes_several_sources():
    params = {"input_transformation": [MODULATED, STRETCHED], "random_state": 0}
    clf = SktimeReprogrammer([SOUND, TABLE], **params).fit(X, Y)
    assert_array_equal(clf.predict_proba(X), classifier().fit(X, Y).predict_proba(X))
