"""What every input transformation keeps to, and several of them side by side."""

import numpy as np
import pytest
import torch

from skreprogram import ReprogrammingClassifier, load
from skreprogram._input_space import InputSpace
from skreprogram.transformations import (
    AffineInput,
    CoarseGridTransformation,
    ConvolutionalInput,
    DenseInput,
    DifferencesTransformation,
    FrequencyModulation,
    HostImageTransformation,
    IdentityTransformation,
    InputTransformation,
    LowRankTransformation,
    MaskedTransformation,
    OverlayTransformation,
    PaddingTransformation,
    ScaledPadding,
    SideBySide,
    StretchingTransformation,
    TilingTransformation,
)

SOUND = InputSpace((600,), (-0.8, 0.8), sampling_rate=1000)
ALL_TRAIN = {"trains": ("band", "gain", "program"), "low": 50.0, "high": 400.0}
SERIES = [
    TilingTransformation(3, init_scale=1.0),
    StretchingTransformation(init_scale=1.0),
    FrequencyModulation(**ALL_TRAIN),
    FrequencyModulation(scale="set", **ALL_TRAIN),
    DifferencesTransformation(FrequencyModulation(**ALL_TRAIN)),
    DifferencesTransformation("tiling"),
    SideBySide([FrequencyModulation(**ALL_TRAIN), "tiling", "stretching"]),
]
CASES = [(kind, SOUND, (channels, 40)) for kind in SERIES for channels in (1, 3)] + [
    (PaddingTransformation(init_scale=1.0), SOUND, (1, 40)),
    (PaddingTransformation("end", "everywhere", 1.0), InputSpace((3, 50), (0, 1)), (3, 40)),
    (IdentityTransformation(), InputSpace((3, 40)), (3, 40)),
]
PIXELS = InputSpace((3, 17, 14), (-0.8, 0.8))
IMAGES = [
    PaddingTransformation(init_scale=1.0, size=8),
    PaddingTransformation(program="lower triangle", init_scale=1.0, size=(9, 9)),
    PaddingTransformation(init_scale=1.0, size=6, n_replicas=3),
    PaddingTransformation((2, 1), size=7),
    OverlayTransformation(),
    OverlayTransformation("frame", clip="straight-through"),
    OverlayTransformation("patch", 5, (3, 4)),
    OverlayTransformation("random patch", 4),
    LowRankTransformation(2),
    CoarseGridTransformation(5),
    ScaledPadding(),
    MaskedTransformation((4, 6), 4),
    AffineInput(),
    ConvolutionalInput(),
    HostImageTransformation(alpha=0.5),
]
CASES += [(kind, PIXELS, shape) for kind in IMAGES for shape in ((1, 8, 8), (3, 6, 7), (30,))]
CASES = [
    case
    for case in CASES
    # a table hosted in an image has no more features than the image pixels
    if not isinstance(case[0], HostImageTransformation) or case[2] != (3, 6, 7)
]
CASES += [
    (HostImageTransformation(program="everywhere", feature_order="correlation"), PIXELS, (7,)),
    (ConvolutionalInput(5, 0.1), PIXELS, (5, 6, 6)),
    (DenseInput(), PIXELS, (30,)),
    (DenseInput(), InputSpace((50,)), (3, 4)),
    (AffineInput(), InputSpace((30,)), (30,)),
    (OverlayTransformation(), InputSpace((30,), (0.0, 1.0)), (30,)),
    (LowRankTransformation(), InputSpace((1, 9, 9)), (3, 5, 5)),
    (ScaledPadding(), InputSpace((1, 9, 9)), (3, 5, 5)),
    (MaskedTransformation(), InputSpace((1, 9, 9)), (3, 5, 5)),
]
every_transformation = pytest.mark.parametrize(
    ("transformation", "space", "shape"),
    CASES,
    ids=[f"{type(kind).__name__}-{i}-{shape[0]}" for i, (kind, _, shape) in enumerate(CASES)],
)


def drawn_programs(transformation, space, shape, n_programs=3):
    """Programs of their own data, moved away from where they start."""
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(n_programs, 5, *shape, generator=generator) * 2
    if isinstance(transformation, IdentityTransformation):
        X = X.clamp(-0.5, 0.5)
    programs = []
    for rows in X:
        params = transformation.init(rows, space, generator)
        for name in transformation.trainable:
            shift = 0.1 * torch.randn(params[name].shape, generator=generator)
            params[name] = params[name] + shift
        programs.append(params)
    return programs, X


def G(seed=0):
    return torch.Generator().manual_seed(seed)


def views_of(answer):
    return answer if isinstance(answer, tuple) else (answer,)


