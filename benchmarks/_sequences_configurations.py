"""The configurations that the sequences benchmark knows by name.

To add one, write a function of target and seed that returns an unfitted estimator, and a line in
`CONFIGURATIONS`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from _sequences_targets import ALL
from skreprogram import SequenceReprogrammer
from skreprogram.gradients import ScoreFunction
from skreprogram.sources import load_source
from skreprogram.transformations import (
    SparseVocabularyTransformation,
    VocabularyRemapping,
)

IMAGES, TEXT, QUESTIONS = "imagenet-efficientnet-lite0", "minilm", "questions-lstm"


class Configuration(NamedTuple):
    """One line of a table.

    Parameters
    ----------
    make : callable
        From target and seed to an unfitted estimator.
    tokens : str or None, default=None
        The kind of targets that it is for; None is every kind.
    aligned : bool, default=False
        Whether it is for targets that are aligned alone.
    spaced : bool, default=False
        Whether characters are shown as words: a language model's tokenizer would make arbitrary
        pieces of DNA, and one unknown token of what is longer than 100 characters.
    most_per_class : int or None, default=None
        Not run with more rows of each class: what every step passes through a language model
        forwards and backwards takes an hour then.
    n_shown : int or None, default=None
        Rows shown in all epochs together at most; with many rows there are fewer epochs.
    """

    make: Callable[..., Any]
    tokens: str | None = None
    aligned: bool = False
    spaced: bool = False
    most_per_class: int | None = None
    n_shown: int | None = None

    def runs_on(self, target, per_class):
        """Whether this is for such a target, and so many rows of each class or "all"."""
        if self.most_per_class is not None:
            if per_class == ALL or int(per_class) > self.most_per_class:
                return False
        return self.tokens in (None, target.tokens) and (target.aligned or not self.aligned)

    def unfitted(self, target, seed, n_rows):
        """Make an estimator for so many training rows."""
        estimator = self.make(target, seed)
        if self.n_shown is None:
            return estimator
        n_epochs = min(estimator.max_epochs, max(1, self.n_shown // n_rows))
        return estimator.set_params(max_epochs=n_epochs)

    def shown(self, texts, target):
        """The texts as the estimator gets them."""
        if self.spaced and target.tokens == "characters":
            return [" ".join(text) for text in texts]
        return texts


def words(target, seed):
    """TF-IDF of words and pairs of words, logistic regression."""
    # the texts are cut already, and "n't" or "!" say something
    features = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2), sublinear_tf=True)
    return make_pipeline(features, logistic_regression(target))


def kmers(target, seed, scaler):
    """Counts of 1 to 4 characters in a row, scaled, logistic regression."""
    features = CountVectorizer(analyzer="char", ngram_range=(1, 4), lowercase=False)
    return make_pipeline(features, scaler(), logistic_regression(target))


def positions(target, seed):
    """Which character stands where, logistic regression."""
    return make_pipeline(CountVectorizer(analyzer=characters_in_place), logistic_regression(target))


def characters_in_place(text):
    """Each character with its number in the text."""
    return [f"{i}{character}" for i, character in enumerate(text)]


def logistic_regression(target):
    """The head of all plain baselines; its penalty is chosen within the training part."""
    return GridSearchCV(
        LogisticRegression(max_iter=2_000, class_weight=weights(target)),
        {"C": [0.01, 0.1, 1.0, 10.0, 100.0]},
        scoring="roc_auc" if target.imbalanced else "accuracy",
        cv=3,
    )


def weights(target):
    """Weights of classes, the same for all configurations."""
    return "balanced" if target.imbalanced else None


def text_program(target, seed, transformation, random_weights=False, tokenizer="source", **rest):
    """A language model's own tokens, perhaps with a program, and a head on all its layers."""
    source = load_source(TEXT).with_random_weights(seed) if random_weights else TEXT
    return SequenceReprogrammer(
        source,
        tokenizer=tokenizer,
        input_transformation=transformation,
        output_mapping="features",
        class_weight=weights(target),
        random_state=seed,
        **rest,
    )


def new_tokens(target, seed, transformation, **rest):
    """The target's own tokens, of which a program makes the language model's."""
    return text_program(target, seed, transformation, tokenizer=own_tokens(target), **rest)


def question_words(target, seed, transformation, random_weights=False, **settings):
    """Target tokens as words of a small classifier of questions."""
    source = load_source(QUESTIONS)
    # it keeps the largest of its states, wherever they stand: a letter's place must be in its name
    tokenizer = characters_in_place if target.aligned else own_tokens(target)
    return SequenceReprogrammer(
        source.with_random_weights(seed) if random_weights else source,
        tokenizer=tokenizer,
        input_transformation=transformation(target),
        class_weight=weights(target),
        random_state=seed,
        **settings,
    )


def remapping(target):
    """One word for a letter in its place, or for a letter and its neighbours."""
    width = 1 if target.aligned else 9
    return VocabularyRemapping(width, (1.0, 0.1), relaxation="softmax", n_source_tokens=100)


