"""What a remote model may tell nobody, whom it trusts, and which parameters it refuses."""

import pickle
import ssl
import subprocess
import time

import numpy as np
import pytest
from protocol_server import protocol_server, remote_model, softmax

from skreprogram.sources._remote import RemoteModel
from skreprogram.sources._remote_faults import RemoteError

pytest.importorskip("httpx")

ROWS = np.random.RandomState(0).normal(size=(50, 4)).astype(np.float32)


@pytest.fixture
def server():
    with protocol_server() as server:
        yield server


def test_a_header_from_the_environment_is_sent_and_stays_there(server, monkeypatch):
    monkeypatch.setenv("MODEL_TOKEN", "s3cret-value")
    remote = RemoteModel(server.url, "shares", headers={"Authorization": "Bearer env:MODEL_TOKEN"})
    pickle.loads(pickle.dumps(remote))(ROWS)
    assert {headers["Authorization"] for _, headers, _ in server.asked} == {"Bearer s3cret-value"}
    seen = f"{remote!r} {remote.facts()} {pickle.dumps(remote)}"
    assert "s3cret-value" not in seen
    assert "MODEL_TOKEN" in seen


def test_a_header_that_stands_in_the_code_is_not_pickled(server):
    with remote_model(server, headers={"X-Key": "s3cret-value"}) as remote:
        remote(ROWS)
        assert server.asked[-1][1]["X-Key"] == "s3cret-value"
        content = pickle.dumps(remote)
    assert b"s3cret" not in content
    with pytest.raises(RemoteError, match="Got no value for the header 'X-Key'.*'env:NAME'"):
        pickle.loads(content)(ROWS)


def test_a_missing_environment_variable_is_named(server, monkeypatch):
    monkeypatch.delenv("MODEL_TOKEN", raising=False)
    with remote_model(server, headers={"X-Key": "env:MODEL_TOKEN"}) as remote:
        with pytest.raises(RemoteError, match="Got no environment variable MODEL_TOKEN"):
            remote(ROWS)


def test_a_server_that_repeats_a_secret_brings_it_into_no_message(server):
    with remote_model(server, headers={"Authorization": "Bearer s3cret-value"}) as remote:
        remote.model = "../s3cret-value"
        server.model = "other"
        with pytest.raises(RemoteError) as caught:
            remote(ROWS)
    assert "The server says: nothing at" in str(caught.value)
    assert "s3cret" not in str(caught.value).partition("The server says")[2]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Files of a key and of a certificate for 127.0.0.1 that no authority knows."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    try:
        subprocess.run(
            [*command, "-keyout", key, "-out", certificate],
            check=True,
            capture_output=True,
            timeout=60,
        )
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"Got {error!r}, expected the program openssl, which makes the certificate.")
    return key, certificate


@pytest.fixture
def secure_server(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    with protocol_server(tls=context) as server:
        server.url = server.url.replace("http://", "https://")
        yield server


def test_a_certificate_of_ones_own_authority_is_trusted_when_given(secure_server, certificate):
    with remote_model(secure_server, verify=certificate[1]) as remote:
        np.testing.assert_array_equal(remote(ROWS), softmax(ROWS))


def test_an_unknown_certificate_fails_at_once(secure_server):
    with remote_model(secure_server) as remote:
        began = time.monotonic()
        with pytest.raises(
            RemoteError, match="expected a certificate that is trusted.*Give verify"
        ):
            remote(ROWS)
        assert time.monotonic() - began < 5
        assert remote.n_retries == 0


WRONG = {
    "no address": ({"url": "localhost:8080"}, "Got url='localhost:8080'"),
    "a password": ({"url": "http://me:s3cret@host"}, "user name, password or query, expected none"),
    "a query": ({"url": "http://host?key=s3cret"}, "user name, password or query, expected none"),
    "retries": ({"retries": -1}, "Got retries=-1, expected a whole number of at least 0"),
    "rows": ({"max_batch": 0}, "Got max_batch=0, expected a whole number of at least 1"),
    "connections": ({"n_connections": 1.5}, "Got n_connections=1.5"),
    "timeout": ({"timeout": 0}, "Got timeout=0 and backoff=0.5, expected seconds"),
    "rate": ({"max_rate": 0}, "Got max_rate=0, expected requests a second"),
    "binary": ({"binary": "yes"}, "Got binary='yes', expected 'auto', True or False"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_parameters_get_a_sentence_without_secrets(case):
    changes, sentence = WRONG[case]
    options = {"url": "http://localhost:1", "model": "shares", **changes}
    with pytest.raises(ValueError, match=sentence) as caught:
        RemoteModel(**options)
    assert "s3cret" not in str(caught.value)


def test_a_header_that_is_no_text_is_refused():
    with pytest.raises(TypeError, match=r"no text for the headers \['X-Key'\]"):
        RemoteModel("http://localhost:1", "shares", headers={"X-Key": 3})


def test_certificates_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected True, False or a file of certificates"):
        RemoteModel("https://localhost:1", "shares", verify=tmp_path / "absent.pem")
