"""A remote model behind a server that fails: spoilt answers, retries, patience and its end."""

import logging
import os
import random
import signal
import socket
import threading
import time
from email.utils import formatdate
from types import SimpleNamespace

import numpy as np
import pytest
from faulty_proxy import COUNTED_AS, KINDS, drawn, faulty_proxy
from protocol_server import protocol_server, remote_model, softmax

from skreprogram.sources._remote_faults import Fault, RemoteError, check_status, seconds_to_wait

pytest.importorskip("httpx")

ROWS = np.random.RandomState(0).normal(size=(50, 4)).astype(np.float32)
QUICK = {"backoff": 0.001, "timeout": 2.0}


@pytest.fixture
def server():
    with protocol_server() as server:
        yield server


def endless(kind):
    while True:
        yield kind


def counted(proxy):
    """What the proxy did, in the words of the client."""
    return {COUNTED_AS[kind]: count for kind, count in proxy.done.items() if kind}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_spoilt_answer_is_asked_for_again_and_counted(server, kind, binary):
    with faulty_proxy(server.url, [kind]) as proxy:
        with remote_model(proxy, **QUICK, binary=binary) as remote:
            np.testing.assert_array_equal(remote(ROWS), softmax(ROWS))
            assert remote.faults == {COUNTED_AS[kind]: 1}
            assert remote.n_retries == 1


@pytest.mark.parametrize("binary", [False, True])
def test_with_a_fifth_of_the_answers_spoilt_the_same_answers_come_out(server, binary):
    with faulty_proxy(server.url, drawn(0.2, seed=0)) as proxy:
        with remote_model(proxy, **QUICK, binary=binary, max_batch=1) as remote:
            for _ in range(2):
                np.testing.assert_array_equal(remote(ROWS), softmax(ROWS))
            assert remote.faults == counted(proxy)
            assert remote.n_retries == sum(counted(proxy).values()) > 10
            # 100 rows, what was asked again, and what the server says of the model
            assert remote.n_requests == 100 + remote.n_retries + 1


def test_an_answer_of_another_shape_is_asked_for_again():
    calls = []

    def first_too_long(rows):
        calls.append(rows)
        return softmax(np.repeat(rows, 2 if len(calls) == 1 else 1, axis=0))

    with protocol_server(first_too_long) as server, remote_model(server, **QUICK) as remote:
        np.testing.assert_array_equal(remote(ROWS), softmax(ROWS))
        assert remote.faults == {"shape": 1}


