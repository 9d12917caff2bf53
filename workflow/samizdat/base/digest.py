"""Digests of code: an edit of a stage's code changes its digest, so that the stage reruns; a comment does not."""

import ast
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
# Modules that compute no part of a result: how a stage is called, what it says, where its files go.
FRAME = frozenset(
    {
        "base.digest", "base.free_space", "base.errors", "base.escaping", "base.files", "base.hardware", "base.parent",
        "base.reuse", "base.stage", "base.stage_arguments", "base.wording", "environment.system",
        "models.beforehand",
    }
)  # fmt: skip


def code_digest(module: str) -> str:
    """Compute a digest of the code of `module` (a name below samizdat) and of every module that it imports or starts.

    The digest is of syntax trees without docstrings. It does not change with docstrings, comments and layout, because
    they change no result.
    """
    return _digest(imported_siblings(module), said=True)


def result_digest(module: str) -> str:
    """Compute a digest of the code that computes a stage's result, for the fingerprint of its kept result.

    It is `code_digest` without the frame of a stage and without the messages of errors and log lines. After an edit
    of these, Snakemake reruns a costly stage, and the stage finds its kept result.
    """
    return _digest(imported_siblings(module) - FRAME, said=False)


def _digest(modules: set[str], *, said: bool) -> str:
    trees = [f"{name}\n{_read(name, said)[0]}" for name in sorted(modules)]
    return hashlib.sha256("\n".join(trees).encode()).hexdigest()[:16]


def imported_siblings(module: str) -> set[str]:
    """Find the module itself and all modules of the package that it imports or starts, directly or indirectly."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _read(name, True)[1]
    return found


@cache
def _read(module: str, said: bool) -> tuple[str, tuple[str, ...]]:
    """Read a module: its syntax tree as text, without docstrings, and the siblings that it names.

    Args:
        module: a name below samizdat.
        said: whether the text includes the messages of errors and log lines.
    """
    tree = ast.parse(_path(module).read_text(encoding="utf-8"))
    _remove_docstrings(tree)
    names = tuple(name for name in _names(tree) if _path(name).is_file())
    if not said:
        _remove_messages(tree)
    return ast.dump(tree), names


def _remove_docstrings(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and ast.get_docstring(node, clean=False) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]


def _remove_messages(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_message(node.func):
            node.args, node.keywords = [], []


def _names(tree: ast.Module) -> Iterator[str]:
    """Yield each name below samizdat that a module imports, or may start as a program."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "samizdat":
            base = node.module.removeprefix("samizdat").lstrip(".")
            if base:
                yield base
            yield from (f"{base}.{alias.name}".lstrip(".") for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (
                alias.name.removeprefix("samizdat.") for alias in node.names if alias.name.startswith("samizdat.")
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # A program that is started by its name: python -m samizdat.checkpoints.unpickle
            yield from re.findall(r"\Asamizdat\.([a-z0-9_.]+)\Z", node.value)


def _is_message(called: ast.expr) -> bool:
    """Whether a call only tells something to people: a UserError, a line of the log or of the terminal."""
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
        return called.value.id == "log" or (called.value.id, called.attr) == ("stage", "tell")
    return isinstance(called, ast.Name) and called.id == "UserError"


def _path(module: str) -> Path:
    path = PACKAGE / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
