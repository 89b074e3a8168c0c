"""The benchmark of the frozen transformer resumes, and its numbers and table are right."""

import importlib
from pathlib import Path

import pytest
from tiny_texts import text_source
from toys import squares


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmarks, which are scripts and no package."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return importlib.import_module


@pytest.fixture
def configurations(load, tmp_path, monkeypatch):
    """The configurations around a tiny language model, with a target of 40 small images."""
    module = load("_frozen_transformer_configurations")
    (tmp_path / "model").mkdir()
    source = text_source(tmp_path / "model")
    monkeypatch.setattr(module, "load_source", lambda name: source)
    monkeypatch.setitem(module.TARGETS, "digits", module.Target(lambda: squares(40), 2))
    return module


@pytest.fixture
def command(load, configurations, tmp_path):
    """Run the command line in this process; gives its return code and the rows."""

    def run(*words, names=("norms", "no source")):
        files = ["--results", tmp_path / "rows.csv", "--table", tmp_path / "table.md"]
        chosen = ["--configurations", *names, "--max-epochs", "1", *files, *words]
        code = load("frozen_transformer").main([str(word) for word in chosen])
        return code, load("_frozen_transformer_results").RESULTS.read(tmp_path / "rows.csv")

    return run


def test_a_run_writes_a_row_for_each_configuration_and_seed(command, tmp_path):
    code, rows = command("--seeds", 0, 1)
    assert code == 0
    assert [(row["configuration"], row["seed"]) for row in rows] == [
        ("norms", "0"),
        ("no source", "0"),
        ("norms", "1"),
        ("no source", "1"),
    ]
    assert {(row["scored_on"], row["n_train"], row["n_test"]) for row in rows} == {
        ("test", "30", "10")
    }
    assert "| no source | " in (tmp_path / "table.md").read_text(encoding="utf-8")


def test_a_second_run_does_only_what_is_missing(command):
    _, before = command("--seeds", 0)
    _, after = command("--seeds", 0, names=("norms", "frozen"))
    assert after[:2] == before
    assert [row["configuration"] for row in after[2:]] == ["frozen"]


def test_validation_leaves_the_test_part_alone(command, configurations):
    _, rows = command("--seeds", 0, "--validation", names=("no source",))
    facts = [rows[0][name] for name in ("scored_on", "n_train", "n_test")]
    assert facts == ["validation", "22", "8"]
    X, X_test = configurations.split("digits", False)[:2]
    shown = {row.tobytes() for part in configurations.split("digits", True)[:2] for row in part}
    assert shown == {row.tobytes() for row in X}
    assert not shown & {row.tobytes() for row in X_test}


def test_numbers_of_the_program_and_of_the_source_are_counted(command):
    _, rows = command("--seeds", 0)
    # 16 dimensions: a layer of four values, a head of two classes; six norms of two vectors
    assert int(rows[0]["n_program"]) == 16 * 4 + 16 + 16 * 2 + 2
    assert int(rows[0]["n_source"]) == 6 * 2 * 16


def test_a_run_that_fails_is_reported_and_not_written_down(command, configurations, monkeypatch):
    def broken(target, max_epochs, seed):
        raise RuntimeError("no such thing")

    monkeypatch.setitem(configurations.CONFIGURATIONS, "frozen", broken)
    code, rows = command("--seeds", 0, names=("frozen", "no source"))
    assert code == 1
    assert [row["configuration"] for row in rows] == ["no source"]
