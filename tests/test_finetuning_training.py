"""One training loop for a program and the tensors of the source that belong to it."""

import numpy as np
import pytest
import torch
from small_tasks import assert_equal_programs, options, task
from tiny_texts import text_source
from torch import nn
from toys import disturbed_network, seeded

from skreprogram import SequenceReprogrammer
from skreprogram.mappings import FeaturesMapping, FirstMapping, FrequencyMapping, LinearMapping
from skreprogram.sources import SourceModel, load_source
from skreprogram.training import Composition, class_scores, fit_programs
from skreprogram.transformations import IdentityTransformation, TilingTransformation


class Flat(nn.Module):
    """A linear network on samples of one channel."""

    def __init__(self, linear):
        super().__init__()
        self.linear = linear

    def forward(self, inputs):
        return self.linear(inputs.flatten(1))


def test_one_step_of_gradient_descent_is_that_of_autograd():
    network = seeded(lambda: Flat(nn.Linear(4, 3))).double()
    handle, one = SourceModel.from_module(network, (1, 4)), task(8)
    loaded = handle.load(dtype=torch.float64, folded=False)
    composed = Composition(loaded, handle.input_space, IdentityTransformation(), FirstMapping())
    chosen = options(max_epochs=1, optimizer="sgd", lr=9.0, finetune="all", finetune_lr=0.1)
    (program,) = fit_programs([one], composed, chosen)
    losses = nn.functional.cross_entropy(network(one.train.X)[:, :2], one.train.y, reduction="none")
    ((losses * one.train.weight).sum() / one.train.weight.sum()).backward()
    for name, parameter in network.named_parameters():
        expected = parameter - 0.1 * parameter.grad
        np.testing.assert_allclose(program.source[name], expected.detach(), atol=1e-12)


def small_composition(mapping, program=True):
    """A source with batch statistics between two strategies, in double precision."""
    facts = {"value_range": (-1, 1)}
    handle = SourceModel.from_module(disturbed_network(12, 6), (12,), **facts)
    tiling = TilingTransformation(2, program=program, init_scale=0.5)
    loaded = handle.load(dtype=torch.float64, folded=False)
    return Composition(loaded, handle.input_space, tiling, mapping)


@pytest.mark.parametrize("mapping", [LinearMapping(), FeaturesMapping(), FrequencyMapping()])
@pytest.mark.parametrize("program", [True, False])
def test_programs_in_company_are_what_they_are_alone(mapping, program):
    tasks = [task(seed=seed, n_valid=9) for seed in range(3)]
    composed = small_composition(mapping, program)
    chosen = options(max_epochs=6, lr=0.1, patience=2, finetune=["norm", "0.*"], finetune_lr=0.05)
    together = fit_programs(tasks, composed, chosen)
    for one, fitted in zip(tasks, together, strict=True):
        (alone,) = fit_programs([one], composed, chosen)
        assert_equal_programs(fitted, alone)
        for name, array in alone.source.items():
            np.testing.assert_allclose(fitted.source[name], array, atol=1e-5)
    assert not np.allclose(together[0].source["0.weight"], together[1].source["0.weight"])


def test_early_stopping_keeps_the_tensors_of_the_best_epoch():
    one, composed = task(n_valid=9), small_composition(LinearMapping())
    chosen = options(max_epochs=30, lr=0.3, patience=3, finetune="all", finetune_lr=0.3)
    (program,) = fit_programs([one], composed, chosen)
    losses = [row["valid_loss"] for row in program.history]
    assert np.argmin(losses) < len(losses) - 1
    scores = torch.from_numpy(class_scores(program, composed, one.valid.X.numpy()))
    each = nn.functional.cross_entropy(scores, one.valid.y, reduction="none")
    found = (each * one.valid.weight).sum() / one.valid.weight.sum()
    np.testing.assert_allclose(found, min(losses), rtol=1e-6)


def test_a_label_mapping_may_train_nothing_but_the_source():
    one = task(40)
    composed = small_composition(FrequencyMapping(refit_every=1), program=False)
    chosen = options(max_epochs=30, finetune="all", finetune_lr=0.02)
    (program,) = fit_programs([one], composed, chosen)
    assert program.history[-1]["train_loss"] < 0.5 * program.history[0]["train_loss"]


def test_programs_in_company_share_frames_as_they_do_alone():
    handle = load_source("speech-commands")
    loaded, tiling = handle.load(folded=False), TilingTransformation(2)
    composed = Composition(loaded, handle.input_space, tiling, LinearMapping())
    tasks = [task(6, seed, dtype=np.float32) for seed in range(2)]
    chosen = options(max_epochs=2, finetune="last", batch_size=3)
    assert composed.network.shares_frames
    for one, fitted in zip(tasks, fit_programs(tasks, composed, chosen), strict=True):
        assert_equal_programs(fitted, fit_programs([one], composed, chosen)[0], atol=1e-4)


def test_a_language_model_leaves_out_the_vocabulary_that_is_read_before_it(tmp_path):
    clf = SequenceReprogrammer(text_source(tmp_path), finetune="all", max_epochs=2, random_state=0)
    before = clf.source.load().state_digest()
    clf.fit(["a good film", "a bad plot", "very good story", "it was bad"], [1, 0, 1, 0])
    assert clf.source.load().state_digest() == before
    names = list(clf.program_.source)
    assert any("LayerNorm" in name for name in names)
    assert not any("word_embeddings" in name or "decoder" in name for name in names)
