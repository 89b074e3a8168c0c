"""What trains inside the source is the program's own; the shared source stays as it was."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from torch import nn
from toys import HeavyNetwork, blobs, disturbed_network, image_source, seeded, squares, table_source

import skreprogram
from skreprogram import ReprogrammingClassifier
from skreprogram.datasets import make_tones
from skreprogram.sktime import SktimeReprogrammer
from skreprogram.sources import BlackBoxSource, SourceModel

X, Y = blobs()
KINDS = {
    "norm": ["1.bias", "1.weight"],
    "head": ["4.bias", "4.weight"],
    "last": ["4.bias", "4.weight"],
    "all": ["0.bias", "0.weight", "1.bias", "1.weight", "4.bias", "4.weight"],
    ("0.*", "norm"): ["0.bias", "0.weight", "1.bias", "1.weight"],
}


def source():
    """Handle of a network with batch statistics and dropout."""
    return SourceModel.from_module(disturbed_network(), (8,))


def classifier(finetune, **params):
    """A classifier of few epochs around it."""
    chosen = list(finetune) if isinstance(finetune, tuple) else finetune
    given = {"source": source(), "max_epochs": 4, "random_state": 0, **params}
    return ReprogrammingClassifier(finetune=chosen, **given)


def digests(handle):
    """Hashes of both networks that estimators share."""
    return [handle.load(folded=folded).state_digest() for folded in (True, False)]


@pytest.mark.parametrize("finetune", KINDS)
def test_only_what_is_named_moves_and_the_shared_source_stays(finetune):
    clf = classifier(finetune)
    before = digests(clf.source)
    clf.fit(X, Y).predict(X)
    clf.partial_fit(X, Y)
    assert digests(clf.source) == before
    assert sorted(clf.program_.source) == KINDS[finetune]
    shared = clf.source.load(folded=False).tensors(clf.program_.source)
    assert all(not np.array_equal(clf.program_.source[n], t) for n, t in shared.items())


@pytest.mark.parametrize("finetune", ["norm", "all"])
def test_a_module_that_a_user_passes_is_not_touched(finetune):
    module = disturbed_network().train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    classifier(finetune, source=module).fit(X, Y)
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert all(part.training for part in module.modules())
    assert all(parameter.grad is None for parameter in module.parameters())


def test_the_source_stays_when_the_training_fails():
    clf = classifier("all", lr=1e30, finetune_lr=1e30, optimizer="sgd")
    before = digests(clf.source)
    with pytest.raises(ValueError, match="learning rate"):
        clf.fit(X, Y)
    assert digests(clf.source) == before


def test_the_rate_of_the_source_is_its_own():
    still = classifier("all", finetune_lr=1e-30).fit(X, Y)
    shared = still.source.load(folded=False).tensors(still.program_.source)
    for name, tensor in shared.items():
        assert_allclose(still.program_.source[name], tensor, atol=1e-12)
    assert np.abs(still.program_.output["weight"]).max() > 0.01


@pytest.mark.parametrize("finetune", KINDS)
def test_a_saved_program_predicts_bit_by_bit_the_same(finetune, tmp_path):
    clf = classifier(finetune).fit(X, Y)
    clf.save(tmp_path / "program.safetensors")
    loaded = skreprogram.load(tmp_path / "program.safetensors", source=clf.source)
    assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    assert loaded.finetune == clf.finetune
    pickled = pickle.loads(pickle.dumps(clf))
    assert_array_equal(pickled.predict_proba(X), clf.predict_proba(X))


def test_images_go_through_saved_kernels_as_through_live_ones(tmp_path):
    network = seeded(
        lambda: nn.Sequential(
            nn.Conv2d(1, 8, 3, bias=False),
            nn.BatchNorm2d(8),
            nn.Conv2d(8, 8, 3, groups=8),
            nn.Conv2d(8, 16, 1),
            nn.Flatten(),
            nn.Linear(256, 6),
        )
    )
    clf = classifier("all", source=SourceModel.from_module(network, (1, 8, 8))).fit(*squares())
    clf.save(tmp_path / "program.safetensors")
    loaded = skreprogram.load(tmp_path / "program.safetensors", source=clf.source_)
    assert_array_equal(loaded.predict_proba(squares()[0]), clf.predict_proba(squares()[0]))


def test_a_saved_program_is_as_large_as_what_trained(tmp_path):
    handle = SourceModel.from_module(seeded(HeavyNetwork), (8,))
    clf = classifier("head", source=handle, max_epochs=1).fit(X, Y)
    clf.save(tmp_path / "program.safetensors")
    assert (tmp_path / "program.safetensors").stat().st_size < 10_000
    assert len(pickle.dumps(clf)) < 10_000
    assert sum(array.size for array in clf.program_.source.values()) == 6 * 8 + 6


def test_a_program_is_refused_for_a_source_of_other_weights(tmp_path):
    classifier("norm").fit(X, Y).save(tmp_path / "program.safetensors")
    other = SourceModel.from_module(seeded(disturbed_network, 1), (8,)).with_random_weights(1)
    with pytest.raises(ValueError, match="sha256"):
        skreprogram.load(tmp_path / "program.safetensors", source=other)


def test_folded_norms_train_and_without_steps_answer_as_the_source_does():
    network = seeded(lambda: nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Linear(16, 6)))
    with torch.no_grad():
        network.train()(3 * torch.randn(50, 8, generator=torch.Generator().manual_seed(0)) + 1)
    tiny = {"source": SourceModel.from_module(network, (8,)), "lr": 1e-30, "finetune_lr": 1e-30}
    tuned, plain = classifier("norm", **tiny).fit(X, Y), classifier(None, **tiny).fit(X, Y)
    assert sorted(tuned.program_.source) == ["1.bias", "1.weight"]
    assert not plain.program_.source
    assert_allclose(tuned.predict_proba(X), plain.predict_proba(X), rtol=1e-5)


def test_a_solved_head_is_where_the_training_begins():
    images, classes = squares()
    exact = {"source": image_source(), "dtype": "float64", "output_mapping": "features"}
    solved = classifier(None, input_transformation="resizing", **exact).fit(images, classes)
    still = clone(solved).set_params(finetune="all", lr=1e-30, finetune_lr=1e-30)
    still.fit(images, classes)
    assert (solved.n_iter_, still.n_iter_) == (0, 4)
    assert_allclose(still.predict_proba(images), solved.predict_proba(images), rtol=1e-6)
    solved.set_params(warm_start=True, finetune="all", lr=1e-30, finetune_lr=1e-30)
    before = solved.predict_proba(images)
    assert_allclose(solved.fit(images, classes).predict_proba(images), before, rtol=1e-6)
    assert "factor" in solved.program_.output


def test_a_program_may_be_trained_first_and_its_source_after_it():
    clf = classifier(None, warm_start=True, lr=0.02, finetune_lr=0.02).fit(X, Y)
    first = clf.history_
    clf.set_params(finetune="all").fit(X, Y)
    assert clf.history_[0]["train_loss"] < first[-1]["train_loss"]
    assert len(clf.program_.source) == 6


def test_partial_fit_goes_on_with_the_tensors_that_it_has():
    clf = classifier("norm", finetune_lr=0.1).partial_fit(X, Y)
    before = clf.program_.source
    clf.set_params(finetune_lr=1e-30).partial_fit(X, Y)
    for name, array in clf.program_.source.items():
        assert_allclose(array, before[name], atol=1e-12)


def test_what_an_earlier_fit_tuned_goes_on_training():
    clf = classifier("norm", warm_start=True).fit(X, Y)
    before = clf.program_.source["1.bias"]
    clf.set_params(finetune="head").fit(X, Y)
    assert sorted(clf.program_.source) == sorted(KINDS["norm"] + KINDS["head"])
    assert not np.array_equal(clf.program_.source["1.bias"], before)


def test_a_tuned_program_cannot_go_on_without_its_tensors():
    clf = classifier("norm", warm_start=True).fit(X, Y).set_params(finetune=None)
    with pytest.raises(ValueError, match="Got finetune=None to go on with a program that has 2"):
        clf.fit(X, Y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tuned_tensors_have_the_type_of_the_numbers(dtype):
    clf = classifier("all", dtype=dtype).fit(X, Y)
    assert {array.dtype.name for array in clf.program_.source.values()} == {dtype}


def test_mixed_precision_trains_exact_tensors():
    clf = classifier("all", precision="bf16", max_epochs=20, lr=0.05).fit(X, Y)
    assert {array.dtype.name for array in clf.program_.source.values()} == {"float32"}
    assert clf.history_[-1]["train_loss"] < 0.5 * clf.history_[0]["train_loss"]
    full = clone(clf).set_params(precision="full").fit(X, Y)
    assert np.abs(full.program_.source["4.weight"] - clf.program_.source["4.weight"]).max() < 0.05


def test_threads_that_tune_one_source_do_not_meet():
    alone = classifier("all", max_epochs=10).fit(X, Y).predict_proba(X)
    clfs = [classifier("all", max_epochs=10) for _ in range(6)]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda clf: clf.fit(X, Y).predict_proba(X), clfs))
    for answer in answers:
        assert_array_equal(answer, answers[0])
    assert_allclose(answers[0], alone, rtol=1e-4)


def test_a_recurrent_source_uses_the_tensors_of_the_program():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.cells, self.end = nn.GRU(1, 5, batch_first=True), nn.Linear(5, 4)

        def forward(self, inputs):
            return self.end(self.cells(inputs.unsqueeze(2))[0][:, -1])

    handle = SourceModel.from_module(seeded(Recurrent), (8,))
    clf = classifier(["cells.*"], source=handle, finetune_lr=0.05)
    clf.fit(X, Y)
    assert len(clf.program_.source) == 4
    shared = handle.load(folded=False).tensors(clf.program_.source)
    for name, tensor in shared.items():
        assert np.abs(clf.program_.source[name] - tensor.numpy()).max() > 0.01, name


def network_of_eight(rows):
    """A function of eight columns."""
    return np.eye(6)[(rows[:, :1] > 0).astype(int).ravel()]


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        (
            {"source": BlackBoxSource(network_of_eight, (8,), 6)},
            "Got finetune='all' with the source .*, a black box, whose weights nobody sees",
        ),
        ({"gradient": "spsa"}, "Got finetune='all' and gradient=Simult.*expected 'backprop'"),
        ({"finetune_lr": 0}, "Got finetune_lr=0, expected a number greater than 0"),
        ({"finetune_lr": None}, "Got finetune_lr=None, expected a number greater than 0"),
        ({"finetune": "everything"}, "Got finetune='everything', expected None, one of"),
    ],
)
def test_what_cannot_be_tuned_is_refused(params, sentence):
    with pytest.raises(ValueError, match=sentence):
        classifier(params.pop("finetune", "all"), **params).fit(X, Y)


def test_a_head_behind_the_features_that_are_read_is_refused():
    clf = classifier("head", output_mapping="features")
    with pytest.raises(ValueError, match="Got finetune='head', but .* FeaturesMapping reads"):
        clf.fit(X, Y)


def test_the_last_block_is_the_last_that_has_a_part_in_what_is_read():
    clf = classifier("last", output_mapping="features").fit(X, Y)
    assert sorted(clf.program_.source) == ["1.bias", "1.weight"]


def test_only_a_network_with_norms_to_fold_is_loaded_twice():
    assert source().load(folded=False) is not source().load()
    assert table_source().load(folded=False) is table_source().load()


def test_the_classifier_of_sktime_tunes_its_source_as_well():
    X, y = make_tones(n_samples=12, length=30, n_classes=2, random_state=0)
    clf = SktimeReprogrammer(finetune="head", input_transformation="modulation", max_epochs=1)
    clf.set_params(output_mapping="linear").fit(X, y)
    assert sorted(clf.estimator_.program_.source) == ["head.bias", "head.weight"]
