"""The benchmark of unlabelled rows resumes, and hides the labels that it says."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch

FREE = ("label spreading, no source", "logistic regression, no source")


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmarks, which are scripts and no package."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return importlib.import_module


@pytest.fixture
def command(load, tmp_path):
    """Run the command line on digits in this process; gives its return code and the rows."""

    def run(*words, names=FREE):
        files = ["--results", tmp_path / "rows.csv", "--table", tmp_path / "table.md"]
        chosen = ["--targets", "digits", "--configurations", *names, *files, *words]
        code = load("unlabelled").main([str(word) for word in chosen])
        return code, load("_unlabelled_results").RESULTS.read(tmp_path / "rows.csv")

    return run


def test_a_run_writes_a_row_for_each_configuration_and_number_of_labels(command, tmp_path):
    code, rows = command("--seeds", 0, "--figure", tmp_path / "curves.png")
    assert code == 0
    found = {(row["configuration"], row["per_class"], row["n_labelled"]) for row in rows}
    few = {(name, n, str(5 * int(n))) for name in FREE for n in ("2", "5", "20")}
    # with every label there is nothing to spread
    assert found == few | {(FREE[1], "all", "672")}
    assert "| label spreading, no source | " in (tmp_path / "table.md").read_text(encoding="utf-8")
    assert (tmp_path / "curves.png").stat().st_size > 0


def test_a_second_run_does_only_what_is_missing(command):
    _, before = command("--seeds", 0, "--per-class", 2, names=FREE[:1])
    _, after = command("--seeds", 0, "--per-class", 2)
    assert after[:1] == before
    assert [row["configuration"] for row in after] == list(FREE)


def test_so_many_rows_of_each_class_keep_their_label(load):
    y = np.repeat([5, 6, 7], 10)
    kept = load("_unlabelled_targets").partly_labelled(y, "4", seed=0)
    assert np.bincount(kept[kept >= 0])[5:].tolist() == [4, 4, 4]
    np.testing.assert_array_equal(kept[kept >= 0], y[kept >= 0])


def test_validation_leaves_the_test_part_alone(load):
    split = load("_unlabelled_targets").split
    X_test = split("digits", None, False, "2", 0)[2]
    X, _, X_valid, _ = split("digits", None, True, "2", 0)
    assert len(X) + len(X_valid) == 672
    shown = {row.tobytes() for part in (X, X_valid) for row in part}
    # a few digits of the set are drawn twice, pixel for pixel
    assert np.mean([row.tobytes() in shown for row in X_test]) < 0.01


def test_each_use_of_unlabelled_rows_has_its_control(load):
    module, controls = load("_unlabelled_configurations"), load("_controls")
    ours = ["labelled only", *module.USES]
    assert {name + controls.CONTROL for name in ours} <= set(module.CONFIGURATIONS)


def test_images_are_shifted_by_one_pixel_at_most(load):
    images = torch.zeros(3, 1, 8, 8)
    images[:, :, 4, 4] = 100.0
    moved = load("_unlabelled_targets").shifted(images, torch.Generator().manual_seed(1))
    places = (moved > 50).nonzero()[:, 2:]
    assert moved.shape == images.shape and len(places) == 3
    assert (places - 4).abs().max() <= 1
