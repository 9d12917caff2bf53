"""Describe the corpus: how large it is, where it comes from, and what was left out."""

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from samizdat.base import course_limits
from samizdat.base.escaping import escape, escape_isolated, quoted
from samizdat.base.seeds import derive_seed
from samizdat.records.corpus import LABEL_PREFIX
from samizdat.reporting.frames import rows_of
from samizdat.reporting.label_shares import shares_in_words, stacked_bars
from samizdat.reporting.run import Run
from samizdat.reporting.splits import division, near_duplicates, texts_of_split
from samizdat.reporting.style import (
    INK,
    PALETTE,
    Picture,
    described,
    drawing,
    wrapped,
)
from samizdat.reporting.terms import between_groups
from samizdat.reporting.words import Prose, Table, count, counted, drawn, label, name, percent, table

SHOWN_GROUPS = 10
# Medians that differ by less than this factor are called about equal.
ALIKE = 1.2
ALL, UNGROUPED = "all texts", "without a group"


def opening(run: Run) -> Prose:
    """Describe the corpus in a paragraph."""
    corpus = run.corpus
    quantiles = corpus.length_quantiles_characters
    sentences = [
        f"The corpus holds {counted(corpus.texts, 'text')} from {counted(corpus.documents, 'document')}, "
        f"{counted(corpus.characters, 'character')} in all. Its source: {escape(corpus.source)}.",
        f"Half of the texts have between {count(quantiles['0.25'])} and {count(quantiles['0.75'])} characters; "
        f"the longest has {count(quantiles['1'])}.",
        f"{division(corpus)}: {texts_of_split(corpus, 'train')} to train on; "
        f"{texts_of_split(corpus, 'validation')} to choose the best weights on; and the held-out texts, "
        f"{texts_of_split(corpus, 'test')}, on which nothing is trained or chosen.",
    ]
    if corpus.parts:
        sentences.append(
            "One file has half of the texts or more, so it was cut into "
            f"{counted(corpus.parts, 'part')} of successive texts, and each part counts as a document; the held-out "
            "parts resemble the others more than another work would, so expect a higher loss on another work."
        )
    if corpus.shared_documents:
        shared = counted(corpus.shared_documents, "document has", "documents have")
        sentences.append(f"{shared} texts in several splits, so expect a higher loss on new documents.")
    sentences += [
        f"{counted(number, 'text has', 'texts have')} no {label(column)}: {'its' if number == 1 else 'their'} raters "
        "give no label most often."
        for column, number in corpus.undecided.items()
        if number
    ]
    said = [*sentences, *near_duplicates(corpus), _limits(run), between_groups(run)]
    return Prose(" ".join(one for one in said if one))


def _limits(run: Run) -> str:
    """Say whether the corpus has the usual size of a course's, in texts and, where counted, in tokens."""
    if not run.config["course"]:
        return ""
    size = f"Usual limits of a course are {_within(run.corpus.texts, course_limits.TEXTS, 'texts')}"
    gpt2 = [item["name"] for item in run.config["tokenizers"] if item["source"] == "gpt2"]
    if not gpt2:
        return f"{size}; GPT-2’s own tokens, which have limits too, were not counted in this run."
    # Each text has one boundary token, which is not counted here.
    tokens = sum(run.tokenizers[gpt2[0]].tokens.values()) - run.corpus.texts
    return f"{size} and {_within(tokens, course_limits.GPT2_TOKENS, 'GPT-2 tokens')}."


def _within(number: int, limits: tuple[int, int], unit: str) -> str:
    """Compare a number with its limits, in words."""
    low, high = limits
    verdict = course_limits.verdict(number, limits)
    return f"{count(low)} to {count(high)} {unit} (here: {count(number)}, {verdict})"


def groups(run: Run) -> Table:
    """List number, split, length and human labels of the texts of the largest groups, and of all texts."""
    texts = run.texts
    headings = {column: _labels(texts, column) for column in _label_columns(texts)}
    header = ["Group", "Texts", "Documents", "Held out", "Median length"]
    header += [name(one) for labels in headings.values() for one in labels]
    sizes = texts["group"].value_counts()
    shown, rest = sizes.index[:SHOWN_GROUPS], sizes.index[SHOWN_GROUPS:]
    parts = [(name(group), texts[texts["group"] == group]) for group in sorted(shown)]
    if len(rest):
        parts.append((f"*{counted(len(rest), 'smaller group')}*", texts[texts["group"].isin(rest)]))
    if len(sizes) and texts["group"].isna().any():
        parts.append((f"*{UNGROUPED}*", texts[texts["group"].isna()]))
    rows = []
    for heading, part in [*parts, ("**All**", texts)]:
        row = [
            heading,
            count(len(part)),
            count(part["document"].nunique()),
            percent((part["split"] == "test").mean(), 1),
            count(part["text"].str.len().median()),
        ]
        for column, labels in headings.items():
            given = part[column].dropna()
            row += [percent((given == one).mean()) if len(given) else "" for one in labels]
        rows.append(row)
    return table(rows, header, numbers=header[1:])


