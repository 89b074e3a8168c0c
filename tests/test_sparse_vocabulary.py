"""Target tokens as sums of few source tokens: what is shown, how it is coded, how it trains."""

import numpy as np
import pytest
import torch
from letter_texts import texts
from sklearn.linear_model import orthogonal_mp
from small_tasks import assert_equal_programs
from tiny_texts import text_source

import skreprogram
from skreprogram import SequenceReprogrammer
from skreprogram._input_space import InputSpace, Vocabulary
from skreprogram.mappings import LinearMapping
from skreprogram.training import Composition, Task, TrainingOptions, fit_programs, rows_of
from skreprogram.transformations import SparseVocabularyTransformation
from skreprogram.transformations._sparse_coding import sparse_codes

# no numbers of tokens but 0, 1, 2, 3 and the special tokens of the source, 0 to 4
X = torch.tensor([[2, 3, 1, 2], [3, 0, 0, 0], [0, 0, 0, 0]])


def G(seed=0):
    return torch.Generator().manual_seed(seed)


def space_of(n_tokens=40, d=6, length=8):
    """A source of text of random embeddings, each about as long as its number says."""
    vectors = torch.randn(n_tokens, d, generator=G(7)) * torch.linspace(0.5, 2, n_tokens)[:, None]
    special = {"padding": 0, "start": 1, "end": 2, "mask": 3, "unknown": 4}
    return InputSpace((length, d + 1), flexible=True, vocabulary=Vocabulary(vectors, **special))


SPACE = space_of()
VECTORS = SPACE.vocabulary.embeddings


def drawn(space=SPACE, **settings):
    sparse = SparseVocabularyTransformation(**{"n_atoms": 3, **settings})
    return sparse, sparse.init(X, space, G())


def theta(params, n_source_tokens=40):
    """The matrix of the paper, of shape (n_tokens, n_source_tokens)."""
    weights = torch.as_tensor(params["weights"])
    atoms = torch.as_tensor(params["atoms"])
    return torch.zeros(len(atoms), n_source_tokens).to(weights).scatter_add(1, atoms, weights)


def planted(n_targets=50, n_vectors=200, d=64, n_atoms=5):
    """Vectors, sums of few of them, and which."""
    vectors = torch.randn(n_vectors, d, generator=G(1), dtype=torch.float64)
    support = torch.rand(n_targets, n_vectors, generator=G(2)).topk(n_atoms)[1]
    weights = torch.rand(n_targets, n_atoms, generator=G(3), dtype=torch.float64) + 0.5
    weights *= (torch.rand(weights.shape, generator=G(4)) < 0.5).double() * 2 - 1
    codes = torch.zeros(n_targets, n_vectors, dtype=torch.float64).scatter(1, support, weights)
    return vectors, codes, codes @ vectors


def recovered(rows, codes):
    """Share of the planted support that was found."""
    return codes.gather(1, rows).ne(0).double().mean().item()


def test_a_planted_sparse_matrix_is_found_again():
    vectors, codes, targets = planted()
    rows, weights = sparse_codes(vectors, targets, 5)
    assert recovered(rows, codes) > 0.95
    found = torch.zeros_like(codes).scatter_add(1, rows, weights)
    whole = (codes.gather(1, rows) != 0).all(1)
    torch.testing.assert_close(found[whole], codes[whole])


def test_length_and_sign_of_the_vectors_change_no_choice():
    vectors, _, targets = planted()
    scales = torch.linspace(0.1, 10, len(vectors)).double() * (-1.0) ** torch.arange(len(vectors))
    rows, _ = sparse_codes(vectors, targets, 5)
    scaled, weights = sparse_codes(scales[:, None] * vectors, targets, 5)
    assert torch.equal(rows.sort(1).values, scaled.sort(1).values)
    sums = torch.einsum("tk,tkd->td", weights, (scales[:, None] * vectors)[scaled])
    alone = torch.einsum("tk,tkd->td", sparse_codes(vectors, targets, 5)[1], vectors[rows])
    torch.testing.assert_close(sums, alone)


def test_many_vectors_are_coded_as_few_are(monkeypatch):
    vectors, _, targets = planted()
    rows, weights = sparse_codes(vectors, targets, 5)
    monkeypatch.setattr("skreprogram.transformations._sparse_coding.MOST_PAIRED", 10)
    again, others = sparse_codes(vectors, targets, 5)
    assert torch.equal(rows, again)
    torch.testing.assert_close(weights, others)


def test_codes_are_those_of_scikit_learn_for_vectors_of_length_one():
    vectors, _, targets = planted()
    vectors = vectors / vectors.norm(dim=1, keepdim=True)
    rows, weights = sparse_codes(vectors, targets, 3)
    expected = orthogonal_mp(vectors.numpy().T, targets.numpy().T, n_nonzero_coefs=3).T
    found = torch.zeros(expected.shape, dtype=torch.float64).scatter_add(1, rows, weights)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-9)


