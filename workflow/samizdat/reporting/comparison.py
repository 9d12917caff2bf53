"""Samples against texts: whether the models write what they read, as far as the classifiers can tell."""

from typing import Any

import numpy as np
import pandas as pd

from samizdat.reporting.classifiers import NONE_APPLIED, finish_labels
from samizdat.reporting.run import Run
from samizdat.reporting.style import (
    DASHES,
    FAINT,
    MARKERS,
    PALETTE,
    Picture,
    drawing,
    interval_points,
    legend_below,
    legend_label,
    wrapped,
)
from samizdat.reporting.words import (
    NO_BREAK,
    Prose,
    Table,
    count,
    counted,
    drawn,
    is_null,
    joined,
    label,
    name,
    percent,
    percent_interval,
    table,
)

NO_SAMPLES = (
    "No published model wrote a text from nothing (`sampling.unprompted_samples` is 0), so nothing can be compared: "
    "a prompt would lend its own labels to what follows."
)


def opening(run: Run) -> Prose:
    """For each classifier and model, how far the samples' label shares are from the texts', in words."""
    rows = _published(run.divergences)
    if rows.empty:
        return Prose(NO_SAMPLES if run.cards else NONE_APPLIED)
    return Prose("\n\n".join(_sentence(run, row) for row in rows.to_dict("records")))


def in_brief(run: Run) -> list[str]:
    """The same in a short sentence for each classifier and model; none where nothing was compared."""
    return [_brief(run, row) for row in _published(run.divergences).to_dict("records")]


def _sentence(run: Run, row: dict[str, Any]) -> str:
    """One divergence with its interval, and the label that differs most, with care for what is not shown."""
    start = f"By the classifier {label(row['classifier'])}, "
    shares = (
        f"the label shares of the {counted(row['samples'], 'sample')}{_of_model(run, row)} begun with nothing are "
        f"{_bits(row['jensen_shannon_bits'])}{NO_BREAK}bits ({_bits(row['low'])} to {_bits(row['high'])}) away from "
        "those of the texts"
    )
    chance = f"{_bits(row['chance_bits'])}{NO_BREAK}bits"
    if not _differs(row):
        return (
            f"{start}no difference was found: {shares}, and as many texts drawn at random stay below {chance} in "
            f"{percent(run.confidence)} of draws. A difference smaller than that may be there all the same."
        )
    one, of_samples, of_texts = _widest_gap(run, row)
    return (
        f"{start}samples and texts differ: {shares}, more than the {chance} that chance explains. They are furthest "
        f"apart in {label(one)}, given to {percent_interval(*of_samples)} of the samples and "
        f"{percent_interval(*of_texts)} of the texts."
    )


def _brief(run: Run, row: dict[str, Any]) -> str:
    found, chance = _bits(row["jensen_shannon_bits"]), _bits(row["chance_bits"])
    start = f"By {label(row['classifier'])}, "
    if not _differs(row):
        return (
            f"{start}no difference was found between samples{_of_model(run, row)} and texts: they are {found}"
            f"{NO_BREAK}bits apart, and chance explains up to {chance}."
        )
    one, of_samples, of_texts = _widest_gap(run, row)
    return (
        f"{start}samples{_of_model(run, row)} and texts differ: they are {found}{NO_BREAK}bits apart, where chance "
        f"explains up to {chance}. Furthest apart is {label(one)}, given to {percent(of_samples[0])} of the samples "
        f"and {percent(of_texts[0])} of the texts."
    )


def _differs(row: dict[str, Any] | pd.Series) -> bool:
    """Whether chance does not explain the divergence."""
    return row["jensen_shannon_bits"] > row["chance_bits"]


def _of_model(run: Run, row: dict[str, Any]) -> str:
    return f" of {label(row['model'])}" if len(run.models) > 1 else ""


def _bits(number: float) -> str:
    """A divergence with three digits behind the point, a small one with four."""
    if 0 < number < 0.00005:
        return "less than 0.0001"
    return f"{number:.3f}" if number >= 0.01 else f"{number:.4f}"


