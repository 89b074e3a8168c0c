"""The source of questions: words, padding, names, and what can be made of it."""

import pickle

import numpy as np
import pytest
import skops.io
import torch
from letter_texts import X_TEST, Y_TEST, texts
from safetensors.torch import save_file
from tiny_texts import stacked

import skreprogram
from skreprogram import SequenceReprogrammer
from skreprogram.gradients import ScoreFunction
from skreprogram.sources import load_source
from skreprogram.sources._catalogue import CATALOGUE
from skreprogram.sources._question_network import QuestionNetwork
from skreprogram.sources._source_words import SourceWords
from skreprogram.sources._weights import BUNDLED, sha256_of
from skreprogram.transformations import EmbeddingTransformation, VocabularyRemapping

NAME = "questions-lstm"
# made for this test
QUESTIONS = {
    "number": "How many days does a cat sleep?",
    "location": "What country is this city in?",
    "human": "Who wrote this test?",
    "description": "Why does the moon have no air?",
    "abbreviation": "What does the abbreviation AB stand for?",
    "entity": "What color is a dog?",
}


@pytest.fixture(scope="module")
def source():
    return load_source(NAME)


def shown(source, *questions):
    """Texts as the source takes them."""
    samples = source.tokenizer.split(questions)
    X = source.tokenizer.encode(samples, {}, max(map(len, samples), default=1) or 1)
    return EmbeddingTransformation().apply({}, torch.from_numpy(X), source.input_space)


def noise(*lengths):
    """Random embeddings of so many attended positions; each of shape (1, length, d + 1)."""
    generator = torch.Generator().manual_seed(0)
    drawn = [torch.randn(1, length, 97, generator=generator) for length in lengths]
    return [torch.cat([own[..., :-1], torch.ones(1, own.shape[1], 1)], 2) for own in drawn]


def test_the_bundled_weights_are_those_of_the_catalogue():
    path = BUNDLED / CATALOGUE[NAME].file
    assert sha256_of(path) == CATALOGUE[NAME].sha256
    assert path.stat().st_size < 2**20


def test_questions_are_sorted_under_the_names_of_the_outputs(source):
    logits = source.load().outputs(shown(source, *QUESTIONS.values()))
    assert [source.output_names[code] for code in logits.argmax(1)] == list(QUESTIONS)


def test_every_row_of_the_table_but_two_has_a_word(source):
    vocabulary = source.input_space.vocabulary
    known = source.tokenizer.source_tokens(["the", "What", "?"])
    assert len(set(known)) == 3 and min(known) == vocabulary.unknown + 1
    numbers = source.tokenizer.encode([["what", "of"]], {}, 2) - 2
    assert numbers[0, 0] == known[1] and numbers.max() < vocabulary.n_tokens


def test_words_are_cut_in_lower_case_from_what_stands_around_them(source):
    assert source.tokenizer.split(["Who's (U.S.) who?"]) == [
        ["who", "'", "s", "(", "u", ".", "s", ".", ")", "who", "?"]
    ]


def test_words_that_the_source_lacks_are_unknown(source):
    samples = source.tokenizer.split(["What xyzzy", ["xyzzy"], ""])
    assert (source.tokenizer.encode(samples, {}, 2)[:, :2] == 1).tolist() == [
        [False, True],
        [True, False],
        [False, False],
    ]
    with pytest.raises(ValueError, match=r"Got \['xyzzy'\], expected words among the"):
        source.tokenizer.source_tokens(["what", "xyzzy"])


@pytest.mark.parametrize("part", ["outputs", "features"])
def test_padding_changes_nothing_whatever_stands_there(source, part):
    alone, ask = noise(5, 1, 9), getattr(source.load(), part)
    together = ask(stacked(alone))
    for row, one in enumerate(alone):
        expected, found = ask(one), together
        pairs = [(expected, found)] if part == "outputs" else zip(expected, found, strict=True)
        for own, batch in pairs:
            torch.testing.assert_close(batch[row], own[0], atol=1e-5, rtol=1e-5)


def test_more_padding_changes_not_a_bit(source):
    inputs = stacked(noise(5, 1, 9))
    longer = torch.nn.functional.pad(inputs, (0, 0, 0, 7))
    longer[:, 9:, :-1] = torch.nan
    assert torch.equal(source.load().outputs(longer), source.load().outputs(inputs))


def test_padding_within_a_text_is_passed_over(source):
    (text,) = noise(6)
    holed = torch.cat([text[:, :2], 0 * text[:, :1] + 50, text[:, 2:]], 1)
    holed[:, 2, -1] = 0
    assert torch.equal(source.load().outputs(holed), source.load().outputs(text))


def test_an_empty_text_has_an_answer_that_its_padding_does_not_change(source):
    empty = torch.zeros(1, 3, 97)
    garbage = empty.clone()
    garbage[..., :-1] = 7.0
    assert torch.equal(source.load().outputs(empty), source.load().outputs(garbage))
    assert torch.equal(source.load().outputs(shown(source, "")), source.load().outputs(empty))


def test_where_positions_are_marked_as_read_only_these_are_pooled(source):
    (text,) = noise(4)
    text[:, 2, -1] = 2
    means = source.load().features(text)[0]
    torch.testing.assert_close(means, text[:, 2, :-1])


