"""What is impossible in an item of `classifiers`: keys that are missing, or belong to another source or kind."""

from collections.abc import Iterator
from typing import Any

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
        for key in ("labels", "label_names", "label_map", "kind", "template"):
            if key in item:
                yield f"{name}: `{key}` is for ready-made classifiers; here `label_column` gives the labels"
        kind = "single_label"
    else:
        for key in ("checkpoint", "labels", "template", "kind") if source == "zero_shot" else ("checkpoint",):
            if not item.get(key):
                yield f"{name}: `source: {source}` needs `{key}` (`config/config.yaml` explains it)"
        for key in sorted(set(item) & (set(config["finetuning"]) - {"checkpoint", "revision", "precision"})):
            yield f"{name}: `{key}` is for `source: finetune`"
        if source == "zero_shot" and kind == "number":
            yield f"{name}: `kind: number` is for `source: checkpoint`; `source: zero_shot` gives labels"
        other = "label_names" if source == "zero_shot" else "template"
        if other in item:
            yield f"{name}: `{other}` is not for `source: {source}`; remove it"
    for key, needed in (
        ("threshold", "multi_label"), ("label_separator", "multi_label"), ("abstain_below", "single_label"),
    ):  # fmt: skip
        if key in item and kind != needed:
            yield f"{name}: `{key}` is for `kind: {needed}`; say so, or remove `{key}`"
