"""What pictures of series show, against written-out references."""

import math

import numpy as np
import pytest
import torch
from drawing import COLOURS, drawn, every_kind, grey, noise

from skreprogram._input_space import InputSpace
from skreprogram.transformations import (
    GramianField,
    LineDrawing,
    RecurrencePlot,
    Spectrogram,
    StackedSegments,
)


def between_0_and_1(series):
    series = np.asarray(series, dtype=float)
    return (series - series.min()) / (series.max() - series.min())


def test_segments_read_line_by_line_are_the_series():
    X = noise(2, 1, 12)
    picture = drawn(StackedSegments(row_length=4, scale="range"), X, grey(3, 4))
    for row, series in zip(picture.reshape(2, 12), X[:, 0], strict=True):
        np.testing.assert_allclose(row, between_0_and_1(series), atol=1e-6)


def test_overlapping_segments_repeat_what_the_last_row_ended_with():
    X = torch.arange(8.0).reshape(1, 1, 8)
    picture = drawn(StackedSegments(row_length=4, overlap=0.5, scale="range"), X, grey(3, 4))
    expected = torch.tensor([[0.0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7]]) / 7
    torch.testing.assert_close(picture[0, 0], expected)


def test_a_series_that_repeats_with_the_row_gives_vertical_stripes():
    X = torch.sin(torch.arange(60.0) * 2 * math.pi / 10).reshape(1, 1, 60)
    picture = drawn(StackedSegments(row_length=10), X, grey(30, 30))[0, 0]
    torch.testing.assert_close(picture, picture[:1].expand(30, -1), atol=1e-5, rtol=0)
    assert picture[0].max() - picture[0].min() > 0.5


def test_rows_are_as_long_as_the_root_of_the_series():
    X = noise(1, 1, 25)
    picture = drawn(StackedSegments(scale="range"), X, grey(5, 5))
    np.testing.assert_allclose(picture.flatten(), between_0_and_1(X.flatten()), atol=1e-6)


def test_the_bright_pixels_of_a_drawing_lie_at_the_heights_of_the_series():
    heights = torch.tensor([0.0, 3.0, 9.0, 6.0, 6.0, 1.0])
    picture = drawn(LineDrawing(width=1.0), heights.reshape(1, 1, 6), grey(10, 6))[0, 0]
    for column, height in zip(picture.T, heights.int().tolist(), strict=True):
        # the lowest value is in the last of ten rows
        assert column[9 - height] == pytest.approx(1, abs=1e-5)


def test_a_line_is_dark_beside_its_width():
    X = torch.full((1, 1, 20), 2.0)
    picture = drawn(LineDrawing(width=3.0), X, grey(11, 8))[0, 0]
    # the middle row, one pixel to either side, and half of nothing further away
    expected = torch.zeros(11)
    expected[4:7] = 1.0
    torch.testing.assert_close(picture, expected.unsqueeze(-1).expand(-1, 8))


def test_a_drawing_connects_jumps():
    X = torch.tensor([0.0] * 10 + [1.0] * 10).reshape(1, 1, 20)
    picture = drawn(LineDrawing(width=1.0), X, grey(21, 20))[0, 0]
    assert (picture[:, 9:11].amax(1) == 1).all()


def test_a_single_high_point_of_a_long_series_stays_in_the_drawing():
    X = torch.zeros(1, 1, 3000)
    X[..., 1200] = 1.0
    picture = drawn(LineDrawing(), X, grey(50, 60))[0, 0]
    assert picture[0].argmax() == 1200 * 60 // 3000 and picture[0].max() == 1


def test_recurrence_is_one_minus_the_distance_of_any_two_moments():
    X = noise(1, 1, 9)
    picture = drawn(RecurrencePlot(scale="range"), X, grey(9, 9))[0, 0]
    x = between_0_and_1(X.flatten())
    np.testing.assert_allclose(picture, 1 - np.abs(x[:, None] - x[None]), atol=1e-6)


def test_embedded_recurrence_compares_several_moments():
    X = noise(1, 1, 12)
    picture = drawn(RecurrencePlot(dimension=3, delay=2, scale="range"), X, grey(12, 12))[0, 0]
    x = np.pad(between_0_and_1(X.flatten()), (0, 4), mode="edge")
    distance = sum(np.abs(x[s : s + 12, None] - x[None, s : s + 12]) for s in (0, 2, 4)) / 3
    np.testing.assert_allclose(picture, 1 - distance, atol=1e-6)


def test_a_threshold_tells_near_moments_from_others():
    X = torch.tensor([0.0, 1.0, 0.1, 0.9]).reshape(1, 1, 4)
    picture = drawn(RecurrencePlot(0.3, 0.01, scale="range"), X, grey(4, 4))[0, 0]
    expected = torch.tensor([[1.0, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1]])
    torch.testing.assert_close(picture, expected, atol=1e-6, rtol=0)


def test_the_summation_field_is_the_cosine_of_added_angles():
    X = noise(1, 1, 9, dtype=torch.float64)
    picture = drawn(GramianField(channels="summation"), X, grey(9, 9))[0, 0]
    angle = np.arccos(2 * between_0_and_1(X.flatten()) - 1)
    np.testing.assert_allclose(2 * picture - 1, np.cos(angle[:, None] + angle), atol=2e-4)


def test_the_difference_field_is_the_sine_of_subtracted_angles():
    X = noise(1, 1, 9, dtype=torch.float64)
    picture = drawn(GramianField(channels="difference"), X, grey(9, 9))[0, 0]
    angle = np.arccos(2 * between_0_and_1(X.flatten()) - 1)
    np.testing.assert_allclose(2 * picture - 1, np.sin(angle[:, None] - angle), atol=2e-4)


