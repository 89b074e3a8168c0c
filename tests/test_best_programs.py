"""Each of several programs is kept at its own best epoch, whatever the others do."""

from types import SimpleNamespace

import pytest
import torch

from skreprogram.training._callbacks import BestPrograms, StopWhenAllRest

NAN = float("nan")


def play(losses, patience):
    """Show the callbacks validation losses, an epoch a row; return them, the net, the epochs."""
    epoch = SimpleNamespace(number=0)
    module = SimpleNamespace(
        n_programs=len(losses[0]), rows=lambda k: ({"epoch": epoch.number}, {"k": k})
    )
    net = SimpleNamespace(
        module_=module, mean_losses=lambda training: torch.tensor(losses[epoch.number - 1])
    )
    best, stop = BestPrograms(patience), StopWhenAllRest()
    best.on_train_begin(net)
    try:
        for epoch.number in range(1, len(losses) + 1):
            best.on_epoch_end(net)
            stop.on_epoch_end(net)
    except KeyboardInterrupt:
        pass
    return best, net, epoch.number


def kept(best, net):
    """The epoch from which each program is kept."""
    return [inputs["epoch"] for inputs, _ in best.programs(net)]


def test_a_better_epoch_starts_the_wait_again():
    losses = [[3.0], [4.0], [2.0], [3.0], [1.0], [2.0], [2.0], [0.0]]
    best, net, last = play(losses, patience=2)
    assert (kept(best, net), last) == ([5], 7)


def test_an_epoch_that_is_as_good_is_not_better():
    best, net, last = play([[1.0]] * 9, patience=3)
    assert (kept(best, net), last) == ([1], 4)


def test_programs_rest_apart_and_the_last_one_ends_training():
    losses = [[1.0, 5.0], [2.0, 4.0], [3.0, 3.0], [0.0, 4.0], [0.0, 4.0], [0.0, 0.0]]
    best, net, last = play(losses, patience=2)
    assert (kept(best, net), last) == ([1, 3], 5)
    assert [len(history) for history in best.histories_] == [3, 5]
    assert [row["valid_loss"] for row in best.histories_[0]] == [1.0, 2.0, 3.0]


def test_a_loss_that_is_no_number_is_never_the_best():
    best, net, _ = play([[2.0], [NAN], [1.0], [NAN]], patience=5)
    assert kept(best, net) == [3]


def test_without_patience_the_last_epoch_is_kept():
    best, net, last = play([[1.0, 3.0], [2.0, 4.0]], patience=None)
    assert (kept(best, net), last) == ([2, 2], 2)
    assert all("valid_loss" not in row for history in best.histories_ for row in history)


@pytest.mark.parametrize("n_programs", [1, 3])
def test_programs_keep_their_places(n_programs):
    best, net, _ = play([[1.0] * n_programs] * 4, patience=2)
    assert [outputs["k"] for _, outputs in best.programs(net)] == list(range(n_programs))
