"""Describe the classifiers, and show what they say of the texts."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from samizdat.base.escaping import escape, escape_isolated
from samizdat.base.language import message, plural, say, say_again
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS
from samizdat.records.classifiers import SINGLE_LABEL, ClassifierCard
from samizdat.reporting import verdicts
from samizdat.reporting.frames import in_order, parts_of, rows_of
from samizdat.reporting.label_shares import draw_label_shares, most_frequent, shares_of_texts
from samizdat.reporting.outside import titled
from samizdat.reporting.run import Run
from samizdat.reporting.style import Picture
from samizdat.reporting.words import (
    Prose,
    Table,
    count,
    counted,
    drawn,
    exact_percent,
    first_labels,
    joined,
    label,
    name,
    percent,
    quotation,
    table,
)

NONE_OF_ONE_LABEL = message("No classifier of this run gives each text one label.")
NONE_LABELLED = message("No text was given a label.")
NONE_APPLIED = message("No classifier was applied in this run (`classifiers` in the config is empty).")
NO_GROUP_DIFFERS = message("No classifier finds a difference between groups that chance does not explain")
TOO_FEW = message("Too few documents to say whether shares differ between groups of texts")
WHERE_NOT_KNOWN = message("Groups differ, but too few of these have {fewest} documents to say where")
FOLLOW_GROUPS = message(
    "Each group’s own name is the label of {least} to {most} of the group’s texts, and of a smaller share of the "
    "others’"
)
SHOWN_GROUPS = 6
NAMED_LABELS = 8
# How the origin of a classifier begins that this run fine-tuned.
_FINE_TUNED = "fine-tuned here from "
# Where a package is what it comes from; a folder and a model of the Hub have their names alone.
_FROM_PACKAGE = message("the package {name}")


def cards(run: Run) -> Table | Prose:
    """List what each classifier predicts, what it was made for, and where it comes from."""
    rows = [
        [
            name(card.name),
            "; ".join([escape(card.predicts), *_asked(card), *_mapped(card)]),
            escape(card.made_for),
            escape(card.reference),
            _origin(card),
        ]
        for card in run.cards.values()
    ]
    header = [say("Classifier"), say("Predicts"), say("Made for"), say("Published in"), say("Comes from")]
    return table(rows, header) if rows else Prose(say(NONE_APPLIED))


def _origin(card: ClassifierCard) -> str:
    """Say where a classifier comes from, how many texts it was trained on, or how many it reads before each text."""
    tuned = card.origin.startswith(_FINE_TUNED)
    origin = escape(say_again(card.origin.removeprefix(_FINE_TUNED), _FROM_PACKAGE))
    if tuned:
        origin = say("fine-tuned here from {origin}", origin=origin)
    texts = counted(card.training_texts, "text", "texts")
    if card.words:
        return say("{origin}, which reads {texts} with their labels before each text", origin=origin, texts=texts)
    return say("{origin} on {texts}", origin=origin, texts=texts) if card.training_texts else origin


def _asked(card: ClassifierCard) -> Iterator[str]:
    """Say with which statements a zero-shot classifier is asked, or which words a few-shot classifier chooses from."""
    if card.words:
        yield say(
            "not trained for it: the likeliest of {words} in {template}",
            words=_first(card.words),
            template=label(card.template),
        )
    if card.hypotheses:
        yield say("not trained for it, but asked whether a text says {statements}", statements=_first(card.hypotheses))


def _first(names: Sequence[str]) -> str:
    """List the first names, and say how many more there are."""
    words = joined(label(one) for one in names[:NAMED_LABELS])
    more = len(names) - NAMED_LABELS
    return plural("{words} and {count} more", "{words} and {count} more", more, words=words) if more > 0 else words


def _mapped(card: ClassifierCard) -> Iterator[str]:
    """Say which of the checkpoint's labels count as another one."""
    for given in card.labels:
        own = [one for one in card.checkpoint_labels if card.mapped(one) == given]
        if own != [given]:
            yield plural(
                "its {labels} counts as {label}",
                "its {labels} count as {label}",
                len(own),
                labels=joined(map(label, own)),
                label=label(given),
            )


def learned(run: Run) -> Prose:
    """Say what each classifier was fine-tuned and selected on, and for which labels there were too few texts."""
    sentences = [sentence for card in run.cards.values() for sentence in _learned(card, _unknown_labels(run, card))]
    return Prose(" ".join(sentences) or say("No classifier was fine-tuned in this run."))


def _learned(card: ClassifierCard, unknown: Mapping[str, int]) -> Iterator[str]:
    """Say of one classifier what it learned; `unknown` has labels of held-out texts that it can't give."""
    who = label(card.name)
    if card.training_texts and not card.words:
        texts = counted(card.training_texts, "text", "texts")
        yield (
            say(
                "{classifier} was fine-tuned on {texts}; its weights were selected by macro-F1 on {others}.",
                classifier=who,
                texts=texts,
                others=counted(card.selection_texts, "other text", "other texts"),
            )
            if card.selection_texts
            else say(
                "{classifier} was fine-tuned on {texts}; no texts were left to select its weights on, so they are "
                "those of the last step.",
                classifier=who,
                texts=texts,
            )
        )
    if card.unselected:
        labels = _with_texts(card.unselected)
        yield say("It learned these labels without a text to select on: {labels}.", labels=labels)
    if card.unlearned:
        few = (
            message(
                "**{classifier} did not learn these labels, which too few texts of the train split have**: {labels}."
            )
            if card.words
            else message(
                "**{classifier} did not learn these labels, which too few of the drawn texts have**: {labels}."
            )
        )
        yield say(few, classifier=who, labels=_with_texts(card.unlearned))
    if unknown:
        yield say(
            "People gave held-out texts labels that {classifier} can’t give: {labels}. It is wrong on these texts, and "
            "macro-F1 counts each of these labels with an F1 of 0.",
            classifier=who,
            labels=_with_texts(unknown),
        )


