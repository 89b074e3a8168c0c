"""What input transformations do to their programs when an epoch begins."""

import pytest
import torch
from small_tasks import composition, options, task

from skreprogram._input_space import InputSpace
from skreprogram.mappings import LinearMapping
from skreprogram.training import fit_programs
from skreprogram.transformations import (
    DifferencesTransformation,
    SideBySide,
    TilingTransformation,
)

SPACE = InputSpace((12,), (-1.0, 1.0))


class GrowingTransformation(TilingTransformation):
    """Counts epochs, and moves its program by a whole number at the beginning of each."""

    def __init__(self, replicas=2, init_scale=0.5, move=0.0):
        super().__init__(replicas, init_scale)
        self.move = move

    def init(self, X, space, generator):
        return {**super().init(X, space, generator), "epochs": torch.zeros(1)}

    def renew(self, params, space):
        moved = {name: params[name] + self.move for name in self.trainable}
        return {**params, **moved, "epochs": params["epochs"] + 1}


def programs(transformation, n_tasks=1, **changes):
    tasks = [task(seed=seed) for seed in range(n_tasks)]
    return fit_programs(tasks, composition(LinearMapping(), transformation), options(**changes))


@pytest.mark.parametrize("n_tasks", [1, 2])
def test_every_program_is_renewed_once_an_epoch(n_tasks):
    for program in programs(GrowingTransformation(), n_tasks, max_epochs=3):
        assert program.input["epochs"].tolist() == [3.0]


def test_what_trains_goes_on_from_what_was_renewed():
    (trained,) = GrowingTransformation().trainable
    moved, still = (
        programs(GrowingTransformation(move=move), max_epochs=3, lr=1e-6)[0].input[trained]
        for move in (1.0, 0.0)
    )
    assert abs(moved - still - 3.0).max() < 1e-4


@pytest.mark.parametrize(
    "around", [DifferencesTransformation, lambda inner: SideBySide([TilingTransformation(), inner])]
)
def test_a_transformation_inside_another_is_renewed(around):
    X, generator = task().train.X, torch.Generator()
    outer = around(GrowingTransformation())
    params = outer.init(X, SPACE, generator)
    renewed = outer.renew(params, SPACE)
    (name,) = (name for name in params if name.endswith("epochs"))
    assert renewed[name] == 1 and set(renewed) == set(params)


def test_most_transformations_change_nothing():
    X, tiling = task().train.X, TilingTransformation()
    params = tiling.init(X, SPACE, torch.Generator())
    assert tiling.renew(params, SPACE) is params
