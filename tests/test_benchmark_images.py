"""The benchmark on images resumes, its tables are right, and its plain loop computes the same."""

import argparse
import importlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from toys import seeded

from skreprogram.sources import SourceModel

LADDER = ("frequency", "linear")


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmarks, which are scripts and no package."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return importlib.import_module


@pytest.fixture
def network():
    """A network of colour images with batch normalisation whose statistics say something."""

    def make():
        layers = [nn.Conv2d(3, 8, 3, 2, bias=False), nn.BatchNorm2d(8), nn.Tanh()]
        made = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 12))
        made.train()(torch.rand(16, 3, 16, 16))
        return made.eval()

    return seeded(make)


@pytest.fixture
def command(load, network, tmp_path, monkeypatch):
    """Run the command line around the toy source in this process; gives its return code."""
    source = SourceModel.from_module(network, (3, 16, 16), value_range=(0, 1))

    def run(*configurations, seeds=(0, 1), more=()):
        module = load("images")
        monkeypatch.setattr(module, "source_of", lambda name, side: source)
        words = ["--datasets", "digits", "--configurations", *configurations, "--seeds", *seeds]
        words += ["--side", 16, "--n-train", 60, "--n-test", 40, "--epochs", 2]
        words += ["--results", tmp_path / "r.csv", "--table", tmp_path / "t.md", *more]
        return module.main([str(word) for word in words])

    return run


@pytest.fixture
def rows(load, tmp_path):
    """Read the results file."""
    return lambda: load("_images_results").RESULTS.read(tmp_path / "r.csv")


def test_a_row_tells_sizes_budget_and_accuracy(command, rows):
    assert command("linear", seeds=[0]) == 0
    (row,) = rows()
    columns = ("n_train", "n_test", "side", "max_epochs", "lr", "batch_size")
    assert [row[name] for name in columns] == ["60", "40", "16", "2", "0.01", "32"]
    assert 0 <= float(row["accuracy"]) <= 1
    assert "cores" in row["machine"]


def test_finished_runs_are_not_repeated_and_missing_ones_appended(command, tmp_path):
    command("frequency")
    before = (tmp_path / "r.csv").read_text()
    command(*LADDER)
    after = (tmp_path / "r.csv").read_text()
    assert after.startswith(before)
    assert after.count("linear") == 2
    command(*LADDER)
    assert (tmp_path / "r.csv").read_text() == after


def test_all_configurations_run_for_a_seed_before_the_next(command, rows):
    command(*LADDER)
    runs = [(row["configuration"], row["seed"]) for row in rows()]
    assert runs == [(name, seed) for seed in "01" for name in LADDER]


def test_half_a_row_of_a_killed_run_is_replaced(command, rows, tmp_path):
    command("frequency")
    whole = (tmp_path / "r.csv").read_text()
    (tmp_path / "r.csv").write_text(whole[:-40])
    assert len(rows()) == 1
    command("frequency")
    assert [row["seed"] for row in rows()] == ["0", "1"]


def test_probes_and_controls_run_around_a_toy(command, rows):
    names = ["no program, linear", "linear probe, last features", "linear probe, all stages"]
    names += ["random weights, linear"]
    assert command(*names, seeds=[0]) == 0
    assert [row["configuration"] for row in rows()] == names


def test_table_is_written_and_printed(command, tmp_path, capsys):
    command("frequency")
    assert (tmp_path / "t.md").read_text() in capsys.readouterr().out


def test_absent_data_are_named(load, tmp_path):
    words = ["--data", tmp_path, "--datasets", "mnist", "--results", tmp_path / "r.csv"]
    with pytest.raises(SystemExit, match="expected a folder with the file mnist5k/mnist_5k.csv.gz"):
        load("images").main([str(word) for word in words])


def test_a_failure_does_not_end_the_run(command, rows, load, monkeypatch, capsys):
    registry = load("_images_configurations")

    def fail(source, budget, seed):
        raise RuntimeError("out of memory")

    monkeypatch.setitem(registry.CONFIGURATIONS, "random", registry.Configuration(fail))
    assert command("random", "frequency", seeds=[0]) == 1
    assert [row["configuration"] for row in rows()] == ["frequency"]
    assert "out of memory" in capsys.readouterr().err


def test_validation_leaves_the_test_part_alone(load):
    data = load("_images_data")
    parts = data.load("digits", None, 0)
    shown = data.validation(parts, 100, 0)
    assert len(shown.y_test) == 100
    assert len(shown.y_train) + 100 == len(parts.y_train)
    known = {image.tobytes() for image in parts.X_train}
    assert all(image.tobytes() in known for image in shown.X_test)


def test_cut_training_part_keeps_the_classes(load):
    data = load("_images_data")
    parts = data.cut(data.load("squares", None, 0), 30, 0)
    assert sorted(np.unique(parts.y_train, return_counts=True)[1]) == [3] * 10
    assert len(parts.y_test) == 1_000


def run_of(name, seed, accuracy):
    row = {"dataset": "A", "configuration": name, "seed": str(seed), "accuracy": str(accuracy)}
    row |= {"fit_seconds": "2", "fit_cpu_seconds": "1", "predict_seconds": "0.5"}
    row |= {"n_train": "6", "n_test": "4", "side": "64", "max_epochs": "8"}
    return row | {"machine": "2 cores", "version": "1.0"}


def test_table_gives_mean_spread_and_seconds(load):
    runs = [run_of("linear", 0, 0.5), run_of("linear", 1, 0.7), run_of("random", 0, 0.1)]
    table = load("_images_table").make_tables(runs, ["A", "B"], ["random", "linear", "other"])
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert lines == [
        "| random | 0.1000 |  | 1 | 6 / 4 | 64 | 8 | 2 | 1 | 0 |",
        f"| linear | 0.6000 | {np.std([0.5, 0.7], ddof=1):.4f} | 2 | 6 / 4 | 64 | 8 | 2 | 1 | 0 |",
    ]
    assert "## A" in table
    assert "## B" not in table


def test_plain_loop_and_package_take_the_same_step(load, network):
    speed = load("images_speed")
    options = argparse.Namespace(side=16, image_side=8, batch_size=20, n_samples=20)
    facts = {"value_range": (0, 1), "mean": speed.MEAN, "std": speed.STD}
    source = SourceModel.from_module(network, (3, 16, 16), **facts)
    difference, size = speed.difference_after_one_step(source, network, options)
    assert difference < 1e-4 < size


def test_plain_mapping_is_the_frequency_mapping(load):
    from skreprogram.mappings import FrequencyMapping

    plain = load("_images_plain_loop")
    generator = torch.Generator().manual_seed(0)
    outputs, labels = torch.rand(40, 9, generator=generator), torch.arange(40) % 3
    counts = plain.label_counts(outputs, labels, 3)
    matrix = FrequencyMapping().estimate(counts, generator)
    assert plain.greedy_labels(counts).tolist() == matrix.argmax(0).tolist()


def test_speed_table_has_a_line_a_rival(load, network, capsys, monkeypatch):
    speed = load("images_speed")
    monkeypatch.setattr(speed, "NETWORKS", {"toy": lambda: network})
    monkeypatch.setattr(torch, "set_num_threads", lambda number: None)
    words = "--rounds 1 --epochs 1 --n-samples 20 --side 16 --image-side 8 --accuracy-epochs 0"
    speed.main(words.split())
    printed = capsys.readouterr().out
    for rival in ("plain loop", "skreprogram", "skreprogram, bf16"):
        assert printed.count(f"| toy | {rival} |") == 1
