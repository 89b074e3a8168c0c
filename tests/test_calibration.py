"""Temperature scaling with smoothed labels, against a fine grid."""

import numpy as np
import pytest
from scipy.special import log_softmax

from skreprogram.mappings._calibration import calibrate


def smoothed_loss(factor, scores, codes, weight):
    """Cross-entropy of the sharpened scores with Platt's targets, written out."""
    n_classes = scores.shape[1]
    total = 0.0
    for row, code, w in zip(log_softmax(factor * scores, axis=1), codes, weight, strict=True):
        mass = weight[codes == code].sum()
        right = (mass + 1) / (mass + 2)
        for t in range(n_classes):
            total -= w * row[t] * (right if t == code else (1 - right) / (n_classes - 1))
    return total


@pytest.mark.parametrize("noise", [0.3, 3.0])
def test_the_factor_is_the_best_of_a_fine_grid(noise):
    rng = np.random.RandomState(0)
    codes, weight = rng.randint(0, 3, size=40), rng.uniform(0.5, 2, size=40)
    scores = np.eye(3)[codes] + noise * rng.normal(size=(40, 3))
    grid = np.geomspace(0.1, 100, 400)
    best = grid[np.argmin([smoothed_loss(f, scores, codes, weight) for f in grid])]
    found = calibrate(scores, codes, weight)
    assert found.factor == pytest.approx(best, rel=0.02)
    assert found.loss == pytest.approx(smoothed_loss(found.factor, scores, codes, weight))


def test_scores_without_a_mistake_get_a_finite_factor():
    codes = np.arange(20) % 2
    factor = calibrate(2.0 * np.eye(2)[codes], codes, np.ones(20)).factor
    assert 1 < factor < 5  # Platt's target for ten rows a class is 11/12


def test_scores_that_mislead_get_the_smallest_factor():
    codes = np.arange(20) % 2
    assert calibrate(-np.eye(2)[codes], codes, np.ones(20)).factor == pytest.approx(0.1, rel=1e-3)
