"""Strategies: chosen by a short name or an object, and added by one class."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from small_tasks import composition, options, task

from skreprogram._strategy import Strategy
from skreprogram.mappings import FrequencyMapping, LabelMapping, OutputMapping
from skreprogram.training import class_scores, fit_programs
from skreprogram.transformations import InputTransformation, SideBySide, TilingTransformation

FAMILIES = pytest.mark.parametrize("family", [InputTransformation, OutputMapping])


@pytest.fixture(autouse=True)
def registers(monkeypatch):
    """Forget what a test registers."""
    for family in (InputTransformation, OutputMapping):
        monkeypatch.setattr(family, "_makers", dict(family._makers))


@FAMILIES
def test_every_name_stands_for_a_new_object_of_its_family(family):
    for name in family.names():
        first, second = family.resolve(name), family.resolve(name)
        assert isinstance(first, family) and first is not second


def test_a_name_stands_for_the_class_that_says_it():
    assert isinstance(InputTransformation.resolve("tiling"), TilingTransformation)
    assert OutputMapping.resolve("iterative").refit_every == 1
    assert OutputMapping.resolve("frequency").refit_every is None


def test_an_object_stands_for_itself():
    mapping = FrequencyMapping(3)
    assert OutputMapping.resolve(mapping) is mapping


@FAMILIES
def test_an_unknown_name_is_refused_with_all_known_ones(family):
    with pytest.raises(ValueError, match=f"Got the {family.family} 'zzz', expected one of") as got:
        family.resolve("zzz")
    assert all(repr(name) in str(got.value) for name in family.names())
    assert "Did you mean" not in str(got.value)


def test_a_near_miss_is_answered_with_the_name_that_was_meant():
    with pytest.raises(ValueError, match=r"Did you mean 'frequency'\?"):
        OutputMapping.resolve("frequencys")


@FAMILIES
@pytest.mark.parametrize("wrong", [3, None, FrequencyMapping, ["tiling"]])
def test_what_is_neither_name_nor_object_is_refused(family, wrong):
    with pytest.raises(TypeError, match=f"as {family.family}, expected a name among"):
        family.resolve(wrong)


def test_an_object_of_the_other_family_is_refused():
    with pytest.raises(TypeError, match="as output mapping"):
        OutputMapping.resolve(TilingTransformation())


def test_a_name_that_is_taken_is_refused():
    with pytest.raises(ValueError, match="Got the output mapping name 'frequency' twice"):

        class Impostor(LabelMapping, name="frequency"):
            pass

    assert isinstance(OutputMapping.resolve("frequency"), FrequencyMapping)


def test_a_class_that_is_written_again_takes_its_name_again():
    for version in (1, 2):  # as when a cell of a notebook runs twice

        class Again(LabelMapping, name="again"):
            number = version

    assert OutputMapping.resolve("again").number == 2


def test_families_do_not_share_names():
    class Tiling(LabelMapping, name="tiling"):
        pass

    assert isinstance(OutputMapping.resolve("tiling"), Tiling)
    assert isinstance(InputTransformation.resolve("tiling"), TilingTransformation)


def test_a_new_family_starts_without_names():
    class Gradient(Strategy, family="gradient"):
        pass

    assert Gradient.names() == [] and "tiling" in InputTransformation.names()


def test_parameters_inside_views_are_copied_by_clone():
    beside = SideBySide([TilingTransformation(3), "stretching"])
    copy = clone(beside)
    assert copy.transformations[0] is not beside.transformations[0]
    assert copy.transformations[0].n_replicas == 3 and copy.transformations[1] == "stretching"


def test_a_mapping_of_one_method_trains_under_its_name():
    class Reversed(LabelMapping, name="reversed"):
        """The last source labels, in reverse order."""

        def estimate(self, counts, generator):
            return torch.eye(len(counts), counts.shape[1], dtype=counts.dtype).flip(0)

    composed = composition(OutputMapping.resolve("reversed"))
    program = fit_programs([task()], composed, options())[0]
    assert program.output["matrix"][:, 0].tolist() == [0, 0, 0, 0, 0, 1]
    scores = class_scores(program, composed, task().train.X.numpy())
    assert scores.shape == (20, 2) and np.isfinite(scores).all()


def test_a_transformation_of_two_methods_trains_under_its_name():
    class Shift(InputTransformation, name="shift"):
        """Add a number."""

        trainable = ("shift",)

        def init(self, X, space, generator):
            return {"shift": X.new_zeros(())}

        def apply(self, params, X, space):
            return (X.flatten(1).repeat(1, 3) + params["shift"]).clamp(*space.value_range)

    composed = composition(FrequencyMapping(), "shift")
    programs = fit_programs([task(seed=seed) for seed in range(2)], composed, options())
    assert all(program.input["shift"] != 0 for program in programs)
