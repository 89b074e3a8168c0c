"""Answers on disk: asked once, whatever becomes of the process."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from skreprogram.sources import BlackBoxSource, QueryError
from skreprogram.sources._answers import AnswerCache, content_keys


class Counter:
    """A function that counts the rows it was asked about."""

    def __init__(self, fails_at=None, error=None):
        self.calls, self.fails_at, self.error = [], fails_at, error

    def __call__(self, rows):
        if len(self.calls) == self.fails_at:
            raise self.error
        self.calls.append(len(rows))
        share = 1 / (1 + np.exp(-rows.mean(1)))
        return np.stack([share, 1 - share], 1)


def source_of(predict, folder, **facts):
    facts = {"identity": "sigmoid", "cache": folder, **facts}
    return BlackBoxSource(predict, (4,), 2, **facts)


@pytest.fixture
def cache(tmp_path):
    cache = AnswerCache(tmp_path / "answers" / "toy.sqlite3", 3)
    yield cache
    cache.close()


def test_what_was_put_is_found_and_nothing_else(cache):
    answers = np.random.RandomState(0).normal(size=(1200, 3)).astype(np.float32)
    keys = [number.to_bytes(4, "big") for number in range(1200)]
    cache.put_many(keys, answers)
    found = cache.get_many([*keys[::-1], b"unknown"])
    assert len(cache) == len(found) == 1200
    assert np.array_equal([found[key] for key in keys], answers)


def test_the_first_answer_to_a_row_stays(cache):
    cache.put_many([b"row"], np.ones((1, 3)))
    cache.put_many([b"row"], np.zeros((1, 3)))
    assert cache.get_many([b"row"])[b"row"].tolist() == [1, 1, 1]


def test_keys_tell_content_type_shape_and_meaning_apart():
    rows = np.arange(6, dtype=np.int32).reshape(1, 6)
    variants = [
        content_keys(rows, "values"),
        content_keys(rows, "levels"),
        content_keys(rows.view(np.float32), "values"),
        content_keys(rows.reshape(1, 2, 3), "values"),
        content_keys(rows + 1, "values"),
    ]
    assert len({key for (key,) in variants}) == len(variants)
    assert content_keys(rows.copy(), "values") == variants[0]


def test_a_file_that_is_no_cache_is_named(tmp_path):
    path = tmp_path / "toy.sqlite3"
    path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(ValueError, match=r"toy\.sqlite3, which cannot be read.*Delete it"):
        AnswerCache(path, 3).get_many([b"row"])


def test_a_file_that_was_damaged_later_is_named(cache):
    keys = [number.to_bytes(4, "big") for number in range(3000)]
    cache.put_many(keys, np.ones((3000, 3)))
    cache.close()
    content = bytearray(cache.path.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    cache.path.write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read.*Delete it"):
        cache.get_many(keys)


def test_an_answer_of_another_length_is_refused(cache):
    cache.put_many([b"row"], np.ones((1, 3)))
    with pytest.raises(ValueError, match="12 bytes.*expected 2 numbers of 4 bytes"):
        AnswerCache(cache.path, 2).get_many([b"row"])


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "toy.sqlite3").mkdir()
    with pytest.raises(OSError, match="unable to open.*choose another folder as cache"):
        AnswerCache(tmp_path / "toy.sqlite3", 3).put_many([b"row"], np.ones((1, 3)))


def test_two_threads_write_and_read_one_cache(cache):
    def work(number):
        for step in range(40):
            key = bytes([number, step])
            cache.put_many([key], np.full((1, 3), step))
            found.append(cache.get_many([key])[key][0] == step)

    found = []
    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache) == len(found) == 80 and all(found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("opened_before", [True, False])
def test_forked_processes_share_one_cache(cache, opened_before):
    if opened_before:
        cache.put_many([b"parent"], np.ones((1, 3)))
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                for step in range(25):
                    cache.put_many([bytes([number, step])], np.full((1, 3), number))
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    assert len(cache) == 100 + opened_before


KILLED = """
import sys, time, numpy as np, torch
from skreprogram.sources import BlackBoxSource
n_calls = 0
def predict(rows):
    global n_calls
    n_calls += 1
    if n_calls > 3:
        print("asking", flush=True)
        time.sleep(600)
    share = 1 / (1 + np.exp(-rows.mean(1)))
    return np.stack([share, 1 - share], 1)