def _published(divergences: pd.DataFrame) -> pd.DataFrame:
    """The rows that hold all samples of a published model that began with nothing against the texts."""
    return divergences[(divergences["begun_with"] == "nothing") & divergences["temperature"].isna()]


def _widest_gap(run: Run, row: dict[str, Any]) -> tuple[str, list[float], list[float]]:
    """The label whose share differs most between samples and texts, with both shares and their bounds."""
    shares = run.shares[run.shares["classifier"] == row["classifier"]]
    texts = shares[(shares["subset"] == "texts") & (shares["group_kind"] == "all")].set_index("label")
    samples = shares[(shares["group_kind"] == "model") & (shares["group"] == row["model"])].set_index("label")
    one = (samples["share"] - texts["share"]).abs().idxmax()
    bounds = ["share", "low", "high"]
    return one, samples.loc[one, bounds].tolist(), texts.loc[one, bounds].tolist()


def shares(run: Run) -> Picture | Prose:
    """Label shares of the texts and of the published models' samples at each temperature, with intervals."""
    frame = run.shares
    samples = frame[(frame["subset"] == "samples") & (frame["group_kind"] == "temperature")]
    if samples.empty:
        return Prose(NO_SAMPLES if run.cards else NONE_APPLIED)
    names = list(dict.fromkeys(samples["classifier"]))
    temperatures = sorted(set(samples["group"]), key=float)
    sets = [("texts", frame[(frame["subset"] == "texts") & (frame["group_kind"] == "all")])]
    sets += [(f"samples, temperature {value}", samples[samples["group"] == value]) for value in temperatures]
    labels = {one: list(dict.fromkeys(frame.loc[frame["classifier"] == one, "label"])) for one in names}
    heights = [0.5 + len(labels[one]) * (0.2 + 0.11 * len(sets)) for one in names]
    title = _finding(run, names)
    with drawing(title, 0.8 + sum(heights), rows=len(names), height_ratios=heights) as (picture, axes):
        descriptions = []
        for axis, classifier in zip(axes, names, strict=True):
            for series, (words, part) in enumerate(sets):
                some = part[part["classifier"] == classifier].set_index("label").reindex(labels[classifier])
                offset = (series - (len(sets) - 1) / 2) * 0.65 / len(sets)
                interval_points(
                    axis,
                    np.arange(len(some)) + offset,
                    some["share"],
                    some["low"],
                    some["high"],
                    series=series,
                    label=words,
                )
                descriptions.append(
                    f"{drawn(classifier)}, {words}: "
                    + ", ".join(f"{drawn(one)} {percent(share)}" for one, share in some["share"].items())
                )
            finish_labels(axis, labels[classifier], "share", classifier)
        legend_below(picture, axes[0])
        picture.alternative_text = (
            f"{title}. Points with {percent(run.confidence)} intervals. " + "; ".join(descriptions) + "."
        )
    return picture


def _finding(run: Run, names: list[str]) -> str:
    """Where samples and texts differ by more than chance, in a title."""
    rows = _published(run.divergences)
    found = {row["classifier"] for row in rows.to_dict("records") if _differs(row)}
    if not found:
        return "No classifier tells samples from texts by its label shares"
    tell, rest = ([f"“{drawn(one)}”" for one in names if (one in found) == told] for told in (True, False))
    others = f"; those of {joined(rest)} do not" if rest else ""
    return f"The labels of {joined(tell)} tell samples from texts{others}"


