"""Pooled statistics of activations against numpy."""

import numpy as np
import pytest
import torch

from skreprogram.mappings._pooling import RAMP, pool, share_levels


def stage(*shape, seed=0, dtype=torch.float32):
    """Activations of channels with different offsets."""
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return drawn + torch.arange(shape[1]).reshape(1, -1, *[1] * (len(shape) - 2))


def written_out(name, row):
    """One statistic of the positions of one channel."""
    return {"mean": np.mean, "std": np.std, "max": np.max, "min": np.min}[name](row)


@pytest.mark.parametrize("shape", [(4, 3, 11), (4, 3, 2, 5), (4, 3, 1)])
def test_statistics_are_those_of_numpy_side_by_side(shape):
    given, names = stage(*shape), ("min", "std", "mean", "max")
    got = pool(given, names).numpy()
    flat = given.numpy().astype(float).reshape(4, 3, -1)
    expected = [[written_out(n, row) for n in names for row in sample] for sample in flat]
    np.testing.assert_allclose(got, expected, atol=2e-6)


def test_thresholds_are_quantiles_of_each_channel_over_samples_and_positions():
    given = stage(5, 3, 40)
    thresholds, width = share_levels(given, (0.25, 0.9))
    channels = given.numpy().transpose(1, 0, 2).reshape(3, -1)
    np.testing.assert_allclose(thresholds, np.quantile(channels, (0.25, 0.9), axis=1), atol=1e-5)
    np.testing.assert_allclose(width, RAMP * channels.std(1, ddof=1), rtol=1e-5)


def test_thresholds_of_large_stages_come_from_a_part_of_them():
    given = stage(40, 2, 3000)
    thresholds, _ = share_levels(given, (0.5,))
    channels = given.numpy().transpose(1, 0, 2).reshape(2, -1)
    np.testing.assert_allclose(thresholds[0], np.median(channels, axis=1), atol=0.05)


def test_the_share_counts_positions_above_each_threshold_with_a_ramp():
    given = stage(4, 3, 50)
    thresholds, width = share_levels(given, (0.5, 0.8))
    got = pool(given, ("share",), thresholds, width).numpy()
    expected = np.empty((4, 6))
    for i, sample in enumerate(given.numpy()):
        for q in range(2):
            for c in range(3):
                above = (sample[c] - thresholds[q, c].item()) / width[c].item() + 0.5
                expected[i, 3 * q + c] = np.clip(above, 0, 1).mean()
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_half_of_the_training_positions_lie_above_the_median():
    given = stage(20, 3, 50)
    shares = pool(given, ("share",), *share_levels(given, (0.5,)))
    np.testing.assert_allclose(shares.mean(0), 0.5, atol=0.01)


def test_vectors_are_left_as_they_are():
    given = stage(4, 3)
    assert pool(given, ("mean", "share")) is given


def test_constant_activations_give_finite_statistics_and_gradients():
    given = torch.full((3, 2, 9), 4.0)
    levels = share_levels(given, (0.5,))
    given.requires_grad_()
    pooled = pool(given, ("mean", "std", "max", "min", "share"), *levels)
    pooled.sum().backward()
    assert torch.isfinite(pooled).all() and torch.isfinite(given.grad).all()


def test_the_gradient_is_that_of_finite_differences():
    given = stage(2, 2, 6, dtype=torch.float64)
    thresholds, width = share_levels(given, (0.5,))
    given.requires_grad_()
    names = ("mean", "std", "max", "min", "share")
    assert torch.autograd.gradcheck(lambda s: pool(s, names, thresholds, 10 * width), given)
