"""Write docs/reference-config.md from the config's schema and the defaults in config/config.yaml."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from samizdat.base.configuration import load_schema

PAGE = Path(__file__).with_name("reference-config.md")
DEFAULTS = PAGE.parents[1] / "config" / "config.yaml"
ABOUT = """\
# Every key of the config

`make reference` writes this page from the schema, `workflow/samizdat/base/config.schema.yaml`, and from the defaults \
in `config/config.yaml`, which is the demo's config. A file of yours names only the keys that it changes: a mapping is \
merged key by key, a list is replaced whole. Where no example is given, the default shows the form.
"""


def page() -> str:
    """Return the page: a table of the keys at the top level, then a table for each section."""
    schema, defaults = load_schema(), yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))
    keys: dict[str, Any] = schema["properties"]
    sections = {key: inner for key, inner in keys.items() if properties_of(inner)}
    top = {key: inner for key, inner in keys.items() if key not in sections}
    lines = [ABOUT, "## At the top level", "", *table(top, defaults, schema)]
    for name, section in sections.items():
        kind = "a list; each item has these keys" if section["type"] == "array" else "a mapping of these keys"
        lines += ["", f"## {name}", "", f"{section['description']} `{name}` is {kind}.", ""]
        given = defaults[name] if section["type"] == "object" else {}
        lines += table(own_keys(name, keys), given, schema, section.get("items", {}).get("required", ()))
    return "\n".join(lines) + "\n"


def properties_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys that a mapping, or each item of a list, may have; nothing for other values."""
    found: dict[str, Any] = schema.get("items", schema).get("properties", {})
    return found


def own_keys(name: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a section without those that its items take from another section, which says them once."""
    taken = {"models": ["training"], "classifiers": ["classification", "finetuning"]}.get(name, [])
    others = [key for section in taken for key in keys[section]["properties"]]
    return {key: inner for key, inner in properties_of(keys[name]).items() if key not in others}


def table(
    keys: Mapping[str, Any], defaults: Mapping[str, Any], schema: Mapping[str, Any], needed: Collection[str] = ()
) -> Iterator[str]:
    """Write a table with a row for each key; those that are `needed` have no default, and others may be left out."""
    yield from ("| key | values | default | example | meaning |", "| --- | --- | --- | --- | --- |")
    for key, inner in keys.items():
        default = code(defaults[key]) if key in defaults else "none: give one" if key in needed else ""
        example = code(inner["examples"][0]) if "examples" in inner else ""
        cells = (f"`{key}`", values(inner, schema), default, example, inner["description"])
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"


def code(value: Any) -> str:
    """Write a value as YAML writes it in one line."""
    return f"`{yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True).split(chr(10))[0]}`"


def values(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    """Say in words what a schema allows."""
    if "$ref" in schema:
        return values(whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], whole)
    if "const" in schema or "enum" in schema:
        return listed([code(value) for value in schema.get("enum", [schema.get("const")])])
    if "anyOf" in schema:
        return listed([values(choice, whole) for choice in schema["anyOf"]])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return listed([of_kind(kind, schema, whole) for kind in kinds])


def of_kind(kind: str, schema: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    """Say in words what a schema allows of one type of JSON."""
    if kind == "array":
        return f"list of {values(schema['items'], whole).replace('number', 'numbers')}"
    if kind == "object":
        inner = schema.get("additionalProperties")
        return f"mapping of a name to {values(inner, whole)}" if inner else "mapping"
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`",
             "null": "`null`"}[kind]  # fmt: skip
    limits = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
    bounds = [f"{word} {schema[key]:,}" for key, word in limits.items() if key in schema]
    return " ".join([words, *bounds]).replace(" below", ", below") if kind in ("integer", "number") else words


def listed(words: list[str]) -> str:
    """Join words by commas and "or"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
