"""The black box as a handle, and what it is asked."""

import copy
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from toys import table_source

from skreprogram.sources import BlackBoxSource, QueryError, SourceModel
from skreprogram.sources._black_box_network import BlackBoxNetwork


def thirds(rows):
    """Three probabilities of a row: which third of the range its mean lies in, softly."""
    means = rows.reshape(len(rows), -1).mean(1)
    scores = -20 * (means[:, None] - np.array([1 / 6, 1 / 2, 5 / 6])) ** 2
    return np.exp(scores) / np.exp(scores).sum(1, keepdims=True)


def others(rows):
    """Like `thirds`, the classes in reverse."""
    return thirds(rows)[:, ::-1]


class Recorder:
    """A function that notes what it was asked, and answers as `thirds`."""

    def __init__(self):
        self.asked = []

    def __call__(self, rows):
        self.asked.append(rows)
        return thirds(rows)


@pytest.fixture
def source():
    return BlackBoxSource(thirds, (4,), 3, value_range=(0, 1))


def test_copying_or_cloning_returns_the_same_handle(source):
    assert clone(source) is copy.deepcopy(source) is copy.copy(source) is source


def test_the_handle_cannot_be_changed(source):
    with pytest.raises(AttributeError):
        source.levels = 256


def test_an_unpickled_handle_is_equal_and_answers_alike(source):
    again = pickle.loads(pickle.dumps(source))
    assert again == source and hash(again) == hash(source)
    inputs = torch.rand(6, 4)
    assert torch.equal(again.load().outputs(inputs), source.load().outputs(inputs))


def test_handles_of_one_function_with_equal_facts_are_equal(source):
    assert BlackBoxSource(thirds, 4, 3, value_range=[0, 1]) == source
    assert BlackBoxSource(thirds, (4,), 3) != source
    assert BlackBoxSource(others, (4,), 3, value_range=(0, 1)) != source


def test_both_handles_say_whether_gradients_pass_through(source):
    assert (source.differentiable, SourceModel.differentiable) == (False, True)
    network = table_source()
    assert (network.cost_per_query, network.levels) == (0.0, None)


def test_a_function_that_cannot_be_pickled_has_an_identity_of_its_own():
    first, second = (BlackBoxSource(lambda rows: rows, (2,), 2) for _ in range(2))
    assert first != second and first.digest != second.digest
    assert first == clone(first)


def test_a_given_identity_names_the_answers_of_any_function():
    facts = {"identity": "moderation API, version 3"}
    first, second = (BlackBoxSource(lambda rows: rows, (2,), 2, **facts) for _ in range(2))
    assert first == second
    assert BlackBoxSource(thirds, (2,), 2, identity="version 4").digest != first.digest
    assert BlackBoxSource(thirds, (2,), 2, output_kind="logits", **facts).digest != first.digest


def test_a_script_that_runs_again_has_the_same_digest_until_its_function_changes(tmp_path):
    text = "def predict(rows):\n    return rows[:, :2]{}\n"
    said = "print(BlackBoxSource(predict, (4,), 2, output_kind='logits').digest, flush=True)\n"
    start = "from skreprogram.sources import BlackBoxSource\n"
    (tmp_path / "a.py").write_text(start + text.format("") + said)
    (tmp_path / "b.py").write_text(start + text.format("") + said + text.format(" * 2") + said)
    runs = [
        subprocess.Popen([sys.executable, tmp_path / name], stdout=subprocess.PIPE, text=True)
        for name in ("a.py", "b.py")
    ]
    (first,), (second, other) = (run.communicate()[0].split() for run in runs)
    assert first == second != other


def test_a_joblib_worker_knows_a_local_function_by_its_digest():
    source = BlackBoxSource(lambda rows: thirds(rows), (4,), 3)
    (digest,) = joblib.Parallel(2)([joblib.delayed(getattr)(source, "digest")])
    assert digest == source.digest


def test_the_function_gets_at_most_so_many_rows_of_the_estimators_type():
    recorder = Recorder()
    source = BlackBoxSource(recorder, (1, 2, 2), 3, max_batch=4, identity="recorder")
    inputs = torch.rand(10, 1, 2, 2, dtype=torch.float64)
    outputs, n_asked = source.load("cpu", torch.float64).answers(inputs)
    assert [rows.shape for rows in recorder.asked] == [(4, 1, 2, 2), (4, 1, 2, 2), (2, 1, 2, 2)]
    assert all(rows.dtype == np.float64 for rows in recorder.asked)
    assert n_asked == 10
    np.testing.assert_allclose(outputs.exp(), thirds(inputs.numpy()), rtol=1e-12)


def test_outputs_have_no_graph_and_the_type_of_the_inputs(source):
    inputs = torch.rand(3, 4, dtype=torch.float64, requires_grad=True)
    outputs = source.load("cpu", torch.float32).outputs(inputs)
    assert outputs.dtype == torch.float64 and not outputs.requires_grad


def test_no_rows_are_no_query():
    recorder = Recorder()
    outputs, n_asked = BlackBoxSource(recorder, (4,), 3).load().answers(torch.empty(0, 4))
    assert (outputs.shape, n_asked, recorder.asked) == ((0, 3), 0, [])


def test_a_function_that_writes_into_its_rows_does_not_reach_the_inputs():
    def careless(rows):
        rows += 1
        return thirds(rows)

    inputs = torch.rand(3, 4)
    before = inputs.clone()
    BlackBoxSource(careless, (4,), 3).load().outputs(inputs)
    assert torch.equal(inputs, before)


