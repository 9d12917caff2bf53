"""The corpus: how much there is, where it comes from, what was left out."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from samizdat.escaping import escape, plain, quoted
from samizdat.records import LABEL_PREFIX
from samizdat.reporting.run import Run
from samizdat.reporting.style import HATCHES, INK, PALETTE, Picture, drawing, in_percent, wrapped
from samizdat.reporting.words import Prose, Table, count, counted, name, percent, table
from samizdat.seeds import derive_seed

# What the course asks of a corpus.
COURSE_TEXTS = (1_000, 50_000)
COURSE_GPT2_TOKENS = (200_000, 2_000_000)
SHOWN_GROUPS = 10
ALL = "all texts"


def opening(run: Run) -> Prose:
    """What the corpus is, in a paragraph."""
    corpus = run.corpus
    quantiles = corpus.length_quantiles_characters
    sentences = [
        f"The corpus holds {counted(corpus.texts, 'text')} from {counted(corpus.documents, 'document')}, "
        f"{counted(corpus.characters, 'character')} in all. Its source: {escape(corpus.source)}.",
        f"Half of the texts have between {count(quantiles['0.25'])} and {count(quantiles['0.75'])} characters; "
        f"the longest has {count(quantiles['1'])}.",
        f"{counted(corpus.splits.get('validation', 0), 'text')} were held out from all training; texts of one "
        "document are never on both sides.",
    ]
    return Prose(" ".join([*sentences, _limits(run)]))


def _limits(run: Run) -> str:
    """Whether the corpus is as large as the course asks, as far as that was counted."""
    size = _within(run.corpus.texts, COURSE_TEXTS, "text")
    gpt2 = [item["name"] for item in run.config["tokenizers"] if item["source"] == "gpt2"]
    if not gpt2:
        return f"Of what the course asks, {size}; GPT-2's own tokens were not counted in this run."
    # Without the boundary tokens, which are not the texts' own.
    tokens = sum(run.tokenizers[gpt2[0]].tokens.values()) - run.corpus.texts
    return f"Of what the course asks, {size}, and {_within(tokens, COURSE_GPT2_TOKENS, 'GPT-2 token')}."


def _within(number: int, limits: tuple[int, int], unit: str) -> str:
    low, high = limits
    verdict = "too few" if number < low else "too many" if number > high else "within bounds"
    return f"{counted(number, unit)} are {verdict} ({count(low)} to {count(high)})"


def groups(run: Run) -> Table:
    """Texts, splits, lengths and human labels of each group, and of all texts."""
    texts = run.texts
    columns = [column for column in texts if column.startswith(LABEL_PREFIX)]
    # A label that only says the group again is no news in a table by group.
    columns = [column for column in columns if not texts[column].equals(texts["group"])]
    headings = {column: _labels(texts, column) for column in columns}
    header = ["Group", "Texts", "Documents", "Held out", "Median length"]
    header += [f"{escape(label_name)}" for labels in headings.values() for label_name in labels]
    parts = [(name(group), part) for group, part in texts.groupby("group")]
    rows = []
    for heading, part in [*parts, ("**All**", texts)]:
        row = [
            heading,
            count(len(part)),
            count(part["document"].nunique()),
            percent((part["split"] == "validation").mean(), 1),
            count(part["text"].str.len().median()),
        ]
        for column, labels in headings.items():
            given = part[column].dropna()
            row += [percent((given == label_name).mean()) if len(given) else "" for label_name in labels]
        rows.append(row)
    return table(rows, header, numbers=header[1:])


def _labels(texts: pd.DataFrame, column: str) -> list[str]:
    """The most frequent labels of a column, in the order of their names; at most six fit a table."""
    return sorted(texts[column].value_counts().index[:6])


def lengths(run: Run) -> Picture:
    """How long texts are, a box for each group."""
    texts = run.texts
    frame = pd.DataFrame({"characters": texts["text"].str.len(), "group": texts["group"].fillna(ALL)})
    largest = frame["group"].value_counts().index[:SHOWN_GROUPS]
    frame = frame[frame["group"].isin(largest)]
    quantiles = frame.groupby("group")["characters"].quantile([0.05, 0.25, 0.5, 0.75, 0.95]).unstack()
    quantiles = quantiles.sort_values(0.5, kind="stable")
    if len(quantiles) > 1:
        short, long = quantiles.index[0], quantiles.index[-1]
        title = (
            f"Shortest are the texts of “{plain(short)}” (median {quantiles.at[short, 0.5]:,.0f} characters), "
            f"longest those of “{plain(long)}” ({quantiles.at[long, 0.5]:,.0f})"
        )
    else:
        title = f"Half of the texts have up to {quantiles[0.5].iloc[0]:,.0f} characters"
    with drawing(title, 1.1 + 0.32 * len(quantiles)) as (picture, [axis]):
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
        axis.set_yticks(range(len(quantiles)), [wrapped(group, 24) for group in quantiles.index])
        axis.grid(visible=False, axis="y")
        axis.set(
            xlabel="length of a text, characters (logarithmic); boxes: half of the texts, lines: nine of ten", ylabel=""
        )
        picture.alternative_text = (
            f"{title}. Boxes on a logarithmic scale; medians with the middle half: "
            + "; ".join(
                f"{plain(group)} {row[0.5]:,.0f} ({row[0.25]:,.0f} to {row[0.75]:,.0f})"
                for group, row in quantiles.iterrows()
            )
            + " characters."
        )
    return picture


def human_labels(run: Run) -> Picture | Prose:
    """How often people gave each label, as one bar for each label column and group."""
    texts = run.texts
    columns = [
        column for column in texts if column.startswith(LABEL_PREFIX) and not texts[column].equals(texts["group"])
    ]
    columns = [column for column in columns if 1 < texts[column].nunique() <= len(PALETTE)]
    if not columns:
        return Prose("The corpus brings no labels that people gave, or more of them than a figure can show.")
    bars = [(ALL, texts)]
    bars += [(group, texts[texts["group"] == group]) for group in texts["group"].value_counts().index[:SHOWN_GROUPS]]
    column = plain(columns[0].removeprefix(LABEL_PREFIX))
    first = texts[columns[0]].value_counts(normalize=True)
    title = f"The most frequent {column} is “{plain(first.index[0])}”: {percent(first.iloc[0])} of the texts"
    height = 0.9 + len(columns) * (0.55 + 0.3 * len(bars))
    with drawing(title, height, rows=len(columns)) as (picture, axes):
        descriptions = []
        for axis, column in zip(axes, columns, strict=True):
            names = sorted(texts[column].dropna().unique())
            shares = pd.DataFrame(
                {group: part[column].value_counts(normalize=True).reindex(names, fill_value=0) for group, part in bars}
            )
            left = np.zeros(len(bars))
            for series, label_name in enumerate(names):
                values = shares.loc[label_name].to_numpy()
                drawn = axis.barh(
                    range(len(bars)), values, left=left, height=0.72, edgecolor="white", linewidth=0.8,
                    color=sns.desaturate(PALETTE[series], 0.85), hatch=HATCHES[series], label=wrapped(label_name, 30),
                )  # fmt: skip
                texts_in_bars = [f"{percent(value)}" if value >= 0.06 else "" for value in values]
                axis.bar_label(
                    drawn,
                    texts_in_bars,
                    label_type="center",
                    fontsize=7.5,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85},
                )
                left += values
            axis.set_yticks(range(len(bars)), [wrapped(group, 24) for group, _ in bars])
            axis.invert_yaxis()
            axis.set(xlim=(0, 1), xlabel=f"share of texts with a label for {plain(column.removeprefix(LABEL_PREFIX))}")
            axis.xaxis.set_major_formatter(in_percent())
            axis.grid(visible=False)
            axis.legend(ncols=min(len(names), 5), loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
            descriptions += [
                f"{plain(group)}: "
                + ", ".join(f"{plain(label_name)} {percent(share)}" for label_name, share in shares[group].items())
                for group, _ in bars
            ]
        picture.alternative_text = f"{title}. Stacked bars. " + "; ".join(descriptions) + "."
    return picture


def examples(run: Run) -> Table | Prose:
    """Some texts as they are, two of each group, drawn by the run's seed; nothing where texts may not be shown."""
    if not run.publish_texts:
        return Prose("The texts themselves are not published, so none is shown here or anywhere else in this report.")
    texts = run.texts.assign(group=run.texts["group"].fillna(""))
    order = texts["id"].map(lambda key: derive_seed(run.config["seed"], "examples", key))
    drawn = texts.assign(order=order).sort_values("order").groupby("group").head(2).sort_values(["group", "order"])
    columns = [
        column for column in texts if column.startswith(LABEL_PREFIX) and not texts[column].equals(run.texts["group"])
    ]
    grouped = bool(run.texts["group"].notna().any())
    rows = [
        [
            *([name(row["group"])] if grouped else []),
            quoted(row["text"], language=run.language),
            *(name(row[column]) for column in columns),
        ]
        for row in drawn.head(2 * SHOWN_GROUPS).to_dict("records")
    ]
    labels = [escape(column.removeprefix(LABEL_PREFIX).capitalize()) for column in columns]
    return table(rows, [*(["Group"] if grouped else []), "Text", *labels])


def dropped(run: Run) -> Prose:
    """What was read and not kept, and why."""
    corpus = run.corpus
    if not corpus.dropped:
        return Prose(f"All {counted(corpus.read, 'text')} that were read were kept.")
    reasons = "; ".join(f"{count(number)} × {escape(reason)}" for reason, number in sorted(corpus.dropped.items()))
    return Prose(f"Of {counted(corpus.read, 'text')}, {count(corpus.texts)} were kept. Left out: {reasons}.")


def vocabulary(run: Run) -> Table:
    """Each tokenizer's vocabulary and what the corpus is in its tokens."""
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
