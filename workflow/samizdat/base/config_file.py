"""Config files in YAML, read with the line of each key, so that a slip is refused where it is."""

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from samizdat.base.errors import UserError

# Far more values than a config with a hundred models and classifiers has.
MOST_VALUES = 100_000
_OPEN = "a quotation mark that is not closed"
Way = tuple[str | int, ...]  # the keys and numbers of items that lead to a value


@dataclass(frozen=True)
class Origin:
    """Where a value is written, and how."""

    file: str
    line: int
    written: str  # a scalar as it is in the file; empty for lists and mappings

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"


@dataclass(frozen=True)
class ConfigFile:
    """What a config file says."""

    values: dict[str, Any]
    origins: dict[Way, Origin] = field(default_factory=dict)


def read_config(path: Path) -> ConfigFile:
    """Read a config file: YAML, or JSON where its name says so.

    Raises:
        UserError: the file is not there, is no UTF-8, empty or no YAML; a key is there twice or is no text; or a number
            is not what it looks like. Names file and line, and what to write.
    """
    if path.is_relative_to(Path.cwd()):  # Snakemake names a file by its whole path, a person by the one typed
        path = path.relative_to(Path.cwd())
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        data = error.object
        marked = "in UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "not in UTF-8"
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path}: line {line}: the file is {marked}",
            remedy="open it in your editor and save it as UTF-8 (“Save as…” or “Save with encoding” in most editors)",
        ) from None
    except OSError as error:
        raise UserError(
            f"the config file {path} can't be read: {error.strerror}",
            remedy="correct its name behind CONFIG= or --configfile; what to make is named before --configfile",
        ) from None
    found = _json(text, path) if path.suffix == ".json" else _yaml(text, path)
    if not isinstance(found.values, dict) or not found.values:
        kind = "is empty" if not found.values else "has no keys at its top"
        raise UserError(
            f"{path} {kind}", remedy="write at least one key and its value, such as `name: mine`, or leave the file out"
        )
    return found


def read_for_snakemake() -> None:
    """Have Snakemake read config files here, because its own messages name neither file nor line of a slip."""
    from snakemake.common import configfile
    from snakemake.settings import types

    from samizdat.base.snakemake_log import refuse

    def load_configfile(path: str | Path) -> dict[str, Any]:
        try:
            return read_config(Path(path)).values
        except UserError as error:
            refuse(error)

    for module in (configfile, types):
        module.load_configfile = load_configfile


def _json(text: str, path: Path) -> ConfigFile:
    try:
        return ConfigFile(json.loads(text, object_pairs_hook=_once))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is no JSON: {error}", remedy="correct it there") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError(f"a key is there twice, among {', '.join(key for key, _ in pairs)}")
    return values


def _yaml(text: str, path: Path) -> ConfigFile:
    try:
        loader = yaml.SafeLoader(text.replace("\r\n", "\n"))
        node = loader.get_single_node()
        if node is None:
            return ConfigFile({})
        origins = dict(itertools.islice(_origins(node, (), path, ()), MOST_VALUES + 1))
        if len(origins) > MOST_VALUES:
            raise UserError(
                f"{path} has more than {MOST_VALUES:,} values",
                remedy="write each once; an alias (`*name`) repeats many",
            )
        return ConfigFile(cast("dict[str, Any]", loader.construct_document(node)), origins)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UserError(
            f"{path}: line {line} has the character U+{error.character:04X}, which YAML does not allow",
            remedy="delete the character, or write it as an escape in double quotes",
        ) from None
    except yaml.MarkedYAMLError as error:
        raise _slip(error, text, path) from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} can't be read: {error}", remedy="simplify the file; see config/config.yaml") from None


