"""Configs with hostile texts in every key that accepts one."""

import copy
from collections.abc import Iterator
from typing import Any

import yaml
from snakemake.utils import update_config

from conftest import ROOT
from samizdat.base import configuration
from samizdat.base.corpus_files import list_files
from samizdat.base.errors import UserError

# Without a slash, so that each can be a file's name. The second has no line end, the third no blank and few characters.
HOSTILE = (
    '-it\'s "x" {draft} {config} <results> {{y}} $(touch PWNED) `touch PWNED`; touch PWNED & \\\ntouch PWNED\n#',
    "-'\"{draft} <results> $(touch PWNED) `touch PWNED`;touch PWNED;",
    "'{draft}`touch${IFS}PWNED`;$(touch${IFS}PWNED)",
)
NOTES, TEXTS = f"report/{HOSTILE[0]}.md", f"data/{HOSTILE[0]}.txt"


def string_keys(schema: dict[str, Any], root: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the path of keys to each string that a user may write; `*` is every item."""
    schema = root["$defs"][schema["$ref"].rpartition("/")[2]] | schema if "$ref" in schema else schema
    kinds = schema.get("type", ())
    if "string" in ([kinds] if isinstance(kinds, str) else kinds) and "enum" not in schema:
        yield ()
    for choice in schema.get("anyOf", ()):
        yield from string_keys(choice, root)
    further = [(key, value) for key, value in schema.get("properties", {}).items()]
    further += [("*", schema[key]) for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    for key, value in further:
        for rest in string_keys(value, root):
            yield (key, *rest)


SCHEMA = configuration.load_schema()
KEYS = sorted(set(string_keys(SCHEMA, SCHEMA)))


def with_text(config: dict[str, Any], way: tuple[str, ...], text: str) -> dict[str, Any]:
    """Put a text into one key of the config, or at the end of a list of texts.

    Of the items of a list, into those that have the key, else into all.
    """
    *parents, last = way
    changed = copy.deepcopy(config)
    places: list[Any] = [changed]
    for key in parents:
        places = [
            inner
            for place in places
            for inner in ([_inside(place, key)] if key != "*" else place.values() if isinstance(place, dict) else place)
        ]
    if last != "*":
        places = [place for place in places if last in place] or places
    for place in places:
        if last != "*":
            place[last] = text
        elif isinstance(place, list):
            place.append(text)
        else:
            place |= {"*": text}
    return changed


def _inside(place: dict[str, Any], key: str) -> Any:
    """Return what is below a key; a mapping in the place of nothing, and of a word for all files."""
    if not isinstance(place.get(key), dict | list):
        place[key] = {}
    return place[key]


def base(source: str) -> dict[str, Any]:
    """Make a config with every kind of classifier and tokenizer, and texts from `source`."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    update_config(config, yaml.safe_load((ROOT / "config/tiny.yaml").read_text(encoding="utf-8")))
    given = {
        "files": {
            "paths": ["envs/archives.txt"],
            "label_columns": ["mood"],
            "rater_columns": {"tone": ["a", "b"]},
            "txt_unit": "block",
        },
        "hub": {"dataset": "a/b"},
        "demo": {},
    }
    config["corpus"] |= {"source": source, **given[source]}
    words = {"predicts": "x", "made_for": "x", "reference": "x"}
    mood = {"label_column": "mood"} if source == "files" else {}
    config["classifiers"] = [{"name": "ready", "source": "checkpoint", "checkpoint": "a/b", "labels": ["a"], **words}]
    config["classifiers"][0] |= {"labels": ["a", "b"], "label_map": {"a": "b"}, "languages": ["cs"]}
    config["classifiers"][0] |= {"kind": "multi_label", "threshold": {"b": 0.5}, "label_separator": ";"}
    asked = {"source": "zero_shot", "kind": "single_label", "labels": ["a", "b"], "template": "It is {}."}
    config["classifiers"].append({"name": "asked", "checkpoint": "a/b", **asked, **words})
    if mood:
        config["classifiers"].append({"name": "own", "source": "finetune", **mood, **words})
        shown = {"source": "few_shot", "examples": 2, "template": "It is {}: {}", "label_names": {"a": "b"}}
        config["classifiers"].append({"name": "shown", "checkpoint": "a/b", **shown, **mood, **words})
    taken = {"name": "taken", "source": "checkpoint", "checkpoint": "a/b", "revision": "c"}
    config["tokenizers"] += [taken, {"name": "published", "source": "gpt2"}]
    config["models"] += [{"name": item["name"], "tokenizer": item["name"]} for item in config["tokenizers"][1:]]
    return config


def accepted(config: dict[str, Any]) -> bool:
    try:
        configuration.check(config)
        list_files(config["corpus"]["paths"])
    except UserError:
        return False
    return True


def hostile_config(source: str) -> tuple[dict[str, Any], dict[tuple[str, ...], str]]:
    """Make a config with a hostile text in every key that accepts one; return it and the text of each key."""
    config, placed = base(source), {}
    assert accepted(config)
    for way in KEYS:
        for text in {("notes",): (NOTES,), ("corpus", "paths", "*"): (TEXTS,)}.get(way, HOSTILE):
            changed = with_text(config, way, text)
            if changed != config and accepted(changed):
                config, placed[way] = changed, text
                break
    return config, placed
