"""Scores, ranks, tests and tables of the benchmark on the archive."""

import importlib
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmarks, which are scripts and no package."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return importlib.import_module


def rows_of(accuracies, log_loss="0.5"):
    return [
        {
            "dataset": dataset,
            "estimator": estimator,
            "seed": str(seed),
            "accuracy": str(accuracy),
            "log_loss": log_loss,
            "calibration_error": "0.1" if log_loss else "",
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


def test_summary_gives_means_of_log_loss_and_calibration_error(table):
    assert line(table, "log-loss, nats") == ["0.5000", "0.5000"]
    assert line(table, "expected calibration error") == ["0.1000", "0.1000"]


def test_scores_that_rows_do_not_have_stay_blank(load):
    rows = rows_of({("A", "ours"): [0.8]}) + rows_of({("A", "minirocket"): [0.7]}, log_loss="")
    table = load("_ucr_table").make_table(rows, ["A"], ["ours", "minirocket"])
    assert line(table, "log-loss, nats") == ["0.5000", ""]


def test_p_values_are_corrected_for_the_number_of_columns(load):
    # better on all of eight sets, by different margins: 2 / 2 ** 8 before the correction
    sets = "ABCDEFGH"
    accuracies = {(name, "minirocket"): [0.5] for name in sets}
    accuracies |= {(name, "up"): [0.6 + 0.01 * i] for i, name in enumerate(sets)}
    accuracies |= {(name, "same"): [0.5] for name in sets}
    columns = ["up", "same", "minirocket"]
    table = load("_ucr_table").make_table(rows_of(accuracies), sets, columns)
    assert line(table, "p against minirocket") == ["0.016", "1", ""]


def test_a_table_without_the_reference_has_no_comparison_with_it(load):
    rows = rows_of({("A", "ours"): [0.8], ("A", "theirs"): [0.7]})
    assert "against" not in load("_ucr_table").make_table(rows, ["A"], ["ours", "theirs"])


def test_published_means_are_over_the_finished_sets_and_sorted_in(load, tmp_path):
    published = tmp_path / "published.csv"
    classifier = "InceptionTime (default split, ensemble of 5)"
    published.write_text(
        "dataset,classifier,accuracy,source\n"
        f"A,{classifier!r},80.0,x.csv\nB,{classifier!r},70.0,x.csv\nC,{classifier!r},0.0,x.csv\n"
        "A,MultiRocket 50k features (default split),99.0,y.csv\n".replace("'", '"')
    )
    rows = rows_of({("A", "high"): [0.9], ("B", "high"): [0.9], ("A", "low"): [0.5]})
    rows += rows_of({("B", "low"): [0.5]})
    make = load("_ucr_table").make_published_table
    cells = [
        text.split(" | ") for text in make(rows, "ABC", ["low", "high"], published).splitlines()
    ]
    assert [words[:2] for words in cells if len(words) == 3][2:] == [
        ["| high", "0.9000"],
        [f"| {classifier}", "0.7500"],
        ["| low", "0.5000"],
    ]


def test_calibration_error_of_a_case_worked_out_by_hand(load):
    # bins of a fifth: .55 right and .6 wrong share one, .9 right has one of its own
    probabilities = np.array([[0.55, 0.45], [0.4, 0.6], [0.1, 0.9]])
    error = load("_ucr_scores").expected_calibration_error(
        ["a", "a", "b"], probabilities, ["a", "b"], n_bins=5
    )
    expected = 2 / 3 * abs(1 / 2 - (0.55 + 0.6) / 2) + 1 / 3 * abs(1 - 0.9)
    assert error == pytest.approx(expected)


def test_sure_and_right_is_calibrated(load):
    error = load("_ucr_scores").expected_calibration_error([0, 1], np.eye(2), [0, 1])
    assert error == 0


def test_holm_gives_the_example_of_a_textbook(load):
    # sorted .005 .01 .03 .04, times 4 3 2 1, never falling
    corrected = load("_ucr_statistics").holm([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(corrected, [0.03, 0.06, 0.06, 0.02])


def test_mean_ranks_of_a_written_out_example(load):
    accuracy = np.array([[0.9, 0.8, 0.7], [0.5, 0.5, 0.6]])
    np.testing.assert_allclose(load("_ucr_statistics").mean_ranks(accuracy), [1.75, 2.25, 2])


def test_pairs_are_corrected_for_the_number_of_pairs(load):
    # 2 / 2 ** 10 for pairs that always differ in one direction; three pairs, two of them such
    gains = 0.01 * np.arange(1, 11)
    accuracy = np.c_[0.5 + gains, 0.5 + gains, 0.5 - gains]
    p_values = load("_ucr_statistics").pairwise_p(accuracy)
    np.testing.assert_allclose(p_values[0], [1, 1, 3 * 2 / 2**10])
    np.testing.assert_allclose(p_values, p_values.T)