def test_the_transition_field_holds_shares_of_steps_between_levels():
    # on two levels: low low high low high high, three steps from low and two from high
    X = torch.tensor([0.0, 1.0, 8.0, 2.0, 7.0, 9.0]).reshape(1, 1, 6)
    picture = drawn(GramianField(n_levels=2, channels="transition"), X, grey(6, 6))[0, 0]
    level = np.array([0, 0, 1, 0, 1, 1])
    shares = np.array([[1 / 3, 2 / 3], [1 / 2, 1 / 2]])
    np.testing.assert_allclose(picture, shares[level[:, None], level], atol=1e-6)


def test_a_spectrogram_is_the_short_time_fourier_transform():
    X, window = noise(1, 1, 160), 16
    picture = drawn(Spectrogram(window=window, scale="range", floor=1e-3), X, grey(9, 81))[0, 0]
    x = torch.from_numpy(between_0_and_1(X.flatten()))
    hann = torch.from_numpy(np.hanning(window + 2)[1:-1])
    bands = torch.stft(
        x - x.mean(), window, 2, window=hann / hann.sum(), pad_mode="constant", return_complex=True
    )
    expected = torch.log1p(bands.abs().square() / 1e-3) / math.log1p(1e3)
    torch.testing.assert_close(picture, expected.flip(0).float(), atol=1e-4, rtol=0)


@pytest.mark.parametrize("cycles", [2, 5, 8])
def test_a_tone_is_a_bright_line_at_its_frequency(cycles):
    X = torch.sin(2 * math.pi * torch.arange(400.0) * cycles / 20).reshape(1, 1, -1)
    picture = drawn(Spectrogram(window=20), X, grey(11, 30))[0, 0]
    assert (picture[:, 5:-5].argmax(0) == 10 - cycles).all()


def test_image_channels_show_what_their_words_say():
    X = noise(2, 1, 30).cumsum(-1)
    words = ("values", "differences", "sums", "levels")
    changes = X.diff(dim=-1)
    shown = {
        "values": X,
        "differences": torch.cat([changes, changes[..., -1:]], -1),
        "sums": (X - X.mean(-1, keepdim=True)).cumsum(-1),
    }
    picture = drawn(StackedSegments(channels=words[:3]), X, COLOURS)
    for i, word in enumerate(words[:3]):
        alone = drawn(StackedSegments(channels="values"), shown[word], COLOURS)
        torch.testing.assert_close(picture[:, i], alone[:, i])
    levels = drawn(StackedSegments(channels="levels"), X, COLOURS)
    torch.testing.assert_close(
        levels, drawn(StackedSegments(scale="set", channels="values"), X, COLOURS)
    )


@every_kind
def test_one_word_gives_a_grey_picture(kind):
    word = "difference" if kind is GramianField else "differences"
    picture = drawn(kind(channels=word), noise(2, 1, 30), COLOURS)
    assert torch.equal(picture[:, 0], picture[:, 1]) and torch.equal(picture[:, 0], picture[:, 2])


@every_kind
def test_a_source_of_one_channel_sees_the_first_word(kind):
    X = noise(2, 1, 30)
    colours = drawn(kind(), X, InputSpace((3, 14, 17), (0.0, 1.0)))
    torch.testing.assert_close(drawn(kind(), X, grey(14, 17))[:, 0], colours[:, 0])


def test_levels_show_the_amplitudes_that_values_hide():
    X = noise(1, 1, 40)
    X = torch.cat([X, 3 * X])
    picture = drawn(StackedSegments(channels=("values", "levels", "values")), X, COLOURS)
    torch.testing.assert_close(picture[0, 0], picture[1, 0], atol=1e-4, rtol=0)
    assert (picture[0, 1] - picture[1, 1]).abs().mean() > 0.05


@every_kind
def test_three_series_are_red_green_and_blue(kind):
    X = noise(2, 3, 40)
    picture = drawn(kind(), X, COLOURS)
    for i in range(3):
        alone = drawn(kind(), X[:, i : i + 1], grey(14, 17)._replace(value_range=(-0.8, 0.7)))
        torch.testing.assert_close(picture[:, i], alone[:, 0], atol=1e-5, rtol=0)


@every_kind
def test_further_series_lie_in_tiles_below(kind):
    X = noise(2, 5, 40)
    tile = COLOURS._replace(shape=(3, 7, 17))
    picture = drawn(kind(), X, COLOURS)
    torch.testing.assert_close(picture[:, :, :7], drawn(kind(), X[:, :3], tile))
    torch.testing.assert_close(picture[:, :2, 7:], drawn(kind(), X[:, 3:], tile)[:, :2])
    assert (picture[:, 2, 7:] == -0.8).all()  # there is no sixth series


@pytest.mark.parametrize(("n_series", "rows", "columns"), [(2, 2, 1), (4, 2, 2), (7, 4, 2)])
def test_tiles_fill_a_grid_line_by_line(n_series, rows, columns):
    X = noise(1, n_series, 30)
    height, width = 5, 6
    picture = drawn(LineDrawing(), X, grey(rows * height, columns * width))[0, 0]
    for i in range(n_series):
        row, column = height * (i // columns), width * (i % columns)
        alone = drawn(LineDrawing(), X[:, i : i + 1], grey(height, width))[0, 0]
        assert torch.equal(picture[row : row + height, column : column + width], alone)
