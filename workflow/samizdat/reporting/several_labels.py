"""Show what classifiers say that give several labels at once: shares, what differs, quality."""

import pandas as pd

from samizdat.base.language import message, numeral, say
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS
from samizdat.measures.label_metrics import FEWEST_GIVEN
from samizdat.records.classifiers import MULTI_LABEL
from samizdat.reporting import believed, verdicts
from samizdat.reporting.agreement import METRICS
from samizdat.reporting.classifiers import TOO_FEW
from samizdat.reporting.frames import Row, in_order, parts_of, rows_of
from samizdat.reporting.label_shares import draw_label_shares, most_frequent, next_to_texts
from samizdat.reporting.outside import labelled, named, titled
from samizdat.reporting.run import Run
from samizdat.reporting.style import Picture
from samizdat.reporting.words import (
    Prose,
    Table,
    bounds,
    count,
    counted,
    drawn,
    exact_percent,
    first_labels,
    is_null,
    joined,
    label,
    name,
    number_interval,
    percent_interval,
    quotation,
    table,
)

SHOWN_GROUPS = 6
NAMED_LABELS = 6
NO_LABEL = message("no label")
NONE = message("No classifier of this run gives several labels at once.")
# What is compared → what is said: where nothing can be, of labels whose shares differ, and where none does.
_TOO_FEW = {
    "groups": message(
        "To compare groups of texts, there are fewer than {fewest} documents, too few for an interval and for a "
        "comparison"
    ),
    "samples": message(
        "To compare samples and texts, there are fewer than {fewest} samples or documents, too few for an interval and "
        "for a comparison"
    ),
}
_DIFFERING = {
    "groups": message("Shares differ between groups of texts for {labels}"),
    "samples": message("Shares differ between samples and texts for {labels}"),
}
_SAME = {
    "groups": message("Between groups of texts no label’s share was found to differ"),
    "samples": message("Between samples and texts no label’s share was found to differ"),
}
# The same as titles of figures.
_TITLE_TOO_FEW = {
    "groups": TOO_FEW,
    "samples": message("Too few samples or documents to say whether shares differ between samples and texts"),
}
_TITLE_DIFFERING = {
    "groups": message("Shares differ between groups of texts {labels}"),
    "samples": message("Shares differ between samples and texts {labels}"),
}
_TITLE_SAME = {
    "groups": message("No label’s share was found to differ between groups of texts"),
    "samples": message("No label’s share was found to differ between samples and texts"),
}


def opening(run: Run) -> Prose:
    """Say of each classifier how often it gives a label, which labels differ, and how good it is by people."""
    return Prose("\n\n".join(_sentences(run, classifier) for classifier in run.of_kind(MULTI_LABEL)) or say(NONE))


def in_brief(run: Run, classifier: str) -> list[str]:
    """Say in short what a classifier finds, and how far it can be believed."""
    rows = _of_all_texts(run, classifier)
    if rows.empty:
        return [say("It read no text.")]
    return [
        f"{_frequent(rows)}.",
        *(f"{one}." for one in _differences(run, classifier)),
        say("*Trust:*"),
        *_trust(run, classifier),
    ]


def _sentences(run: Run, classifier: str) -> str:
    rows = _of_all_texts(run, classifier)
    who = labelled(run, classifier)
    if rows.empty:
        return say("The classifier {classifier} read no text.", classifier=who)
    said = [say("The classifier {classifier} can give a text several labels, or none", classifier=who), _frequent(rows)]
    return " ".join([*(f"{one}." for one in (*said, *_differences(run, classifier))), *_trust(run, classifier)])


def _of_all_texts(run: Run, classifier: str) -> pd.DataFrame:
    shares = run.several_shares[run.several_shares["classifier"] == classifier]
    return shares[(shares["subset"] == "texts") & (shares["group_kind"] == "all")]


