"""A language model as a map from embeddings to one vector a text."""

import pytest
import torch
from tiny_texts import bert, encoder, gpt, roberta, shown, stacked
from toys import seeded
from transformers import GemmaConfig, GemmaModel

TOKENS = [2, 5, 6, 8, 3]
LENGTHS = (4, 9, 1, 6, 12)
MODELS = {
    "bert": (lambda: bert("BertModel"), "none", False),
    "bert, transform": (bert, "transform", False),
    "roberta, decoder": (roberta, "decoder", False),
    "gpt": (lambda: gpt("GPT2Model"), "none", True),
    "gpt, decoder": (gpt, "decoder", True),
}


@pytest.fixture(params=MODELS)
def case(request):
    """A model, and the encoder around another copy of it."""
    make, head, looks_back = MODELS[request.param]
    return make(), encoder(make(), head, looks_back)


def texts(model, lengths):
    generator = torch.Generator().manual_seed(1)
    return [
        shown(model, torch.randint(5, 16, (length,), generator=generator).tolist())
        for length in lengths
    ]


def test_padding_never_changes_an_answer(case):
    model, encode = case
    inputs = texts(model, LENGTHS)
    alone = torch.cat([encode(one) for one in inputs])
    torch.testing.assert_close(encode(stacked(inputs)), alone, atol=1e-5, rtol=1e-5)


def test_padding_never_changes_a_stage(case):
    model, encode = case
    inputs = texts(model, LENGTHS)
    alone = [torch.cat(stage) for stage in zip(*map(encode.stages, inputs), strict=True)]
    together = encode.stages(stacked(inputs))
    torch.testing.assert_close(list(together), alone, atol=1e-5, rtol=1e-5)


def test_many_rows_are_answered_in_their_order():
    model = bert("BertModel")
    inputs = texts(model, [1 + i * 7 % 20 for i in range(50)])
    encode = encoder(model)
    alone = torch.cat([encode(one) for one in inputs])
    torch.testing.assert_close(encode(stacked(inputs)), alone, atol=1e-5, rtol=1e-5)


def test_the_answer_is_the_mean_of_the_states_that_the_model_gives_for_tokens():
    model = bert("BertModel")
    states = model(torch.tensor([TOKENS])).last_hidden_state
    torch.testing.assert_close(encoder(model)(shown(model, TOKENS)), states.mean(1))


def test_only_marked_positions_are_read_where_some_are():
    model = bert("BertModel")
    states = model(torch.tensor([TOKENS])).last_hidden_state
    answer = encoder(model)(shown(model, TOKENS, [1, 2, 1, 2, 1]))
    torch.testing.assert_close(answer, states[:, [1, 3]].mean(1))


def test_a_model_that_looks_back_is_read_at_the_last_position():
    model = gpt("GPT2Model")
    states = model(torch.tensor([TOKENS])).last_hidden_state
    answer = encoder(model, looks_back=True)(stacked([shown(model, TOKENS), *texts(model, [9])]))
    torch.testing.assert_close(answer[:1], states[:, -1])


def test_the_transform_is_the_head_of_bert_without_its_decoder():
    states = bert().bert(torch.tensor([TOKENS])).last_hidden_state
    expected = bert().cls.predictions.transform(states)[:, 2]
    answer = encoder(bert(), "transform")(shown(bert(), TOKENS, [1, 1, 2, 1, 1]))
    torch.testing.assert_close(answer, expected)


def test_the_transform_is_the_head_of_roberta_without_its_decoder():
    model = roberta()
    states = model.roberta(torch.tensor([TOKENS])).last_hidden_state
    head = model.lm_head
    expected = head.layer_norm(torch.nn.functional.gelu(head.dense(states)))[:, 2]
    answer = encoder(roberta(), "transform")(shown(model, TOKENS, [1, 1, 2, 1, 1]))
    torch.testing.assert_close(answer, expected)


@pytest.mark.parametrize("make", [bert, roberta, gpt])
def test_the_decoder_gives_the_scores_of_the_vocabulary(make):
    logits = make()(torch.tensor([TOKENS])).logits
    answer = encoder(make(), "decoder")(shown(make(), TOKENS, [1, 2, 1, 1, 2]))
    torch.testing.assert_close(answer, logits[:, [1, 4]].mean(1), atol=1e-5, rtol=1e-5)


def test_embeddings_are_what_the_model_makes_of_tokens_where_it_scales_them():
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = GemmaConfig(**sizes, num_key_value_heads=2, head_dim=8, vocab_size=16)
    model = seeded(lambda: GemmaModel(config)).eval()
    encode = encoder(model, looks_back=True)
    one = torch.cat([encode.embeddings[torch.tensor([TOKENS])], torch.ones(1, 5, 1)], 2)
    states = model(torch.tensor([TOKENS])).last_hidden_state
    torch.testing.assert_close(encode(one), states[:, -1], atol=1e-5, rtol=1e-5)


def test_embeddings_take_no_memory_where_the_model_holds_them():
    model = bert("BertModel")
    assert encoder(model).embeddings is model.get_input_embeddings().weight


def test_there_is_a_stage_for_the_embeddings_and_one_for_each_layer(case):
    model, encode = case
    stages = encode.stages(stacked(texts(model, LENGTHS)))
    assert [tuple(stage.shape) for stage in stages] == 3 * [(len(LENGTHS), 16)]


def test_the_last_stage_of_a_bare_encoder_is_its_answer():
    model = bert("BertModel")
    inputs, encode = stacked(texts(model, LENGTHS)), encoder(model)
    torch.testing.assert_close(encode.stages(inputs)[-1], encode(inputs))


def test_a_text_without_an_attended_position_is_read_as_its_first_embedding(case):
    model, encode = case
    empty = shown(model, [7, 9, 9], [0, 0, 0])
    torch.testing.assert_close(encode(empty), encode(shown(model, [7])))


def test_the_gradient_is_the_slope_of_the_answer(case):
    model, encode = case
    encode = encode.double()
    inputs = stacked(texts(model, (5, 3))).double()
    inputs[1, 3:, :-1] = 0.1
    way = torch.randn(inputs.shape, generator=torch.Generator().manual_seed(2)).double()
    way[..., -1] = 0
    moving = inputs.clone().requires_grad_(True)
    slope = torch.autograd.grad(encode(moving).sin().sum(), moving)[0]
    ahead, behind = (encode(inputs + step * way).sin().sum() for step in (1e-5, -1e-5))
    torch.testing.assert_close((slope * way).sum(), (ahead - behind) / 2e-5, rtol=1e-5, atol=0)


def test_padding_gets_no_gradient(case):
    model, encode = case
    moving = stacked(texts(model, (5, 3))).requires_grad_(True)
    encode(moving).sin().sum().backward()
    assert moving.grad[1, :3].abs().max() > 0
    assert moving.grad[1, 3:].abs().max() == 0


@pytest.mark.parametrize("head", ["transform", "decoder"])
def test_a_head_that_a_model_does_not_have_is_refused(head):
    with pytest.raises(ValueError, match="BertModel, which has no head.*Use head='none'"):
        encoder(bert("BertModel"), head)


def test_an_unknown_head_is_refused():
    with pytest.raises(ValueError, match="Got head='pooler', expected one of"):
        encoder(bert(), "pooler")
