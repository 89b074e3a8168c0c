"""Real model servers in processes of their own: MLServer and KServe on the loopback address.

They need an environment of their own, which `tests/serving_setup.sh` makes in `.venv-server`; the
environment variable SKREPROGRAM_SERVER_PYTHON names the Python of another one.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import joblib
import pytest
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

ROOT = Path(__file__).resolve().parents[1]
SERVERS = ("kserve", "mlserver")
DIGITS = {
    "inputs": [{"name": "pixels", "datatype": "FP32", "shape": [-1, 64]}],
    "outputs": [{"name": "predict_proba", "datatype": "FP64", "shape": [-1, 10]}],
}
_PATIENCE = 60.0


def server_python():
    """Python of the servers' environment; None where there is none."""
    named = os.environ.get("SKREPROGRAM_SERVER_PYTHON")
    python = Path(named) if named else ROOT / ".venv-server" / "bin" / "python"
    return python if python.exists() else None


needs_server = pytest.mark.skipif(
    server_python() is None,
    reason="Got no .venv-server and no SKREPROGRAM_SERVER_PYTHON, expected an environment with "
    "MLServer and KServe. Run tests/serving_setup.sh.",
)


def digits_forest():
    """A classifier whose answers do not depend on the rows beside, to the last bit."""
    X, y = load_digits(return_X_y=True)
    return RandomForestClassifier(20, random_state=0).fit(X, y)


class ServerProcess:
    """A model server that serves a classifier, and for KServe ONNX files too.

    It is a context; `kill` and `start` may be called in between, the address stays.
    """

    def __init__(self, kind, folder, models, onnx_files=()):
        self.kind, self.folder = kind, Path(folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url, self.models = f"http://127.0.0.1:{self.port}", models
        self._process = None
        for name, estimator in models.items():
            self._write_kserve(name, estimator) if kind == "kserve" else self._write_mlserver(
                name, estimator
            )
        for path, tensors in onnx_files:
            shutil.copy(path, self.folder)
            (self.folder / f"{path.stem}.json").write_text(json.dumps(tensors))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self):
        """Start the process and wait until it is ready."""
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
        with open(self.folder / "log.txt", "a") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + _PATIENCE
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError(
                    f"Got no ready {self.kind}, expected one within {_PATIENCE:g} s. It says:\n"
                    + (self.folder / "log.txt").read_text()[-2000:]
                )
            time.sleep(0.05)

    def kill(self):
        """End the process as a crash would."""
        if self._process is not None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it ended by itself
            self._process.wait()
            self._process = None

    def _command(self):
        python = server_python()
        if self.kind == "mlserver":
            return [python.with_name("mlserver"), "start", "."]
        script = ROOT / "tests" / "serve_kserve.py"
        return [python, script, "--folder", ".", "--port", str(self.port)]

    def _is_ready(self):
        try:
            for name in self.models:
                urllib.request.urlopen(f"{self.url}/v2/models/{name}/ready", timeout=5).close()
            return True
        except OSError:
            return False

    def _write_kserve(self, name, estimator):
        joblib.dump(estimator, self.folder / f"{name}.joblib")
        (self.folder / f"{name}.json").write_text(json.dumps(DIGITS))

    def _write_mlserver(self, name, estimator):
        folder = self.folder / name
        folder.mkdir()
        joblib.dump(estimator, folder / "model.joblib")
        model = {
            "name": name,
            "implementation": "mlserver_sklearn.SKLearnModel",
            "parameters": {"uri": "./model.joblib", "version": "1"},
            **DIGITS,
        }
        server = {
            "host": "127.0.0.1",
            "http_port": self.port,
            "grpc_port": 0,  # any free one
            "metrics_endpoint": None,
            "parallel_workers": 0,
            "debug": False,
        }
        (folder / "model-settings.json").write_text(json.dumps(model))
        (self.folder / "settings.json").write_text(json.dumps(server))
