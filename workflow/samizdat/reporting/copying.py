"""Answer on the first screen whether the model copies: runs of words of samples and of texts, and the longest copy."""

import numpy as np

from samizdat.base.escaping import isolated
from samizdat.base.language import message, numeral, say
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS
from samizdat.reporting import label_comparison, sample_quality
from samizdat.reporting.copied_passages import longest_copy
from samizdat.reporting.frames import Row
from samizdat.reporting.run import Run
from samizdat.reporting.style import FAINT, NARROW_INCHES, PALETTE, Picture, described, drawing, in_percent, wrapped
from samizdat.reporting.units import by_unit, how_found
from samizdat.reporting.words import Prose, exact_percent, joined, percent_interval

FEWEST_SHOWN = 0.05  # a share that the figure shows at least, so that its ticks differ
_COMPARED = {
    1: message("more than in texts by people"),
    -1: message("less than in texts by people"),
    0: message("no clear difference"),
    None: message("too few samples or documents to compare"),
}


def answer(run: Run) -> Prose:
    """Say whether samples copy more than people repeat each other, and show the longest copy beside its source."""
    real, rows = sample_quality.copying(run)
    if not real or not rows:
        return Prose(say("Too few samples begin with nothing, or too few texts are held out, to say."))
    more = [label_comparison.at_temperature(run, row) for row, relation in rows if relation == 1]
    verdict = (
        say(
            "**Yes, at {temperatures}: it repeats the training texts more often than new texts by people do.**",
            temperatures=joined(more),
        )
        if more
        else say("**Too few samples or documents to say: {fewest} of each are needed.**", fewest=FEWEST_DOCUMENTS)
        if any(relation is None for _, relation in rows)
        else say("**As far as can be seen, it repeats the training texts no more often than new texts by people do.**")
    )
    by_people = by_unit(
        run,
        message(
            "Of the held-out texts, which people wrote, {share} of the runs of four words{how_found} are also in the "
            "training texts."
        ),
        message(
            "Of the held-out texts, which people wrote, {share} of the runs of four syllables are also in the training "
            "texts."
        ),
        message(
            "Of the held-out texts, which people wrote, {share} of the runs of four pieces between blanks are also in "
            "the training texts."
        ),
    )
    by_model = say("Of the samples, which the model wrote (a higher temperature means more unlikely words):")
    found = [
        say(
            "- At {temperature}: {share}, {compared}.",
            temperature=label_comparison.at_temperature(run, row),
            share=_share(row),
            compared=say(_COMPARED[relation]),
        )
        for row, relation in rows
    ]
    said = say(by_people, share=_share(real), how_found=how_found(run))
    return Prose("\n\n".join([f"{verdict} {said} {by_model}", "\n".join(found), longest_copy(run)]))


def _share(row: Row) -> str:
    """Write a share with its interval."""
    return percent_interval(row["value"], row["low"], row["high"])


def chart(run: Run) -> Picture | None:
    """Draw the shares of copied runs of four words of held-out texts and of samples, with intervals."""
    real, rows = sample_quality.copying(run)
    if not real or not rows:
        return None
    named = [(say("held-out texts"), real)]
    named += [
        (
            say(
                "{who}, temperature {temperature}",
                who=row["model"] if len(run.models) > 1 else say("samples"),
                temperature=numeral(row["temperature"], "g"),
            ),
            row,
        )
        for row, _ in rows
    ]
    title = by_unit(
        run,
        say("Runs of four words that are also in the training texts"),
        say("Runs of four syllables that are also in the training texts"),
        say("Runs of four pieces between blanks that are also in the training texts"),
    )
    with drawing(title, 0.75 + 0.25 * len(named), width_inches=NARROW_INCHES) as (picture, [axis]):
        values, lows, highs = (np.array([row[key] for _, row in named]) for key in ("value", "low", "high"))
        distances = np.nan_to_num([values - lows, highs - values]).clip(min=0)
        axis.errorbar(values, range(len(named)), xerr=distances, fmt="none", ecolor=PALETTE[0], capsize=2)
        axis.scatter(values, range(len(named)), color=[FAINT, *[PALETTE[0]] * len(rows)], zorder=3, s=22)
        axis.set_yticks(range(len(named)), [wrapped(name, 24, 2) for name, _ in named])
        axis.set_ylim(len(named) - 0.5, -0.5)
        axis.set_xlim(0, max(axis.get_xlim()[1], FEWEST_SHOWN))
        axis.xaxis.set_major_formatter(in_percent())
        axis.tick_params(axis="y", length=0)
        axis.grid(visible=False, axis="y")
        axis.set_xlabel(
            wrapped(
                by_unit(
                    run,
                    say("copied runs of four words"),
                    say("copied runs of four syllables"),
                    say("copied runs of four pieces between blanks"),
                ),
                28,
            )
        )
        kind = say("Points with {confidence} intervals", confidence=exact_percent(run.confidence))
        picture.alternative_text = described(title, kind, [f"{isolated(name)}: {_share(row)}" for name, row in named])
    return picture
