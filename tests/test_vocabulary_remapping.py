"""Target tokens as source tokens: hard where it counts, relaxed where it trains."""

import numpy as np
import pytest
import torch
from letter_texts import texts
from small_tasks import assert_equal_programs
from tiny_texts import text_source

import skreprogram
from skreprogram import SequenceReprogrammer
from skreprogram._input_space import InputSpace, Vocabulary
from skreprogram.mappings import LinearMapping
from skreprogram.training import Composition, Task, TrainingOptions, fit_programs, rows_of
from skreprogram.transformations import VocabularyRemapping
from skreprogram.transformations._counted_noise import gumbel_noise

X = torch.tensor([[2, 3, 1, 2], [3, 2, 0, 0], [0, 0, 0, 0]])
# the special tokens are 0 to 4; the source's token t has the embedding (t, t ** 2)
NUMBERS = torch.arange(12.0)
VOCABULARY = Vocabulary(
    torch.stack([NUMBERS, NUMBERS**2], 1), padding=0, start=1, end=2, mask=3, unknown=4
)
SPACE = InputSpace((8, 3), flexible=True, vocabulary=VOCABULARY)
TRAINED = ("weight", "bias")


def G(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(space=SPACE, **settings):
    """A remapping and a program of it whose scores lie well apart."""
    remapping = VocabularyRemapping(**{"width": 3, **settings})
    params = remapping.init(X, space, G())
    return remapping, {**params, "weight": 4 * torch.randn(params["weight"].shape, generator=G(1))}


def hard_tokens(remapping, params, X=X):
    """Numbers of the tokens that the source is shown, special ones too."""
    return remapping.apply(params, X, SPACE)[..., 0].int().tolist()


def scores_by_convolution(params, X):
    """Those of torch's convolution over one-hot tokens, without padding: (n, length, m)."""
    n_tokens = params["weight"].shape[1]
    one_hot = torch.nn.functional.one_hot(X, n_tokens).float()
    one_hot[..., 0] = 0
    kernel = params["weight"].permute(2, 1, 0)
    return torch.nn.functional.conv1d(
        one_hot.mT, kernel, params["bias"], padding=kernel.shape[-1] // 2
    ).mT


@pytest.mark.parametrize("width", [1, 3, 5])
def test_tokens_are_those_of_the_highest_score_of_a_convolution(width):
    remapping, params = drawn(width=width)
    expected = params["source_tokens"][scores_by_convolution(params, X).argmax(-1)]
    assert hard_tokens(remapping, params)[0] == [1, *expected[0].tolist(), 2]


def test_special_tokens_and_padding_stay_what_and_where_they_are():
    remapping, params = drawn()
    inputs = remapping.apply(params, X, SPACE)
    tokens, marks = inputs[..., 0].int().tolist(), inputs[..., -1].int().tolist()
    assert [tokens[0][0], tokens[0][5]] == [1, 2]
    assert [tokens[1][0], *tokens[1][3:]] == [1, 2, 0, 0]
    assert tokens[2] == [1, 2, 0, 0, 0, 0]
    assert marks == [6 * [1], 4 * [1] + 2 * [0], 2 * [1] + 4 * [0]]


def test_target_tokens_become_ordinary_tokens_of_the_source():
    seen = set()
    for seed in range(20):
        remapping, params = drawn()
        params["weight"] = torch.randn(params["weight"].shape, generator=G(seed))
        seen |= set(hard_tokens(remapping, params)[0][1:-1])
    assert seen == set(range(5, 12))


def test_a_context_of_padding_is_none_at_all():
    remapping, params = drawn(width=5)
    (short,) = hard_tokens(remapping, params, X[1:2, :2])
    (padded,) = hard_tokens(remapping, params, X[1:2])
    assert padded[: len(short)] == short


def test_the_same_token_in_another_context_may_be_another():
    remapping, params = drawn(width=3)
    row = torch.tensor([[2, 2, 2, 3, 2]])
    assert len(set(hard_tokens(remapping, params, row)[0][1:-1])) > 2
    remapping, params = drawn(width=1)
    tokens = hard_tokens(remapping, params, row)[0][1:-1]
    assert tokens[0] == tokens[1] == tokens[4]


@pytest.mark.parametrize("relaxation", ["softmax", "straight-through", "gumbel"])
def test_relaxed_tokens_are_hard_ones_as_the_temperature_falls_to_zero(relaxation):
    remapping, params = drawn(relaxation=relaxation, temperature=(1e-4, 1e-4))
    # so far apart that no noise changes the choice
    params["weight"] = 1000 * params["weight"]
    relaxed = remapping.apply(remapping.disturb(params, G()), X, SPACE)
    torch.testing.assert_close(relaxed, remapping.apply(params, X, SPACE))


def test_noisy_tokens_are_those_that_the_noise_makes_highest_as_the_temperature_falls_to_zero():
    remapping, params = drawn(temperature=(1e-5, 1e-5))
    training = remapping.disturb(params, G())
    scores = scores_by_convolution(params, X) + gumbel_noise(training["seed"], (3, 4, 7))
    relaxed = remapping.apply(training, X, SPACE)
    expected = VOCABULARY.embeddings[params["source_tokens"][scores.argmax(-1)][0]]
    torch.testing.assert_close(relaxed[0, 1:5, :2], expected, atol=1e-3, rtol=1e-4)


def test_relaxed_tokens_are_mixtures_of_embeddings():
    remapping, params = drawn(relaxation="softmax", temperature=(3.0, 1.0))
    shares = (scores_by_convolution(params, X) / 3.0).softmax(-1)
    relaxed = remapping.apply(remapping.disturb(params, G()), X, SPACE)
    expected = shares[0] @ VOCABULARY.embeddings[params["source_tokens"]]
    torch.testing.assert_close(relaxed[0, 1:5, :2], expected)
    torch.testing.assert_close(relaxed[1, [0, 3], 0], torch.tensor([1.0, 2.0]))


def test_straight_through_shows_a_token_with_the_gradient_of_the_mixture():
    gradients, shown = [], []
    for relaxation in ("straight-through", "gumbel"):
        remapping, params = drawn(relaxation=relaxation)
        params["weight"].requires_grad_()
        inputs = remapping.apply(remapping.disturb(params, G()), X, SPACE)
        inputs.sum().backward()
        gradients.append(params["weight"].grad)
        shown.append(inputs[0, 1:5, 0].detach())
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(shown[0], shown[0].round(), atol=1e-4, rtol=0)
    assert (shown[1] - shown[1].round()).abs().max() > 0.01


def test_the_temperature_falls_by_equal_steps_and_then_stays():
    remapping, params = drawn(temperature=(2.0, 0.5), anneal_epochs=3)
    seen = []
    for _ in range(5):
        params = remapping.renew(params, SPACE)
        seen.append(remapping._temperature(params).item())
    assert seen == pytest.approx([2.0, 1.5, 1.0, 0.5, 0.5])


def test_noise_has_the_distribution_of_gumbel():
    noise = gumbel_noise(torch.tensor([5]), (200, 1000)).flatten().double()
    for quantile in (0.001, 0.1, 0.5, 0.9, 0.999):
        expected = -np.log(-np.log(quantile))
        assert (noise <= expected).double().mean() == pytest.approx(quantile, abs=0.003)
    assert torch.isfinite(noise).all()


def test_noise_of_neighbours_and_of_other_seeds_is_unrelated():
    first, second = (gumbel_noise(torch.tensor([seed]), (100_000,)) for seed in (5, 6))
    pairs = [(first[1:], first[:-1]), (first, second), (first[1:], second[:-1])]
    for one, other in pairs:
        assert abs(torch.corrcoef(torch.stack([one, other]))[0, 1]) < 0.015
    assert torch.equal(first, gumbel_noise(torch.tensor([5]), (100_000,)))


@pytest.mark.parametrize("relaxation", ["gumbel", "straight-through", "softmax"])
def test_stacked_programs_show_and_learn_what_each_does_alone(relaxation):
    remapping = VocabularyRemapping(3, relaxation=relaxation, n_tokens=4)
    programs = [remapping.disturb(remapping.init(X, SPACE, G(k)), G(k)) for k in range(2)]
    stacked = {name: torch.stack([p[name] for p in programs]) for name in programs[0]}
    both = torch.stack([X, X.flip(0)])

    def total(trained, rest, rows):
        return torch.sin(remapping.apply({**rest, **trained}, rows, SPACE)).sum()

    trained = {name: stacked.pop(name) for name in TRAINED}
    gradients = torch.func.vmap(torch.func.grad(total))(trained, stacked, both)
    for k, params in enumerate(programs):
        alone = torch.func.grad(total)({n: params[n] for n in TRAINED}, params, both[k])
        for name in TRAINED:
            assert alone[name].abs().max() > 0
            torch.testing.assert_close(gradients[name][k], alone[name], atol=1e-4, rtol=1e-4)


def test_stacked_programs_at_rest_show_hard_tokens():
    remapping = VocabularyRemapping(3, n_tokens=4)
    programs = [remapping.init(X, SPACE, G(k)) for k in range(2)]
    stacked = {name: torch.stack([p[name] for p in programs]) for name in programs[0]}
    together = torch.func.vmap(lambda p: remapping.apply(p, X, SPACE))(stacked)
    for one, params in zip(together, programs, strict=True):
        assert torch.equal(one, remapping.apply(params, X, SPACE))


def test_samples_that_are_too_long_lose_their_end():
    remapping, params = drawn(width=1)
    (tokens,) = hard_tokens(remapping, params, X.repeat(1, 3)[:1])
    assert len(tokens) == 8 and tokens[-1] == 2


def test_a_source_of_numbers_is_given_numbers_of_its_first_tokens():
    space = InputSpace((6,))
    remapping, params = drawn(space, n_source_tokens=9)
    inputs = remapping.apply(params, X, space)
    expected = 1 + scores_by_convolution(params, X)[0].argmax(-1)
    assert inputs.shape == (3, 6) and inputs.dtype == torch.float32
    assert inputs[0].tolist() == [*expected.tolist(), 0, 0]
    assert (inputs[1, 2:] == 0).all() and (inputs[1, :2] > 0).all()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"width": 4}, "Got width=4 .*odd number.*Use 5"),
        ({"width": 0}, "Got width=0 .*at least 1"),
        ({"temperature": 1.0}, "Got temperature=1.0 .*two positive numbers"),
        ({"temperature": (1.0, 0.0)}, r"Got temperature=\(1.0, 0.0\)"),
        ({"anneal_epochs": 0}, "Got anneal_epochs=0"),
        ({"relaxation": "hard"}, "Got relaxation='hard' .*'straight-through'"),
        ({"n_source_tokens": 1}, "Got n_source_tokens=1 .*at least 2"),
        ({"n_tokens": 3}, "Got numbers of tokens from 0 to 3"),
        ({"space": InputSpace((3, 8, 8))}, "expected a source of text"),
        ({"space": InputSpace((6,)), "n_source_tokens": None}, "Set n_source_tokens"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        drawn(**settings)


def test_relaxed_tokens_need_embeddings():
    space = InputSpace((6,))
    remapping, params = drawn(space, n_source_tokens=9)
    with pytest.raises(ValueError, match="without embeddings.*gradient='score-function'"):
        remapping.apply(remapping.disturb(params, G()), X, space)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Handle of a tiny masked language model."""
    return text_source(tmp_path_factory.mktemp("bert"))


def reprogrammer(source, **params):
    remapping = VocabularyRemapping(3, anneal_epochs=8)
    settings = {"input_transformation": remapping, "max_epochs": 12, "lr": 0.1, "random_state": 0}
    return SequenceReprogrammer(source, **{**settings, **params})


def test_a_fit_learns_hard_tokens_that_mean_the_class(source):
    X, y = texts()
    before = source.load().state_digest()
    long = {"max_epochs": 20, "batch_size": 12, "output_mapping": "first"}
    clf, start = (reprogrammer(source, lr=lr, **long).fit(X, y) for lr in (0.3, 1e-9))
    assert clf.score(*texts(random_state=1)) > start.score(*texts(random_state=1)) + 0.25
    vectors = source.input_space.vocabulary.embeddings
    shown = torch.from_numpy(clf.reprogram(X)[..., :-1])[:, 1:5].flatten(0, 1)
    assert torch.cdist(shown.double(), vectors.double()).min(1).values.max() < 1e-4
    assert clf.program_.input["epochs"].tolist() == [20]
    assert source.load().state_digest() == before


def test_programs_in_one_stack_equal_those_trained_alone(source):
    remapping = VocabularyRemapping(3)
    composition = Composition(source.load(), source.input_space, remapping, LinearMapping())
    rng = np.random.RandomState(0)
    X, y, weight = rng.randint(1, 6, (12, 5)), np.arange(12) % 2, np.ones(12, np.float32)
    tasks = [Task(rows_of(X, labels, weight), 2, seed) for seed, labels in enumerate((y, 1 - y))]
    few = TrainingOptions(max_epochs=2, batch_size=6, lr=0.05)
    for task, program in zip(tasks, fit_programs(tasks, composition, few), strict=True):
        assert_equal_programs(program, fit_programs([task], composition, few)[0], atol=1e-4)


def test_a_saved_program_shows_the_same_tokens(source, tmp_path):
    X, y = texts()
    clf = reprogrammer(source, max_epochs=2).fit(X, y)
    clf.save(tmp_path / "program.safetensors")
    again = skreprogram.load(tmp_path / "program.safetensors", source)
    np.testing.assert_array_equal(again.reprogram(X), clf.reprogram(X))
