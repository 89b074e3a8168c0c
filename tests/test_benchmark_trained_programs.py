"""The benchmark of trained programs resumes, compares with frozen ones, and has its controls."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from skreprogram.datasets import make_tones


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmarks, which are scripts and no package."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return importlib.import_module


@pytest.fixture
def command(load, tmp_path):
    """Run the command line on a small set and one that is too small; gives code and rows."""
    for name, n_samples in (("Small", 12), ("Tiny", 4)):
        X, y = make_tones(n_samples=n_samples, length=30, n_classes=2, random_state=0)
        (tmp_path / name).mkdir()
        for part in ("TRAIN", "TEST"):
            table = np.c_[y, X.reshape(n_samples, -1)]
            np.savetxt(tmp_path / name / f"{name}_{part}.tsv", table, delimiter="\t")

    def run(*configurations):
        words = ["--archive", tmp_path, "--group", "Small", "Tiny", "--seeds", 0]
        words += ["--configurations", *configurations]
        words += ["--results", tmp_path / "rows.csv", "--table", tmp_path / "table.md"]
        code = load("trained_programs").main([str(word) for word in words])
        return code, load("_trained_programs_results").RESULTS.read(tmp_path / "rows.csv")

    return run


@pytest.fixture
def one_epoch(load, monkeypatch):
    """Train for one epoch only."""
    monkeypatch.setattr(load("_trained_programs_configurations"), "EPOCHS", (1, 1))


def test_a_run_writes_rows_and_a_second_one_only_what_is_missing(command, one_epoch, tmp_path):
    code, before = command("frozen")
    assert code == 0 and len(before) == 2
    code, after = command("frozen", "all")
    assert code == 0 and after[:2] == before
    small, tiny = after[2:]
    assert (small["held_out"], small["epochs"]) == ("1", "1")
    # where no rows can be held out, nothing is trained
    assert (tiny["held_out"], tiny["epochs"], tiny["accuracy"]) == ("0", "0", before[1]["accuracy"])
    table = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "| all | 2 | 1 |" in table and "frozen throughout: Tiny" in table
    assert "--archive FOLDER" in table


def rows_of(load, *runs):
    """Rows of a results file from set, configuration, seed, accuracy, gain and its error."""
    fields = load("_trained_programs_results").FIELDS
    names = ("dataset", "configuration", "seed", "accuracy", "gain", "gain_error")
    filled = dict.fromkeys(fields, "1") | {"type": "sensor", "log_loss": "0.5"}
    return [filled | dict(zip(names, map(str, run), strict=True)) for run in runs]


def test_what_does_not_pass_the_test_counts_as_frozen(load):
    rows = rows_of(
        load,
        ("A", "frozen", 0, 0.5, 0, 0),
        ("A", "all", 0, 0.9, 0.2, 0.1),
        ("B", "frozen", 0, 0.7, 0, 0),
        ("B", "all", 0, 0.4, 0.1, 0.2),
        ("C", "all", 0, 0.1, 0.1, 0.2),
    )
    module = load("_trained_programs_results")
    runs = module.compared(rows)
    # without a frozen partner a row says nothing
    assert module.by_set(runs, "all", "trained") == {"A": 0.9, "B": 0.4}
    assert module.by_set(runs, "all", "tested") == {"A": 0.9, "B": 0.7}
    table = module.make_table(rows, ["frozen", "all"], "the command")
    assert "| 0.6500 | +0.0500 ± 0.3500 | 0.8000 | +0.2000 ± 0.2000 | 1 / 1 / 0 |" in table


def test_controls_are_compared_with_the_frozen_control_of_their_seed(load):
    control = load("_controls").CONTROL
    rows = rows_of(
        load,
        ("A", "frozen", 0, 0.5, 0, 0),
        ("A", "frozen" + control, 1, 0.6, 0, 0),
        ("A", "all" + control, 0, 0.9, 0.2, 0.1),
        ("A", "all" + control, 1, 0.8, 0.2, 0.1),
    )
    (run,) = [
        run
        for run in load("_trained_programs_results").compared(rows)
        if run["configuration"] == "all" + control
    ]
    assert (run["seed"], run["frozen"], run["trained"]) == ("1", 0.6, 0.8)


def test_every_set_of_both_groups_has_a_type(load):
    sets = [name for group in load("_ucr_groups").GROUPS.values() for name in group]
    assert set(load("_trained_programs_types").TYPES) == set(sets)


def test_each_configuration_trains_what_it_says_around_both_sources(load):
    module = load("_trained_programs_configurations")
    for name in module.CONFIGURATIONS:
        estimator = module.make(name, 0, 100)
        trains, _ = module.PARTS[name.split(", random")[0]]
        trained = {key.split("/")[1] for key in estimator.input_transformation.trainable}
        assert trained == set(trains)
    first, second = (module.make(n, 0, 100).source for n in ("all", "all, random weights"))
    assert first.digest != second.digest
