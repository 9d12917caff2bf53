"""What is impossible in an item of `classifiers`: keys that are missing, or belong to another source or kind."""

import math
from collections.abc import Iterator
from typing import Any

from samizdat.base.language_codes import code_problem

# What an item of each source must have, and what it can't have.
_NEEDED = {
    "checkpoint": ("checkpoint",),
    "zero_shot": ("checkpoint", "labels", "template", "kind"),
    "few_shot": ("checkpoint", "label_column", "template", "examples"),
}
_REFUSED = {
    "checkpoint": ("template", "examples"),
    "zero_shot": ("label_names", "examples"),
    "few_shot": ("labels", "label_map", "kind"),
}
DEMO_LABELS = ("sentiment", "source")

Config = dict[str, Any]


def classifier_problems(config: Config, item: Config, settings: Config) -> Iterator[str]:
    """Say what is impossible in an item of `classifiers`.

    Args:
        config: the whole config.
        item: the item.
        settings: of `classification`, as the item overrides them.
    """
    name, column = f"classifier {item['name']!r}", item.get("label_column")
    corpus = config["corpus"]
    labels = DEMO_LABELS if corpus["source"] == "demo" else [*corpus["label_columns"], *corpus["rater_columns"]]
    if column is not None and column not in labels:
        has = (
            f"has only {', '.join(labels)}"
            if labels
            else "has none (see `corpus.label_columns` and `corpus.rater_columns`)"
        )
        yield f"{name}: `label_column` is {column!r}, but the corpus {has}"
    yield from _source_problems(config, item, name)
    for problem in filter(None, map(code_problem, item.get("languages", []))):
        yield f"{name}: `languages`: {problem}"
    if item.get("min_words", 1) > item.get("max_words", math.inf):
        yield f"{name}: `min_words` {item['min_words']} is more than `max_words` {item['max_words']}"
    if "\\n" in item.get("template", ""):
        yield f"{name}: `template` has \\n as two characters; in double quotes it is the end of a line"
    if settings["window_overlap_tokens"] * 2 > settings["max_length_tokens"]:
        yield (
            f"{name}: `window_overlap_tokens` {settings['window_overlap_tokens']} is more than half of "
            f"`max_length_tokens` {settings['max_length_tokens']}"
        )
    if settings["batch_tokens"] != "auto" and settings["batch_tokens"] < settings["max_length_tokens"]:
        yield (
            f"{name}: `batch_tokens` {settings['batch_tokens']} is less than one window of `max_length_tokens` "
            f"{settings['max_length_tokens']}"
        )


def _source_problems(config: Config, item: Config, name: str) -> Iterator[str]:
    source, kind = item["source"], item.get("kind")
    if source == "finetune":
        if item.get("label_column") is None:
            yield f"{name}: `source: finetune` needs `label_column`, the column of human labels to learn"
        for key in ("labels", "label_names", "label_map", "kind", "template", "examples"):
            if key in item:
                yield f"{name}: `{key}` is for ready-made classifiers; here `label_column` gives the labels"
        kind = "single_label"
    else:
        for key in _NEEDED[source]:
            if item.get(key) in (None, "", [], {}):
                yield f"{name}: `source: {source}` needs `{key}` (`config/config.yaml` explains it)"
        for key in sorted(set(item) & (set(config["finetuning"]) - {"checkpoint", "revision", "precision"})):
            yield f"{name}: `{key}` is for `source: finetune`"
        if source == "zero_shot" and kind == "number":
            yield f"{name}: `kind: number` is for `source: checkpoint`; `source: zero_shot` gives labels"
        for key in _REFUSED[source]:
            if key in item:
                yield f"{name}: `{key}` is not for `source: {source}`; remove it"
        places = {"zero_shot": 1, "few_shot": 2}.get(source)
        if places and (found := item.get("template", "").count("{}")) not in (0, places):
            where = "the text and in that of its label" if places == 2 else "the label"
            yield f"{name}: `template` has {found} {{}}; with `source: {source}` one is in the place of {where}"
        kind = "single_label" if source == "few_shot" else kind
    for key, needed in (
        ("threshold", "multi_label"), ("label_separator", "multi_label"), ("abstain_below", "single_label"),
    ):  # fmt: skip
        if key in item and kind != needed:
            yield f"{name}: `{key}` is for `kind: {needed}`; say so, or remove `{key}`"
