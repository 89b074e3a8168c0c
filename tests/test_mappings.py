"""What every output mapping keeps to, and the linear one."""

import numpy as np
import pytest
import torch
from every_mapping import EVERY_NAME, mapping_of

from skreprogram.mappings import LinearMapping, OutputMapping

EVERY = pytest.mark.parametrize("name", EVERY_NAME)


def given_to(mapping, n_rows=12, seed=0, dtype=torch.float32):
    """Logits, or stages of features, as the mapping reads."""
    generator = torch.Generator().manual_seed(seed)
    shapes = [(7,)] if mapping.reads == "outputs" else [(3, 11), (2, 4, 5), (6,)]
    drawn = [torch.randn(n_rows, *s, generator=generator, dtype=dtype) for s in shapes]
    return drawn[0] if mapping.reads == "outputs" else tuple(drawn)


def rows(given, part):
    """Part of the rows of logits or stages."""
    return given[part] if isinstance(given, torch.Tensor) else tuple(s[part] for s in given)


def moved(mapping, seed):
    """Tensors of a mapping after some training."""
    generator = torch.Generator().manual_seed(seed)
    params = mapping.init(given_to(mapping, seed=seed), 3, generator)
    for name in mapping.trainable:
        params[name] = params[name] + torch.randn(params[name].shape, generator=generator)
    return params


@EVERY
def test_stacked_programs_score_as_each_scores_alone(name):
    mapping = mapping_of(name, n_outputs=7, n_classes=3)
    programs = [moved(mapping, seed) for seed in range(3)]
    given = [given_to(mapping, 5, seed + 10) for seed in range(3)]
    stacked = {key: torch.stack([params[key] for params in programs]) for key in programs[0]}
    side_by_side = torch.utils._pytree.tree_map(lambda *parts: torch.stack(parts), *given)
    together = torch.func.vmap(mapping.apply)(stacked, side_by_side)
    for scores, params, own in zip(together, programs, given, strict=True):
        torch.testing.assert_close(scores, mapping.apply(params, own), atol=1e-5, rtol=1e-5)


@EVERY
def test_rows_are_scored_without_regard_to_their_company(name):
    mapping = mapping_of(name, n_outputs=7, n_classes=3)
    params, given = moved(mapping, 0), given_to(mapping)
    whole = mapping.apply(params, given)
    assert whole.shape == (12, 3)
    torch.testing.assert_close(
        whole[4:6], mapping.apply(params, rows(given, slice(4, 6))), atol=1e-5, rtol=1e-5
    )


@EVERY
def test_double_precision_stays_double(name):
    mapping = mapping_of(name, n_outputs=7, n_classes=3)
    given = given_to(mapping, dtype=torch.float64)
    params = mapping.init(given, 3, torch.Generator())
    numbers = [tensor for tensor in params.values() if tensor.is_floating_point()]
    assert {tensor.dtype for tensor in numbers} == {torch.float64}
    assert mapping.apply(params, given).dtype == torch.float64


@EVERY
def test_trainable_names_are_names_of_the_drawn_tensors(name):
    mapping = mapping_of(name, n_outputs=7, n_classes=3)
    assert set(mapping.trainable) <= set(moved(mapping, 0))


@pytest.mark.parametrize("name", ["linear", "features"])
def test_gradient_trained_heads_start_without_a_preference(name):
    mapping = OutputMapping.resolve(name)
    given = given_to(mapping)
    assert not mapping.apply(mapping.init(given, 3, torch.Generator()), given).any()


def test_linear_is_a_matrix_on_centred_outputs_of_unit_spread():
    mapping = LinearMapping()
    logits = given_to(mapping) * 40 + 7
    params = mapping.init(logits, 3, torch.Generator())
    params["weight"], params["bias"] = torch.randn(7, 3), torch.randn(3)
    z = logits.numpy()
    standard = (z - z.mean(0)) / z.std()
    expected = standard @ params["weight"].numpy() + params["bias"].numpy()
    np.testing.assert_allclose(mapping.apply(params, logits), expected, atol=1e-4)


def test_linear_of_constant_outputs_is_finite():
    mapping, logits = LinearMapping(), torch.full((5, 4), 2.5)
    params = mapping.init(logits, 2, torch.Generator())
    params["weight"] = torch.ones(4, 2)
    assert torch.isfinite(mapping.apply(params, logits)).all()


def test_the_penalty_of_linear_is_l2_times_the_squared_matrix():
    params = {"weight": torch.tensor([[1.0, -3.0]]), "bias": torch.tensor([100.0, 0.0])}
    assert LinearMapping(l2=0.1).penalty(params).item() == pytest.approx(1.0)
