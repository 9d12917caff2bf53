"""The config: it is checked before any step runs, and divided into the settings of each stage."""

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from samizdat.base.classifier_problems import classifier_problems
from samizdat.base.config_file import Origin, Way, read_config
from samizdat.base.corpus_files import label_table, unreadable
from samizdat.base.corpus_problems import corpus_problems
from samizdat.base.errors import UserError
from samizdat.base.language_codes import code_problem
from samizdat.base.model_problems import RECIPE_KEYS, model_problems
from samizdat.base.play_size import play_problems
from samizdat.base.schema_problems import dotted_way, place, schema_problems

SCHEMA_PATH = Path(__file__).with_name("config.schema.yaml")
# Between a model's name, which has no dot, and the number of a training after the first.
SEED = ".seed"
# The keys of `training` on which no result depends: how often a state is saved to resume from.
STATE_KEYS = ("resume_every_seconds",)
# Folders below work/ that are of no single run.
SHARED_FOLDERS = ("downloads", "fetch", "home", "scores")
# Linux allows an argument of a program 128 KiB, and the config is one.
LONGEST_CONFIG = 130_000
DEMO_TITLE = "Samizdat: what a small GPT-2 learned from rated sentences"

Config = dict[str, Any]


@functools.cache
def load_schema() -> Config:
    """Load the JSON schema of the config. It is read once, so nobody may change it."""
    schema: Config = yaml.safe_load(SCHEMA_PATH.read_text(encoding="utf-8"))
    return schema


def leave_to_recipe(config: Config, given: Config) -> None:
    """With `training.recipe: auto`, set to `auto` what a recipe decides and the user has not set.

    So a config that is written into results, in which every key is set, means the same when it is read again.

    Args:
        config: the config, with all overlays merged; it is changed.
        given: what the user has set, in files and on the command line.

    Raises:
        UserError: `recipe: auto` is in the config below the overlays, where each key is set, by the user or not.
    """
    training, theirs = config.get("training"), given.get("training") or {}
    if not isinstance(training, dict) or training.get("recipe") != "auto" or not isinstance(theirs, dict):
        return
    if "recipe" not in theirs:
        if numbers := [key for key in RECIPE_KEYS if training.get(key, "auto") != "auto"]:
            raise UserError(
                f"`training.recipe` is auto in a config that has all keys, so a recipe would override its own numbers: "
                f"{', '.join(numbers)}",
                remedy="set `recipe: null` there, and write `training: {recipe: auto}` with your own numbers into a "
                "config that is laid over it, such as config/mine.yaml; or, with `recipe: null`, write auto in the "
                "place of each number that a recipe shall decide",
            )
        return
    for key in (*RECIPE_KEYS, "micro_batch_sequences"):
        if key not in theirs:
            training[key] = "auto"
    for item in config["tokenizers"] if isinstance(config.get("tokenizers"), list) else []:
        if isinstance(item, dict) and item.get("source") == "train":
            size = item.get("vocabulary_size") if "tokenizers" in given else None
            item["vocabulary_size"] = "auto" if size is None else size


def check(config: Config, files: Iterable[Path] = (), given: Mapping[str, Any] | None = None) -> None:
    """Check a config for unknown keys, wrong types and impossible combinations, and report all of them in one message.

    Args:
        config: the config, with all overlays merged.
        files: the overlays, in their order; where one of them has the key, the message has file and line.
        given: what `--config` says, which counts more than any file.

    Raises:
        UserError: something is wrong; names each key, its value and what is allowed.
    """
    origins: dict[Way, Origin] = {}
    overlays = [read_config(file) for file in files]
    for overlay in overlays:
        origins |= overlay.origins
    for way in [way for way in origins if _is_given(given or {}, way)]:
        del origins[way]
    problems = [
        f"`{dotted_way(way)}`{place(origins, way)} is {{}}, a mapping without keys; it changes nothing, {right}"
        for way, right in _without_effect(
            config, [*(overlay.values for overlay in overlays), given or {}], load_schema()
        )
    ]
    problems += schema_problems(config, load_schema(), origins)
    problems = problems or list(_combination_problems(config))
    if problems:
        raise UserError(
            "the config can't be used:\n" + "\n".join(f"  - {problem}" for problem in problems),
            remedy="correct these keys in your config file, such as config/mine.yaml; config/config.yaml explains "
            "every key",
        )


