"""Programs that are trained by queries: planned, limited, and ended in good order."""

import warnings

import numpy as np
import pytest
from black_boxes import Asked, black_box
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from toys import blobs, table_source

from skreprogram import ReprogrammingClassifier
from skreprogram.gradients import RandomDirections
from skreprogram.mappings import FrequencyMapping
from skreprogram.sources import QueryError

QUERY_GRADIENTS = ["spsa", "rgf", "cma-es"]
X, Y = blobs(40)


def classifier(source, **params):
    """Few epochs, so that every fit is quick."""
    params = {"max_epochs": 5, "lr": 0.03, "random_state": 0, **params}
    return ReprogrammingClassifier(source, **params)


def quiet_fit(clf):
    """Fit, whatever it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return clf.fit(X, Y)


@pytest.mark.parametrize("gradient", QUERY_GRADIENTS)
def test_a_black_box_is_reprogrammed(gradient):
    clf = classifier(black_box(), gradient=gradient, max_epochs=40).fit(X, Y)
    assert clf.score(X, Y) > 0.9


def test_auto_asks_queries_of_a_black_box_and_looks_into_a_network():
    assert classifier(black_box()).fit(X, Y).n_queries_ > 0
    assert classifier(table_source()).fit(X, Y).n_queries_ == 0


@pytest.mark.parametrize("gradient", QUERY_GRADIENTS)
def test_training_lowers_the_loss_where_only_the_program_trains(gradient):
    clf = classifier(black_box(), gradient=gradient, output_mapping="frequency", max_epochs=30)
    losses = [row["train_loss"] for row in clf.fit(X, Y).history_]
    assert min(losses) < losses[0] - 0.01


@pytest.mark.parametrize("gradient", QUERY_GRADIENTS)
def test_every_query_is_one_that_was_planned_and_counted(gradient, capsys):
    function = Asked()
    source = black_box(function, cost_per_query=0.01)
    clf = classifier(source, gradient=gradient).fit(X, Y)
    planned = f"This fit asks 'toy' at most {function.n_rows:,} queries, which cost "
    assert planned + f"{function.n_rows / 100:,.2f}" in capsys.readouterr().err
    assert clf.n_queries_ == function.n_rows


@pytest.mark.parametrize(
    "params",
    [
        {"output_mapping": "linear"},
        {"output_mapping": "random"},
        {"output_mapping": "iterative"},
        {"output_mapping": FrequencyMapping(refit_every=2, refresh="exact")},
        {"early_stopping": True, "n_iter_no_change": 100},
        {"input_transformation": "identity", "output_mapping": "frequency"},
        {"batch_size": 7},
    ],
    ids=str,
)
def test_plan_knows_the_queries_of_mapping_refits_and_validation(params, capsys):
    function = Asked()
    X_wide = np.tanh(np.hstack([X, X[:, :3]]))
    classifier(black_box(function, cost_per_query=1), **params).fit(X_wide, Y)
    assert f" {function.n_rows:,} queries" in capsys.readouterr().err


def test_plan_is_told_before_the_first_query(capsys):
    told = []

    def predict(rows):
        told.append(capsys.readouterr().err)
        return Asked()(rows)

    classifier(black_box(predict, cost_per_query=1), max_epochs=1).fit(X, Y)
    assert "This fit asks" in told[0]


def test_a_fit_without_a_price_says_nothing(capsys):
    classifier(black_box()).fit(X, Y)
    assert capsys.readouterr().err == ""


def test_verbose_shows_queries_and_cost(capsys):
    classifier(black_box(cost_per_query=0.5), verbose=1).fit(X, Y)
    shown = capsys.readouterr().err
    assert "query" in shown and "cost=" in shown


def test_max_queries_is_never_exceeded():
    function = Asked()
    clf = classifier(black_box(function), max_queries=377).fit(X, Y)
    assert clf.n_queries_ == function.n_rows <= 377
    assert clf.stopped_by_ == "max_queries"


def test_max_queries_that_allows_no_step_is_refused_before_the_first_query():
    function = Asked()
    with pytest.raises(ValueError, match="queries are needed before"):
        classifier(black_box(function), max_queries=50).fit(X, Y)
    assert function.n_rows == 0


def test_a_source_that_never_answers_fails_the_fit():
    with pytest.raises(QueryError, match="no route to host"):
        classifier(black_box(Asked(fails_at=1))).fit(X, Y)


def test_a_source_that_fails_for_good_leaves_the_best_program():
    clf = classifier(black_box(Asked(fails_at=20)), max_epochs=50)
    with pytest.warns(UserWarning, match="The training ended early(.|\\n)*no route to host"):
        clf.fit(X, Y)
    losses = [row["train_loss"] for row in clf.history_]
    assert losses[-1] < losses[0]
    assert "no route to host" in clf.stopped_by_


def test_a_program_that_was_left_predicts_when_the_source_is_back():
    clf = quiet_fit(classifier(black_box(Asked(fails_at=20, n_failures=1)), max_epochs=50))
    assert clf.score(X, Y) > 0.5


def test_warm_start_goes_on_from_the_program_that_was_left():
    source = black_box(Asked(fails_at=20, n_failures=1))
    clf = quiet_fit(classifier(source, max_epochs=50, warm_start=True))
    left = clf.history_[-1]["train_loss"]
    assert clf.fit(X, Y).history_[0]["train_loss"] < left + 0.05


def test_an_interrupt_leaves_the_best_program():
    clf = classifier(black_box(Asked(fails_at=20, error=KeyboardInterrupt(), n_failures=1)))
    with pytest.warns(UserWarning, match="Reason: an interrupt"):
        clf.set_params(max_epochs=50).fit(X, Y)
    assert clf.stopped_by_ == "an interrupt" and clf.score(X, Y) > 0.5


def test_training_that_diverges_stops_with_the_best_program():
    clf = classifier(black_box(), lr=30.0, max_epochs=60, output_mapping="linear")
    with pytest.warns(UserWarning, match="loss that grows"):
        clf.fit(X, Y)
    assert len(clf.history_) < 60


def test_same_seed_gives_the_same_program():
    first, second = (classifier(black_box()).fit(X, Y).program_ for _ in range(2))
    np.testing.assert_array_equal(first.input["program"], second.input["program"])


def test_a_repeated_fit_asks_nothing_that_lies_in_the_cache(tmp_path):
    function = Asked()
    source = black_box(function, cache=tmp_path, identity="toy")
    first = classifier(source).fit(X, Y)
    asked = function.n_rows
    again = classifier(source).fit(X, Y)
    assert (again.n_queries_, function.n_rows) == (0, asked)
    np.testing.assert_array_equal(first.program_.input["program"], again.program_.input["program"])


def test_a_repeated_fit_after_a_failure_ends_where_an_undisturbed_one_does(tmp_path):
    failing = Asked(fails_at=20, n_failures=1)
    source = black_box(failing, cache=tmp_path, identity="toy")
    quiet_fit(classifier(source))
    resumed = classifier(source).fit(X, Y)
    whole = classifier(black_box()).fit(X, Y)
    np.testing.assert_allclose(
        resumed.program_.input["program"], whole.program_.input["program"], atol=1e-6
    )
    assert failing.n_rows <= whole.n_queries_


def test_predicting_asks_every_row_once():
    function = Asked()
    clf = classifier(black_box(function)).fit(X, Y)
    before = function.n_rows
    clf.predict(X)
    assert function.n_rows - before == len(X)


def test_backprop_through_a_black_box_is_refused():
    with pytest.raises(ValueError, match="needs to look inside"):
        classifier(black_box(), gradient="backprop").fit(X, Y)


def test_features_of_a_black_box_are_refused_before_the_first_query():
    function = Asked()
    with pytest.raises(ValueError, match="shows only its outputs"):
        classifier(black_box(function), output_mapping="features").fit(X, Y)
    assert function.n_rows == 0


def test_half_precision_is_refused_where_losses_are_compared():
    with pytest.raises(ValueError, match="rounding would drown"):
        classifier(table_source(), gradient="spsa", precision="bf16").fit(X, Y)


@pytest.mark.parametrize("gradient", QUERY_GRADIENTS)
def test_a_network_is_also_trained_by_queries(gradient):
    clf = classifier(table_source(), gradient=gradient, max_epochs=40).fit(X, Y)
    assert clf.n_queries_ > 0 and clf.score(X, Y) > 0.9


def test_one_batch_asks_all_directions_at_once():
    function = Asked()
    gradient = RandomDirections(n_directions=4, two_sided=False)
    source = black_box(function, max_batch=10_000)
    classifier(source, gradient=gradient, max_epochs=1, batch_size=40).fit(X, Y)
    # one call for the mapping's constants, one for the centre and four directions
    assert function.n_calls == 2


def test_grid_search_goes_over_gradients_and_their_parameters():
    grid = {"gradient": ["spsa", RandomDirections(5)], "output_mapping": ["linear", "frequency"]}
    search = GridSearchCV(classifier(black_box()), grid, cv=2, error_score="raise").fit(X, Y)
    assert search.best_estimator_.n_queries_ > 0


def test_parameters_of_a_gradient_object_are_set_from_outside():
    clf = classifier(black_box(), gradient=RandomDirections())
    assert clone(clf).set_params(gradient__n_directions=3).gradient.n_directions == 3


def test_partial_fit_adds_its_queries():
    function = Asked()
    clf = classifier(black_box(function))
    for part in (slice(None, 20), slice(20, None)):
        clf.partial_fit(X[part], Y[part], classes=np.unique(Y))
    assert clf.n_queries_ == function.n_rows


def test_queries_and_reason_are_saved_with_the_program(tmp_path):
    from skreprogram import load

    source = black_box(identity="toy")
    clf = classifier(source, max_queries=377).fit(X, Y)
    clf.save(tmp_path / "program.safetensors")
    again = load(tmp_path / "program.safetensors", source=source)
    assert (again.n_queries_, again.stopped_by_) == (clf.n_queries_, "max_queries")
    np.testing.assert_array_equal(again.predict(X), clf.predict(X))
