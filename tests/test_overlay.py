"""Overlays: programs added to images that fill the source's input, whole, coarse or of low rank."""

import numpy as np
import pytest
import torch

from skreprogram._input_space import InputSpace
from skreprogram.transformations import (
    CoarseGridTransformation,
    LowRankTransformation,
    OverlayTransformation,
)

SPACE = InputSpace((3, 10, 13), (0.0, 1.0))
ADDITIVE = [
    OverlayTransformation(),
    OverlayTransformation("frame", 2),
    OverlayTransformation("patch", 3),
    OverlayTransformation("random patch", 3),
    LowRankTransformation(3),
    CoarseGridTransformation(4),
]
every_overlay = pytest.mark.parametrize("overlay", ADDITIVE, ids=repr)


def G(seed=0):
    return torch.Generator().manual_seed(seed)


def images(*shape):
    return torch.rand(*shape, generator=G(1))


@every_overlay
@pytest.mark.parametrize("n_samples", [1, 3])
def test_at_the_start_the_image_is_unchanged(overlay, n_samples):
    X = images(n_samples, 3, 10, 13)
    torch.testing.assert_close(overlay.apply(overlay.init(X, SPACE, G()), X, SPACE), X)


@every_overlay
def test_images_fill_the_source(overlay):
    X = images(2, 1, 5, 4)
    got = overlay.apply(overlay.init(X, SPACE, G()), X, SPACE)
    resized = torch.nn.functional.interpolate(X, (10, 13), mode="bilinear")
    torch.testing.assert_close(got, resized.expand(-1, 3, -1, -1))


def acted(overlay, params, X):
    """Where a program of ones everywhere changes the image, and where it has a gradient."""
    program = torch.ones_like(params["program"]).requires_grad_()
    got = overlay.apply({**params, "program": program}, X, SPACE)
    got.sum().backward()
    return (got != X)[0], program.grad


def test_a_frame_acts_on_its_border_only():
    X = torch.zeros(1, 3, 10, 13)
    overlay = OverlayTransformation("frame", 2, strength=0.5)
    changed, gradient = acted(overlay, overlay.init(X, SPACE, G()), X)
    border = torch.ones(10, 13, dtype=torch.bool)
    border[2:8, 2:11] = False
    assert (changed == border).all() and torch.equal(gradient != 0, changed)
    # the number of parameters that the authors count: 2 C p (H + W - 2p)
    assert border.sum() == 2 * 2 * (10 + 13 - 4)


def test_the_border_is_as_wide_as_the_authors_where_none_is_given():
    X, space = torch.zeros(1, 3, 224, 224), InputSpace((3, 224, 224), (0.0, 1.0))
    overlay = OverlayTransformation("frame")
    params = {**overlay.init(X, space, G()), "program": torch.ones(3, 224, 224)}
    assert (overlay.apply(params, X, space) > 0).sum() == 69_840


def test_a_fixed_patch_lies_where_its_placement_says():
    X = torch.zeros(1, 3, 10, 13)
    overlay = OverlayTransformation("patch", 3, (7, 10))
    params = {**overlay.init(X, SPACE, G()), "program": torch.randn(3, 3, 3, generator=G())}
    got = overlay.apply(params, X, SPACE)
    expected = torch.tanh(params["program"]).clamp(0, 1)
    torch.testing.assert_close(got[0, :, 7:, 10:], expected)
    assert got.sum() == pytest.approx(expected.sum().item())
    assert overlay.disturb(params, G()) is params


def corner_of(overlay, params, X):
    rows, columns = acted(overlay, params, X)[0][0].nonzero().T
    return rows.min().item(), columns.min().item()


def test_random_patches_repeat_with_their_generator_and_reach_every_place():
    X = torch.zeros(1, 3, 10, 13)
    overlay = OverlayTransformation("random patch", 8)
    params = overlay.init(X, SPACE, G())
    first, second = (
        [corner_of(overlay, overlay.disturb(params, generator), X) for _ in range(150)]
        for generator in (G(3), G(3))
    )
    assert first == second
    assert set(first) == {(row, column) for row in range(3) for column in range(6)}


def test_random_patches_lie_still_in_prediction():
    X = torch.zeros(1, 3, 10, 13)
    overlay = OverlayTransformation("random patch", 3, (1, 2))
    assert corner_of(overlay, overlay.init(X, SPACE, G()), X) == (1, 2)