def _without_effect(config: Any, overlays: list[Any], schema: Config, way: Way = ()) -> Iterator[tuple[Way, str]]:
    """Find empty mappings that are laid over something that stays, and say what to do instead.

    A section of the config may be empty: its keys have the values that they had. A mapping whose keys are the user's
    own would be read as one without keys.
    """
    if not isinstance(config, Mapping):
        if {} in overlays:
            yield way, "write [] for an empty list" if isinstance(config, list) else "write a value"
        return
    if overlays[-1:] == [{}] and config and "properties" not in schema:
        keys = ", ".join(map(str, config))
        yield way, f"take out {keys} where it is written, in an earlier file or in config/config.yaml"
    for key, value in config.items():
        inner = [overlay[key] for overlay in overlays if isinstance(overlay, Mapping) and key in overlay]
        if inner:
            yield from _without_effect(value, inner, schema.get("properties", {}).get(key, {}), (*way, key))


def _is_given(values: Any, way: Way) -> bool:
    """Whether a value is given at this place, or for all that is around it."""
    for key in way:
        if not isinstance(values, Mapping):
            return True
        if key not in values:
            return False
        values = values[key]
    return True


def trainings(config: Config) -> dict[str, Config]:
    """Return the name of each training → its item of `models`: an item with several `seeds` is trained so often.

    The first training has the model's name; it is the model that is published.
    """
    return {
        item["name"] if number == 1 else f"{item['name']}{SEED}{number}": item
        for item in config["models"]
        for number in range(1, item.get("seeds", config["training"]["seeds"]) + 1)
    }


def model_of(training: str) -> str:
    """Return the name of the model that a training is of."""
    return training.partition(SEED)[0]


def model_settings(config: Config, training: str) -> Config:
    """Return the settings of `training` for a training of an item of `models`, which may override them.

    Without `seeds`, on which no training depends.
    """
    settings = _overridden(config["training"], config["models"], model_of(training))
    return {key: value for key, value in settings.items() if key != "seeds"}


def training_options(config: Config, training: str) -> Config:
    """Return the settings of a training as its stage takes them, without those of its states.

    The keys that a recipe decides are listed. In their place are numbers: the least context that the samples need, and
    zeros.
    """
    settings = settings_of_weights(config, training)
    left = [key for key in RECIPE_KEYS if settings[key] == "auto"]
    least = {"context_tokens": config["sampling"]["max_new_tokens"] + 1}
    return settings | {key: least.get(key, 0) for key in left} | {"recipe": left or None}


def settings_of_weights(config: Config, training: str) -> Config:
    """Return the settings of a training on which its weights may depend: all but those of its states."""
    return {key: value for key, value in model_settings(config, training).items() if key not in STATE_KEYS}


def state_options(config: Config, training: str) -> Config:
    """Return the settings of a training's states; no result depends on them."""
    settings = model_settings(config, training)
    return {key: settings[key] for key in STATE_KEYS}


def scoring_settings(config: Config, name: str) -> Config:
    """Return the settings of `classification` for the item `name` of `classifiers`, which may override them.

    Without `threshold`, which is part of the classifier's description, and `jobs`, on which no score depends.
    """
    settings = _overridden(config["classification"], config["classifiers"], name)
    return {key: value for key, value in settings.items() if key not in ("threshold", "jobs")}


def finetuning_settings(config: Config, name: str) -> Config:
    """Return the settings of `finetuning` for the item `name` of `classifiers`, which may override them."""
    return _overridden(config["finetuning"], config["classifiers"], name)


def _overridden(section: Config, items: list[Config], name: str) -> Config:
    item = _item(items, name)
    return {key: item.get(key, value) for key, value in section.items()}


