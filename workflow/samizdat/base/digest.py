"""What a module's code is, so that an edit reruns a step and a comment does not."""

import ast
import hashlib
import re
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
# Modules in which nothing of a result is computed: how a stage is called, what it says, where its files go.
FRAME = frozenset(
    f"base.{name}" for name in ("digest", "disk", "errors", "files", "hardware", "reuse", "stage", "wording")
)


def code_digest(module: str) -> str:
    """A digest of the syntax trees of `module` (a name below samizdat) and of every sibling that it imports or starts.

    Docstrings, comments and layout are left out: they change no result.
    """
    return _digest(imported_siblings(module), said=True)


def result_digest(module: str) -> str:
    """A digest of the code that a stage's kept result was computed by, for its fingerprint.

    It leaves out the frame of a stage and what is said to people, in errors and logs: after such an edit a costly
    stage runs again by its rule, and finds its result.
    """
    return _digest(imported_siblings(module) - FRAME, said=False)


def _digest(modules: set[str], *, said: bool) -> str:
    trees = [f"{name}\n{_tree(name, said)[0]}" for name in sorted(modules)]
    return hashlib.sha256("\n".join(trees).encode()).hexdigest()[:16]


def imported_siblings(module: str) -> set[str]:
    """The module itself and all of the package that it imports or starts as a program, directly or through others."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _tree(name, True)[1]
    return found


@cache
def _tree(module: str, said: bool) -> tuple[str, tuple[str, ...]]:
    """The dump of a module's syntax tree without docstrings, and the siblings that it names.

    Args:
        module: a name below samizdat.
        said: whether what errors and logs say is part of the dump.
    """
    tree = ast.parse(_path(module).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "samizdat":
            base = node.module.removeprefix("samizdat").lstrip(".")
            names += [base] if base else []
            names += [f"{base}.{alias.name}".lstrip(".") for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [
                alias.name.removeprefix("samizdat.") for alias in node.names if alias.name.startswith("samizdat.")
            ]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # A program that is started by its name: python -m samizdat.checkpoints.unpickle
            names += re.findall(r"\Asamizdat\.([a-z0-9_.]+)\Z", node.value)
        elif isinstance(node, ast.Call) and not said and _speaks(node.func):
            node.args, node.keywords = [], []
    return ast.dump(tree), tuple(name for name in names if _path(name).is_file())


def _speaks(called: ast.expr) -> bool:
    """Whether what is called only says something: an error for people, or a line of the log."""
    if isinstance(called, ast.Attribute):
        return isinstance(called.value, ast.Name) and called.value.id == "log"
    return isinstance(called, ast.Name) and called.id == "UserError"


def _path(module: str) -> Path:
    path = PACKAGE / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