def drawn_words(target):
    """One word for each letter, drawn in training: what a black box that reads words is shown."""
    return VocabularyRemapping(1, n_source_tokens=100)


def dictionary(target):
    """A sum of words for every token."""
    return SparseVocabularyTransformation()


def patches(target, seed, random_weights=False):
    """Tokens as patches of an image, with the defaults of the estimator."""
    source = load_source(IMAGES).with_random_weights(seed) if random_weights else IMAGES
    return SequenceReprogrammer(
        source,
        tokenizer=own_tokens(target),
        input_transformation="token-patches",
        class_weight=weights(target),
        random_state=seed,
    )


def own_tokens(target):
    """Tokenizer of what a text of the target is made of."""
    return {"words": "word", "characters": "char"}[target.tokens]


# chosen on validation parts of SST-2 and TREC
PROMPTS = {"lr": 0.003, "output_lr": 0.02, "lr_scheduler": "cosine", "max_epochs": 15}
# chosen on validation parts of splice and peptides, 64 rows a class
REMAPPING = {"output_mapping": "features", "max_epochs": 30, "lr": 0.2}
DICTIONARY = {"output_mapping": "features", "max_epochs": 30}
QUERIES = {
    "gradient": ScoreFunction(n_draws=4),
    "output_mapping": "linear",
    "max_epochs": 40,
    "lr": 1.0,
}

CONFIGURATIONS = {
    "TF-IDF": Configuration(words, "words"),
    "k-mer counts": Configuration(partial(kmers, scaler=MaxAbsScaler), "characters"),
    "k-mer TF-IDF": Configuration(
        partial(kmers, scaler=partial(TfidfTransformer, sublinear_tf=True)), "characters"
    ),
    "characters in place": Configuration(positions, "characters", aligned=True),
    "linear probe": Configuration(partial(text_program, transformation="embedding"), spaced=True),
    "linear probe, random weights": Configuration(
        partial(text_program, transformation="embedding", random_weights=True),
        spaced=True,
    ),
    "prompts": Configuration(
        partial(text_program, transformation="prompts", **PROMPTS),
        "words",
        n_shown=21_000,
    ),
    "prompts, random weights": Configuration(
        partial(text_program, transformation="prompts", random_weights=True, **PROMPTS),
        "words",
        most_per_class=64,
    ),
    "sparse vocabulary": Configuration(
        partial(new_tokens, transformation="sparse-vocabulary"),
        "characters",
        most_per_class=64,
    ),
    "sparse vocabulary, random weights": Configuration(
        partial(new_tokens, transformation="sparse-vocabulary", random_weights=True),
        "characters",
        most_per_class=64,
    ),
    "sparse vocabulary, question words": Configuration(
        partial(question_words, transformation=dictionary, **DICTIONARY), "characters"
    ),
    "sparse vocabulary, question words, random weights": Configuration(
        partial(question_words, transformation=dictionary, random_weights=True, **DICTIONARY),
        "characters",
    ),
    "vocabulary remapping": Configuration(
        partial(question_words, transformation=remapping, **REMAPPING), "characters"
    ),
    "vocabulary remapping, random weights": Configuration(
        partial(question_words, transformation=remapping, random_weights=True, **REMAPPING),
        "characters",
    ),
    "vocabulary remapping, queries": Configuration(
        partial(question_words, transformation=drawn_words, **QUERIES),
        "characters",
        most_per_class=64,
    ),
    "vocabulary remapping, queries, random weights": Configuration(
        partial(question_words, transformation=drawn_words, random_weights=True, **QUERIES),
        "characters",
        most_per_class=64,
    ),
    "token patches": Configuration(patches, "characters"),
    "token patches, random weights": Configuration(
        partial(patches, random_weights=True), "characters"
    ),
}


def count_numbers(estimator):
    """Count what was fitted and what prediction needs beside the source.

    Parameters
    ----------
    estimator : SequenceReprogrammer or Pipeline
        Fitted.

    Returns
    -------
    n_trained : int
        Numbers that were fitted to labels: by gradient, or in closed form.
    n_stored : int
        Those and constants such as scales of features; vocabularies are not numbers.
    """
    if hasattr(estimator, "program_"):
        return _count_program(estimator)
    head = estimator[-1].best_estimator_
    n_trained = head.coef_.size + head.intercept_.size
    kept = ((step, name) for step in estimator[:-1] for name in ("idf_", "scale_"))
    constants = (getattr(step, name, None) for step, name in kept)
    return n_trained, n_trained + sum(own.size for own in constants if own is not None)


def _count_program(estimator):
    program = estimator.program_
    sides = (
        (program.input, estimator.transformation_.trainable),
        (program.output, estimator.mapping_.trainable),
    )
    n_trained = sum(own[name].size for own, names in sides for name in names if name in own)
    return n_trained, sum(array.size for own, _ in sides for array in own.values())
