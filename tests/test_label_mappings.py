"""Label mappings: which source labels speak for which class, and equation 2."""

import numpy as np
import pytest
import torch
from every_mapping import LABEL_MAPPINGS, mapping_of
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from skreprogram.mappings import (
    AssignmentMapping,
    FirstMapping,
    FrequencyMapping,
    GivenMapping,
    LabelMapping,
    RandomMapping,
)

EVERY = pytest.mark.parametrize("name", LABEL_MAPPINGS)
DISJOINT = pytest.mark.parametrize(
    "kind", [FirstMapping, RandomMapping, FrequencyMapping, AssignmentMapping]
)


def estimate(mapping, counts, seed=0):
    """Matrix of a mapping as numpy."""
    counts = torch.as_tensor(counts, dtype=torch.float32)
    return mapping.estimate(counts, torch.Generator().manual_seed(seed)).numpy()


def greedy(counts, m):
    """Frequency mapping written out: the largest pair that is still allowed, again and again."""
    n_outputs, n_classes = counts.shape
    matrix = np.zeros_like(counts)
    for _ in range(m * n_classes):
        best = None
        for s in range(n_outputs):
            for t in range(n_classes):
                allowed = not matrix[s].any() and (matrix[:, t] > 0).sum() < m
                if allowed and (best is None or counts[s, t] > counts[best]):
                    best = s, t
        matrix[best] = 1 / m
    return matrix


def written_out(logits, matrix):
    """Equation 2 in probabilities: means over each class's source labels, renormalised."""
    probabilities = np.empty((len(logits), matrix.shape[1]))
    for i, z in enumerate(np.asarray(logits, dtype=float)):
        source = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
        for t in range(matrix.shape[1]):
            labels = [s for s in range(len(z)) if matrix[s, t] > 0]
            probabilities[i, t] = sum(source[s] for s in labels) / len(labels)
    return probabilities / probabilities.sum(1, keepdims=True)


def test_first_gives_contiguous_blocks():
    matrix = estimate(FirstMapping(2), np.zeros((7, 3)))
    assert [np.flatnonzero(column).tolist() for column in matrix.T] == [[0, 1], [2, 3], [4, 5]]


def test_first_with_none_takes_as_many_as_there_are():
    matrix = estimate(FirstMapping(None), np.zeros((8, 3)))
    assert (matrix > 0).sum(0).tolist() == [2, 2, 2]


@settings(derandomize=True, max_examples=30, deadline=None)
@given(n_classes=st.integers(1, 9), extra=st.integers(0, 30), seed=st.integers(0, 99))
def test_random_gives_every_class_as_many_disjoint_labels(n_classes, extra, seed):
    n_outputs = n_classes + extra
    matrix = estimate(RandomMapping(), np.zeros((n_outputs, n_classes)), seed)
    assert ((matrix > 0).sum(0) == n_outputs // n_classes).all()
    assert ((matrix > 0).sum(1) <= 1).all()
    np.testing.assert_allclose(matrix.sum(0), 1, rtol=1e-6)


def test_random_is_reproducible_by_its_generator_and_differs_between_seeds():
    draws = [estimate(RandomMapping(), np.zeros((30, 5)), seed) for seed in (0, 0, 1)]
    assert np.array_equal(draws[0], draws[1]) and not np.array_equal(draws[0], draws[2])


def test_random_draws_every_label_equally_often():
    matrices = [estimate(RandomMapping(1), np.zeros((6, 2)), seed) for seed in range(600)]
    shares = np.mean(matrices, axis=0)
    assert abs(shares - 1 / 6).max() < 0.06  # four standard deviations


@settings(derandomize=True, max_examples=20, deadline=None)
@given(order=st.permutations(range(9)), m=st.integers(1, 3))
def test_frequency_recovers_a_known_permutation(order, m):
    counts = np.random.RandomState(0).uniform(0, 4, size=(9, 3))
    planted = np.zeros((9, 3))
    for place, source_label in enumerate(order[: 3 * m]):
        counts[source_label, place % 3] += 10
        planted[source_label, place % 3] = 1 / m
    np.testing.assert_allclose(estimate(FrequencyMapping(m), counts), planted, rtol=1e-6)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    n_classes=st.integers(1, 4),
    m=st.integers(1, 3),
    extra=st.integers(0, 4),
    highest=st.sampled_from([1, 3, 50]),
    seed=st.integers(0, 99),
)
def test_frequency_takes_pairs_in_the_order_of_their_counts(n_classes, m, extra, highest, seed):
    shape = (m * n_classes + extra, n_classes)  # small highest counts make many ties
    counts = np.random.RandomState(seed).randint(0, highest + 1, shape).astype(np.float32)
    np.testing.assert_allclose(estimate(FrequencyMapping(m), counts), greedy(counts, m))