def _slip(error: yaml.MarkedYAMLError, text: str, path: Path) -> UserError:
    """Say what is wrong with a file that is no YAML, and what would be right."""
    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "it is no YAML"
    if problem == "found unexpected end of stream" and error.context_mark:
        mark, problem = error.context_mark, _OPEN
    number = mark.line if mark else 0
    lines = text.split("\n")
    line = lines[number] if number < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())] or (mark and line[mark.column : mark.column + 1] == "\t"):
        problem, remedy = "a tab", "write spaces where the tab is: YAML indents with spaces alone"
    elif problem == _OPEN:
        remedy = "write the same quotation mark at the end of the value"
    elif "mapping values are not allowed" in problem:
        key, _, value = line.strip().partition(": ")
        if ":" in value:
            problem = "a second colon"
            remedy = (
                f"put the value into quotes: {key}: {json.dumps(value, ensure_ascii=False)}; or correct the indentation"
            )
        else:
            problem = "a key where none can be"
            remedy = "write a blank behind the colon of the key before it (`name: mine`), or correct the indentation"
    elif ("'" in line or '"' in line) and "expected <block end>, but found '<scalar>'" in problem:
        problem, remedy = (
            "a quotation mark inside of quotation marks, or one before this line that is not closed",
            "write '' for ' in single quotes, and \\\" for \" in double quotes; or close them",
        )
    elif "expected <block end>, but found" in problem and "'<scalar>'" not in problem:
        problem = "the line does not begin where those that it belongs to do"
        remedy = (
            "begin keys that belong together equally far to the right: those of an item of a list below its first key, "
            "behind the `-`"
        )
    elif "escape" in problem or "unknown escape" in (error.context or ""):
        problem = "a backslash in double quotes that begins no escape"
        remedy = "write / in the place of \\ in paths, or use single quotes, in which a backslash is a letter"
    else:
        remedy = "correct it there or on the line before; a value with other signs than letters may need quotes"
    return UserError(f"{path}: line {number + 1}: {problem}: {line.strip()}", remedy=remedy)


def _origins(node: yaml.Node, way: Way, path: Path, above: tuple[yaml.Node, ...]) -> Iterator[tuple[Way, Origin]]:
    """Yield where each value is written, and refuse what YAML would read in another way than it looks."""
    line = node.start_mark.line + 1
    if node in above:
        raise UserError(f"{path}: line {line}: an alias contains itself", remedy="write the values in its place")
    yield way, Origin(path.as_posix(), line, node.value if isinstance(node, yaml.ScalarNode) else "")
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            yield from _origins(item, (*way, place), path, (*above, node))
    elif isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, at = _key(key, path), key.start_mark.line + 1
            if name in seen:
                raise UserError(
                    f"{path}: line {at}: the key `{name}` is there already, on line {seen[name]}",
                    remedy=f"write what belongs to `{name}` in one place; of two, YAML would drop the first",
                )
            seen[name] = at
            for inner, origin in _origins(value, (*way, name), path, (*above, node)):
                yield inner, Origin(origin.file, at, origin.written) if inner == (*way, name) else origin
    else:
        _refuse_disguised(cast("yaml.ScalarNode", node), path, line)


def _key(key: yaml.Node, path: Path) -> str:
    """Return a key, which must be text."""
    if isinstance(key, yaml.ScalarNode) and key.tag in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"):
        return str(key.value)
    line = key.start_mark.line + 1
    written = f"`{key.value}`" if isinstance(key, yaml.ScalarNode) else "a list or mapping"
    kind = key.tag.rpartition(":")[2]
    comma = "; a number has a point, not a comma: 1.5" if kind == "int" else ""
    raise UserError(
        f"{path}: line {line}: the key {written} is no text: YAML reads it as {kind}",
        remedy="correct the key (config/config.yaml explains every key); a name that looks like this belongs in quotes"
        f"{comma}",
    )


def _refuse_disguised(node: yaml.ScalarNode, path: Path, line: int) -> None:
    """Refuse numbers, dates and signs that YAML reads in another way than people do."""
    kind, written = node.tag.rpartition(":")[2], node.value
    mark = node.start_mark
    if (
        kind == "null"
        and not written
        and mark.buffer
        and re.match(r"[ \t]*#+[ \t]*[\n\0]", mark.buffer[mark.pointer :])
    ):
        raise UserError(
            f"{path}: line {line}: nothing is written here but #, with which a comment begins",
            remedy='write "#" in quotes where the sign is meant, else null',
        )
    if kind == "int" and re.fullmatch(r"[-+]?0[0-9_]+|.*:.*", written):
        what = "in base 60" if ":" in written else "in base 8"
        plain = written.replace("_", "").lstrip("+").lstrip("0") or "0"
        raise UserError(
            f"{path}: line {line}: {written} is a number {what} for YAML",
            remedy=f'write "{written}" in quotes where text is meant' + ("" if ":" in written else f", else {plain}"),
        )
    if kind == "float" and re.search(r":|inf|nan", written, re.IGNORECASE):
        raise UserError(
            f"{path}: line {line}: {written} is no number that a setting can have",
            remedy=f'write a finite number, or "{written}" in quotes where text is meant',
        )
    try:
        yaml.constructor.SafeConstructor().construct_object(node)
    except (ValueError, LookupError, AttributeError):
        kind = "date" if kind == "timestamp" else kind
        raise UserError(
            f"{path}: line {line}: {written} is a {kind} for YAML by its form, and there is no such one",
            remedy=f'write "{written}" in quotes where text is meant',
        ) from None
