"""The names of a checkpoint's labels."""

from collections.abc import Mapping, Sequence
from typing import cast

from transformers import PreTrainedConfig

from samizdat.base.errors import UserError
from samizdat.records.classifiers import NUMBER, SINGLE_LABEL, ClassifierDescription, Kind


def refuse_other_numbers(config: PreTrainedConfig, origin: str) -> None:
    """Refuse a checkpoint whose labels have other numbers than its outputs, which are counted from 0.

    Raises:
        UserError: it is such a checkpoint.
    """
    numbers = sorted(config.id2label or ())
    if numbers != list(range(len(numbers))):
        raise UserError(
            f"{origin} does not number its labels from 0 without a gap: `id2label` in its config.json has {numbers}",
            remedy="number the labels from 0 in `id2label` and `label2id`, in a local copy of its config.json",
        )


def check_labels(
    config: PreTrainedConfig,
    origin: str,
    description: ClassifierDescription,
    kind: Kind,
    expected: Sequence[str],
    label_names: Mapping[str, str],
) -> list[str]:
    """Return the names of the labels, in order; refuse names that can't be used.

    Args:
        config: of the checkpoint.
        origin: where the checkpoint comes from.
        description: what the config says of the classifier.
        kind: of the classifier; a number needs no name.
        expected: the names that the checkpoint itself must have, in order; empty: it may have any.
        label_names: label of the checkpoint → what it means, for labels that don't say it themselves.

    Raises:
        UserError: it has other labels than the config says, or doesn't say what they mean.
    """
    name = description.name
    by_number = cast("dict[int, str]", config.id2label)  # transformers makes numbers of the keys when it loads a config
    own = [str(by_number[number]) for number in range(len(by_number))]
    if expected and own != list(expected):
        raise UserError(
            f"{origin} has other labels than the classifier {name!r} expects:\n"
            f"    the checkpoint has {own}\n    the config expects {list(expected)}",
            remedy="find out what its labels mean, then correct `labels` or `revision` in the config",
        )
    if unknown := sorted(set(label_names) - set(own)):
        raise UserError(
            f"`label_names` of the classifier {name!r} names {unknown}, and {origin} has only {own}",
            remedy="correct the names on the left of `label_names` in the config",
        )
    names = [label_names.get(label, label) for label in own]
    if kind == NUMBER:
        _refuse_map_of_numbers(description)
        return names
    if unnamed := [] if expected else [label for number, label in enumerate(names) if label == f"LABEL_{number}"]:
        raise UserError(
            f"{origin} does not say what its labels mean: {unnamed}",
            remedy=f"look for them on the checkpoint's page, then name them in the config, in the classifier {name!r}: "
            f"`label_names: {{{unnamed[0]}: anger, …}}`",
        )
    if len(set(names)) < len(names):
        raise UserError(
            f"two labels of the classifier {name!r} have one name: {names}",
            remedy="give each label a name of its own in `label_names`; `label_map` makes one label of several",
        )
    check_names(names, origin, description, kind)
    return names


def check_names(names: list[str], origin: str, description: ClassifierDescription, kind: Kind) -> None:
    """Refuse a `label_map` or a `threshold` that names other labels.

    Raises:
        UserError: it does, or the map leaves one label where a text gets one of them.
    """
    _check_label_map(names, origin, description, kind)
    _check_thresholds(names, description)


def _refuse_map_of_numbers(description: ClassifierDescription) -> None:
    """Refuse a `label_map` for a classifier that has no labels."""
    if description.label_map:
        raise UserError(
            f"`label_map` of the classifier {description.name!r} joins labels, but the classifier gives a number",
            remedy="remove `label_map`, or correct `kind` of the classifier in the config",
        )


def _check_thresholds(names: list[str], description: ClassifierDescription) -> None:
    """Refuse thresholds by label that don't name each label, as `label_map` calls it, and no other."""
    if not isinstance(description.threshold, dict):
        return
    labels = list(dict.fromkeys(map(description.mapped, names)))
    lacking, unknown = (
        sorted(set(labels) - set(description.threshold)),
        sorted(set(description.threshold) - set(labels)),
    )
    if lacking or unknown:
        raise UserError(
            f"`threshold` of the classifier {description.name!r} has no number for {lacking}, and some for {unknown}, "
            f"which are no labels; its labels are {labels}",
            remedy="give each label a number in `threshold`, or one number for all",
        )


def _check_label_map(names: list[str], origin: str, description: ClassifierDescription, kind: Kind) -> None:
    """Refuse a `label_map` that names other labels, or leaves only one where a text gets one of them."""
    if unknown := sorted(set(description.label_map) - set(names)):
        raise UserError(
            f"`label_map` of the classifier {description.name!r} names {unknown}, and {origin} has only {names}",
            remedy="correct the names on the left of `label_map` in the config",
        )
    if kind == SINGLE_LABEL and len(set(map(description.mapped, names))) < 2:
        raise UserError(
            f"`label_map` gives all labels of the classifier {description.name!r} one name: {names}",
            remedy="map them to two labels or more",
        )
