"""
What if the server crashes in the middle of a fit?
==================================================

A random forest that reads handwritten digits runs behind MLServer, and all that is known of it is
an address. It is reprogrammed to tell benign from malignant tumours; meanwhile the server is killed
and started again. The fit ends as if nothing had happened.
"""

# %%
# Tumours for a forest of digits
# ------------------------------
# Tumours have 30 features, which lie in the middle of the forest's 64 pixels, whole numbers from 0
# to 16. Three digits stand for each class; only the program around trains. First without a server.

from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import QuantileTransformer

from skreprogram import ReprogrammingClassifier
from skreprogram.mappings import FrequencyMapping
from skreprogram.sources import BlackBoxSource
from skreprogram.transformations import PaddingTransformation

forest = RandomForestClassifier(50, random_state=0).fit(*load_digits(return_X_y=True))
X, y = load_breast_cancer(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, train_size=100, stratify=y, random_state=0)
scaler = QuantileTransformer(n_quantiles=50).fit(X)
X, X_test = 16 * scaler.transform(X), 16 * scaler.transform(X_test)

pixels = {"value_range": (0, 16), "levels": 17}
here = ReprogrammingClassifier(
    BlackBoxSource.from_estimator(forest, **pixels),
    output_mapping=FrequencyMapping(n_source_labels=3),
    max_epochs=20,
    lr=0.05,
    random_state=0,
).fit(X, y)
no_program = PaddingTransformation(program="none")
alone = clone(here).set_params(input_transformation=no_program).fit(X, y)
print(f"accuracy {here.score(X_test, y_test):.3f}, no program {alone.score(X_test, y_test):.3f}")

# %%
# A server
# --------
# If you have one, only the call of ``from_server`` below is for you. MLServer serves a folder; its
# environment is made by ``tests/serving_setup.sh`` in ``.venv-server``, or is where
# ``SKREPROGRAM_SERVER_PYTHON`` says.

import json
import os
import socket
import subprocess
import tempfile
from pathlib import Path

import joblib

folder = Path(tempfile.mkdtemp())
named = os.environ.get("SKREPROGRAM_SERVER_PYTHON", ".venv-server/bin/python")
python = next((path for path in (Path(named), Path("..", named)) if path.exists()), None)
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": 0, "metrics_endpoint": None}
model = {
    "name": "digits",
    "implementation": "mlserver_sklearn.SKLearnModel",
    "parameters": {"uri": "./model.joblib", "version": "1"},
    "inputs": [{"name": "pixels", "datatype": "FP32", "shape": [-1, 64]}],
    "outputs": [{"name": "predict_proba", "datatype": "FP64", "shape": [-1, 10]}],
}
joblib.dump(forest, folder / "model.joblib")
(folder / "model-settings.json").write_text(json.dumps(model))
(folder / "settings.json").write_text(json.dumps({**settings, "parallel_workers": 0}))


def start_server():
    """Start MLServer, which is ready some seconds later."""
    mlserver = python.absolute().with_name("mlserver")
    log, alone = open(folder / "log.txt", "a"), {**os.environ, "PYTHONPATH": ""}
    return subprocess.Popen([mlserver, "start", "."], cwd=folder, stdout=log, stderr=log, env=alone)


# %%
# A thread kills the server after 80 requests, and starts it again two seconds later.

import threading
import time

import numpy as np

moments, down, over = [], [], threading.Event()


def crash(remote, process):
    """Kill and restart the server; note the requests until the fit is over."""
    begin, dead = time.monotonic(), False
    while not over.wait(0.05):
        moments.append((time.monotonic() - begin, remote.n_requests))
        if not down and remote.n_requests >= 80:
            process.kill()
            down.append(moments[-1][0])
            dead = True
        elif dead and moments[-1][0] > down[0] + 2:
            process, dead = start_server(), False
        elif len(down) == 1 and not dead and remote.ready():
            down.append(moments[-1][0])
    process.kill()


if python is None:
    print("Got no MLServer. Run tests/serving_setup.sh to see a server crash.")
else:
    process, url = start_server(), f"http://127.0.0.1:{port}"
    # more patience than by default, also for its first start
    source = BlackBoxSource.from_server(url, "digits", cache=folder, retries=20, **pixels)
    thread = threading.Thread(target=crash, args=(source.predict, process))
    thread.start()
    clf = clone(here).set_params(source=source).fit(X, y)
    over.set()
    thread.join()
    remote = source.predict
    print(f"{clf.n_queries_:,} queries, ended early: {clf.stopped_by_}")
    print(f"{remote.n_requests} requests, {remote.n_retries} of them repeated: {remote.faults}")
    programs = clf.program_.input["program"], here.program_.input["program"]
    print(f"largest difference of the two programs: {np.abs(np.subtract(*programs)).max()}")

# %%
# A request that failed is sent again until it is answered. A server that stays away ends the fit
# with the best program until then; the answers are on disk, and the same fit goes on from there.

import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
if moments:
    axes[0].plot(*np.transpose(moments), color="#1f3a5f", linewidth=2)
    axes[0].axvspan(*down, color="#e07a3f", alpha=0.4, linewidth=0, label="no server")
    axes[0].legend()
axes[0].set(title="Requests sent", xlabel="time (s)", ylabel="requests")
axes[1].imshow(here.reprogram(X_test[:40])[y_test[:40].argsort()], cmap="gray_r", aspect="auto")
axes[1].set(title="What the forest sees of forty tumours", xlabel="pixel", ylabel="tumour")
axes[1].vlines([16.5, 46.5], -0.5, 39.5, color="#e07a3f")
path = Path("figures", "remote_model.png").resolve()
path.parent.mkdir(exist_ok=True)
figure.savefig(path, dpi=120)
print(f"Figure: {path}")
