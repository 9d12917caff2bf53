"""Samples against texts: whether the models write what they read, as far as the classifiers can tell."""

from typing import Any

import numpy as np
import pandas as pd

from samizdat.escaping import plain
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
    wrapped,
)
from samizdat.reporting.words import (
    NO_BREAK,
    Prose,
    Table,
    count,
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
    return Prose(" ".join(sentence(run, row) for row in rows.to_dict("records")))


def sentence(run: Run, row: dict[str, Any]) -> str:
    """One divergence, and the label that differs most, with care for what is not shown."""
    model = f" of {label(row['model'])}" if len(run.models) > 1 else ""
    chance = f"{bits(row['chance_bits'])}{NO_BREAK}bits"
    away = f"{bits(row['jensen_shannon_bits'])}{NO_BREAK}bits ({bits(row['low'])} to {bits(row['high'])})"
    start = (
        f"By the classifier {label(row['classifier'])}, the {count(row['samples'])} samples{model} begun with nothing "
        f"are {away} away from the texts"
    )
    if row["jensen_shannon_bits"] <= row["chance_bits"]:
        return (
            f"{start}: no difference was found, since as many texts drawn at random would stay below "
            f"{chance} in {percent(run.confidence)} of draws. A difference smaller than that may "
            "be there all the same."
        )
    found = _widest_gap(run, row)
    gap = f" Most of it is {found}." if found else ""
    return f"{start}, more than the {chance} that chance explains.{gap}"


def bits(number: float) -> str:
    """A divergence with three digits behind the point, a small one with four."""
    return f"{number:.3f}" if number >= 0.01 else f"{number:.4f}"


def _published(divergences: pd.DataFrame) -> pd.DataFrame:
    """The rows that hold all samples of a published model that began with nothing against the texts."""
    return divergences[(divergences["begun_with"] == "nothing") & divergences["temperature"].isna()]


def _widest_gap(run: Run, row: dict[str, Any]) -> str:
    """The label whose share differs most between samples and texts, with both shares."""
    shares = run.shares[run.shares["classifier"] == row["classifier"]]
    texts = shares[(shares["subset"] == "texts") & (shares["group_kind"] == "all")].set_index("label")
    samples = shares[(shares["group_kind"] == "model") & (shares["group"] == row["model"])].set_index("label")
    one = (samples["share"] - texts["share"]).abs().idxmax()
    of = {
        which: percent_interval(*frame.loc[one, ["share", "low", "high"]])
        for which, frame in (("s", samples), ("t", texts))
    }
    return f"{label(one)}, given to {of['s']} of the samples and {of['t']} of the texts"


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
    heights = [0.5 + len(labels[one]) * (0.16 + 0.11 * len(sets)) for one in names]
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
                    f"{plain(classifier)}, {words}: "
                    + ", ".join(f"{plain(one)} {percent(share)}" for one, share in some["share"].items())
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
    differing = [
        one for one in names if one in set(rows.loc[rows["jensen_shannon_bits"] > rows["chance_bits"], "classifier"])
    ]
    if not differing:
        return "No classifier tells samples from texts by its label shares"
    return f"Samples and texts differ in {joined(plain(one) for one in differing)}" + (
        "" if len(differing) == len(names) else "; no difference was found elsewhere"
    )


def by_training(run: Run) -> Picture | Prose:
    """The divergence of samples from texts at each checkpoint, all of the same prompts, with intervals."""
    rows = run.divergences[(run.divergences["begun_with"] == "prompts") & run.divergences["temperature"].isna()]
    if rows["percent"].nunique() < 2:
        return Prose(
            "Only the finished models wrote samples (`training.keep_percents` is [100]), so there is no course to show."
        )
    names = list(dict.fromkeys(rows["classifier"]))
    ends = [_ends(part) for _, part in rows.groupby(["classifier", "model"], sort=False)]
    nearer = sum(last["high"] < first["low"] for first, last in ends)
    title = (
        "With training, what the models write comes nearer to the texts"
        if nearer == len(ends)
        else "It can't be told whether training brings what the models write nearer to the texts"
        if nearer == 0
        else "Training brings what the models write nearer to the texts by some classifiers; by others it can't be told"
    )
    columns = min(2, len(names))
    lines = -(-len(names) // columns)
    with drawing(title, 0.6 + 2.3 * lines, rows=lines, columns=columns, sharey=True) as (picture, axes):
        for axis in axes[len(names) :]:
            axis.set_axis_off()
        descriptions = []
        for axis, classifier in zip(axes, names, strict=False):
            for series, (model, part) in enumerate(rows[rows["classifier"] == classifier].groupby("model", sort=False)):
                _course(axis, part.sort_values("percent"), series, model)
                descriptions.append(
                    f"{plain(classifier)}, {plain(model)}: "
                    + ", ".join(
                        f"{row['jensen_shannon_bits']:.3f} bits at {row['percent']} %"
                        for row in part.to_dict("records")
                    )
                )
            axis.set_title(wrapped(classifier, 40))
            axis.set(xlabel="share of the training done, %", xlim=(0, 105))
            axis.set_ylim(0, 1.05 * max(rows["high"].max(), rows["chance_bits"].max()))
        axes[0].set_ylabel("divergence from the texts, bits")
        axes[0].legend()
        picture.alternative_text = (
            f"{title}. Lines of the Jensen–Shannon divergence with {percent(run.confidence)} intervals; dotted is what "
            "chance explains. " + "; ".join(descriptions) + "."
        )
    return picture


def _ends(part: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """The rows of the earliest checkpoint and of the published model."""
    ordered = part.sort_values("percent")
    return ordered.iloc[0], ordered.iloc[-1]


def _course(axis: Any, part: pd.DataFrame, series: int, model: str) -> None:
    values = part["jensen_shannon_bits"]
    axis.errorbar(
        part["percent"], values, yerr=[(values - part["low"]).clip(lower=0), (part["high"] - values).clip(lower=0)],
        color=PALETTE[series % len(PALETTE)], marker=MARKERS[series % len(MARKERS)],
        linestyle=DASHES[series % len(DASHES)], elinewidth=1.2, capsize=2, label=wrapped(model, 30),
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
            f"{row['jensen_shannon_bits']:.4f}",
            f"{row['low']:.4f} to {row['high']:.4f}",
            f"{row['chance_bits']:.4f}",
        ]
        for row in run.divergences.to_dict("records")
    ]
    header = ["Classifier", "Model", "Training", "Begun with", "Temperature", "Samples"]
    header += ["Divergence (bits)", f"{percent(run.confidence)} interval", "Chance"]
    return table(rows, header, numbers=header[4:]) if rows else Prose(NONE_APPLIED)
