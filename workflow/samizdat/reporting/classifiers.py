"""Describe the classifiers, and show what they say of the texts."""

from collections.abc import Iterator, Mapping

import pandas as pd

from samizdat.base.escaping import escape, escape_isolated
from samizdat.records.classifiers import ClassifierCard
from samizdat.reporting import verdicts
from samizdat.reporting.frames import in_order, parts_of, rows_of
from samizdat.reporting.label_shares import draw_label_shares, shares_of_texts
from samizdat.reporting.outside import titled
from samizdat.reporting.run import Run
from samizdat.reporting.style import Picture
from samizdat.reporting.words import Prose, Table, count, counted, drawn, joined, label, name, percent, table

NONE_APPLIED = "No classifier was applied in this run (`classifiers` in the config is empty)."
NO_GROUP_DIFFERS = "No classifier finds a difference between groups that chance does not explain"
FOLLOW_GROUPS = "Each label is most frequent in the group that has its name"
SHOWN_GROUPS = 6
NAMED_LABELS = 8


def cards(run: Run) -> Table | Prose:
    """List what each classifier predicts, what it was made for, and where it comes from."""
    rows = [
        [
            name(card.name),
            "; ".join([escape(card.predicts), *_asked(card), *_mapped(card)]),
            escape(card.made_for),
            escape(card.reference),
            escape(card.origin) + _texts(card),
        ]
        for card in run.cards.values()
    ]
    return (
        table(rows, ["Classifier", "Predicts", "Made for", "Published in", "Comes from"])
        if rows
        else Prose(NONE_APPLIED)
    )


def _texts(card: ClassifierCard) -> str:
    """Say how many texts a classifier was trained on, or how many it reads before each text."""
    if card.words:
        return f", which reads {counted(card.training_texts, 'text')} with their labels before each text"
    return f" on {counted(card.training_texts, 'text')}" if card.training_texts else ""


def _asked(card: ClassifierCard) -> Iterator[str]:
    """Say with which statements a zero-shot classifier is asked, or which words a few-shot classifier chooses from."""
    if card.words:
        words = joined(label(one) for one in card.words[:NAMED_LABELS])
        more = len(card.words) - NAMED_LABELS
        yield (
            f"not trained for it: the likeliest of {words}"
            + (f" and {more} more" * (more > 0))
            + f" in {label(card.template)}"
        )
    if card.hypotheses:
        statements = joined(label(one) for one in card.hypotheses[:NAMED_LABELS])
        more = len(card.hypotheses) - NAMED_LABELS
        yield f"not trained for it, but asked whether a text says {statements}" + (f" and {more} more" * (more > 0))


def _mapped(card: ClassifierCard) -> Iterator[str]:
    """Say which of the checkpoint's labels count as another one."""
    for given in card.labels:
        own = [one for one in card.checkpoint_labels if card.mapped(one) == given]
        if own != [given]:
            yield f"its {joined(map(label, own))} {'counts' if len(own) == 1 else 'count'} as {label(given)}"


def learned(run: Run) -> Prose:
    """Say what each classifier was fine-tuned and selected on, and for which labels there were too few texts."""
    sentences = [sentence for card in run.cards.values() for sentence in _learned(card, _unknown_labels(run, card))]
    return Prose(" ".join(sentences) or "No classifier was fine-tuned in this run.")


def _learned(card: ClassifierCard, unknown: Mapping[str, int]) -> Iterator[str]:
    """Say of one classifier what it learned; `unknown` has labels of held-out texts that it can't give."""
    if card.training_texts and not card.words:
        selected = (
            f"its weights were selected by macro-F1 on {counted(card.selection_texts, 'other text')}."
            if card.selection_texts
            else "no texts were left to select its weights on, so they are those of the last step."
        )
        yield f"{label(card.name)} was fine-tuned on {counted(card.training_texts, 'text')}; {selected}"
    if card.unselected:
        yield f"It learned these labels without a text to select on: {_with_texts(card.unselected)}."
    if card.unlearned:
        texts = "texts of the train split" if card.words else "of the drawn texts"
        words = f"did not learn these labels, which too few {texts} have"
        yield f"**{label(card.name)} {words}**: {_with_texts(card.unlearned)}."
    if unknown:
        yield (
            f"People gave held-out texts labels that {label(card.name)} can’t give: {_with_texts(unknown)}. It is "
            f"wrong on these texts, and macro-F1 counts each of these labels with an F1 of 0."
        )


def _unknown_labels(run: Run, card: ClassifierCard) -> dict[str, int]:
    """Count the held-out texts with a human label that the classifier can't give, by label."""
    found = run.confusion[(run.confusion["classifier"] == card.name) & ~run.confusion["human"].isin(card.labels)]
    texts = found.groupby("human", sort=True)["count"].sum()
    return {str(human): int(number) for human, number in texts.items() if number}


