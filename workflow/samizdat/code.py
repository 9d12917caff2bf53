"""What a module's code is, so that an edit reruns a step and a comment does not."""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent


def code_digest(module: str) -> str:
    """A digest of the syntax trees of `module` (a name below samizdat) and of every sibling that it imports.

    Docstrings, comments and layout are left out: they change no result.
    """
    trees = [f"{name}\n{_tree(name)[0]}" for name in sorted(imported_siblings(module))]
    return hashlib.sha256("\n".join(trees).encode()).hexdigest()[:16]


def imported_siblings(module: str) -> set[str]:
    """The module itself and all modules of the package that it imports, directly or through others."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _tree(name)[1]
    return found


@cache
def _tree(module: str) -> tuple[str, tuple[str, ...]]:
    """The dump of a module's syntax tree without docstrings, and the siblings that it names in imports."""
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
    return ast.dump(tree), tuple(name for name in names if _path(name).is_file())


def _path(module: str) -> Path:
    path = PACKAGE / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
