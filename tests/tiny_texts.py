"""Language models of a few thousand weights, with their tokenizers. Tests import this module."""

import json

import torch
import transformers
from toys import seeded

from skreprogram._input_space import InputSpace, Vocabulary
from skreprogram.sources import TextEncoder, TextSource

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] a good bad film story plot it was and very the".split()
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
BERT = {**SIZES, "intermediate_size": 24, "vocab_size": len(WORDS), "max_position_embeddings": 32}

# a vocabulary of ten numbers, and what a source of it takes
START, END, MASK, UNKNOWN = 1, 2, 3, 4
VECTORS = torch.arange(10.0)[:, None]
TOKENS = Vocabulary(VECTORS, 0, UNKNOWN, MASK, START, END, fills_mask=True)
SPACE = InputSpace((8, 2), flexible=True, vocabulary=TOKENS)
# texts of the source's tokens 7, 8, 9 and of 7
X = torch.tensor([[9, 10, 11], [9, 0, 0]])


def bert(kind="BertForMaskedLM"):
    """A random BERT, large enough in scale that its answers differ."""
    config = transformers.BertConfig(**BERT, initializer_range=0.4, pad_token_id=0)
    return seeded(lambda: getattr(transformers, kind)(config)).eval()


def roberta(kind="RobertaForMaskedLM"):
    """A random RoBERTa, which counts positions from 2 on."""
    config = transformers.RobertaConfig(**BERT, initializer_range=0.4, pad_token_id=1)
    return seeded(lambda: getattr(transformers, kind)(config)).eval()


def gpt(kind="GPT2LMHeadModel"):
    """A random GPT-2, which looks back only."""
    sizes = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 32, "vocab_size": 257}
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    config = transformers.GPT2Config(**sizes, **ends, initializer_range=0.4)
    return seeded(lambda: getattr(transformers, kind)(config)).eval()


def encoder(model, head="none", looks_back=False):
    """The encoder around a model, frozen."""
    return TextEncoder(model, head, looks_back).eval().requires_grad_(False)


def shown(model, tokens, marks=None):
    """One input of a source: embeddings of tokens, with marks; shape (1, length, d + 1)."""
    vectors = model.get_input_embeddings().weight.detach()[torch.tensor([tokens])]
    marks = torch.ones(len(tokens)) if marks is None else torch.tensor(marks).float()
    return torch.cat([vectors, marks.reshape(1, -1, 1)], 2)


def stacked(inputs):
    """Inputs of different lengths in one batch; what fills the shorter ones up is garbage."""
    longest = max(one.shape[1] for one in inputs)
    batch = 100.0 * torch.ones(len(inputs), longest, inputs[0].shape[2])
    batch[..., -1] = 0
    for row, one in zip(batch, inputs, strict=True):
        row[: one.shape[1]] = one[0]
    return batch


def folder_with(model, folder, tokenizer="words"):
    """Save a model and a tokenizer as users have them; return the folder."""
    model.save_pretrained(folder, safe_serialization=True)
    if tokenizer == "words":
        (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
        transformers.BertTokenizerFast(
            str(folder / "vocab.txt"), model_max_length=32
        ).save_pretrained(folder)
    else:
        _bytes_tokenizer(folder)
    return folder


def text_source(folder, model=None, **options):
    """Handle of a tiny language model that lies in a folder of its own."""
    return TextSource.from_pretrained(folder_with(model or bert(), folder), **options)


def _bytes_tokenizer(folder):
    """One token a byte, as GPT-2 would have without merges."""
    from tokenizers.pre_tokenizers import ByteLevel

    letters = ["<|endoftext|>", *sorted(ByteLevel.alphabet())]
    vocabulary = {letter: i for i, letter in enumerate(letters)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    transformers.GPT2TokenizerFast(
        str(folder / "vocab.json"), str(folder / "merges.txt")
    ).save_pretrained(folder)
