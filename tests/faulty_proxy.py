"""A proxy in front of a model server, which spoils answers as it is told."""

import http.client
import json
import random
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from protocol_server import running

KINDS = ("slow", "429", "500", "truncated", "nan", "dropped", "garbage")
# what the client calls them
COUNTED_AS = {
    "slow": "timeout",
    "429": "status 429",
    "500": "status 500",
    "truncated": "truncated",
    "nan": "not finite",
    "dropped": "connection",
    "garbage": "malformed",
}


class Spoiler(BaseHTTPRequestHandler):
    """Passes on what is asked; spoils answers to inference requests."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send(*self.upstream(None))

    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            kind = next(self.server.faults, None)
            self.server.done[kind] += 1
            self.server.times.append(time.monotonic())
        if kind is None:
            self.server.stopped.wait(self.server.delay)
            return self.send(*self.upstream(content))
        self.spoil(kind, content)

    def upstream(self, content):
        target = urlsplit(self.server.target)
        connection = http.client.HTTPConnection(target.hostname, target.port, timeout=30)
        # no compression, so that answers can be spoilt
        dropped = ("Host", "Accept-Encoding")
        kept = {name: value for name, value in self.headers.items() if name not in dropped}
        connection.request(self.command, self.path, content, kept)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        length = response.headers.get("Inference-Header-Content-Length")
        return (
            response.status,
            body,
            {} if not length else {"Inference-Header-Content-Length": length},
        )

    def spoil(self, kind, content):
        if kind == "slow":
            self.server.stopped.wait(self.server.slowness)
            self.close_connection = True
        elif kind == "dropped":
            self.close_connection = True
        elif kind == "429":
            self.send(429, b'{"error": "slower"}', {"Retry-After": str(self.server.retry_after)})
        elif kind == "500":
            self.send(500, b"Internal Server Error", {})
        elif kind == "garbage":
            self.send(200, b"<html>a gateway in between</html>", {})
        elif kind == "nan":
            status, body, headers = self.upstream(content)
            self.send(status, with_nan(body, bool(headers)), headers)
        elif kind == "truncated":
            status, body, headers = self.upstream(content)
            self.send(status, body, headers, sent=len(body) // 2)
            self.close_connection = True

    def send(self, status, body, headers, sent=None):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:sent])

    def log_message(self, *_):
        """Say nothing."""


def with_nan(body, binary):
    """The answer with its last number, or last two, not a number."""
    if binary:
        return body[:-8] + b"\xff" * 8
    found = json.loads(body)
    found["outputs"][0]["data"][-1] = float("nan")
    return json.dumps(found).encode()


def drawn(share, seed, kinds=KINDS):
    """Endless faults: this share of the answers, kinds drawn evenly."""
    draws = random.Random(seed)
    while True:
        yield draws.choice(kinds) if draws.random() < share else None


@contextmanager
def faulty_proxy(target, faults, slowness=30.0, retry_after=0, delay=0.0):
    """A proxy on the loopback address; `done` counts what it did, `delay` holds good answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Spoiler)
    server.target, server.faults, server.slowness = target, iter(faults), slowness
    server.retry_after, server.delay, server.stopped = retry_after, delay, threading.Event()
    server.lock, server.done, server.times = threading.Lock(), Counter(), []
    with running(server):
        try:
            yield server
        finally:
            server.stopped.set()
