"""What a checkpoint's outputs mean: the kind of classifier, how logits become scores, and what scores say of a text.

A single-label classifier gives each text one of its labels, by the softmax of the logits. A multi-label classifier
gives each label or not, by the sigmoid of its own logit and a threshold. The last kind gives a number, the logit.
"""

from typing import Any, Literal

import numpy as np
import torch
from scipy.special import expit
from transformers import PreTrainedConfig

from samizdat.base.device import Device
from samizdat.base.errors import UserError
from samizdat.records.classifiers import MULTI_LABEL, NUMBER, SINGLE_LABEL, ClassifierCard, Kind

# What a checkpoint's config.json calls the kinds.
PROBLEM_TYPES: dict[Kind, Literal["single_label_classification", "multi_label_classification", "regression"]] = {
    SINGLE_LABEL: "single_label_classification",
    MULTI_LABEL: "multi_label_classification",
    NUMBER: "regression",
}
UNREADABLE = "the classifier's tokenizer finds no token in the text"
UNCERTAIN = "the probability of the most probable label is below abstain_below"
BELOW_THRESHOLD = "no label is as probable as its threshold"
# A window is a close call where the logits of its two most probable labels differ by less than this many steps of the
# number format. A step is the format's spacing at the largest logit, or at 1 where that is less. Of 3,938 texts of the
# demo, 999 in 1,000 differ from float32 by less than 5.5 steps, in bfloat16 and in float16; 4 in 1,000 are close calls.
CLOSE_STEPS = 8


def find_kind(config: PreTrainedConfig, wanted: Kind | None, origin: str, name: str) -> Kind:
    """Find which kind of classifier a checkpoint is.

    Args:
        config: of the checkpoint.
        wanted: `kind` in the config, if it is there.
        origin: where the checkpoint comes from.
        name: of the classifier in the config.

    Raises:
        UserError: neither the checkpoint nor the config says it, they say different things, or a checkpoint with so
            many outputs is of no such kind.
    """
    said = next((kind for kind, problem in PROBLEM_TYPES.items() if problem == config.problem_type), None)
    outputs = len(config.id2label or ())
    kind = wanted or said
    if kind is None:
        choices = "`kind: number`, or `kind: multi_label` if it says yes or no to one label"
        if outputs > 1:
            choices = "`kind: single_label` if each text has one of them, `kind: multi_label` if it can have several"
        raise UserError(
            f"{origin} does not say what its {outputs} outputs mean (its config.json has no problem_type)",
            remedy=f"look for it on the checkpoint's page, then write in the classifier {name!r} in the config: "
            f"{choices}",
        )
    if said not in (None, kind):
        raise UserError(
            f"the classifier {name!r} has `kind: {kind}`, but {origin} says that it is of the kind {said}",
            remedy="remove `kind` from the config; if the checkpoint is wrong, correct `problem_type` in a local copy "
            "of its config.json",
        )
    if (kind == NUMBER and outputs != 1) or (kind == SINGLE_LABEL and outputs < 2):
        needs = "gives one number" if kind == NUMBER else "chooses between two labels or more"
        raise UserError(
            f"the classifier {name!r} {needs} (`{kind}`), but {origin} has {outputs} outputs",
            remedy="correct `kind`, or name another checkpoint",
        )
    return kind


def number_format(card: ClassifierCard, device: Device, precision: str) -> torch.dtype:
    """Choose the number format of weights and products.

    In a fast format the labels of a single-label classifier are those of float32, since close calls are computed again.
    The other kinds are read as they are, or compared with a threshold, and few-shot scores are made of several numbers:
    `auto` is float32 for them.
    """
    exact = card.kind != SINGLE_LABEL or bool(card.words)
    return torch.float32 if exact and precision == "auto" else device.number_format(precision)


