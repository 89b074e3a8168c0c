"""Tokens as patches of an image: where each lies, and within which bounds."""

import numpy as np
import pytest
import torch

from skreprogram._input_space import InputSpace
from skreprogram.transformations import TokenPatchesTransformation

SPACE = InputSpace((3, 12, 12), (0.0, 1.0))
FLEXIBLE = InputSpace((3, 224, 224), (0.0, 1.0), flexible=True)


def G(seed=0):
    return torch.Generator().manual_seed(seed)


def numbers(n_samples=5, length=9, n_tokens=7):
    """Numbers of tokens, the largest among them."""
    X = torch.randint(n_tokens, (n_samples, length), generator=G(1))
    X[0, 0] = n_tokens - 1
    return X


def drawn(X, space=SPACE, **settings):
    patches = TokenPatchesTransformation(**{"patch_size": 4, **settings})
    return patches, patches.init(X, space, G())


def by_loop(table, X, space, side, padding=0):
    """The authors' loop over cells, row by row."""
    p = table.shape[-1]
    images = torch.empty(len(X), space.shape[0], side * p, side * p)
    for n, sample in enumerate(X.tolist()):
        for cell in range(side * side):
            token = sample[cell] if cell < len(sample) else padding
            row, column = cell // side * p, cell % side * p
            pixels = (torch.tanh(table[token]) + 1) / 2
            images[n, :, row : row + p, column : column + p] = pixels
    return images


@pytest.mark.parametrize("length", [9, 5, 1])
def test_token_i_lies_in_row_and_column_of_its_cell_as_a_loop_lays_it(length):
    X = numbers(length=length)
    patches, params = drawn(X)
    expected = by_loop(params["patches"], X, SPACE, 3)
    torch.testing.assert_close(patches.apply(params, X, SPACE), expected)


def test_an_image_that_is_no_square_has_its_own_rows_and_columns():
    space, X = InputSpace((1, 4, 6), (0.0, 1.0)), torch.arange(6).reshape(1, 6)
    patches, params = drawn(X, space, patch_size=2)
    image = patches.apply(params, X, space)[0]
    for token in range(6):
        row, column = token // 3 * 2, token % 3 * 2
        cell = image[:, row : row + 2, column : column + 2]
        torch.testing.assert_close(cell, (torch.tanh(params["patches"][token]) + 1) / 2)


def test_pixels_reach_both_ends_of_the_range_and_never_leave_it():
    X = numbers()
    patches, params = drawn(X)
    params["patches"] = 100 * params["patches"]
    image = patches.apply(params, X, InputSpace((3, 12, 12), (-0.5, 2.0)))
    assert image.min() == -0.5 and image.max() == 2.0


def test_an_unbounded_source_gets_the_table_as_it_is():
    X = torch.tensor([[3]])
    patches, params = drawn(X, InputSpace((3, 4, 4)))
    assert torch.equal(patches.apply(params, X, InputSpace((3, 4, 4)))[0], params["patches"][3])


def test_pixels_that_no_cell_covers_hold_the_middle_of_the_range():
    X = numbers(length=4)
    patches, params = drawn(X, patch_size=5)
    image = patches.apply(params, X, SPACE)
    assert image.shape == (5, 3, 12, 12)
    assert (image[..., 10:, :] == 0.5).all() and (image[..., 10:] == 0.5).all()
    assert not (image[..., :10, :10] == 0.5).any()


def test_tokens_without_a_cell_are_dropped_with_a_warning():
    X = numbers(length=11)
    with pytest.warns(UserWarning, match="Got samples of 11 tokens for 9 cells of 4 x 4 pixels"):
        patches, params = drawn(X)
    assert torch.equal(
        patches.apply(params, X, SPACE), patches.apply(params, X[:, :9].contiguous(), SPACE)
    )


def test_a_table_has_a_row_for_every_number_and_those_it_is_told_of():
    X = numbers(n_tokens=7)
    assert drawn(X)[1]["patches"].shape == (7, 3, 4, 4)
    assert drawn(X, n_tokens=20)[1]["patches"].shape == (20, 3, 4, 4)


@pytest.mark.parametrize(
    ("length", "patch_size", "side"),
    [(60, 8, 64), (60, 16, 128), (1, 16, 64), (65, 8, 72), (10_000, 16, 224), (4, 30, 90)],
)
@pytest.mark.filterwarnings("ignore:Got samples of 10000 tokens")
def test_a_flexible_source_is_shown_the_smallest_square_that_holds_all_tokens(
    length, patch_size, side
):
    X = torch.zeros(2, length, dtype=torch.int64)
    patches, params = drawn(X, FLEXIBLE, patch_size=patch_size)
    assert patches.apply(params, X, FLEXIBLE).shape == (2, 3, side, side)


def test_the_image_has_the_size_that_is_asked_for():
    X = numbers()
    patches, params = drawn(X, FLEXIBLE, image_size=20)
    assert patches.apply(params, X, FLEXIBLE).shape == (5, 3, 20, 20)


