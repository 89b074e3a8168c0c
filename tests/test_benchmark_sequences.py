"""The benchmark of sequences resumes, and its scores, numbers and tables are right."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from toys import image_source

from skreprogram import SequenceReprogrammer
from skreprogram.transformations import TokenPatchesTransformation

LINES = ("k-mer counts", "k-mer TF-IDF")


def texts(n_samples, random_state=0):
    """Texts of ten letters whose class is their most frequent letter."""
    rng, y = np.random.RandomState(random_state), np.array(list("ABC"))[np.arange(n_samples) % 3]
    return ["".join(rng.permutation(list("ABCDE" + 5 * own))) for own in y], y


def reprogrammer(**params):
    """An estimator around a small network of images of 8 x 8 pixels."""
    patches = TokenPatchesTransformation(patch_size=2)
    return SequenceReprogrammer(
        image_source(), tokenizer="char", input_transformation=patches, max_epochs=1, **params
    )


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmarks, which are scripts and no package."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return importlib.import_module


@pytest.fixture
def targets(load):
    """The module of the targets."""
    return load("_sequences_targets")


@pytest.fixture
def toy(targets):
    """A target of 60 texts of letters to train with, and 30 to score on."""

    def read(folder):
        (X, y), (X_test, y_test) = texts(60), texts(30, random_state=1)
        return [targets.Parts(X, y, X_test, y_test)]

    return targets.Target(read)


@pytest.fixture
def command(load, toy, tmp_path, monkeypatch):
    """Run the command line on the toy target in this process; gives its return code."""

    def run(*configurations, sizes=("4", "all"), seeds=(0,), more=(), target=toy):
        module = load("sequences")
        # targets of one name differ from test to test
        module._folds.cache_clear()
        monkeypatch.setitem(module.TARGETS, "toy", target)
        words = ["--targets", "toy", "--configurations", *configurations, "--per-class", *sizes]
        words += ["--seeds", *seeds, "--results", tmp_path / "r.csv", "--table", tmp_path / "t.md"]
        return module.main([str(word) for word in [*words, *more]])

    return run


@pytest.fixture
def rows(load, tmp_path):
    """Read the results file."""
    return lambda: load("_sequences_results").RESULTS.read(tmp_path / "r.csv")


def test_a_row_tells_sizes_scores_and_numbers(command, rows):
    assert command("k-mer counts") == 0
    few, every = rows()
    assert (few["per_class"], few["n_train"], few["n_test"]) == ("4", "12", "30")
    assert (every["per_class"], every["n_train"]) == ("all", "60")
    assert all(0.4 < float(row["accuracy"]) <= 1 for row in (few, every))
    # the rule is in the counts of letters
    assert float(every["roc_auc"]) > 0.95
    assert int(every["n_trained"]) < int(every["n_stored"])


def test_finished_runs_are_not_repeated_and_missing_ones_appended(command, tmp_path):
    command(*LINES, sizes=("4",))
    before = (tmp_path / "r.csv").read_text()
    command(*LINES, sizes=("4", "8"))
    after = (tmp_path / "r.csv").read_text()
    assert after.startswith(before)
    assert after.count("k-mer") == 4
    command(*LINES, sizes=("4", "8"))
    assert (tmp_path / "r.csv").read_text() == after


def test_half_a_row_of_a_killed_run_is_replaced(command, rows, tmp_path):
    command(*LINES, sizes=("4",))
    whole = (tmp_path / "r.csv").read_text()
    (tmp_path / "r.csv").write_text(whole[:-40])
    assert len(rows()) == 1
    command(*LINES, sizes=("4",))
    first, second = rows()
    assert [first["configuration"], second["configuration"]] == list(LINES)
    assert second["version"] == first["version"]


def test_all_configurations_and_sizes_run_for_a_seed_before_the_next(command, rows):
    command(*LINES, sizes=("4", "8"), seeds=(0, 1))
    runs = [(row["seed"], row["per_class"], row["configuration"]) for row in rows()]
    assert runs == [(seed, size, name) for seed in "01" for size in "48" for name in LINES]


def test_a_failure_does_not_end_the_run(command, rows, load, monkeypatch, capsys):
    configurations = load("_sequences_configurations")
    broken = configurations.Configuration(lambda target, seed: reprogrammer(lr=-1.0))
    monkeypatch.setitem(configurations.CONFIGURATIONS, "TF-IDF", broken)
    assert command("TF-IDF", "k-mer counts", sizes=("4",)) == 1
    assert [row["configuration"] for row in rows()] == ["k-mer counts"]
    assert "FAILED toy, test, 4, TF-IDF, 0" in capsys.readouterr().err


def test_a_missing_folder_is_told_in_a_sentence(command, targets):
    with pytest.raises(SystemExit, match="expected a folder with the file dna_uci/splice.data"):
        command("k-mer counts", target=targets.TARGETS["splice"], more=["--data", "nowhere"])


def test_folds_give_the_mean_of_their_scores(command, rows, toy, targets):
    parts = toy.read(None)[0]
    hopeless = parts._replace(y_test=np.roll(parts.y_test, 1))
    folds = targets.Target(lambda folder: [parts, hopeless])
    command("k-mer counts", sizes=("all",), target=folds)
    row = rows()[0]
    assert (row["n_folds"], row["n_test"], row["accuracy"]) == ("2", "60", "0.5")


def test_validation_leaves_the_test_part_alone(command, rows, targets, toy):
    def read(folder):
        return [toy.read(None)[0]._replace(X_test=None, y_test=None)]

    assert command("k-mer counts", target=targets.Target(read), more=["--validation"]) == 0
    assert [(row["scored_on"], row["n_test"]) for row in rows()] == [("validation", "12")] * 2


def test_numbers_of_a_program_are_those_of_both_sides(load):
    X, y = texts(12)
    estimator = reprogrammer(output_mapping="linear").fit(X, y)
    program = estimator.program_
    # seven tokens and sixteen places of 2 x 2 numbers, a head of three classes
    n_trained = (7 + 16) * 4 + 3 * (estimator.source_.n_outputs + 1)
    n_stored = sum(own.size for side in (program.input, program.output) for own in side.values())
    count = load("_sequences_configurations").count_numbers
    assert count(estimator) == (n_trained, n_stored)
    assert n_stored > n_trained


def test_numbers_of_a_baseline_are_coefficients_and_scales(load, toy):
    configurations, X = load("_sequences_configurations"), ["AB", "BA", "AA", "BB"] * 3
    estimator = configurations.CONFIGURATIONS["k-mer counts"].make(toy, 0).fit(X, [0, 1, 0, 1] * 3)
    # A, B and their four pairs: six weights, a constant, six scales
    assert configurations.count_numbers(estimator) == (7, 13)


def test_characters_in_place_tell_apart_what_counts_do_not(load, toy):
    configurations = load("_sequences_configurations").CONFIGURATIONS
    X, y = ["ABBBBBBBA", "BBBBABBBA"] * 6, [0, 1] * 6
    estimator = configurations["characters in place"].make(toy, 0).fit(X, y)
    assert estimator.predict(["ACCCCCCCC", "CCCCACCCC"]).tolist() == [0, 1]


def test_characters_are_shown_to_a_language_model_one_by_one(load, targets, toy):
    probe = load("_sequences_configurations").CONFIGURATIONS["linear probe"]
    assert probe.shown(["ACG", ""], toy) == ["A C G", ""]
    assert probe.shown(["so it goes"], targets.Target(None, "words")) == ["so it goes"]


def test_every_target_has_a_baseline_and_none_of_another_kind(load, targets):
    configurations = load("_sequences_configurations").CONFIGURATIONS
    baselines = ("TF-IDF", "k-mer counts", "k-mer TF-IDF", "characters in place")
    found = {
        name: [line for line in baselines if configurations[line].runs_on(target, "all")]
        for name, target in targets.TARGETS.items()
    }
    assert found["SST-2"] == ["TF-IDF"]
    assert found["splice"] == list(baselines[1:])
    assert found["peptides"] == list(baselines[1:3])


def test_what_is_costly_is_not_run_with_many_rows(load, toy):
    configuration = load("_sequences_configurations").Configuration(None, most_per_class=64)
    ran = [n for n in ("16", "64", "65", "all") if configuration.runs_on(toy, n)]
    assert ran == ["16", "64"]


@pytest.mark.parametrize("n_rows, n_epochs", [(10, 15), (100, 10), (5_000, 1)])
def test_many_rows_are_shown_in_fewer_epochs(load, toy, n_rows, n_epochs):
    registry = load("_sequences_configurations")
    configuration = registry.CONFIGURATIONS["prompts"]._replace(n_shown=1_000)
    assert configuration.unfitted(toy, 0, n_rows).max_epochs == n_epochs


def run_of(name, seed, per_class, accuracy, **more):
    row = {"target": "A", "scored_on": "test", "configuration": name, "seed": str(seed)}
    row |= {"per_class": per_class, "accuracy": str(accuracy), "roc_auc": "0.75"}
    row |= {"n_trained": "1100", "n_stored": "1300", "fit_seconds": "2", "predict_seconds": "0.5"}
    n_train = "90" if per_class == "all" else str(2 * int(per_class))
    row |= {"n_train": n_train, "n_test": "40", "n_folds": "1"}
    return row | {"machine": "2 cores", "version": "1.0", **more}


RUNS = [
    run_of("probe", 0, "16", 0.5),
    run_of("probe", 1, "16", 0.7),
    run_of("probe", 0, "all", 0.8, n_trained="1200"),
    run_of("counts", 0, "4", 0.6),
]


def test_a_table_has_a_column_a_number_of_rows(load):
    tables = load("_sequences_results").make_tables(
        RUNS, {"A": ("accuracy",)}, ["counts", "probe"], "do"
    )
    lines = [line for line in tables.splitlines() if line.startswith("|")]
    assert lines[0] == (
        "| configuration | 4 | 16 | all | trained | stored | seeds | fit s | predict s |"
    )
    assert lines[2:] == [
        "| counts | 0.600 |  |  | 1,100 | 1,300 | 1 | 2.0 | 0.5 |",
        "| probe |  | 0.600 ± 0.141 | 0.800 | 1,200 | 1,300 | 2 | 2.0 | 0.5 |",
    ]


def test_every_score_of_a_target_has_its_table(load):
    tables = load("_sequences_results").make_tables(
        RUNS, {"A": ("roc_auc", "accuracy")}, ["counts"], "do"
    )
    heads = [line for line in tables.splitlines() if line.endswith(":")]
    assert heads == ["Area under the ROC curve:", "Accuracy:"]
    assert "| counts | 0.750 |" in tables


def test_validation_and_test_figures_are_never_in_one_table(load):
    runs = [*RUNS, run_of("counts", 0, "4", 0.9, scored_on="validation")]
    tables = load("_sequences_results").make_tables(runs, {"A": ("accuracy",)}, ["counts"], "do")
    assert "## A\n" in tables
    assert "## A (validation)\n" in tables
    assert tables.index("0.600") < tables.index("## A (validation)") < tables.index("0.900")


def test_scores_are_those_of_the_written_formula(load):
    chances = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    found = load("sequences").scores(np.array(list("aaab")), chances, np.array(["a", "b"]))
    assert found == {"accuracy": 1.0, "balanced_accuracy": 1.0, "roc_auc": 1.0}
    found = load("sequences").scores(np.array(list("aabb")), chances, np.array(["a", "b"]))
    assert found == {"accuracy": 0.75, "balanced_accuracy": 0.75, "roc_auc": 0.75}


def test_imbalanced_targets_show_the_area_under_the_curve_first(load):
    shown = load("sequences").scores_of(["splice", "NR-AhR"])
    assert shown == {"splice": ("accuracy",), "NR-AhR": ("roc_auc", "balanced_accuracy")}


def test_a_curve_is_in_the_order_of_training_rows(load):
    curve = load("_sequences_results").curve(RUNS[::-1], "probe", "accuracy")
    assert {n_rows: values.tolist() for n_rows, values in curve.items()} == {
        32: [0.7, 0.5],
        90: [0.8],
    }
    assert list(curve) == [32, 90]


def test_the_figure_is_drawn(load, tmp_path):
    pytest.importorskip("matplotlib")
    runs = [*RUNS, run_of("probe", 0, "4", 0.5, target="B")]
    scores = {"A": ("accuracy",), "B": ("roc_auc",)}
    path = tmp_path / "figures" / "f.png"
    load("_sequences_results").draw(runs, scores, ["probe", "counts"], path)
    image = importlib.import_module("matplotlib.image").imread(path)
    # something is drawn in colour, and the panels are side by side
    assert (image[..., 0] != image[..., 2]).any()
    assert image.shape[1] > 1.5 * image.shape[0]


@pytest.mark.parametrize("word", ["0", "-3", "every"])
def test_a_wrong_number_of_rows_is_refused(load, word, capsys):
    with pytest.raises(SystemExit):
        load("sequences").parse(["--results", "r.csv", "--per-class", word])
    assert "expected a positive whole number or 'all'" in capsys.readouterr().err