@pytest.mark.filterwarnings("error")
def test_a_target_that_is_a_single_vector_needs_no_other():
    vectors = planted()[0]
    rows, weights = sparse_codes(vectors, 2 * vectors[[7]], 3)
    assert rows[0, 0] == 7
    torch.testing.assert_close(weights, torch.tensor([[2.0, 0, 0]]).double(), atol=1e-9, rtol=0)


def test_what_is_shown_is_a_sum_of_embeddings_between_the_special_tokens():
    sparse, params = drawn()
    table = theta(params) @ VECTORS
    inputs = sparse.apply(params, X, SPACE)
    expected = torch.stack([VECTORS[1], table[2], table[3], table[1], table[2], VECTORS[2]])
    torch.testing.assert_close(inputs[0, :, :-1], expected)
    torch.testing.assert_close(inputs[1, :3, :-1], torch.stack([VECTORS[1], table[3], VECTORS[2]]))
    assert inputs[..., -1].tolist() == [6 * [1], 3 * [1] + 3 * [0], 2 * [1] + 4 * [0]]


def test_samples_that_are_too_long_lose_their_end():
    sparse, params = drawn()
    inputs = sparse.apply(params, X.repeat(1, 3)[:1], SPACE)
    assert inputs.shape == (1, 8, 7)
    torch.testing.assert_close(inputs[0, -1, :-1], VECTORS[2])


def test_random_rows_are_sums_of_k_ordinary_tokens_as_long_as_the_median():
    sparse, params = drawn()
    matrix = theta(params)
    assert (matrix != 0).sum(1).tolist() == 4 * [3]
    assert (matrix[:, :5] == 0).all()
    median = VECTORS[5:].norm(dim=1).median()
    torch.testing.assert_close((matrix @ VECTORS).norm(dim=1), median.expand(4))


def test_a_pool_of_tokens_is_all_there_is_to_choose_from():
    _, params = drawn(n_source_tokens=4)
    assert len(params["pool"]) == 4
    assert set(params["atoms"].flatten().tolist()) <= set(params["pool"].tolist())


def test_given_vectors_that_are_such_sums_are_taken_over():
    wanted = torch.zeros(4, 6).index_put((torch.arange(4),), VECTORS[[5, 20, 30, 39]] * -1.5)
    _, params = drawn(initial=wanted.numpy(), n_source_tokens=None)
    torch.testing.assert_close(theta(params) @ VECTORS, wanted, atol=1e-5, rtol=1e-5)


def test_steps_off_the_sums_are_not_shown_but_get_the_gradient_of_the_vectors():
    sparse, params = drawn()
    shown = sparse.apply(params, X, SPACE)
    params["steps"] = torch.randn(4, 6, generator=G(3)).requires_grad_()
    params["weights"] = params["weights"].clone().requires_grad_()
    inputs = sparse.apply(params, X, SPACE)
    assert torch.equal(inputs, shown)
    inputs.square().sum().backward()
    table = (theta(params) @ VECTORS).detach()
    n_times = torch.tensor([0.0, 1, 2, 2])[:, None]
    torch.testing.assert_close(params["steps"].grad, 2 * n_times * table * params["spread"])
    along = torch.einsum("td,tkd->tk", 2 * n_times * table, VECTORS[params["atoms"]])
    torch.testing.assert_close(params["weights"].grad, along)


def test_atoms_are_chosen_again_every_few_epochs_and_never_before_the_first():
    sparse, params = drawn(refit_every=2)
    params["steps"] += torch.randn(4, 6, generator=G(3))
    chosen = []
    for _ in range(6):
        before, params = params, sparse.renew(params, SPACE)
        chosen.append(not torch.equal(before["atoms"], params["atoms"]))
        params["steps"] = torch.randn(4, 6, generator=G(len(chosen)))
    assert chosen == [False, False, True, False, True, False]


def test_a_choice_codes_where_the_steps_have_led_and_forgets_them():
    sparse, params = drawn(refit_every=1)
    params = sparse.renew(params, SPACE)
    params["steps"] += torch.randn(4, 6, generator=G(3))
    wanted = theta(params) @ VECTORS + params["spread"] * params["steps"]
    renewed = sparse.renew(params, SPACE)
    rows, weights = sparse_codes(VECTORS[params["pool"]], wanted, 3)
    assert torch.equal(renewed["atoms"], params["pool"][rows])
    torch.testing.assert_close(renewed["weights"], weights.float())
    assert (renewed["steps"] == 0).all() and (params["steps"] != 0).all()
    assert {n: t.shape for n, t in renewed.items()} == {n: t.shape for n, t in params.items()}


