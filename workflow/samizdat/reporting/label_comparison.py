"""Compare samples with texts by the labels that classifiers give them."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from samizdat.base.language import numeral, say
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS
from samizdat.reporting import verdicts
from samizdat.reporting.classifiers import NONE_APPLIED
from samizdat.reporting.frames import Row, in_order, parts_of, rows_of
from samizdat.reporting.interval_charts import interval_line
from samizdat.reporting.label_shares import draw_label_shares, next_to_texts, shares_of_samples, shares_of_texts
from samizdat.reporting.outside import labelled, named, titled
from samizdat.reporting.run import Run
from samizdat.reporting.style import (
    DASHES,
    FAINT,
    Picture,
    described,
    legend_below,
    legend_label,
    panels_in_pairs,
    wrapped,
)
from samizdat.reporting.words import (
    NO_BREAK,
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
    percent,
    percent_interval,
    table,
)

NO_SAMPLES = (
    "No text of a published model began with nothing (`sampling.unprompted_samples` is 0), so nothing can be compared: "
    "a prompt would influence the labels of what follows."
)


def opening(run: Run) -> Prose:
    """Say for each classifier and model how far the samples' label shares are from those of the texts."""
    rows = verdicts.published(run.divergences)
    if rows.empty:
        return Prose(NO_SAMPLES if run.cards else NONE_APPLIED)
    return Prose("\n\n".join(_sentence(run, row) for row in rows_of(rows)))


def in_brief(run: Run, classifier: str) -> list[str]:
    """Say whether samples get the labels that texts get, in short, for each model: in words first, then in bits."""
    rows = verdicts.published(run.divergences)
    return [_brief(run, row) for row in rows_of(rows[rows["classifier"] == classifier])]


def _sentence(run: Run, row: Row) -> str:
    """Say one divergence with its interval and the label that differs most, and claim nothing that chance explains."""
    start = f"By the classifier {labelled(run, row['classifier'])}, "
    shares = (
        f"the label shares of the {counted(row['samples'], 'sample')}{of_model(run, row)} begun with nothing are "
        f"{_bits(row['observed_bits'])}{NO_BREAK}bits away from those of the texts"
    )
    if is_null(row["p_value"]):
        few = say(
            "Samples or texts are of fewer than {fewest} documents, too few for an interval and for a comparison.",
            fewest=FEWEST_DOCUMENTS,
        )
        return f"{start}{shares}. {few}"
    chance = f"{_bits(row['chance_bits'])}{NO_BREAK}bits"
    if _verdict(row) not in verdicts.unlike_texts(run):
        return (
            f"{start}no difference was found: {shares}, and chance alone brings less than {chance} in "
            f"{percent(run.confidence)} of draws. There may still be a difference of up to "
            f"{_bits(row['high'])}{NO_BREAK}bits."
        )
    of_samples, of_texts = _widest_gap(run, row)
    return (
        f"{start}samples and texts differ: {shares}, more than the {chance} that chance explains; without what chance "
        f"adds, the difference is {_bits(row['jensen_shannon_bits'])}{NO_BREAK}bits ({_bits(row['low'])} to "
        f"{_bits(row['high'])}). They are furthest "
        f"apart in {label(of_texts['label'])}, given to {_share(of_samples)} of the samples and {_share(of_texts)} of "
        "the texts."
    )


def _brief(run: Run, row: Row) -> str:
    """Say one divergence in short."""
    start = f"Labels of samples{of_model(run, row)} and of texts: "
    apart = f"divergence {_bits(row['observed_bits'])}{NO_BREAK}bits"
    if is_null(row["p_value"]):
        return f"{start}too few documents for a comparison ({apart})"
    apart += f"; by chance up to {_bits(row['chance_bits'])}"
    if _verdict(row) not in verdicts.unlike_texts(run):
        return f"{start}no difference found ({apart})"
    of_samples, of_texts = _widest_gap(run, row)
    return (
        f"{start}they differ, most in {label(of_texts['label'])}, given to {percent(of_samples['share'])} of the "
        f"samples and {percent(of_texts['share'])} of the texts ({apart})"
    )


def _share(row: Row) -> str:
    """Write a label's share with its interval."""
    return percent_interval(row["share"], row["low"], row["high"])


def _verdict(row: Row) -> tuple[str, str]:
    return row["classifier"], row["model"]


def of_model(run: Run, row: Row) -> str:
    """Name the model of a row where the run has several."""
    return say(" of {model}", model=label(row["model"])) if len(run.models) > 1 else ""


def at_temperature(run: Run, row: Row) -> str:
    """Name the temperature of a sample or measure, and the model where there are several."""
    temperature = say("temperature {temperature}", temperature=numeral(row["temperature"], "g"))
    return f"{temperature}{of_model(run, row)}"


def _bits(number: float) -> str:
    """Write a divergence with three decimal places, a small one with four."""
    if 0 < number < 0.00005:
        return "less than 0.0001"
    return f"{number:.3f}" if number >= 0.01 else f"{number:.4f}"


def _widest_gap(run: Run, row: Row) -> tuple[Row, Row]:
    """Find the label whose share differs most between samples and texts; return its share in both, as rows."""
    classifier, model = row["classifier"], row["model"]
    texts = {one["label"]: one for one in rows_of(shares_of_texts(run)) if one["classifier"] == classifier}
    shares = rows_of(shares_of_samples(run, "model"))
    samples = [one for one in shares if one["classifier"] == classifier and one["group"] == model]
    widest = max(samples, key=lambda one: abs(one["share"] - texts[one["label"]]["share"]))
    return widest, texts[widest["label"]]