def test_a_file_without_words_says_so(tmp_path):
    save_file({"words.weight": torch.rand(4, 3)}, tmp_path / "bare.safetensors")
    bare = SourceWords(str(tmp_path / "bare.safetensors"))
    with pytest.raises(ValueError, match="whose metadata hold .*, expected 'words'"):
        bare.encode([["what"]], {}, 1)


def test_gradients_reach_the_embeddings_of_words_alone(source):
    inputs = stacked(noise(3, 5)).requires_grad_()
    source.load().outputs(inputs).logsumexp(1).sum().backward()
    reached = inputs.grad[..., :-1].abs().amax(2) > 0
    assert reached.tolist() == [[True] * 3 + [False] * 2, [True] * 5]


def test_gradients_are_those_of_finite_differences():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = QuestionNetwork(4, 2, 3, 5).double().eval()
    inputs = torch.randn(2, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    marks = torch.tensor([[1.0, 1, 1, 1], [1, 1, 0, 0]], dtype=torch.float64).unsqueeze(2)
    assert torch.autograd.gradcheck(
        lambda own: network(torch.cat([own, marks], 2)), inputs.requires_grad_()
    )


def test_double_precision_agrees_with_single(source):
    inputs = shown(source, *QUESTIONS.values())
    single, double = source.load(), source.load(dtype=torch.float64)
    assert inputs.dtype == torch.float32 and double.outputs(inputs).dtype == torch.float64
    torch.testing.assert_close(
        double.outputs(inputs).float(), single.outputs(inputs), atol=1e-4, rtol=1e-4
    )


def test_mixed_precision_agrees_with_full(source):
    inputs, network = shown(source, *QUESTIONS.values()), source.load()
    mixed = network.with_precision("bf16").outputs(inputs)
    torch.testing.assert_close(mixed, network.outputs(inputs), atol=0.1, rtol=0)
    assert not torch.equal(mixed, network.outputs(inputs))


def test_the_handle_is_light_and_shared(source):
    written = pickle.dumps(source)
    assert len(written) < 2_000 and str(BUNDLED).encode() not in written
    assert pickle.loads(written) == source
    assert pickle.loads(written).load() is source.load()


def test_the_handle_survives_skops(source):
    written = skops.io.dumps(source)
    trusted = skops.io.get_untrusted_types(data=written)
    assert skops.io.loads(written, trusted=trusted) == source


def test_another_length_is_another_handle_of_the_same_weights(source):
    short = load_source(NAME, input_shape=(8, 97))
    assert short == source.with_max_length(8) and short.digest == source.digest
    with pytest.raises(ValueError, match="takes .512, 97.; expected one with another first axis"):
        load_source(NAME, input_shape=(8, 32))


def test_the_control_has_other_weights_and_the_same_words(source):
    control = source.with_random_weights(1)
    inputs = shown(source, QUESTIONS["human"])
    assert not torch.allclose(control.load().outputs(inputs), source.load().outputs(inputs))
    assert control.tokenizer == source.tokenizer
    assert pickle.loads(pickle.dumps(control)).load() is control.load()


def remapping(**params):
    """An estimator that writes letters in words of questions."""
    settings = {
        "tokenizer": "char",
        "input_transformation": VocabularyRemapping(3, anneal_epochs=6, n_source_tokens=200),
        "output_mapping": "first",
        "max_epochs": 12,
        "lr": 0.1,
        "batch_size": 12,
        "random_state": 0,
    }
    return SequenceReprogrammer(NAME, **{**settings, **params})


def test_letters_are_learned_by_gradients_and_the_source_stays(source):
    before = source.load().state_digest()
    clf = remapping().fit(*texts(72))
    assert clf.score(X_TEST, Y_TEST) > 0.9
    assert source.load().state_digest() == before
    assert len(pickle.dumps(clf)) < 50_000


def test_letters_are_learned_from_answers_alone():
    X, y = texts(72)
    clf, start = (
        remapping(gradient=ScoreFunction(n_draws=4), max_epochs=epochs, lr=lr).fit(X, y)
        for epochs, lr in ((12, 0.1), (1, 1e-9))
    )
    assert clf.n_queries_ > 0
    assert clf.score(X_TEST, Y_TEST) > max(0.8, start.score(X_TEST, Y_TEST) + 0.2)


@pytest.mark.parametrize(
    ("transformation", "tokenizer", "mapping"),
    [
        ("vocabulary-remapping", "kmer:3", "frequency"),
        ("vocabulary-remapping", "word", "linear"),
        ("sparse-vocabulary", "char", "features"),
        ("prompts", "source", "features"),
        ("embedding", "source", "bayesian"),
    ],
)
def test_every_program_for_text_goes_with_it(transformation, tokenizer, mapping):
    X = ["what is that", "where are they now", "when was it that", "where is that"] * 3
    y = np.array(["thing", "place"] * 6)
    clf = SequenceReprogrammer(
        NAME,
        tokenizer=tokenizer,
        input_transformation=transformation,
        output_mapping=mapping,
        max_epochs=2,
        random_state=0,
    )
    chances = clf.fit(X, y).predict_proba(X)
    assert chances.shape == (12, 2)
    np.testing.assert_allclose(chances.sum(1), 1, rtol=1e-5)


def test_a_saved_program_finds_the_source_by_its_name(tmp_path):
    clf = remapping(max_epochs=2).fit(*texts())
    clf.save(tmp_path / "program.safetensors")
    again = skreprogram.load(tmp_path / "program.safetensors")
    np.testing.assert_array_equal(again.predict_proba(X_TEST), clf.predict_proba(X_TEST))
