"""A small model server by the text of the Open Inference Protocol, for tests without a real one.

It uses nothing of the package's own encoding, so that an error there cannot cancel out here.
"""

import json
import math
import struct
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from skreprogram.sources._remote import RemoteModel

LETTERS = {"UINT8": "B", "INT64": "q", "FP32": "f", "FP64": "d"}  # for struct and for numpy


class Protocol(BaseHTTPRequestHandler):
    """Paths and bodies of the protocol."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers), 0))
        if self.path == "/v2" and self.server.gateway:
            return self.answer("a page of a gateway", self.server.gateway)
        if self.path == "/v2":
            return self.answer({"name": "small", "extensions": self.server.extensions})
        if self.path == f"/v2/models/{self.server.model}":
            return self.answer({"name": self.server.model, **self.server.declared})
        if self.path == f"/v2/models/{self.server.model}/ready":
            return self.answer({"ready": True})
        self.answer({"error": f"nothing at {self.path}"}, 404)

    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != f"/v2/models/{self.server.model}/infer":
            return self.answer({"error": f"nothing at {self.path}"}, 404)
        length = self.headers.get("Inference-Header-Content-Length")
        body = json.loads(content[: int(length)] if length else content)
        (tensor,) = body["inputs"]
        rows = self.numbers(tensor, content[int(length) :] if length else b"")
        self.server.asked.append((self.path, dict(self.headers), len(rows)))
        self.reply(body, self.server.function(rows))

    def numbers(self, tensor, rest):
        letter = LETTERS[tensor["datatype"]]
        if "data" in tensor:
            flat = tensor["data"]
        else:
            assert tensor["parameters"]["binary_data_size"] == len(rest)
            flat = struct.unpack(f"<{math.prod(tensor['shape'])}{letter}", rest)
        return np.array(flat, dtype=letter).reshape(tensor["shape"])

    def reply(self, body, answer):
        declared = self.server.declared["outputs"][0]
        tensor = {**declared, "shape": answer.shape}
        wanted = [output.get("parameters", {}) for output in body.get("outputs", [])]
        binary = body.get("parameters", {}).get("binary_data_output") or any(
            one.get("binary_data") for one in wanted
        )
        rest = b""
        if binary:
            letter = LETTERS[declared["datatype"]]
            rest = struct.pack(f"<{answer.size}{letter}", *answer.ravel().tolist())
            tensor["parameters"] = {"binary_data_size": len(rest)}
        else:
            tensor["data"] = answer.ravel().tolist()
        self.answer({"id": body.get("id"), "outputs": [tensor]}, rest=rest)

    def answer(self, found, status=200, rest=b""):
        text = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text) + len(rest)))
        if rest:
            self.send_header("Inference-Header-Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text + rest)

    def log_message(self, *_):
        """Say nothing."""


def softmax(rows):
    """A model with a known answer: the softmax of the first three numbers of a row."""
    powers = np.exp(rows.reshape(len(rows), -1)[:, :3])
    return powers / powers.sum(1, keepdims=True)


def declared(inputs=(-1, 4), outputs=(-1, 3), datatypes=("FP32", "FP64")):
    """Metadata of a model with one input and one output."""
    return {
        "inputs": [{"name": "rows", "shape": inputs, "datatype": datatypes[0]}],
        "outputs": [{"name": "shares", "shape": outputs, "datatype": datatypes[1]}],
    }


@contextmanager
def running(server):
    """Serve in a thread; the address is `server.url`."""
    server.daemon_threads = True
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def protocol_server(function=softmax, metadata=None, extensions=(), tls=None, port=0):
    """A server of the model "shares" on the loopback address."""
    server = ThreadingHTTPServer(("127.0.0.1", port), Protocol)
    server.model, server.function, server.asked = "shares", function, []
    server.declared = declared() if metadata is None else metadata
    server.extensions, server.gateway = list(extensions), None
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    with running(server):
        yield server


@contextmanager
def remote_model(server, **options):
    """The model of a server as a function of an array."""
    remote = RemoteModel(server.url, "shares", **options)
    try:
        yield remote
    finally:
        remote.close()
