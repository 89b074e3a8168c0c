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
from skreprogram.sources._weights import BUNDLED, sha256_of

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
    assert list_sources() == ["speech-commands", "speech-commands-attrnn"]


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="'speech-commands', 'speech-commands-attrnn'"):
        load_source("speech")


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.name)
def test_an_entry_has_what_it_needs(entry):
    assert len(entry.output_names) == len(set(entry.output_names)) == entry.n_outputs
    assert (entry.file is None) != (entry.url is None)
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
