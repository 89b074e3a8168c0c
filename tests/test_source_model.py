"""The handle: held by reference, weights on disk, loaded once."""

import copy
import pickle
import subprocess
import sys
import threading

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from skreprogram.sources import SourceModel, load_source
from skreprogram.sources._weights import locate


class Tied(nn.Module):
    """Two layers with one weight, a recurrent layer, and a constant outside the state dict."""

    def __init__(self):
        super().__init__()
        self.recurrent = nn.LSTM(4, 4, batch_first=True, bidirectional=True)
        self.first = nn.Linear(8, 8)
        self.second = nn.Linear(8, 8)
        self.second.weight = self.first.weight
        self.register_buffer("offset", torch.arange(8.0), persistent=False)

    def forward(self, series):
        states, _ = self.recurrent(series)
        return self.second(self.first(states[:, -1])) + self.offset


class Scaled(nn.Module):
    """A network whose printout does not tell its factor."""

    def __init__(self, factor):
        super().__init__()
        self.linear = nn.Linear(4, 3)
        self.factor = factor

    def forward(self, inputs):
        return self.factor * self.linear(inputs)


class Spectral(nn.Module):
    """A constant buffer, a parameter of its own, and a layer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("bands", torch.rand(4, 4))
        self.gain = nn.Parameter(torch.arange(4.0))
        self.linear = nn.Linear(4, 3)

    def forward(self, inputs):
        return self.linear(inputs @ self.bands * self.gain)


FACTORY = """
from torch import nn
calls = []
def make():
    calls.append(1)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