@every_transformation
def test_stacked_programs_give_what_each_gives_alone(transformation, space, shape):
    programs, X = drawn_programs(transformation, space, shape)
    stacked = {name: torch.stack([p[name] for p in programs]) for name in programs[0]}
    together = torch.func.vmap(lambda p, x: transformation.apply(p, x, space))(stacked, X)
    for k, params in enumerate(programs):
        alone = views_of(transformation.apply(params, X[k], space))
        for view, expected in zip(views_of(together), alone, strict=True):
            torch.testing.assert_close(view[k], expected, atol=1e-4, rtol=0)


@every_transformation
def test_inputs_have_the_sources_shape_and_range(transformation, space, shape):
    programs, X = drawn_programs(transformation, space, shape)
    for view in views_of(transformation.apply(programs[0], 50 * X[1], space)):
        if space.value_range is not None:
            assert view.min() >= space.value_range[0] and view.max() <= space.value_range[1]
        assert view.shape == (5, *space.shape)
        assert view.dtype == X.dtype


@every_transformation
def test_double_precision_stays_double(transformation, space, shape):
    X = torch.rand(2, *shape, dtype=torch.float64)
    params = transformation.init(X, space, torch.Generator())
    kinds = {tensor.dtype for tensor in params.values() if tensor.is_floating_point()}
    assert kinds <= {torch.float64}
    for view in views_of(transformation.apply(params, X, space)):
        assert view.dtype == torch.float64


@every_transformation
def test_rows_do_not_depend_on_their_company(transformation, space, shape):
    programs, X = drawn_programs(transformation, space, shape)
    whole = views_of(transformation.apply(programs[0], X[0], space))
    for view, alone in zip(
        whole, views_of(transformation.apply(programs[0], X[0, 2:3], space)), strict=True
    ):
        torch.testing.assert_close(view[2:3], alone, atol=1e-4, rtol=0)


@every_transformation
def test_the_same_generator_draws_the_same_program(transformation, space, shape):
    X = torch.randn(3, *shape)
    first, second = (
        transformation.init(X, space, torch.Generator().manual_seed(3)) for _ in range(2)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


@every_transformation
def test_trainable_names_are_names_of_the_drawn_tensors(transformation, space, shape):
    programs, _ = drawn_programs(transformation, space, shape, n_programs=1)
    assert set(transformation.trainable) <= set(programs[0])


@every_transformation
def test_disturbed_tensors_have_the_same_names_and_shapes(transformation, space, shape):
    (params, *_), X = drawn_programs(transformation, space, shape)
    disturbed = transformation.disturb(params, torch.Generator().manual_seed(0))
    assert {n: t.shape for n, t in disturbed.items()} == {n: t.shape for n, t in params.items()}
    for view in views_of(transformation.apply(disturbed, X[0], space)):
        assert view.shape == (5, *space.shape)


@every_transformation
def test_data_and_tensors_stay_as_they_are(transformation, space, shape):
    (params, *_), X = drawn_programs(transformation, space, shape)
    before = {name: tensor.clone() for name, tensor in params.items()}, X.clone()
    transformation.apply(params, X[0], space)
    assert torch.equal(X, before[1])
    assert all(torch.equal(params[name], before[0][name]) for name in params)


@every_transformation
def test_all_that_trains_has_finite_gradients_and_some_of_them(transformation, space, shape):
    (params, *_), X = drawn_programs(transformation, space, shape)
    if not transformation.trainable:
        return
    for name in transformation.trainable:
        params[name].requires_grad_()
    views = views_of(transformation.apply(params, X[0], space))
    sum(torch.sin(3 * view).sum() for view in views).backward()
    gradients = {name: params[name].grad for name in transformation.trainable}
    assert all(gradient is not None for gradient in gradients.values()), gradients
    assert all(torch.isfinite(g).all() and (g != 0).any() for g in gradients.values())


ONLY_IMAGES = (
    "coarse-grid",
    "convolution",
    "host-image",
    "low-rank",
    "resizing",
    "sample-masks",
    "scaled-padding",
)
SAME_SHAPE = ("affine", "overlay", "identity")
ONLY_TOKENS = ("embedding", "prompts", "sparse-vocabulary", "token-patches", "vocabulary-remapping")
# need a source of text, or draw series for a source of images, and have tests of their own
PICTURES = ("drawing", "gramian", "pictures", "recurrence", "segments", "spectrogram")
ELSEWHERE = ("patch-embedding", *PICTURES)


@pytest.mark.parametrize("name", ["affine", "overlay", "padding", *ONLY_IMAGES])
@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 9, 9), (10,)])
def test_every_short_name_for_images_transforms_them(name, shape):
    transformation, X = InputTransformation.resolve(name), torch.rand(2, *shape)
    params = transformation.init(X.flatten(1) if name == "host-image" else X, PIXELS, G())
    assert transformation.apply(params, X, PIXELS).shape == (2, *PIXELS.shape)


