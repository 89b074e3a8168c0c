"""What the efforts stand for."""

import pytest

from skreprogram import TimeSeriesReprogrammer
from skreprogram.datasets import make_tones

X, Y = make_tones(n_samples=8, length=40, n_classes=2, random_state=0)


@pytest.mark.parametrize(
    ("effort", "n_views", "source"),
    [
        ("fast", 1, "speech-commands"),
        ("default", 8, "speech-commands"),
        ("best", 12, "speech-commands + imagenet-efficientnet-lite0"),
    ],
)
def test_more_effort_sees_and_hears_more(effort, n_views, source):
    clf = TimeSeriesReprogrammer(effort=effort).fit(X, Y)
    shown = clf.reprogram(X)
    assert clf.source_.name == source
    assert (len(shown) if isinstance(shown, tuple) else 1) == n_views


def test_a_tone_of_ones_own_goes_to_the_source_of_sound_with_any_effort():
    clf = TimeSeriesReprogrammer(input_transformation="modulation", effort="best").fit(X, Y)
    assert clf.source_.name == "speech-commands"


def test_a_list_has_one_transformation_for_each_source_of_the_effort():
    clf = TimeSeriesReprogrammer(input_transformation=["modulation", "drawing"], effort="best")
    assert len(clf.fit(X, Y).reprogram(X)) == 2


def test_an_unknown_effort_is_refused():
    with pytest.raises(ValueError, match=r"effort='much', expected one of \['fast'"):
        TimeSeriesReprogrammer(effort="much").fit(X, Y)
