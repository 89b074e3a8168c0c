"""The targets of the benchmark of sequences are what they say."""

import importlib
import os
from pathlib import Path

import numpy as np
import pytest

SHARED = Path(os.environ.get("SKREPROGRAM_SHARED", Path(__file__).parents[2] / "shared"))
DATA = SHARED / "data"
needs_data = pytest.mark.skipif(
    not (DATA / "amp").is_dir(), reason=f"Got no data in {DATA}, expected the shared folder."
)


@pytest.fixture
def targets(monkeypatch):
    """The module of the targets; the benchmarks are scripts and no package."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return importlib.import_module("_sequences_targets")


@pytest.fixture
def parts(targets):
    """60 texts of three classes, in turn."""
    return targets.Parts([f"text {i}" for i in range(60)], np.arange(60) % 3, [], np.array([]))


def test_texts_with_two_labels_are_left_out_and_others_are_kept_once(targets):
    X, y = targets.once([("AC ", "1"), ("GT", "0"), ("AC", " 1"), ("TT", "0"), ("TT", "1")])
    assert X == ["AC", "GT"]
    assert y.tolist() == ["1", "0"]


def test_smaller_training_parts_lie_within_larger_ones(targets, parts):
    few, more = (targets.reduced(parts, size, seed=3) for size in ("4", "8"))
    assert np.unique(few.y_train, return_counts=True)[1].tolist() == [4, 4, 4]
    assert set(few.X_train) < set(more.X_train)
    assert set(targets.reduced(parts, "4", seed=4).X_train) != set(few.X_train)
    labels = dict(zip(parts.X_train, parts.y_train, strict=True))
    assert [labels[text] for text in few.X_train] == few.y_train.tolist()


def test_all_rows_are_cut_a_class(targets):
    y = np.repeat(["a", "b"], [1_500, 300])
    parts = targets.Parts([str(i) for i in range(1_800)], y, [], y[:0])
    cut = targets.reduced(parts, "all", seed=0)
    assert np.unique(cut.y_train, return_counts=True)[1].tolist() == [1_000, 300]


def test_a_number_of_rows_that_no_class_exceeds_is_no_reduction(targets, parts):
    found = [size for size in ("16", "20", "64", "all") if targets.is_reduction(parts, size)]
    assert found == ["16", "all"]


SIZES = {
    "SST-2": ("0", "1"),
    "TREC": tuple("012345"),
    "splice": ("EI", "IE", "N"),
    "promoters": ("+", "-"),
    "peptides": ("0", "1"),
    "SR-MMP": ("0", "1"),
    "NR-AhR": ("0", "1"),
}


@needs_data
@pytest.mark.parametrize("name", SIZES)
def test_targets_have_their_classes_and_no_text_is_in_both_parts(targets, name):
    for parts in targets.load(name, DATA):
        assert not set(parts.X_train) & set(parts.X_test)
        assert len(set(parts.X_train)) == len(parts.X_train) == len(parts.y_train)
        assert len(parts.X_test) == len(parts.y_test) <= 500
        assert set(parts.y_train) == set(parts.y_test) == set(SIZES[name])


@needs_data
def test_a_text_has_the_label_of_its_file(targets):
    parts = targets.load("splice", DATA)[0]
    labels = dict(zip(parts.X_train + parts.X_test, [*parts.y_train, *parts.y_test], strict=True))
    assert labels["CCAGCTGCATCACAGGAGGCCAGCGAGCAGGTCTGTTCCAAGGGCCTTCGAGCCAGTCTG"] == "EI"
    assert {len(text) for text in labels} == {60}


@needs_data
def test_folds_of_promoters_test_every_row_once(targets):
    folds = targets.load("promoters", DATA)
    tested = [text for parts in folds for text in parts.X_test]
    assert len(folds) == 5
    assert len(tested) == len(set(tested)) == 106


@needs_data
def test_the_split_of_a_target_is_fixed(targets):
    one, other = (targets.load("peptides", DATA)[0] for _ in range(2))
    assert one.X_test == other.X_test
    assert one.X_train == other.X_train