@pytest.mark.parametrize("free", range(1, 60))
def test_every_corner_in_pixels_is_met_exactly(free):
    space = InputSpace((1, free + 1, free + 1), (0.0, 1.0))
    X = torch.zeros(1, 1, free + 1, free + 1)
    for at in range(free + 1):
        overlay = OverlayTransformation("patch", 1, (at, free - at))
        params = {**overlay.init(X, space, G()), "program": torch.ones(1, 1, 1)}
        assert overlay.apply(params, X, space)[0, 0, at, free - at] > 0.5


@pytest.mark.parametrize(("clip", "passes"), [("hard", False), ("straight-through", True)])
@pytest.mark.parametrize("kind", [OverlayTransformation, CoarseGridTransformation])
def test_a_clipped_sum_has_a_gradient_only_straight_through(kind, clip, passes):
    overlay, X = kind(clip=clip), torch.full((1, 3, 10, 13), 0.9)
    params = overlay.init(X, SPACE, G())
    program = params["program"] = torch.full_like(params["program"], 0.5).requires_grad_()
    got = overlay.apply(params, X, SPACE)
    got.sum().backward()
    assert (got == 1).all()
    assert bool((program.grad != 0).any()) is passes


@pytest.mark.parametrize("kind", [OverlayTransformation, CoarseGridTransformation])
def test_the_strength_is_the_largest_addition(kind):
    overlay, X = kind(strength=8 / 255), torch.full((1, 3, 10, 13), 0.5)
    params = overlay.init(X, SPACE, G())
    params["program"] = 1e4 * torch.randn(params["program"].shape, generator=G())
    change = (overlay.apply(params, X, SPACE) - X).abs().max().item()
    assert change == pytest.approx(8 / 255, rel=1e-3)


def test_a_program_of_low_rank_has_that_rank():
    overlay, X = LowRankTransformation(3), torch.full((1, 3, 10, 13), 0.5)
    params = overlay.init(X, SPACE, G())
    params["B"] = torch.randn(params["B"].shape, generator=G())
    added = overlay.apply(params, X, SPACE)[0] - 0.5
    assert added.abs().max() < 0.5
    assert all(np.linalg.matrix_rank(channel.numpy(), 1e-5) == 3 for channel in added)


def test_low_rank_has_as_many_numbers_as_the_paper_counts():
    X, space = torch.zeros(1, 3, 224, 224), InputSpace((3, 224, 224), (0.0, 1.0))
    overlay = LowRankTransformation()
    params = overlay.init(X, space, G())
    assert sum(params[name].numel() for name in overlay.trainable) == 5376
    assert params["A"].std() == pytest.approx(0.01, rel=0.1) and not params["B"].any()


def test_the_first_step_of_a_low_rank_program_has_a_direction():
    overlay, X = LowRankTransformation(2), images(2, 3, 10, 13)
    params = {n: t.requires_grad_() for n, t in overlay.init(X, SPACE, G()).items()}
    overlay.apply(params, X, SPACE).square().sum().backward()
    assert (params["B"].grad != 0).any()


def test_a_coarse_grid_is_interpolated():
    overlay, X = CoarseGridTransformation(2), torch.full((1, 1, 4, 4), 0.5)
    space = InputSpace((1, 4, 4), (0.0, 1.0))
    params = overlay.init(X, space, G())
    params["program"] = torch.atanh(torch.tensor([[[0.4, 0.0], [0.0, 0.0]]]))
    got = overlay.apply(params, X, space)[0, 0] - 0.5
    line = torch.tensor([1.0, 0.75, 0.25, 0.0])
    torch.testing.assert_close(got, 0.4 * line[:, None] * line)


@pytest.mark.parametrize(
    ("overlay", "penalty"),
    [
        (OverlayTransformation(l2=0.5), 0.5 * 3 * 130),
        (LowRankTransformation(2, l2=0.5), 0.5 * 3 * 2 * 23),
        (CoarseGridTransformation(2), 0.0),
    ],
)
def test_the_penalty_is_l2_times_the_squares_of_what_trains(overlay, penalty):
    params = overlay.init(torch.zeros(1, 3, 10, 13), SPACE, G())
    ones = {name: torch.ones_like(tensor) for name, tensor in params.items()}
    assert float(overlay.penalty(ones)) == pytest.approx(penalty)


@pytest.mark.parametrize(
    "wrong",
    [
        OverlayTransformation("border"),
        OverlayTransformation("frame", 6),
        OverlayTransformation("patch", 11),
        OverlayTransformation("patch", 3, (8, 0)),
        OverlayTransformation("patch", 3, "centre"),
        OverlayTransformation(clip="soft"),
        LowRankTransformation(0),
        LowRankTransformation(11),
        CoarseGridTransformation(0),
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="Got .* in .*, expected"):
        wrong.init(torch.zeros(1, 3, 10, 13), SPACE, G())
