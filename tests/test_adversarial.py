"""Adversarial training: losses by hand, draws, what a diverging training says."""

import dataclasses

import pytest
import torch

from skreprogram.training import AdversarialOptions, ConditionalGenerator, train_adversarially
from skreprogram.training._discriminator import ProjectionDiscriminator, default_body
from skreprogram.training._positive_unlabelled import discriminator_loss, share_of_good

OPTIONS = AdversarialOptions(n_steps=150, lr=0.05, averaging=0.9)


def shifting():
    """A generator of numbers that trains one thing only: the mean of each class."""

    def generate(params, noise, codes):
        return params["means"][codes] + 0.1 * noise

    return ConditionalGenerator({"means": torch.zeros(2, 1)}, generate, 1)


def two_heaps(n_first=30, n_second=30):
    """Numbers around -1 and 1, and their class."""
    codes = torch.tensor([0] * n_first + [1] * n_second)
    noise = torch.randn(len(codes), 1, generator=torch.Generator().manual_seed(1))
    return 2.0 * codes[:, None] - 1 + 0.1 * noise, codes


def train(rows, options=OPTIONS, seed=0):
    return train_adversarially(shifting(), rows, 2, (0.0, 1.0), options, seed)


def test_the_share_of_good_samples_rises_from_one_class_to_all():
    shares = [share_of_good(step, 1000, 8) for step in range(1000)]
    assert shares[:30] == [0.0] * 30
    assert shares[30] == 1 / 8
    assert shares[-1] == 1.0
    assert shares[30:] == sorted(shares[30:])


def test_the_share_stops_where_it_is_told():
    assert share_of_good(999, 1000, 8, largest=0.4) == pytest.approx(0.4)
    assert share_of_good(30, 1000, 2, largest=0.4) == pytest.approx(0.4)


def test_a_short_training_is_all_plain_hinge():
    assert [share_of_good(step, 30, 8) for step in (0, 29)] == [0.0, 0.0]


def test_without_a_share_the_loss_is_the_hinge_loss():
    real, fake = torch.tensor([2.0, 0.0]), torch.tensor([-2.0, 1.0])
    assert discriminator_loss(real, fake, 0.0).item() == pytest.approx(0.5 + 1.0)


def test_what_good_samples_would_cost_is_taken_off_but_never_pays():
    real, fake = torch.tensor([1.0]), torch.tensor([0.0])
    # 1 + share times 0, and 1 - share times 2
    assert discriminator_loss(real, fake, 0.25).item() == pytest.approx(0.5)
    assert discriminator_loss(real, fake, 0.75).item() == 0.0


@pytest.mark.parametrize("loss", ["hinge", "positive-unlabelled"])
def test_the_means_of_the_classes_are_found(loss):
    params, _ = train(two_heaps(), dataclasses.replace(OPTIONS, loss=loss))
    assert params["means"].flatten().tolist() == pytest.approx([-1, 1], abs=0.2)


def test_a_rare_class_is_found_as_well():
    params, _ = train(two_heaps(100, 2))
    assert params["means"].flatten().tolist() == pytest.approx([-1, 1], abs=0.25)


def test_the_same_seed_gives_the_same_tensors_and_leaves_the_global_generator():
    state = torch.get_rng_state()
    options = dataclasses.replace(OPTIONS, n_steps=5)
    first, second = (train(two_heaps(), options)[0]["means"] for _ in range(2))
    other = train(two_heaps(), options, seed=1)[0]["means"]
    assert torch.equal(first, second) and not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_what_is_given_stays_as_it_is():
    conditional, rows = shifting(), two_heaps()
    train_adversarially(conditional, rows, 2, (0.0, 1.0), OPTIONS, 0)
    assert torch.equal(conditional.params["means"], torch.zeros(2, 1))
    assert torch.equal(rows[0], two_heaps()[0]) and not rows[0].requires_grad


def test_the_history_has_about_a_hundred_rows():
    _, history = train(two_heaps(), dataclasses.replace(OPTIONS, n_steps=250))
    assert len(history) == 125
    assert history[-1].keys() == {"step", "loss", "discriminator_loss", "share"}
    assert history[-1]["step"] == 250


def test_a_diverging_training_says_what_to_change():
    X, codes = two_heaps()
    with pytest.raises(FloatingPointError, match="smaller lr"):
        train((X * float("inf"), codes))


@pytest.mark.parametrize("shape", [(2,), (8, 8), (1, 32, 32), (3, 20, 30), (2, 400)])
def test_the_default_discriminator_takes_any_shape(shape):
    scores = ProjectionDiscriminator(shape, 3)(torch.zeros(4, *shape), torch.zeros(4).long())
    assert scores.shape == (4,)


def test_larger_images_are_looked_at_by_convolutions():
    kinds = {type(part).__name__ for part in default_body((1, 28, 28)).modules()}
    assert any("Conv2d" in kind for kind in kinds)
    assert not any("Conv2d" in type(part).__name__ for part in default_body((8, 8)).modules())


def test_the_class_changes_the_score_by_the_product_of_embedding_and_features():
    opponent = ProjectionDiscriminator((4,), 2).eval()
    X = torch.randn(3, 4)
    scores = [opponent(X, torch.full((3,), code)) for code in (0, 1)]
    difference = opponent.body(X) @ (opponent.embedding.weight[1] - opponent.embedding.weight[0])
    torch.testing.assert_close(scores[1] - scores[0], difference)


def test_features_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"features of shape \(2, 8, 8\).*expected \(2, d\)"):
        ProjectionDiscriminator((8, 8), 2, body=lambda shape: torch.nn.Identity())
