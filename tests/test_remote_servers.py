"""A remote model on real servers: MLServer and KServe, killed, restarted, behind a bad line."""

import threading
import time

import numpy as np
import pytest
from faulty_proxy import COUNTED_AS, drawn, faulty_proxy
from serving import SERVERS, ServerProcess, digits_forest, needs_server
from sklearn.datasets import load_digits

from skreprogram.sources._remote import RemoteModel
from skreprogram.sources._remote_faults import RemoteError

pytest.importorskip("httpx")

pytestmark = [needs_server, pytest.mark.slow]

PIXELS = load_digits().data[:200].astype(np.float32)
FOREST = digits_forest()
EXPECTED = FOREST.predict_proba(PIXELS)


@pytest.fixture(scope="module", params=SERVERS)
def server(request, tmp_path_factory):
    """A running server of the digits forest."""
    folder = tmp_path_factory.mktemp(request.param)
    with ServerProcess(request.param, folder, {"digits": FOREST}) as server:
        yield server


@pytest.fixture(scope="module")
def kserve(tmp_path_factory):
    """KServe with a convolutional network as an ONNX file."""
    folder = tmp_path_factory.mktemp("kserve")
    path, tensors = write_network(tmp_path_factory.mktemp("onnx") / "network.onnx")
    with ServerProcess("kserve", folder, {"digits": FOREST}, [(path, tensors)]) as server:
        yield server, path


def write_network(path):
    """An ONNX file of a small convolutional network, and what it takes and gives."""
    helper = pytest.importorskip("onnx").helper
    weight = np.random.RandomState(0).normal(size=(4, 3, 3, 3)).astype(np.float32)
    images = helper.make_tensor_value_info("images", 1, ["n", 3, 8, 8])
    scores = helper.make_tensor_value_info("scores", 1, ["n", 4])
    kernel = helper.make_tensor("kernel", 1, weight.shape, weight.tobytes(), raw=True)
    nodes = [
        helper.make_node("Conv", ["images", "kernel"], ["maps"]),
        helper.make_node("GlobalAveragePool", ["maps"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["scores"]),
    ]
    graph = helper.make_graph(nodes, "network", [images], [scores], [kernel])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path, {
        "inputs": [{"name": "images", "datatype": "FP32", "shape": [-1, 3, 8, 8]}],
        "outputs": [{"name": "scores", "datatype": "FP32", "shape": [-1, 4]}],
    }


def ways(server):
    """JSON everywhere, bytes where the server can."""
    return [False, True] if server.kind == "kserve" else [False]


def test_answers_are_those_of_the_local_model_to_the_last_bit(server):
    for binary in ways(server):
        remote = RemoteModel(server.url, "digits", binary=binary, max_batch=32)
        np.testing.assert_array_equal(remote(PIXELS), EXPECTED)
        assert (remote.n_retries, remote.faults) == (0, {})


def test_the_description_is_read(server):
    remote = RemoteModel(server.url, "digits")
    facts = remote.facts()
    assert (facts["input_shape"], facts["n_outputs"]) == ((64,), 10)
    assert remote.ready()
    assert not RemoteModel(server.url, "letters").ready()


def test_a_model_that_is_not_served_fails_at_once(server):
    remote = RemoteModel(server.url, "letters")
    with pytest.raises(RemoteError, match="status 404 .*letters"):
        remote(PIXELS)
    assert remote.n_requests == 1


def test_a_server_that_is_killed_and_started_again_in_a_call_loses_nothing(server):
    for binary in ways(server):
        remote = RemoteModel(server.url, "digits", binary=binary, max_batch=1, backoff=0.2)
        answers = []
        asking = threading.Thread(target=lambda: answers.append(remote(PIXELS)))  # noqa: B023
        asking.start()
        while remote.n_requests < 40:
            time.sleep(0.001)
        server.kill()
        assert asking.is_alive()
        server.start()
        asking.join()
        np.testing.assert_array_equal(answers[0], EXPECTED)
        assert remote.n_retries == sum(remote.faults.values()) >= 1


def test_behind_a_line_that_spoils_a_fifth_the_same_answers_come_out(server):
    for binary in ways(server):
        with faulty_proxy(server.url, drawn(0.2, seed=1)) as proxy:
            remote = RemoteModel(
                proxy.url, "digits", binary=binary, max_batch=2, backoff=0.001, timeout=3.0
            )
            np.testing.assert_array_equal(remote(PIXELS), EXPECTED)
            done = {COUNTED_AS[kind]: count for kind, count in proxy.done.items() if kind}
            assert remote.faults == done
            assert sum(done.values()) > 10


def test_what_the_model_does_not_take_is_told_after_the_retries(server):
    remote = RemoteModel(server.url, "digits", retries=2, backoff=0.001)
    # KServe gives its reason; MLServer does not
    with pytest.raises(RemoteError, match="3 tries .*status 500 .*(63 features|Internal)"):
        remote(PIXELS[:, 1:])


def test_a_network_of_onnx_answers_as_here(kserve):
    server, path = kserve
    session = pytest.importorskip("onnxruntime").InferenceSession(path)
    images = np.random.RandomState(0).normal(size=(40, 3, 8, 8)).astype(np.float32)
    (expected,) = session.run(None, {"images": images})
    for binary in (False, True):
        answers = RemoteModel(server.url, "network", binary=binary)(images)
        np.testing.assert_allclose(answers, expected, rtol=1e-5, atol=1e-6)
