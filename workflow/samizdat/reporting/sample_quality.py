"""What the samples are worth: varied or looping, written or copied, near to real texts or told apart from them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from samizdat.base.escaping import quoted
from samizdat.records.samples import begun_with_nothing
from samizdat.reporting.classifiers import NONE_APPLIED, finish_labels
from samizdat.reporting.run import Run
from samizdat.reporting.style import (
    DASHES,
    PALETTE,
    Picture,
    drawing,
    in_percent,
    interval_points,
    legend_below,
    legend_label,
)
from samizdat.reporting.words import (
    NO_BREAK,
    Prose,
    Table,
    count,
    drawn,
    is_null,
    label,
    name,
    percent,
    percent_interval,
    table,
)

LONGEST_PASSAGE_CHARACTERS, LONGEST_NOTE_CHARACTERS = 120, 60
TICKS = [step * 10**power for power in range(5) for step in (1, 2, 5)]  # of a logarithmic axis of characters

# Metric → its heading, and how its value and interval are spelled.
SHARE, NUMBER, TWO_DIGITS = "share", "number", "two digits"
VARIETY = {
    "distinct_1": ("Distinct words", SHARE),
    "distinct_2": ("Distinct pairs", SHARE),
    "distinct_3": ("Distinct triples", SHARE),
    "self_bleu": ("Self-BLEU", TWO_DIGITS),
    "loop_share": ("In a loop", SHARE),
    "length_words": ("Words", NUMBER),
    "known_word_share": ("Known words", SHARE),
}
NEARNESS = {
    "copy_characters": ("Longest copy (characters)", NUMBER),
    "copied_ngram_share": ("Copied runs of four words", SHARE),
    "closeness": ("Closeness", TWO_DIGITS),
    "told_apart_area": ("Told apart (area)", TWO_DIGITS),
}


def opening(run: Run) -> Prose:
    """Whether the published models copy, and whether their samples can be told from held-out texts."""
    rows = _published(run)
    sentences = [
        found for _, part in rows.groupby(["model", "temperature"], sort=False) if (found := _sentence(run, part))
    ]
    return Prose(" ".join(sentences) or "Too few samples began with nothing to be held against held-out texts.")


def _sentence(run: Run, part: pd.DataFrame) -> str:
    found = {row["metric"]: row for row in part.to_dict("records")}
    real = _baseline(run, "copied_ngram_share")
    own, apart = found.get("copied_ngram_share"), found.get("told_apart_area")
    first = part.iloc[0]
    model = f" of {label(first['model'])}" if len(run.models) > 1 else ""
    words = []
    if own and real:
        relation = (
            "more than"
            if own["low"] > real["high"]
            else "less than"
            if _upper(own) < real["low"]
            else "not clearly different from"
        )
        words.append(
            f"{percent_interval(own['value'], own['low'], own['high'])} of all runs of four words stand in the "
            f"training texts, {relation} the {percent_interval(real['value'], real['low'], real['high'])} of "
            "held-out texts"
        )
    if apart:
        verdict = "tells them from held-out texts" if apart["p_value"] <= 1 - run.confidence else "finds no difference"
        words.append(
            f"a simple model {verdict} (area under the curve {_spelled(apart, TWO_DIGITS)}, "
            f"p{NO_BREAK}={NO_BREAK}{apart['p_value']:.3f})"
        )
    start = f"In the samples{model} at temperature {first['temperature']:g}, "
    return f"{start}{'; '.join(words)}." if words else ""


def _upper(row: dict[str, Any]) -> float:
    """The upper bound of a share; of a share of nothing, whose interval has no width, three in its texts."""
    return 3 / row["units"] if row["value"] == 0 else row["high"]


def variety(run: Run) -> Table:
    """How varied the samples are, beside held-out texts: published models, begun with nothing."""
    return _table(run, VARIETY, _published(run))


def nearness(run: Run) -> Table:
    """What is copied, and how near samples are to held-out texts: published models, begun with nothing."""
    return _table(run, NEARNESS, _published(run))


def by_checkpoint(run: Run) -> Table | Prose:
    """The same measures of what each checkpoint wrote behind the same prompts."""
    rows = run.sample_quality[run.sample_quality["begun_with"] == "prompts"]
    metrics = {key: value for key, value in (VARIETY | NEARNESS).items() if key in set(rows["metric"])}
    return _table(run, metrics, rows) if len(rows) else Prose("Too few samples began with a prompt to be measured.")


def _published(run: Run) -> pd.DataFrame:
    return run.sample_quality[run.sample_quality["begun_with"] == "nothing"]


def _baseline(run: Run, metric: str) -> dict[str, Any] | None:
    rows = run.sample_quality
    found = rows[(rows["subset"] == "held_out") & (rows["metric"] == metric)].to_dict("records")
    return found[0] if found else None


def _table(run: Run, metrics: dict[str, tuple[str, str]], rows: pd.DataFrame) -> Table:
    """A row for the held-out texts and for each set of samples, a column for each measure."""
    several = len(run.models) > 1
    steps = rows["percent"].nunique() > 1
    held_out = {metric: _baseline(run, metric) for metric in metrics}
    lines = [[name("held-out texts"), *([""] if steps else []), *_cells(metrics, held_out)]]
    for (model, percent_done, temperature), part in rows.groupby(["model", "percent", "temperature"], sort=False):
        found = {row["metric"]: row for row in part.to_dict("records")}
        who = name(f"{model if several else 'samples'}, at {temperature:g}")
        training = [percent(percent_done / 100)] if steps else []
        lines.append([who, *training, *_cells(metrics, found)])
    numbers = [*(["Training"] if steps else []), *(heading for heading, _ in metrics.values())]
    return table(lines, ["Texts", *numbers], numbers=numbers)


def _cells(metrics: dict[str, tuple[str, str]], found: dict[str, dict[str, Any] | None]) -> Iterator[str]:
    for metric, (_, kind) in metrics.items():
        row = found.get(metric)
        if row is None:
            yield "–"
            continue
        notes = [] if is_null(row["real_value"]) else [f"real texts {row['real_value']:.2f}"]
        notes += [] if is_null(row["p_value"]) else [f"p{NO_BREAK}={NO_BREAK}{row['p_value']:.3f}"]
        value, interval = _spelled(row, kind).split(" ", 1)
        notes.insert(0, interval.strip("()").replace(" ", NO_BREAK))
        yield value + "".join(f"<br><small>{note}</small>" for note in notes)


def _spelled(row: dict[str, Any], kind: str) -> str:
    value, low, high = row["value"], row["low"], row["high"]
    if kind == SHARE:
        return percent_interval(value, low, high)
    digits = 1 if kind == NUMBER else 2
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def copies(run: Run) -> Picture | Prose:
    """How long the longest copies are: of the published models' samples begun with nothing, and of held-out texts."""
    frame = run.copies
    chosen = begun_with_nothing(run.samples)
    sets = [("held-out texts", frame.loc[frame["subset"] == "held_out", "copy_characters"])]
    of_samples = frame[frame["subset"] == "samples"].set_index("id")["copy_characters"]
    several = len(run.models) > 1
    for (model, temperature), part in chosen.groupby(["model", "temperature"], sort=False):
        words = f"{drawn(model)}, temperature {temperature:g}" if several else f"samples, temperature {temperature:g}"
        sets.append((words, of_samples.loc[part["id"]]))
    sets = [(words, values) for words, values in sets if len(values)]
    if len(sets) < 2:
        return Prose("No published model wrote a text from nothing, so there are no copies to show.")
    real = _baseline(run, "copy_characters")
    longer = [row for row in _published(run).to_dict("records") if row["metric"] == "copy_characters"]
    more = [row for row in longer if real and row["low"] > real["high"]]
    title = (
        "The samples share longer passages with the training texts than real texts do"
        if longer and len(more) == len(longer)
        else "Some samples share longer passages with the training texts than real texts do"
        if more
        else "No samples clearly share longer passages with the training texts than real texts do"
    )
    with drawing(title, 3.2) as (picture, (axis,)):
        descriptions = []
        for series, (words, values) in enumerate(sets):
            lengths = np.sort(values.to_numpy()).clip(min=1)
            axis.step(
                lengths, 1 - np.arange(len(lengths)) / len(lengths), where="pre", label=legend_label(words, 40),
                color=PALETTE[series % len(PALETTE)], linestyle=DASHES[series % len(DASHES)],
            )  # fmt: skip
            half, most = np.quantile(lengths, [0.5, 1])
            descriptions.append(f"{words}: half of them {half:.0f} characters or more, the longest {most:.0f}")
        axis.set(xlabel="longest run of characters that stands in a training text", ylabel="texts with such a run")
        axis.set_ylim(0, 1.02)
        axis.set_xscale("log")
        axis.yaxis.set_major_formatter(in_percent())
        axis.set_xticks(TICKS, [count(tick) for tick in TICKS])
        axis.set_xticks([], minor=True)
        axis.set_xlim(*(np.quantile(np.concatenate([values.clip(lower=1) for _, values in sets]), [0, 1]) * [0.9, 1.1]))
        legend_below(picture, axis)
        picture.alternative_text = f"{title}. Falling lines. " + "; ".join(descriptions) + "."
    return picture


