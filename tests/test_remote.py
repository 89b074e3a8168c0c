"""A remote model, over the loopback address: answers and facts."""

import copy
import os
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from protocol_server import declared, protocol_server, remote_model, softmax

from skreprogram.sources._remote import RemoteModel, black_box_from_server
from skreprogram.sources._remote_faults import RemoteError

pytest.importorskip("httpx")

ROWS = np.random.RandomState(0).normal(size=(50, 4)).astype(np.float32)
BINARY = ["binary_tensor_data"]


def channels_last(images):
    return images.transpose(0, 2, 3, 1)


def half(rows):
    return rows / 2


@pytest.fixture
def server():
    with protocol_server() as server:
        yield server


@pytest.fixture
def remote(server):
    with remote_model(server) as remote:
        yield remote


def asked_rows(server):
    return [n_rows for _, _, n_rows in server.asked if n_rows]


@pytest.mark.parametrize("binary", [False, True])
def test_answers_are_those_of_the_model_to_the_last_bit(server, binary):
    with remote_model(server, binary=binary) as remote:
        np.testing.assert_array_equal(remote(ROWS), softmax(ROWS))


@pytest.mark.parametrize("extensions", [[], BINARY])
def test_numbers_travel_as_bytes_where_the_server_lists_the_extension(extensions):
    with protocol_server(extensions=extensions) as server, remote_model(server) as remote:
        remote(ROWS)
        _, headers, _ = server.asked[-1]
        assert ("Inference-Header-Content-Length" in headers) == bool(extensions)


@pytest.mark.parametrize("status", [200, 404])
def test_a_gateway_that_hides_the_server_is_spoken_to_in_json(server, status):
    server.gateway = status
    with remote_model(server) as remote:
        np.testing.assert_array_equal(remote(ROWS), softmax(ROWS))
        assert remote.n_retries == 0


def test_rows_are_answered_in_order_though_later_requests_come_back_first():
    first = float(ROWS[0, 0])

    def late(rows):
        time.sleep(0.2 if rows[0, 0] == first else 0)
        return softmax(rows)

    with protocol_server(late) as server, remote_model(server, max_batch=7) as remote:
        np.testing.assert_array_equal(remote(ROWS), softmax(ROWS))
        assert sorted(asked_rows(server)) == [1] + 7 * [7]


@pytest.mark.parametrize("n_connections", [1, 3])
def test_as_many_requests_are_under_way_as_there_are_connections(n_connections):
    lock, now, most = threading.Lock(), [0], [0]

    def watched(rows):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.05)
        with lock:
            now[0] -= 1
        return softmax(rows)

    with protocol_server(watched) as server:
        with remote_model(server, max_batch=5, n_connections=n_connections) as remote:
            remote(ROWS)
    assert most[0] == n_connections


def test_a_rate_limit_holds_for_all_connections_together(server):
    with remote_model(server, max_batch=5, max_rate=40) as remote:
        began = time.monotonic()
        remote(ROWS)
        # ten requests and two for the description, one each 25 ms
        assert time.monotonic() - began > 11 / 40


def test_one_connection_serves_many_requests():
    with protocol_server() as server, remote_model(server, n_connections=1) as remote:
        opened = []
        accept = server.get_request
        server.get_request = lambda: opened.append(1) or accept()
        for _ in range(5):
            remote(ROWS)
    assert len(opened) == 1


def test_images_are_prepared_as_the_model_takes_them():
    images = np.random.RandomState(0).rand(3, 2, 4, 4).astype(np.float32)
    with protocol_server(metadata=declared((-1, 4, 4, 2))) as server:
        with remote_model(server, prepare=channels_last) as remote:
            np.testing.assert_array_equal(remote(images), softmax(channels_last(images)))


def test_pixels_are_sent_as_whole_numbers():
    metadata = declared(datatypes=("UINT8", "FP32"))
    with protocol_server(lambda rows: rows[:, :3] / 255, metadata) as server:
        with remote_model(server, binary=True) as remote:
            assert remote(np.float32([[0, 51, 255, 7]])).tolist() == [[0, np.float32(0.2), 1]]
            with pytest.raises(ValueError, match="UINT8 cannot hold"):
                remote(np.float32([[0.5, 51, 255, 7]]))


@pytest.mark.parametrize("outputs", [(-1,), (-1, 1), (-1, -1)])
def test_labels_come_back_as_one_whole_number_a_row_however_declared(outputs):
    metadata = declared(outputs=outputs, datatypes=("FP32", "INT64"))
    with protocol_server(lambda rows: rows[:, :3].argmax(1)[:, None], metadata) as server:
        with remote_model(server) as remote:
            np.testing.assert_array_equal(remote(ROWS), ROWS[:, :3].argmax(1))


