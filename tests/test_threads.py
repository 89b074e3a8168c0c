"""Batches side by side in threads."""

import threading

import numpy as np
import pytest
import torch
from toys import SoundNetwork

from skreprogram import TimeSeriesReprogrammer
from skreprogram.datasets import make_tones
from skreprogram.sources import SourceModel, load_source
from skreprogram.training._threads import in_threads

X, Y = make_tones(n_samples=24, length=40, n_classes=2, random_state=0)


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_results_keep_the_order_of_the_items():
    meeting = threading.Barrier(2, timeout=30)

    def double(item):
        meeting.wait()  # passes only where two run at a time
        return 2 * item

    assert list(in_threads(double, range(40), 2)) == list(range(0, 80, 2))


def test_an_error_in_a_thread_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda item: 1 / item, [1, 0, 1], 2))


def test_a_thread_has_one_of_torchs_threads_and_the_caller_keeps_its_own(two_threads):
    assert set(in_threads(lambda _: torch.get_num_threads(), range(4), 2)) == {1}
    assert torch.get_num_threads() == 2


def test_new_threads_begin_with_the_number_of_before(two_threads):
    list(in_threads(abs, range(4), 2))
    found = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert found == [2]


def test_who_stops_early_leaves_no_thread_behind():
    before = threading.active_count()
    results = in_threads(abs, range(1_000), 2)
    next(results)
    results.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("effort", ["default", "best"])
def test_probabilities_do_not_depend_on_the_number_of_threads(effort, two_threads):
    many = TimeSeriesReprogrammer(effort=effort).fit(X, Y).predict_proba(X)
    torch.set_num_threads(1)
    one = TimeSeriesReprogrammer(effort=effort).fit(X, Y).predict_proba(X)
    np.testing.assert_allclose(many, one, atol=1e-4)


def test_modules_of_strangers_stay_in_one_thread():
    own = SourceModel.from_module(SoundNetwork(), (16_000,), sampling_rate=16_000.0)
    assert not own.load().runs_in_threads
    assert load_source("speech-commands").load().runs_in_threads
