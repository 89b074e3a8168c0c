"""One file per fitted estimator: what comes back, and what is refused."""

import json
import struct

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from safetensors.numpy import load_file, save_file
from toys import blobs, table_network, table_source

import skreprogram
from skreprogram import ReprogrammingClassifier, TimeSeriesReprogrammer
from skreprogram._persistence import _digest
from skreprogram.datasets import load_ucr
from skreprogram.losses import FocalLoss
from skreprogram.mappings import FrequencyMapping, LinearMapping
from skreprogram.sources import load_source
from skreprogram.transformations import FrequencyModulation, SideBySide

X, Y = blobs()
NAMES = np.array(["ash", "beech", "cedar"])


@pytest.fixture
def clf():
    """A fitted classifier over a source that is in no catalogue."""
    return ReprogrammingClassifier(table_source(), max_epochs=3, random_state=0).fit(X, NAMES[Y])


@pytest.fixture
def saved(clf, tmp_path):
    """Where that classifier was saved."""
    clf.save(tmp_path / "program.safetensors")
    return tmp_path / "program.safetensors"


def header_of(path):
    """The header, read without our code."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["skreprogram"])


def change(path, edit):
    """Write the file again with a changed header or changed tensors."""
    header, tensors = header_of(path), load_file(path)
    edit(header, tensors)
    save_file(tensors, path, metadata={"skreprogram": json.dumps(header)})


def test_a_loaded_estimator_predicts_bit_by_bit_the_same(clf, saved):
    loaded = skreprogram.load(saved, source=table_source())
    assert type(loaded) is ReprogrammingClassifier
    assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    assert_array_equal(loaded.predict(X), clf.predict(X))


def test_a_module_serves_as_source_of_a_loaded_estimator(clf, saved):
    loaded = skreprogram.load(saved, source=table_network())
    assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))


def test_the_default_on_gunpoint_comes_back_from_less_than_a_megabyte(tmp_path):
    X_train, y_train, X_test, _ = load_ucr("GunPoint")
    clf = TimeSeriesReprogrammer().fit(X_train[:20], y_train[:20])
    clf.save(tmp_path / "gunpoint")
    assert (tmp_path / "gunpoint").stat().st_size < 1.0e6
    loaded = skreprogram.load(tmp_path / "gunpoint")
    assert_array_equal(loaded.predict_proba(X_test[:20]), clf.predict_proba(X_test[:20]))


def test_parameters_come_back(clf, saved):
    loaded = skreprogram.load(saved, source=table_source())
    assert loaded.get_params() == clf.get_params()


def test_a_function_as_parameter_is_left_out(clf, tmp_path):
    clf.set_params(lr_scheduler=lambda epoch: 1.0).fit(X, Y).save(tmp_path / "program")
    assert skreprogram.load(tmp_path / "program", source=table_source()).lr_scheduler is None


def test_strategies_come_back_as_objects(tmp_path):
    views = SideBySide(["modulation", FrequencyModulation(low=200.0, trains=())])
    mapping = FrequencyMapping(n_source_labels=np.int64(2))
    clf = TimeSeriesReprogrammer(input_transformation=views, output_mapping=mapping)
    clf.fit(X[:6], Y[:6]).save(tmp_path / "program")
    loaded = skreprogram.load(tmp_path / "program")
    assert repr(loaded.input_transformation) == repr(views)
    assert loaded.output_mapping.n_source_labels == 2
    assert_array_equal(loaded.predict_proba(X[:6]), clf.predict_proba(X[:6]))


@pytest.mark.parametrize(
    "y",
    [NAMES[Y], NAMES[Y].astype(object), Y - 1, Y > 0, Y / 1, pd.Series(NAMES[Y], dtype="category")],
    ids=["text", "objects", "numbers", "truth values", "floats", "categories"],
)
def test_labels_come_back(y, tmp_path):
    clf = ReprogrammingClassifier(table_source(), max_epochs=1, class_weight="balanced").fit(X, y)
    clf.save(tmp_path / "program")
    loaded = skreprogram.load(tmp_path / "program", source=table_source())
    assert loaded.classes_.dtype == clf.classes_.dtype
    assert_array_equal(loaded.predict(X), clf.predict(X))


def test_names_of_columns_come_back(tmp_path):
    table = pd.DataFrame(X, columns=list("abcde"))
    ReprogrammingClassifier(table_source(), max_epochs=1).fit(table, Y).save(tmp_path / "program")
    loaded = skreprogram.load(tmp_path / "program", source=table_source())
    assert loaded.feature_names_in_.tolist() == list("abcde")
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict(table[list("edcba")])


def test_a_loaded_estimator_can_be_saved_fitted_and_continued(clf, saved, tmp_path):
    loaded = skreprogram.load(saved, source=table_source())
    loaded.save(tmp_path / "again")
    assert header_of(tmp_path / "again")["classes"] == header_of(saved)["classes"]
    loaded.partial_fit(X, NAMES[Y])
    assert loaded.n_iter_ == 4
    assert loaded.fit(X, NAMES[Y]).n_iter_ == 3


def test_the_version_is_recorded(saved):
    assert header_of(saved)["skreprogram"] == skreprogram.__version__


def test_the_weights_of_the_source_are_not_in_the_file(saved):
    n_values = sum(tensor.size for tensor in load_file(saved).values())
    assert n_values < sum(parameter.numel() for parameter in table_network().parameters())


def test_an_existing_file_is_replaced_and_nothing_else_is_left(clf, tmp_path):
    (tmp_path / "program").write_text("old")
    clf.save(tmp_path / "program")
    assert [path.name for path in tmp_path.iterdir()] == ["program"]
    assert skreprogram.load(tmp_path / "program", source=table_source()).n_iter_ == 3


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        skreprogram.load(tmp_path / "nowhere")


@pytest.mark.parametrize("kept", [0, 5, 200, -1])
def test_a_file_that_was_cut_is_refused(saved, kept):
    saved.write_bytes(saved.read_bytes()[:kept])
    with pytest.raises(ValueError, match="it was cut or changed"):
        skreprogram.load(saved, source=table_source())


def test_a_file_of_another_kind_is_refused(saved):
    saved.write_text("Program of the theatre\n" * 20)
    with pytest.raises(ValueError, match="no readable safetensors file"):
        skreprogram.load(saved)


def test_a_safetensors_file_without_our_header_is_refused(saved):
    save_file({"weight": np.zeros(3)}, saved)
    with pytest.raises(ValueError, match="without a header of skreprogram"):
        skreprogram.load(saved)


def test_a_file_with_one_changed_byte_is_refused(saved):
    content = bytearray(saved.read_bytes())
    content[-1] ^= 1
    saved.write_bytes(content)
    with pytest.raises(ValueError, match="sha256: the file was changed"):
        skreprogram.load(saved, source=table_source())


@pytest.mark.parametrize("name", ["classes", "mapping", "params", "input_shape", "source"])
def test_a_changed_header_is_refused(saved, name):
    change(saved, lambda header, tensors: header.update({name: header["history"]}))
    with pytest.raises(ValueError, match="the file was changed"):
        skreprogram.load(saved, source=table_source())


@pytest.mark.parametrize("name", ["classes", "mapping", "params", "format", "estimator"])
def test_an_incomplete_header_is_refused(saved, name):
    change(saved, lambda header, tensors: header.pop(name))
    with pytest.raises(ValueError, match="the file was changed|without a header"):
        skreprogram.load(saved, source=table_source())


def test_another_source_is_refused(saved):
    with pytest.raises(ValueError, match="Got a source with sha256 .*Pass that source"):
        skreprogram.load(saved, source=table_source(n_outputs=7))


def test_a_source_that_is_in_no_catalogue_has_to_be_passed(saved):
    with pytest.raises(ValueError, match=r"'Sequential', which is not in the catalogue.*source="):
        skreprogram.load(saved)


def test_a_source_of_the_catalogue_with_random_weights_does_not_pass_for_it(tmp_path):
    control = load_source("speech-commands").with_random_weights(0)
    modulation = FrequencyModulation(shortest=0.1)
    clf = TimeSeriesReprogrammer(control, input_transformation=modulation).fit(X[:6], Y[:6])
    clf.save(tmp_path / "control")
    with pytest.raises(ValueError, match="sha256"):
        skreprogram.load(tmp_path / "control", source="speech-commands")


class Foreign(LinearMapping):
    """A mapping that the library does not hold."""


def test_a_strategy_that_is_not_imported_is_named(clf, tmp_path):
    clf.set_params(output_mapping=Foreign()).fit(X, Y).save(tmp_path / "program")
    assert type(skreprogram.load(tmp_path / "program", table_source()).mapping_) is Foreign

    def rename(header, tensors):
        header["mapping"]["strategy"] = "elsewhere:Mapping"
        header.pop("sha256")
        header["sha256"] = _digest(header, tensors)

    change(tmp_path / "program", rename)
    with pytest.raises(ValueError, match="'elsewhere:Mapping'.*Import elsewhere before load"):
        skreprogram.load(tmp_path / "program", source=table_source())


def test_a_file_of_a_later_format_names_the_version_that_wrote_it(saved):
    change(saved, lambda header, tensors: header.update(format=2, skreprogram="9.0"))
    with pytest.raises(ValueError, match="'skreprogram': '9.0'.*expected format 1"):
        skreprogram.load(saved, source=table_source())


def test_an_estimator_that_is_not_fitted_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        ReprogrammingClassifier(table_source()).save(tmp_path / "program")
    assert not list(tmp_path.iterdir())


def test_a_loss_object_comes_back_and_an_augmentation_is_left_out(tmp_path):
    clf = ReprogrammingClassifier(
        table_source(),
        loss=FocalLoss(gamma=1.5),
        augmentation=lambda X, generator: X,
        max_epochs=1,
        random_state=0,
    ).fit(X, Y)
    clf.save(tmp_path / "program.safetensors")
    loaded = skreprogram.load(tmp_path / "program.safetensors", source=table_source())
    assert loaded.loss.gamma == 1.5
    assert loaded.augmentation is None


def test_a_source_of_the_catalogue_comes_back_with_its_input_shape(tmp_path):
    source = load_source("imagenet-efficientnet-lite0", input_shape=(3, 32, 32))
    images = np.random.default_rng(0).random((6, 1, 8, 8))
    clf = ReprogrammingClassifier(source, random_state=0).fit(images, [0, 1] * 3)
    clf.save(tmp_path / "program.safetensors")
    loaded = skreprogram.load(tmp_path / "program.safetensors")
    assert loaded.source_.input_shape == (3, 32, 32)
    assert_array_equal(loaded.predict_proba(images), clf.predict_proba(images))


def test_the_same_weights_with_another_input_shape_are_refused(tmp_path):
    name = "imagenet-efficientnet-lite0"
    source = load_source(name, input_shape=(3, 32, 32))
    images = np.random.default_rng(0).random((6, 1, 8, 8))
    clf = ReprogrammingClassifier(source, random_state=0).fit(images, [0, 1] * 3)
    clf.save(tmp_path / "program.safetensors")
    with pytest.raises(ValueError, match=r"takes inputs of shape \(3, 224, 224\), expected"):
        skreprogram.load(tmp_path / "program.safetensors", source=name)
