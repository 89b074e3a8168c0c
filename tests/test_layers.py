"""Imports go down the layers of setup.cfg, never up and never sideways."""

import ast
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "skreprogram"


def read_layers(text):
    """Names of every layer, from top to bottom."""
    parser = ConfigParser()
    parser.read_string(text)
    lines = parser["skreprogram:layers"]["layers"].strip().splitlines()
    return [[name.strip() for name in line.split("|")] for line in lines]


LAYERS = read_layers((ROOT / "setup.cfg").read_text(encoding="utf-8"))
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def room_of(path):
    """First name below the package: the folder or module that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def own_imports(source):
    """Yield (line, module) of every import from this package or by a relative path."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            if module == "skreprogram":
                yield from ((node.lineno, f"skreprogram.{alias.name}") for alias in node.names)
            elif node.level or module.startswith("skreprogram."):
                yield node.lineno, module
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "skreprogram":
                    yield node.lineno, alias.name


def complaints(source, room, where):
    """One sentence for each import in `source`, a file of `room`, that does not go down."""
    for line, module in own_imports(source):
        place = f"{where}:{line} imports {module}"
        target = module.partition("skreprogram.")[2].split(".")[0]
        if module.startswith("."):
            yield f"{place} relatively: write the import in full, from skreprogram down."
        elif target in ("__version__", room):
            continue
        elif target not in LEVEL:
            yield f"{place}, which is no module in a layer: import from the module that defines it."
        elif LEVEL[target] <= LEVEL[room]:
            layer = f"layer {LEVEL[target]} ({' | '.join(LAYERS[LEVEL[target]])})"
            direction = "a sibling in" if LEVEL[target] == LEVEL[room] else "up in"
            yield (
                f"{place}, {direction} {layer}, but {room} is in layer {LEVEL[room]} "
                "and may import from the layers below it only."
            )


def test_every_module_is_in_exactly_one_layer():
    names = [name for names in LAYERS for name in names]
    assert len(names) == len(set(names)), (
        f"A name stands twice in the layers of setup.cfg: {names}."
    )
    rooms = {room_of(path) for path in PACKAGE.rglob("*.py")} - {"__init__"}
    unlisted = sorted(rooms - set(names))
    assert not unlisted, (
        f"{unlisted} not in a layer: add each to [skreprogram:layers] in setup.cfg."
    )


def test_imports_only_go_down():
    found = [
        sentence
        for path in sorted(PACKAGE.rglob("*.py"))
        if (room := room_of(path)) in LEVEL
        for sentence in complaints(path.read_text(encoding="utf-8"), room, path.relative_to(ROOT))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("room", "source", "expected"),
    [
        ("sources", "from skreprogram.training import fit", "up in layer"),
        ("sources", "def f():\n    import skreprogram.training._net as net", "file.py:2 imports"),
        ("sources", "from skreprogram import training", "up in layer"),
        ("sources", "from skreprogram.mappings import RandomMapping", "a sibling in layer"),
        ("sources", "from ._base import SourceModel", "relatively"),
        ("sources", "from skreprogram import ReprogrammingClassifier", "no module in a layer"),
        ("sources", "import skreprogram", "no module in a layer"),
        ("_base", "from skreprogram.nowhere import thing", "no module in a layer"),
    ],
)
def test_the_checker_sees_a_wrong_import(room, source, expected):
    (sentence,) = complaints(source, room, "file.py")
    assert expected in sentence


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("training", "from skreprogram.sources import SourceModel"),
        ("training", "from skreprogram.training._net import Net"),
        ("training", "from skreprogram import __version__, sources"),
        ("training", "import torch\nfrom skreprogram_more import thing"),
    ],
)
def test_the_checker_lets_a_right_import_pass(room, source):
    assert not list(complaints(source, room, "file.py"))
