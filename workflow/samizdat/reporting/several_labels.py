"""Show what classifiers say that give several labels at once: shares, which labels go together, quality."""

import pandas as pd
import seaborn as sns

from samizdat.measures.bootstrap import FEWEST_DOCUMENTS
from samizdat.measures.label_metrics import FEWEST_GIVEN
from samizdat.records.classifiers import MULTI_LABEL
from samizdat.reporting import raters, verdicts
from samizdat.reporting.agreement import METRICS
from samizdat.reporting.frames import Row, in_order, parts_of, rows_of
from samizdat.reporting.label_shares import draw_label_shares, next_to_texts
from samizdat.reporting.outside import labelled, named, titled
from samizdat.reporting.run import Run
from samizdat.reporting.style import Picture, described, drawing, wrapped
from samizdat.reporting.words import (
    Prose,
    Table,
    bounds,
    count,
    counted,
    drawn,
    is_null,
    joined,
    label,
    name,
    number_interval,
    percent,
    percent_interval,
    table,
)

SHOWN_GROUPS = 6
NAMED_LABELS = 6
# Labels in a figure of which labels go together.
MOST_LABELS = 12
NO_LABEL = "no label"
NONE = "No classifier of this run gives several labels at once."


def opening(run: Run) -> Prose:
    """Say of each classifier how often it gives a label, which labels differ, and how good it is by people."""
    return Prose("\n\n".join(_sentences(run, classifier) for classifier in run.of_kind(MULTI_LABEL)) or NONE)


def in_brief(run: Run, classifier: str) -> list[str]:
    """Say in short what a classifier finds, and how far it can be believed."""
    rows = _of_all_texts(run, classifier)
    if rows.empty:
        return ["It read no text."]
    return [
        f"{_frequent(rows)}.",
        *(f"{one}." for one in _differences(run, classifier)),
        "*Trust:*",
        *_trust(run, classifier),
    ]


def _sentences(run: Run, classifier: str) -> str:
    rows = _of_all_texts(run, classifier)
    if rows.empty:
        return f"The classifier {labelled(run, classifier)} read no text."
    said = [
        f"The classifier {labelled(run, classifier)} can give a text several labels, or none. {_frequent(rows)}",
        *_differences(run, classifier),
    ]
    return " ".join([". ".join(said) + ".", *_trust(run, classifier)])


def _of_all_texts(run: Run, classifier: str) -> pd.DataFrame:
    shares = run.several_shares[run.several_shares["classifier"] == classifier]
    return shares[(shares["subset"] == "texts") & (shares["group_kind"] == "all")]


def _frequent(rows: pd.DataFrame) -> str:
    """Say how many texts have no label, and which label most texts have."""
    none = rows_of(rows[rows["label"].isna()])[0]
    top = max(rows_of(rows[rows["label"].notna()]), key=lambda row: row["share"])
    share = percent_interval(none["share"], none["low"], none["high"])
    often = percent_interval(top["share"], top["low"], top["high"])
    return (
        f"No label reaches its threshold in {share} of the texts; the most frequent one is {label(top['label'])}, in "
        f"{often}"
    )


def _differences(run: Run, classifier: str) -> list[str]:
    """Say which labels are given more often to some groups than to others, and to samples than to texts."""
    said = []
    for between, what in (("groups", "groups of texts"), ("samples", "samples and texts")):
        tests = run.label_differences
        tests = tests[(tests["classifier"] == classifier) & (tests["between"] == between)]
        if tests.empty:
            continue
        found = [row for row in verdicts.differing_labels(run, between) if row["classifier"] == classifier]
        names = list(dict.fromkeys(row["label"] for row in found))
        if tests["p_value"].isna().all():
            said.append(
                f"To compare {what}, there are fewer than {FEWEST_DOCUMENTS} documents, too few for an interval and "
                "for a comparison"
            )
        elif names:
            more = [f"{counted(len(names) - NAMED_LABELS, 'more label')}"] if len(names) > NAMED_LABELS else []
            told = joined([*map(label, names[:NAMED_LABELS]), *more])
            said.append(f"Shares differ between {what} for {told}")
        else:
            said.append(f"Between {what} no label’s share was found to differ")
    return said