def _with_texts(labels: Mapping[str, int]) -> str:
    """Name labels with the number of their texts."""
    named = [f"{label(one)} ({counted(texts, 'text')})" for one, texts in list(labels.items())[:NAMED_LABELS]]
    more = len(labels) - len(named)
    return joined([*named, *([f"{counted(more, 'more label')}"] if more else [])])


def shares_by_group(run: Run) -> Picture | Prose:
    """Draw each classifier's label shares in each group of texts, with intervals."""
    shares = run.shares[run.shares["subset"] == "texts"]
    if shares.empty:
        return Prose("No classifier of this run gives each text one label." if run.cards else NONE_APPLIED)
    of_groups = shares[shares["group_kind"] == "group"]
    ordered = [group for group in run.texts["group"].value_counts().index if group in set(of_groups["group"])]
    groups = ordered[:SHOWN_GROUPS]
    largest = f" (the {SHOWN_GROUPS} largest of {count(len(ordered))} groups)" if len(ordered) > SHOWN_GROUPS else ""
    if groups:
        title = _group_finding(run, of_groups[of_groups["group"].isin(groups)])
        sets = {group: shares[shares["group"] == group] for group in groups}
    else:
        title = _overall_finding(run, shares_of_texts(run))
        sets = {"all texts": shares_of_texts(run)}
    return draw_label_shares(
        run,
        title,
        sets,
        in_order(shares["classifier"]),
        kind=f"Points with {percent(run.confidence)} intervals",
        inches=(0.15, 0.075),
        spread=0.7,
        xlabel=f"share of texts{largest}",
        legend=bool(groups),
    )


def in_brief(run: Run, classifier: str) -> str:
    """Say what a classifier finds: the label that differs most between groups of texts, else the most frequent one."""
    rows = run.shares[(run.shares["subset"] == "texts") & (run.shares["classifier"] == classifier)]
    of_groups = rows[rows["group_kind"] == "group"]
    found = _group_finding(run, of_groups, "It") if len(of_groups) else NO_GROUP_DIFFERS
    if found == NO_GROUP_DIFFERS:
        found = _overall_finding(run, rows[rows["group_kind"] == "all"], "It")
    return escape_isolated(found)


def _overall_finding(run: Run, shares: pd.DataFrame, who: str = "") -> str:
    """Say which label has the largest share of all texts; `who` gives it, else the classifier's name is written."""
    top = max(rows_of(shares), key=lambda row: row["share"])
    who = who or drawn(titled(run, top["classifier"]))
    return f"{who} gives “{drawn(top['label'])}” to {percent(top['share'])} of all texts"


def _group_finding(run: Run, shares: pd.DataFrame, who: str = "") -> str:
    """Say which label's shares are furthest apart in two groups, of classifiers by which groups differ.

    A group of too few documents for an interval is left out. A classifier that predicts the group gives a group's texts
    the group's own name, which is no finding: the shares of own names are left out where two others can be compared.

    Args:
        run: the run.
        shares: label shares of groups.
        who: the subject of the sentence; by default the classifier's name.
    """
    best = (0.0, NO_GROUP_DIFFERS)
    different = {row["classifier"] for row in verdicts.different_groups(run)}
    known = shares[shares["classifier"].isin(different) & shares["low"].notna()]
    for classifier, of_classifier in parts_of(known, "classifier").items():
        if _follow_groups(of_classifier):
            best = best if best[0] else (0.0, FOLLOW_GROUPS)
            continue
        for part in parts_of(of_classifier, "label").values():
            others = part[part["label"] != part["group"]]
            rows = rows_of(others if len(others) > 1 else part)
            high, low = (chosen(rows, key=lambda row: row["share"]) for chosen in (max, min))
            gap = high["share"] - low["share"]
            if gap > best[0]:
                found = (
                    f"{who or drawn(titled(run, classifier))} gives “{drawn(high['label'])}” to "
                    f"{percent(high['share'])} of “{drawn(high['group'])}” and to {percent(low['share'])} of "
                    f"“{drawn(low['group'])}”"
                )
                best = (gap, found)
    return best[1]


def _follow_groups(shares: pd.DataFrame) -> bool:
    """Whether labels and groups have the same names, and each label is most frequent in the group of its name."""
    own = shares[shares["label"] == shares["group"]].set_index("label")["low"]
    highest = shares[shares["label"] != shares["group"]].groupby("label")["high"].max()
    names = {*shares["label"], *shares["group"]}
    return names == set(own.index) and bool((own > highest.reindex(own.index, fill_value=0)).all())