def test_an_answer_that_drips_is_given_up_in_time():
    """Each piece comes within the timeout, but the whole does not."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip():
            connection, _ = listening.accept()
            connection.recv(1 << 16)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            try:
                while True:
                    connection.sendall(b" ")
                    time.sleep(0.05)
            except OSError:
                connection.close()

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        dripping = SimpleNamespace(url=f"http://127.0.0.1:{listening.getsockname()[1]}")
        with remote_model(dripping, timeout=0.3, retries=0) as remote:
            with pytest.raises(RemoteError, match="an answer that takes longer than 0.3 s"):
                remote(ROWS)


def test_a_server_that_stays_broken_is_left_with_a_sentence(server):
    with faulty_proxy(server.url, endless("500")) as proxy:
        with remote_model(proxy, **QUICK, retries=3) as remote:
            with pytest.raises(RemoteError) as caught:
                remote(ROWS)
    assert proxy.done["500"] == 4
    assert str(caught.value).startswith(f"Got no usable answer from {proxy.url}/v2/models/shares")
    assert "in 4 tries and" in str(caught.value)
    assert ": 4 x status 500 (Internal Server Error). Expected a whole" in str(caught.value)


def test_a_server_that_never_comes_is_left_after_the_retries():
    nobody = SimpleNamespace(url=f"http://127.0.0.1:{free_port()}")
    with remote_model(nobody, retries=4, backoff=0.1) as remote:
        began = time.monotonic()
        with pytest.raises(RemoteError, match="5 x connection.*See whether the server runs"):
            remote(ROWS)
        # 0.1 + 0.2 + 0.4 + 0.8 s, each cut by up to a half
        assert 0.7 < time.monotonic() - began < 5
        assert remote.faults == {"connection": 5}


def test_a_server_that_comes_late_is_met():
    port = free_port()
    nobody = SimpleNamespace(url=f"http://127.0.0.1:{port}")
    with remote_model(nobody, backoff=0.2) as remote:
        answers = []
        asking = threading.Thread(target=lambda: answers.append(remote(ROWS)))
        asking.start()
        time.sleep(0.3)
        with protocol_server(port=port):
            asking.join()
    np.testing.assert_array_equal(answers[0], softmax(ROWS))


def test_all_connections_wait_as_long_as_the_server_asks(server):
    # answers take longer than a busy machine needs to read the refusal
    with faulty_proxy(server.url, ["429"], retry_after=1, delay=0.2) as proxy:
        with remote_model(proxy, **QUICK, max_batch=5, n_connections=2) as remote:
            np.testing.assert_array_equal(remote(ROWS), softmax(ROWS))
    early = [moment for moment in proxy.times if moment - proxy.times[0] < 0.9]
    assert len(proxy.times) == 11
    assert len(early) <= 3  # the refused one, and what was already on its way


def test_a_wish_to_wait_for_an_hour_ends_the_call(server):
    with faulty_proxy(server.url, ["429"], retry_after=3600) as proxy:
        with remote_model(proxy, **QUICK) as remote:
            with pytest.raises(RemoteError, match="the wish to wait 3600 s, expected at most 600"):
                remote(ROWS)


def test_when_one_request_fails_the_others_are_not_sent(server):
    with faulty_proxy(server.url, endless("500")) as proxy:
        with remote_model(proxy, **QUICK, retries=0, max_batch=1, n_connections=2) as remote:
            with pytest.raises(RemoteError):
                remote(ROWS)
    assert proxy.done["500"] < 20


@pytest.fixture
def heard_interrupts():
    """Interrupts are heard: a shell lets what it starts in the background ignore them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("max_batch", [64, 5])
def test_an_interrupt_ends_the_waiting_for_a_retry(server, heard_interrupts, max_batch):
    with faulty_proxy(server.url, endless("500")) as proxy:
        with remote_model(proxy, backoff=60, max_batch=max_batch) as remote:
            threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
            began = time.monotonic()
            with pytest.raises(KeyboardInterrupt):
                remote(ROWS)
            assert time.monotonic() - began < 5
            before = remote.n_requests
            time.sleep(0.3)
            assert remote.n_requests == before


def test_retries_are_logged_and_the_third_is_a_warning(server, caplog):
    caplog.set_level(logging.INFO, logger="skreprogram")
    with faulty_proxy(server.url, ["500", "dropped", "garbage"]) as proxy:
        with remote_model(proxy, **QUICK) as remote:
            remote(ROWS)
    records = [record for record in caplog.records if record.name == "skreprogram"]
    assert [record.levelname for record in records] == ["INFO", "INFO", "WARNING"]
    assert records[0].getMessage().startswith("Try 1 of 9: status 500 (Internal Server Error) from")


def test_retries_draw_nothing_from_the_generator_of_the_user(server):
    state = random.getstate()
    with faulty_proxy(server.url, ["500", "500"]) as proxy, remote_model(proxy, **QUICK) as remote:
        remote(ROWS)
    assert random.getstate() == state


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_a_status_that_may_pass_is_a_fault(status):
    with pytest.raises(Fault, match=f"status {status}"):
        check_status(status, {}, b"", "here")


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 422, 501])
def test_a_status_that_will_not_pass_fails_at_once(status):
    with pytest.raises(RemoteError, match=f"Got status {status} .*too bad.*Check the address"):
        check_status(status, {}, b'{"error": "too bad"}', "here")


def test_a_request_that_is_too_large_gets_its_own_advice():
    with pytest.raises(RemoteError, match="Got status 413 .*Give a smaller max_batch"):
        check_status(413, {}, b"", "here")


@pytest.mark.parametrize(
    ("header", "seconds"), [(None, None), ("7", 7), ("-7", None), ("soon", None)]
)
def test_a_wish_to_wait_is_a_number_of_seconds(header, seconds):
    assert seconds_to_wait(header) == seconds


def test_a_wish_to_wait_may_be_a_date():
    assert 50 < seconds_to_wait(formatdate(time.time() + 60, usegmt=True)) <= 60
