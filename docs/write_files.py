"""Write docs/reference-files.md from the schemas in the room `records` and the comments on their columns and keys."""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from samizdat import records
from samizdat.records.statistics import STATISTICS

PAGE = Path(__file__).with_name("reference-files.md")
ABOUT = """\
# Every file of a run

`make reference` writes this page from the schemas in `workflow/samizdat/records/`. Paths are below \
`results/<run>/`, those of `data/` below the project's folder. Tables are Parquet files, other files are JSON, and \
the log of a training is CSV. Each file is checked by its schema when it is written and when it is read. `low` and \
`high` are the bounds of a confidence interval at the config's level. Types of columns are Arrow's, types of keys \
are Python's. A row without a meaning is what its name says.

Not listed are files whose form others define: checkpoints (`config.json`, `model.safetensors`, `tokenizer.json`), \
the tokens of a split (`tokens/<split>.bin`, whole numbers one after another), the rule graph (`rules.dot`) and the \
report. `config.json` at the top is the config ([its keys](reference-config.md)), and `provenance.json` says which \
machine made the run, how long each step took, and the hashes of the report.
"""


@dataclass(frozen=True)
class Record:
    """The schema of a file: what the file is, and name, type and meaning of each column or key."""

    path: str
    about: str
    rows: list[tuple[str, str, str]]

    def lines(self) -> Iterator[str]:
        """Yield the lines of the page's section."""
        yield from ("", f"## `{self.path}`", "", *([self.about, ""] if self.about else []))
        name = "column" if self.path.endswith((".parquet", ".csv")) else "key"
        yield from (f"| {name} | type | meaning |", "| --- | --- | --- |")
        for row in self.rows:
            yield "| `{}` | `{}` | {} |".format(*(cell.replace("|", "\\|") for cell in row))


class Source:
    """A module of the room, with its comments."""

    def __init__(self, name: str) -> None:
        self.module = importlib.import_module(f"samizdat.records.{name}")
        text = Path(str(self.module.__file__)).read_text(encoding="utf-8")
        self.lines, self.tree = text.splitlines(), ast.parse(text)

    def records(self) -> Iterator[Record]:
        """Yield the schemas of the files that this module describes."""
        tables = {id(schema): name for name, schema in STATISTICS.items()}
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                schema = getattr(self.module, node.targets[0].id)
                if isinstance(schema, pa.Schema):
                    about = self.above(node.lineno)
                    if id(schema) in tables:
                        about = f"`statistics/{tables[id(schema)]}.parquet`: {about}"
                    yield record(about, list(self.columns(node.value, schema)))
            elif isinstance(node, ast.ClassDef) and "`" in (about := ast.get_docstring(node) or ""):
                yield record(about, list(self.keys(node)))

    def columns(self, value: ast.expr, schema: pa.Schema) -> Iterator[tuple[str, str, str]]:
        """Yield name, type and comment of each column of a table."""
        call = next(node for node in ast.walk(value) if isinstance(node, ast.Call) and node.keywords)
        for keyword in call.keywords:
            names = [keyword.arg] if keyword.arg else [key.value for key in keyword.value.keys]
            for name in names:
                yield str(name), str(schema.field(name).type), self.comment(keyword)
        if prefix := (schema.metadata or {}).get(b"may_add"):
            yield f"{prefix.decode()}…", "string", self.behind(value.end_lineno or 0)

    def keys(self, node: ast.ClassDef) -> Iterator[tuple[str, str, str]]:
        """Yield name, type and comment of each key of a document, after those of the class that it extends."""
        found = {}
        for base in node.bases:
            above = next(other for other in self.tree.body if isinstance(other, ast.ClassDef) and other.name == base.id)
            found |= {row[0]: row for row in self.keys(above)}
        for field in node.body:
            if isinstance(field, ast.AnnAssign):
                name = ast.unparse(field.target)
                found[name] = (
                    name,
                    ast.unparse(field.annotation),
                    self.comment(field) or found.get(name, ("", "", ""))[2],
                )
        yield from found.values()

    def comment(self, node: ast.keyword | ast.AnnAssign) -> str:
        """Return the comment behind a column or key, and the one above it."""
        words = [self.behind(node.end_lineno or 0), self.above(node.lineno)]
        return ". ".join(word for word in words if word).replace("<", "&lt;")

    def above(self, line: int) -> str:
        """Return the comment in the lines right above a line."""
        end = begin = line - 1
        while self.lines[begin - 1].strip().startswith("#"):
            begin -= 1
        return " ".join(text.strip().removeprefix("#").strip() for text in self.lines[begin:end])

    def behind(self, line: int) -> str:
        """Return the comment at the end of a line."""
        found = re.search(r"\s{2}# (.*)$", self.lines[line - 1])
        return found[1] if found else ""


def record(about: str, rows: list[tuple[str, str, str]]) -> Record:
    """Make a record; its description begins with its path in backticks.

    Raises:
        ValueError: the description names no file.
    """
    found = re.match(r"`([a-z_]+/?[^`]*\.(?:parquet|json|csv))`(?::\s*|\s*)(.*)", about, re.DOTALL)
    if not found:
        raise ValueError(f"a schema's comment must begin with its file, in backticks: {about!r}")
    words = " ".join(found[2].removeprefix(".").split())
    return Record(found[1], words[:1].upper() + words[1:], rows)


def page() -> str:
    """Return the page: a list of all files, then a table for each."""
    names = sorted(path.stem for path in Path(str(records.__file__)).parent.glob("*.py"))
    found = [found for name in names if name not in ("__init__", "io") for found in Source(name).records()]
    found.sort(key=lambda record: (record.path.startswith("data/"), record.path))
    return (
        "\n".join(
            [ABOUT, *(f"- `{record.path}`" for record in found), *(x for record in found for x in record.lines())]
        )
        + "\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
