"""Source models by their names in timm and torchvision."""

import importlib
import pickle
import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import nn

from skreprogram.sources import DownloadError, as_source, load_source
from skreprogram.sources._hubs import load_from_hub
from skreprogram.sources._weights import locate


def importable(name):
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError):
        pytest.skip(f"no {name} that fits this torch")


@pytest.fixture
def torchvision(monkeypatch, tmp_path):
    """What is used of torchvision, with one network of two classes."""
    monkeypatch.setenv("SKREPROGRAM_HOME", str(tmp_path))
    built = []

    def get_model(name, weights):
        built.append(weights)
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))

    def get_model_weights(name):
        if name != "tiny":
            raise ValueError(f"Unknown model {name}")
        return SimpleNamespace(DEFAULT=weights)

    preset = SimpleNamespace(crop_size=[8], mean=[0.4, 0.5, 0.6], std=[0.2, 0.2, 0.3])
    weights = SimpleNamespace(transforms=lambda: preset, meta={"categories": ["cat", "dog"]})
    package = ModuleType("torchvision")
    package.models = SimpleNamespace(get_model=get_model, get_model_weights=get_model_weights)
    package.weights, package.built = weights, built
    monkeypatch.setitem(sys.modules, "torchvision", package)
    return package


def test_the_facts_come_from_what_the_package_declares(torchvision):
    source = as_source("torchvision:tiny", (1, 8, 8))
    assert (source.name, source.input_shape, source.n_outputs) == ("torchvision:tiny", (3, 8, 8), 2)
    assert (source.mean, source.std) == ((0.4, 0.5, 0.6), (0.2, 0.2, 0.3))
    assert (source.value_range, source.output_names) == ((0.0, 1.0), ("cat", "dog"))
    assert torchvision.built == [torchvision.weights]


def test_a_network_is_made_once_in_a_process(torchvision):
    assert load_source("torchvision:tiny") is load_source("torchvision:tiny")
    other = load_source("torchvision:tiny", input_shape=(3, 6, 6))
    assert other.input_shape == (3, 6, 6) and other.name == "torchvision:tiny (3, 6, 6)"
    assert len(torchvision.built) == 2


def test_a_network_whose_weights_were_deleted_is_made_again(torchvision):
    source = load_source("torchvision:tiny")
    locate(source.weights).unlink()
    assert load_source("torchvision:tiny").load().outputs(torch.rand(2, 3, 8, 8)).shape == (2, 2)


def test_an_input_shape_that_the_network_does_not_take_is_refused(torchvision):
    with pytest.raises(ValueError, match="check the declared input_shape"):
        load_source("torchvision:tiny", input_shape=(3, 8, 8, 2, 2))


def test_an_unknown_name_is_answered_with_where_names_are_listed(torchvision):
    with pytest.raises(ValueError, match=r"Unknown model huge.*torchvision\.models\.list_models"):
        load_source("torchvision:huge")


def test_a_failed_download_is_an_error_of_downloading(torchvision, monkeypatch):
    def fail(name, weights):
        raise ConnectionError("no network")

    monkeypatch.setattr(torchvision.models, "get_model", fail)
    with pytest.raises(DownloadError, match="no network.*torchvision:tiny"):
        load_source("torchvision:tiny")


def test_without_permission_to_download_nothing_is_imported(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(DownloadError, match="Got download=False for 'timm:resnet18'"):
        load_source("timm:resnet18", download=False)


@pytest.mark.parametrize("hub", ["timm", "torchvision"])
def test_without_the_package_the_message_names_it(hub, monkeypatch):
    monkeypatch.setitem(sys.modules, hub, None)
    with pytest.raises(ImportError, match=f"Run `pip install {hub}`"):
        as_source(f"{hub}:resnet18", (3, 32, 32))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "flexible", "first"),
    [
        ("timm:resnet18", True, "tench, Tinca tinca"),
        ("timm:vit_tiny_patch16_224", False, "tench, Tinca tinca"),
        ("torchvision:resnet18", False, "tench"),
    ],
)
def test_a_network_of_the_real_package(name, flexible, first, monkeypatch, tmp_path):
    importable(name.partition(":")[0])
    monkeypatch.setenv("SKREPROGRAM_HOME", str(tmp_path))
    source = load_from_hub(name, pretrained=False)
    assert (source.input_shape, source.n_outputs) == ((3, 224, 224), 1000)
    assert (source.flexible, source.output_names[0]) == (flexible, first)
    assert source.mean[0] in (0.485, 0.5) and source.std[0] in (0.229, 0.5)
    assert pickle.loads(pickle.dumps(source)) == source
    images = torch.rand(2, 3, 224, 224)
    mean, std = (torch.tensor(fact).reshape(3, 1, 1) for fact in (source.mean, source.std))
    expected = source._build().eval()((images - mean) / std)
    torch.testing.assert_close(source.load().outputs(images), expected, rtol=1e-3, atol=1e-4)