def test_frequency_breaks_ties_by_the_lower_source_label_then_the_lower_class():
    matrix = estimate(FrequencyMapping(), np.full((3, 2), 4.0))
    assert matrix.tolist() == [[1, 0], [0, 1], [0, 0]]


def test_frequency_with_no_counts_still_gives_every_class_a_label():
    matrix = estimate(FrequencyMapping(2), [[0, 3], [0, 2], [0, 1], [0, 0]])
    assert (matrix > 0).sum(0).tolist() == [2, 2]


@DISJOINT
@pytest.mark.parametrize(("m", "n_classes"), [(1, 6), (2, 3), (3, 2)])
def test_more_labels_than_the_source_has_are_refused(kind, m, n_classes):
    with pytest.raises(ValueError, match=f"Got {n_classes} target classes with {m} source.*only 5"):
        estimate(kind(m), np.zeros((5, n_classes)))


@DISJOINT
@pytest.mark.parametrize("wrong", [0, -1, 1.5, "2"])
def test_a_number_of_labels_that_is_none_is_refused(kind, wrong):
    with pytest.raises(ValueError, match="Got n_source_labels=.*positive whole number"):
        estimate(kind(wrong), np.zeros((5, 2)))


@DISJOINT
def test_numpy_integers_count_as_integers(kind):
    assert (estimate(kind(np.int64(2)), np.zeros((5, 2))) > 0).sum() == 4


@pytest.mark.parametrize(
    "mapping", [FirstMapping(), FirstMapping(4), RandomMapping(), FrequencyMapping(3)]
)
def test_scores_are_equation_2(mapping):
    generator = torch.Generator().manual_seed(0)
    logits = 5 * torch.randn(20, 13, dtype=torch.float64, generator=generator)
    params = mapping.init(logits, 3, generator)
    got = mapping.apply(params, logits).softmax(1)
    np.testing.assert_allclose(got, written_out(logits, params["matrix"].numpy()), atol=1e-6)


def logits_and_matrix(mapping, n_outputs=13, n_classes=3):
    """Logits in double precision, and the matrix of a mapping for random counts."""
    generator = torch.Generator().manual_seed(0)
    logits = 5 * torch.randn(20, n_outputs, dtype=torch.float64, generator=generator)
    counts = torch.randint(0, 9, (n_outputs, n_classes), generator=generator).double()
    return logits, mapping.estimate(counts, generator)


@EVERY
def test_columns_sum_to_one(name):
    matrix = logits_and_matrix(mapping_of(name, 13, 3))[1]
    assert (matrix >= 0).all()
    np.testing.assert_allclose(matrix.sum(0), 1)


@EVERY
@pytest.mark.parametrize("n_classes", [2, 3])
def test_no_counts_at_all_give_finite_columns(name, n_classes):
    matrix = mapping_of(name, 7, n_classes).estimate(torch.zeros(7, n_classes), torch.Generator())
    np.testing.assert_allclose(matrix.sum(0), 1, rtol=1e-5)


@EVERY
@pytest.mark.parametrize("aggregation", ["probabilities", "logits", "softmax"])
def test_aggregations_are_their_written_out_formulas(name, aggregation):
    mapping = mapping_of(name, 13, 3).set_params(aggregation=aggregation)
    logits, matrix = logits_and_matrix(mapping)
    z, w = logits.numpy(), matrix.numpy()
    expected = np.empty((len(z), 3))
    for i in range(len(z)):
        source = np.exp(z[i]) / np.exp(z[i]).sum()
        for t in range(3):
            labels = np.flatnonzero(w[:, t])
            if aggregation == "logits":
                expected[i, t] = np.exp(sum(w[s, t] * z[i, s] for s in labels))
            else:
                expected[i, t] = sum(w[s, t] * source[s] for s in labels)
            if aggregation == "softmax":
                expected[i, t] *= len(labels)
    got = mapping.apply({"matrix": matrix}, logits).softmax(1)
    np.testing.assert_allclose(got, expected / expected.sum(1, keepdims=True), rtol=1e-9)


@EVERY
@pytest.mark.parametrize("wrong", ["mean", None, ["logits"]])
def test_an_unknown_aggregation_is_refused(name, wrong):
    with pytest.raises(ValueError, match="Got aggregation=.*Mapping, expected one of .*'logits'"):
        logits_and_matrix(mapping_of(name, 13, 3).set_params(aggregation=wrong))


