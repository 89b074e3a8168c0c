"""What all pictures of series keep to, and several of them side by side in an estimator."""

import numpy as np
import pytest
import torch
from drawing import COLOURS, KINDS, drawn, every_kind, grey, noise
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toys import seeded

from skreprogram import TimeSeriesReprogrammer, load
from skreprogram._input_space import InputSpace
from skreprogram.sources import SourceModel
from skreprogram.transformations import (
    GramianField,
    InputTransformation,
    LineDrawing,
    RecurrencePlot,
    SeriesPicture,
    SideBySide,
    Spectrogram,
    StackedSegments,
    pictures,
)

FLEXIBLE = InputSpace((3, 224, 224), (0.0, 1.0), flexible=True)
VARIANTS = [
    *(kind(side=16) for kind in KINDS),
    *(kind(side=16, scale="set") for kind in KINDS),
    StackedSegments(row_length=7, overlap=0.6, scale="rank", channels="values"),
    RecurrencePlot(threshold=0.2, dimension=3, delay=2, channels=("differences", "levels")),
    LineDrawing(scale="series", width=1.0, channels=["sums"]),
    Spectrogram(window=9),
]
every_variant = pytest.mark.parametrize(
    "variant", VARIANTS, ids=[f"{type(kind).__name__}-{i}" for i, kind in enumerate(VARIANTS)]
)


@settings(
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    st.sampled_from(VARIANTS),
    st.integers(1, 3),
    st.integers(1, 8),
    st.one_of(st.integers(1, 60), st.integers(2000, 3000)),
    st.sampled_from([1e-30, 1e-3, 1.0, 1e30]),
    st.sampled_from([(0.0, 1.0), (-0.8, 0.7), (-123.0, 151.1), None]),
)
def test_any_series_is_a_picture_inside_the_range(variant, rows, series, length, unit, bounds):
    space = InputSpace((3, 14, 17), bounds)
    X = unit * noise(rows, series, length)
    picture = drawn(variant, X, space)
    low, high = bounds or (-1.0, 1.0)
    assert picture.shape == (rows, 3, 14, 17) and picture.dtype == X.dtype
    assert picture.min() >= low and picture.max() <= high


@every_kind
def test_pictures_use_the_whole_range(kind):
    picture = drawn(kind(scale="range"), noise(4, 1, 200), COLOURS)
    assert picture.max() - picture.min() > 0.5 * (0.8 + 0.7)


@every_kind
def test_a_flexible_source_gets_a_square_of_the_wished_side(kind):
    assert drawn(kind(), noise(2, 1, 30), FLEXIBLE).shape == (2, 3, 96, 96)
    assert drawn(kind(side=40), noise(2, 1, 30), FLEXIBLE).shape == (2, 3, 40, 40)
    assert drawn(kind(side=40), noise(2, 1, 30), COLOURS).shape == (2, 3, 14, 17)


@every_variant
@pytest.mark.parametrize("n_series", [1, 2])
def test_flat_series_give_finite_pictures_and_gradients(variant, n_series):
    X = torch.full((3, n_series, 30), 0.1, requires_grad=True)
    picture = drawn(variant, X, FLEXIBLE)
    assert torch.isfinite(picture).all()
    if picture.requires_grad:
        picture.sum().backward()
        assert torch.isfinite(X.grad).all()


@pytest.mark.parametrize("level", [0.0, 0.1, -3e7])
def test_a_flat_series_is_a_flat_line_in_all_channels(level):
    picture = drawn(LineDrawing(), torch.full((1, 1, 30), level), InputSpace((3, 15, 20)))
    assert (picture.argmax(-2) == 7).all()


@pytest.mark.parametrize("unit", [1e-30, 1e-6, 1e30])
@pytest.mark.parametrize("scale", ["series", "range", "set", "rank"])
def test_units_do_not_matter(unit, scale):
    X = noise(3, 1, 40, dtype=torch.float64)
    segments = StackedSegments(scale=scale)
    torch.testing.assert_close(drawn(segments, unit * X, COLOURS), drawn(segments, X, COLOURS))


@every_kind
def test_the_gradient_is_that_of_finite_differences(kind):
    X = noise(1, 2, 7, dtype=torch.float64).requires_grad_()
    transformation, space = kind(), InputSpace((1, 12, 6))
    params = transformation.init(X.detach(), space, torch.Generator())
    assert torch.autograd.gradcheck(lambda X: transformation.apply(params, X, space), (X,))


@every_variant
@pytest.mark.parametrize(("n_series", "length"), [(1, 40), (5, 40), (1, 300), (2, 2)])
def test_stacked_programs_give_what_each_gives_alone(variant, n_series, length):
    X = noise(3, 4, n_series, length)
    programs = [variant.init(rows, COLOURS, torch.Generator()) for rows in X]
    stacked = {name: torch.stack([p[name] for p in programs]) for name in programs[0]}
    together = torch.func.vmap(lambda p, x: variant.apply(p, x, COLOURS))(stacked, X)
    for params, rows, expected in zip(programs, X, together, strict=True):
        torch.testing.assert_close(
            variant.apply(params, rows, COLOURS), expected, atol=1e-5, rtol=0
        )