def _frequent(rows: pd.DataFrame) -> str:
    """Say how many texts have no label, and which label most texts have."""
    none = rows_of(rows[rows["label"].isna()])[0]
    top = max(rows_of(rows[rows["label"].notna()]), key=lambda row: row["share"])
    if not top["count"]:
        return say("No label reaches its threshold in any of {texts}", texts=counted(none["count"], "text", "texts"))
    return say(
        "No label reaches its threshold in {share} of the texts; the most frequent one is {label}, in {often}",
        share=percent_interval(none["share"], none["low"], none["high"]),
        label=label(top["label"]),
        often=percent_interval(top["share"], top["low"], top["high"]),
    )


def _differences(run: Run, classifier: str) -> list[str]:
    """Say which labels are given more often to some groups than to others, and to samples than to texts."""
    said = []
    for between in _SAME:
        tests = run.label_differences
        tests = tests[(tests["classifier"] == classifier) & (tests["between"] == between)]
        if tests.empty:
            continue
        found = [row for row in verdicts.differing_labels(run, between) if row["classifier"] == classifier]
        names = list(dict.fromkeys(row["label"] for row in found))
        if tests["p_value"].isna().all():
            said.append(say(_TOO_FEW[between], fewest=FEWEST_DOCUMENTS))
        elif names:
            said.append(say(_DIFFERING[between], labels=first_labels(names, NAMED_LABELS, label)))
        else:
            said.append(say(_SAME[between]))
    return said


def _trust(run: Run, classifier: str) -> list[str]:
    """Say how good the labels are by those of the corpus, or of raters."""
    rows = run.several_quality[(run.several_quality["classifier"] == classifier) & run.several_quality["label"].isna()]
    found = {row["metric"]: row for row in rows_of(rows)}
    if not found:
        return believed.trust(run, classifier, None)
    micro, macro = (
        number_interval(found[one]["value"], found[one]["low"], found[one]["high"]) for one in ("micro_f1", "macro_f1")
    )
    rare = is_null(found["macro_f1"]["low"]) and not is_null(found["micro_f1"]["low"])
    words = (
        message(
            "Compared with the labels that people gave {texts}, its micro-F1 is {micro} and its macro-F1 {macro} "
            "(without an interval, since a label was given fewer than {fewest} times)"
        )
        if rare
        else message(
            "Compared with the labels that people gave {texts}, its micro-F1 is {micro} and its macro-F1 {macro}"
        )
    )
    texts = counted(found["micro_f1"]["texts"], "held-out text", "held-out texts")
    by_corpus = say(words, texts=texts, micro=micro, macro=macro, fewest=FEWEST_GIVEN)
    return believed.trust(run, classifier, by_corpus)


def shares_by_group(run: Run) -> Picture | Prose:
    """Draw the share of each label in each group of texts, or in all texts, with intervals."""
    shares = _named(run.several_shares[run.several_shares["subset"] == "texts"])
    if shares.empty:
        return Prose(say(NONE))
    of_groups = shares[shares["group_kind"] == "group"]
    ordered = [group for group in run.texts["group"].value_counts().index if group in set(of_groups["group"])]
    sets = {group: shares[shares["group"] == group] for group in ordered[:SHOWN_GROUPS]}
    words = (
        message("share of texts (the {shown} largest of {all} groups); a text can have several labels")
        if len(ordered) > SHOWN_GROUPS
        else message("share of texts; a text can have several labels")
    )
    return draw_label_shares(
        run,
        _title(run, "groups"),
        sets or {say("all texts"): shares[shares["group_kind"] == "all"]},
        in_order(shares["classifier"]),
        kind=say("Points with {confidence} intervals", confidence=exact_percent(run.confidence)),
        inches=(0.15, 0.075),
        spread=0.7,
        xlabel=say(words, shown=SHOWN_GROUPS, all=count(len(ordered))),
        legend=bool(sets),
    )


