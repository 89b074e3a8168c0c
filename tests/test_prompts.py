"""Trained prompts around texts, and texts without any."""

import pickle

import pytest
import torch
from small_tasks import assert_equal_programs
from tiny_texts import (
    END,
    MASK,
    SPACE,
    START,
    TOKENS,
    UNKNOWN,
    VECTORS,
    WORDS,
    X,
    bert,
    folder_with,
    gpt,
    text_source,
)

from skreprogram._input_space import InputSpace, Vocabulary
from skreprogram.mappings import FeaturesMapping, LinearMapping
from skreprogram.sources import TextSource
from skreprogram.training import (
    Composition,
    Task,
    TrainingOptions,
    class_scores,
    fit_program,
    fit_programs,
    rows_of,
)
from skreprogram.transformations import (
    EmbeddingTransformation,
    PromptTransformation,
)


def layout(transformation, X=X, space=SPACE, first=0):
    """Tokens and marks of one row; prompts show as 100, 101, ..."""
    n_prompts = getattr(transformation, "n_prompts", 0)
    params = {"prompts": 100.0 + torch.arange(n_prompts)[:, None]}
    row = transformation.apply(params, X, space)[first].int()
    return row[:, 0].tolist(), row[:, 1].tolist()


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Handle of a tiny masked language model."""
    return text_source(tmp_path_factory.mktemp("bert"))


def composed(source, transformation, mapping=None):
    mapping = LinearMapping() if mapping is None else mapping
    return Composition(source.load(), source.input_space, transformation, mapping)


def numbers_of(source, texts, length=12):
    samples = source.tokenizer.split(texts)
    return source.tokenizer.encode(samples, source.tokenizer.learn(samples), length)


def reviews(source):
    """Films that are good or bad, in texts of different lengths."""
    texts, y = [], []
    for label, word in enumerate(("bad", "good")):
        for thing in ("film", "story", "plot"):
            texts += [f"a {word} {thing}", f"the {thing} was very {word}", f"{word} {thing}"]
            y += 3 * [label]
    return numbers_of(source, texts), torch.tensor(y).numpy()


def fitted(composition, X, y, source, **options):
    weight = torch.ones(len(y)).numpy()
    kept = TrainingOptions(**{"max_epochs": 20, "batch_size": 6, "lr": 0.03, **options})
    return fit_program(Task(rows_of(X, y, weight), 2, 0), composition, kept, source, None)


def test_a_text_stands_between_start_and_end():
    assert layout(EmbeddingTransformation()) == ([1, 7, 8, 9, 2], [1, 1, 1, 1, 1])


def test_behind_a_short_text_is_padding():
    tokens, marks = layout(EmbeddingTransformation(), first=1)
    assert (tokens[:3], marks) == ([1, 7, 2], [1, 1, 1, 0, 0])


def test_an_empty_text_is_start_and_end():
    tokens, marks = layout(EmbeddingTransformation(), torch.zeros(1, 2, dtype=torch.long))
    assert (tokens[:2], marks) == ([1, 2], [1, 1, 0, 0])


def test_an_unknown_token_is_the_sources_unknown_token():
    assert layout(EmbeddingTransformation(), torch.tensor([[9, 1]]))[0] == [1, 7, UNKNOWN, 2]


def test_a_source_without_special_tokens_gets_the_text_alone():
    space = InputSpace((8, 2), vocabulary=Vocabulary(VECTORS))
    assert layout(EmbeddingTransformation(), space=space) == ([7, 8, 9], [1, 1, 1])


@pytest.mark.parametrize(
    ("placement", "tokens", "marks"),
    [
        ("before", [1, 100, 101, 102, 7, MASK, 2], [1, 1, 1, 1, 1, 2, 1]),
        ("after", [1, 7, MASK, 100, 101, 102, 2], [1, 1, 2, 1, 1, 1, 1]),
        ("around", [1, 100, 101, 7, MASK, 102, 2], [1, 1, 1, 1, 2, 1, 1]),
    ],
)
def test_prompts_and_the_mask_stand_where_the_placement_says(placement, tokens, marks):
    shown = layout(PromptTransformation(3, placement), X[1:])
    assert shown[0][:7] == tokens
    assert shown[1] == [*marks, 0]


def test_without_a_mask_no_position_is_read_alone():
    tokens, marks = layout(PromptTransformation(2, mask=False))
    assert (tokens, marks) == ([1, 100, 101, 7, 8, 9, 2], 7 * [1])


@pytest.mark.parametrize("fills_mask", [True, False])
def test_the_mask_is_there_by_itself_where_the_source_fills_it_in(fills_mask):
    space = SPACE._replace(vocabulary=TOKENS._replace(fills_mask=fills_mask))
    tokens, marks = layout(PromptTransformation(1), space=space)
    assert (MASK in tokens, 2 in marks) == (fills_mask, fills_mask)
    chosen = layout(PromptTransformation(1, mask=not fills_mask), space=space)[1]
    assert (2 in chosen) == (not fills_mask)


@pytest.mark.parametrize("placement", ["before", "after", "around"])
def test_long_texts_lose_their_end_and_nothing_else(placement):
    long = torch.full((1, 40), 9)
    tokens, marks = layout(PromptTransformation(3, placement), long)
    assert len(tokens) == SPACE.shape[0]
    assert sorted(tokens) == [START, END, MASK, 7, 7, 100, 101, 102]
    assert [token for token, mark in zip(tokens, marks, strict=True) if mark == 2] == [MASK]


def test_a_mask_in_a_text_is_not_the_one_that_is_read():
    tokens, marks = layout(PromptTransformation(1), torch.tensor([[MASK + 2, 9]]))
    assert (tokens, marks) == ([1, 100, MASK, 7, MASK, 2], [1, 1, 1, 1, 2, 1])


def test_a_row_does_not_depend_on_its_company():
    prompts = PromptTransformation(2)
    together, alone = layout(prompts, first=1), layout(prompts, X[1:, :1])
    assert together[0][:6] == alone[0] and together[1][:6] == alone[1]


@pytest.mark.parametrize("placement", ["before", "after", "around"])
def test_stacked_programs_give_what_each_gives_alone(placement):
    transformation, drawn = PromptTransformation(3, placement), torch.rand(4, 3, 1)
    texts = torch.randint(0, 12, (4, 5, 6)).sort(-1, descending=True).values
    apply = transformation.apply
    together = torch.func.vmap(lambda p, x: apply({"prompts": p}, x, SPACE))(drawn, texts)
    alone = [apply({"prompts": p}, x, SPACE) for p, x in zip(drawn, texts, strict=True)]
    torch.testing.assert_close(together, torch.stack(alone))


def test_prompts_begin_as_the_mask():
    params = PromptTransformation(2).init(X, SPACE, torch.Generator())
    assert params["prompts"].tolist() == [[3.0], [3.0]]


def test_prompts_begin_as_the_tokens_that_are_named():
    params = PromptTransformation(2, initial=(8, 5)).init(X, SPACE, torch.Generator())
    assert params["prompts"].tolist() == [[8.0], [5.0]]


def test_prompts_begin_as_numbers_like_those_of_the_vocabulary():
    transformation, generator = PromptTransformation(400, initial="normal"), torch.Generator()
    space = SPACE._replace(shape=(500, 2))
    drawn = transformation.init(X, space, generator.manual_seed(0))["prompts"]
    assert abs(drawn.mean() - VECTORS.mean()) < 0.5
    assert abs(drawn.std() - VECTORS.std()) < 0.3
    again = transformation.init(X, space, generator.manual_seed(0))["prompts"]
    assert torch.equal(drawn, again)


def test_prompts_that_train_do_not_change_the_vocabulary():
    params = PromptTransformation(1, initial=(8,)).init(X, SPACE, torch.Generator())
    params["prompts"].add_(1)
    assert SPACE.vocabulary.embeddings[8] == 8


@pytest.mark.parametrize("n_prompts", [0, 5])
def test_only_prompts_and_the_linear_head_train(source, n_prompts):
    X, y = reviews(source)
    composition = composed(source, PromptTransformation(n_prompts))
    program = fitted(composition, X, y, source, max_epochs=2).program
    trained = {**program.input, **{name: program.output[name] for name in ("weight", "bias")}}
    model = composition.model([program.tensors()])
    n, d, n_classes = n_prompts, 16, 2
    assert sum(array.size for array in trained.values()) == n * d + n_classes * d + n_classes
    assert sum(p.numel() for p in model.parameters()) == n * d + n_classes * d + n_classes


def test_prompts_and_head_learn_and_leave_the_source_as_it_was(source):
    X, y = reviews(source)
    before = source.load().state_digest()
    composition = composed(source, PromptTransformation(4, initial="normal"))
    program = fitted(composition, X, y, source).program
    start = composition.transformation.init(
        torch.from_numpy(X), composition.space, torch.Generator().manual_seed(0)
    )
    assert (torch.tensor(program.input["prompts"]) - start["prompts"]).abs().max() > 0.1
    assert (class_scores(program, composition, X).argmax(1) == y).all()
    assert source.load().state_digest() == before
    assert len(pickle.dumps(program)) < 8_000


def test_programs_trained_in_one_stack_equal_those_trained_alone(source):
    X, y = reviews(source)
    weight, composition = torch.ones(len(y)).numpy(), composed(source, PromptTransformation(2))
    tasks = [Task(rows_of(X, labels, weight), 2, seed) for seed, labels in enumerate((y, 1 - y))]
    few = TrainingOptions(max_epochs=2, batch_size=9)
    for task, program in zip(tasks, fit_programs(tasks, composition, few), strict=True):
        assert_equal_programs(program, fit_programs([task], composition, few)[0])


def test_candidates_of_a_query_gradient_see_their_own_prompts():
    transformation, candidates = PromptTransformation(2, "around"), torch.rand(3, 2, 1)
    network, mapping = torch.nn.Identity(), LinearMapping()
    params = transformation.init(X, SPACE, torch.Generator())
    model = Composition(network, SPACE, transformation, mapping).model([(params, {})])
    (views,) = model.candidate_inputs({"prompts": candidates}, X)
    for view, prompts in zip(views, candidates, strict=True):
        torch.testing.assert_close(view, transformation.apply({"prompts": prompts}, X, SPACE))


def test_the_order_of_prompts_is_of_account_only_where_they_differ(source):
    X, y = reviews(source)
    composition = composed(source, PromptTransformation(4, initial=(6, 7, 8, 9)))
    program = fitted(composition, X, y, source, max_epochs=1).program
    differ = program.input["prompts"]
    equal = differ[[2, 2, 2, 2]]

    def scores(prompts):
        program.input["prompts"] = prompts.copy()
        return class_scores(program, composition, X)

    assert (scores(equal) == scores(equal[::-1])).all()
    assert abs(scores(differ) - scores(differ[::-1])).max() > 1e-3


def test_the_answer_is_that_of_the_model_to_the_dressed_text(source):
    text = "the film was very good"
    dressed = [WORDS.index(word) for word in ("[CLS]", *text.split(), "[SEP]")]
    states = bert().bert(torch.tensor([dressed])).last_hidden_state
    expected = bert().cls.predictions.transform(states).mean(1)
    X = torch.from_numpy(numbers_of(source, [text]))
    inputs = EmbeddingTransformation().apply({}, X, source.input_space)
    torch.testing.assert_close(source.load().outputs(inputs), expected, atol=1e-5, rtol=1e-5)


def test_prompts_that_are_words_are_read_as_words(source):
    dressed = [WORDS.index(word) for word in "[CLS] it was a film [MASK] [SEP]".split()]
    states = bert().bert(torch.tensor([dressed])).last_hidden_state
    expected = bert().cls.predictions.transform(states)[:, -2]
    words = PromptTransformation(2, initial=source.tokenizer.source_tokens(["it", "was"]))
    X, space = torch.from_numpy(numbers_of(source, ["a film"])), source.input_space
    inputs = words.apply(words.init(X, space, torch.Generator()), X, space)
    torch.testing.assert_close(source.load().outputs(inputs), expected, atol=1e-5, rtol=1e-5)


def test_features_of_all_layers_are_solved_behind_a_frozen_text(source):
    X, y = reviews(source)
    composition = composed(source, EmbeddingTransformation(), FeaturesMapping())
    program = fitted(composition, X, y, source).program
    assert program.output["weight"].shape == (3 * 16, 2)
    assert (class_scores(program, composition, X).argmax(1) == y).all()


def test_a_model_that_looks_back_takes_prompts_without_a_mask(tmp_path):
    source = TextSource.from_pretrained(folder_with(gpt(), tmp_path, "bytes"))
    X, y = numbers_of(source, ["good", "bad", "good film", "bad film"]), torch.arange(4).numpy() % 2
    prompts = PromptTransformation(3, initial="normal")
    composition = composed(source, prompts)
    program = fitted(composition, X, y, source).program
    assert (class_scores(program, composition, X).argmax(1) == y).all()
