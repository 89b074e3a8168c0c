"""Texts through the door: vocabulary, training, files and scikit-learn's manners."""

import pickle

import joblib
import numpy as np
import pytest
import skops.io
from letter_texts import PATCHES, X_TEST, Y_TEST, X, Y, reprogrammer
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks
from toys import image_source

import skreprogram
from skreprogram import SequenceReprogrammer
from skreprogram.mappings import FeaturesMapping
from skreprogram.sources import BlackBoxSource
from skreprogram.tokenizers import CharacterTokenizer, KmerTokenizer


@pytest.fixture(scope="module")
def fitted():
    """A fitted estimator, which no test may change."""
    return reprogrammer().fit(X, Y)


def split_at_e(text):
    """A tokenizer of a user's own."""
    return text.split("E")


def test_it_learns_texts(fitted):
    assert fitted.score(X_TEST, Y_TEST) > 0.8
    assert set(fitted.predict(X_TEST)) == {"few", "many", "some"}
    assert_allclose(fitted.predict_proba(X_TEST).sum(1), 1, atol=1e-6)


def test_the_vocabulary_is_that_of_the_training_texts(fitted):
    assert sorted(fitted.vocabulary_) == list("ABCDE")
    assert list(fitted.vocabulary_.values()) == [2, 3, 4, 5, 6]
    assert fitted.program_.input["patches"].shape[0] == 7
    assert fitted.transformation_.n_tokens == 7 and PATCHES.n_tokens is None


def test_unknown_tokens_share_a_patch_and_empty_texts_are_all_padding(fitted):
    images = fitted.reprogram(["xyz", "?!.", "", "A"])
    assert_array_equal(images[0], images[1])
    padding = images[2][:, :2, :2]
    assert_array_equal(images[2], np.tile(padding, (1, 4, 4)))
    assert_array_equal(images[3][:, :, 2:], images[2][:, :, 2:])
    assert (images[3][:, :2, :2] != padding).all()


def test_no_sample_is_longer_than_the_longest_of_the_training(fitted):
    assert fitted.input_shape_ == (max(map(len, X)),)
    whole = "ABCDE" * 3
    cut = whole[: fitted.input_shape_[0]]
    assert_array_equal(fitted.reprogram([whole]), fitted.reprogram([cut]))


def test_max_length_cuts_training_texts_too():
    clf = reprogrammer(max_length=3, max_epochs=1).fit(X, Y)
    assert clf.input_shape_ == (3,)
    assert_array_equal(clf.reprogram(["ABCDE"]), clf.reprogram(["ABC"]))


@pytest.mark.filterwarnings("ignore:Got samples of 512 tokens")
def test_very_long_texts_count_with_their_first_512_tokens():
    clf = reprogrammer(max_epochs=1).fit(["ab" * 400, "b"], [0, 1])
    assert clf.input_shape_ == (512,)