def copy_cell(run: Run, sample_id: str) -> str:
    """The longest passage that a sample shares with a training text, and how long it is."""
    passage, length = _copy(run, sample_id, LONGEST_PASSAGE_CHARACTERS)
    return f"{passage}{'<br>' if passage else ''}<small>{length}</small>" if length else ""


def copy_note(run: Run, sample_id: str) -> str:
    """The same for small print."""
    passage, length = _copy(run, sample_id, LONGEST_NOTE_CHARACTERS)
    return f"longest copy: {passage}{', ' if passage else ''}{length}" if length else ""


def _copy(run: Run, sample_id: str, longest: int) -> tuple[str, str]:
    """The passage, where texts may be shown, and its length beside the sample's; nothing where nothing is copied."""
    row = run.longest_copies.get(sample_id)
    if not row or not row["copy_characters"]:
        return "", ""
    passage = quoted(row["passage"].strip(), language=run.language, longest=longest) if run.publish_texts else ""
    return passage, f"{count(row['copy_characters'])}{NO_BREAK}of {count(row['characters'])} characters"


def shares_by_step(run: Run) -> Picture | Prose:
    """Label shares of what each checkpoint wrote behind the same prompts, beside the texts', with intervals."""
    frame = run.shares
    samples = frame[(frame["subset"] == "samples") & (frame["group_kind"] == "percent")]
    if samples.empty:
        return Prose("No checkpoint continued a prompt." if run.cards else NONE_APPLIED)
    names = list(dict.fromkeys(samples["classifier"]))
    percents = sorted(set(samples["group"]), key=int)
    sets = [("texts", frame[(frame["subset"] == "texts") & (frame["group_kind"] == "all")])]
    sets += [(f"samples after {value} %", samples[samples["group"] == value]) for value in percents]
    labels = {one: list(dict.fromkeys(frame.loc[frame["classifier"] == one, "label"])) for one in names}
    heights = [0.5 + len(labels[one]) * (0.16 + 0.11 * len(sets)) for one in names]
    title = _course_of_labels(samples, percents)
    with drawing(title, 0.8 + sum(heights), rows=len(names), height_ratios=heights) as (picture, axes):
        descriptions = []
        for axis, classifier in zip(axes, names, strict=True):
            for series, (words, part) in enumerate(sets):
                some = part[part["classifier"] == classifier].set_index("label").reindex(labels[classifier])
                places = np.arange(len(some)) + (series - (len(sets) - 1) / 2) * 0.65 / len(sets)
                interval_points(axis, places, some["share"], some["low"], some["high"], series=series, label=words)
                said = ", ".join(f"{drawn(one)} {percent(share)}" for one, share in some["share"].items())
                descriptions.append(f"{drawn(classifier)}, {words}: {said}")
            finish_labels(axis, labels[classifier], "share", classifier)
        legend_below(picture, axes[0])
        picture.alternative_text = f"{title}. Points with intervals. " + "; ".join(descriptions) + "."
    return picture


def _course_of_labels(samples: pd.DataFrame, percents: list[str]) -> str:
    """The label whose share changes most from first to last checkpoint, by more than the intervals, in words."""
    best = (0.0, "No label’s share changes in the course of training by more than the intervals allow")
    for (classifier, one), part in samples.groupby(["classifier", "label"], sort=False):
        shares = part.set_index("group")
        first, last = shares.loc[percents[0]], shares.loc[percents[-1]]
        lower, higher = (first, last) if first["share"] < last["share"] else (last, first)
        change = higher["share"] - lower["share"]
        if higher["low"] > lower["high"] and change > best[0]:
            words = (
                f"{drawn(classifier)} calls {percent(first['share'])} of the samples after {percents[0]} % of training"
            )
            best = (change, f"{words} “{drawn(one)}”, {percent(last['share'])} of those after {percents[-1]} %")
    return best[1]
