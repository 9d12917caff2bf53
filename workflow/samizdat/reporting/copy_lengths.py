"""Draw how long the longest passages are that samples and held-out texts share with training texts."""

import numpy as np
from matplotlib.axes import Axes

from samizdat.base.language import numeral, say
from samizdat.records.samples import begun_with_nothing
from samizdat.reporting import verdicts
from samizdat.reporting.frames import rows_of
from samizdat.reporting.run import Run
from samizdat.reporting.sample_quality import baseline, published
from samizdat.reporting.style import (
    DASHES,
    PALETTE,
    Picture,
    described,
    drawing,
    in_percent,
    legend_below,
    legend_label,
)
from samizdat.reporting.words import Prose, count, counted, drawn, is_null, joined

TICKS = [step * 10**power for power in range(5) for step in (1, 2, 5)]  # of a logarithmic axis of characters


def lengths(run: Run) -> Picture | Prose:
    """Draw how long the longest copies in unprompted samples of published models and in held-out texts are."""
    sets = _lengths(run)
    if len(sets) < 2:
        return Prose(say("No text of a published model began with nothing, so there are no copies to show."))
    title = _copies_finding(run)
    with drawing(title, 2.7) as (picture, (axis,)):
        descriptions = []
        for series, (words, values) in enumerate(sets):
            lengths, shares = np.sort(values), 1 - np.arange(len(values)) / len(values)
            some = lengths > 0  # a text without a run has a share in the others' heights alone
            axis.step(
                lengths[some], shares[some], where="pre", label=legend_label(words, 40),
                color=PALETTE[series % len(PALETTE)], linestyle=DASHES[series % len(DASHES)],
            )  # fmt: skip
            half, most = np.quantile(values, [0.5, 1])
            descriptions.append(
                say(
                    "{texts}: half of them {half} or more, the longest {longest}",
                    texts=words,
                    half=counted(round(half), "character", "characters"),
                    longest=numeral(most, ".0f"),
                )
            )
        _finish_copies(axis, np.concatenate([values for _, values in sets]))
        legend_below(picture, axis)
        picture.alternative_text = described(title, say("Falling lines"), descriptions)
    return picture


def _lengths(run: Run) -> list[tuple[str, np.ndarray]]:
    """Return the lengths of the longest copies, in characters, with words for the legend; no set is empty."""
    frame = run.copies
    sets = [(say("held-out texts"), frame.loc[frame["subset"] == "held_out", "copy_characters"])]
    of_samples = frame[frame["subset"] == "samples"].set_index("id")["copy_characters"]
    several = len(run.models) > 1
    for (model, _), part in begun_with_nothing(run.samples).groupby(["model", "temperature"], sort=False):
        words = say(
            "{who}, temperature {temperature}",
            who=drawn(str(model)) if several else say("samples"),
            temperature=numeral(part["temperature"].iloc[0], "g"),
        )
        sets.append((words, of_samples.loc[part["id"]]))
    return [(words, values.to_numpy()) for words, values in sets if len(values)]


def _copies_finding(run: Run) -> str:
    """Say as a title whether samples share longer passages with the training texts than held-out texts do."""
    real = baseline(run, "copy_characters")
    measured = [row for row in rows_of(published(run)) if row["metric"] == "copy_characters"]
    if all(is_null(row["p_value"]) for row in measured):
        return say(
            "Too few samples or documents to say whether samples share longer passages with the training texts than "
            "real texts do"
        )
    longer = [
        row for row in verdicts.off_held_out(run, "copy_characters").values() if real and row["value"] > real["value"]
    ]
    if not longer:
        return say("No samples clearly share longer passages with the training texts than real texts do")
    if len(longer) == len(measured):
        return say("The samples share longer passages with the training texts than real texts do")
    several = len(run.models) > 1
    names = [
        numeral(row["temperature"], "g") + (say(" of {model}", model=drawn(row["model"])) if several else "")
        for row in longer
    ]
    return say(
        "Only the samples at temperature {temperatures} share longer passages with the training texts than real texts "
        "do",
        temperatures=joined(names),
    )


def _finish_copies(axis: Axes, lengths: np.ndarray) -> None:
    """Label the axes of the figure of copies, and fit the horizontal one to all lengths."""
    axis.set(
        xlabel=say("longest run of characters that is also in a training text"), ylabel=say("texts with such a run")
    )
    axis.set_ylim(0, 1.02)
    axis.set_xscale("log")
    axis.yaxis.set_major_formatter(in_percent())
    axis.set_xticks(TICKS, [count(tick) for tick in TICKS])
    axis.set_xticks([], minor=True)
    axis.set_xlim(*(np.quantile(lengths.clip(min=1), [0, 1]) * [0.9, 1.1]))
