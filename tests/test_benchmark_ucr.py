"""The benchmark on the archive resumes, and its table is right."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from skreprogram.datasets import make_tones

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

    def run(*group, estimators=(NEIGHBOUR,), seeds=(0, 1)):
        words = ["--archive", archive, "--results", archive / "results.csv"]
        words += ["--group", *group, "--estimators", *estimators, "--seeds", *seeds]
        return load("ucr").main([str(word) for word in [*words, "--table", archive / "table.md"]])

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


def rows_of(accuracies):
    return [
        {
            "dataset": dataset,
            "estimator": estimator,
            "seed": str(seed),
            "accuracy": str(accuracy),
            "fit_seconds": "1.5",
            "predict_seconds": "0.5",
            "machine": "2 cores x86-64",
            "version": "1.0",
        }
        for (dataset, estimator), values in accuracies.items()
        for seed, accuracy in enumerate(values)
    ]


def line(table, start):
    (found,) = [text for text in table.splitlines() if text.startswith(f"| {start} ")]
    return [cell.strip() for cell in found.strip("|").split("|")][1:]


@pytest.fixture
def table(load):
    accuracies = {
        ("A", "ours"): [0.8, 0.9],
        ("A", "minirocket"): [0.7],
        ("B", "ours"): [0.5, 0.5],
        ("B", "minirocket"): [0.5],
        ("C", "ours"): [0.1, 0.2],
    }
    make_table = load("_ucr_table").make_table
    return make_table(rows_of(accuracies), ["A", "B", "C"], ["ours", "minirocket"])


def test_table_gives_the_mean_over_seeds_of_each_set(table):
    assert line(table, "A") == ["0.8500", "0.7000"]


def test_table_leaves_a_missing_run_blank(table):
    assert line(table, "C") == ["0.1500", ""]


def test_summary_is_over_sets_that_all_have_finished(table):
    assert line(table, "**mean**") == ["**0.6750**", "**0.6000**"]
    assert "Summary over 2 of 3 data sets" in table


def test_summary_gives_the_spread_of_the_mean_over_seeds(table):
    expected = np.std([0.65, 0.70], ddof=1)
    assert line(table, "sd of the mean over seeds") == [f"{expected:.4f}", ""]


def test_ties_share_their_rank(table):
    assert line(table, "mean rank") == ["1.25", "1.75"]


def test_summary_counts_wins_ties_and_losses(table):
    assert line(table, "wins / ties / losses against minirocket") == ["1 / 1 / 0", ""]


def test_seconds_are_those_of_one_seed_over_all_sets(table):
    assert line(table, "seconds, fit and predict") == ["4.0", "4.0"]


def test_groups_do_not_overlap(load):
    groups = load("_ucr_groups")
    assert (len(groups.DEVELOPMENT), len(groups.HEADLINE)) == (25, 30)
    assert not set(groups.DEVELOPMENT) & set(groups.HEADLINE)


def test_minirocket_beats_chance(load):
    pytest.importorskip("numba")
    X, y = make_tones(n_samples=30, length=60, random_state=0)
    estimator = load("_ucr_estimators").minirocket(0).fit(X[:20], y[:20])
    assert np.mean(estimator.predict(X[20:]) == y[20:]) > 0.8