def classifier_description(config: Config, name: str) -> Config:
    """Return the description of the classifier `name`: what it predicts, what it was made for, and so on."""
    item = _item(config["classifiers"], name)
    optional = {key: item.get(key) for key in ("kind", "label_column", "label_separator", "min_words", "max_words")}
    optional |= {"label_map": item.get("label_map", {}), "languages": item.get("languages", [])}
    optional |= {"threshold": item.get("threshold", config["classification"]["threshold"])}
    return {key: item[key] for key in ("name", "predicts", "made_for", "reference")} | optional


def tokenizer_settings(config: Config, name: str) -> Config:
    """Return the item `name` of `tokenizers`, with None for optional keys that it does not have."""
    return {"vocabulary_size": None, "checkpoint": None, "revision": None} | _item(config["tokenizers"], name)


def _item(items: list[Config], name: str) -> Config:
    return next(item for item in items if item["name"] == name)


def _combination_problems(config: Config) -> Iterator[str]:
    if config["name"].lower() in SHARED_FOLDERS:
        yield f"`name`: {config['name']!r} is a folder of work/ that all runs share; name the run otherwise"
    if (length := len(json.dumps(config))) > LONGEST_CONFIG:
        yield (
            f"the whole config is too long to be given to a step: {length:,} characters as JSON (a letter that is not "
            f"ASCII counts as 6 or 12), more than {LONGEST_CONFIG:,}; leave out some `prompts` or other long values"
        )
    for key in ("tokenizers", "models", "classifiers"):
        # Many file systems (macOS, Windows) take capital and small letters as the same.
        names = [item["name"].lower() for item in config[key]]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield (
                f"`{key}`: two items have the name {name!r}; names must differ, in more than capital letters, because "
                "files are named after them"
            )
    if why := unreadable(Path(config["notes"])):
        yield f"`notes`: the file {config['notes']:.100} {why}; create it (it may be empty), or name another"
    if config["name"] == "demo" and config["corpus"]["source"] != "demo":
        yield "`name` is the demo's, whose run would take the place of this one's; write a name of your own"
    if config["title"] == DEMO_TITLE and config["corpus"]["source"] != "demo":
        yield f"`title` is the demo's, {DEMO_TITLE!r}, but the corpus is not; write a title of your own"
    if problem := code_problem(config["language"]):
        yield f"`language`: {problem}"
    yield from corpus_problems(config["corpus"])
    for item in config["human_labels"]:
        if why := unreadable(label_table(item)):
            yield (
                f"`human_labels`: {item!r} means the file {label_table(item)}, which {why}; `samizdat label read` "
                "writes it"
            )
    for item in config["tokenizers"]:
        needed = {"train": "vocabulary_size", "checkpoint": "checkpoint"}.get(item["source"])
        if needed and item.get(needed) is None:
            yield f"`tokenizers`: {item['name']!r} has `source: {item['source']}` and therefore needs `{needed}`"
        for key, source in (("vocabulary_size", "train"), ("checkpoint", "checkpoint"), ("revision", "checkpoint")):
            if item["source"] != source and item.get(key) is not None:
                yield f"`tokenizers`: {item['name']!r} has `{key}`, which is for `source: {source}`"
    for item in config["models"]:
        yield from model_problems(config, item, model_settings(config, item["name"]))
    for item in config["classifiers"]:
        yield from classifier_problems(config, item, scoring_settings(config, item["name"]))
    pushed, models = config["push"]["model"], [item["name"] for item in config["models"]]
    if pushed not in (None, *models):
        yield f"`push.model` is {pushed!r}, but `models` has only {', '.join(models)}"
    if config["play"] not in (None, *models):
        none = "; for no such page write null without quotes, or `play=` behind --config"
        yield f"`play` is {config['play']!r}, but `models` has only {', '.join(models)}{none}"
    elif config["play"] is not None:
        yield from play_problems(config, model_settings(config, config["play"]))