@every_variant
def test_rows_do_not_depend_on_their_company(variant):
    X = noise(5, 2, 40)
    params = variant.init(X, COLOURS, torch.Generator())
    whole, alone = variant.apply(params, X, COLOURS), variant.apply(params, X[2:3], COLOURS)
    torch.testing.assert_close(whole[2:3], alone, atol=1e-5, rtol=0)


@every_variant
def test_double_precision_stays_double(variant):
    assert drawn(variant, noise(2, 2, 40, dtype=torch.float64), COLOURS).dtype == torch.float64


@pytest.mark.parametrize(
    "wrong",
    [
        StackedSegments(row_length=0),
        StackedSegments(overlap=1.5),
        StackedSegments(scale="both"),
        StackedSegments(channels=("values", "slopes")),
        StackedSegments(channels=()),
        StackedSegments(side=0),
        LineDrawing(width=0),
        RecurrencePlot(dimension=0),
        RecurrencePlot(delay=0.5),
        RecurrencePlot(softness=0),
        GramianField(n_levels=1),
        GramianField(channels="values"),
        Spectrogram(window=0),
        Spectrogram(floor=0),
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match="Got .*expected"):
        drawn(wrong, noise(2, 1, 20), COLOURS)


@every_kind
def test_sources_of_sound_are_refused(kind):
    with pytest.raises(ValueError, match="expected one that takes images"):
        drawn(kind(), noise(2, 1, 20), InputSpace((400,), (-1.0, 1.0), sampling_rate=400))


@every_kind
def test_what_is_no_series_is_refused(kind):
    with pytest.raises(ValueError, match=r"Got samples of shape \(20,\).*TimeSeriesReprogrammer"):
        drawn(kind(), noise(2, 20), COLOURS)


def test_more_tiles_than_pixels_are_refused():
    with pytest.raises(ValueError, match="Got series of 50 channels.*Use a larger side"):
        drawn(LineDrawing(), noise(2, 50, 20), grey(6, 6))


def test_pictures_are_several_views():
    views = drawn(pictures(), noise(3, 1, 50), FLEXIBLE)
    assert isinstance(InputTransformation.resolve("pictures"), SideBySide)
    assert len(views) == 4 and all(view.shape == (3, 3, 96, 96) for view in views)


def test_an_estimator_learns_from_pictures_saves_and_loads(tmp_path):
    network = seeded(
        lambda: torch.nn.Sequential(
            torch.nn.Conv2d(3, 8, 5), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(1152, 9)
        )
    )
    source = SourceModel.from_module(network, (3, 16, 16), value_range=(0, 1))
    y = np.arange(40) % 2
    rising = np.linspace(-1, 1, 30) * (2 * y[:, np.newaxis] - 1)
    X = rising + 0.3 * np.random.default_rng(0).normal(size=(40, 30))
    clf = TimeSeriesReprogrammer(source, input_transformation="pictures", random_state=0)
    clf.fit(X[:20], y[:20])
    assert clf.score(X[20:], y[20:]) == 1
    clf.save(tmp_path / "program.safetensors")
    again = load(tmp_path / "program.safetensors", source=source)
    np.testing.assert_allclose(again.predict_proba(X), clf.predict_proba(X), atol=1e-6)


def test_a_new_way_of_drawing_is_one_method():
    class Bars(SeriesPicture):
        def __init__(self, side=96, scale="range", channels="values"):
            self.side = side
            self.scale = scale
            self.channels = channels

        def painted(self, heights, words, size):
            rows = torch.linspace(1, 0, size[0]).unsqueeze(-1)
            return (heights.unsqueeze(-2) >= rows).to(heights)

    picture = drawn(Bars(), torch.tensor([[[0.0, 2.0, 1.0]]]), grey(3, 3))[0, 0]
    assert picture.tolist() == [[0, 1, 0], [0, 1, 1], [1, 1, 1]]


def test_pictures_go_with_a_source_that_is_fine_tuned():
    network = seeded(
        lambda: torch.nn.Sequential(
            torch.nn.Conv2d(3, 4, 5),
            torch.nn.BatchNorm2d(4),
            torch.nn.Flatten(),
            torch.nn.Linear(576, 9),
        )
    )
    source = SourceModel.from_module(network, (3, 16, 16), value_range=(0, 1))
    X, y = noise(12, 1, 30).numpy(), np.arange(12) % 2
    clf = TimeSeriesReprogrammer(
        source,
        input_transformation="recurrence",
        output_mapping="linear",
        finetune="norm",
        max_epochs=2,
        random_state=0,
    ).fit(X, y)
    assert clf.program_.source and np.isfinite(clf.history_[-1]["train_loss"])
