"""Language models as sources: handles, folders, tokenizers."""

import copy
import json
import pickle

import numpy as np
import pytest
import skops.io
import torch
import transformers
from sklearn.base import clone
from tiny_texts import WORDS, bert, folder_with, gpt, roberta, shown, text_source

from skreprogram.sources import DownloadError, SourceModel, TextSource, load_source
from skreprogram.sources._source_model import _LOADED


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Handle of a tiny masked language model."""
    return text_source(tmp_path_factory.mktemp("bert"), name="tiny")


def test_a_handle_says_what_the_model_takes_and_gives(source):
    assert repr(source) == "TextSource('tiny', (32, 17) -> 16)"
    assert (source.kind, source.head, source.flexible) == ("masked", "transform", True)


def test_making_a_handle_loads_no_network(tmp_path):
    before = list(_LOADED)
    source = text_source(tmp_path)
    pickle.loads(pickle.dumps(source))
    assert repr(source) and list(_LOADED) == before


def test_a_handle_pickles_to_kilobytes_and_back(source):
    written = pickle.dumps(source)
    assert len(written) < 2_000
    assert pickle.loads(written) == source
    assert pickle.loads(written).load() is source.load()


def test_a_handle_survives_skops(source):
    written = skops.io.dumps(source)
    trusted = skops.io.get_untrusted_types(data=written)
    assert skops.io.loads(written, trusted=trusted) == source


def test_copies_are_the_handle_itself(source):
    assert copy.deepcopy(source) is source


def test_the_answers_are_those_of_the_model(source):
    states = bert().bert(torch.tensor([[2, 5, 6, 3]])).last_hidden_state
    expected = bert().cls.predictions.transform(states).mean(1)
    answer = source.load().outputs(shown(bert(), [2, 5, 6, 3]))
    torch.testing.assert_close(answer, expected, atol=1e-5, rtol=1e-5)


def test_the_vocabulary_is_that_of_the_loaded_network(source):
    vocabulary = source.input_space.vocabulary
    torch.testing.assert_close(vocabulary.embeddings, bert().get_input_embeddings().weight.detach())
    assert vocabulary.embeddings is source.load().embeddings
    assert not vocabulary.embeddings.requires_grad


def test_special_tokens_are_those_of_the_tokenizer(source):
    vocabulary = source.input_space.vocabulary
    assert (vocabulary.padding, vocabulary.unknown, vocabulary.mask) == (0, 1, 4)
    assert (vocabulary.start, vocabulary.end) == (2, 3)


def test_a_model_that_looks_back_has_a_start_and_no_mask(tmp_path):
    source = TextSource.from_pretrained(folder_with(gpt(), tmp_path, "bytes"))
    assert source.kind == "causal"
    assert dict(source.special_tokens) == {"unknown": 0, "start": 0}


@pytest.mark.parametrize("head, n_outputs", [("none", 16), ("transform", 16), ("decoder", 16)])
def test_every_head_has_the_outputs_that_its_handle_says(tmp_path, head, n_outputs):
    source = text_source(tmp_path, head=head)
    assert source.n_outputs == n_outputs
    assert source.load().outputs(shown(bert(), [2, 6, 3])).shape == (1, n_outputs)


def test_an_encoder_without_a_head_for_words_says_so(tmp_path):
    with pytest.raises(ValueError, match="Got head='decoder' for BertModel"):
        text_source(tmp_path, bert("BertModel"), head="decoder")


def test_an_encoder_for_a_decoder_is_refused(tmp_path):
    config = transformers.T5Config(vocab_size=9, d_model=8, d_kv=4, d_ff=8, num_layers=1)
    folder_with(transformers.T5ForConditionalGeneration(config), tmp_path)
    with pytest.raises(ValueError, match="Got a t5 model, an encoder with a decoder"):
        TextSource.from_pretrained(tmp_path)


@pytest.mark.parametrize("make, most", [(bert, 32), (roberta, 30)])
def test_inputs_are_as_long_as_the_positions_reach(tmp_path, make, most):
    source = text_source(tmp_path, make())
    assert source.input_shape == (most, 17)
    full = shown(make(), most * [6])
    assert torch.isfinite(source.load().outputs(full)).all()
    with pytest.raises(ValueError, match=f"Got max_length={most + 1}.*from 1 to {most}"):
        TextSource.from_pretrained(tmp_path, max_length=most + 1)


def test_another_length_is_another_handle_of_the_same_weights(source):
    short = source.with_max_length(8)
    assert short.input_shape == (8, 17) and short.digest == source.digest


def test_double_precision_agrees_with_single(source):
    inputs = shown(bert(), [2, 6, 7, 3])
    single, double = source.load(), source.load(dtype=torch.float64)
    assert double.outputs(inputs).dtype == torch.float64
    torch.testing.assert_close(
        double.outputs(inputs).float(), single.outputs(inputs), atol=1e-5, rtol=1e-5
    )


def test_the_control_keeps_the_facts_and_answers_otherwise(source):
    control = source.with_random_weights(1)
    inputs = shown(bert(), [2, 6, 7, 3])
    assert isinstance(control, TextSource) and control.digest != source.digest
    assert not torch.allclose(control.load().outputs(inputs), source.load().outputs(inputs))
    assert control.tokenizer == source.tokenizer
    assert control.input_space.vocabulary.mask == 4
    assert control.load().state_digest() == source.with_random_weights(1).load().state_digest()


def test_loading_leaves_the_global_generator_alone(tmp_path):
    source, state = text_source(tmp_path, bert("BertModel")), torch.get_rng_state()
    source.load()
    assert torch.equal(torch.get_rng_state(), state)


def test_weights_in_several_files_are_one_source(tmp_path, source):
    folder_with(bert(), tmp_path)
    (tmp_path / "model.safetensors").unlink()
    bert().save_pretrained(tmp_path, max_shard_size="2KB")
    sharded = TextSource.from_pretrained(tmp_path)
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    assert sharded.load().state_digest() == source.load().state_digest()


def test_changed_weights_are_refused(tmp_path):
    source = text_source(tmp_path)
    bert("BertModel").save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="Got other weights at .* Put it back"):
        source.load()


def test_weights_that_can_hold_code_are_refused(tmp_path):
    folder_with(bert(), tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(bert().state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(FileNotFoundError, match="without model.safetensors"):
        TextSource.from_pretrained(tmp_path)


def test_a_head_that_the_weights_lack_is_not_drawn_at_random(tmp_path):
    folder_with(bert("BertModel"), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "architectures": ["ForMaskedLM"]}))
    with pytest.raises(ValueError, match="which head='transform' needs.*Use head='none'"):
        TextSource.from_pretrained(tmp_path).load()
    assert TextSource.from_pretrained(tmp_path, head="none").load().embeddings is not None


def test_code_in_a_folder_is_never_run(tmp_path):
    folder_with(bert(), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["model_type"] = "strange"
    config["auto_map"] = {"AutoConfig": "strange.Strange", "AutoModelForMaskedLM": "strange.Model"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "strange.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ValueError, match="trust_remote_code|custom code"):
        TextSource.from_pretrained(tmp_path)
    assert not (tmp_path / "ran").exists()


def test_a_folder_that_is_not_there_is_answered_without_the_network(tmp_path):
    with pytest.raises(DownloadError, match="which is no folder here"):
        TextSource.from_pretrained(tmp_path / "nothing", download=False)


def test_a_name_of_the_hub_that_may_not_be_downloaded_is_refused():
    with pytest.raises(DownloadError, match="'somebody/no-such-model'"):
        load_source("huggingface:somebody/no-such-model", download=False)


def test_the_tokenizer_gives_the_sources_tokens_two_higher(source):
    tokenizer = source.tokenizer
    samples = tokenizer.split(["a good film", "a Bad, bad plot"])
    assert samples[0] == ["a", "good", "film"]
    numbers = tokenizer.encode(samples, tokenizer.learn(samples), 6)
    assert numbers[0].tolist() == [WORDS.index(word) + 2 for word in samples[0]] + [0, 0, 0]
    assert numbers.dtype == np.int64


def test_words_that_the_source_lacks_are_unknown(source):
    samples = source.tokenizer.split(["a zebra"])
    assert source.tokenizer.encode(samples, {}, 2).tolist() == [[7, 3]]


def test_tokens_that_are_given_are_looked_up_as_they_are(source):
    samples = source.tokenizer.split([["film", "zebra"], "film", ""])
    assert samples == [["film", "zebra"], ["film"], []]
    assert source.tokenizer.encode(samples, {}, 2).tolist() == [[10, 1], [10, 0], [0, 0]]


def test_long_texts_lose_their_end(source):
    samples = source.tokenizer.split(["a good film"])
    assert source.tokenizer.encode(samples, {}, 2).tolist() == [[7, 8]]


def test_a_tokenizer_pickles_to_a_path(source):
    assert pickle.loads(pickle.dumps(source.tokenizer)) == source.tokenizer
    assert len(pickle.dumps(source.tokenizer)) < 500
    assert clone(source.tokenizer) == source.tokenizer


def test_words_are_found_in_the_vocabulary(source):
    assert source.tokenizer.source_tokens(["good", "bad"]) == (6, 7)


def test_words_of_several_tokens_are_refused(source):
    with pytest.raises(ValueError, match=r"Got \['good film'\], of which each is several"):
        source.tokenizer.source_tokens(["good film", "bad"])


def test_bytes_of_any_script_survive_the_tokenizer(tmp_path):
    source = TextSource.from_pretrained(folder_with(gpt(), tmp_path, "bytes"))
    samples = source.tokenizer.split(["né €"])
    assert len(samples[0]) == len("né €".encode())
    assert (source.tokenizer.encode(samples, {}, 7) > 1).all()


def test_minilm_is_described_without_reading_its_weights():
    source = load_source("minilm", input_shape=(64, 385))
    assert isinstance(source, SourceModel) and source.input_shape == (64, 385)
    assert len(pickle.dumps(source)) < 2_000


def test_minilm_takes_no_other_embeddings():
    with pytest.raises(ValueError, match="expected one with another first axis"):
        load_source("minilm", input_shape=(64, 100))


@pytest.mark.slow
def test_the_handle_of_minilm_says_what_its_folder_says():
    from skreprogram.sources._weights import locate

    packaged = load_source("minilm")
    read = TextSource.from_pretrained(locate(packaged.weights).parent)
    assert (packaged.digest, packaged.input_shape) == (read.digest, read.input_shape)
    assert (packaged.n_outputs, packaged.head) == (read.n_outputs, read.head)
    assert dict(packaged.special_tokens) == dict(read.special_tokens)


@pytest.mark.slow
def test_minilm_knows_which_words_are_alike():
    from skreprogram.transformations import EmbeddingTransformation

    source = load_source("minilm")
    samples = source.tokenizer.split(["a cat", "a kitten", "the stock market fell"])
    X = torch.from_numpy(source.tokenizer.encode(samples, {}, 8))
    inputs = EmbeddingTransformation().apply({}, X, source.input_space)
    unit = torch.nn.functional.normalize(source.load().outputs(inputs))
    alike, unlike = unit[0] @ unit[1], unit[0] @ unit[2]
    assert alike > 0.5 > 0.2 > unlike
