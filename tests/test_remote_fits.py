"""Whole fits over HTTP around real servers, which survive what servers and lines do."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from faulty_proxy import COUNTED_AS, drawn, faulty_proxy
from serving import SERVERS, ServerProcess, digits_forest, needs_server
from whole_fits import X, Y, assert_same_program, classifier, here, kill_a_fit, n_kept, there

pytest.importorskip("httpx")

pytestmark = [needs_server, pytest.mark.slow]

FOREST = digits_forest()


@pytest.fixture(scope="module", params=SERVERS)
def server(request, tmp_path_factory):
    """A running server of the digits forest."""
    folder = tmp_path_factory.mktemp(request.param)
    with ServerProcess(request.param, folder, {"digits": FOREST}) as server:
        yield server


@pytest.fixture(scope="module")
def undisturbed():
    """The same fit around the same forest in this process."""
    return classifier(here(FOREST)).fit(X, Y)


def in_the_background(clf):
    """A fit under way, as a future."""
    pool = ThreadPoolExecutor(1)
    fitting = pool.submit(clf.fit, X, Y)
    pool.shutdown(wait=False)
    return fitting


def kill_server_in_a_fit(server, source, n_requests=60):
    """Begin a fit, and end the server as a crash would once it was asked so often."""
    fitting = in_the_background(classifier(source, warm_start=True))
    while source.predict.n_requests < n_requests:
        assert not fitting.done()
        time.sleep(0.001)
    server.kill()
    return fitting


def test_a_fit_over_http_is_the_fit_in_this_process(server, undisturbed):
    source = there(server.url)
    clf = classifier(source).fit(X, Y)
    assert clf.n_queries_ == undisturbed.n_queries_
    assert (source.predict.n_retries, source.predict.faults) == (0, {})
    assert_same_program(clf, undisturbed)


def test_a_server_that_is_killed_and_started_again_in_a_fit_leaves_no_trace(server, undisturbed):
    # a busy machine takes a minute to start the server again
    source = there(server.url, retries=11)
    fitting = kill_server_in_a_fit(server, source)
    assert not fitting.done()
    server.start()
    clf = fitting.result()
    assert clf.n_queries_ == undisturbed.n_queries_ and clf.stopped_by_ is None
    assert source.predict.n_retries == sum(source.predict.faults.values()) >= 1
    assert_same_program(clf, undisturbed)


def test_a_line_that_spoils_a_fifth_of_the_answers_leaves_no_trace(server, undisturbed):
    with faulty_proxy(server.url, drawn(0.2, seed=0)) as proxy:
        source = there(proxy.url, backoff=0.001)
        clf = classifier(source).fit(X, Y)
        done = {COUNTED_AS[kind]: count for kind, count in proxy.done.items() if kind}
    assert source.predict.faults == done
    assert source.predict.n_retries == sum(done.values()) > 30
    assert clf.n_queries_ == undisturbed.n_queries_
    assert_same_program(clf, undisturbed)


def test_a_killed_process_asks_the_server_only_what_is_missing(server, undisturbed, tmp_path):
    source = there(server.url, cache=tmp_path / "killed")
    n_left = kill_a_fit(source, 4, 200, "there", server.url)
    whole = there(server.url, cache=tmp_path / "whole")
    classifier(whole).fit(X, Y)
    resumed = classifier(source).fit(X, Y)
    assert 0 < resumed.n_queries_ == n_kept(whole) - n_left < n_kept(whole)
    assert_same_program(resumed, undisturbed)


@pytest.mark.filterwarnings("ignore:The training ended early")
def test_a_server_that_is_gone_for_good_leaves_a_program_to_go_on_from(server):
    source = there(server.url, retries=1, backoff=0.001)
    fitting = kill_server_in_a_fit(server, source)
    clf = fitting.result()
    assert "RemoteError" in clf.stopped_by_
    best = min(row["train_loss"] for row in clf.history_)
    server.start()
    assert np.isfinite(clf.predict_proba(X)).all()
    clf.fit(X, Y)
    assert clf.stopped_by_ is None
    assert clf.history_[0]["train_loss"] < best + 0.2


@pytest.mark.filterwarnings("ignore:The training ended early")
def test_a_fit_left_by_its_server_ends_undisturbed_when_it_is_repeated(
    server, undisturbed, tmp_path
):
    source = there(server.url, retries=1, backoff=0.001, cache=tmp_path)
    fitting = kill_server_in_a_fit(server, source)
    fitting.result()
    n_left = n_kept(source)
    server.start()
    repeated = classifier(source).fit(X, Y)
    assert repeated.n_queries_ == n_kept(source) - n_left > 0
    assert_same_program(repeated, undisturbed)