def _unknown_labels(run: Run, card: ClassifierCard) -> dict[str, int]:
    """Count the held-out texts with a human label that the classifier can't give, by label."""
    found = run.confusion[(run.confusion["classifier"] == card.name) & ~run.confusion["human"].isin(card.labels)]
    texts = found.groupby("human", sort=True)["count"].sum()
    return {str(human): int(number) for human, number in texts.items() if number}


def _with_texts(labels: Mapping[str, int]) -> str:
    """Name labels with the number of their texts."""
    return first_labels(
        list(labels), NAMED_LABELS, lambda one: f"{label(one)} ({counted(labels[one], 'text', 'texts')})"
    )


def shares_by_group(run: Run) -> Picture | Prose:
    """Draw each classifier's label shares in each group of texts, with intervals."""
    shares = run.shares[run.shares["subset"] == "texts"]
    if shares.empty:
        without = say(NONE_LABELLED if run.of_kind(SINGLE_LABEL) else NONE_OF_ONE_LABEL)
        return Prose(without if run.cards else say(NONE_APPLIED))
    of_groups = shares[shares["group_kind"] == "group"]
    ordered = [group for group in run.texts["group"].value_counts().index if group in set(of_groups["group"])]
    groups = ordered[:SHOWN_GROUPS]
    xlabel = (
        say("share of texts (the {shown} largest of {groups} groups)", shown=SHOWN_GROUPS, groups=count(len(ordered)))
        if len(ordered) > SHOWN_GROUPS
        else say("share of texts")
    )
    if groups:
        title = _group_finding(run, of_groups[of_groups["group"].isin(groups)]) or _no_finding(run)
        sets = {group: shares[shares["group"] == group] for group in groups}
    else:
        title = most_frequent(run, shares_of_texts(run))
        sets = {say("all texts"): shares_of_texts(run)}
    return draw_label_shares(
        run,
        title,
        sets,
        in_order(shares["classifier"]),
        kind=say("Points with {confidence} intervals", confidence=exact_percent(run.confidence)),
        inches=(0.13, 0.07),
        spread=0.7,
        xlabel=xlabel,
        legend=bool(groups),
    )


def in_brief(run: Run, classifier: str) -> str:
    """Say what a classifier finds: the label that differs most between groups of texts, else the most frequent one."""
    rows = run.shares[(run.shares["subset"] == "texts") & (run.shares["classifier"] == classifier)]
    of_groups = rows[rows["group_kind"] == "group"]
    found = _group_finding(run, of_groups, named=False)
    return escape_isolated(found or most_frequent(run, rows[rows["group_kind"] == "all"], named=False))


def _no_finding(run: Run) -> str:
    """Say why no difference between groups is named; of groups that no test compares, which label is most frequent."""
    if run.group_tests.empty:
        return most_frequent(run, shares_of_texts(run))
    return say(TOO_FEW if run.group_tests["p_holm"].isna().all() else NO_GROUP_DIFFERS)


def _group_finding(run: Run, shares: pd.DataFrame, *, named: bool = True) -> str:
    """Say which label's shares are furthest apart in two groups, of classifiers by which groups differ; else nothing.

    A group of too few documents for an interval is left out. A classifier that predicts the group gives a group's texts
    the group's own name, which is no finding: the shares of own names are left out where two others can be compared.

    Args:
        run: the run.
        shares: label shares of groups.
        named: whether to write the classifier's name.
    """
    different = {row["classifier"] for row in verdicts.different_groups(run)}
    shares = shares[shares["classifier"].isin(different)]
    if shares.empty:
        return ""
    best = (0.0, say(WHERE_NOT_KNOWN, fewest=FEWEST_DOCUMENTS))
    words = (
        message("{classifier} gives {label} to {high} of {highest} and to {low} of {lowest}")
        if named
        else message("It gives {label} to {high} of the texts of {highest} and to {low} of those of {lowest}")
    )
    for classifier, of_classifier in parts_of(shares[shares["low"].notna()], "classifier").items():
        if _follow_groups(of_classifier):
            best = best if best[0] else (0.0, _own_names(of_classifier))
            continue
        for part in parts_of(of_classifier, "label").values():
            others = part[part["label"] != part["group"]]
            rows = rows_of(others if len(others) > 1 else part)
            high, low = (chosen(rows, key=lambda row: row["share"]) for chosen in (max, min))
            gap = high["share"] - low["share"]
            if gap > best[0]:
                found = say(
                    words,
                    classifier=drawn(titled(run, classifier)),
                    label=quotation(drawn(high["label"])),
                    high=percent(high["share"]),
                    highest=quotation(drawn(high["group"])),
                    low=percent(low["share"]),
                    lowest=quotation(drawn(low["group"])),
                )
                best = (gap, found)
    return best[1]


def _own_names(shares: pd.DataFrame) -> str:
    """Say how often the texts of a group have the group's name as their label."""
    own = shares.loc[shares["label"] == shares["group"], "share"]
    return say(FOLLOW_GROUPS, least=percent(own.min()), most=percent(own.max()))


def _follow_groups(shares: pd.DataFrame) -> bool:
    """Whether labels and groups have the same names, and each label is most frequent in the group of its name."""
    own = shares[shares["label"] == shares["group"]].set_index("label")["low"]
    highest = shares[shares["label"] != shares["group"]].groupby("label")["high"].max()
    names = {*shares["label"], *shares["group"]}
    return names == set(own.index) and bool((own > highest.reindex(own.index, fill_value=0)).all())
