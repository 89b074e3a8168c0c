"""Configurations of the benchmark of unlabelled rows, by name.

To add one, write a function of target, labels and seed that returns an unfitted estimator, and a
line in `CONFIGURATIONS`.
"""

from functools import partial

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from skorch.callbacks import Callback

from _controls import CONTROL
from _unlabelled_targets import ALL, other_digits, shifted, untrained
from skreprogram import ReprogrammingClassifier, TimeSeriesReprogrammer
from skreprogram.sources import load_source
from skreprogram.unlabelled import Consistency, EntropyMinimisation, PseudoLabels

# gradient steps of every training, however many rows have a label
N_STEPS, BATCH = 100, 32
# unlabelled rows a step
N_BESIDE = 64
# chosen on a validation part, see README.md
CHOSEN = {
    ("digits", "pseudo-labels"): PseudoLabels(0.7, batch_size=N_BESIDE),
    ("digits", "consistency"): Consistency(0.7, batch_size=N_BESIDE, augmentation=shifted),
    ("digits", "entropy"): EntropyMinimisation(0.1, batch_size=N_BESIDE),
    ("SwedishLeaf", "pseudo-labels"): PseudoLabels(0.7),
}
CANDIDATES = {
    **{
        f"pseudo-labels {p}": PseudoLabels(p, batch_size=N_BESIDE)
        for p in (0.5, 0.7, 0.8, 0.9, 0.95)
    },
    **{
        f"consistency {p}": Consistency(p, batch_size=N_BESIDE, augmentation=shifted)
        for p in (0.7, 0.9)
    },
    **{f"entropy {w}": EntropyMinimisation(w, batch_size=N_BESIDE) for w in (0.03, 0.1, 0.3, 1.0)},
}
SELF_TRAINING = "self-training around it"


class EnoughSteps(Callback):
    """End training after so many steps: in self-training the labelled rows become more."""

    def __init__(self, n_steps):
        self.n_steps = n_steps

    def on_train_begin(self, net, **kwargs):
        self.taken_ = 0

    def on_batch_end(self, net, training=False, **kwargs):
        self.taken_ += bool(training)
        if self.taken_ >= self.n_steps:
            raise KeyboardInterrupt  # skorch's way to end training in good order


def ours(target, y, seed, unlabelled=None, control=False):
    """Digits: a program and a head, trained by gradient. Series: tones, a solved ridge head."""
    if target != "digits":
        source = load_source("speech-commands")
        return TimeSeriesReprogrammer(
            source.with_random_weights(seed) if control else source,
            input_transformation="modulation",
            unlabelled=unlabelled,
            random_state=seed,
        )
    n_labelled = int((np.asarray(y) != -1).sum())
    return ReprogrammingClassifier(
        untrained(seed) if control else other_digits(),
        input_transformation="overlay",
        output_mapping="features",
        max_epochs=max(1, round(N_STEPS / -(-n_labelled // BATCH))),
        batch_size=BATCH,
        lr=0.03,
        callbacks=[EnoughSteps(N_STEPS)],
        unlabelled=unlabelled,
        random_state=seed,
    )


def with_chosen(target, y, seed, use, control=False):
    """Ours with what the validation part chose for a use of unlabelled rows."""
    return ours(target, y, seed, CHOSEN[target, use], control)


def self_training(target, y, seed):
    """scikit-learn's self-training, five rounds at most, at the threshold of the pseudo-labels."""
    threshold = CHOSEN[target, "pseudo-labels"].threshold
    inside = ours(target, y, seed)
    if target == "digits":
        # scikit-learn's takes tables only
        inside = make_pipeline(FunctionTransformer(_as_images), inside)
    return make_pipeline(_flat(), SelfTrainingClassifier(inside, threshold=threshold, max_iter=5))


def label_spreading(target, y, seed):
    """Seven neighbours on the values as they are, no source."""
    return make_pipeline(_flat(), MaxAbsScaler(), LabelSpreading(kernel="knn", n_neighbors=7))


class LabelledOnly(LogisticRegression):
    """Logistic regression that leaves unlabelled rows out."""

    def fit(self, X, y):
        known = np.asarray(y) != -1
        return super().fit(X[known], y[known])


def logistic_regression(target, y, seed):
    """The values as they are, no source, labelled rows only."""
    return make_pipeline(_flat(), MaxAbsScaler(), LabelledOnly(max_iter=2_000))


def _as_images(X):
    return X.reshape(-1, 1, 8, 8)


def _flat():
    return FunctionTransformer(lambda X: X.reshape(len(X), -1))


USES = ("pseudo-labels", "consistency", "entropy")
CONFIGURATIONS = {"labelled only": ours, f"labelled only{CONTROL}": partial(ours, control=True)}
for name in USES:
    CONFIGURATIONS[name] = partial(with_chosen, use=name)
    CONFIGURATIONS[name + CONTROL] = partial(with_chosen, use=name, control=True)
CONFIGURATIONS |= {
    SELF_TRAINING: self_training,
    "label spreading, no source": label_spreading,
    "logistic regression, no source": logistic_regression,
}
EVERY = CONFIGURATIONS | {
    name: partial(ours, unlabelled=strategy) for name, strategy in CANDIDATES.items()
}


def applies(target, name, per_class):
    """Whether a configuration says something that no other says."""
    use = name.removesuffix(CONTROL)
    plain = use in ("labelled only", "logistic regression, no source")
    if per_class == ALL:
        return plain
    return plain or use not in USES or (target, use) in CHOSEN


def labelled_part(X, y, name):
    """What a configuration is fitted to: plain estimators take -1 for a class."""
    if not name.startswith("labelled only"):
        return X, y
    known = y != -1
    return X[known], y[known]
