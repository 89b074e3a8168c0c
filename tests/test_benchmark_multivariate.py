"""The benchmark of several channels resumes, and keeps its test parts apart."""

import importlib
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmarks, which are scripts and no package."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return importlib.import_module


@pytest.fixture
def command(load, tmp_path):
    """Run the command line with nearest neighbours; gives its return code and the rows."""

    def run(*words):
        files = ["--results", tmp_path / "rows.csv", "--table", tmp_path / "table.md"]
        chosen = ["--targets", "BasicMotions", "JapaneseVowels", "--estimators", "1nn-euclidean"]
        code = load("multivariate").main([str(word) for word in [*files, *chosen, *words]])
        return code, load("multivariate").RESULTS.read(tmp_path / "rows.csv")

    return run


def test_a_run_writes_a_row_a_set_and_goes_on_from_there(command, tmp_path):
    code, rows = command()
    assert code == 0
    # what does not depend on a seed runs once
    found = {(row["target"], row["seed"], row["lengths"], row["n_channels"]) for row in rows}
    assert found == {("BasicMotions", "0", "100", "6"), ("JapaneseVowels", "0", "7-29", "12")}
    assert "| 1nn-euclidean | 0." in (tmp_path / "table.md").read_text(encoding="utf-8")
    assert command()[1] == rows


def test_validation_scores_on_a_third_of_the_training_part(command):
    _, rows = command("--validation")
    sizes = {row["target"]: (row["n_train"], row["n_test"]) for row in rows}
    assert sizes == {"BasicMotions": ("26", "14"), "JapaneseVowels": ("180", "90")}


def test_a_set_without_its_files_is_reported_and_not_written_down(command, capsys):
    code, rows = command("--targets", "spoken digits, 13 cepstra")
    assert (code, rows) == (1, [])
    assert "expected the folder of the spoken digits" in capsys.readouterr().err


def test_a_higher_tone_moves_the_cepstra_and_a_louder_one_the_first_alone(load):
    cepstra = load("_multivariate_targets").cepstra
    time = np.arange(4000) / 8000
    noise = 0.1 * np.random.RandomState(0).normal(size=len(time))
    low, high = (np.sin(2 * np.pi * f * time) + noise for f in (300, 3000))
    assert cepstra(low).shape == (13, 48)
    # more energy in high bands than in low ones makes the second coefficient negative
    assert cepstra(low)[1].mean() > 0 > cepstra(high)[1].mean()
    change = np.abs(cepstra(10 * low) - cepstra(low)).mean(1)
    assert change[0] > 10 and change[1:].max() < 0.1
