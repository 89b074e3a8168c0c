"""Counts of source labels: gathered, added up, and turned into new mappings."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.base import clone
from small_tasks import TILED, composition, options, task

from skreprogram.mappings import (
    BayesianMapping,
    FirstMapping,
    FrequencyMapping,
    LabelMapping,
    OutputMapping,
)
from skreprogram.training import Program, class_scores, fit_programs
from skreprogram.training._net import count_labels

STILL = 1e-30  # a learning rate that moves nothing


def counted(one, program, composed):
    """Label counts of a program over rows, a row at a time."""
    theta, omega = program.tensors()
    counts = np.zeros_like(omega["matrix"].numpy())
    for x, y, weight in zip(one.train.X, one.train.y, one.train.weight, strict=True):
        logits = composed.network.outputs(TILED.apply(theta, x[None], composed.space))
        counts[logits.argmax().item(), y.item()] += weight.item()
    return counts


def fit(mapping, one=None, **changes):
    """One program."""
    return fit_programs([one or task()], composition(mapping), options(**changes))[0]


def test_counts_are_those_of_a_slow_loop():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 20, 5, generator=generator)
    y = torch.randint(0, 4, (3, 20), generator=generator)
    weight = torch.rand(3, 20, generator=generator)
    expected = np.zeros((3, 5, 4))
    for k in range(3):
        for i in range(20):
            expected[k, logits[k, i].argmax(), y[k, i]] += weight[k, i]
    np.testing.assert_allclose(count_labels(logits, y, weight, 4), expected, atol=1e-6)


def test_soft_counts_are_those_of_a_slow_loop():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 20, 5, generator=generator)
    y = torch.randint(0, 4, (3, 20), generator=generator)
    weight = torch.rand(3, 20, generator=generator)
    expected = np.zeros((3, 5, 4))
    for k in range(3):
        for i in range(20):
            probabilities = logits[k, i].softmax(0)
            for s in probabilities.argsort(descending=True)[:2]:
                expected[k, s, y[k, i]] += weight[k, i] * probabilities[s]
    votes = BayesianMapping(top_k=2).votes(logits, 4)
    np.testing.assert_allclose(count_labels(logits, y, weight, 4, votes), expected, atol=1e-6)


def test_votes_for_the_highest_output_alone_are_the_hard_counts():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 30, 5, generator=generator)
    y = torch.randint(0, 3, (2, 30), generator=generator)
    weight = torch.rand(2, 30, generator=generator)
    votes = torch.nn.functional.one_hot(logits.argmax(-1), 5).float()
    hard = count_labels(logits, y, weight, 3)
    torch.testing.assert_close(count_labels(logits, y, weight, 3, votes), hard)


@pytest.mark.parametrize("top_k", [None, 1, 3, 0.5])
def test_counts_of_parts_add_up(top_k):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 30, 5, generator=generator, dtype=torch.float64)
    y = torch.randint(0, 3, (2, 30), generator=generator)
    weight = torch.rand(2, 30, generator=generator, dtype=torch.float64)
    mapping = BayesianMapping(top_k=top_k)

    def counts(part):
        columns = logits[:, part], y[:, part], weight[:, part]
        return count_labels(*columns, 3, mapping.votes(columns[0], 3))

    parts = counts(slice(0, 11)) + counts(slice(11, 30))
    torch.testing.assert_close(parts, counts(slice(0, 30)))


@pytest.mark.parametrize("name", ["frequency", "bayesian-soft"])
def test_counts_come_from_the_outputs_that_prediction_sees(name):
    mapping, one = OutputMapping.resolve(name), task()
    program = fit(mapping, one, lr=STILL)
    # with the identity as matrix, class scores are the source's outputs
    shown = Program(program.input, {"matrix": np.eye(6)})
    logits = class_scores(
        shown, composition(FirstMapping(aggregation="logits")), one.train.X.numpy()
    )
    logits = torch.from_numpy(logits)[None]
    votes = mapping.votes(logits, 2)
    expected = count_labels(logits, one.train.y[None], one.train.weight[None], 2, votes)[0]
    np.testing.assert_allclose(program.output["counts"], expected)


def test_the_first_mapping_is_that_of_the_program_of_the_start():
    mapping = FrequencyMapping(2)
    program = fit(mapping, lr=STILL)
    counts = counted(task(), program, composition(mapping))
    np.testing.assert_allclose(program.output["counts"], counts)
    expected = mapping.estimate(torch.from_numpy(counts), torch.Generator())
    assert np.array_equal(program.output["matrix"], expected)


def test_an_exact_refit_is_a_recomputation_with_the_program_of_that_epoch():
    mapping = FrequencyMapping(refit_every=2, refresh="exact")
    program = fit(mapping, max_epochs=3, lr=0.5, optimizer="sgd")
    # what the third epoch began with: two epochs, without the refit that no epoch follows
    before = fit(mapping, max_epochs=2, lr=0.5, optimizer="sgd")
    counts = counted(task(), before, composition(mapping))
    np.testing.assert_allclose(program.output["counts"], counts)
    expected = mapping.estimate(torch.from_numpy(counts), torch.Generator())
    assert np.array_equal(program.output["matrix"], expected)


@pytest.mark.parametrize("mapping", [FrequencyMapping(refit_every=1), BayesianMapping(top_k=3)])
def test_counts_gathered_during_an_epoch_equal_the_exact_ones_of_a_still_program(mapping):
    programs = [
        fit(clone(mapping).set_params(refresh=refresh), lr=STILL) for refresh in ("epoch", "exact")
    ]
    np.testing.assert_allclose(programs[0].output["counts"], programs[1].output["counts"])


@pytest.mark.parametrize("name", ["frequency", "assignment", "transport", "bayesian"])
@pytest.mark.parametrize("wrong", [{"refit_every": 0}, {"refit_every": 1.5}, {"refresh": "never"}])
def test_refits_that_make_no_sense_are_refused(name, wrong):
    mapping = OutputMapping.resolve(name).set_params(**wrong)
    with pytest.raises(ValueError, match=f"Got {next(iter(wrong))}=.*Mapping, expected"):
        fit(mapping)


class Recorded(LabelMapping):
    """Keep the counts of every estimate."""

    uses_counts = True

    def __init__(self, refit_every):
        self.refit_every = refit_every

    def estimate(self, counts, generator):
        self.asked = [*getattr(self, "asked", []), counts.sum().item()]
        return FrequencyMapping().estimate(counts, generator)


@pytest.mark.parametrize(("every", "estimates"), [(None, 1), (1, 7), (2, 4), (3, 3), (7, 1)])
def test_refits_come_when_they_are_due_and_another_epoch_follows(every, estimates):
    mapping = Recorded(every)
    fit(mapping, max_epochs=7)
    assert len(mapping.asked) == estimates
    np.testing.assert_allclose(mapping.asked, task().train.weight.sum())


def test_a_refit_can_change_the_mapping():
    fixed, refitted = (
        fit(FrequencyMapping(refit_every=every), max_epochs=30, lr=2.0, optimizer="sgd")
        for every in (None, 1)
    )
    assert not np.array_equal(fixed.output["matrix"], refitted.output["matrix"])


@pytest.mark.parametrize("mapping", [FrequencyMapping(), BayesianMapping(top_k=2)])
def test_counts_add_up_over_partial_fits(mapping):
    whole = task(20)
    first, second = (replace(part) for part in whole.train.split(10))
    composed = composition(mapping)
    start = fit(mapping, whole, lr=STILL)
    start = Program(start.input, {**start.output, "counts": 0 * start.output["counts"]})
    parts = start
    for rows in (first, second):
        one = whole._replace(train=rows, start=parts)
        parts = fit_programs([one], composed, options(max_epochs=1, lr=STILL))[0]
    at_once = fit_programs([whole._replace(start=start)], composed, options(lr=STILL))[0]
    np.testing.assert_allclose(parts.output["counts"], at_once.output["counts"])
    np.testing.assert_allclose(parts.output["matrix"], at_once.output["matrix"])


@pytest.mark.parametrize("mapping", ["iterative", "assignment"])
def test_a_class_that_is_absent_still_gets_a_source_label(mapping):
    one = task(20)._replace(n_classes=3)
    program = fit(OutputMapping.resolve(mapping), one)
    assert (program.output["matrix"] > 0).sum(0).tolist() == [1, 1, 1]


@pytest.mark.parametrize("mapping", ["bayesian", "bayesian-soft", "transport"])
def test_a_class_that_is_absent_still_gets_a_column(mapping):
    one = task(20)._replace(n_classes=3)
    program = fit(OutputMapping.resolve(mapping), one)
    np.testing.assert_allclose(program.output["matrix"].sum(0), 1)
