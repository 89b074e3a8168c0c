"""The benchmark of black boxes resumes, its tables are right, its targets are what they say."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from skreprogram.sources import BlackBoxSource

LINES = ("no program", "spsa, Adam")


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmarks, which are scripts and no package."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return importlib.import_module


@pytest.mark.parametrize("name", ["digits 0 or 1", "breast cancer", "ten digits", "wine"])
def test_targets_lie_between_0_and_1_and_no_sample_is_in_both_parts(load, name):
    parts = load("_black_box_targets").load(name)
    X = np.concatenate([parts.X_train, parts.X_test])
    assert X.min() >= 0
    assert X.max() <= 1
    known = {row.tobytes() for row in parts.X_train}
    assert not any(row.tobytes() in known for row in parts.X_test)
    assert set(parts.y_train) == set(parts.y_test)


def test_the_split_of_a_target_is_fixed(load):
    targets = load("_black_box_targets")
    one, other = (targets.load("breast cancer") for _ in range(2))
    assert np.array_equal(one.X_test, other.X_test)
    assert (len(one.y_train), len(one.y_test)) == (100, 150)


def test_what_is_reported_is_not_what_settings_were_chosen_on(load):
    targets = load("_black_box_targets")
    assert not set(targets.TARGETS) & set(targets.DEVELOPMENT)
    reported = {target for _, target in load("black_box").PAIRS}
    assert reported == set(targets.TARGETS)


def warm(images):
    """A service whose two answers say how bright the upper half is."""
    share = images[:, :, :4].mean((1, 2, 3))
    return np.stack([1 - share, share], 1)


@pytest.fixture
def command(load, tmp_path, monkeypatch):
    """Run the command line around a toy service in this process; gives its return code."""
    source = BlackBoxSource(warm, (3, 8, 8), 2, value_range=(0, 1), name="warm")

    def run(*configurations, budgets=(300,), seeds=(0,), more=()):
        module = load("black_box")
        monkeypatch.setattr(module, "source_of", lambda name, kind, answers: source)
        words = ["--sources", "open-nsfw", "--targets", "digits 0 or 1"]
        words += ["--configurations", *configurations, "--budgets", *budgets, "--seeds", *seeds]
        words += ["--results", tmp_path / "r.csv", "--table", tmp_path / "t.md", *more]
        return module.main([str(word) for word in words])

    return run


@pytest.fixture
def rows(load, tmp_path):
    """Read the results file."""
    return lambda: load("_black_box_results").RESULTS.read(tmp_path / "r.csv")


def test_a_row_tells_queries_and_accuracy(command, rows):
    assert command(*LINES) == 0
    once, trained = rows()
    assert (once["budget"], once["n_queries"]) == ("once", once["n_train"])
    assert 200 < int(trained["n_queries"]) <= 300
    assert trained["stopped_by"] == "max_queries"
    assert 0 <= float(trained["accuracy"]) <= 1


def test_finished_runs_are_not_repeated_and_missing_ones_appended(command, tmp_path):
    command("spsa, Adam")
    before = (tmp_path / "r.csv").read_text()
    command("spsa, Adam", budgets=(300, 400))
    after = (tmp_path / "r.csv").read_text()
    assert after.startswith(before)
    assert after.count("spsa") == 2
    command("spsa, Adam", budgets=(300, 400))
    assert (tmp_path / "r.csv").read_text() == after


def test_half_a_row_of_a_killed_run_is_replaced(command, rows, tmp_path):
    command(*LINES)
    whole = (tmp_path / "r.csv").read_text()
    (tmp_path / "r.csv").write_text(whole[:-40])
    assert len(rows()) == 1
    command(*LINES)
    assert [row["configuration"] for row in rows()] == list(LINES)


def test_all_configurations_run_for_a_seed_before_the_next(command, rows):
    command(*LINES, seeds=(0, 1))
    runs = [(row["configuration"], row["seed"]) for row in rows()]
    assert runs == [(name, seed) for seed in "01" for name in LINES]


def test_a_failure_does_not_end_the_run(command, rows, load, monkeypatch, capsys):
    registry = load("_black_box_configurations")
    broken = registry.Configuration("spsa", {**registry.ADAM, "lr": -1.0})
    monkeypatch.setitem(registry.CONFIGURATIONS, "cma-es", broken)
    assert command("cma-es", "no program") == 1
    assert [row["configuration"] for row in rows()] == ["no program"]
    assert "FAILED open-nsfw, digits 0 or 1, cma-es" in capsys.readouterr().err


def test_a_service_without_twin_has_no_backpropagation(load):
    module = load("black_box")
    options = module.parse(["--results", "r.csv", "--seeds", "0", "--budgets", "500"])
    runs = {(source, name) for source, _, name, _, _ in module.planned(options)}
    assert ("open-nsfw", "backpropagation") in runs
    assert ("magika", "spsa, Adam") in runs
    assert not {name for source, name in runs if source == "magika"} & {
        "backpropagation",
        "backpropagation, random weights",
        "backpropagation, recipe of BAR",
        "no program, random weights",
        "surrogate",
        "surrogate, random weights",
    }


def test_true_gradients_get_the_smallest_budget_only(load):
    module = load("black_box")
    options = module.parse(["--results", "r.csv", "--seeds", "0", "--budgets", "500", "900"])
    budgets = {(name, budget) for _, _, name, _, budget in module.planned(options)}
    assert ("spsa, Adam", "900") in budgets
    assert ("backpropagation", "500") in budgets
    assert ("backpropagation", "900") not in budgets


def test_table_and_command_are_written_and_printed(command, tmp_path, capsys):
    command("no program")
    written = (tmp_path / "t.md").read_text()
    assert written in capsys.readouterr().out
    assert "python benchmarks/black_box.py --sources open-nsfw" in written


def run_of(name, seed, budget, accuracy):
    row = {"source": "A", "target": "B", "configuration": name, "seed": str(seed)}
    row |= {"budget": str(budget), "accuracy": str(accuracy), "fit_cpu_seconds": "2"}
    return row | {"n_train": "90", "n_test": "40", "machine": "2 cores", "version": "1.0"}


def test_table_has_a_column_a_budget(load):
    runs = [run_of("spsa", 0, 500, 0.5), run_of("spsa", 1, 500, 0.7), run_of("spsa", 0, 1000, 0.8)]
    runs.append(run_of("surrogate", 0, "once", 0.9))
    table = load("_black_box_results").make_tables(runs, ["surrogate", "spsa", "other"], "do")
    lines = [line for line in table.splitlines() if line.startswith("|")]
    assert lines[0] == "| gradient | once | 500 | 1000 | seeds | fit CPU s |"
    assert lines[2:] == [
        "| surrogate | 0.900 |  |  | 1 | 2 |",
        "| spsa |  | 0.600 ± 0.141 | 0.800 | 2 | 2 |",
    ]


def test_a_curve_is_in_the_order_of_queries(load):
    runs = [run_of("spsa", 0, 1000, 0.8), run_of("spsa", 0, 500, 0.5)]
    runs.append(run_of("surrogate", 0, "once", 0.9))
    curve = load("_black_box_results").curve
    assert list(curve(runs, "spsa").items()) == [(500, [0.5]), (1000, [0.8])]
    assert list(curve(runs, "surrogate")) == [90]


def test_the_figure_is_drawn(load, tmp_path):
    pytest.importorskip("matplotlib")
    runs = [run_of("spsa", 0, 500, 0.5), run_of("spsa", 0, 1000, 0.6)]
    runs.append({**run_of("surrogate", 0, "once", 0.9), "target": "C"})
    load("_black_box_results").draw(runs, ["spsa", "surrogate"], tmp_path / "figures" / "f.png")
    image = importlib.import_module("matplotlib.image").imread(tmp_path / "figures" / "f.png")
    # something is drawn in colour, and the panels are side by side
    assert (image[..., 0] != image[..., 2]).any()
    assert image.shape[1] > 1.5 * image.shape[0]
