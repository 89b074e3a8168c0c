"""Which parameters of a network "norm", "head", "last", "all" and patterns mean."""

from collections import OrderedDict

import pytest
import torch
from torch import nn

from skreprogram.sources._own_structure import OwnStructure
from skreprogram.sources._parameter_choice import parameter_choices


class Block(nn.Module):
    """A layer with a normalisation that no name gives away, and a shortcut that is a list."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.second = nn.LayerNorm(4)
        self.shortcut = nn.Sequential(nn.Linear(4, 4), nn.Identity(), nn.GroupNorm(2, 4))


class Deep(nn.Module):
    """Two stages of blocks, between a stem and an end, as in residual networks."""

    def __init__(self):
        super().__init__()
        self.norm_free_stem = nn.Linear(4, 4)
        self.early = nn.Sequential(Block(), Block())
        self.late = nn.ModuleList([Block(), Block(), nn.ReLU()])
        self.batch = nn.BatchNorm1d(4, affine=True)
        self.end = nn.Linear(4, 3)


class TinyRMSNorm(nn.Module):
    """A normalisation as models of transformers write their own."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4))


def chosen(module, choice):
    """What is taken where every choice works."""
    return parameter_choices(module, choice, "toy")[0]


def test_all_is_every_parameter():
    assert chosen(Deep(), "all") == tuple(name for name, _ in Deep().named_parameters())


def test_norms_are_found_by_their_class_and_not_by_their_name():
    names = chosen(Deep(), "norm")
    assert "norm_free_stem.weight" not in names
    assert {"early.0.second.bias", "late.1.shortcut.2.weight", "batch.weight"} < set(names)
    assert len(names) == 2 * (2 * 4 + 1)


def test_norms_of_other_libraries_are_found_by_the_end_of_their_class():
    network = nn.Sequential(nn.Linear(4, 4), TinyRMSNorm())
    assert chosen(network, "norm") == ("1.weight",)


def test_the_head_is_the_last_linear_layer():
    assert chosen(Deep(), "head") == ("end.weight", "end.bias")
    assert chosen(nn.Linear(2, 2), "head") == ("weight", "bias")


def test_the_last_block_is_that_of_the_longest_outer_list_and_of_equals_the_last():
    blocks = parameter_choices(Deep(), "last", "toy")
    assert all(name.startswith("late.1.") for name in blocks[0])
    assert all(name.startswith("late.0.") for name in blocks[1])
    assert len(blocks) == 2 and len(blocks[0]) == 8


def test_a_network_without_lists_has_its_submodules_for_blocks():
    layers = {"first": nn.Linear(2, 2), "middle": nn.ReLU(), "second": nn.Linear(2, 2)}
    network = nn.Module()
    for name, layer in layers.items():
        network.add_module(name, layer)
    assert chosen(network, "last") == ("second.weight", "second.bias")
    plain = nn.Sequential(OrderedDict(layers))
    assert chosen(plain, "last") == ("second.weight", "second.bias")


def test_patterns_and_words_may_stand_side_by_side():
    names = chosen(Deep(), ["*.0.layer.*", "head"])
    assert names == (
        "early.0.layer.weight",
        "early.0.layer.bias",
        "late.0.layer.weight",
        "late.0.layer.bias",
        "end.weight",
        "end.bias",
    )


def test_what_two_patterns_mean_is_named_once():
    assert chosen(Deep(), ["end.*", "head"]) == ("end.weight", "end.bias")


@pytest.mark.parametrize("choice", ["encoder.*", "Norm", "", 3, [], [3], {"norm": 1}])
def test_what_is_neither_word_nor_list_of_names_is_refused(choice):
    with pytest.raises(ValueError, match=r"Got finetune=.*expected None, one of \['all', 'head'"):
        chosen(Deep(), choice)


def test_an_unknown_pattern_is_answered_with_some_names():
    with pytest.raises(ValueError, match=r"'endd\.\*', which no parameter .*norm_free_stem\.weig"):
        chosen(Deep(), ["end.*", "endd.*"])


@pytest.mark.parametrize(
    ("word", "lack"), [("norm", "layers of normalisation"), ("head", "a linear layer")]
)
def test_a_network_that_lacks_what_is_meant_is_refused(word, lack):
    with pytest.raises(ValueError, match=f"Got finetune='{word}'.*'toy'.*{lack}.*it has weight"):
        chosen(nn.Conv1d(1, 2, 3), word)


def test_a_network_without_parameters_is_refused():
    with pytest.raises(ValueError, match="Got finetune='all'.*it has none"):
        chosen(nn.ReLU(), "all")


def test_an_own_structure_shares_every_tensor_and_keeps_changes_to_itself():
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).eval()
    before, rows = {n: t.clone() for n, t in module.state_dict().items()}, torch.rand(5, 3)
    answer, structure = module(rows), OwnStructure(module)
    own = structure.module.state_dict()
    assert all(own[name].data_ptr() == t.data_ptr() for name, t in module.state_dict().items())
    structure.exchange({"2.bias": torch.tensor([1.0, -1.0])})
    torch.testing.assert_close(
        structure.module(rows), answer - before["2.bias"] + torch.tensor([1.0, -1.0])
    )
    assert torch.equal(module(rows), answer)
    assert all(torch.equal(t, before[name]) for name, t in module.state_dict().items())


def test_a_tied_tensor_is_exchanged_wherever_it_lies():
    module = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    module[1].weight = module[0].weight
    structure = OwnStructure(module)
    structure.exchange({"0.weight": 2 * torch.eye(3)})
    torch.testing.assert_close(structure.module(torch.ones(1, 3)), torch.full((1, 3), 4.0))