def test_a_model_of_a_fixed_batch_gets_no_larger_one():
    with (
        protocol_server(metadata=declared((1, 4), (1, 3))) as server,
        remote_model(server) as remote,
    ):
        np.testing.assert_array_equal(remote(ROWS[:6]), softmax(ROWS[:6]))
        assert asked_rows(server) == 6 * [1]


def test_a_server_that_declares_no_tensors_is_asked_all_the_same(server):
    server.declared = {"inputs": None, "outputs": declared()["outputs"]}
    with remote_model(server) as remote:
        np.testing.assert_array_equal(remote(ROWS), softmax(ROWS))


def test_a_model_that_is_not_there_fails_at_once_with_the_words_of_the_server(server):
    remote = RemoteModel(server.url, "nothing")
    with pytest.raises(
        RemoteError, match="Got status 404 .*nothing at /v2/models/nothing"
    ) as caught:
        remote(ROWS)
    assert caught.value.status == 404
    assert len(server.asked) == remote.n_requests == 1


def test_a_name_that_is_not_declared_gets_those_that_are(server):
    with remote_model(server, input_name="pixels") as remote:
        with pytest.raises(ValueError, match=r"Got input_name='pixels' .*\['rows'\]"):
            remote(ROWS)


def test_only_a_running_server_is_ready():
    with protocol_server() as server, remote_model(server) as remote:
        assert remote.ready()
    assert not remote.ready()


def test_facts_are_read_from_the_declaration(remote, server):
    facts = remote.facts()
    assert facts.pop("identity").startswith(f"{server.url}/v2/models/shares version")
    assert facts == {"input_shape": (4,), "n_outputs": 3, "max_batch": 256, "name": "shares"}
    assert asked_rows(server) == []


def test_outputs_that_are_not_declared_are_counted_by_one_row(remote, server):
    server.declared = declared(outputs=(-1, -1))
    assert remote.facts()["n_outputs"] == 3
    assert asked_rows(server) == [1]


def test_an_input_of_any_length_needs_a_shape_from_the_user(remote, server):
    server.declared = declared((-1, -1))
    with pytest.raises(ValueError, match="Give input_shape"):
        remote.facts()
    assert remote.facts((4,))["input_shape"] == (4,)


def test_pixels_have_a_range_and_levels(remote, server):
    server.declared = declared(datatypes=("UINT8", "FP64"))
    facts = remote.facts()
    assert (facts["value_range"], facts["levels"]) == ((0.0, 255.0), 256)


def test_a_new_version_of_the_model_is_another_identity(server):
    identities = set()
    for versions in (["1"], ["2"]):
        server.declared = {**declared(), "versions": versions}
        with remote_model(server) as remote:
            identities.add(remote.facts()["identity"])
    assert len(identities) == 2


def test_another_preparation_is_another_identity(server):
    identities = [
        RemoteModel(server.url, "shares", prepare=prepare).facts((4,))["identity"]
        for prepare in (None, half, softmax, half)
    ]
    assert len(set(identities)) == 3
    assert identities[1] == identities[3]


def test_a_black_box_is_made_of_a_server_and_the_wishes_of_the_user(server):
    def make(predict, input_shape, n_outputs, **facts):
        return predict, input_shape, n_outputs, facts

    predict, shape, n_outputs, facts = black_box_from_server(
        make, server.url, "shares", timeout=3.0, max_batch=10, value_range=(0, 1), name="mine"
    )
    assert (predict.timeout, predict.max_batch, shape, n_outputs) == (3.0, 10, (4,), 3)
    assert (facts["value_range"], facts["name"], facts["max_batch"]) == ((0, 1), "mine", 40)
    np.testing.assert_array_equal(predict(ROWS), softmax(ROWS))


@pytest.mark.slow
def test_a_pickled_model_answers_in_another_process(server):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        answers = pool.submit(RemoteModel(server.url, "shares"), ROWS).result()
    np.testing.assert_array_equal(answers, softmax(ROWS))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Got a system without fork, expected one.")
def test_a_forked_process_opens_connections_of_its_own(server):
    with remote_model(server, max_batch=10) as remote:
        remote(ROWS)
        with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
            answers = pool.submit(remote, ROWS).result(timeout=20)
        np.testing.assert_array_equal(answers, softmax(ROWS))


def test_a_copy_is_the_same_object(remote):
    assert copy.copy(remote) is remote
    assert copy.deepcopy([remote])[0] is remote
