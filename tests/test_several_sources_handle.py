"""The handle of several sources, and the files of their programs."""

import copy
import pickle

import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from toys import blobs, sound_source, table_network, table_source

import skreprogram
from skreprogram import TimeSeriesReprogrammer
from skreprogram.datasets import make_tones
from skreprogram.sources import SeveralSources, as_source, load_source
from skreprogram.transformations import FrequencyModulation, StretchingTransformation

X, Y = make_tones(n_samples=30, length=20, n_classes=2, random_state=0)
SOUND, TABLE = sound_source(), table_source(40)
MODULATED = FrequencyModulation(low=20, high=180, samples_per_point=10, scale="set")
STRETCHED = StretchingTransformation(program=False)


def classifier(sources=(SOUND, TABLE), placements=(MODULATED, STRETCHED)):
    """A classifier of series, solved in closed form."""
    given = {"input_transformation": list(placements), "random_state": 0}
    return TimeSeriesReprogrammer(list(sources), **given)


def test_the_handle_says_what_it_holds():
    both = as_source(["speech-commands", TABLE], (5,))
    assert both.name == "speech-commands + Sequential"
    assert both.n_outputs == len(both.output_names) == 35 + 6
    assert both.output_names[0] == "0/backward"
    assert both.output_names[-1] == "1/5"
    assert both.input_space == (load_source("speech-commands").input_space, TABLE.input_space)
    assert both.digest != as_source([TABLE, "speech-commands"], (5,)).digest


def test_copies_and_clones_are_the_same_object_and_pickles_hold_no_weights():
    both = SeveralSources([SOUND, TABLE])
    assert clone(both) is copy.copy(both) is copy.deepcopy(both) is both
    content = pickle.dumps(both)
    assert pickle.loads(content) == both
    assert len(content) < 20_000
    assert SeveralSources([TABLE, SOUND]) != both


def test_a_list_of_one_is_that_source():
    assert as_source([SOUND], (5,)) is as_source((SOUND,), (5,)) is SOUND
    alone = classifier([SOUND], [MODULATED]).fit(X, Y)
    plain = TimeSeriesReprogrammer(SOUND, input_transformation=MODULATED, random_state=0)
    assert_array_equal(alone.predict_proba(X), plain.fit(X, Y).predict_proba(X))


def test_random_weights_are_drawn_for_each_source():
    drawn = SeveralSources([SOUND, TABLE]).with_random_weights(3)
    assert drawn.sources == (SOUND.with_random_weights(3), TABLE.with_random_weights(3))


@pytest.mark.parametrize(
    ("sources", "error", "said"),
    [
        ([], ValueError, "flat list of at least one"),
        ([[SOUND], TABLE], ValueError, "flat list of at least one"),
        ([SOUND, SOUND], ValueError, "twice in a list"),
        (["speech-commands", "digits-generator"], TypeError, "GeneratorReprogrammer"),
        ([SOUND, 3], TypeError, "expected a torch.nn.Module"),
        ([SOUND, FrozenEstimator(LogisticRegression().fit(*blobs()))], TypeError, "networks alone"),
    ],
)
def test_lists_that_are_no_sources_are_refused(sources, error, said):
    with pytest.raises(error, match=said):
        TimeSeriesReprogrammer(sources).fit(X, Y)


def test_a_program_of_several_sources_comes_back(tmp_path):
    clf = classifier(["speech-commands", TABLE], ["modulation", STRETCHED]).fit(X, Y)
    clf.save(tmp_path / "program")
    loaded = skreprogram.load(tmp_path / "program", source=[None, table_network(40)])
    assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    assert loaded.source_ == clf.source_
    assert isinstance(loaded.input_transformation[1], StretchingTransformation)
    assert_array_equal(clone(loaded).fit(X, Y).predict_proba(X), clf.predict_proba(X))


def test_names_are_found_in_the_catalogue(tmp_path):
    small = load_source("imagenet-efficientnet-lite0", input_shape=(3, 32, 32))
    clf = classifier(["speech-commands", small], ["modulation", STRETCHED]).fit(X[:6], Y[:6])
    clf.save(tmp_path / "program")
    loaded = skreprogram.load(tmp_path / "program")
    assert loaded.source_ == clf.source_
    assert_array_equal(loaded.predict_proba(X[:6]), clf.predict_proba(X[:6]))


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (None, "'SoundNetwork', which is not in the catalogue"),
        (SOUND, "expected a list of 2"),
        ([SOUND], "expected a list of 2"),
        ([SOUND, table_source(40, 5)], "Pass that source, 'Sequential'"),
        ([TABLE, SOUND], "Pass that source, 'SoundNetwork'"),
    ],
)
def test_files_refuse_other_sources(tmp_path, passed, said):
    classifier().fit(X, Y).save(tmp_path / "program")
    with pytest.raises(ValueError, match=said):
        skreprogram.load(tmp_path / "program", source=passed)
