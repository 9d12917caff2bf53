"""Digests of code: an edit of a stage's code changes its digest, so that the stage reruns; a comment does not.

So does another version of a package that the code imports, since it may compute other numbers.
"""

import ast
import hashlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
# Modules that compute no part of a result: how a stage is called, what it says, where its files go.
FRAME = frozenset(
    {
        "base.digest", "base.free_space", "base.errors", "base.escaping", "base.files", "base.hardware",
        "base.language", "base.parent", "base.reuse", "base.stage", "base.stage_arguments", "base.wording",
        "environment.system", "models.beforehand",
    }
)  # fmt: skip
# Packages that only read, write, fetch or check what others compute.
CARRIERS = frozenset({"datasets", "huggingface_hub", "jsonschema", "pyarrow", "safetensors", "snakemake"})
# The name under which a package is imported → the one under which it is installed, where they differ.
_DISTRIBUTIONS = {"PIL": "pillow", "pypandoc": "pypandoc_binary", "sklearn": "scikit-learn", "yaml": "PyYAML"}
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_STARTED = re.compile(r"samizdat\.[a-z0-9_.]+")


def code_digest(module: str) -> str:
    """Compute a digest of the code of `module` (a name below samizdat) and of every module that it imports or starts.

    The digest is of syntax trees without docstrings, and of the versions of packages that they import. It does not
    change with docstrings, comments and layout, because they change no result.
    """
    return _digest(imported_siblings(module), said=True)


def result_digest(module: str) -> str:
    """Compute a digest of the code that computes a stage's result, for the fingerprint of its kept result.

    It is `code_digest` without the frame of a stage and without the messages of errors and log lines. After an edit
    of these, Snakemake reruns a costly stage, and the stage finds its kept result.
    """
    return _digest(imported_siblings(module) - FRAME, said=False)


def _digest(modules: set[str], *, said: bool) -> str:
    trees = [f"{name}\n{_read(name).text if said else _read(name).silent}" for name in sorted(modules)]
    packages = {package for name in modules - FRAME for package in _read(name).packages}
    versions = [f"{package} {version_of(package)}" for package in sorted(packages - CARRIERS)]
    return hashlib.sha256("\n".join(trees + versions).encode()).hexdigest()[:16]


@cache
def version_of(package: str) -> str:
    """Return the version of a package, by the name under which it is imported; empty where it is not installed."""
    try:
        return metadata.version(_DISTRIBUTIONS.get(package, package))
    except (metadata.PackageNotFoundError, ValueError):  # ValueError: the name is empty
        return ""


def imported_siblings(module: str) -> set[str]:
    """Find the module itself and all modules of the package that it imports or starts, directly or indirectly."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _read(name).names
    return found


@dataclass(frozen=True)
class _Code:
    """A module: its syntax tree as text without docstrings, and what it names."""

    text: str
    silent: str  # without the messages of errors and log lines, too
    names: tuple[str, ...]  # siblings
    packages: frozenset[str]  # of others


@cache
def _read(module: str) -> _Code:
    parts: list[str] = []
    messages: list[slice] = []  # where they are in `parts`
    names: list[str] = []
    _write(ast.parse(_path(module).read_text(encoding="utf-8")), parts, messages, names)
    text = "".join(parts)
    for message in reversed(messages):
        del parts[message]
    own = [name.removeprefix("samizdat.") for name in names if name.startswith("samizdat.")]
    siblings = tuple(name for name in own if _path(name).is_file())
    roots = {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"samizdat", "_typeshed"}
    return _Code(text, "".join(parts), siblings, frozenset(roots))


def _write(node: ast.AST, parts: list[str], messages: list[slice], names: list[str]) -> None:
    """Write a syntax tree as text, in one pass: each start of Snakemake waits until all modules are written."""
    parts.append(f"{type(node).__name__}(")
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Constant):
        names += _names(node)
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, ast.AST):
            _write(value, parts, messages, names)
        elif not isinstance(value, list):
            parts.append(f"{value!r},")
        else:
            parts.append("[")
            begin, found = len(parts), messages
            if isinstance(node, ast.Call) and _is_message(node.func):
                found = []  # a message in a message
            elif field == "body" and isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
                value = value[1:] or [ast.Pass()]
            for inner in value:
                if isinstance(inner, ast.AST):
                    _write(inner, parts, found, names)
                else:
                    parts.append(f"{inner!r},")
            if found is not messages:
                messages.append(slice(begin, len(parts)))
            parts.append("]")
    parts.append(")")


def _names(node: ast.Import | ast.ImportFrom | ast.Constant) -> Iterator[str]:
    """Yield each name that a module imports, or may start as a program."""
    if isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _STARTED.fullmatch(node.value):
        # A program that is started by its name: python -m samizdat.checkpoints.unpickle
        yield node.value


def _is_message(called: ast.expr) -> bool:
    """Whether a call only tells something to people: a UserError, a line of the log or of the terminal."""
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
        return called.value.id == "log" or (called.value.id == "stage" and called.attr in ("tell", "announce"))
    return isinstance(called, ast.Name) and called.id == "UserError"


def _path(module: str) -> Path:
    path = PACKAGE / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
