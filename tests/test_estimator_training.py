"""How the training of an estimator goes, stops, is watched and is repeated."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from skorch.callbacks import Callback
from toys import blobs, sound_source, table_source

from skreprogram import ReprogrammingClassifier, TimeSeriesReprogrammer


@pytest.fixture
def clf():
    """A classifier that trains by gradient, not fitted."""
    return ReprogrammingClassifier(table_source(), max_epochs=8, lr=0.05, random_state=0)


@pytest.fixture
def noise():
    """Data that nobody can learn: a validation loss soon gets worse."""
    rng = np.random.RandomState(0)
    return rng.normal(size=(60, 5)), rng.randint(2, size=60)


class Interrupting(Callback):
    """Press Ctrl-C when an epoch is over."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, net, **kwargs):
        """Raise in that epoch."""
        if len(net.history) == self.epoch:
            raise KeyboardInterrupt


class Counting(Callback):
    """Count epochs."""

    epochs = 0

    def on_epoch_end(self, net, **kwargs):
        """Add one."""
        Counting.epochs += 1


def test_history_has_a_row_an_epoch(clf):
    clf.fit(*blobs())
    assert [row["epoch"] for row in clf.history_] == list(range(1, 9))
    assert clf.n_iter_ == 8
    assert clf.history_[-1]["train_loss"] < clf.history_[0]["train_loss"]


def test_a_closed_form_has_no_epochs():
    clf = TimeSeriesReprogrammer(sound_source(), input_transformation="identity")
    X, y = blobs(n_features=200)
    assert clf.fit(X, y).n_iter_ == 0


def test_early_stopping_keeps_the_epoch_of_the_lowest_validation_loss(clf, noise):
    clf.set_params(early_stopping=True, n_iter_no_change=2, max_epochs=200).fit(*noise)
    losses = [row["valid_loss"] for row in clf.history_]
    assert len(losses) < 200
    best = 1 + int(np.argmin(losses))
    assert len(losses) == best + 2
    shorter = clf.predict_proba(noise[0])
    clf.set_params(max_epochs=best).fit(*noise)
    assert_array_equal(clf.predict_proba(noise[0]), shorter)


def test_early_stopping_without_enough_samples_says_so(clf):
    X, y = blobs(n_samples=4)
    with pytest.raises(ValueError, match="too few to cut a validation part"):
        clf.set_params(early_stopping=True).fit(X, y)


def test_an_interrupt_keeps_the_epochs_so_far(clf):
    X, y = blobs()
    clf.set_params(callbacks=[Interrupting(3)]).fit(X, y)
    assert clf.n_iter_ == 3
    interrupted = clf.predict_proba(X)
    clf.set_params(callbacks=None, max_epochs=3).fit(X, y)
    assert_array_equal(interrupted, clf.predict_proba(X))


def test_an_interrupt_keeps_the_best_program_so_far(clf, noise):
    clf.set_params(early_stopping=True, n_iter_no_change=50, max_epochs=30)
    clf.set_params(callbacks=[Interrupting(30)]).fit(*noise)
    best = 1 + int(np.argmin([row["valid_loss"] for row in clf.history_]))
    assert best < 25
    interrupted = clf.predict_proba(noise[0])
    clf.set_params(callbacks=None, max_epochs=best).fit(*noise)
    assert_array_equal(clf.predict_proba(noise[0]), interrupted)


def test_callbacks_of_skorch_are_called(clf):
    Counting.epochs = 0
    clf.set_params(callbacks=[Counting()]).fit(*blobs())
    assert Counting.epochs == 8


def test_a_loss_that_is_no_number_says_what_to_change(clf):
    X, y = blobs()
    with pytest.raises(ValueError, match="expected .*finite.*smaller learning rate"):
        clf.set_params(lr=1e30, optimizer="sgd").fit(X, y)


