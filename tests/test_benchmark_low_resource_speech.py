"""The benchmark of low-resource speech keeps speakers apart, resumes, and counts right."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile
from toys import SoundNetwork, seeded

from skreprogram.sources import SourceModel

RATE = 8_000
SPEAKERS = ("ann", "bob", "cem", "dan", "eve", "fay")


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmarks, which are scripts and no package."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return importlib.import_module


@pytest.fixture
def folder(tmp_path):
    """Two digits of six speakers, three recordings each: rising and falling tones."""
    (tmp_path / "recordings").mkdir()
    times = np.arange(RATE // 4) / RATE
    for digit, speaker, number in np.ndindex(2, len(SPEAKERS), 3):
        glide = 800 * times * (1 - 2 * digit) + 900 + 40 * speaker + 7 * number
        samples = (9_000 * np.sin(2 * np.pi * glide * times)).astype(np.int16)
        path = tmp_path / "recordings" / f"{digit}_{SPEAKERS[speaker]}_{number}.wav"
        wavfile.write(path, RATE, samples)
    return tmp_path


@pytest.fixture
def command(load, folder, monkeypatch):
    """Run the command line in this process; gives its return code and the rows."""
    configurations = load("_low_resource_speech_configurations")
    network, facts = seeded(SoundNetwork), {"value_range": (-1, 1)}
    source = SourceModel.from_module(network, (16_000,), **facts)
    monkeypatch.setattr(configurations, "load_source", lambda name: source)
    monkeypatch.setattr(configurations, "N_STEPS", 1)

    def run(*words, names=("mapping alone", "cepstra")):
        results = folder / "rows.csv"
        files = ["--data", folder, "--results", results, "--table", folder / "table.md"]
        chosen = ["--configurations", *names, "--clips", 1, 2, "--targets", "digits"]
        code = load("low_resource_speech").main([str(word) for word in [*chosen, *files, *words]])
        return code, load("_low_resource_speech_results").RESULTS.read(results)

    return run


def test_every_speaker_is_tested_by_one_seed_and_trains_in_none_of_it(load, folder):
    data = load("_low_resource_speech_data")
    clips, tested = data.read(folder), []
    for seed in range(3):
        train, test = data.split(clips, 2, seed)
        assert not set(train.speaker) & set(test.speaker)
        assert np.bincount(train.y).tolist() == [2, 2] and len(test.y) == 12
        tested += sorted(set(test.speaker))
    assert tuple(tested) == SPEAKERS


def test_validation_leaves_the_test_speakers_alone(load, folder):
    data = load("_low_resource_speech_data")
    clips = data.read(folder)
    train, test = data.split(clips, 4, 0, validated=True)
    assert set(test.speaker) == {"fay"}
    assert set(train.speaker) == {"cem", "dan", "eve"}


def test_few_clips_are_among_more(load, folder):
    data = load("_low_resource_speech_data")
    clips = data.read(folder)
    few, more = ({row.tobytes() for row in data.split(clips, n, 1)[0].X} for n in (2, 5))
    assert few < more


def test_a_clip_lies_in_the_middle_of_a_second_and_backwards_is_its_mirror(load, folder):
    data = load("_low_resource_speech_data")
    clips = data.read(folder)
    assert clips.X.shape == (36, 16_000)
    assert np.abs(clips.X).max(1) == pytest.approx(1)
    assert not clips.X[:, :6_000].any() and not clips.X[:, -6_000:].any()
    mirrored = data.backwards(clips)
    assert np.array_equal(mirrored.X[:, ::-1], clips.X)
    assert np.array_equal(mirrored.y, clips.y)


def test_a_run_writes_a_row_for_each_configuration_and_resumes(command, folder):
    names = ("program and fine-tuning", "fine-tuning")
    code, before = command("--seeds", 0, names=names)
    assert code == 0
    assert [(row["configuration"], row["clips"]) for row in before] == [
        ("program and fine-tuning", "1"),
        ("fine-tuning", "1"),
        ("program and fine-tuning", "2"),
        ("fine-tuning", "2"),
    ]
    code, after = command("--seeds", 0, 1, "--figure", folder / "figure.png", names=names)
    assert code == 0 and after[:4] == before and len(after) == 8
    assert "program and fine-tuning - fine-tuning" in (folder / "table.md").read_text("utf-8")
    assert (folder / "figure.png").stat().st_size > 1_000


def test_the_hits_of_a_row_are_its_accuracy(load, command):
    _, rows = command("--seeds", 0, names=("cepstra",))
    of_hits = load("_low_resource_speech_results").of_hits
    found = [of_hits(row).mean() for row in rows]
    assert found == pytest.approx([float(row["accuracy"]) for row in rows], abs=1e-6)
    assert len(of_hits(rows[0])) == 12


def test_hits_are_read_as_they_were_written(load):
    results = load("_low_resource_speech_results")
    right = np.random.RandomState(0).rand(13) < 0.5
    row = {"hits": results.as_hits(right), "n_test": "13"}
    assert np.array_equal(results.of_hits(row), right)


def test_a_comparison_counts_what_only_one_has_right(load):
    results = load("_low_resource_speech_results")
    right = {"first": np.arange(10) > 1, "second": np.arange(10) < 2}
    rows = [
        {"configuration": name, "seed": "0", "clips": "5", "n_test": "10"}
        | {"hits": results.as_hits(own)}
        for name, own in right.items()
    ]
    found = results.compare(rows, "first", "second", 5)
    assert (found["won"], found["lost"]) == (8, 2)
    # ten fair coins: two heads or fewer, or two tails or fewer
    assert found["p"] == pytest.approx(2 * (1 + 10 + 45) / 2**10)
    assert found["differences"] == pytest.approx([0.6])
    assert results.compare(rows, "first", "third", 5) is None


def test_steps_are_alike_for_few_and_many_clips(load, monkeypatch):
    configurations = load("_low_resource_speech_configurations")
    monkeypatch.setattr(configurations, "N_STEPS", 20)
    assert [configurations.epochs(n) for n in (10, 50, 200)] == [20, 10, 3]


def test_a_run_that_fails_is_reported_and_not_written_down(load, command, monkeypatch):
    def broken(seed, n_clips):
        raise RuntimeError("no such thing")

    made = load("_low_resource_speech_configurations").CONFIGURATIONS
    monkeypatch.setitem(made, "probe", broken)
    code, rows = command("--seeds", 0, names=("probe", "cepstra"))
    assert code == 1
    assert {row["configuration"] for row in rows} == {"cepstra"}
