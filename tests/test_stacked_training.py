"""Several programs at once are what each would be alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from every_mapping import EVERY_NAME, mapping_of
from skorch.callbacks import Callback
from small_tasks import assert_equal_programs, composition, options, task

from skreprogram.mappings import FeaturesMapping, FrequencyMapping, LinearMapping
from skreprogram.training import _fit, fit_programs
from skreprogram.transformations import PaddingTransformation, SideBySide, TilingTransformation


def assert_stacked_equals_separate(tasks, composed, chosen):
    """Fit in company and alone; return the programs."""
    together = fit_programs(tasks, composed, chosen)
    for one, program in zip(tasks, together, strict=True):
        assert_equal_programs(program, fit_programs([one], composed, chosen)[0])
    return together


@pytest.fixture
def stacks(monkeypatch):
    """Sizes of the stacks that are trained."""
    sizes, fit_stack = [], _fit._fit_stack

    def counted(tasks, *rest):
        sizes.append(len(tasks))
        return fit_stack(tasks, *rest)

    monkeypatch.setattr(_fit, "_fit_stack", counted)
    return sizes


@pytest.mark.parametrize("name", EVERY_NAME)
def test_every_mapping_fits_in_company_as_alone(name):
    tasks = [task(seed=seed) for seed in range(3)]
    programs = assert_stacked_equals_separate(tasks, composition(mapping_of(name)), options())
    assert not np.allclose(programs[0].input["program"], programs[1].input["program"], atol=1e-2)


@pytest.mark.parametrize(
    "transformation",
    [
        TilingTransformation(2, dropout=0.4),
        PaddingTransformation("start", "everywhere"),
        SideBySide([TilingTransformation(2, dropout=0.4), "stretching"]),
    ],
)
def test_every_kind_of_program_fits_in_company_as_alone(transformation):
    composed = composition(LinearMapping(l2=0.1), transformation)
    assert_stacked_equals_separate([task(seed=seed) for seed in range(3)], composed, options())


def test_single_precision_fits_in_company_as_alone():
    composed = composition(LinearMapping(), dtype=torch.float32)
    tasks = [task(seed=seed, dtype=np.float32) for seed in range(3)]
    programs = assert_stacked_equals_separate(tasks, composed, options())
    assert programs[0].input["program"].dtype == np.float32


def test_tasks_of_other_sizes_with_as_many_batches_share_a_stack(stacks):
    tasks = [task(n_rows, seed) for seed, n_rows in enumerate([17, 20, 24])]
    composed = composition(FrequencyMapping(refit_every=1))
    fit_programs(tasks, composed, options())
    assert stacks == [3]
    assert_stacked_equals_separate(tasks, composed, options())


def test_tasks_with_other_numbers_of_batches_or_classes_are_stacked_apart(stacks):
    tasks = [task(20, 0), task(30, 1), task(21, 2), task(21, 3, n_classes=3)]
    composed = composition(LinearMapping())
    fit_programs(tasks, composed, options())
    assert sorted(stacks) == [1, 1, 2]
    assert_stacked_equals_separate(tasks, composed, options())


@pytest.mark.parametrize("mapping", [FrequencyMapping(refit_every=2), FeaturesMapping()])
def test_early_stopping_rests_each_program_in_its_own_time(mapping):
    tasks = [task(seed=seed, n_valid=9 + seed) for seed in range(4)]
    chosen = options(max_epochs=25, lr=0.5, patience=2)
    programs = assert_stacked_equals_separate(tasks, composition(mapping), chosen)
    assert len({len(program.history) for program in programs}) > 1


def test_refits_by_a_further_pass_fit_in_company_as_alone():
    composed = composition(FrequencyMapping(refit_every=2, refresh="exact"))
    assert_stacked_equals_separate([task(seed=seed) for seed in range(3)], composed, options())


class Restless(TilingTransformation):
    """A transformation whose loss, for data far from zero, is NaN after its ninth step."""

    def penalty(self, params):
        if params["offset"] < 50:
            return super().penalty(params)
        self.steps = getattr(self, "steps", 0) + 1
        return float("nan") if self.steps > 9 else super().penalty(params)


def test_a_program_that_rests_cannot_disturb_the_others():
    stopped, going = task(seed=0, n_valid=8), task(seed=1, n_valid=8)
    train = replace(stopped.train, X=stopped.train.X + 100)
    misleading = replace(train.split(8)[0], y=1 - train.y[:8])
    stopped = stopped._replace(train=train, valid=misleading)
    chosen = options(max_epochs=12, lr=0.05, patience=1)
    alone = fit_programs([going], composition(LinearMapping(), Restless(2)), chosen)[0]
    together = fit_programs([stopped, going], composition(LinearMapping(), Restless(2)), chosen)
    assert len(together[0].history) == 2 and len(together[1].history) > 3
    assert_equal_programs(together[1], alone)


@pytest.mark.parametrize(
    "changes",
    [
        {"lr_scheduler": "plateau", "max_epochs": 12, "lr": 0.3},
        {"optimizer": torch.optim.Adafactor},
        {"callbacks": (Callback(),)},
    ],
)
def test_what_would_mix_the_programs_trains_them_one_after_the_other(changes, stacks):
    tasks = [task(seed=seed) for seed in range(3)]
    composed = composition(LinearMapping())
    fit_programs(tasks, composed, options(**changes))
    assert stacks == [1, 1, 1]
    assert_stacked_equals_separate(tasks, composed, options(**changes))


@pytest.mark.parametrize("name", ["cosine", "linear"])
def test_schedules_by_the_epoch_keep_the_stack(name, stacks):
    tasks = [task(seed=seed) for seed in range(3)]
    fit_programs(tasks, composition(LinearMapping()), options(lr_scheduler=name))
    assert stacks == [3]


def test_programs_behind_the_source_are_what_they_are_alone():
    tasks = [task(seed=seed) for seed in range(3)]
    for mapping in (LinearMapping(), FeaturesMapping(), FrequencyMapping()):
        composed = composition(mapping, TilingTransformation(2, program=False))
        assert_stacked_equals_separate(tasks, composed, options())


def test_an_optimizer_by_name_and_by_class_give_the_same_program():
    composed = composition(LinearMapping())
    by_name = fit_programs([task()], composed, options(optimizer="SGD", weight_decay=0.1))[0]
    by_class = options(optimizer=torch.optim.SGD, weight_decay=0.1)
    assert_equal_programs(by_name, fit_programs([task()], composed, by_class)[0])
