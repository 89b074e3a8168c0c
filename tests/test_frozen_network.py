"""The loaded network: never trains, checks what comes out, gives features."""

import threading

import pytest
import torch
from torch import nn

from skreprogram.sources import SourceModel, _cache_sizes


class Staged(nn.Module):
    """A network that names its own stages."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 3)

    def stages(self, inputs):
        return inputs, 2 * inputs

    def forward(self, inputs):
        return self.linear(self.stages(inputs)[-1])


class ListOfStages(nn.Module):
    """A network whose `stages` are layers, as in some image networks."""

    def __init__(self):
        super().__init__()
        self.stages = nn.Sequential(nn.Linear(4, 6), nn.ReLU())
        self.head = nn.Linear(6, 3)

    def forward(self, inputs):
        return self.head(self.stages(inputs))


class Unused(nn.Module):
    """A layer that is never called."""

    def __init__(self):
        super().__init__()
        self.used = nn.Linear(4, 3)
        self.spare = nn.Linear(4, 3)

    def forward(self, inputs):
        return self.used(inputs)


class Asserting(nn.Linear):
    """A network that checks its inputs itself, as vision transformers do."""

    def forward(self, inputs):
        assert inputs.shape[1] == self.in_features, "wrong number of features"
        return super().forward(inputs)


class LastState(nn.Module):
    """A recurrent network."""

    def __init__(self):
        super().__init__()
        self.recurrent = nn.GRU(2, 5, batch_first=True)

    def forward(self, series):
        return self.recurrent(series)[0][:, -1]


def network_of(module, input_shape=(4,), **facts):
    return SourceModel.from_module(module, input_shape, **facts).load()


def test_it_is_no_module_so_nothing_can_register_it():
    owner = nn.Module()
    owner.source = network_of(nn.Linear(4, 3))
    assert not isinstance(owner.source, nn.Module)
    assert not list(owner.parameters()) and not owner.state_dict()


def test_dropout_and_batch_norm_never_train():
    network = network_of(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.5)).train())
    digest, inputs = network.state_digest(), torch.rand(8, 4)
    assert torch.equal(network.outputs(inputs), network.outputs(inputs))
    assert not network.is_training
    assert network.state_digest() == digest


def test_the_gradient_reaches_the_inputs_and_not_the_weights():
    network = network_of(nn.Linear(4, 3))
    inputs = torch.rand(2, 4, requires_grad=True)
    network.outputs(inputs).sum().backward()
    assert inputs.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in network._module.parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_digest_of_the_state_sees_one_changed_number(dtype):
    network = SourceModel.from_module(nn.Linear(4, 3), 4).load(dtype=dtype)
    before = network.state_digest()
    with torch.no_grad():
        network._module.bias[0] += 1
    assert network.state_digest() != before


@pytest.mark.parametrize("module", [nn.Identity(), nn.Flatten(0), nn.LSTM(4, 3)])
def test_outputs_that_are_not_one_score_per_class_are_refused(module):
    with pytest.raises(ValueError, match=r"expected a tensor of shape \(2, n_outputs\)"):
        SourceModel.from_module(module, (2, 4))


@pytest.mark.parametrize("kind", [nn.Linear, Asserting])
def test_an_input_shape_that_the_network_does_not_take_is_refused(kind):
    with pytest.raises(
        ValueError, match=r"(?s)inputs of shape \(2, 5\).*check the declared input_shape"
    ):
        SourceModel.from_module(kind(4, 3), (5,))


def test_outputs_that_are_not_finite_are_refused():
    network = network_of(nn.Linear(4, 3))
    with pytest.raises(ValueError, match="NaN or infinite"):
        network.outputs(torch.full((1, 4), torch.nan))


def test_probabilities_become_logarithms():
    module = nn.Sequential(nn.Linear(4, 3), nn.Softmax(-1))
    inputs = torch.rand(5, 4)
    outputs = network_of(module, output_kind="probabilities").outputs(inputs)
    torch.testing.assert_close(outputs, module(inputs).log())


def test_a_probability_of_zero_has_a_finite_logarithm():
    network = network_of(nn.Sequential(nn.Identity()), output_kind="probabilities")
    assert torch.isfinite(network.outputs(torch.eye(4))).all()


def test_mean_and_spread_of_the_channels_are_applied():
    facts = {"mean": (0.1, 0.2, 0.3), "std": (0.5, 1.0, 2.0)}
    network = network_of(nn.Flatten(), (3, 1, 2), **facts)
    inputs = torch.rand(4, 3, 1, 2)
    mean, std = (torch.tensor(facts[name]).reshape(3, 1, 1) for name in ("mean", "std"))
    torch.testing.assert_close(network.outputs(inputs), ((inputs - mean) / std).flatten(1))


def test_features_of_named_layers_come_in_the_given_order():
    module = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))
    inputs = torch.rand(5, 4)
    last, first = network_of(module, feature_layers=("2", "0")).features(inputs)
    assert torch.equal(first, module[0](inputs))
    assert torch.equal(last, module(inputs))


def test_features_without_names_are_what_the_last_linear_layer_gets():
    module = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))
    inputs = torch.rand(5, 4)
    (features,) = network_of(module).features(inputs)
    assert torch.equal(features, module[:2](inputs))


def test_features_of_a_network_without_linear_layer_are_its_outputs():
    (features,) = network_of(nn.Flatten(), (2, 2)).features(torch.ones(3, 2, 2))
    assert torch.equal(features, torch.ones(3, 4))


def test_a_network_that_knows_its_stages_gives_them():
    inputs, doubled = network_of(Staged(), mean=1.0).features(torch.ones(2, 4))
    assert not inputs.any() and not doubled.any()


def test_layers_that_are_called_stages_are_not_taken_for_a_function():
    (features,) = network_of(ListOfStages()).features(torch.ones(2, 4))
    assert features.shape == (2, 6)


def test_the_features_of_a_recurrent_layer_are_its_states():
    (states,) = network_of(LastState(), (7, 2), feature_layers="recurrent").features(
        torch.ones(3, 7, 2)
    )
    assert states.shape == (3, 7, 5)


def test_unknown_feature_layers_are_refused():
    with pytest.raises(ValueError, match=r"\['first'\], expected names of submodules"):
        SourceModel.from_module(nn.Sequential(nn.Linear(4, 3)), (4,), feature_layers="first")


def test_feature_layers_that_are_never_called_are_refused():
    with pytest.raises(ValueError, match="never calls"):
        network_of(Unused(), feature_layers="spare").features(torch.ones(1, 4))


@pytest.mark.parametrize("layers", [None, ("0", "2")])
def test_rows_that_outgrow_the_caches_are_run_in_parts_with_the_same_answers(layers, monkeypatch):
    sizes = []
    module = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    module[0].register_forward_hook(lambda _, given, __: sizes.append(len(given[0])))
    network = network_of(module, feature_layers=layers)
    X = torch.rand(11, 4)
    sizes.clear()
    with torch.no_grad():
        whole = network.outputs(X), *network.features(X)
        monkeypatch.setattr(_cache_sizes, "NUMBERS_AT_ONCE", 16)
        parts = network.outputs(X), *network.features(X)
    assert sizes == [11, 11, 4, 4, 3, 4, 4, 3]
    for got, expected in zip(parts, whole, strict=True):
        torch.testing.assert_close(got, expected)


def test_rows_with_a_gradient_are_run_at_once(monkeypatch):
    monkeypatch.setattr(_cache_sizes, "NUMBERS_AT_ONCE", 4)
    sizes = []
    module = nn.Linear(4, 3)
    module.register_forward_hook(lambda _, given, __: sizes.append(len(given[0])))
    network = network_of(module)
    sizes.clear()
    network.outputs(torch.rand(5, 4, requires_grad=True))
    assert sizes == [5]


def test_threads_do_not_mix_up_their_features():
    network = network_of(nn.Sequential(nn.Identity(), nn.Linear(4, 3)), feature_layers="0")
    wrong = []

    def ask(number):
        inputs = torch.full((2, 4), float(number))
        for _ in range(50):
            network.outputs(inputs + 1)
            wrong.extend([1] * (not torch.equal(network.features(inputs)[0], inputs)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_network_that_was_loaded_in_inference_mode_lets_gradients_pass():
    source = SourceModel.from_module(nn.Linear(4, 3), (4,))
    with torch.inference_mode():
        source.load()
    inputs = torch.ones(2, 4, requires_grad=True)
    source.load().outputs(inputs).sum().backward()
    assert inputs.grad.abs().sum() > 0