def by_training(run: Run) -> Picture | Prose:
    """The divergence of samples from texts at each checkpoint, all of the same prompts, with intervals."""
    rows = run.divergences[(run.divergences["begun_with"] == "prompts") & run.divergences["temperature"].isna()]
    if rows["percent"].nunique() < 2:
        return Prose(
            "There is no course to show: it takes a classifier (`classifiers`), prompts (`prompts`, "
            "`sampling.held_out_prompts`) and a checkpoint from before the end of training (`training.keep_percents`)."
        )
    names = list(dict.fromkeys(rows["classifier"]))
    title = _course_finding(rows)
    columns = min(2, len(names))
    lines = -(-len(names) // columns)
    with drawing(title, 0.9 + 2.3 * lines, rows=lines, columns=columns, sharey=True) as (picture, axes):
        for axis in axes[len(names) :]:
            axis.set_axis_off()
        descriptions = []
        for axis, classifier in zip(axes, names, strict=False):
            for series, (model, part) in enumerate(rows[rows["classifier"] == classifier].groupby("model", sort=False)):
                _course(axis, part.sort_values("percent"), series, model)
                descriptions.append(
                    f"{drawn(classifier)}, {drawn(model)}: "
                    + ", ".join(
                        f"{row['jensen_shannon_bits']:.3f} bits at {row['percent']} %"
                        for row in part.to_dict("records")
                    )
                )
            axis.set_title(wrapped(classifier, 40))
            axis.set(xlabel="share of the training done, %", xlim=(0, 105))
            axis.set_ylim(0, 1.05 * max(rows["high"].max(), rows["chance_bits"].max()))
        axes[0].set_ylabel("divergence from the texts, bits")
        legend_below(picture, axes[0])
        picture.alternative_text = (
            f"{title}. Lines of the Jensen–Shannon divergence with {percent(run.confidence)} intervals; dotted is what "
            "chance explains. " + "; ".join(descriptions) + "."
        )
    return picture


def _course_finding(rows: pd.DataFrame) -> str:
    """Whether the samples end nearer to the texts than they began, as far as the intervals tell, in a title."""
    ordered = [part.sort_values("percent") for _, part in rows.groupby(["classifier", "model"], sort=False)]
    ends = [(part.iloc[0], part.iloc[-1]) for part in ordered]
    moves = {
        "nearer to the texts": [first["classifier"] for first, last in ends if last["high"] < first["low"]],
        "away from the texts": [first["classifier"] for first, last in ends if last["low"] > first["high"]],
    }
    told = [f"{where} by {joined(drawn(one) for one in dict.fromkeys(by))}" for where, by in moves.items() if by]
    if not told:
        return "No classifier tells whether training brings the samples nearer to the texts"
    elsewhere = "" if sum(map(len, moves.values())) == len(ends) else "; elsewhere no move can be told from chance"
    return f"Training moves the samples {joined(told)}{elsewhere}"


def _course(axis: Any, part: pd.DataFrame, series: int, model: str) -> None:
    values = part["jensen_shannon_bits"]
    axis.errorbar(
        part["percent"], values, yerr=[(values - part["low"]).clip(lower=0), (part["high"] - values).clip(lower=0)],
        color=PALETTE[series % len(PALETTE)], marker=MARKERS[series % len(MARKERS)],
        linestyle=DASHES[series % len(DASHES)], elinewidth=1.2, capsize=2, label=legend_label(model, 30),
    )  # fmt: skip
    axis.plot(
        part["percent"],
        part["chance_bits"],
        color=FAINT,
        linestyle=":",
        linewidth=1.1,
        label="what chance explains" if series == 0 else None,
    )


def divergences(run: Run) -> Table | Prose:
    """Every divergence with its interval and what chance explains."""
    begun = {"nothing": "nothing", "prompts": "the prompts"}
    rows = [
        [
            name(row["classifier"]),
            name(row["model"]),
            percent(row["percent"] / 100),
            begun[row["begun_with"]],
            "all" if is_null(row["temperature"]) else f"{row['temperature']:g}",
            count(row["samples"]),
            f"{row['jensen_shannon_bits']:.4f}<br><small>{row['low']:.4f} to {row['high']:.4f}</small>",
            f"{row['chance_bits']:.4f}",
        ]
        for row in run.divergences.to_dict("records")
    ]
    header = ["Classifier", "Model", "Training", "Begun with", "Temperature", "Samples"]
    header += [f"Bits, with {percent(run.confidence)} interval", "Chance"]
    return table(rows, header, numbers=header[4:]) if rows else Prose(NONE_APPLIED)
