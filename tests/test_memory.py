"""A grid search in two processes neither ships nor copies a source of 100 MB."""

import ctypes
import gc
import os
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from joblib.externals.loky.backend import queues
from safetensors.torch import save_file
from sklearn.model_selection import GridSearchCV
from toys import HeavyNetwork, blobs, table_source

from skreprogram import ReprogrammingClassifier
from skreprogram.sources import SourceModel

MEGABYTE = 1e6
ROLLUP = Path(f"/proc/{os.getpid()}/smaps_rollup")
GRID = {"lr": [0.01, 0.03, 0.1, 0.3]}


def shares_of_memory():
    """Bytes of this process and its children, shared pages counted once."""
    own = Path(f"/proc/{os.getpid()}/task")
    pids = [os.getpid()]
    for thread in own.iterdir():
        pids += map(int, (thread / "children").read_text().split())
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has ended
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


class Watch(threading.Thread):
    """Note the peak of the memory while a block runs."""

    def __enter__(self):
        self.over = threading.Event()
        self.peak = 0
        self.start()
        return self

    def run(self):
        while not self.over.wait(0.05):
            self.peak = max(self.peak, shares_of_memory())

    def __exit__(self, *error):
        self.over.set()
        self.join()


def search(source):
    """Twelve fits in two processes; their scores."""
    clf = ReprogrammingClassifier(source, max_epochs=3, random_state=0)
    results = GridSearchCV(clf, GRID, cv=3, n_jobs=2, refit=False).fit(*blobs()).cv_results_
    return np.stack([results[f"split{i}_test_score"] for i in range(3)])


@pytest.fixture(scope="module")
def heavy(tmp_path_factory):
    """A source of 100 MB, and the file in which its factory notes who called it."""
    folder = tmp_path_factory.mktemp("heavy")
    weights, log = folder / "weights.safetensors", folder / "calls.txt"
    network = HeavyNetwork()
    torch.nn.init.zeros_(network.ballast)
    save_file(network.state_dict(), weights)
    factory = {"factory_options": {"log": str(log)}}
    return SourceModel.from_factory("toys:heavy_network", weights, (8,), **factory), log


@pytest.fixture(scope="module")
def bytes_sent(heavy):
    """Run the search with a small source and then with the heavy one; what was pickled."""
    sent = []  # joblib sends quick fits together, so there may be fewer parcels than fits

    def counting(obj, *args, **kwargs):
        buffer = pickled(obj, *args, **kwargs)
        sent.append(memoryview(buffer).nbytes)
        return buffer

    source, log = heavy
    pickled = queues.dumps
    with pytest.MonkeyPatch.context() as patch:
        search(table_source())
        light = 0
        if ROLLUP.exists():
            # what earlier tests left in this process must not be given back while it is watched
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)
            light = shares_of_memory()
        log.unlink()
        patch.setattr(queues, "dumps", counting)
        if not ROLLUP.exists():
            return sent, search(source), None
        with Watch() as watch:
            scores = search(source)
    return sent, scores, watch.peak - light


def test_twelve_fits_pickle_less_than_a_megabyte_in_all(bytes_sent):
    sent, scores, _ = bytes_sent
    assert scores.size == 12 and np.isfinite(scores).all()
    assert 0 < sum(sent) < MEGABYTE


def test_every_worker_loads_the_source_once(heavy, bytes_sent):
    _, log = heavy
    loads = Counter(log.read_text().split())
    assert 1 <= len(loads) <= 2
    assert set(loads.values()) == {1}


@pytest.mark.skipif(not ROLLUP.exists(), reason="only Linux tells the share of each process")
def test_the_processes_together_hold_one_more_copy_at_most(bytes_sent):
    *_, growth = bytes_sent
    assert 50 * MEGABYTE < growth < 150 * MEGABYTE


@pytest.mark.skipif(not ROLLUP.exists(), reason="only Linux tells the share of each process")
def test_memory_that_is_taken_is_seen():
    before = shares_of_memory()
    with Watch() as watch:
        taken = np.ones(int(100 * MEGABYTE), np.uint8)
        deadline = time.monotonic() + 10
        while watch.peak < before + taken.nbytes / 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert watch.peak > before + taken.nbytes / 2
