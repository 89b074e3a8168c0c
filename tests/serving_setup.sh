#!/usr/bin/env bash
# Install the real model servers of tests/serving.py in an environment of their own, because they
# pin other versions than the package: tests/serving_setup.sh [FOLDER, .venv-server by default]
# Takes about 80 seconds and 760 MB.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder="${1:-.venv-server}"
"${PYTHON:-python3}" -m venv "$folder"
"$folder/bin/python" -m pip install -q --disable-pip-version-check \
    -c tests/serving_constraints.txt mlserver mlserver-sklearn kserve onnxruntime scikit-learn
touch "$folder/.installed"