def _trust(run: Run, classifier: str) -> list[str]:
    """Say how good the labels are by those of the corpus, or of raters."""
    rows = run.several_quality[(run.several_quality["classifier"] == classifier) & run.several_quality["label"].isna()]
    found = {row["metric"]: row for row in rows_of(rows)}
    if not found:
        return raters.trust(run, classifier, None)
    micro, macro = (
        number_interval(found[one]["value"], found[one]["low"], found[one]["high"]) for one in ("micro_f1", "macro_f1")
    )
    few = f" (without an interval, since a label was given fewer than {FEWEST_GIVEN} times)"
    rare = few if is_null(found["macro_f1"]["low"]) and not is_null(found["micro_f1"]["low"]) else ""
    by_corpus = (
        f"Compared with the labels that people gave {counted(found['micro_f1']['texts'], 'held-out text')}, its "
        f"micro-F1 is {micro} and its macro-F1 {macro}{rare}"
    )
    return raters.trust(run, classifier, by_corpus)


def shares_by_group(run: Run) -> Picture | Prose:
    """Draw the share of each label in each group of texts, or in all texts, with intervals."""
    shares = _named(run.several_shares[run.several_shares["subset"] == "texts"])
    if shares.empty:
        return Prose(NONE)
    of_groups = shares[shares["group_kind"] == "group"]
    ordered = [group for group in run.texts["group"].value_counts().index if group in set(of_groups["group"])]
    sets = {group: shares[shares["group"] == group] for group in ordered[:SHOWN_GROUPS]}
    largest = f" (the {SHOWN_GROUPS} largest of {count(len(ordered))} groups)" if len(ordered) > SHOWN_GROUPS else ""
    return draw_label_shares(
        run,
        _title(run, "groups"),
        sets or {"all texts": shares[shares["group_kind"] == "all"]},
        in_order(shares["classifier"]),
        kind=f"Points with {percent(run.confidence)} intervals",
        inches=(0.15, 0.075),
        spread=0.7,
        xlabel=f"share of texts{largest}; a text can have several labels",
        legend=bool(sets),
    )


def shares_of_samples(run: Run) -> Picture | Prose:
    """Draw the share of each label in the texts and in the published models' samples at each temperature."""
    shares = _named(run.several_shares)
    samples = shares[(shares["subset"] == "samples") & (shares["group_kind"] == "temperature")]
    if samples.empty:
        return Prose("No text of a published model began with nothing, so nothing can be compared.")
    texts = shares[(shares["subset"] == "texts") & (shares["group_kind"] == "all")]
    return draw_label_shares(
        run,
        _title(run, "samples"),
        next_to_texts(texts, samples, "samples, temperature {}"),
        in_order(samples["classifier"]),
        kind=f"Points with {percent(run.confidence)} intervals",
        inches=(0.14, 0.1),
        xlabel="share; a text can have several labels",
    )


def _named(shares: pd.DataFrame) -> pd.DataFrame:
    return shares.assign(label=shares["label"].fillna(NO_LABEL))


def _title(run: Run, between: str) -> str:
    """Say as a title which labels are given with other frequencies, where a test shows it."""
    found = verdicts.differing_labels(run, between)
    what = "groups of texts" if between == "groups" else "samples and texts"
    tests = run.label_differences[run.label_differences["between"] == between]
    if len(tests) and tests["p_value"].isna().all():
        return f"Too few documents to say whether shares differ between {what}"
    if not found:
        return f"No label’s share was found to differ between {what}"
    by = {name: part for name, part in parts_of(pd.DataFrame(found), "classifier").items()}
    told = []
    for classifier, rows in by.items():
        names = in_order(rows["label"])
        shown = [f"“{drawn(one)}”" for one in names[:NAMED_LABELS]]
        more = [counted(len(names) - NAMED_LABELS, "more label")] if len(names) > NAMED_LABELS else []
        told.append(f"for {drawn(titled(run, classifier))} in {joined([*shown, *more])}")
    return f"Shares differ between {what} {joined(told)}"