"""


@pytest.fixture
def factory(tmp_path, monkeypatch):
    """A module on the path whose function builds a network, and a file of weights for it."""
    (tmp_path / "toy_factory.py").write_text(FACTORY)
    monkeypatch.syspath_prepend(tmp_path)
    import toy_factory

    toy_factory.calls.clear()
    module = toy_factory.make()
    torch.save({"state_dict": module.state_dict()}, tmp_path / "weights.pt")
    yield toy_factory, module, tmp_path / "weights.pt"
    sys.modules.pop("toy_factory")


@pytest.fixture
def source():
    return SourceModel.from_module(nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3)), (4,))


def test_copying_or_cloning_returns_the_same_handle(source):
    assert clone(source) is copy.deepcopy(source) is copy.copy(source) is source


def test_the_pickle_of_a_ten_megabyte_network_is_small():
    source = SourceModel.from_module(nn.Linear(1000, 2500), 1000)
    assert locate(source.weights).stat().st_size > 10_000_000
    assert len(pickle.dumps(source)) < 2000


def test_an_unpickled_handle_is_equal_and_gives_equal_outputs(source):
    again = pickle.loads(pickle.dumps(source))
    assert again == source
    assert hash(again) == hash(source)
    inputs = torch.rand(6, 4)
    assert torch.equal(again.load().outputs(inputs), source.load().outputs(inputs))


def test_another_process_gets_equal_outputs_from_the_pickle(source, tmp_path):
    (tmp_path / "source.pkl").write_bytes(pickle.dumps(source))
    script = (
        "import pickle, sys, torch\n"
        "source = pickle.load(open(sys.argv[1], 'rb'))\n"
        "print(source.load().outputs(torch.ones(1, 4)).tolist())"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "source.pkl")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == str(source.load().outputs(torch.ones(1, 4)).tolist())


def test_tied_weights_recurrent_layers_and_unsaved_buffers_survive():
    module = Tied().eval()
    source = pickle.loads(pickle.dumps(SourceModel.from_module(module, (6, 4))))
    inputs = torch.rand(5, 6, 4)
    assert torch.equal(source.load().outputs(inputs), module(inputs))


def test_the_module_of_the_user_is_not_touched():
    module = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.5)).train()
    before = copy.deepcopy(module.state_dict())
    SourceModel.from_module(module, (4,)).load().outputs(torch.rand(8, 4))
    assert all(part.training for part in module.modules())
    assert all(parameter.requires_grad for parameter in module.parameters())
    assert all(parameter.device.type == "cpu" for parameter in module.parameters())
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_training_the_module_of_the_user_later_does_not_change_the_source():
    module = nn.Linear(4, 3)
    source = SourceModel.from_module(module, (4,))
    expected = module(torch.ones(1, 4)).detach()
    source.load()
    with torch.no_grad():
        module.weight.zero_()
    assert torch.equal(source.load().outputs(torch.ones(1, 4)), expected)


def test_a_process_builds_a_network_once(factory):
    toy_factory, _, weights = factory
    source = SourceModel.from_factory("toy_factory:make", weights, (4,))
    toy_factory.calls.clear()
    assert source.load() is pickle.loads(pickle.dumps(source)).load()
    assert len(toy_factory.calls) == 1


def test_threads_that_load_at_once_build_a_network_once(factory):
    toy_factory, _, weights = factory
    source = SourceModel.from_factory("toy_factory:make", weights, (4,), name="threads", std=2.0)
    toy_factory.calls.clear()
    loaded = []
    threads = [threading.Thread(target=lambda: loaded.append(source.load())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(network) for network in loaded}) == len(toy_factory.calls) == 1


def test_networks_with_equal_weights_and_unlike_structure_are_not_confused():
    once = Scaled(1.0)
    twice = copy.deepcopy(once)
    twice.factor = 2.0
    sources = [SourceModel.from_module(module, (4,)) for module in (once, twice)]
    single, double = (source.load().outputs(torch.ones(1, 4)) for source in sources)
    assert sources[0] != sources[1]
    assert torch.equal(2 * single, double)


def test_the_same_module_gives_equal_handles():
    module = Scaled(1.0)
    assert SourceModel.from_module(module, (4,)) == SourceModel.from_module(module, (4,))


def test_a_saved_state_dict_with_prefixes_is_read(factory):
    _, module, weights = factory
    state = {f"module.{name}": tensor for name, tensor in module.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": state}, weights)
    source = SourceModel.from_factory("toy_factory:make", weights, (4,))
    inputs = torch.rand(5, 4)
    assert source.n_outputs == 3
    assert torch.equal(source.load().outputs(inputs), module(inputs))


def test_a_state_dict_in_the_old_format_of_torch_is_read(factory):
    _, module, weights = factory
    torch.save(module.state_dict(), weights, _use_new_zipfile_serialization=False)
    source = SourceModel.from_factory("toy_factory:make", weights, (4,))
    assert torch.equal(source.load().outputs(torch.ones(1, 4)), module(torch.ones(1, 4)))


def test_a_file_that_would_run_code_is_refused(factory):
    _, module, weights = factory
    torch.save(module, weights)
    with pytest.raises(ValueError, match="cannot be read as weights"):
        SourceModel.from_factory("toy_factory:make", weights, (4,))


def test_weights_of_another_architecture_are_refused(factory):
    _, _, weights = factory
    torch.save(nn.Linear(2, 2).state_dict(), weights)
    with pytest.raises(ValueError, match="do not fit the network Sequential"):
        SourceModel.from_factory("toy_factory:make", weights, (4,))


@pytest.mark.parametrize("damage", ["changed", "cut"])
def test_damaged_weights_are_refused(damage):
    source = SourceModel.from_module(nn.Linear(7, 3), (7,))
    path = locate(source.weights)
    whole = path.read_bytes()
    damaged = whole[:-4] if damage == "cut" else whole[:-1] + bytes([whole[-1] ^ 1])
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="was changed or cut"):
        source.load()


def test_missing_weights_are_an_error_that_names_the_file():
    source = SourceModel.from_module(nn.Linear(7, 4), (7,))
    locate(source.weights).unlink()
    with pytest.raises(FileNotFoundError, match=locate(source.weights).name):
        source.load()


def test_loading_leaves_the_random_numbers_of_torch_alone(factory):
    _, _, weights = factory
    source = SourceModel.from_factory("toy_factory:make", weights, (4,))
    before = torch.get_rng_state()
    source.load(dtype=torch.float64)
    source.with_random_weights(3)
    SourceModel.from_module(nn.Flatten(), (2, 2))
    assert torch.equal(torch.get_rng_state(), before)


def test_random_weights_are_other_weights_and_the_same_for_the_same_seed():
    source = SourceModel.from_module(Spectral(), (4,), name="spectral")
    first, again, other = (source.with_random_weights(seed) for seed in (0, 0, 1))
    assert first.digest == again.digest
    assert len({source.digest, first.digest, other.digest}) == 3
    assert first.name == "spectral, random weights 0"


def test_random_weights_keep_constants_and_leave_no_parameter_as_trained():
    module = Spectral()
    untrained = SourceModel.from_module(module, (4,)).with_random_weights()._build().state_dict()
    assert torch.equal(untrained["bands"], module.bands)
    assert not torch.equal(untrained["gain"], module.gain)
    assert not torch.equal(untrained["linear.weight"], module.linear.weight)


def test_the_hash_of_joblib_is_stable(source):
    hashes = {joblib.hash(copy.deepcopy(source)), joblib.hash(pickle.loads(pickle.dumps(source)))}
    assert hashes == {joblib.hash(source)}


def test_double_precision_runs_in_double_precision(source):
    outputs = source.load(dtype=torch.float64).outputs(torch.rand(2, 4, dtype=torch.float64))
    assert outputs.dtype == torch.float64


def test_facts_given_as_lists_and_arrays_become_tuples():
    facts = {"mean": np.zeros(4), "std": [1.0] * 4, "value_range": [0, 1], "feature_layers": "0"}
    source = SourceModel.from_module(nn.Sequential(nn.Linear(4, 2)), [4], **facts)
    assert source.mean == (0.0, 0.0, 0.0, 0.0)
    assert source.feature_layers == ("0",)
    assert source.load() is source.load()


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"input_shape": (0,)}, "positive whole numbers"),
        ({"value_range": (1, 0)}, "lowest and the highest"),
        ({"output_kind": "scores"}, "expected one of"),
        ({"mean": (0.0, 0.0)}, "expected 1 or 4"),
        ({"std": 0.0}, "expected positive numbers"),
        ({"output_names": ("one",)}, "one name per output"),
    ],
)
def test_facts_that_cannot_be_are_refused(facts, words):
    with pytest.raises(ValueError, match=words):
        SourceModel.from_module(nn.Linear(4, 3), **{"input_shape": (4,), **facts})


def test_anything_but_a_module_is_refused():
    with pytest.raises(TypeError, match=r"expected a torch\.nn\.Module"):
        SourceModel.from_module("resnet", (4,))


def test_an_untrained_deep_network_still_answers_images_differently():
    source = load_source("imagenet-efficientnet-lite0", input_shape=(3, 32, 32))
    network = source.with_random_weights().load()
    images = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    outputs = network.outputs(images * torch.linspace(0, 1, 8)[:, None, None, None])
    # without statistics of its own the signal dies on the way, and all outputs are alike
    assert outputs.std(0).mean() > 0.01
