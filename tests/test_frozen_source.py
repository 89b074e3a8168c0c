"""The source stays as it was, whatever is done with the estimators."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from toys import blobs, disturbed_network

from skreprogram import ReprogrammingClassifier
from skreprogram.sources import SourceModel


@pytest.fixture
def clf():
    """A classifier over a source with batch statistics and dropout."""
    source = SourceModel.from_module(disturbed_network(), (8,))
    return ReprogrammingClassifier(source, max_epochs=3, random_state=0)


def network_of(clf):
    """The network that the estimators of this process share."""
    return clf.source.load()


def fit(clf, X, y):
    clf.fit(X, y)


def predict(clf, X, y):
    clf.fit(X, y).predict(X)


def partial_fit(clf, X, y):
    clf.partial_fit(X, y).partial_fit(X, y)


def search(clf, X, y):
    GridSearchCV(clf, {"lr": [0.1, 0.2]}, cv=2).fit(X, y)


def fail_in_training(clf, X, y):
    with pytest.raises(ValueError, match="learning rate"):
        clf.set_params(lr=1e30, optimizer="sgd").fit(X, y)


def fail_before_training(clf, X, y):
    with pytest.raises(ValueError, match="target classes"):
        clf.set_params(output_mapping="first").fit(X, np.arange(len(y)) % 7)


@pytest.mark.parametrize(
    "act", [fit, predict, partial_fit, search, fail_in_training, fail_before_training]
)
def test_weights_and_buffers_of_the_source_never_change(clf, act):
    before = network_of(clf).state_digest()
    act(clf, *blobs())
    assert network_of(clf).state_digest() == before
    assert not network_of(clf).is_training


def test_a_module_that_a_user_passes_is_not_touched():
    module = disturbed_network().train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    ReprogrammingClassifier(module, max_epochs=3).fit(*blobs()).predict(blobs()[0])
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert all(parameter.requires_grad for parameter in module.parameters())
    assert all(parameter.grad is None for parameter in module.parameters())
    assert all(part.training for part in module.modules())


def test_a_module_is_used_as_it_would_predict(clf):
    X, y = blobs()
    module = disturbed_network().train()
    from_module = ReprogrammingClassifier(module, max_epochs=3, random_state=0).fit(X, y)
    np.testing.assert_array_equal(from_module.predict_proba(X), clf.fit(X, y).predict_proba(X))


def test_a_clone_shares_the_source(clf):
    assert clone(clf).source is clf.source


def test_estimators_of_one_process_share_one_network(clf):
    other = clone(clf).fit(*blobs())
    clf.fit(*blobs())
    assert network_of(other) is network_of(clf)


def test_a_fitted_estimator_holds_no_tensor(clf):
    clf.fit(*blobs())
    learned = [*clf.program_.input.values(), *clf.program_.output.values()]
    assert len(learned) > 2
    assert all(isinstance(array, np.ndarray) for array in learned)
