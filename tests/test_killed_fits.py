"""Fits whose process is killed: what was answered before is not asked again, nothing is lost."""

import joblib
import pytest
from serving import digits_forest
from whole_fits import X, Y, assert_same_program, classifier, here, kill_a_fit, n_kept

MAX_EPOCHS = 40
FOREST = digits_forest()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The fit that nothing disturbs, and how many answers it kept."""
    source = here(FOREST, tmp_path_factory.mktemp("whole"))
    return classifier(source, max_epochs=MAX_EPOCHS).fit(X, Y), n_kept(source)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The source of a fit that was killed in the middle, and how many answers it left."""
    folder = tmp_path_factory.mktemp("killed")
    forest = folder / "forest.joblib"
    joblib.dump(FOREST, forest)
    source = here(FOREST, folder)
    return source, kill_a_fit(source, MAX_EPOCHS, 1000, "here", forest)


def test_a_killed_fit_that_is_repeated_asks_what_is_missing_and_ends_as_an_undisturbed_one(
    whole, killed
):
    undisturbed, n_needed = whole
    source, n_left = killed
    assert 0 < n_left < n_needed
    resumed = classifier(source, max_epochs=MAX_EPOCHS).fit(X, Y)
    assert resumed.n_queries_ == n_needed - n_left
    assert n_kept(source) == n_needed
    assert_same_program(resumed, undisturbed)


def test_a_cache_changes_no_bit_of_a_program(whole):
    assert_same_program(whole[0], classifier(here(FOREST), max_epochs=MAX_EPOCHS).fit(X, Y))