def cooccurrence(run: Run) -> Picture | Prose:
    """Draw which share of the texts with one label has another one, too."""
    parts = {one: part for one, part in parts_of(run.cooccurrence, "classifier").items() if part["both"].any()}
    if not parts:
        return Prose("No text was given two labels." if run.of_kind(MULTI_LABEL) else NONE)
    tables = {classifier: _together(part) for classifier, part in parts.items()}
    title = _together_finding(run, pd.concat(parts.values()))
    heights = [1.2 + 0.3 * len(values) for values in tables.values()]
    with drawing(title, sum(heights), rows=len(tables), height_ratios=heights) as (picture, axes):
        for axis, (classifier, values) in zip(axes, tables.items(), strict=True):
            number = parts[classifier]["label"].nunique()
            sns.heatmap(
                100 * values, ax=axis, annot=True, fmt=".0f", cmap="Blues", vmin=0, vmax=100, linewidths=1,
                mask=values.isna(), annot_kws={"size": 8}, cbar=False,
                xticklabels=[wrapped(one, 16, 2) for one in values.columns],
                yticklabels=[wrapped(one, 24, 2) for one in values.index],
            )  # fmt: skip
            most = f" (the {len(values)} most frequent of {number} labels)" if len(values) < number else ""
            axis.set(xlabel=f"% also called{most}", ylabel="of the texts called")
            axis.set_title(wrapped(titled(run, classifier), 60))
            axis.tick_params(length=0)
            axis.tick_params(axis="x", rotation=90)
            axis.tick_params(axis="y", rotation=0)
            axis.grid(visible=False)
        said = [
            f"{drawn(titled(run, classifier))}, texts called {drawn(str(one))}: "
            + ", ".join(f"{percent(share)} {drawn(str(other))}" for other, share in line.dropna().items())
            for classifier, values in tables.items()
            for one, line in values.iterrows()
        ]
        picture.alternative_text = described(title, "Heat map of the shares that are also called otherwise", said)
    return picture


def _together(part: pd.DataFrame) -> pd.DataFrame:
    """Make a square table of the most frequent labels: of the texts with the label of a row, the share of a column."""
    frequent = (
        part.drop_duplicates("label").sort_values("texts", ascending=False, kind="stable")["label"].head(MOST_LABELS)
    )
    shown = part[part["label"].isin(frequent) & part["other"].isin(frequent)]
    return shown.pivot(index="label", columns="other", values="share").reindex(index=frequent, columns=frequent)


def _together_finding(run: Run, rows: pd.DataFrame) -> str:
    """Say as a title which label goes with another one most, compared with all texts, of labels that are not rare."""
    known = rows[rows["texts"] >= FEWEST_GIVEN]
    if known.empty:
        return "Which labels go together"
    top = max(rows_of(known), key=lambda row: row["share"] - row["share_of_all"])
    return (
        f"Of what {drawn(titled(run, top['classifier']))} calls “{drawn(top['label'])}”, {percent(top['share'])} is "
        f"also called “{drawn(top['other'])}”, as is {percent(top['share_of_all'])} of all texts"
    )


def every_score(run: Run) -> Table | Prose:
    """List precision, recall and F1 of each label, and F1 over all labels, with intervals."""
    rows = [
        [
            named(run, row["classifier"]), METRICS[row["metric"]], name(row["label"]) or "all", f"{row['value']:.3f}",
            bounds(row["low"], row["high"], 3), count(row["texts"]),
        ]
        for row in rows_of(run.several_quality)
    ]  # fmt: skip
    header = ["Classifier", "Measure", "Label", "Value", f"{percent(run.confidence)} interval", "Held-out texts"]
    words = "The corpus has no labels of held-out texts that such a classifier could be compared with."
    return table(rows, header, numbers=header[3:]) if rows else Prose(words)


def differences(run: Run) -> Table | Prose:
    """List the test of each label between groups, and between samples and texts."""
    rows = [_difference(run, row) for row in rows_of(run.label_differences)]
    header = [
        "Classifier",
        "Label",
        "Between",
        "Difference",
        f"{percent(run.confidence)} interval",
        "p",
        "Texts",
        "Samples",
    ]
    return table(rows, header, numbers=header[3:]) if rows else Prose("There was nothing to compare.")


def _difference(run: Run, row: Row) -> list[str]:
    groups = row["between"] == "groups"
    return [
        named(run, row["classifier"]),
        name(row["label"]),
        "groups" if groups else f"samples of {name(row['model'])} and texts",
        f"V {row['value']:.3f}" if groups else f"{row['value']:.4f} bits",
        bounds(row["low"], row["high"], 3 if groups else 4),
        "" if is_null(row["p_value"]) else f"{row['p_value']:.3f}",
        count(row["texts"]),
        "" if is_null(row["samples"]) else count(row["samples"]),
    ]
