"""The gradient of choices from queries: unbiased, and fits that ask for nothing else."""

from itertools import product

import numpy as np
import pytest
import torch
from letter_texts import texts
from sklearn.base import clone
from tiny_texts import text_source
from toys import blobs, table_source

from skreprogram import ReprogrammingClassifier, SequenceReprogrammer
from skreprogram._input_space import InputSpace
from skreprogram.gradients import Draws, Gradient, ScoreFunction
from skreprogram.losses import CrossEntropy
from skreprogram.mappings import FirstMapping
from skreprogram.sources import BlackBoxSource
from skreprogram.training import Composition
from skreprogram.training._drawing import DrawingObjective
from skreprogram.training._objective import flat
from skreprogram.transformations import VocabularyRemapping

BASELINES = ["leave-one-out", "moving-average", "none"]
# what each of the three tokens costs, in double precision
COSTS = torch.tensor([0.3, 2.0, 0.7], dtype=torch.float64)
PROGRAM = torch.tensor([0.2, -0.4, 0.9], dtype=torch.float64)


def exact_gradient():
    """Of the expected cost of a token drawn from softmax(program)."""
    program = PROGRAM.clone().requires_grad_()
    (program.softmax(0) @ COSTS).backward()
    return program.grad


class Chosen:
    """An objective of one row whose draws are prescribed, and cost so much more."""

    def __init__(self, tokens, more=0.0):
        self.tokens = torch.tensor(tokens)
        self.more = more

    def draws(self, program, n_draws, generator):
        log_probs = program.log_softmax(0)[self.tokens]
        return Draws(COSTS[self.tokens][:, None] + self.more, log_probs[:, None], torch.ones(1))


def expected_step(gradient, state):
    """Mean of a step's gradient over everything that can be drawn."""
    total = torch.zeros_like(PROGRAM)
    for tokens in product(range(3), repeat=gradient.n_draws):
        probability = PROGRAM.softmax(0)[list(tokens)].prod()
        step = gradient.step(PROGRAM, Chosen(tokens), dict(state), None)
        total += probability * step.gradient
    return total


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("n_draws", [2, 3])
def test_the_gradient_is_unbiased_whatever_the_baseline(baseline, n_draws):
    gradient = ScoreFunction(n_draws, baseline)
    state = gradient.begin(PROGRAM, None)
    torch.testing.assert_close(expected_step(gradient, state), exact_gradient())
    gradient.step(PROGRAM, Chosen([1] * n_draws), state, None)
    torch.testing.assert_close(expected_step(gradient, state), exact_gradient())


def spread(baseline, more):
    """Mean squared distance of steps of two draws from the exact gradient."""
    gradient, total = ScoreFunction(2, baseline), 0.0
    state = {"n_steps": 1, "average": (PROGRAM.softmax(0) @ COSTS).item() + more}
    for tokens in product(range(3), repeat=2):
        step = gradient.step(PROGRAM, Chosen(tokens, more), dict(state), None)
        off = (step.gradient - exact_gradient()).square().sum()
        total += PROGRAM.softmax(0)[list(tokens)].prod() * off
    return total.item()


def test_baselines_keep_what_all_losses_share_out_of_the_noise():
    for baseline in ("leave-one-out", "moving-average"):
        assert spread(baseline, 10.0) == pytest.approx(spread(baseline, 0.0), rel=1e-6)
        assert spread(baseline, 10.0) < spread("none", 10.0) / 20


def test_the_moving_average_follows_the_losses():
    gradient = ScoreFunction(1, "moving-average", decay=0.75)
    state = gradient.begin(PROGRAM, None)
    for token in (1, 0):
        gradient.step(PROGRAM, Chosen([token]), state, None)
    assert state == {"n_steps": 2, "average": pytest.approx(0.75 * 2.0 + 0.25 * 0.3)}


