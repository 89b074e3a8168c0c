"""Where training runs, and what it prints."""

import pytest
import torch
from small_tasks import composition, options, task
from toys import table_source

from skreprogram.mappings import FeaturesMapping, LinearMapping
from skreprogram.training import fit_programs, load_network
from skreprogram.transformations import TilingTransformation


@pytest.fixture
def without_gpu(monkeypatch):
    """As on a machine without a GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize("device", ["auto", "cpu", torch.device("cpu")])
def test_without_a_gpu_everything_runs_on_the_processor(device, without_gpu):
    _, place = load_network(table_source(), device, "float64")
    assert place == torch.device("cpu")


@pytest.mark.parametrize("device", ["cuda", "cuda:3"])
def test_a_gpu_that_is_not_there_is_refused(device, without_gpu):
    with pytest.raises(ValueError, match=f"Got device='{device}'.*Use device='auto' or 'cpu'"):
        load_network(table_source(), device, "float32")


@pytest.mark.parametrize("device", ["gpu", 1.5, None])
def test_what_is_no_device_is_refused(device):
    with pytest.raises(ValueError, match="Got device=.*expected 'auto'"):
        load_network(table_source(), device, "float32")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_network_has_the_precision_that_was_asked_for(dtype):
    network, place = load_network(table_source(), "cpu", dtype)
    inputs = torch.zeros(2, 8, dtype=getattr(torch, dtype), device=place)
    assert network.outputs(inputs).dtype == getattr(torch, dtype)


@pytest.mark.parametrize("n_valid", [0, 8])
def test_a_bar_shows_the_epochs_and_their_losses(n_valid, capsys):
    patience = 9 if n_valid else None
    chosen = options(verbose=1, max_epochs=3, patience=patience)
    fit_programs([task(n_valid=n_valid)], composition(LinearMapping()), chosen)
    shown = capsys.readouterr()
    assert "training the program: 100%" in shown.err and "3/3" in shown.err
    assert "train_loss=" in shown.err and ("valid_loss=" in shown.err) == bool(n_valid)
    assert shown.out == ""


def test_a_bar_shows_how_far_the_source_has_come(capsys):
    composed = composition(FeaturesMapping(), TilingTransformation(program=False))
    fit_programs([task()], composed, options(verbose=1))
    assert "running the source: 100%" in capsys.readouterr().err


def test_training_is_silent_by_default(capsys):
    fit_programs([task()], composition(LinearMapping()), options())
    assert capsys.readouterr() == ("", "")
