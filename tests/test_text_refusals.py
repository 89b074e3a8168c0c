"""What embeddings and prompts refuse, in sentences that say what to do."""

import pytest
import torch
from tiny_texts import SPACE, VECTORS, X

from skreprogram._input_space import InputSpace, Vocabulary
from skreprogram.transformations import EmbeddingTransformation, PromptTransformation


def test_a_source_without_a_mask_is_refused():
    space = InputSpace((8, 2), vocabulary=Vocabulary(VECTORS))
    with pytest.raises(ValueError, match=r"without a \[MASK\].*Set mask=False"):
        PromptTransformation(2).init(X, space, torch.Generator())
    with pytest.raises(ValueError, match="Got mask=True"):
        PromptTransformation(2, mask=True, initial="normal").init(X, space, torch.Generator())


@pytest.mark.parametrize("kind", [EmbeddingTransformation, PromptTransformation])
def test_a_source_that_reads_no_text_is_refused(kind):
    with pytest.raises(ValueError, match="expected a source of text"):
        kind().init(X, InputSpace((3, 8, 8), (0, 1)), torch.Generator())


@pytest.mark.parametrize("kind", [EmbeddingTransformation, PromptTransformation])
def test_data_that_are_no_numbers_of_tokens_are_refused(kind):
    with pytest.raises(ValueError, match="one axis of integers a sample"):
        kind().init(torch.rand(2, 3), SPACE, torch.Generator())


def test_numbers_beyond_the_vocabulary_are_refused():
    with pytest.raises(ValueError, match="from 0 to 11.*Set tokenizer='source'"):
        EmbeddingTransformation().init(X + 1, SPACE, torch.Generator())


def test_prompts_that_leave_no_room_for_text_are_refused():
    with pytest.raises(ValueError, match="Got 8 positions around the text.*Use fewer prompts"):
        PromptTransformation(5).init(X, SPACE, torch.Generator())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_prompts": -1}, "Got n_prompts=-1"),
        ({"placement": "between"}, "Got placement='between'"),
        ({"mask": "yes"}, "Got mask='yes'"),
        ({"initial": "zeros"}, "Got initial='zeros'"),
        ({"initial": (1, 2, 3)}, "expected one token for each prompt"),
        ({"initial": (1, 99)}, "numbers from 0 to 9"),
    ],
)
def test_parameters_that_cannot_be_used_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        PromptTransformation(**{"n_prompts": 2, **wrong}).init(X, SPACE, torch.Generator())
