"""Reading the UCR/UEA archive."""

import csv
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from skreprogram.datasets import load_ucr

CHECKED = ("Beef", "Chinatown", "OSULeaf")
GOOD = "1\t0.5\t0.25\t-1\n-1\t1e-3\t2\t3\n"
TWO_CHANNELS = """@problemName Toy
@timeStamps false
@missing false
@univariate false
@dimensions 2
@equalLength true
@seriesLength 3
@classLabel true up down
@data
1.0,2.0,3.0:4.0,5.0,6.0:up
0.0,1.0,0.0:1.0,0.0,1.0:down
"""


@pytest.fixture
def shared_data():
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not (folder / "ucr_development.tar.xz").is_file():
        pytest.skip("the development data are not on this machine")
    return folder


@pytest.fixture
def development_archive(tmp_path, shared_data):
    with tarfile.open(shared_data / "ucr_development.tar.xz") as archive:
        wanted = [m for m in archive.getmembers() if Path(m.name).parent.name in CHECKED]
        archive.extractall(tmp_path, wanted, filter="data")
    return next(tmp_path.glob("**/OSULeaf")).parent


@pytest.fixture
def archive(tmp_path):
    """Write a data set ``Toy`` and give back its archive; `test` may be another text."""

    def write(train, test=None, suffix=".tsv"):
        folder = tmp_path / "Toy"
        folder.mkdir()
        (folder / f"Toy_TRAIN{suffix}").write_text(train)
        (folder / f"Toy_TEST{suffix}").write_text(train if test is None else test)
        return tmp_path

    return write


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    def refuse(name, extract_path):
        raise RuntimeError("no route to host")

    monkeypatch.setenv("SKREPROGRAM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("sktime.datasets.load_UCR_UEA_dataset", refuse)
    return tmp_path / "home"


def test_values_of_a_tsv_file_are_read_exactly(archive):
    X, _ = load_ucr("Toy", split="train", path=archive(GOOD))
    np.testing.assert_array_equal(X, [[0.5, 0.25, -1], [1e-3, 2, 3]])


def test_series_are_float64_even_if_written_as_integers(archive):
    X, _ = load_ucr("Toy", split="train", path=archive("1\t1\t2\n2\t3\t4\n"))
    assert X.dtype == np.float64


def test_labels_of_a_tsv_file_stay_the_integers_that_they_are(archive):
    _, y = load_ucr("Toy", split="train", path=archive(GOOD))
    assert y.dtype == np.int64
    assert y.tolist() == [1, -1]


def test_archive_may_be_in_its_own_folder(archive, tmp_path):
    path = archive(GOOD).rename(tmp_path.with_name("UCRArchive_2018"))
    X, _ = load_ucr("Toy", split="test", path=path.parent)
    assert X.shape == (2, 3)


def test_several_channels_of_a_ts_file_give_three_dimensions(archive):
    X, _ = load_ucr("Toy", split="train", path=archive(TWO_CHANNELS, suffix=".ts"))
    np.testing.assert_array_equal(X[0], [[1, 2, 3], [4, 5, 6]])


def test_labels_of_a_ts_file_stay_the_strings_that_they_are(archive):
    _, y = load_ucr("Toy", split="train", path=archive(TWO_CHANNELS, suffix=".ts"))
    assert y.tolist() == ["up", "down"]


@pytest.mark.parametrize(
    ("name", "train", "test"),
    [
        ("UnitTest", (20, 24), (22, 24)),
        ("ItalyPowerDemand", (67, 24), (1029, 24)),
        ("BasicMotions", (40, 6, 100), (40, 6, 100)),
    ],
)
def test_bundled_sets_need_no_network(no_network, name, train, test):
    X_train, y_train, X_test, y_test = load_ucr(name)
    assert (X_train.shape, y_train.shape) == (train, train[:1])
    assert (X_test.shape, y_test.shape) == (test, test[:1])


def test_bundled_and_archive_series_agree(development_archive):
    from_archive, from_sktime = load_ucr("OSULeaf", path=development_archive), load_ucr("OSULeaf")
    np.testing.assert_allclose(from_archive[0], from_sktime[0], atol=1e-6)
    np.testing.assert_array_equal(from_archive[1].astype(str), from_sktime[1])


@pytest.mark.parametrize(
    ("name", "n_series", "shape"), [("JapaneseVowels", 270, (12, 20)), ("PLAID", 537, (500,))]
)
def test_series_of_unequal_lengths_are_a_list(no_network, name, n_series, shape):
    X, y = load_ucr(name, split="train")
    assert (len(X), len(y), X[0].shape) == (n_series, n_series, shape)
    assert not any(np.isnan(series).any() for series in X)


def test_nan_padding_of_a_tsv_file_is_cut_off(archive):
    X, _ = load_ucr("Toy", split="train", path=archive("1\t0.5\t0.25\n2\t1.5\tNaN\n"))
    assert [series.tolist() for series in X] == [[0.5, 0.25], [1.5]]


@pytest.mark.parametrize("row", ["2\tNaN\t1.5", "2\tNaN\tNaN"])
def test_other_missing_values_are_refused(archive, row):
    with pytest.raises(ValueError, match="NaN.* in 1 of 2 series, expected them at the end"):
        load_ucr("Toy", path=archive(f"1\t0.5\t0.25\n{row}\n"))


@pytest.mark.parametrize("text", ["", "\n", GOOD[:-5], "1\t0.5\tx\n", "1\n2\n"])
def test_damaged_tsv_file_is_refused(archive, text):
    with pytest.raises(ValueError, match="Got '.*Toy_TRAIN.tsv'.*[Uu]npack"):
        load_ucr("Toy", path=archive(text))


def test_ts_file_cut_short_is_refused(archive):
    with pytest.raises(ValueError, match="Got '.*Toy_TRAIN.ts', which sktime cannot read"):
        load_ucr("Toy", path=archive(TWO_CHANNELS[:-20], suffix=".ts"))


def test_labels_that_are_no_classes_are_refused(archive):
    with pytest.raises(ValueError, match="label 0.5, but expected whole numbers"):
        load_ucr("Toy", path=archive("1\t2\t3\n0.5\t2\t3\n"))


def test_training_and_test_series_must_have_one_length(archive):
    with pytest.raises(ValueError, match=r"training series of shape \(3,\) .* \(2,\)"):
        load_ucr("Toy", path=archive(GOOD, test="1\t2\t3\n"))


def test_missing_part_is_named(archive):
    path = archive(GOOD)
    (path / "Toy" / "Toy_TEST.tsv").unlink()
    with pytest.raises(FileNotFoundError, match="Toy_TEST.tsv or Toy_TEST.ts"):
        load_ucr("Toy", path=path)


def test_misspelt_name_lists_near_ones(archive):
    with pytest.raises(ValueError, match="Near names: Toy."):
        load_ucr("toys", path=archive(GOOD))


def test_path_that_is_no_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected the folder of an archive"):
        load_ucr("Toy", path=tmp_path / "nowhere")


def test_name_must_not_lead_elsewhere():
    with pytest.raises(ValueError, match="expected a plain name"):
        load_ucr("../GunPoint")


def test_unknown_split_is_refused():
    with pytest.raises(ValueError, match="Got split='valid'"):
        load_ucr("GunPoint", split="valid")


def test_offline_error_says_what_to_do(no_network):
    with pytest.raises(ConnectionError, match="no route to host.*path="):
        load_ucr("Coffee")


def test_failed_download_leaves_nothing_behind(no_network):
    with pytest.raises(ConnectionError):
        load_ucr("Coffee")
    assert list((no_network / "datasets").iterdir()) == []


def test_download_false_does_not_try(no_network):
    with pytest.raises(FileNotFoundError, match="Near names: GunPoint.* Use download=True"):
        load_ucr("GunPoints", download=False)


def test_downloaded_set_is_kept(monkeypatch, no_network):
    calls = []

    def deliver(name, extract_path):
        calls.append(name)
        Path(extract_path, name).mkdir()
        for part in ("TRAIN", "TEST"):
            Path(extract_path, name, f"{name}_{part}.ts").write_text(TWO_CHANNELS)

    monkeypatch.setattr("sktime.datasets.load_UCR_UEA_dataset", deliver)
    for _ in range(2):
        assert load_ucr("Toy", split="train")[0].shape == (2, 2, 3)
    assert calls == ["Toy"]


def test_importing_the_reader_does_not_import_sktime():
    code = "import sys, skreprogram.datasets; sys.exit('sktime' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_sizes_equal_the_index(development_archive, shared_data):
    with open(shared_data / "ucr_index.csv") as file:
        index = {row["name"]: row for row in csv.DictReader(file)}
    for name in CHECKED:
        X_train, y_train, X_test, _ = load_ucr(name, path=development_archive)
        sizes = len(X_train), len(X_test), X_train.shape[1], len(np.unique(y_train))
        expected = tuple(int(index[name][k]) for k in ("train", "test", "length", "classes"))
        assert sizes == expected, name


def test_both_parts_are_read_in_one_format():
    # sktime has the training part of ArrowHead as .tsv too, with whole numbers as labels
    _, y_train, _, y_test = load_ucr("ArrowHead", download=False)
    assert y_train.dtype.kind == y_test.dtype.kind
