"""The benchmark on the archive resumes, and its table is right."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from skreprogram.datasets import make_tones
from skreprogram.sources._several_sources import sources_of

NEIGHBOUR = "1nn-euclidean"


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmarks, which are scripts and no package."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return importlib.import_module


@pytest.fixture
def archive(tmp_path):
    """Two small sets whose parts are equal, so one neighbour is always right."""
    for seed, name in enumerate(("Low", "High")):
        X, y = make_tones(n_samples=6, length=30, random_state=seed)
        (tmp_path / name).mkdir()
        for part in ("TRAIN", "TEST"):
            np.savetxt(tmp_path / name / f"{name}_{part}.tsv", np.c_[y, X], delimiter="\t")
    return tmp_path


@pytest.fixture
def command(load, archive):
    """Run the command line in this process; gives its return code."""

    def run(*group, estimators=(NEIGHBOUR,), seeds=(0, 1), more=()):
        words = ["--archive", archive, "--results", archive / "results.csv"]
        words += ["--group", *group, "--estimators", *estimators, "--seeds", *seeds]
        words += ["--table", archive / "table.md", *more]
        return load("ucr").main([str(word) for word in words])

    return run


@pytest.fixture
def constant(load, monkeypatch):
    """Add an estimator that depends on its seed: it predicts the class of that number."""
    from sklearn.dummy import DummyClassifier

    registry = load("_ucr_estimators")

    def make(seed):
        return DummyClassifier(strategy="constant", constant=seed)

    monkeypatch.setitem(
        registry.ESTIMATORS, "constant", registry.Configuration(make, "scikit-learn")
    )
    return "constant"


@pytest.fixture
def prior(load, monkeypatch):
    """Add an estimator that answers the shares of the classes."""
    from sklearn.dummy import DummyClassifier

    registry = load("_ucr_estimators")
    configuration = registry.Configuration(lambda seed: DummyClassifier(), "scikit-learn")
    monkeypatch.setitem(registry.ESTIMATORS, "prior", configuration)
    return "prior"


@pytest.fixture
def failing(load, monkeypatch):
    """Add an estimator that cannot be made."""
    registry = load("_ucr_estimators")

    def make(seed):
        raise RuntimeError("out of memory")

    monkeypatch.setitem(registry.ESTIMATORS, "failing", registry.Configuration(make, "sktime"))
    return "failing"


def test_a_row_tells_sizes_and_accuracy(command, archive, load):
    assert command("Low") == 0
    (row,) = load("_ucr_results").RESULTS.read(archive / "results.csv")
    sizes = [row[key] for key in ("n_train", "n_test", "length", "n_classes")]
    assert sizes == ["6", "6", "30", "3"]
    assert float(row["accuracy"]) == 1
    assert row["version"].startswith("scikit-learn ")
    assert "cores" in row["machine"]


def test_a_row_tells_log_loss_and_calibration(command, archive, prior, load):
    command("Low", estimators=[prior], seeds=[0])
    (row,) = load("_ucr_results").RESULTS.read(archive / "results.csv")
    assert float(row["log_loss"]) == pytest.approx(np.log(3), abs=1e-6)
    # three classes of two series: always a third, and right for a third
    assert float(row["calibration_error"]) == pytest.approx(0, abs=1e-6)


def test_what_gives_no_probabilities_has_empty_columns(command, archive, load):
    command("Low")
    (row,) = load("_ucr_results").RESULTS.read(archive / "results.csv")
    assert (row["log_loss"], row["calibration_error"]) == ("", "")


def test_finished_runs_are_not_repeated(command, archive):
    command("Low")
    before = (archive / "results.csv").read_text()
    command("Low")
    assert (archive / "results.csv").read_text() == before


def test_missing_runs_are_appended(command, archive):
    command("Low")
    before = (archive / "results.csv").read_text()
    command("Low", "High")
    after = (archive / "results.csv").read_text()
    assert after.startswith(before)
    assert "High" in after.removeprefix(before)


def test_half_a_row_of_a_killed_run_is_replaced(command, archive, load):
    command("Low")
    whole = (archive / "results.csv").read_text()
    (archive / "results.csv").write_text(whole + "High,1nn-eu")
    command("Low", "High")
    rows = load("_ucr_results").RESULTS.read(archive / "results.csv")
    assert [row["dataset"] for row in rows] == ["Low", "High"]


def test_a_file_from_before_the_last_columns_is_continued(command, archive, prior, load):
    command("Low", estimators=[NEIGHBOUR, prior], seeds=[0])
    lines = (archive / "results.csv").read_text().splitlines()
    old = "".join(line.rsplit(",", 2)[0] + "\n" for line in lines)
    (archive / "results.csv").write_text(old)
    assert command("Low", "High", estimators=[NEIGHBOUR, prior], seeds=[0]) == 0
    rows = load("_ucr_results").RESULTS.read(archive / "results.csv")
    assert [(row["dataset"], bool(row["log_loss"])) for row in rows] == [
        ("Low", False),
        ("Low", False),
        ("High", False),
        ("High", True),
    ]


@pytest.mark.parametrize("foreign", ["dataset,score\nLow,1\n", "dataset,score\nLow,1", "notes"])
def test_a_file_that_is_no_results_file_is_refused_and_left_alone(command, archive, foreign):
    (archive / "results.csv").write_text(foreign)
    with pytest.raises(ValueError, match="but expected dataset,estimator"):
        command("Low")
    assert (archive / "results.csv").read_text() == foreign


def test_only_estimators_that_use_it_run_for_every_seed(command, archive, constant, load):
    command("Low", estimators=[NEIGHBOUR, constant], seeds=[0, 1, 2])
    rows = load("_ucr_results").RESULTS.read(archive / "results.csv")
    assert [(row["estimator"], row["seed"]) for row in rows] == [
        (NEIGHBOUR, "0"),
        (constant, "0"),
        (constant, "1"),
        (constant, "2"),
    ]


def test_all_estimators_run_on_a_set_before_the_next(command, archive, constant, load):
    command("Low", "High", estimators=[NEIGHBOUR, constant], seeds=[0])
    rows = load("_ucr_results").RESULTS.read(archive / "results.csv")
    assert [row["dataset"] for row in rows] == ["Low", "Low", "High", "High"]


def test_a_failure_does_not_end_the_run(command, archive, failing, capsys):
    assert command("Low", "High", estimators=[failing, NEIGHBOUR]) == 1
    assert (archive / "results.csv").read_text().count(NEIGHBOUR) == 2
    assert "out of memory" in capsys.readouterr().err


def test_table_is_written_and_printed(command, archive, capsys):
    command("Low")
    assert (archive / "table.md").read_text() in capsys.readouterr().out


def test_figure_is_written(command, archive, prior):
    pytest.importorskip("scikit_posthocs")
    figure = archive / "new" / "ranks.png"
    command("Low", "High", estimators=[NEIGHBOUR, prior], seeds=[0], more=["--figure", figure])
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_a_figure_of_nothing_is_refused_with_a_sentence(command, archive, failing, capsys):
    figure = archive / "ranks.png"
    command("Low", estimators=[NEIGHBOUR, failing], seeds=[0], more=["--figure", figure])
    assert "No figure: got 0 data sets" in capsys.readouterr().err
    assert not figure.exists()


def test_published_figures_follow_in_a_table_of_their_own(command, archive):
    published = archive / "published.csv"
    line = "Low,MultiRocket 50k features (default split),90.0,somewhere.csv\n"
    published.write_text("dataset,classifier,accuracy,source\n" + line)
    command("Low", more=["--reference", published])
    text = (archive / "table.md").read_text()
    assert "| MultiRocket 50k features (default split) | 0.9000 | somewhere.csv |" in text


def test_groups_do_not_overlap(load):
    groups = load("_ucr_groups")
    assert (len(groups.DEVELOPMENT), len(groups.HEADLINE)) == (25, 30)
    assert not set(groups.DEVELOPMENT) & set(groups.HEADLINE)


@pytest.mark.parametrize(
    "name",
    ["minirocket", pytest.param("multirocket", marks=pytest.mark.slow)],  # compiles long
)
def test_rockets_beat_chance(load, name):
    pytest.importorskip("numba")
    X, y = make_tones(n_samples=30, length=60, random_state=0)
    estimator = load("_ucr_estimators").ESTIMATORS[name].make(0).fit(X[:20], y[:20])
    assert np.mean(estimator.predict(X[20:]) == y[20:]) > 0.8


@pytest.mark.parametrize("source", ["speech", "image"])
def test_a_control_differs_from_what_it_controls_by_its_weights_alone(load, source):
    make = load("_ucr_estimators").ESTIMATORS
    ours, control = (
        make[name].make(0).get_params() for name in (source, f"{source}-random-weights")
    )
    assert ours.pop("source").digest != control.pop("source").digest
    assert ours == control


@pytest.mark.parametrize("effort", ["fast", "best"])
def test_a_control_of_an_effort_has_all_its_sources_untrained(load, effort):
    X, y = make_tones(n_samples=8, length=40, n_classes=2, random_state=0)
    make = load("_ucr_estimators").ESTIMATORS
    ours, control = (make[name].make(0).fit(X, y) for name in (effort, f"{effort}-random-weights"))
    pairs = list(zip(*(sources_of(each.source_) for each in (ours, control)), strict=True))
    assert all(one.name in other.name and one.digest != other.digest for one, other in pairs)
    assert repr(ours.transformation_) == repr(control.transformation_)


def test_the_default_is_the_speech_source_alone(load):
    X, y = make_tones(n_samples=8, length=40, n_classes=2, random_state=0)
    make = load("_ucr_estimators").ESTIMATORS
    default, speech = (make[name].make(0).fit(X, y) for name in ("default", "speech"))
    np.testing.assert_array_equal(default.predict_proba(X), speech.predict_proba(X))


def warped_distance(first, second, radius):
    """Dynamic time warping as it is written in books."""
    n = len(first)
    costs = np.full((n + 1, n + 1), np.inf)
    costs[0, 0] = 0
    for i in range(n):
        for j in range(max(0, i - radius), min(n, i + radius + 1)):
            before = min(costs[i, j], costs[i, j + 1], costs[i + 1, j])
            costs[i + 1, j + 1] = (first[i] - second[j]) ** 2 + before
    return costs[n, n]


def test_neighbours_by_lower_bounds_are_those_of_all_pairs(load):
    pytest.importorskip("dtaidistance")
    series = np.random.default_rng(0).standard_normal((40, 30)).cumsum(axis=1)
    train, test = series[:30], series[30:]
    estimator = load("_ucr_neighbours").NearestNeighbourDTW(window=0.1)
    found = estimator.fit(train, np.arange(30) % 2).nearest(test)
    every = [[warped_distance(a, b, radius=3) for b in train] for a in test]
    assert found.tolist() == np.argmin(every, axis=1).tolist()


def test_several_channels_are_refused_by_the_warped_neighbour(load):
    estimator = load("_ucr_neighbours").NearestNeighbourDTW()
    with pytest.raises(ValueError, match="expected one channel"):
        estimator.fit(np.zeros((2, 3, 10)), [0, 1])
