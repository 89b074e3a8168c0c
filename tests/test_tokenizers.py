"""From texts to tokens to numbers."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer

from skreprogram.tokenizers import (
    CharacterTokenizer,
    FunctionTokenizer,
    KmerTokenizer,
    Tokenizer,
    WordTokenizer,
    as_tokenizer,
)

TEXT = "Ein Text, a text: nothing more; 42 texts!"


def test_characters_are_kept_as_they_are():
    assert CharacterTokenizer().tokens("aB c\n") == ["a", "B", " ", "c", "\n"]


def test_words_are_those_of_scikit_learn():
    expected = CountVectorizer().build_analyzer()(TEXT)
    assert WordTokenizer().tokens(TEXT) == expected == WordTokenizer().tokens(TEXT.upper())


def test_words_keep_their_case_and_follow_a_pattern_where_asked():
    tokenizer = WordTokenizer(lowercase=False, pattern=r"(\w+)[,;:]")
    assert tokenizer.tokens(TEXT) == ["Text", "text", "more"]


@pytest.mark.parametrize(
    ("k", "stride", "expected"),
    [
        (3, 1, ["ABC", "BCD", "CDE", "DEF", "EFG"]),
        (3, 3, ["ABC", "DEF", "G"]),
        (3, 2, ["ABC", "CDE", "EFG"]),
        (4, 2, ["ABCD", "CDEF", "EFG"]),
        (1, 1, list("ABCDEFG")),
        (7, 1, ["ABCDEFG"]),
        (9, 1, ["ABCDEFG"]),
        (9, 9, ["ABCDEFG"]),
    ],
)
def test_kmers_begin_a_stride_apart_and_hold_every_character(k, stride, expected):
    assert KmerTokenizer(k, stride).tokens("ABCDEFG") == expected


@pytest.mark.parametrize("tokenizer", [CharacterTokenizer(), WordTokenizer(), KmerTokenizer()])
def test_an_empty_text_has_no_tokens(tokenizer):
    assert tokenizer.tokens("") == []


def test_lists_of_tokens_are_not_cut():
    assert WordTokenizer().split([["A", "b c"], "A b cd", (3, 4)]) == [["A", "b c"], ["cd"], [3, 4]]


def test_frequent_tokens_come_first_and_equal_ones_in_alphabetical_order():
    tokenizer = CharacterTokenizer()
    expected = {"b": 2, "a": 3, "c": 4, "d": 5}
    for samples in (["dbb", "cab", "ac"], ["ac", "bad", "cbb"]):
        vocabulary = tokenizer.learn(tokenizer.split(samples))
        assert vocabulary == expected and list(vocabulary) == list(expected)


def test_rare_tokens_get_no_number():
    samples = [list("aaabbc")]
    assert CharacterTokenizer(min_count=2).learn(samples) == {"a": 2, "b": 3}
    assert CharacterTokenizer(max_vocabulary=1).learn(samples) == {"a": 2}


def test_tokens_may_be_numbers():
    assert CharacterTokenizer().learn([[7, 5], [7, "7"]]) == {7: 2, 5: 3, "7": 4}


def test_numbers_are_padded_behind_and_cut_off_at_the_end_and_1_is_unknown():
    numbers = CharacterTokenizer().encode([list("ab"), list("bzbab"), []], {"a": 2, "b": 3}, 4)
    assert numbers.dtype == np.int64
    assert numbers.tolist() == [[2, 3, 0, 0], [3, 1, 3, 2], [0, 0, 0, 0]]


@pytest.mark.parametrize("samples", [[[], []], [["a"], ["b"]]])
def test_texts_without_a_token_that_counts_are_refused(samples):
    with pytest.raises(ValueError, match="Got 2 training samples without a token .*min_count=2"):
        CharacterTokenizer(min_count=2).learn(samples)


def test_a_name_with_a_number_sets_the_length_of_kmers():
    assert as_tokenizer("kmer:5").get_params() == KmerTokenizer(5).get_params()
    assert as_tokenizer("kmer").k == 3


def test_an_object_stands_for_itself_and_a_function_cuts():
    tokenizer = WordTokenizer()
    assert as_tokenizer(tokenizer) is tokenizer
    assert as_tokenizer(str.split).tokens("a b") == ["a", "b"]


@pytest.mark.parametrize(
    ("choice", "error", "sentence"),
    [
        ("kmers", ValueError, r"Got the tokenizer 'kmers', .*Did you mean 'kmer'\?"),
        ("kmer:x", ValueError, "Got the tokenizer 'kmer:x', expected a whole number"),
        ("kmer:", ValueError, "Got the tokenizer 'kmer:', expected a whole number"),
        ("word:3", ValueError, "Got the argument '3' behind the name of WordTokenizer"),
        ("letters:3", ValueError, "Got the tokenizer 'letters', expected one of"),
        (3, TypeError, "Got 3 of type int as tokenizer, expected a name among"),
        (KmerTokenizer, TypeError, "as tokenizer, expected a name among"),
    ],
)
def test_what_is_no_tokenizer_is_refused(choice, error, sentence):
    with pytest.raises(error, match=sentence):
        as_tokenizer(choice)


@pytest.mark.parametrize(
    ("tokenizer", "sentence"),
    [
        (KmerTokenizer(0), "Got k=0 in KmerTokenizer"),
        (KmerTokenizer(2, 3), "Got stride=3 .*at most k=2"),
        (CharacterTokenizer(min_count=0), "Got min_count=0 in CharacterTokenizer"),
        (WordTokenizer(max_vocabulary=2.5), "Got max_vocabulary=2.5 in WordTokenizer"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(tokenizer, sentence):
    with pytest.raises(ValueError, match=sentence):
        tokenizer.learn(tokenizer.split(["some text"]))


@pytest.mark.parametrize("function", [str.lower, str.encode, len, str.isalpha])
def test_a_function_that_returns_no_list_is_refused(function):
    with pytest.raises(TypeError, match="expected the list of its tokens"):
        FunctionTokenizer(function).tokens("A b")


@pytest.mark.parametrize("name", Tokenizer.names())
def test_every_name_stands_for_a_clonable_object_that_numbers_texts(name):
    tokenizer = clone(as_tokenizer(name))
    samples = tokenizer.split(["some text", "more text"])
    numbers = tokenizer.encode(samples, tokenizer.learn(samples), 12)
    assert numbers.shape == (2, 12) and numbers.max() > 2 and (numbers[:, 0] > 1).all()