def _label_columns(texts: pd.DataFrame) -> list[str]:
    """Return the columns with labels, without one that equals the group."""
    columns = [str(column) for column in texts.columns]
    return [one for one in columns if one.startswith(LABEL_PREFIX) and not texts[one].equals(texts["group"])]


def _labels(texts: pd.DataFrame, column: str) -> list[str]:
    """Return the most frequent labels of a column, sorted by name; at most six, which fit a table."""
    return sorted(texts[column].value_counts().index[:6])


def lengths(run: Run) -> Picture:
    """Draw the lengths of texts as a box for each group."""
    texts = run.texts
    ungrouped = UNGROUPED if texts["group"].notna().any() else ALL
    frame = pd.DataFrame({"characters": texts["text"].str.len(), "group": texts["group"].fillna(ungrouped)})
    largest = frame["group"].value_counts().index[:SHOWN_GROUPS]
    frame = frame[frame["group"].isin(largest)]
    quantiles = frame.groupby("group")["characters"].quantile(np.array([0.05, 0.25, 0.5, 0.75, 0.95])).unstack()
    quantiles = quantiles.loc[quantiles[0.5].sort_values(kind="stable").index]
    title = _length_finding(quantiles[0.5])
    with drawing(title, 0.75 + 0.3 * len(quantiles)) as (picture, [axis]):
        names = ("whislo", "q1", "med", "q3", "whishi")
        axis.bxp(
            [dict(zip(names, row, strict=True)) for row in quantiles.to_numpy()], positions=range(len(quantiles)),
            orientation="horizontal", showfliers=False, patch_artist=True, widths=0.55,
            boxprops={"facecolor": PALETTE[0], "alpha": 0.55}, medianprops={"linewidth": 2.2, "color": INK},
        )  # fmt: skip
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_yticks(range(len(quantiles)), [wrapped(group, 24, 2) for group in quantiles.index])
        axis.grid(visible=False, axis="y")
        axis.set_xlabel("length of a text, characters (logarithmic)")
        boxes = "; ".join(
            f"{drawn(str(group))} {row[0.5]:,.0f} ({row[0.25]:,.0f} to {row[0.75]:,.0f})"
            for group, row in quantiles.iterrows()
        )
        picture.alternative_text = (
            f"{title}. Boxes on a logarithmic scale; medians with the middle half: {boxes} characters."
        )
    return picture


def _length_finding(medians: pd.Series) -> str:
    """Say as a title which groups have the shortest and the longest texts; `medians` are in rising order."""
    short, long = medians.iloc[0], medians.iloc[-1]
    if len(medians) == 1:
        return f"Half of the texts have up to {counted(round(short), 'character')}"
    if long < ALIKE * short:
        return f"The groups’ texts are about equally long: medians of {short:,.0f} to {long:,.0f} characters"
    return (
        f"Shortest are the texts of “{drawn(medians.index[0])}” (median {short:,.0f} characters), "
        f"longest those of “{drawn(medians.index[-1])}” ({long:,.0f})"
    )


