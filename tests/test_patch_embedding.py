"""Patches of images, series and tables at the positions of a language model."""

import numpy as np
import pytest
import torch
from tiny_texts import text_source
from toys import squares

from skreprogram import ReprogrammingClassifier, TimeSeriesReprogrammer, load
from skreprogram._input_space import InputSpace, Vocabulary
from skreprogram.datasets import make_tones
from skreprogram.transformations import PatchEmbedding

WORDS = torch.randn(40, 8, generator=torch.Generator().manual_seed(5))
SPACE = InputSpace((12, 9), flexible=True, vocabulary=Vocabulary(3 * WORDS))


def G(seed=0):
    return torch.Generator().manual_seed(seed)


def embedded(X, patch_size, space=SPACE, **changed):
    """The embeddings of data, with the parameters they were made with."""
    patches = PatchEmbedding(patch_size)
    params = {**patches.init(X, space, G()), **changed}
    return patches.apply(params, X, space), params


def by_hand(values, params):
    """The formula for patches of shape (n_samples, n_patches, n_values)."""
    standard = (values - params["mean"]) / params["spread"]
    return params["words"] * (standard @ params["weight"].T + params["bias"])


def test_patches_of_an_image_go_row_by_row_with_all_channels():
    X = torch.rand(3, 2, 4, 6, generator=G(1))
    inputs, params = embedded(X, 2, bias=torch.randn(8, generator=G(2)))
    cells = [X[:, :, i : i + 2, j : j + 2].flatten(1) for i in (0, 2) for j in (0, 2, 4)]
    torch.testing.assert_close(inputs[..., :-1], by_hand(torch.stack(cells, 1), params))


def test_patches_of_a_series_hold_all_channels():
    X = torch.rand(3, 2, 12, generator=G(1))
    inputs, params = embedded(X, 4)
    cells = [X[:, :, i : i + 4].flatten(1) for i in (0, 4, 8)]
    torch.testing.assert_close(inputs[..., :-1], by_hand(torch.stack(cells, 1), params))


def test_patches_of_a_table_are_runs_of_features():
    X = torch.rand(3, 12, generator=G(1))
    inputs, params = embedded(X, 3)
    torch.testing.assert_close(inputs[..., :-1], by_hand(X.reshape(3, 4, 3), params))


@pytest.mark.parametrize("shape", [(5,), (2, 5), (1, 4, 5)])
def test_what_is_missing_in_the_last_patches_is_the_mean(shape):
    X = torch.rand(3, *shape, generator=G(1))
    filled = torch.cat([X, X.mean().expand(*X.shape[:-1], 3)], -1)
    inputs, params = embedded(X, 4)
    torch.testing.assert_close(inputs, PatchEmbedding(4).apply(params, filled, SPACE))


def test_every_position_is_attended_and_none_is_read_alone():
    inputs, _ = embedded(torch.rand(3, 12, generator=G(1)), 3)
    assert torch.equal(inputs[..., -1], torch.ones(3, 4))


def test_patches_start_on_the_scale_of_words_whatever_that_of_the_data():
    X = 1e4 * torch.rand(500, 12, generator=G(1)) + 1e5
    inputs, _ = embedded(X, 4)
    assert 0.7 < inputs[..., :-1].std() / (3 * WORDS).std() < 1.4


def test_constant_data_are_embedded_as_finite_numbers():
    inputs, _ = embedded(torch.full((3, 12), 7.0), 4)
    assert torch.isfinite(inputs).all()


@pytest.mark.parametrize(
    ("patch_size", "space", "sentence"),
    [
        (0, SPACE, "Got patch_size=0 in PatchEmbedding"),
        (1, SPACE._replace(shape=(11, 9)), r"\(12,\), 12 patches with patch_size=1, .* takes 11"),
        (4, InputSpace((3, 8, 8)), r"\(3, 8, 8\) for PatchEmbedding, expected a source of text"),
    ],
)
def test_what_cannot_be_embedded_is_refused(patch_size, space, sentence):
    with pytest.raises(ValueError, match=sentence):
        embedded(torch.rand(3, 12), patch_size, space)


def test_a_language_model_with_tuned_norms_learns_images(tmp_path):
    X, y = squares(40)
    clf = ReprogrammingClassifier(
        text_source(tmp_path),
        input_transformation=PatchEmbedding(2),
        output_mapping="linear",
        finetune="norm",
        random_state=0,
    )
    clf.set_params(max_epochs=15).fit(X[:30], y[:30])
    assert clf.score(X[30:], y[30:]) > 0.8
    assert all("LayerNorm" in name for name in clf.program_.source)
    clf.save(tmp_path / "program.safetensors")
    loaded = load(tmp_path / "program.safetensors", source=clf.source_)
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))


def test_a_language_model_takes_series(tmp_path):
    X, y = make_tones(n_samples=40, length=24, n_classes=2, random_state=0)
    clf = TimeSeriesReprogrammer(
        text_source(tmp_path), input_transformation="patch-embedding", max_epochs=15, random_state=0
    )
    assert clf.fit(X, y).score(X, y) > 0.9
