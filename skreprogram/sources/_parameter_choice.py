"""Which parameters of a network a word or a pattern means."""

from fnmatch import fnmatchcase

from torch import nn

WORDS = ("all", "head", "last", "norm")
_NORMS = (nn.LayerNorm, nn.GroupNorm, nn.modules.batchnorm._NormBase)
# transformers writes such classes of its own for many models
_NORM_NAMES = ("LayerNorm", "RMSNorm")
_LISTS = (nn.Sequential, nn.ModuleList)


def parameter_choices(module, choice, source_name):
    """Names of the parameters that are meant, in ways of which the first that works is taken.

    Parameters
    ----------
    module : torch.nn.Module
        The network.
    choice : {"norm", "head", "last", "all"} or sequence of str
        What is meant. A sequence holds such words, and patterns of names as in a shell.
    source_name : str
        Name of the source, for messages.

    Returns
    -------
    choices : list of tuple of str
        For "last" one entry a block, the last one first; one entry for everything else.

    Raises
    ------
    ValueError
        For unknown words, and for what the network does not have.
    """
    if isinstance(choice, str):
        if choice not in WORDS:
            raise ValueError(
                f"Got finetune={choice!r}, expected None, one of {list(WORDS)}, or a list of "
                f"patterns of parameter names. Write [{choice!r}] if it is such a pattern."
            )
        return _by_word(module, choice, source_name)
    if not isinstance(choice, (list, tuple)) or not choice or not all(map(_is_text, choice)):
        raise ValueError(
            f"Got finetune={choice!r}, expected None, one of {list(WORDS)}, or a list of "
            "patterns of parameter names such as ['layer4.*']."
        )
    found = {}
    for item in choice:
        named = (
            _by_word(module, item, source_name)[0]
            if item in WORDS
            else _by_pattern(module, item, source_name)
        )
        found.update(dict.fromkeys(named))
    return [tuple(found)]


def _is_text(item):
    return isinstance(item, str)


def _by_word(module, word, source_name):
    choices = {"norm": _norms, "head": _head, "last": _blocks, "all": _all}[word](module)
    if any(choices):
        return choices
    wanted = {
        "norm": "layers of normalisation (what was folded into the weights is none)",
        "head": "a linear layer",
    }.get(word, "parameters")
    raise ValueError(
        f"Got finetune={word!r} with the source {source_name!r}, expected a network that has "
        f"{wanted}: it has {_some(module)}. Use finetune='last', 'all' or patterns of names."
    )


def _by_pattern(module, pattern, source_name):
    names = [name for name, _ in module.named_parameters() if fnmatchcase(name, pattern)]
    if not names:
        raise ValueError(
            f"Got finetune with {pattern!r}, which no parameter of the source {source_name!r} is "
            f"called, expected one of {list(WORDS)} or a pattern of names: {_some(module)}."
        )
    return names


def _some(module):
    """A few names of parameters, from all over the network."""
    names = [name for name, _ in module.named_parameters()]
    return ", ".join(names[:: max(1, -(-len(names) // 12))]) or "none"


def _all(module):
    return [tuple(name for name, _ in module.named_parameters())]


def _norms(module):
    """Of layers whose class says that they normalise; names of submodules say nothing."""
    norms = {
        path
        for path, part in module.named_modules()
        if isinstance(part, _NORMS) or type(part).__name__.endswith(_NORM_NAMES)
    }
    return [tuple(n for n, _ in module.named_parameters() if n.rpartition(".")[0] in norms)]


def _head(module):
    linear = [path for path, part in module.named_modules() if isinstance(part, nn.Linear)]
    return [_below(module, linear[-1])] if linear else []


def _blocks(module):
    """Blocks of the longest list of blocks that is in no other list; of equal ones the last."""
    lists = [path for path, part in module.named_modules() if isinstance(part, _LISTS)]
    outer = [path for path in lists if not any(_is_inside(path, other) for other in lists)]
    blocks = [_children(module, path) for path in outer or [""]]
    longest = max(blocks[::-1], key=len)
    return longest[::-1]


def _is_inside(path, other):
    return path != other and (not other or path.startswith(f"{other}."))


def _children(module, path):
    """Parameters of each child that has any."""
    prefix = f"{path}." if path else ""
    children = module.get_submodule(path).named_children()
    return [names for child, _ in children if (names := _below(module, f"{prefix}{child}"))]


def _below(module, path):
    prefix = f"{path}." if path else ""
    return tuple(name for name, _ in module.named_parameters() if name.startswith(prefix))
