"""Cellular automata as sources, and the matrix that reprograms their states."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from toys import seeded

from skreprogram import ReprogrammingClassifier, load
from skreprogram._input_space import InputSpace
from skreprogram.sources import CellularAutomaton, SourceModel, load_source
from skreprogram.sources._packaged_automata import PACKAGED_AUTOMATA
from skreprogram.sources._weights import BUNDLED, sha256_of
from skreprogram.transformations import IdentityTransformation, StateMatrixTransformation

SPACE = InputSpace((1, 5, 5), (0.0, 1.0), flexible=True)
BELOW = StateMatrixTransformation(n_states=6)
N_ENTRIES = 21


def toy(**options):
    """An automaton of 5 x 5 cells at most, of six states and three classes, untrained."""
    sizes = {"n_outputs": 3, "n_states": 6, "n_hidden": 12, "size": (5, 5), "n_steps": 8}
    return seeded(lambda: CellularAutomaton(**(sizes | options))).eval()


def still():
    """The toy with a rule that changes nothing, so that only a matrix moves its states."""
    automaton = toy()
    torch.nn.init.zeros_(automaton.change.weight)
    torch.nn.init.zeros_(automaton.change.bias)
    return automaton


def toy_source():
    return SourceModel.from_module(toy(), (1, 5, 5), value_range=(0, 1), flexible=True)


def images(n=4, seed=0):
    """Ink between 0 and 1, half of the pixels empty."""
    ink = torch.rand(n, 1, 5, 5, generator=torch.Generator().manual_seed(seed))
    return (2 * ink - 1).clamp_min(0)


def drawn_entries(seed=1, scale=0.3):
    return scale * torch.randn(N_ENTRIES, generator=torch.Generator().manual_seed(seed))


def under(entries, X):
    """Images with the matrix of a program below them."""
    params = BELOW.init(X, SPACE, torch.Generator())
    return BELOW.apply({**params, "state_matrix": entries}, X, SPACE)


def entries_of(matrix):
    """The program whose matrix this is."""
    upper = torch.triu_indices(6, 6)
    return torch.atanh((matrix - torch.eye(6))[upper[0], upper[1]])


@torch.no_grad()
def written_out(automaton, image, matrix):
    """One roll-out by the formulas of the paper, cell by cell."""
    ink = image[0].double()
    living = ink > 0.1
    state = torch.zeros(7, 7, 6, dtype=torch.float64)
    state[1:6, 1:6, 0] = ink * living
    sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=torch.float64) / 8
    read, change = automaton.read.double(), automaton.change.double()
    for awake in automaton.awake[..., 0]:
        state = (state @ matrix.double()).clamp(-3, 3)
        state[1:6, 1:6] *= living[..., None]
        after = state.clone()
        for i, j in living.nonzero().tolist():
            around = state[i : i + 3, j : j + 3]
            slopes = [torch.einsum("ij,ijc->c", kernel, around) for kernel in (sobel, sobel.T)]
            seen = torch.cat([around[1, 1], *slopes])
            after[i + 1, j + 1, 1:] += awake[i, j] * change(read(seen).relu())
        state = after
    return state[1:6, 1:6]


def test_under_the_identity_it_rolls_out_to_the_same_bits():
    automaton, X = toy(), images()
    assert torch.equal(automaton.roll_out(under(torch.zeros(N_ENTRIES), X)), automaton.roll_out(X))


def test_the_packaged_one_rolls_out_to_the_same_bits_under_the_identity():
    source, X = load_source("digit-automaton"), torch.rand(20, 1, 8, 8)
    below, network = StateMatrixTransformation(), source.load()
    inputs = below.apply(below.init(X, source.input_space, None), X, source.input_space)
    assert inputs.shape == (20, 1, 35, 8)
    assert torch.equal(network.outputs(inputs), network.outputs(X))


def test_a_roll_out_is_that_of_the_formulas():
    automaton, X = toy(), images(2)
    matrix = BELOW.matrix({"state_matrix": drawn_entries()})
    got = automaton.roll_out(under(drawn_entries(), X))[-1]
    plain = automaton.roll_out(X)[-1]
    for row in range(2):
        expected = written_out(toy(), X[row], matrix)
        torch.testing.assert_close(got[row].double(), expected, atol=1e-4, rtol=0)
        unperturbed = written_out(toy(), X[row], torch.eye(6))
        torch.testing.assert_close(plain[row].double(), unperturbed, atol=1e-4, rtol=0)
        assert (expected - unperturbed).abs().max() > 0.1


def test_the_source_reads_the_matrix_that_the_transformation_names():
    inputs = under(drawn_entries(), images())
    read = toy().matrices(inputs)
    named = BELOW.matrix({"state_matrix": drawn_entries()})
    assert torch.equal(read, read.mT) and torch.equal(named, named.mT)
    torch.testing.assert_close(read, named.expand(4, 6, 6))


def test_a_matrix_on_the_ink_doubles_it_in_every_step_until_it_is_cut_off():
    doubling = torch.eye(6)
    doubling[0, 0] = 1.999
    X = torch.full((1, 1, 5, 5), 0.5)
    ink = still().roll_out(under(entries_of(doubling), X))[:, 0, 2, 2, 0]
    expected = [0.5, 0.9995, 1.998, 3.0, 3.0]
    torch.testing.assert_close(ink[:5], torch.tensor(expected), atol=1e-3, rtol=0)


def test_beliefs_are_what_the_matrix_makes_of_the_ink():
    mixing = torch.eye(6)
    mixing[0, 4] = mixing[4, 0] = 0.5
    X = torch.full((1, 1, 5, 5), 0.5)
    state = torch.tensor([0.5, 0, 0, 0, 0, 0])
    for _ in range(8):
        state = (state @ mixing).clamp(-3, 3)
    scores = still()(under(entries_of(mixing), X))
    torch.testing.assert_close(scores, 10 * state[3:][None], atol=1e-3, rtol=0)
    assert scores.argmax() == 1


def test_a_dark_pixel_stays_dead_whatever_the_matrix_says():
    X = images()
    states = toy().roll_out(under(drawn_entries(scale=3.0), X))
    assert (states[:, (X[:, 0] <= 0.1)] == 0).all()
    assert (states[-1][X[:, 0] > 0.1] != 0).any()


def test_an_empty_image_gets_finite_scores():
    assert torch.equal(toy()(torch.zeros(1, 1, 5, 5)), torch.zeros(1, 3))


def test_answers_are_the_same_every_time_and_in_any_company():
    automaton, X = toy(), images()
    assert torch.equal(automaton(X), automaton(X))
    torch.testing.assert_close(automaton(X[:1]), automaton(X)[:1])


def test_which_cells_change_is_drawn_anew_in_training():
    automaton = toy().train()
    assert not torch.equal(automaton(images()), automaton(images()))


def test_news_travel_one_cell_a_step():
    X = torch.full((1, 1, 5, 5), 0.5)
    other = X.clone()
    other[0, 0, 0, 0] = 0.9
    automaton = toy()
    automaton.awake.fill_(True)
    differs = (automaton.roll_out(X) != automaton.roll_out(other))[:, 0].any(-1)
    reached = [int(step.nonzero().max()) if step.any() else -1 for step in differs[:5]]
    assert reached == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("shape", [(1, 6, 5), (1, 5, 6), (1, 12, 5), (2, 5, 5)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected \(1, 5, 5\), or \(1, 10, 5\) with a state"):
        toy()(torch.rand(2, *shape))


def test_programs_stacked_give_what_each_gives_alone():
    X = torch.stack([images(seed=0), images(seed=1)])
    params = [
        {**BELOW.init(x, SPACE, None), "state_matrix": drawn_entries(k)} for k, x in enumerate(X)
    ]
    stacked = {name: torch.stack([one[name] for one in params]) for name in params[0]}
    together = torch.func.vmap(lambda p, x: BELOW.apply(p, x, SPACE))(stacked, X)
    for k in range(2):
        torch.testing.assert_close(together[k], BELOW.apply(params[k], X[k], SPACE))


def test_inputs_stay_in_the_range_of_the_source():
    inputs = under(drawn_entries(scale=50.0), images())
    assert inputs.min() >= 0 and inputs.max() <= 1


def test_every_entry_of_the_matrix_has_a_gradient():
    entries = drawn_entries(scale=0.05).requires_grad_()
    toy()(under(entries, images())).square().sum().backward()
    assert torch.isfinite(entries.grad).all() and (entries.grad != 0).all()


@pytest.mark.parametrize(
    "space",
    [
        InputSpace((1, 5, 5), (0.0, 1.0)),
        InputSpace((3, 5, 5), (0.0, 1.0), flexible=True),
        InputSpace((1, 5, 5), flexible=True),
    ],
)
def test_sources_without_room_for_a_matrix_are_refused(space):
    with pytest.raises(ValueError, match="expected one that reads a state program in rows below"):
        BELOW.init(images(), space, torch.Generator())


def test_a_matrix_inside_a_matrix_is_refused():
    with pytest.raises(ValueError, match="inside another one"):
        StateMatrixTransformation(6, BELOW).init(images(), SPACE, torch.Generator())


def test_a_wrong_number_of_states_is_refused_by_the_source():
    clf = ReprogrammingClassifier(toy_source(), input_transformation=StateMatrixTransformation())
    with pytest.raises(ValueError, match=r"use StateMatrixTransformation\(n_states=6\)"):
        clf.fit(images(6).numpy(), [0, 1, 0, 1, 0, 1])


def test_the_matrix_penalty_draws_to_the_identity():
    params = {"state_matrix": torch.full((N_ENTRIES,), 2.0)}
    assert StateMatrixTransformation(6, l2=0.5).penalty(params) == 0.5 * 4 * N_ENTRIES


def test_another_transformation_makes_the_image_and_trains_beside_the_matrix():
    both = StateMatrixTransformation(6, "overlay")
    params = both.init(images(), SPACE, torch.Generator())
    assert set(both.trainable) == {"state_matrix", "program"} <= set(params)
    plain = StateMatrixTransformation(6, IdentityTransformation())
    assert plain.trainable == ("state_matrix",)


def test_an_estimator_trains_it_on_a_source_that_stays_as_it_is(tmp_path):
    X, y = images(30).numpy(), np.arange(30) % 3
    source = toy_source()
    before = source.load().state_digest()
    clf = ReprogrammingClassifier(
        source, input_transformation=BELOW, output_mapping="first", max_epochs=3, random_state=0
    ).fit(X, y)
    assert source.load().state_digest() == before
    matrix = BELOW.matrix(clf.program_.tensors()[0])
    assert torch.equal(matrix, matrix.mT) and not torch.equal(matrix, torch.eye(6))
    clf.save(tmp_path / "matrix.safetensors")
    again = load(tmp_path / "matrix.safetensors", source=source)
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))


@pytest.mark.slow
def test_a_matrix_teaches_the_packaged_one_to_swap_two_digits():
    X, y = load_digits(n_class=2, return_X_y=True)
    X = X.reshape(-1, 8, 8)
    train, test = slice(200), slice(200, None)
    settings = {"output_mapping": "first", "max_epochs": 8, "lr": 0.01, "random_state": 0}
    alone, matrix = (
        ReprogrammingClassifier("digit-automaton", input_transformation=way, **settings)
        .fit(X[train], 1 - y[train])
        .score(X[test], 1 - y[test])
        for way in ("resizing", StateMatrixTransformation())
    )
    assert alone < 0.1 and matrix > 0.9


def test_the_packaged_weights_are_those_of_the_entry():
    entry = PACKAGED_AUTOMATA["digit-automaton"]
    assert sha256_of(BUNDLED / entry.file) == entry.sha256


def test_the_packaged_one_takes_images_of_one_size():
    assert repr(load_source("digit-automaton")) == "SourceModel('digit-automaton', (1, 8, 8) -> 10)"
    with pytest.raises(ValueError, match="expected None, as it is not flexible"):
        load_source("digit-automaton", input_shape=(1, 16, 16))


def test_an_untrained_control_has_another_rule_and_the_same_cells_awake():
    source = toy_source()
    control = source.with_random_weights(1).load()._module
    assert torch.equal(control.awake, toy().awake)
    assert not torch.equal(control.read.weight, toy().read.weight)