def test_the_loss_of_a_step_is_that_of_its_draws():
    step = ScoreFunction(2).step(PROGRAM, Chosen([0, 1]), {"n_steps": 0, "average": 0.0}, None)
    assert step.loss.item() == pytest.approx(1.15)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"n_draws": 1}, "Got n_draws=1 .*at least 2"),
        ({"n_draws": 0, "baseline": "none"}, "Got n_draws=0 .*at least 1"),
        ({"baseline": "mean"}, "Got baseline='mean'"),
        ({"decay": 1.0}, "Got decay=1.0 .*below 1"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        ScoreFunction(**wrong).begin(PROGRAM, None)


def test_it_is_found_by_its_name_and_cloned():
    assert isinstance(Gradient.resolve("score-function"), ScoreFunction)
    assert clone(ScoreFunction(7)).get_params() == ScoreFunction(7).get_params()


def answers(numbers):
    """Probabilities of two classes for rows of two tokens from 1 to 3, a different one each."""
    first, second = numbers[:, 0], numbers[:, 1]
    share = (0.05 + 0.25 * first + 0.04 * second) * (first > 0)
    return np.stack([share, 1 - share], 1)


def toy_objective():
    """Three source tokens, two places, two rows of unlike weight: (objective, its program)."""
    space, X = InputSpace((2,)), torch.tensor([[2, 3], [3, 2]])
    source = BlackBoxSource(answers, (2,), n_outputs=2)
    remapping, mapping = VocabularyRemapping(1, n_source_tokens=3), FirstMapping()
    composition = Composition(source.load(dtype=torch.float64), space, remapping, mapping)
    theta = {
        name: 4 * tensor.double() if tensor.is_floating_point() else tensor
        for name, tensor in remapping.init(X, space, torch.Generator().manual_seed(0)).items()
    }
    omega = mapping.init(torch.zeros(1, 2, dtype=torch.float64), 2, torch.Generator())
    model = composition.model([(theta, omega)])
    batch = X, torch.tensor([0, 1]), torch.tensor([1.0, 3.0], dtype=torch.float64)
    return DrawingObjective(model, CrossEntropy(), batch), flat(model.theta)


def exact_loss(program):
    """Expected loss of the toy, by going through all texts, with its gradient."""
    bias, weight = program[:3], program[3:].reshape(4, 3)
    log_p = (weight + bias).log_softmax(-1)
    total = 0.0
    for tokens, label, share in (((2, 3), 0, 0.25), ((3, 2), 1, 0.75)):
        for one, two in product(range(3), repeat=2):
            answer = torch.from_numpy(answers(np.array([[one + 1, two + 1]]))[0])
            probability = (log_p[tokens[0], one] + log_p[tokens[1], two]).exp()
            total = total - share * probability * answer[label].log()
    return total


def test_the_gradient_of_a_remapping_is_that_of_going_through_all_texts():
    objective, program = toy_objective()
    gradient, generator = ScoreFunction(20_000), torch.Generator().manual_seed(0)
    step = gradient.step(program, objective, gradient.begin(program, generator), generator)
    wanted = program.clone().requires_grad_()
    expected = exact_loss(wanted)
    expected.backward()
    assert step.loss.item() == pytest.approx(expected.item(), abs=0.01)
    torch.testing.assert_close(step.gradient, wanted.grad, atol=0.01, rtol=0)
    assert wanted.grad.abs().max() > 0.05


def test_draws_are_as_frequent_as_their_probabilities_say():
    objective, program = toy_objective()
    drawn = objective.draws(program, 20_000, torch.Generator().manual_seed(1))
    for row in range(2):
        values, counts = drawn.log_probs[:, row].detach().unique(return_counts=True)
        shares = counts / counts.sum()
        torch.testing.assert_close(shares.double(), values.exp(), atol=0.012, rtol=0)


def first_letters(numbers):
    """A model of token numbers: which of three groups most tokens belong to."""
    present = numbers > 0
    groups = [((numbers % 3 == k) & present).sum(1) for k in range(3)]
    counts = np.stack(groups, 1) + 0.5
    return counts / counts.sum(1, keepdims=True)


def black_box():
    return BlackBoxSource(first_letters, (12,), n_outputs=3)


def reprogrammer(source, **params):
    settings = {
        "input_transformation": VocabularyRemapping(1, n_source_tokens=6),
        "output_mapping": "first",
        "max_epochs": 15,
        "batch_size": 12,
        "lr": 0.2,
        "random_state": 0,
    }
    return SequenceReprogrammer(source, **{**settings, **params})


def test_a_black_box_that_reads_tokens_is_reprogrammed_by_answers_alone():
    X, y = texts()
    clf = reprogrammer(black_box()).fit(X, y)
    start = reprogrammer(black_box(), max_epochs=1, lr=1e-9).fit(X, y)
    X_test, y_test = texts(random_state=1)
    assert clf.score(X_test, y_test) > 0.9 > start.score(X_test, y_test) + 0.2


def test_every_query_is_announced_and_counted():
    X, y = texts()
    clf = reprogrammer(black_box(), gradient=ScoreFunction(3), max_epochs=2).fit(X, y)
    # one row for the mapping, then three draws of every row in every epoch
    assert clf.n_queries_ == 1 + 2 * 3 * len(X)
    short = reprogrammer(black_box(), max_queries=100, max_epochs=2).fit(X, y)
    assert short.n_queries_ == 1 + 2 * 4 * 12 and short.stopped_by_ == "max_queries"


@pytest.mark.filterwarnings("ignore:The training ended early")
def test_a_mapping_that_trains_or_counts_learns_from_the_same_draws(tmp_path):
    X, y = texts()
    source = text_source(tmp_path)
    for mapping in ("linear", "iterative"):
        clf = reprogrammer(
            source, gradient="score-function", output_mapping=mapping, max_epochs=8
        ).fit(X, y)
        rest = reprogrammer(
            source, gradient="score-function", output_mapping=mapping, max_epochs=1, lr=1e-9
        ).fit(X, y)
        losses = [fitted.history_[-1]["train_loss"] for fitted in (clf, rest)]
        assert losses[0] < 0.95 * losses[1]


def test_the_same_seed_draws_the_same():
    X, y = texts()
    first, again = (reprogrammer(black_box(), max_epochs=2).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(first.program_.input["weight"], again.program_.input["weight"])


def test_a_transformation_that_chooses_nothing_is_refused():
    X, y = blobs()
    clf = ReprogrammingClassifier(table_source(), gradient="score-function")
    with pytest.raises(ValueError, match="chooses nothing that could be drawn"):
        clf.fit(X, y)