@pytest.mark.parametrize("aggregation", ["probabilities", "softmax"])
def test_with_one_label_a_class_equation_2_is_the_softmax_of_the_gathered_logits(aggregation):
    mapping = RandomMapping(1, aggregation=aggregation)
    logits, matrix = logits_and_matrix(mapping)
    got = mapping.apply({"matrix": matrix}, logits).softmax(1)
    torch.testing.assert_close(got, logits[:, matrix.argmax(0)].softmax(1))


def test_softmax_sums_the_probabilities_of_a_softmax_over_the_mapped_labels():
    mapping = GivenMapping([[4, 7, 2], 5, [0, 1]], aggregation="softmax")
    logits, matrix = logits_and_matrix(mapping)
    mapped = logits[:, [4, 7, 2, 5, 0, 1]].softmax(1)
    expected = torch.stack([mapped[:, :3].sum(1), mapped[:, 3], mapped[:, 4:].sum(1)], 1)
    torch.testing.assert_close(mapping.apply({"matrix": matrix}, logits).softmax(1), expected)


def test_with_as_many_labels_a_class_mean_and_sum_of_probabilities_differ_by_their_number():
    logits, matrix = logits_and_matrix(FrequencyMapping(4))
    mean = FrequencyMapping(4).apply({"matrix": matrix}, logits)
    summed = FrequencyMapping(4, aggregation="softmax").apply({"matrix": matrix}, logits)
    torch.testing.assert_close(mean, summed - np.log(4))


@pytest.mark.parametrize("mapping", ["frequency", "assignment", "transport", "bayesian"])
@pytest.mark.parametrize("aggregation", ["probabilities", "logits", "softmax"])
def test_classes_in_another_order_are_columns_in_another_order(mapping, aggregation):
    mapping = mapping_of(mapping, 13, 4).set_params(aggregation=aggregation)
    generator = torch.Generator().manual_seed(0)
    counts, logits = 9 * torch.rand(13, 4, generator=generator), torch.randn(5, 13)
    order = torch.tensor([2, 0, 3, 1])
    matrix = mapping.estimate(counts, generator)
    shuffled = mapping.estimate(counts[:, order], generator)
    torch.testing.assert_close(shuffled, matrix[:, order])
    scores = mapping.apply({"matrix": matrix}, logits)
    torch.testing.assert_close(mapping.apply({"matrix": shuffled}, logits), scores[:, order])


def test_equation_2_holds_for_unequal_weights_within_a_class():
    matrix = torch.tensor([[0.25, 0.0], [0.75, 0.0], [0.0, 1.0]])
    logits = torch.log(torch.tensor([[0.2, 0.2, 0.6]]))
    got = FirstMapping().apply({"matrix": matrix}, logits).softmax(1)
    torch.testing.assert_close(got, torch.tensor([[0.25, 0.75]]))


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_extreme_logits_give_finite_losses_and_gradients(size):
    mapping = FirstMapping(2)
    logits = torch.zeros(3, 7)
    logits[torch.arange(3), [0, 3, 6]] = size
    params = mapping.init(logits, 3, torch.Generator())
    logits.requires_grad_()
    loss = cross_entropy(mapping.apply(params, logits), torch.tensor([2, 1, 0]))
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("m", [1, 2, 5])
def test_the_floor_of_the_loss_is_zero_for_any_number_of_labels(m):
    mapping = FirstMapping(m)
    logits = torch.full((1, 10), -60.0)
    logits[0, m : 2 * m] = 0.0  # all the mass on the labels of class 1
    params = mapping.init(logits, 2, torch.Generator())
    assert cross_entropy(mapping.apply(params, logits), torch.tensor([1])) < 1e-6


def test_the_gradient_of_the_loss_is_that_of_finite_differences():
    mapping = FirstMapping(2)
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 7, dtype=torch.float64, generator=generator, requires_grad=True)
    params = mapping.init(logits.detach(), 3, generator)
    y = torch.tensor([0, 1, 2, 0])
    assert torch.autograd.gradcheck(lambda z: cross_entropy(mapping.apply(params, z), y), logits)


def test_unmapped_source_labels_do_not_matter():
    mapping, logits = FirstMapping(), torch.randn(4, 6)
    params = mapping.init(logits, 3, torch.Generator())
    louder = logits.clone()
    louder[:, 3:] += 50
    assert torch.equal(mapping.apply(params, logits), mapping.apply(params, louder))


def test_a_new_label_mapping_is_one_method():
    class Last(LabelMapping):
        def estimate(self, counts, generator):
            return torch.eye(counts.shape[1]).flip(0)

    logits = torch.randn(5, 3)
    params = Last().init(logits, 3, torch.Generator())
    torch.testing.assert_close(Last().apply(params, logits), logits.flip(1))