def human_labels(run: Run) -> Picture | Prose:
    """Draw how often people gave each label: a panel for each column of labels, a bar for each group."""
    texts = run.texts
    undrawn = _undrawn(texts)
    columns = [column for column in _label_columns(texts) if column not in undrawn]
    if not columns:
        same = any(str(column).startswith(LABEL_PREFIX) and column not in undrawn for column in texts.columns)
        none = "The labels that people gave are the groups." if same else "The corpus has no labels that people gave."
        return Prose(escape_isolated(" ".join(undrawn.values())) or none)
    bars = [(ALL, texts)]
    bars += [(group, texts[texts["group"] == group]) for group in texts["group"].value_counts().index[:SHOWN_GROUPS]]
    first = texts[columns[0]].value_counts(normalize=True)
    labelled = " that have one" if texts[columns[0]].isna().any() else ""
    title = (
        f"The most frequent {drawn(columns[0].removeprefix(LABEL_PREFIX))} is “{drawn(first.index[0])}”: "
        f"{percent(first.iloc[0])} of the texts{labelled}"
        + "".join(f". {why.removesuffix('.')}" for why in undrawn.values())
    )
    height = 0.55 + len(columns) * (0.55 + 0.3 * len(bars))
    with drawing(title, height, rows=len(columns)) as (picture, axes):
        descriptions = []
        for axis, column in zip(axes, columns, strict=True):
            names = sorted(texts[column].dropna().unique())
            shares = [part[column].value_counts(normalize=True).reindex(names, fill_value=0) for _, part in bars]
            stacked_bars(axis, names, np.array(shares).T)
            axis.set_yticks(range(len(bars)), [wrapped(group, 24, 1) for group, _ in bars])
            axis.invert_yaxis()
            axis.set(xlabel=f"share of texts with a label for {wrapped(column.removeprefix(LABEL_PREFIX), 60, 1)}")
            descriptions += [
                f"{drawn(group)}: {shares_in_words(names, given)}"
                for (group, _), given in zip(bars, shares, strict=True)
            ]
        picture.alternative_text = described(title, "Stacked bars", descriptions)
    return picture


def _undrawn(texts: pd.DataFrame) -> dict[str, str]:
    """Say why columns with human labels are not drawn: column → sentence; none for a column that equals the group."""
    sentences = {}
    for column in _label_columns(texts):
        given, who = texts[column].dropna().unique(), drawn(column.removeprefix(LABEL_PREFIX))
        if len(given) > len(PALETTE):
            sentences[column] = f"Not drawn: the {count(len(given))} labels of {who}, more than a figure can show."
        elif len(given) < 2:
            each = f"each text that has one has “{drawn(given[0])}”" if len(given) else "no text has one"
            sentences[column] = f"Not drawn: labels of {who}; {each}."
    return sentences


def examples(run: Run) -> Table | Prose:
    """List some texts, two of each group, drawn with the run's random seed; none where texts may not be shown."""
    if not run.publish_texts:
        return Prose("The texts themselves are not published, so none is shown here or anywhere else in this report.")
    texts = run.texts.assign(group=run.texts["group"].fillna(""))
    order = texts["id"].map(lambda key: derive_seed(run.config["seed"], "examples", key))
    chosen = texts.assign(order=order).sort_values("order").groupby("group").head(2).sort_values(["group", "order"])
    columns = _label_columns(run.texts)
    grouped = bool(run.texts["group"].notna().any())
    rows = [
        [
            *([name(row["group"])] if grouped else []),
            quoted(row["text"], language=run.language),
            *(name(row[column]) for column in columns),
        ]
        for row in rows_of(chosen.head(2 * SHOWN_GROUPS))
    ]
    labels = [name(column.removeprefix(LABEL_PREFIX).capitalize()) for column in columns]
    return table(rows, [*(["Group"] if grouped else []), "Text", *labels])


def dropped(run: Run) -> Prose:
    """Say how the files were read, which were not, and how many texts were not kept, and why."""
    corpus = run.corpus
    sentences = []
    if corpus.dropped:
        reasons = "; ".join(f"{count(number)} × {escape(reason)}" for reason, number in sorted(corpus.dropped.items()))
        kept = counted(corpus.texts, "was", "were")
        sentences.append(f"Of {counted(corpus.read, 'text')}, {kept} kept. Left out: {reasons}.")
    else:
        sentences.append("Every text that was read was kept.")
    if corpus.found:
        found = "; ".join(f"{escape(files)}: {escape(words)}" for words, files in sorted(corpus.found.items()))
        sentences.append(f"How these files were read was found out, not set: {found}.")
    if corpus.unread:
        files = "; ".join(f"{escape(names)} ({escape(reason)})" for reason, names in sorted(corpus.unread.items()))
        sentences.append(f"Found beside the texts of the corpus, but not read: {files}.")
    return Prose(" ".join(sentences))


def vocabulary(run: Run) -> Table:
    """List each tokenizer's vocabulary size, and the corpus counted in its tokens."""
    rows = [
        [
            name(tokenizer.name),
            count(tokenizer.vocabulary_size),
            count(sum(tokenizer.tokens.values())),
            f"{tokenizer.characters_per_token:.2f}",
        ]
        for tokenizer in run.tokenizers.values()
    ]
    header = ["Tokenizer", "Vocabulary", "Tokens in the corpus", "Characters a token"]
    return table(rows, header, numbers=header[1:])
