"""What the README and the pages say runs, and what they link to is there."""

import doctest
import re
from pathlib import Path

import pytest

from skreprogram.mappings import OutputMapping

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").glob("*.rst")) + sorted((ROOT / "docs" / "guide").glob("*.rst"))
MARKDOWN = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")]
EXAMPLES = sorted((ROOT / "examples").glob("plot_*.py"))
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def name_of(path):
    return str(path.relative_to(ROOT))


@pytest.fixture
def restored_mappings():
    """Forget the mappings that a page registers."""
    before = dict(OutputMapping._makers)
    yield
    OutputMapping._makers.clear()
    OutputMapping._makers.update(before)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if ">>> " in page.read_text(encoding="utf-8")], ids=name_of
)
def test_the_code_of_a_page_gives_what_it_shows(page, restored_mappings):
    failed, tried = doctest.testfile(str(page), module_relative=False, optionflags=FLAGS)
    assert tried and not failed, f"{failed} of {tried} examples of {name_of(page)} failed."


def test_the_code_of_the_readme_runs():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert blocks
    names = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert names["clf"].score(names["X_train"], names["y_train"]) > 0.9


@pytest.mark.parametrize("page", MARKDOWN, ids=name_of)
def test_local_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    missing = [link for link in local if not (page.parent / link).exists()]
    assert not missing, f"{name_of(page)} links to {missing}, which are not there."


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_a_page_names_are_there(page):
    named = re.findall(
        r"``((?:benchmarks|recipes|examples|skreprogram)/[\w./]+)``",
        page.read_text(encoding="utf-8"),
    )
    to_come = {"skreprogram/mappings/_share.py", "benchmarks/results"}
    missing = [path for path in named if path not in to_come and not (ROOT / path).exists()]
    assert not missing, f"{name_of(page)} names {missing}, which are not there."


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_an_example_is_short_and_asks_a_question(example):
    text = example.read_text(encoding="utf-8")
    assert text.splitlines()[1].endswith("?")
    assert len(text.splitlines()) < 150
    compile(text, example.name, "exec")


def test_the_gallery_names_every_example():
    order = (ROOT / "docs" / "conf.py").read_text(encoding="utf-8")
    missing = [example.name for example in EXAMPLES if f'"{example.name}"' not in order]
    assert not missing, f"Add {missing} to the order in docs/conf.py."
