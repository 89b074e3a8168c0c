"""Serve the models of a folder by KServe, on the loopback address; tests/serving.py starts it.

This runs in the servers' own environment (see tests/serving_setup.sh): it imports nothing of the
package and nothing of the other tests.
"""

import argparse
import json
from pathlib import Path

import joblib
import numpy as np
import onnxruntime
import uvicorn
from kserve import InferOutput, InferResponse, Model, ModelServer
from kserve.protocol.rest.server import RESTServer


class ServedModel(Model):
    """A function of an array, with its declared input and output."""

    def __init__(self, name, tensors, predict):
        super().__init__(name)
        self.tensors, self.function, self.ready = tensors, predict, True

    def get_input_types(self):
        return self.tensors["inputs"]

    def get_output_types(self):
        return self.tensors["outputs"]

    def predict(self, payload, headers=None, response_headers=None):
        answer = self.function(payload.inputs[0].as_numpy())
        declared = self.tensors["outputs"][0]
        output = InferOutput(declared["name"], list(answer.shape), declared["datatype"])
        output.data = answer  # an array: KServe writes it as the request asked for
        return InferResponse(
            payload.id,
            self.name,
            [output],
            requested_outputs=payload.request_outputs,
            use_binary_outputs=payload.use_binary_outputs,
        )


def function_of(path):
    """The model in a file, as a function of an array."""
    if path.suffix == ".onnx":
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda rows: session.run(None, {name: rows})[0]
    estimator = joblib.load(path)
    return lambda rows: np.asarray(estimator.predict_proba(rows), dtype=np.float64)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--port", type=int)
    options, _ = parser.parse_known_args()
    server = ModelServer(enable_grpc=False, enable_latency_logging=False)
    for path in sorted([*options.folder.glob("*.onnx"), *options.folder.glob("*.joblib")]):
        tensors = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        server.register_model(ServedModel(path.stem, tensors, function_of(path)))
    # KServe's own start listens on all addresses of the machine; its application is the same
    rest = RESTServer(
        "kserve.model_server:app", server.dataplane, server.model_repository_extension, options.port
    )
    rest.create_application()
    uvicorn.run("kserve.model_server:app", host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
