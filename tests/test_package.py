"""What holds for the package as a whole: version, files, sizes, docstrings."""

import inspect
from importlib import import_module, metadata
from pathlib import Path

import pytest
from numpydoc.validate import validate

import skreprogram

PACKAGE = Path(skreprogram.__file__).parent
PUBLIC_MODULES = ["skreprogram"] + sorted(
    f"skreprogram.{path.stem}"
    for path in PACKAGE.iterdir()
    # training is for contributors: users meet it through the estimators
    if not path.name.startswith(("_", "training"))
    and (path.suffix == ".py" or (path / "__init__.py").exists())
)
# Left out: where a summary starts and what stands before it (GL01, GL02), SS05 which takes a plural
# for a verb, named results (RT02), and sections that not everything needs: extended summary,
# See Also, Examples.
NOT_CHECKED = {"GL01", "GL02", "SS05", "RT02", "ES01", "SA01", "EX01"}
MAX_LINES = 320
MAX_WEIGHTS = 2 * 1024**2


def public_names(module):
    """Dotted names of what `module` exports, and of the public methods written in this package."""
    exported = import_module(module)
    for name in getattr(exported, "__all__", []):
        thing = getattr(exported, name)
        if not (inspect.isclass(thing) or inspect.isfunction(thing)):
            continue
        yield f"{module}.{name}"
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                public = inspect.isroutine(value) or isinstance(value, property)
                # an override without a docstring inherits that of its contract
                inherits = not getattr(value, "__doc__", None) and any(
                    hasattr(base, member) for base in thing.__mro__[1:]
                )
                if public and not member.startswith("_") and not inherits:
                    yield f"{module}.{name}.{member}"


def test_version_is_that_of_the_installed_metadata():
    assert metadata.version("skreprogram") == skreprogram.__version__, (
        "The version changed after the installation: `touch pyproject.toml`, then make again."
    )


def test_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file()


def test_no_file_is_long():
    lengths = {
        str(path.relative_to(PACKAGE)): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    long = {name: length for name, length in lengths.items() if length >= MAX_LINES}
    assert not long, f"{long}: a file of {MAX_LINES} lines or more is a missing noun; split it."


def test_bundled_weights_are_small():
    sizes = {path.name: path.stat().st_size for path in PACKAGE.rglob("*.safetensors")}
    large = {name: size for name, size in sizes.items() if size > MAX_WEIGHTS}
    assert not large, f"{large} bytes, but bundled weights take at most {MAX_WEIGHTS}."


@pytest.mark.parametrize("module", PUBLIC_MODULES)
def test_public_docstrings_follow_numpydoc(module):
    found = [
        f"{name}: {code} {text}"
        for name in public_names(module)
        for code, text in validate(name)["errors"]
        if code not in NOT_CHECKED
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("module", PUBLIC_MODULES)
def test_public_names_exist(module):
    exported = import_module(module)
    assert hasattr(exported, "__all__"), f"{module} has no __all__: list its public names."
    missing = [name for name in exported.__all__ if not hasattr(exported, name)]
    assert not missing, f"{module}.__all__ names {missing}, which it does not define."