def test_stacked_programs_show_and_learn_what_each_does_alone():
    sparse = SparseVocabularyTransformation(3, n_tokens=4)
    programs = [sparse.init(X, SPACE, G(k)) for k in range(2)]
    stacked = {name: torch.stack([p[name] for p in programs]) for name in programs[0]}
    both = torch.stack([X, X.flip(0)])

    def total(trained, rest, rows):
        return torch.sin(sparse.apply({**rest, **trained}, rows, SPACE)).sum()

    trained = {name: stacked.pop(name) for name in sparse.trainable}
    gradients = torch.func.vmap(torch.func.grad(total))(trained, stacked, both)
    for k, params in enumerate(programs):
        own = {name: params.pop(name) for name in sparse.trainable}
        alone = torch.func.grad(total)(own, params, both[k])
        for name in sparse.trainable:
            assert alone[name].abs().max() > 0
            torch.testing.assert_close(gradients[name][k], alone[name])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"n_atoms": 0}, "Got n_atoms=0 .*from 1 to 35"),
        ({"n_atoms": 36}, "Got n_atoms=36 .*from 1 to 35"),
        ({"refit_every": 0}, "Got refit_every=0 .*at least 1"),
        ({"n_source_tokens": 1.5}, "Got n_source_tokens=1.5 .*whole number"),
        ({"initial": "zeros"}, "Got initial='zeros' .*expected 'random'"),
        ({"initial": np.ones((3, 6))}, r"initial vectors of shape \(3, 6\).*expected \(4, 6\)"),
        ({"n_tokens": 3}, "Got numbers of tokens from 0 to 3 .*expected them from 0 to 2"),
        ({"space": InputSpace((3, 8, 8))}, "expected a source of text"),
        ({"space": space_of(length=2)}, "Got 2 positions around the text .*expected fewer"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        drawn(**settings)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Handle of a tiny masked language model."""
    return text_source(tmp_path_factory.mktemp("bert"))


def reprogrammer(source, **params):
    sparse = SparseVocabularyTransformation(3, refit_every=2)
    settings = {"input_transformation": sparse, "max_epochs": 6, "lr": 0.1, "random_state": 0}
    return SequenceReprogrammer(source, **{**settings, **params})


def test_a_fit_learns_with_a_support_that_changes_and_stays_sparse(source):
    X, y = texts()
    before = source.load().state_digest()
    long = {"max_epochs": 15, "batch_size": 12, "output_mapping": "first"}
    clf, start = (reprogrammer(source, lr=lr, **long).fit(X, y) for lr in (0.1, 1e-9))
    params = clf.program_.input
    n_source_tokens = source.input_space.vocabulary.n_tokens
    assert (theta(params, n_source_tokens) != 0).sum(1).max() <= 3
    assert not np.array_equal(params["atoms"], start.program_.input["atoms"])
    assert clf.score(*texts(random_state=1)) > start.score(*texts(random_state=1)) + 0.25
    assert source.load().state_digest() == before


def test_without_choices_the_support_stays_and_its_weights_alone_train(source):
    X, y = texts()
    fixed = SparseVocabularyTransformation(3, refit_every=None)
    fits = [reprogrammer(source, input_transformation=fixed, max_epochs=n) for n in (1, 4)]
    first, last = (clf.fit(X, y).program_.input for clf in fits)
    assert set(last) == {"atoms", "weights"}
    assert np.array_equal(first["atoms"], last["atoms"])
    assert np.abs(first["weights"] - last["weights"]).max() > 0.05


def test_programs_in_one_stack_choose_as_each_does_alone(source):
    sparse = SparseVocabularyTransformation(3, refit_every=1)
    composition = Composition(source.load(), source.input_space, sparse, LinearMapping())
    rng = np.random.RandomState(0)
    X, y, weight = rng.randint(1, 6, (12, 5)), np.arange(12) % 2, np.ones(12, np.float32)
    tasks = [Task(rows_of(X, labels, weight), 2, seed) for seed, labels in enumerate((y, 1 - y))]
    few = TrainingOptions(max_epochs=3, batch_size=6, lr=0.05)
    for task, program in zip(tasks, fit_programs(tasks, composition, few), strict=True):
        assert_equal_programs(program, fit_programs([task], composition, few)[0], atol=1e-4)


def test_a_saved_program_predicts_as_before(source, tmp_path):
    X, y = texts()
    clf = reprogrammer(source, max_epochs=3).fit(X, y)
    clf.save(tmp_path / "program.safetensors")
    again = skreprogram.load(tmp_path / "program.safetensors", source)
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))


def test_a_warm_start_goes_on_where_the_last_fit_ended(source):
    X, y = texts()
    clf = reprogrammer(source, max_epochs=3, warm_start=True).fit(X, y).fit(X, y)
    assert clf.program_.input["epochs"].tolist() == [6]
