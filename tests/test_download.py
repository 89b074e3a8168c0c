"""Downloads, from a server on this machine; never from the internet."""

import hashlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from skreprogram.sources import DownloadError, _download
from skreprogram.sources._download import cache_folder, fetch

CONTENT = bytes(range(256)) * 5000  # more than 1 MB, so that the progress bar is shown
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Answers(BaseHTTPRequestHandler):
    """What the paths of the server answer."""

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path == "/absent" or self.path == "/broken":
            return self.send_error(404 if self.path == "/absent" else 503)
        if self.path == "/recovers" and len(self.server.asked) < 3:
            return self.send_error(500)
        cut = self.path == "/truncated" or (self.path == "/once" and len(self.server.asked) < 2)
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:1000] if cut else CONTENT)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(_download, "_FIRST_WAIT", 0.001)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.asked = []
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def fails(server, page, path, sha256=DIGEST):
    """The message of the failure, after which no file may be left."""
    with pytest.raises(DownloadError) as failure:
        fetch(f"{server.address}/{page}", sha256, path)
    assert list(path.parent.iterdir()) == []
    return str(failure.value)


def test_a_file_is_downloaded_into_a_new_folder(server, tmp_path):
    path = fetch(f"{server.address}/good", DIGEST, tmp_path / "new" / "file.bin")
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_is_there_is_not_downloaded_again(server, tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(CONTENT)
    assert fetch(f"{server.address}/good", DIGEST, path) == path
    assert server.asked == []


def test_a_damaged_file_is_replaced(server, tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(CONTENT[:-1])
    fetch(f"{server.address}/good", DIGEST, path)
    assert path.read_bytes() == CONTENT


def test_a_file_with_another_hash_is_refused_at_once(server, tmp_path):
    message = fails(server, "good", tmp_path / "file.bin", sha256="0" * 64)
    assert DIGEST in message
    assert len(server.asked) == 1


def test_a_truncated_answer_is_asked_for_again(server, tmp_path):
    assert fetch(f"{server.address}/once", DIGEST, tmp_path / "file.bin").read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_answers_that_stay_truncated_are_refused(server, tmp_path):
    fails(server, "truncated", tmp_path / "file.bin")
    assert len(server.asked) == 4


def test_a_server_that_recovers_is_asked_again(server, tmp_path):
    fetch(f"{server.address}/recovers", DIGEST, tmp_path / "file.bin")
    assert len(server.asked) == 3


def test_a_server_that_stays_broken_is_left_after_four_questions(server, tmp_path):
    assert "503" in fails(server, "broken", tmp_path / "file.bin")
    assert len(server.asked) == 4


def test_an_absent_page_is_not_asked_for_again(server, tmp_path):
    assert "404" in fails(server, "absent", tmp_path / "file.bin")
    assert len(server.asked) == 1


def test_the_message_says_what_to_put_where(server, tmp_path):
    message = fails(server, "absent", tmp_path / "file.bin")
    assert all(word in message for word in (server.address, DIGEST, str(tmp_path / "file.bin")))


def test_a_refused_connection_is_a_download_error(monkeypatch, tmp_path):
    monkeypatch.setattr(_download, "_FIRST_WAIT", 0.001)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match="by hand"):
        fetch(f"http://127.0.0.1:{port}/good", DIGEST, tmp_path / "file.bin")


@pytest.mark.parametrize("damaged", [False, True])
def test_without_permission_nothing_is_asked(server, tmp_path, damaged):
    path = tmp_path / "file.bin"
    if damaged:
        path.write_bytes(b"other")
    with pytest.raises(DownloadError, match="by hand, or allow download=True"):
        fetch(f"{server.address}/good", DIGEST, path, download=False)
    assert server.asked == []


def test_downloads_at_once_end_in_one_whole_file(server, tmp_path):
    path = tmp_path / "file.bin"
    threads = [
        threading.Thread(target=fetch, args=(f"{server.address}/good", DIGEST, path))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [path]


def test_the_cache_folder_is_in_the_home_of_the_user_unless_told(monkeypatch, tmp_path):
    monkeypatch.setenv("SKREPROGRAM_HOME", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("SKREPROGRAM_HOME")
    assert cache_folder().parts[-2:] == (".cache", "skreprogram")
