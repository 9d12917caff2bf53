"""Changes of a checkout, for tests of what each of them reruns."""

from pathlib import Path

import yaml


def config_change(**changes):
    """Set other values in the tiny config; a function gets the items of the demo's config."""

    def change(root: Path):
        path, demo = root / "config/tiny.yaml", root / "config/config.yaml"
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        items = yaml.safe_load(demo.read_text(encoding="utf-8"))
        for key, value in changes.items():
            new = value(items[key]) if callable(value) else value
            config[key] = {**config.get(key, {}), **new} if isinstance(new, dict) else new
        path.write_text(yaml.safe_dump(config), encoding="utf-8")

    return change


def described(key: str, value: object):
    """Change a key of the first classifier's description."""
    return config_change(classifiers=lambda items: [items[0] | {key: value}, *items[1:]])


def labels_by_people(root: Path):
    """Name a table of labels in the config."""
    (root / "data/labels/tiny/sentiment").mkdir(parents=True)
    (root / "data/labels/tiny/sentiment/labels.parquet").write_bytes(b"labels")
    config_change(human_labels=["tiny/sentiment"])(root)


def rewritten_result(root: Path):
    """Write a result again with the same bytes and a new date, as a copy does."""
    path = root / "results/tiny/corpus/texts.parquet"
    path.write_bytes(path.read_bytes())


def file_change(name: str, old: str = "", new: str = ""):
    """Replace a string in a file; without one, only touch the file."""

    def change(root: Path):
        path = root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")

    return change
