"""The augmentation hook, and a learning rate of its own for the output side."""

import numpy as np
import pytest
import torch
from toys import blobs, table_source

from skreprogram import ReprogrammingClassifier


def classifier(**params):
    settings = {"max_epochs": 3, "random_state": 0, **params}
    return ReprogrammingClassifier(table_source(), **settings)


def noisy(X, generator):
    return X + 0.5 * torch.randn(X.shape, generator=generator, dtype=X.dtype)


def test_augmentation_changes_training_and_repeats_with_the_seed():
    X, y = blobs()
    plain, first, second = (
        classifier(augmentation=augmentation).fit(X, y).program_.input["program"]
        for augmentation in (None, noisy, noisy)
    )
    assert not np.array_equal(plain, first)
    np.testing.assert_array_equal(first, second)


def test_augmentation_sees_training_batches_only():
    X, y = blobs()
    seen = []

    def watched(batch, generator):
        seen.append(len(batch))
        return batch

    clf = classifier(augmentation=watched, max_epochs=2, early_stopping=True, batch_size=100).fit(
        X, y
    )
    clf.predict(X)
    # 24 rows train and 6 validate
    assert seen == [24, 24]


@pytest.mark.parametrize("returned", [lambda X, g: X[:1], lambda X, g: X.numpy()])
def test_an_augmentation_that_returns_something_else_is_refused(returned):
    X, y = blobs()
    with pytest.raises(ValueError, match="Got .* from the augmentation, expected a tensor"):
        classifier(augmentation=returned).fit(X, y)


def test_augmentation_must_be_a_function():
    X, y = blobs()
    with pytest.raises(TypeError, match="Got augmentation='flip'"):
        classifier(augmentation="flip").fit(X, y)


def test_the_output_side_takes_steps_of_its_own_size():
    X, y = blobs()

    def moved(**rates):
        start = classifier(max_epochs=1, lr=1e-12, optimizer="sgd").fit(X, y).program_
        end = classifier(max_epochs=1, optimizer="sgd", batch_size=100, **rates).fit(X, y).program_
        return (
            np.abs(end.input["program"] - start.input["program"]).sum(),
            np.abs(end.output["weight"] - start.output["weight"]).sum(),
        )

    together, apart = moved(lr=0.01), moved(lr=0.01, output_lr=0.1)
    assert apart[0] == pytest.approx(together[0], rel=1e-4)
    assert apart[1] == pytest.approx(10 * together[1], rel=1e-3)


def test_the_output_side_alone_takes_its_own_rate():
    X, y = blobs(n_features=8)
    still = classifier(input_transformation="identity", output_lr=1e-12).fit(X, y)
    losses = [row["train_loss"] for row in still.history_]
    assert losses[0] == pytest.approx(losses[-1], rel=1e-6)
