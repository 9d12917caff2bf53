"""Draw the label shares of what each checkpoint wrote, beside those of the texts."""

import pandas as pd

from samizdat.base.language import message, say
from samizdat.records.samples import begun_with_prompts
from samizdat.reporting import verdicts
from samizdat.reporting.classifiers import NONE_APPLIED
from samizdat.reporting.frames import in_order, parts_of
from samizdat.reporting.label_shares import draw_label_shares, shares_of_samples, shares_of_texts
from samizdat.reporting.outside import titled
from samizdat.reporting.run import Run
from samizdat.reporting.style import Picture
from samizdat.reporting.trained_model import is_earlier, written_after
from samizdat.reporting.words import Prose, drawn, exact_percent, percent


def shares_by_step(run: Run) -> Picture | Prose:
    """Draw the label shares of the texts and of what each checkpoint wrote after the same prompts, with intervals."""
    samples = shares_of_samples(run, "percent")
    if samples.empty:
        if not run.cards:
            return Prose(say(NONE_APPLIED))
        prompted = begun_with_prompts(run.samples)
        without = message("No sample of a prompt was given a label.")
        return Prose(say(message("No checkpoint continued a prompt.") if prompted.empty else without))
    steps = sorted(parts_of(samples, "group").items(), key=lambda item: int(item[0]))
    return draw_label_shares(
        run,
        _course_of_labels(run, samples),
        {say("texts"): shares_of_texts(run)} | {written_after(run, step): rows for step, rows in steps},
        in_order(samples["classifier"]),
        kind=say("Points with {confidence} intervals", confidence=exact_percent(run.confidence)),
        inches=(0.12, 0.08),
    )


def _course_of_labels(run: Run, samples: pd.DataFrame) -> str:
    """Say as a title which label's share changes most between the first and the last checkpoint, where one does."""
    percents = sorted(set(samples["group"]), key=int)
    first, last = (set(samples.loc[samples["group"] == percents[place], "classifier"]) for place in (0, -1))
    earlier = [any(is_earlier(model, one) for model in run.models.values()) for one in (percents[0], percents[-1])]
    if len(percents) < 2 or first.isdisjoint(last) or earlier[0]:
        return say("Label shares of the texts and of what was written after the same prompts")
    found = verdicts.changed_labels(run)
    if not found:
        return say("No label’s share changes in the course of training by more than chance explains")
    before, after = max(found, key=lambda pair: abs(pair[1]["share"] - pair[0]["share"]))
    words = (
        message(
            "{classifier} calls {first} of the samples after {first_percent} % of training “{label}”, {last} of those "
            "with the published weights"
        )
        if earlier[1]
        else message(
            "{classifier} calls {first} of the samples after {first_percent} % of training “{label}”, {last} of those "
            "after {last_percent} %"
        )
    )
    return say(
        words,
        classifier=drawn(titled(run, before["classifier"])),
        first=percent(before["share"]),
        first_percent=percents[0],
        label=drawn(before["label"]),
        last=percent(after["share"]),
        last_percent=percents[-1],
    )
