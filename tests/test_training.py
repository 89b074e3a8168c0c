"""The training loop: what is trained, when it ends, what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from small_tasks import TILED, assert_equal_programs, composition, options, task

from skreprogram.losses import CrossEntropy
from skreprogram.mappings import FrequencyMapping, LinearMapping, OutputMapping, RandomMapping
from skreprogram.training import class_scores, fit_programs
from skreprogram.training._batches import StackedBatches
from skreprogram.training._net import ProgramNet
from skreprogram.training._optimizers import OPTIMIZERS, SCHEDULERS
from skreprogram.transformations import TilingTransformation


class Watch(Callback):
    """Call a function of the net and the number of the epoch after each one."""

    def __init__(self, function):
        self.function = function

    def on_epoch_end(self, net, **kwargs):
        self.function(net, len(net.history))


def fit(mapping, transformation=TILED, of=None, **changes):
    """One program."""
    return fit_programs([of or task()], composition(mapping, transformation), options(**changes))[0]


def mean_loss(program, composed, rows):
    """Weighted mean cross-entropy on rows, in numpy."""
    scores = class_scores(program, composed, rows.X.numpy())
    log_p = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    losses = -log_p[np.arange(len(rows)), rows.y.numpy()]
    return np.average(losses, weights=rows.weight.numpy())


@pytest.mark.parametrize("name", ["linear", "features", "random", "iterative"])
def test_training_lowers_the_loss(name):
    mapping = OutputMapping.resolve(name)
    composed, one = composition(mapping, TilingTransformation(2, l2=0.0)), task(40)
    start = fit_programs([one], composed, options(max_epochs=1, lr=1e-9))[0]
    end = fit_programs([one], composed, options(max_epochs=30, lr=0.1))[0]
    assert mean_loss(end, composed, one.train) < mean_loss(start, composed, one.train) - 0.001


def test_one_step_of_gradient_descent_is_that_of_autograd():
    composed, one = composition(LinearMapping()), task(8)
    untouched = fit_programs([one], composed, options(max_epochs=1, lr=1e-30))[0]
    stepped = fit(LinearMapping(), of=one, max_epochs=1, optimizer="sgd", lr=0.1)
    theta, omega = untouched.tensors()
    moving = [theta["program"], omega["weight"], omega["bias"]]
    for tensor in moving:
        tensor.requires_grad_()
    inputs = TILED.apply(theta, one.train.X, composed.space)
    scores = LinearMapping().apply(omega, composed.network.outputs(inputs))
    losses = torch.nn.functional.cross_entropy(scores, one.train.y, reduction="none")
    loss = (losses * one.train.weight).sum() / one.train.weight.sum()
    (loss + 0.04 * theta["program"].square().sum()).backward()
    got = [stepped.input["program"], stepped.output["weight"], stepped.output["bias"]]
    for tensor, array in zip(moving, got, strict=True):
        expected = (tensor - 0.1 * tensor.grad).detach().numpy()
        np.testing.assert_allclose(array, expected, atol=1e-12)


def test_the_loss_is_the_weighted_mean_of_the_rows():
    scores, y = torch.randn(2, 5, 3), torch.randint(0, 3, (2, 5))
    weight = torch.tensor([[1.0, 2.0, 0.5, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0, 0.0]])
    log_p = scores.log_softmax(-1)
    net = ProgramNet(None, generators=[], loss=CrossEntropy(), criterion=torch.nn.Module)
    for k, loss in enumerate(net._losses(scores, y, weight)):
        rows = [-log_p[k, i, y[k, i]].item() for i in range(5)]
        assert loss.item() == pytest.approx(np.average(rows, weights=weight[k]), rel=1e-5)


def test_history_holds_the_losses_of_each_epoch():
    composed, one = composition(LinearMapping()), task(8, n_valid=8)
    program = fit_programs([one], composed, options(max_epochs=3, patience=10))[0]
    assert [row["epoch"] for row in program.history] == [1, 2, 3]
    best = min(row["valid_loss"] for row in program.history)
    assert mean_loss(program, composed, one.valid) == pytest.approx(best, abs=1e-9)


def test_early_stopping_keeps_the_best_epoch_and_waits_for_its_patience():
    composed, one = composition(LinearMapping()), task(seed=3, n_valid=12)
    program = fit_programs([one], composed, options(max_epochs=60, lr=0.5, patience=4))[0]
    losses = [row["valid_loss"] for row in program.history]
    assert len(losses) < 60
    assert len(losses) - 1 - int(np.argmin(losses)) == 4
    assert mean_loss(program, composed, one.valid) == pytest.approx(min(losses), abs=1e-9)


def test_callbacks_see_the_epoch_after_which_training_stops():
    seen = []
    watch = Watch(lambda net, epoch: seen.append(epoch))
    one = task(seed=3, n_valid=12)
    program = fit(LinearMapping(), of=one, max_epochs=60, lr=0.5, patience=2, callbacks=(watch,))
    assert seen == [row["epoch"] for row in program.history]


def interrupt_after(last):
    def stop(net, epoch):
        if epoch == last:
            raise KeyboardInterrupt

    return (Watch(stop),)


def test_an_interrupt_keeps_the_epochs_that_are_done():
    interrupted = fit(LinearMapping(), max_epochs=9, callbacks=interrupt_after(3))
    assert_equal_programs(interrupted, fit(LinearMapping(), max_epochs=3))


def test_an_interrupt_under_early_stopping_keeps_the_best_program_so_far():
    composed, one = composition(LinearMapping()), task(seed=3, n_valid=12)
    chosen = options(max_epochs=60, lr=0.5, patience=50, callbacks=interrupt_after(20))
    program = fit_programs([one], composed, chosen)[0]
    losses = [row["valid_loss"] for row in program.history]
    assert len(losses) == 20 and np.argmin(losses) < 19
    assert mean_loss(program, composed, one.valid) == pytest.approx(min(losses), abs=1e-9)


class Divergent(TilingTransformation):
    """A transformation whose penalty has the value or the gradient that is asked for."""

    def __init__(self, kind="value"):
        super().__init__(2, init_scale=0.5)
        self.kind = kind

    def penalty(self, params):
        zero = (params["program"] - params["program"].detach()).abs().sum()
        return zero * float("nan") if self.kind == "value" else zero.sqrt()


@pytest.mark.parametrize("kind", ["value", "gradient"])
def test_a_fit_that_diverges_is_refused_and_leaves_the_source_alone(kind):
    composed = composition(LinearMapping(), Divergent(kind))
    before = composed.network.state_digest()
    with pytest.raises(ValueError, match="Got .* in epoch 1, expected .*smaller learning rate"):
        fit_programs([task()], composed, options(max_epochs=1))
    assert composed.network.state_digest() == before


def test_the_source_is_the_same_after_a_fit():
    composed = composition(LinearMapping())
    before = composed.network.state_digest()
    fit_programs([task()], composed, options())
    assert composed.network.state_digest() == before and not composed.network.is_training


def test_the_source_is_no_part_of_what_trains():
    composed = composition(LinearMapping())
    model = composed.model([fit(LinearMapping()).tensors()])
    names = {"theta.program", "omega.weight", "omega.bias"}
    assert {name for name, _ in model.named_parameters()} == names
    assert set(model.state_dict()) == names
    # the model, a dictionary for each side, and the list of fine-tuned tensors, which is empty
    assert len(list(model.modules())) == 4


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_trains_by_its_name(name):
    program = fit(RandomMapping(), optimizer=name, max_epochs=1)
    start = fit(RandomMapping(), optimizer=name, max_epochs=1, lr=1e-30)
    assert np.abs(program.input["program"] - start.input["program"]).max() > 1e-6


def test_lbfgs_trains_too_and_has_no_weight_decay():
    before = fit(LinearMapping(), max_epochs=1, lr=1e-30).history[0]["train_loss"]
    after = fit(LinearMapping(), optimizer=torch.optim.LBFGS, lr=0.1, batch_size=20).history
    assert after[-1]["train_loss"] < before
    with pytest.raises(ValueError, match="Got weight_decay=0.1 with the optimizer LBFGS"):
        fit(LinearMapping(), optimizer=torch.optim.LBFGS, weight_decay=0.1)


@pytest.mark.parametrize("wrong", ["adamm", 3, torch.nn.Linear])
def test_unknown_optimizers_are_refused(wrong):
    with pytest.raises(ValueError, match="Got optimizer=.*expected one of .'adam'"):
        fit(LinearMapping(), optimizer=wrong)


@pytest.mark.parametrize("wrong", ["step", 3, torch.optim.lr_scheduler.StepLR])
def test_unknown_schedulers_are_refused(wrong):
    with pytest.raises(ValueError, match="Got lr_scheduler=.*'cosine'"):
        fit(LinearMapping(), lr_scheduler=wrong)


RATES = {
    "cosine": lambda epoch: (1 + np.cos(np.pi * epoch / 5)) / 2,
    "linear": lambda epoch: 1 - 0.99 * epoch / 5,
    "function": lambda epoch: 0.5**epoch,
}


@pytest.mark.parametrize("name", sorted(RATES))
def test_schedulers_set_the_rate_of_each_epoch(name):
    rates = []
    watch = Watch(lambda net, epoch: rates.append(net.history[-1, "event_lr"]))
    choice = RATES[name] if name == "function" else name
    fit(LinearMapping(), lr_scheduler=choice, lr=0.2, max_epochs=5, callbacks=(watch,))
    np.testing.assert_allclose(rates, [0.2 * RATES[name](epoch) for epoch in range(5)])


@pytest.mark.parametrize("n_valid", [0, 8])
def test_a_plateau_halves_the_rate(n_valid):
    rates = []
    watch = Watch(lambda net, epoch: rates.append(net.optimizer_.param_groups[0]["lr"]))
    settings = {"max_epochs": 40, "lr": 5.0, "patience": 40 if n_valid else None}
    one = task(n_valid=n_valid)
    fit(LinearMapping(), of=one, lr_scheduler="plateau", callbacks=(watch,), **settings)
    assert set(SCHEDULERS) == {"cosine", "linear", "plateau"}
    assert min(rates) <= 2.5 and set(np.log2(np.divide(5.0, rates)) % 1) == {0.0}


def test_weight_decay_pulls_the_program_to_zero():
    free, pulled = (
        fit(RandomMapping(), TilingTransformation(2, l2=0, init_scale=1.0), weight_decay=decay)
        for decay in (0.0, 10.0)
    )
    assert np.abs(pulled.input["program"]).sum() < np.abs(free.input["program"]).sum()


def test_the_penalty_is_part_of_the_loss():
    free, pulled = (
        fit(RandomMapping(), TilingTransformation(2, l2=l2, init_scale=1.0), max_epochs=40, lr=0.1)
        for l2 in (0.0, 10.0)
    )
    assert np.abs(pulled.input["program"]).max() < 0.1 < np.abs(free.input["program"]).max()


def test_the_same_seed_gives_the_same_program_and_another_one_another():
    transformation = TilingTransformation(2, dropout=0.3)
    first, again, other = (
        fit(LinearMapping(), transformation, of=task()._replace(seed=seed)) for seed in (5, 5, 6)
    )
    assert_equal_programs(first, again, atol=0)
    assert not np.allclose(first.input["program"], other.input["program"], atol=1e-4)


def test_the_global_generators_are_left_alone():
    torch.manual_seed(1)
    np.random.seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    fit(LinearMapping(), TilingTransformation(2, dropout=0.3))
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])


def test_dropout_is_for_training_only():
    composed = composition(LinearMapping(), TilingTransformation(2, dropout=0.5))
    program = fit_programs([task()], composed, options())[0]
    plain = replace(composed, transformation=TilingTransformation(2))
    X = task().train.X.numpy()
    assert np.array_equal(class_scores(program, composed, X), class_scores(program, plain, X))


@pytest.mark.parametrize("sizes", [[10], [10, 12, 9]])
def test_batches_hold_each_row_once_an_epoch(sizes):
    tasks = [task(size, seed).train for seed, size in enumerate(sizes)]
    generators = [torch.Generator().manual_seed(k) for k in range(len(sizes))]
    batches = StackedBatches(tasks, 4, generators)
    epochs = [list(batches), list(batches)]
    for epoch in epochs:
        assert len(epoch) == len(batches) == 3
        for k, size in enumerate(sizes):
            seen = torch.cat([rows[:, k][kept[:, k] > 0] for rows, kept in epoch])
            assert sorted(seen.tolist()) == list(range(size))
    assert not torch.equal(epochs[0][0][0], epochs[1][0][0])


def test_filled_up_rows_have_no_weight():
    tasks = [task(10, 0).train, task(12, 1).train]
    batches = StackedBatches(tasks, 4)
    X, y, weight = batches.gather(list(batches)[-1])
    assert X.shape == (2, 4, 1, 4) and y.shape == (2, 4)
    assert (weight == 0).tolist() == [[False, False, True, True], [False] * 4]
    assert torch.equal(weight[1], tasks[1].weight[8:])


def test_going_on_from_a_program_starts_where_it_was():
    composed = composition(LinearMapping())
    first = fit_programs([task()], composed, options())[0]
    further = fit_programs([task()._replace(start=first)], composed, options(lr=1e-30))[0]
    assert_equal_programs(replace(further, history=[]), replace(first, history=[]), atol=1e-12)


def test_label_mappings_are_constants_without_refits():
    short, long = (fit(FrequencyMapping(), max_epochs=n, lr=1.0) for n in (1, 10))
    assert np.array_equal(short.output["matrix"], long.output["matrix"])
