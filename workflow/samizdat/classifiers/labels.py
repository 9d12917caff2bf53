"""What a checkpoint's outputs are: which kind of classifier it is, and the names of its labels."""

from collections.abc import Mapping, Sequence
from typing import cast

from transformers import PreTrainedConfig

from samizdat.base.errors import UserError
from samizdat.records.classifiers import ClassifierDescription


def check_labels(
    config: PreTrainedConfig,
    origin: str,
    description: ClassifierDescription,
    expected: Sequence[str],
    label_names: Mapping[str, str],
) -> list[str]:
    """Return the names of the labels, in order; refuse a classifier of another kind, and names that can't be used.

    Args:
        config: of the checkpoint.
        origin: where the checkpoint comes from.
        description: what the config says of the classifier.
        expected: the names that the checkpoint itself must have, in order; empty: it may have any.
        label_names: label of the checkpoint → what it means, for labels that don't say it themselves.

    Raises:
        UserError: it gives several labels at once or a number, or has other labels than the config says.
    """
    name = description.name
    by_number = cast("dict[int, str]", config.id2label)  # transformers makes numbers of the keys when it loads a config
    own = [str(by_number[number]) for number in range(len(by_number))]
    _refuse_other_kinds(config, own, origin, name)
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
    _check_label_map(names, origin, description)
    return names


def _refuse_other_kinds(config: PreTrainedConfig, own: list[str], origin: str, name: str) -> None:
    """Refuse a checkpoint that gives several labels at once, or a number."""
    if config.problem_type == "multi_label_classification":
        raise UserError(
            f"{origin} gives several labels at once, and shares and agreement are defined for one label a text",
            remedy=f"name a single-label checkpoint for the classifier {name!r}",
        )
    if config.problem_type == "regression" or len(own) < 2:
        raise UserError(
            f"{origin} gives a number and no label: it has only {own}",
            remedy=f"name a checkpoint of two labels or more for the classifier {name!r}",
        )


def _check_label_map(names: list[str], origin: str, description: ClassifierDescription) -> None:
    """Refuse a `label_map` that names other labels, or leaves only one."""
    if unknown := sorted(set(description.label_map) - set(names)):
        raise UserError(
            f"`label_map` of the classifier {description.name!r} names {unknown}, and {origin} has only {names}",
            remedy="correct the names on the left of `label_map` in the config",
        )
    if len(set(map(description.mapped, names))) < 2:
        raise UserError(
            f"`label_map` gives all labels of the classifier {description.name!r} one name: {names}",
            remedy="map them to two labels or more",
        )