def test_the_function_gets_values_of_the_declared_levels():
    recorder = Recorder()
    source = BlackBoxSource(recorder, (4,), 3, value_range=(-1, 1), levels=5)
    source.load().outputs(torch.tensor([[-1.0, -0.3, 0.2, 0.9], [2.0, -2.0, 0.3, 0.0]]))
    assert recorder.asked[0].tolist() == [[-1, -0.5, 0, 1], [1, -1, 0.5, 0]]


def test_inputs_that_round_alike_are_answered_alike():
    source = BlackBoxSource(thirds, (4,), 3, value_range=(0, 1), levels=256)
    pixels = torch.randint(0, 256, (5, 4)) / 255
    jitter = (torch.rand(5, 4) - 0.5) * 0.9 / 255
    network = source.load()
    assert torch.equal(network.outputs(pixels), network.outputs(pixels + jitter))


def test_a_flexible_source_takes_other_last_axes():
    source = BlackBoxSource(thirds, (1, 4, 4), 3, flexible=True)
    assert source.load().outputs(torch.rand(2, 1, 6, 5)).shape == (2, 3)
    assert source.input_space.flexible


@pytest.mark.parametrize(
    ("flexible", "shape"), [(False, (2, 1, 6, 5)), (True, (2, 6, 5)), (False, (2, 16))]
)
def test_inputs_of_another_shape_are_refused(flexible, shape):
    source = BlackBoxSource(thirds, (1, 4, 4), 3, flexible=flexible)
    with pytest.raises(ValueError, match=r"expected \(n, 1, 4, 4\)"):
        source.load().outputs(torch.rand(shape))


@pytest.mark.parametrize("levels", [None, 256])
def test_nan_is_not_asked(levels):
    recorder = Recorder()
    source = BlackBoxSource(recorder, (4,), 3, value_range=(0, 1), levels=levels)
    with pytest.raises(ValueError, match="NaN or infinite inputs.*smaller learning rate"):
        source.load().outputs(torch.full((2, 4), torch.nan))
    assert not recorder.asked


def test_an_error_of_the_function_becomes_a_query_error():
    calls = []

    def failing(rows):
        calls.append(rows)
        if len(calls) == 3:
            raise ConnectionError("the server went away")
        return thirds(rows)

    source = BlackBoxSource(failing, (4,), 3, max_batch=2, name="API")
    with pytest.raises(QueryError, match="server went away.*'API'.*shape \\(2, 4\\)") as failure:
        source.load().outputs(torch.rand(8, 4))
    assert isinstance(failure.value.__cause__, ConnectionError)
    assert failure.value.n_asked == 4


def test_an_answer_of_another_kind_says_how_many_were_answered_before():
    def shrinking(rows):
        return thirds(rows) if rows.sum() else thirds(rows)[:1]

    inputs = torch.cat([torch.ones(3, 4), torch.zeros(3, 4)])
    with pytest.raises(QueryError, match=r"shape \(1, 3\).*expected shape \(3, 3\)") as failure:
        BlackBoxSource(shrinking, (4,), 3, max_batch=3).load().outputs(inputs)
    assert failure.value.n_asked == 3


def test_a_keyboard_interrupt_passes_through():
    def interrupted(rows):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        BlackBoxSource(interrupted, (4,), 3).load().outputs(torch.rand(1, 4))


def test_the_network_offers_what_training_asks_of_one(source):
    network = source.load("cpu", torch.float32)
    assert isinstance(network, BlackBoxNetwork)
    assert network.with_precision("full") is network
    assert network.state_digest() == source.digest
    assert (network.shares_frames, network.is_training) == (False, False)


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda source: source.load().with_precision("bf16"), "precision='bf16'.*expected 'full'"),
        (lambda source: source.load(dtype=torch.float16), "float16.*expected float32 or float64"),
        (lambda source: source.load().features(torch.rand(1, 4)), "shows no features.*'linear'"),
    ],
    ids=["bf16", "half", "features"],
)
def test_what_a_black_box_cannot_do_is_refused(source, use, words):
    with pytest.raises(ValueError, match=words):
        use(source)


WRONG = {
    "levels without range": ({"levels": 256}, "levels=256 with value_range=None"),
    "endless": ({"levels": 256, "value_range": (0, np.inf)}, "expected a finite range"),
    "one level": ({"levels": 1, "value_range": (0, 1)}, "levels=1.*at least 2"),
    "range upside down": ({"value_range": (1, 0)}, "lowest and the highest"),
    "unknown kind": ({"output_kind": "scores"}, "expected one of .'probabilities', 'logits'"),
    "names": ({"output_names": ["a", "b"]}, "2 output_names for a source with 3 outputs"),
    "no rows": ({"max_batch": 0}, "max_batch=0.*at least 1"),
    "cost": ({"cost_per_query": -1}, "cost_per_query=-1.*at least 0"),
    "free shape": ({"input_shape": (-1, 4)}, "positive whole numbers"),
    "no outputs": ({"n_outputs": 0}, "n_outputs=0.*at least 1"),
    "one label": ({"n_outputs": 1, "output_kind": "labels"}, "n_outputs=1.*at least 2"),
}


@pytest.mark.parametrize(("facts", "words"), WRONG.values(), ids=WRONG)
def test_facts_that_cannot_be_are_refused(facts, words):
    with pytest.raises(ValueError, match=words):
        BlackBoxSource(thirds, **{"input_shape": (4,), "n_outputs": 3, **facts})