def close_calls(kind: Kind, logits: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    """Find the windows that must be computed again in float32.

    Args:
        kind: of the classifier; only for a single label there are close calls.
        logits: `[windows, labels]`.
        dtype: the number format that the logits were computed in; in float32 no window is a close call.

    Returns:
        Booleans `[windows]`. A window with a number that isn't finite, to which float16 may overflow, is one.
    """
    if dtype is torch.float32:
        return np.zeros(len(logits), bool)
    step = _steps(logits, dtype)
    decided: np.ndarray = np.isfinite(step)
    if kind == SINGLE_LABEL:
        ordered = np.sort(logits, axis=1)
        decided &= ordered[:, -1] - ordered[:, -2] >= CLOSE_STEPS * step
    return ~decided


def _steps(logits: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    """Return a step of the number format for each row of logits."""
    steps: np.ndarray = torch.finfo(dtype).eps * np.abs(logits).max(axis=1).clip(min=1)
    return steps


def scores_of(kind: Kind, logits: np.ndarray) -> np.ndarray:
    """Make scores of logits `[windows, labels]`: probabilities, or the number itself."""
    if kind == NUMBER:
        return logits
    # PyTorch's sigmoid computes the last elements of an array by other code than those before them.
    scores: np.ndarray = expit(logits) if kind == MULTI_LABEL else torch.from_numpy(logits).softmax(dim=1).numpy()
    return scores


def entailment_scores(card: ClassifierCard, logits: np.ndarray) -> np.ndarray:
    """Make scores of what a model of inference says of each label's statement, as the pipeline of transformers does.

    A single label has the softmax of all entailments; several labels have each the share of entailment beside
    contradiction.

    Args:
        card: the zero-shot classifier.
        logits: `[windows, labels, outputs]`.

    Returns:
        `[windows, labels]`.
    """
    entailment, contradiction = card.entailment
    if card.kind == SINGLE_LABEL:
        return scores_of(SINGLE_LABEL, np.ascontiguousarray(logits[..., entailment]))
    return scores_of(MULTI_LABEL, logits[..., entailment] - logits[..., contradiction])


def entailment_close_calls(card: ClassifierCard, logits: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    """Find the pairs of a window and a statement that must be computed again in float32.

    In a window that is a close call these are all statements that may be the likeliest.

    Args:
        card: the zero-shot classifier.
        logits: `[windows, labels, outputs]`.
        dtype: the number format that the logits were computed in.

    Returns:
        Booleans `[windows, labels]`.
    """
    used = logits[..., card.entailment]
    if card.kind != SINGLE_LABEL:
        again = close_calls(card.kind, used.reshape(len(used), -1), dtype)
        return np.repeat(again[:, None], used.shape[1], axis=1)
    entailment = used[..., 0]
    again = close_calls(card.kind, entailment, dtype)
    with np.errstate(invalid="ignore"):  # what isn't a number is computed again
        behind = entailment.max(axis=1, keepdims=True) - entailment
    apart = np.isfinite(behind) & (behind >= CLOSE_STEPS * _steps(entailment, dtype)[:, None])
    found: np.ndarray = again[:, None] & ~apart
    return found


def joined_scores(card: ClassifierCard, scores: np.ndarray) -> np.ndarray:
    """Make one score of those of labels that `label_map` gives one name, `[texts, labels]`.

    Of a single label, it is the sum. A text has a label of a multi-label classifier if it has any of those that are
    joined, so there it is the largest.
    """
    if card.kind == NUMBER:
        return scores
    joined = np.zeros((len(scores), len(card.labels)), np.float32)
    # Column by column: a product of matrices has other last bits for another number of texts.
    for own, name in enumerate(card.checkpoint_labels):
        column = joined[:, card.labels.index(card.mapped(name))]
        if card.kind == SINGLE_LABEL:
            column += scores[:, own]
        else:
            np.maximum(column, scores[:, own], out=column)
    return joined.clip(max=1)  # Rounding may lift a sum above 1.


def decisions(card: ClassifierCard, scores: np.ndarray, readable: np.ndarray, abstain_below: float) -> dict[str, Any]:
    """Say what scores mean: `label`, `labels`, `number`, `probabilities` and `reason` of `records.classifiers.SCORES`.

    Args:
        card: the classifier.
        scores: as `joined_scores` makes them, `[texts, labels]`.
        readable: whether each text has a score.
        abstain_below: a text whose most probable single label is less probable than this gets no label.
    """
    nothing = [None] * len(scores)
    shown = [values if there else None for values, there in zip(scores, readable, strict=True)]
    reasons = np.full(len(scores), None, object)
    found: dict[str, Any] = {"label": nothing, "labels": nothing, "number": np.nan, "probabilities": shown}
    names = np.array(card.labels, object)
    if card.kind == NUMBER:
        found |= {"number": np.where(readable, scores[:, 0].astype(float), np.nan), "probabilities": nothing}
    elif card.kind == MULTI_LABEL:
        reached = scores >= np.array([card.threshold_of(label) for label in card.labels])
        reasons[~reached.any(axis=1)] = BELOW_THRESHOLD
        found["labels"] = [names[own].tolist() if there else None for own, there in zip(reached, readable, strict=True)]
    else:
        sure = scores.max(axis=1) >= abstain_below
        reasons[~sure] = UNCERTAIN
        found["label"] = np.where(readable & sure, names[scores.argmax(axis=1)], None)
    reasons[~readable] = UNREADABLE
    return found | {"reason": reasons}
