"""Counts of source labels: gathered, added up, and turned into new mappings."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_tasks import TILED, composition, options, task

from skreprogram.mappings import FrequencyMapping, LabelMapping
from skreprogram.training import Program, fit_programs
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


def test_counts_gathered_during_an_epoch_equal_the_exact_ones_of_a_still_program():
    programs = [
        fit(FrequencyMapping(refit_every=1, refresh=refresh), lr=STILL)
        for refresh in ("epoch", "exact")
    ]
    np.testing.assert_allclose(programs[0].output["counts"], programs[1].output["counts"])


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


def test_counts_add_up_over_partial_fits():
    mapping, whole = FrequencyMapping(), task(20)
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
    assert np.array_equal(parts.output["matrix"], at_once.output["matrix"])


def test_a_class_that_is_absent_still_gets_a_source_label():
    one = task(20)._replace(n_classes=3)
    program = fit(FrequencyMapping(refit_every=1), one)
    assert (program.output["matrix"] > 0).sum(0).tolist() == [1, 1, 1]