def test_positions_tell_equal_tokens_in_other_cells_apart_once_they_move():
    X = torch.full((1, 9), 2)
    patches, params = drawn(X, positions=True)
    start = patches.apply(params, X, SPACE)
    assert torch.equal(start[..., :4, :4], start[..., 4:8, :4])
    params["positions"] = params["positions"] + torch.randn(9, 3, 4, 4, generator=G())
    image = patches.apply(params, X, SPACE)[0]
    expected = (torch.tanh(params["patches"][2] + params["positions"][5]) + 1) / 2
    torch.testing.assert_close(image[:, 4:8, 8:12], expected)


def test_patches_change_a_host_by_no_more_than_the_strength():
    host = np.random.RandomState(0).uniform(0.3, 0.7, size=(3, 12, 12))
    X = numbers()
    patches, params = drawn(X, host=host, strength=0.1)
    params["patches"] = 100 * params["patches"].sign()
    change = patches.apply(params, X, SPACE) - torch.from_numpy(host).float()
    torch.testing.assert_close(change.abs(), torch.full_like(change, 0.1))


def test_a_changed_host_is_cut_off_at_the_ends_of_the_range():
    X = numbers()
    patches, params = drawn(X, host=np.ones((12, 12)), strength=0.3)
    image = patches.apply(params, X, SPACE)
    assert image.max() == 1.0 and image.min() < 1.0
    assert (image == 1.0).float().mean() > 0.3


def test_the_penalty_is_the_squared_sum_of_both_tables():
    patches, params = drawn(numbers(), positions=True, l2=0.5)
    params["positions"] = params["positions"] + 2.0
    expected = 0.5 * (params["patches"].square().sum() + 4 * params["positions"].numel())
    torch.testing.assert_close(patches.penalty(params), expected)
    assert drawn(numbers())[0].penalty(params) == 0.0


@pytest.mark.parametrize(
    "settings", [{}, {"positions": False}, {"host": np.full((9, 9), 0.4)}, {"patch_size": 3}]
)
def test_stacked_programs_give_images_and_gradients_that_each_gives_alone(settings):
    X = torch.stack([numbers(), numbers().flip(0)])
    patches = TokenPatchesTransformation(**{"patch_size": 4, "n_tokens": 9, **settings})
    programs = [patches.init(rows, SPACE, G(k)) for k, rows in enumerate(X)]
    stacked = {name: torch.stack([p[name] for p in programs]) for name in programs[0]}

    def total(params, rows):
        return torch.sin(3 * patches.apply(params, rows, SPACE)).sum()

    together = torch.func.vmap(lambda p, x: patches.apply(p, x, SPACE))(stacked, X)
    gradients = torch.func.vmap(torch.func.grad(total))(stacked, X)
    for k, params in enumerate(programs):
        torch.testing.assert_close(together[k], patches.apply(params, X[k], SPACE))
        alone = torch.func.grad(total)(params, X[k])
        for name in patches.trainable:
            assert alone[name].abs().max() > 0
            torch.testing.assert_close(gradients[name][k], alone[name])


def test_a_token_that_a_batch_lacks_gets_no_gradient():
    X = torch.tensor([[2, 3, 2]])
    patches, params = drawn(X, n_tokens=6)
    params["patches"].requires_grad_()
    patches.apply(params, X, SPACE).square().sum().backward()
    moved = params["patches"].grad.flatten(1).abs().amax(1) > 0
    # padding fills the cells behind the three tokens
    assert moved.tolist() == [True, False, True, True, False, False]


def test_double_precision_of_the_table_stays_double():
    patches, params = drawn(numbers())
    params = {name: tensor.double() for name, tensor in params.items()}
    assert patches.apply(params, numbers(), SPACE).dtype == torch.float64


@pytest.mark.parametrize(
    ("settings", "space", "sentence"),
    [
        ({"patch_size": 0}, SPACE, "Got patch_size=0 in TokenPatches.*from 1 to 12"),
        ({"patch_size": 13}, SPACE, "Got patch_size=13 .*from 1 to 12"),
        ({"image_size": 8}, SPACE, "Got image_size=8 .*images of 12 x 12 pixels only"),
        ({"image_size": 8, "patch_size": 9}, FLEXIBLE, "Got patch_size=9 .*from 1 to 8"),
        ({"image_size": 2.5}, FLEXIBLE, "Got image_size=2.5 .*whole number"),
        ({"host": np.ones(3)}, SPACE, r"Got a host of shape \(3,\)"),
        ({"host": 3 * np.ones((9, 9))}, SPACE, "Got a host with values from 3 to 3"),
        ({"n_tokens": 4}, SPACE, "from 0 to 6 .*expected them from 0 to 3"),
        ({}, InputSpace((40,)), r"inputs of shape \(40,\) .*expected one that takes images"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, space, sentence):
    with pytest.raises(ValueError, match=sentence):
        drawn(numbers(), space, **settings)


@pytest.mark.parametrize("X", [torch.rand(3, 4), torch.zeros(3, 1, 4, dtype=torch.int64)])
def test_data_that_are_no_numbers_of_tokens_are_refused(X):
    with pytest.raises(ValueError, match="expected numbers of tokens.*Use SequenceReprogrammer"):
        drawn(X)


def test_negative_numbers_are_refused():
    with pytest.raises(ValueError, match="Got numbers of tokens from -1 to 6"):
        drawn(numbers() - (numbers() == 0).long())