@pytest.mark.parametrize("name", ["adam", "adamw", "nadam", "radam", "rmsprop", "sgd"])
def test_every_named_optimiser_lowers_the_loss(clf, name):
    history = clf.set_params(optimizer=name).fit(*blobs()).history_
    assert history[-1]["train_loss"] < history[0]["train_loss"]


def test_a_class_of_torch_is_an_optimiser(clf):
    history = clf.set_params(optimizer=torch.optim.Adagrad).fit(*blobs()).history_
    assert history[-1]["train_loss"] < history[0]["train_loss"]


@pytest.mark.parametrize("scheduler", ["cosine", "linear", "plateau", lambda epoch: 0.5**epoch])
def test_a_scheduler_changes_what_is_learned(clf, scheduler):
    X, y = blobs()
    constant = clf.fit(X, y).predict_proba(X)
    clf.set_params(lr_scheduler=scheduler, max_epochs=8)
    changed = not np.array_equal(clf.fit(X, y).predict_proba(X), constant)
    # a plateau never comes in so short a training
    assert changed == (scheduler != "plateau")


def test_weight_decay_shrinks_the_mapping(clf):
    free = np.abs(clf.fit(*blobs()).program_.output["weight"]).sum()
    clf.set_params(weight_decay=1.0)
    assert np.abs(clf.fit(*blobs()).program_.output["weight"]).sum() < free


def test_nothing_is_printed_by_default(clf, capfd):
    clf.fit(*blobs()).predict(blobs()[0])
    assert capfd.readouterr() == ("", "")


def test_verbose_shows_bars_on_standard_error(clf, capfd):
    X, y = blobs()
    clf.set_params(verbose=1).fit(X, y).predict(X)
    out, err = capfd.readouterr()
    assert out == ""
    assert "training the program" in err
    assert "train_loss" in err
    assert "running the source" in err


def test_the_same_seed_gives_the_same_program(clf):
    X, y = blobs()
    first = clf.fit(X, y).predict_proba(X)
    clf.set_params(random_state=1)
    assert not np.array_equal(clf.fit(X, y).predict_proba(X), first)
    clf.set_params(random_state=np.random.RandomState(3))
    drawn = clf.fit(X, y).predict_proba(X)
    clf.set_params(random_state=np.random.RandomState(3))
    assert_array_equal(clf.fit(X, y).predict_proba(X), drawn)


def test_fit_and_predict_touch_no_global_generator(clf):
    X, y = blobs()
    numbers, tensors = np.random.get_state(legacy=False), torch.get_rng_state()
    clf.set_params(input_transformation="padding", early_stopping=True).fit(X, y).predict(X)
    assert torch.equal(torch.get_rng_state(), tensors)
    assert_array_equal(np.random.get_state(legacy=False)["state"]["key"], numbers["state"]["key"])
    assert np.random.get_state(legacy=False)["state"]["pos"] == numbers["state"]["pos"]


def test_single_and_double_precision_agree(clf):
    X, y = blobs()
    single = clf.fit(X, y).predict_proba(X)
    double = clf.set_params(dtype="float64").fit(X, y).predict_proba(X)
    assert not np.array_equal(single, double)
    np.testing.assert_allclose(single, double, atol=0.02)


@pytest.mark.parametrize("device", ["gpu9", 3.5, "meta:x"])
def test_an_unknown_device_is_refused(clf, device):
    with pytest.raises(ValueError, match=r"Got device=.*expected 'auto', 'cpu', 'cuda'"):
        clf.set_params(device=device).fit(*blobs())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_refused(clf):
    with pytest.raises(ValueError, match="sees no CUDA GPU here"):
        clf.set_params(device="cuda").fit(*blobs())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_gives_what_the_cpu_gives(clf):
    X, y = blobs()
    on_gpu = clf.set_params(device="cuda").fit(X, y).predict_proba(X)
    on_cpu = clf.set_params(device="cpu").fit(X, y).predict_proba(X)
    np.testing.assert_allclose(on_gpu, on_cpu, atol=1e-3)
