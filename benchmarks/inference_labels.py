"""Ask about labels: of groups, of two classifiers, of samples and texts, and in the course of training."""

from typing import Any

import numpy as np
import pandas as pd
from inference_world import MIXED, SAMPLES, World, run_of

from samizdat.records.classifiers import ClassifierCard
from samizdat.reporting import verdicts
from samizdat.statistics import several_labels
from samizdat.statistics.association import associations, group_tests
from samizdat.statistics.label_shares import divergences, label_shares


def different_groups(world: World) -> bool:
    """Groups of documents with the same label shares, or with a MIXED part of the labels changed in one."""
    grouped = world.owners % 2 == 0
    predicted = np.where(grouped, world.drawn(), world.drawn(world.mixed()))
    frame = world.frame(predicted=predicted).assign(group=np.where(grouped, "a", "b"))
    card = world.card("c")
    if not world.effect:
        none = frame.iloc[:0].assign(percent=0, temperature=0.0, model="", prompt_kind="")
        for row in label_shares(card, frame[grouped], none, world.bootstrap):
            if row["group_kind"] == "all":
                share = float(world.source[int(row["label"])])
                expected = grouped.sum() * min(share, 1 - share)
                world.seen("label_shares", row["share"], row["low"], row["high"], share, expected)
    rows = group_tests({"c": card}, {"c": frame}, world.bootstrap)
    return bool(verdicts.different_groups(run_of(group_tests=rows)))


def associated(world: World) -> bool:
    """Two classifiers of which one repeats the other's label on none of the texts, or on a MIXED part."""
    one, other = world.drawn(), world.drawn()
    repeated = (world.random.random(world.texts) < MIXED) & world.effect
    frame = world.frame(predicted=one)
    both = {"c": frame, "d": frame.assign(predicted=np.array(world.names, object)[np.where(repeated, one, other)])}
    found = []
    for measure, twin in (("kappa", world.card("d")), ("Cramér’s V", world.card("d", "-"))):
        rows = associations({"c": world.card("c"), "d": twin}, both, world.bootstrap)
        for row in rows:
            # Labels that go together because documents have shares of their own have no simple truth.
            if world.of_one == 1 and row.get("low") is not None:
                expected = world.texts * float(world.source[-1]) ** 2
                truth = MIXED * world.effect
                bounded = measure != "kappa"
                world.seen(measure, row["value"], row["low"], row["high"], truth, expected, bounded)
        found.append(bool(verdicts.associated(run_of(associations=rows))))
    return found[1]


def unlike_texts(world: World) -> bool:
    """Samples from the texts' own source, or from another one."""
    shares = world.mixed()
    rows = _divergences(world, {100: world.of_samples(shares)}, "unprompted")
    middle = (shares + world.source) / 2
    truth = sum(float((one * np.log2(one / middle)).sum()) for one in (shares, world.source)) / 2
    for row in rows[:1]:
        if row.get("low") is not None:
            expected = min(SAMPLES, world.texts) * float(world.source[-1])
            bits, bounds = row["jensen_shannon_bits"], (row["low"], row["high"])
            world.seen("divergences", bits, *bounds, truth, expected, bounded=True)
    return bool(verdicts.unlike_texts(run_of(divergences=rows)))


def moved(world: World) -> bool:
    """Samples of two checkpoints from one source, far from the texts', or of which the last is nearer."""
    return bool(verdicts.moved(run_of(divergences=_divergences(world, _checkpoints(world), "config"))))


def changed_labels(world: World) -> bool:
    """The labels of the same samples."""
    rows = [
        {"classifier": "c", "subset": "samples", "group_kind": "percent", "group": str(percent), "label": label,
         "count": count, "share": count / SAMPLES}
        for percent, labels in _checkpoints(world).items()
        for label, count in zip(world.names, np.bincount(labels, minlength=world.labels), strict=True)
    ]  # fmt: skip
    return bool(verdicts.changed_labels(run_of(shares=rows)))


def several_between_groups(world: World) -> bool:
    """Texts of up to two labels, in groups of documents that have them equally often, or a MIXED part less so."""
    grouped = world.owners % 2 == 0
    same, mixed = ([world.drawn(shares) for _ in range(2)] for shares in (None, world.mixed()))
    pairs = [np.where(grouped, one, other) for one, other in zip(same, mixed, strict=True)]
    frame = world.frame().assign(group=np.where(grouped, "a", "b"), labels=both(world, *pairs))
    none = frame.iloc[:0].assign(percent=0, temperature=0.0, model="", prompt_kind="")
    if world.of_one == 1:  # where documents have shares of their own, two labels of a text have no simple truth
        for row in several_labels.shares(several_card(world), frame[grouped], none, world.bootstrap):
            if row["group_kind"] == "all" and row["label"] is not None:
                share = 1 - (1 - float(world.source[int(row["label"])])) ** 2
                expected = grouped.sum() * min(share, 1 - share)
                world.seen("label_shares of several labels", row["share"], row["low"], row["high"], share, expected)
    rows = list(several_labels.differences(several_card(world), frame, none, world.bootstrap))
    return bool(verdicts.differing_labels(run_of(label_differences=rows), "groups"))


def several_between_samples(world: World) -> bool:
    """Texts and samples of up to two labels, from one source or from two."""
    frame = world.frame().assign(labels=both(world, world.drawn(), world.drawn()))
    own = both(world, *(world.of_samples(world.mixed()) for _ in range(2)))
    samples = pd.DataFrame({"document": np.arange(SAMPLES), "labels": own, "model": "m", "percent": 100,
                            "prompt_kind": "unprompted", "temperature": 1.0})  # fmt: skip
    rows = list(several_labels.differences(several_card(world), frame.assign(group=None), samples, world.bootstrap))
    return bool(verdicts.differing_labels(run_of(label_differences=rows), "samples"))


def both(world: World, *drawn: np.ndarray) -> list[list[str]]:
    """Write the labels that were drawn for each text, each once."""
    return [[world.names[place] for place in sorted(set(one))] for one in zip(*drawn, strict=True)]


def several_card(world: World) -> ClassifierCard:
    """Describe a classifier that gives several of these labels at once."""
    return ClassifierCard(
        name="c", kind="multi_label", threshold=0.5, label_column=None, label_separator="|", label_map={}, predicts="",
        made_for="", reference="", languages=(), min_words=None, max_words=None, origin="", max_length_tokens=8,
        checkpoint_labels=world.names, labels=world.names, weights_sha256="", training_texts=0, selection_texts=0,
        unlearned={}, unselected={}, hypotheses=[], entailment=[],
        model_type="",
    )  # fmt: skip


def _checkpoints(world: World) -> dict[int, np.ndarray]:
    """Draw the labels of the samples of two checkpoints."""
    far = np.full(world.labels, 1 / world.labels) * 0.6 + 0.4 * np.eye(world.labels)[-1]
    return {10: world.of_samples(far), 100: world.of_samples(world.source if world.effect else far)}


def _divergences(world: World, checkpoints: dict[int, np.ndarray], kind: str) -> list[dict[str, Any]]:
    """Compare samples with the texts by the stage's function."""
    parts = [
        pd.DataFrame({"document": np.arange(SAMPLES), "predicted": np.array(world.names, object)[labels],
                      "model": "m", "percent": percent, "prompt_kind": kind, "temperature": 1.0})
        for percent, labels in checkpoints.items()
    ]  # fmt: skip
    frame = world.frame(predicted=world.drawn())
    return list(divergences(world.card("c"), frame, pd.concat(parts), world.bootstrap))