facts = dict(identity="sigmoid", cache=sys.argv[1], max_batch=5)
source = BlackBoxSource(predict, (4,), 2, **facts)
source.load().outputs(torch.arange(160.0).reshape(40, 4).sin())
"""


def test_answers_of_a_killed_process_are_found_by_the_next_one(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "asking\n"
        os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    counter = Counter()
    inputs = torch.arange(160.0).reshape(40, 4).sin()
    outputs, n_asked = source_of(counter, tmp_path, max_batch=5).load().answers(inputs)
    assert n_asked == sum(counter.calls) == 25
    assert torch.equal(outputs, source_of(Counter(), None, max_batch=5).load().outputs(inputs))


def test_a_repeated_question_is_not_asked(tmp_path):
    counter = Counter()
    network = source_of(counter, tmp_path).load()
    first, n_first = network.answers(torch.rand(6, 4).round(decimals=1))
    assert n_first == 6
    inputs = torch.rand(5, 4)
    outputs, n_asked = network.answers(inputs)
    again, n_again = source_of(counter, tmp_path).load().answers(inputs.flip(0))
    assert (n_asked, n_again, counter.calls) == (5, 0, [6, 5])
    assert torch.equal(again.flip(0), outputs)


@pytest.mark.parametrize(("folder", "expected"), [(True, 2), (False, 4)])
def test_equal_rows_of_one_call_are_asked_once_where_answers_are_kept(tmp_path, folder, expected):
    counter = Counter()
    inputs = torch.eye(4)[[0, 1, 1, 0]]
    outputs, n_asked = source_of(counter, tmp_path if folder else None).load().answers(inputs)
    assert n_asked == sum(counter.calls) == expected
    assert torch.equal(outputs[0], outputs[3]) and torch.equal(outputs[1], outputs[2])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("levels", [None, 256])
def test_kept_answers_are_those_that_were_given_to_the_last_bit(tmp_path, dtype, levels):
    facts = {"value_range": (-1, 1), "levels": levels}
    inputs = 2 * torch.rand(9, 4, dtype=dtype) - 1
    asked = source_of(Counter(), None, **facts).load(dtype=dtype).outputs(inputs)
    network = source_of(Counter(), tmp_path, **facts).load(dtype=dtype)
    assert torch.equal(network.outputs(inputs), asked)
    kept, n_asked = network.answers(inputs)
    assert n_asked == 0 and kept.dtype == dtype and torch.equal(kept, asked)


def test_rows_that_round_alike_have_one_answer(tmp_path):
    source = source_of(Counter(), tmp_path, value_range=(0, 1), levels=2)
    inputs = torch.tensor([[0.9] * 4, [1.0] * 4, [0.1] * 4])
    assert source.load().answers(inputs)[1] == 2


@pytest.mark.parametrize("facts", [{"identity": "other"}, {"output_kind": "logits"}])
def test_another_model_has_answers_of_its_own(tmp_path, facts):
    inputs = torch.rand(3, 4)
    source_of(Counter(), tmp_path).load().outputs(inputs)
    assert source_of(Counter(), tmp_path, **facts).load().answers(inputs)[1] == 3


@pytest.mark.parametrize("error", [ConnectionError("gone"), KeyboardInterrupt()])
def test_what_was_answered_before_a_failure_is_kept(tmp_path, error):
    inputs = torch.rand(8, 4)
    with pytest.raises((QueryError, KeyboardInterrupt)) as failure:
        source_of(Counter(2, error), tmp_path, max_batch=3).load().outputs(inputs)
    assert getattr(failure.value, "n_asked", 6) == 6
    assert source_of(Counter(), tmp_path, max_batch=3).load().answers(inputs)[1] == 2


def test_the_file_lies_in_the_cache_folder_or_where_it_was_wanted(tmp_path, monkeypatch):
    monkeypatch.setenv("SKREPROGRAM_HOME", str(tmp_path))
    source = source_of(Counter(), True)
    assert source.answers_file == tmp_path / "answers" / f"{source.digest}.sqlite3"
    assert source_of(Counter(), tmp_path / "own").answers_file.parent == tmp_path / "own"
    assert source_of(Counter(), None).answers_file is None