@pytest.mark.parametrize("name", ONLY_IMAGES)
def test_transformations_of_images_refuse_other_sources(name):
    with pytest.raises(ValueError, match="expected one that takes images"):
        InputTransformation.resolve(name).init(torch.rand(2, 1, 60), SOUND, G())


@pytest.mark.parametrize("name", ["affine", "coarse-grid", "low-rank", "overlay", "sample-masks"])
def test_a_number_of_channels_that_no_rule_changes_is_refused(name):
    with pytest.raises(ValueError, match="Use input_transformation='convolution'"):
        InputTransformation.resolve(name).init(torch.rand(2, 5, 6, 6), PIXELS, G())


@pytest.mark.parametrize(
    "name",
    sorted({*InputTransformation.names()} - {*ONLY_IMAGES, *ONLY_TOKENS, *ELSEWHERE}),
)
def test_every_short_name_transforms_a_series(name):
    space = InputSpace((4000,), (-1.0, 1.0), sampling_rate=8000)
    transformation = InputTransformation.resolve(name)
    X = torch.randn(2, 1, 4000 if name in SAME_SHAPE else 60)
    answer = transformation.apply(transformation.init(X, space, torch.Generator()), X, space)
    assert all(view.shape == (2, 4000) for view in views_of(answer))


FITTED = [
    *(kind for kind in IMAGES if not isinstance(kind, HostImageTransformation)),
    HostImageTransformation(np.full((17, 14), 0.25), alpha=0.5, feature_order="correlation"),
    DenseInput(),
]


@pytest.mark.parametrize("transformation", FITTED, ids=[type(kind).__name__ for kind in FITTED])
def test_an_estimator_trains_with_it_saves_and_loads(transformation, tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.random((24, 3, 5, 5)), np.arange(24) % 2
    if isinstance(transformation, HostImageTransformation):
        X = X[:, 0].reshape(24, 25)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(714, 6))
    network.input_shape, network.value_range = (3, 17, 14), (0.0, 1.0)
    clf = ReprogrammingClassifier(
        network, input_transformation=transformation, max_epochs=2, random_state=0
    ).fit(X, y)
    assert np.isfinite(clf.history_[-1]["train_loss"])
    clf.save(tmp_path / "program.safetensors")
    again = load(tmp_path / "program.safetensors", source=network)
    np.testing.assert_allclose(again.predict_proba(X), clf.predict_proba(X), atol=1e-6)
    assert again.reprogram(X[:1]).shape == (1, 3, 17, 14)


def test_identity_refuses_data_of_another_size():
    with pytest.raises(ValueError, match=r"Got samples of shape \(3, 2\).*'identity'"):
        IdentityTransformation().init(torch.zeros(2, 3, 2), InputSpace((5,)), torch.Generator())


def test_identity_lays_values_out_in_the_sources_shape():
    X = torch.arange(12.0).reshape(2, 6)
    got = IdentityTransformation().apply({}, X, InputSpace((2, 3)))
    assert torch.equal(got, X.reshape(2, 2, 3))


def test_views_are_those_of_the_transformations_alone():
    X = torch.randn(4, 1, 40)
    parts = [TilingTransformation(2), DifferencesTransformation("stretching")]
    params = SideBySide(parts).init(X, SOUND, torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(0)
    for part, view in zip(parts, SideBySide(parts).apply(params, X, SOUND), strict=True):
        assert torch.equal(view, part.apply(part.init(X, SOUND, generator), X, SOUND))


def test_names_of_eleven_views_do_not_mix():
    views = [StretchingTransformation(program=i == 10) for i in range(11)]
    beside = SideBySide(views)
    params = beside.init(torch.randn(2, 1, 9), SOUND, torch.Generator())
    assert beside.trainable == ("10/program",)
    assert set(params) == {f"{i}/{name}" for i in range(11) for name in ("offset", "gain")} | {
        "10/program"
    }


def test_disturbance_and_penalty_reach_each_view():
    beside = SideBySide([TilingTransformation(dropout=0.5, l2=1.0), StretchingTransformation()])
    params = {"0/program": torch.ones(600), "1/program": torch.ones(600), "1/gain": torch.ones(())}
    disturbed = beside.disturb(params, torch.Generator().manual_seed(0))
    assert set(disturbed) == set(params)
    assert set(disturbed["0/program"].tolist()) == {0.0, 2.0}
    assert torch.equal(disturbed["1/program"], params["1/program"])
    assert beside.penalty(params).item() == pytest.approx(600 + 0.04 * 600)


@pytest.mark.parametrize("wrong", [[], [SideBySide(["tiling"]), "tiling"], ["modulations"]])
def test_no_views_and_nested_views_are_refused(wrong):
    with pytest.raises(ValueError, match="at least one transformation, none of them SideBySide"):
        SideBySide(wrong).init(torch.randn(2, 1, 9), SOUND, torch.Generator())
