"""Targets and configurations of the frozen transformer, by name.

To add one, write a function of target, epochs and seed that returns an unfitted estimator, and a
line in `CONFIGURATIONS`.
"""

from functools import partial
from typing import NamedTuple

from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler

from skreprogram import ReprogrammingClassifier
from skreprogram.sources import load_source
from skreprogram.transformations import PatchEmbedding

SOURCE = "minilm"


class Target(NamedTuple):
    """Data, and how they are cut into positions.

    Parameters
    ----------
    read : callable
        Returns X and y.
    patch_size : int
        Of :class:`PatchEmbedding`.
    """

    read: object
    patch_size: int


def digits():
    """Images of 8 x 8 pixels, (1797, 1, 8, 8)."""
    X, y = load_digits(return_X_y=True)
    return X.reshape(-1, 1, 8, 8), y


TARGETS = {"digits": Target(digits, 4)}


def split(target, validated):
    """Training and test part; with `validated` both are cut from the training part."""
    X, y = TARGETS[target].read()
    parts = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
    if not validated:
        return parts
    X, y = parts[0], parts[2]
    return train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)


def transformer(target, max_epochs, seed, finetune, random_weights=False):
    """Patches embedded by a trained layer, a language model, a trained linear head."""
    source = load_source(SOURCE)
    return ReprogrammingClassifier(
        source.with_random_weights(seed) if random_weights else source,
        input_transformation=PatchEmbedding(target.patch_size),
        output_mapping="linear",
        finetune=finetune,
        max_epochs=max_epochs,
        lr_scheduler="cosine",
        random_state=seed,
    )


def logistic_regression(target, max_epochs, seed):
    """The values as they are, without any source; the penalty is chosen within the data."""
    flat = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    head = LogisticRegression(max_iter=2_000)
    search = GridSearchCV(head, {"C": [0.01, 0.1, 1.0, 10.0, 100.0]}, cv=3)
    return make_pipeline(flat, MaxAbsScaler(), search)


CONFIGURATIONS = {
    "norms": partial(transformer, finetune="norm"),
    "norms, random weights": partial(transformer, finetune="norm", random_weights=True),
    "frozen": partial(transformer, finetune=None),
    "frozen, random weights": partial(transformer, finetune=None, random_weights=True),
    "no source": logistic_regression,
}


def count_numbers(estimator):
    """Numbers that were trained: of the program's two sides, and of the source."""
    program = getattr(estimator, "program_", None)
    if program is None:
        head = estimator[-1].best_estimator_
        return head.coef_.size + head.intercept_.size, 0
    sides = (
        (program.input, estimator.transformation_.trainable),
        (program.output, estimator.mapping_.trainable),
    )
    own = sum(side[name].size for side, names in sides for name in names)
    return own, sum(array.size for array in program.source.values())
