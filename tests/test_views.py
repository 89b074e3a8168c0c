"""The views of a series that the default shows side by side."""

import numpy as np
import torch

from skreprogram._input_space import InputSpace
from skreprogram.mappings._pooling import pool
from skreprogram.transformations import (
    DifferencesTransformation,
    FrequencyModulation,
    SumsTransformation,
    TilingTransformation,
    modulations,
)

SPACE = InputSpace((16_000,), (-1.0, 1.0), flexible=True, sampling_rate=16_000)


def series(n_samples=3, length=60):
    return torch.randn(n_samples, 1, length, generator=torch.Generator().manual_seed(0)).double()


def applied(transformation, X, space=SPACE):
    return transformation.apply(transformation.init(X, space, torch.Generator()), X, space)


def test_harmonics_stand_at_whole_multiples_of_the_pitch():
    voice = FrequencyModulation(
        low=199.0, high=201.0, harmonics=3, shortest=1.0, longest=1.0, scale="rank"
    )
    spectrum = np.abs(np.fft.rfft(applied(voice, series())[0].numpy()))
    heights = [spectrum[place - 5 : place + 6].max() for place in (200, 400, 600)]
    np.testing.assert_allclose(np.array(heights) / heights[0], [1, 1 / 2, 1 / 3], atol=0.15)
    assert spectrum[790:810].max() < 0.05 * heights[0]


def test_ranks_ignore_monotone_distortions():
    ranks = FrequencyModulation(scale="rank")
    torch.testing.assert_close(applied(ranks, series()), applied(ranks, series().exp()))


def test_equal_points_have_equal_ranks():
    ranks = FrequencyModulation(scale="rank")
    heights = ranks._heights({}, torch.tensor([[[1.0, 3.0, 1.0, 7.0]]]))
    torch.testing.assert_close(heights, torch.tensor([[[1 / 6, 4 / 6, 1 / 6, 1.0]]]))


def test_kept_differences_stand_beside_the_series():
    shown = DifferencesTransformation(keep=True).shown(torch.tensor([[[1.0, 4.0, 6.0]]]))
    torch.testing.assert_close(shown, torch.tensor([[[1.0, 4.0, 6.0], [3.0, 2.0, 2.0]]]))


def test_sums_run_over_deviations_from_the_mean():
    sums = SumsTransformation(TilingTransformation(program=False))
    X = torch.tensor([[[1.0, 2.0, 6.0]]])
    torch.testing.assert_close(
        applied(sums, X, InputSpace((3,))), torch.tensor([[-2.0, -3.0, 0.0]])
    )


def test_the_default_shows_eight_views_and_trains_none():
    views = applied(modulations(), series())
    assert len(views) == 8
    assert all(len(view) == 3 and view.abs().max() <= 1 for view in views)
    assert modulations().trainable == ()


def test_thirds_know_where_something_happens():
    stage = torch.zeros(1, 1, 9)
    stage[0, 0, 6:] = 1.0
    torch.testing.assert_close(pool(stage, ("thirds",)), torch.tensor([[0.0, 0.0, 1.0]]))


def test_thirds_of_a_single_position_are_that_position():
    torch.testing.assert_close(
        pool(torch.full((1, 1, 1), 2.0), ("thirds",)), torch.full((1, 3), 2.0)
    )