def test_rows_of_no_weight_are_as_good_as_absent():
    weight = np.r_[np.ones(len(X)), 0, 0]
    rows = [*X, "a much longer text", "ZZZ"], [*Y, "few", "few"]
    with_them = reprogrammer().fit(*rows, weight)
    without = reprogrammer().fit(X, Y)
    assert with_them.vocabulary_ == without.vocabulary_
    assert_allclose(with_them.predict_proba(X), without.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize(
    "mapping", ["first", "random", "frequency", "iterative", "linear", "features", "bayesian"]
)
def test_patches_train_with_every_kind_of_mapping(mapping):
    clf = reprogrammer(output_mapping=mapping, max_epochs=15).fit(X, Y)
    start = reprogrammer(output_mapping=mapping, max_epochs=1, lr=1e-9).fit(X, Y)
    assert clf.history_[-1]["train_loss"] < start.history_[-1]["train_loss"]
    moved = np.abs(clf.program_.input["patches"] - start.program_.input["patches"])
    # all but the unknown token, which training does not hold
    assert (moved.reshape(7, -1).max(1) > 1e-3).tolist() == [True, False, *[True] * 5]


def brightness(images):
    """A black box: probabilities of bright and dark."""
    bright = images.mean((1, 2, 3))
    return np.stack([bright, 1 - bright], 1)


@pytest.mark.parametrize("gradient", ["auto", "rgf"])
def test_a_black_box_of_images_is_asked_about_patches(gradient):
    source = BlackBoxSource(brightness, (1, 8, 8), 2, value_range=(0, 1))
    X, y = ["A" * 16, "AAB" * 5, "BBA" * 5, "B" * 16] * 4, [0, 0, 1, 1] * 4
    clf = reprogrammer(source, gradient=gradient, batch_size=4).fit(X, y)
    assert clf.n_queries_ > 0
    assert clf.score(X, y) > 0.9


def test_double_precision_goes_through():
    clf = reprogrammer(dtype="float64", max_epochs=2).fit(X, Y)
    assert clf.program_.input["patches"].dtype == np.float64
    assert clf.reprogram(X).dtype == np.float64


def test_early_stopping_and_weights_go_through():
    clf = reprogrammer(early_stopping=True, class_weight="balanced", max_epochs=3).fit(X, Y)
    assert all("valid_loss" in row for row in clf.history_)


def test_an_augmentation_changes_numbers_of_tokens():
    seen = []

    def forget(numbers, generator):
        seen.append(numbers.dtype)
        return numbers.clamp(max=1)

    clf = reprogrammer(augmentation=forget, max_epochs=2).fit(X, Y)
    assert {str(kind) for kind in seen} == {"torch.int64"}
    assert np.isfinite(clf.history_[-1]["train_loss"])


def test_partial_fit_keeps_the_first_vocabulary():
    clf = reprogrammer().partial_fit(X, Y, classes=np.unique(Y))
    before = clf.vocabulary_
    clf.partial_fit(["ZZZZZZZZZZZZZZZZZZZZ"], ["few"])
    assert clf.vocabulary_ == before and len(clf.history_) == 2


def test_a_warm_start_goes_on_with_vocabulary_and_program():
    clf = reprogrammer(warm_start=True, max_epochs=4).fit(X, Y)
    program, vocabulary = clf.program_.input["patches"], clf.vocabulary_
    clf.set_params(max_epochs=1, lr=1e-9).fit(["ZA" * 20, *X_TEST], ["few", *Y_TEST])
    assert clf.vocabulary_ == vocabulary
    assert_allclose(clf.program_.input["patches"], program, atol=1e-6)


def test_another_tokenizer_has_its_own_vocabulary():
    clf = reprogrammer(tokenizer="kmer:2", max_epochs=1).fit(["ABAB", "BBB"], [0, 1])
    assert clf.vocabulary_ == {"AB": 2, "BB": 3, "BA": 4}
    assert clf.input_shape_ == (3,)


def test_a_function_is_a_tokenizer():
    clf = reprogrammer(tokenizer=split_at_e, max_epochs=1).fit(["AEBEC", "AEA"], [0, 1])
    assert clf.vocabulary_ == {"A": 2, "B": 3, "C": 4}


def from_file(clf, folder):
    clf.save(folder / "clf.safetensors")
    return skreprogram.load(folder / "clf.safetensors", source=image_source())


def from_joblib(clf, folder):
    joblib.dump(clf, folder / "clf.joblib")
    return joblib.load(folder / "clf.joblib")


def from_skops(clf, folder):
    skops.io.dump(clf, folder / "clf.skops")
    unknown = skops.io.get_untrusted_types(file=folder / "clf.skops")
    return skops.io.load(folder / "clf.skops", trusted=unknown)


RESTORED = {
    "file": from_file,
    "joblib": from_joblib,
    "pickle": lambda clf, folder: pickle.loads(pickle.dumps(clf)),
    "skops": from_skops,
}


@pytest.mark.parametrize("way", RESTORED)
@pytest.mark.parametrize("tokenizer", ["char", KmerTokenizer(2, max_vocabulary=9), "word"])
def test_a_restored_estimator_predicts_bit_by_bit_the_same(way, tokenizer, tmp_path):
    clf = reprogrammer(tokenizer=tokenizer, max_epochs=2).fit(X, Y)
    restored = RESTORED[way](clf, tmp_path)
    assert_array_equal(restored.predict_proba(X_TEST), clf.predict_proba(X_TEST))
    assert restored.vocabulary_ == clf.vocabulary_
    assert list(restored.vocabulary_) == list(clf.vocabulary_)
    assert repr(restored.tokenizer_) == repr(clf.tokenizer_)


def test_numbers_as_tokens_come_back_from_a_file_as_numbers(tmp_path):
    clf = reprogrammer(max_epochs=1).fit([[1, 2, "2"], [2, 1, 1]], [0, 1])
    restored = from_file(clf, tmp_path)
    assert restored.vocabulary_ == clf.vocabulary_
    assert {type(token) for token in restored.vocabulary_} == {int, str}


def test_a_file_cannot_hold_a_function(tmp_path):
    clf = reprogrammer(tokenizer=split_at_e, max_epochs=1).fit(X, Y)
    with pytest.raises(TypeError, match="Use joblib.dump"):
        clf.save(tmp_path / "clf.safetensors")


def test_cross_validation_takes_a_list():
    assert cross_val_score(reprogrammer(), X, Y, cv=3).mean() > 0.6


def test_a_search_over_tokenizers_and_parameters_of_the_transformation():
    grid = {
        "tokenizer": ["char", "kmer:2", CharacterTokenizer(min_count=2)],
        "input_transformation__init_scale": [0.5, 1.0],
    }
    search = GridSearchCV(reprogrammer(max_epochs=3), grid, cv=2, error_score="raise").fit(X, Y)
    assert len(search.cv_results_["params"]) == 6
    assert_array_equal(search.predict(X_TEST), search.best_estimator_.predict(X_TEST))


def test_parameters_of_a_tokenizer_are_searched():
    clf = reprogrammer(tokenizer=KmerTokenizer(), max_epochs=2)
    search = GridSearchCV(clf, {"tokenizer__k": [1, 2]}, cv=2, error_score="raise").fit(X, Y)
    assert set(search.cv_results_["param_tokenizer__k"]) == {1, 2}


def test_a_pipeline_hands_texts_on(fitted):
    pipeline = make_pipeline(FunctionTransformer(_upper), reprogrammer()).fit(
        [text.lower() for text in X], Y
    )
    assert_array_equal(pipeline.predict_proba(X_TEST), fitted.predict_proba(X_TEST))


def _upper(X):
    return [text.upper() for text in X]


def test_the_same_seed_gives_the_same_program(fitted):
    again = clone(fitted).fit(X, Y)
    assert_array_equal(again.predict_proba(X_TEST), fitted.predict_proba(X_TEST))


def test_predictions_do_not_depend_on_company_or_order(fitted):
    whole = fitted.predict_proba(X_TEST)
    alone = np.concatenate([fitted.predict_proba([text]) for text in X_TEST])
    assert_allclose(alone, whole, atol=1e-6)
    assert_allclose(fitted.predict_proba(X_TEST[::-1])[::-1], whole, atol=1e-6)


def test_predicting_changes_nothing(fitted):
    before = pickle.dumps(fitted)
    fitted.predict(X_TEST)
    assert pickle.dumps(fitted) == before


# most of scikit-learn's checks fit tables of numbers, so that it runs the first of these alone for
# estimators of text, its own vectorizers among them; the others here need no data either
CHECKS = (
    "check_estimator_cloneable",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
)


@pytest.mark.parametrize("name", CHECKS)
def test_scikit_learn_check_that_needs_no_data(name):
    getattr(estimator_checks, name)("SequenceReprogrammer", SequenceReprogrammer())


def test_it_says_that_it_takes_texts():
    tags = SequenceReprogrammer().__sklearn_tags__().input_tags
    assert tags.string and not (tags.two_d_array or tags.sparse)


def test_an_unfitted_estimator_says_so():
    with pytest.raises(NotFittedError):
        reprogrammer().predict(X)


def test_its_head_can_read_features():
    clf = reprogrammer(output_mapping=FeaturesMapping(("mean",))).fit(X, Y)
    assert clf.score(X_TEST, Y_TEST) > 0.8