def shares_of_samples(run: Run) -> Picture | Prose:
    """Draw the share of each label in the texts and in the published models' samples at each temperature."""
    shares = _named(run.several_shares)
    samples = shares[(shares["subset"] == "samples") & (shares["group_kind"] == "temperature")]
    if samples.empty:
        return Prose(say("No sample that began with nothing was read, so nothing can be compared."))
    texts = shares[(shares["subset"] == "texts") & (shares["group_kind"] == "all")]
    return draw_label_shares(
        run,
        _title(run, "samples"),
        next_to_texts(texts, samples, message("samples, temperature {}")),
        in_order(samples["classifier"]),
        kind=say("Points with {confidence} intervals", confidence=exact_percent(run.confidence)),
        inches=(0.14, 0.1),
        xlabel=say("share; a text can have several labels"),
    )


def _named(shares: pd.DataFrame) -> pd.DataFrame:
    """Name the row of texts without a label as no label is called."""
    none = say(NO_LABEL)
    while none in set(shares["label"]):
        none = f"({none})"
    return shares.assign(label=shares["label"].fillna(none))


def _title(run: Run, between: str) -> str:
    """Say as a title which labels are given with other frequencies, where a test shows it; without groups one label."""
    found = verdicts.differing_labels(run, between)
    tests = run.label_differences[run.label_differences["between"] == between]
    if tests.empty and between == "groups":
        shares = run.several_shares
        return most_frequent(run, shares[(shares["subset"] == "texts") & (shares["group_kind"] == "all")])
    if tests["p_value"].isna().all():
        return say(_TITLE_TOO_FEW[between])
    if not found:
        return say(_TITLE_SAME[between])
    told = [
        say(
            "for {classifier} in {labels}",
            classifier=drawn(titled(run, classifier)),
            labels=first_labels(in_order(rows["label"]), NAMED_LABELS, lambda one: quotation(drawn(one))),
        )
        for classifier, rows in parts_of(pd.DataFrame(found), "classifier").items()
    ]
    return say(_TITLE_DIFFERING[between], labels=joined(told))


def every_score(run: Run) -> Table | Prose:
    """List precision, recall and F1 of each label, and F1 over all labels, with intervals."""
    rows = [
        [
            named(run, row["classifier"]), say(METRICS[row["metric"]]), name(row["label"]) or say("all"),
            numeral(row["value"], ".3f"),
            bounds(row["low"], row["high"], 3), count(row["texts"]),
        ]
        for row in rows_of(run.several_quality)
    ]  # fmt: skip
    header = [say("Classifier"), say("Measure"), say("Label"), say("Value"), _interval(run), say("Held-out texts")]
    if rows:
        return table(rows, header, numbers=header[3:])
    return Prose(say("The corpus has no labels of held-out texts that such a classifier could be compared with."))


def _interval(run: Run) -> str:
    """Return the heading of a column of intervals."""
    return say("{confidence} interval", confidence=exact_percent(run.confidence))


def differences(run: Run) -> Table | Prose:
    """List the test of each label between groups, and between samples and texts."""
    rows = [_difference(run, row) for row in rows_of(run.label_differences)]
    header = [
        say("Classifier"),
        say("Label"),
        say("Between"),
        say("Difference"),
        _interval(run),
        "p",
        say("Texts"),
        say("Samples"),
    ]
    return table(rows, header, numbers=header[3:]) if rows else Prose(say("There was nothing to compare."))


def _difference(run: Run, row: Row) -> list[str]:
    groups = row["between"] == "groups"
    return [
        named(run, row["classifier"]),
        name(row["label"]),
        say("groups") if groups else say("samples of {model} and texts", model=name(row["model"])),
        f"V {numeral(row['value'], '.3f')}" if groups else say("{number} bits", number=numeral(row["value"], ".4f")),
        bounds(row["low"], row["high"], 3 if groups else 4),
        "" if is_null(row["p_value"]) else numeral(row["p_value"], ".3f"),
        count(row["texts"]),
        "" if is_null(row["samples"]) else count(row["samples"]),
    ]