def shares(run: Run) -> Picture | Prose:
    """Draw the label shares of the texts and of the published models' samples at each temperature, with intervals."""
    samples = shares_of_samples(run, "temperature")
    if samples.empty:
        return Prose(NO_SAMPLES if run.cards else NONE_APPLIED)
    names = in_order(samples["classifier"])
    return draw_label_shares(
        run,
        _finding(run, names),
        next_to_texts(shares_of_texts(run), samples, "samples, temperature {}"),
        names,
        kind=f"Points with {percent(run.confidence)} intervals",
        inches=(0.14, 0.1),
    )


def _finding(run: Run, names: list[str]) -> str:
    """Say as a title by which classifiers samples and texts differ by more than chance."""
    found = {classifier for classifier, _ in verdicts.unlike_texts(run)}
    if not found:
        return "No classifier’s label shares distinguish samples from texts"
    tell, rest = ([f"“{drawn(one)}”" for one in names if (one in found) == told] for told in (True, False))
    others = f"; those of {joined(rest)} do not" if rest else ""
    return f"The label shares of {joined(tell)} distinguish samples from texts{others}"


def by_training(run: Run) -> Picture | Prose:
    """Draw the divergence of samples from texts at each checkpoint, for the same prompts, with intervals."""
    rows = run.divergences[(run.divergences["begun_with"] == "prompts") & run.divergences["temperature"].isna()]
    if rows["percent"].nunique() < 2:
        return Prose(
            "There is no course of training to show: that needs a classifier (`classifiers`), prompts (`prompts`, "
            "`sampling.held_out_prompts`) and a checkpoint from before the end of training (`training.keep_percents`)."
        )
    title = _course_finding(run, rows)
    classifiers = parts_of(rows, "classifier")
    with panels_in_pairs(title, len(classifiers), 2.2, 0.5, sharey=True) as (picture, axes):
        for axis, (classifier, part) in zip(axes, classifiers.items(), strict=True):
            for series, (model, course) in enumerate(parts_of(part, "model").items()):
                _course(axis, course.sort_values("percent"), series, model)
            axis.set_title(wrapped(titled(run, classifier), 40))
            axis.set(xlabel="share of the training done, %", xlim=(0, 105))
            axis.set_ylim(0, 1.05 * np.nanmax(rows[["observed_bits", "high", "chance_bits"]].to_numpy(float)))
        axes[0].set_ylabel("divergence from the texts, bits")
        legend_below(picture, axes[0])
        kind = (
            f"Lines of the Jensen–Shannon divergence with {percent(run.confidence)} intervals; dotted is what chance "
            "explains"
        )
        picture.alternative_text = described(
            title,
            kind,
            [
                f"{drawn(titled(run, classifier))}, {drawn(model)}: "
                + ", ".join(f"{_best(row):.3f} bits at {row['percent']} %" for row in rows_of(course))
                for classifier, part in classifiers.items()
                for model, course in parts_of(part, "model").items()
            ],
        )
    return picture


def _best(row: Row) -> float:
    """Return a divergence without what chance adds, or as it was observed where there are too few documents."""
    return float(row["observed_bits"] if is_null(row["jensen_shannon_bits"]) else row["jensen_shannon_bits"])


def _course_finding(run: Run, rows: pd.DataFrame) -> str:
    """Say as a title whether the samples end nearer to the texts than they began, where the test shows it."""
    moved = [(last["classifier"], nearer) for last, nearer in verdicts.moved(run)]
    moves = {
        "nearer to the texts": [classifier for classifier, nearer in moved if nearer],
        "away from the texts": [classifier for classifier, nearer in moved if not nearer],
    }
    told = [
        f"{where} according to {joined(drawn(titled(run, one)) for one in dict.fromkeys(by))}"
        for where, by in moves.items()
        if by
    ]
    if not told:
        return "No classifier shows whether training moves the samples nearer to the texts"
    all_told = len(moved) == len(rows.groupby(["classifier", "model"]))
    elsewhere = "" if all_told else "; no other move can be distinguished from chance"
    return f"Training moves the samples {joined(told)}{elsewhere}"


def _course(axis: Axes, part: pd.DataFrame, series: int, model: str) -> None:
    """Draw the divergences of one model's checkpoints, and what chance explains."""
    interval_line(
        axis, part["percent"], part["jensen_shannon_bits"].fillna(part["observed_bits"]), part["low"], part["high"],
        series=series, label=legend_label(model, 30), linestyle=DASHES[series % len(DASHES)],
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
    """List every divergence with its interval and what chance explains."""
    begun = {"nothing": "nothing", "prompts": "the prompts"}
    rows = [
        [
            named(run, row["classifier"]),
            name(row["model"]),
            percent(row["percent"] / 100),
            begun[row["begun_with"]],
            "all" if is_null(row["temperature"]) else f"{row['temperature']:g}",
            count(row["samples"]),
            f"{row['observed_bits']:.4f}"
            + (
                ""
                if is_null(row["seeds_low"])
                else f"<br><small>seeds {bounds(row['seeds_low'], row['seeds_high'], 4)}</small>"
            ),
            "" if is_null(row["chance_bits"]) else f"{row['chance_bits']:.4f}",
            "" if is_null(row["p_value"]) else f"{row['p_value']:.3f}",
            ""
            if is_null(row["low"])
            else f"{row['jensen_shannon_bits']:.4f}<br><small>{bounds(row['low'], row['high'], 4)}</small>",
        ]
        for row in rows_of(run.divergences)
    ]
    header = ["Classifier", "Model", "Training", "Begun with", "Temperature", "Samples"]
    header += ["Bits", "Chance", "p", f"Bits without chance, with {percent(run.confidence)} interval"]
    return table(rows, header, numbers=header[4:]) if rows else Prose(NONE_APPLIED)
