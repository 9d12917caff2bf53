"""Answer the four questions of the first screen: what was learned, copied, written, and found by the classifiers."""

from collections.abc import Iterator

import numpy as np

from samizdat.base.escaping import escape, isolated, shortened
from samizdat.base.language import message, numeral, plural, say
from samizdat.records.classifiers import MULTI_LABEL, SINGLE_LABEL
from samizdat.reporting import (
    agreement,
    classifiers,
    fitness,
    label_comparison,
    numbers,
    raters,
    sample_quality,
    several_labels,
)
from samizdat.reporting.copied_passages import longest_copy, with_copy_marked
from samizdat.reporting.frames import Row, in_order, parts_of, rows_of
from samizdat.reporting.held_out_loss import best_model, bytes_per_character
from samizdat.reporting.label_shares import shares_in_words, shares_of_samples, shares_of_texts, stacked_bars
from samizdat.reporting.outside import titled
from samizdat.reporting.run import Run
from samizdat.reporting.samples import unprompted
from samizdat.reporting.style import FAINT, PALETTE, Picture, described, drawing, in_percent, wrapped
from samizdat.reporting.trained_model import millions
from samizdat.reporting.units import by_unit, how_found
from samizdat.reporting.words import Prose, counted, drawn, joined, label, percent, percent_interval
from samizdat.reporting.yardsticks import YARDSTICKS, compared_with_yardsticks

# Two pictures are next to each other on a wide page, and one fits a phone.
NARROW_INCHES = 3.6
LONGEST_SAMPLE_CHARACTERS = 220
SHOWN_GROUPS = 4
FEWEST_SHOWN = 0.05  # a share that the figure of copies shows at least, so that its ticks differ
_COMPARED = {
    1: message("more than in texts by people"),
    -1: message("less than in texts by people"),
    0: message("no clear difference"),
    None: message("too few documents to compare"),
}


def learning(run: Run) -> Prose:
    """Say whether the best model learned: its bits per byte before and after training, and those of yardsticks."""
    best = best_model(run)
    before, after = _before(run, best.name), best.test_bits_per_byte
    learned = best.validation_bits_per_byte < before
    verdict = say("**Yes, on these texts.**") if learned else say("**No, on these texts.**")
    if learned and run.yardsticks["ngram"]["bits_per_byte"] < after:
        verdict = say("**Yes, on these texts, though a model that only counts needs fewer bits.**")
    needed = say(
        "{who} ({parameters} parameters, {texts}) needs **{bits}\u00a0bits** for each byte of the held-out texts "
        "({character_bits} for each character), which it has not seen; before training it needed {bits_before} (for "
        "the validation texts). Fewer bits mean better predictions.",
        who=_who(run, best.name),
        parameters=millions(best.parameters),
        texts=counted(run.corpus.splits.get("train", 0), "training text", "training texts"),
        bits=numeral(after, ".2f"),
        character_bits=numeral(after * bytes_per_character(run), ".2f"),
        bits_before=numeral(before, ".2f"),
    )
    return Prose(f"{verdict} {needed} {compared_with_yardsticks(run, after)}")


def _who(run: Run, best: str) -> str:
    """Name the model that a sentence is about."""
    if len(run.models) == 1:
        return say("The GPT-2")
    return plural(
        "Of {count} model the best is {model}: it",
        "Of {count} models the best is {model}: it",
        len(run.models),
        model=label(best),
    )


def learning_picture(run: Run) -> Picture:
    """Draw the bits per byte of each model before and after training, and of the yardsticks."""
    bars = [(say("before training (validation texts)"), _before(run, best_model(run).name), FAINT)]
    bars += [(say(YARDSTICKS[name]), row["bits_per_byte"], FAINT) for name, row in run.yardsticks.items()]
    bars += [
        (say("after training") if len(run.models) == 1 else model.name, model.test_bits_per_byte, PALETTE[0])
        for model in run.models.values()
    ]
    title = say("Bits for a byte of the held-out texts; fewer are better")
    with drawing(title, 0.45 + 0.23 * len(bars), width_inches=NARROW_INCHES) as (picture, [axis]):
        drawn_bars = axis.barh(
            range(len(bars)), [value for _, value, _ in bars], color=[colour for *_, colour in bars], height=0.7
        )
        axis.bar_label(drawn_bars, [numeral(value, ".2f") for _, value, _ in bars], padding=3, fontsize=8.5)
        axis.set_yticks(range(len(bars)), [wrapped(name, 24, 2) for name, *_ in bars])
        axis.invert_yaxis()
        axis.margins(x=0.12)
        axis.tick_params(axis="y", length=0)
        axis.grid(visible=False)
        axis.set_xticks([])
        axis.set_xlabel(say("bits for a byte; fewer are better"))
        values = [f"{drawn(name)} {numeral(value, '.2f')}" for name, value, _ in bars]
        picture.alternative_text = described(title, say("Bars"), values)
    return picture


def _before(run: Run, model: str) -> float:
    """Return the bits per byte of a model before training."""
    return float(run.training.loc[run.training["model"] == model, "validation_bits_per_byte"].iloc[0])


def copying(run: Run) -> Prose:
    """Say whether samples copy more than people repeat each other, and show the longest copy beside its source."""
    real, rows = sample_quality.copying(run)
    if not real or not rows:
        return Prose(say("Too few samples begin with nothing to say."))
    more = [label_comparison.at_temperature(run, row) for row, relation in rows if relation == 1]
    answer = (
        say("**More than people do, at {temperatures}.**", temperatures=joined(more))
        if more
        else say("**Too few documents to say.**")
        if any(relation is None for _, relation in rows)
        else say("**Not more than people do, as far as can be seen.**")
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
    by_model = say(
        "Of the samples, which the model wrote (the higher the temperature, the more often it takes unlikely words):"
    )
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
    return Prose("\n\n".join([f"{answer} {said} {by_model}", "\n".join(found), longest_copy(run)]))


def _share(row: Row) -> str:
    """Write a share with its interval."""
    return percent_interval(row["value"], row["low"], row["high"])


def copying_picture(run: Run) -> Picture | None:
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
        kind = say("Points with {confidence} intervals", confidence=percent(run.confidence))
        picture.alternative_text = described(title, kind, [f"{isolated(name)}: {_share(row)}" for name, row in named])
    return picture


def writing(run: Run) -> Prose:
    """Show the first sample of each model and temperature that begins with nothing, where texts may be shown."""
    if not run.publish_texts:
        return Prose(say("The texts of this corpus are not published, so nothing is shown here."))
    samples = unprompted(run)
    if samples.empty:
        return Prose(say("No text was begun with nothing (`sampling.unprompted_samples` is 0)."))
    first = rows_of(samples.groupby(["model", "temperature"]).head(1))
    lines = [
        say("At {temperature}:", temperature=label_comparison.at_temperature(run, row))
        + f"\n\n> {with_copy_marked(run, row, LONGEST_SAMPLE_CHARACTERS)}"
        if row["text"].strip()
        else say("At {temperature}: *an empty text*", temperature=label_comparison.at_temperature(run, row))
        for row in first
    ]
    about = say(
        "For each temperature, the first text that the model wrote without a given beginning; it is not the best one. "
        "Marked is the longest passage that a training text has, too."
    )
    return Prose("\n\n".join([about, *lines, *([told] if (told := raters.told(run)) else [])]))


def finding(run: Run) -> Prose:
    """Say for each classifier what it finds, whether samples get the labels of texts, and whether to believe it."""
    return Prose("\n".join(_findings(run)) or say(classifiers.NONE_APPLIED))


def _findings(run: Run) -> Iterator[str]:
    for classifier in run.cards:
        card = run.cards[classifier]
        begun = [
            f"- **{label(classifier)}** ({escape(shortened(card.predicts))}).",
            *fitness.warnings_of(run, classifier),
        ]
        if card.kind != SINGLE_LABEL:
            of_kind = several_labels if card.kind == MULTI_LABEL else numbers
            yield " ".join([*begun, *of_kind.in_brief(run, classifier)])
            continue
        if classifier not in set(run.shares["classifier"]):
            yield say("- {classifier} gave no text a label.", classifier=label(classifier))
            continue
        compared = label_comparison.in_brief(run, classifier) or [say("No samples to compare with texts")]
        found = [f"{sentence}." for sentence in (classifiers.in_brief(run, classifier), *compared)]
        trust = raters.trust(run, classifier, agreement.in_brief(run, classifier))
        yield " ".join([*begun, *found, say("*Trust:*"), *trust])


def finding_picture(run: Run) -> Picture | None:
    """Draw the label shares that the first classifier gives the largest groups, all texts, and the samples."""
    texts = shares_of_texts(run)
    classifier = next((one for one in run.cards if one in set(texts["classifier"])), None)
    own = texts[texts["classifier"] == classifier]
    if classifier is None or len(own) > len(PALETTE):
        return None
    labels = in_order(own["label"])
    groups = run.shares[(run.shares["classifier"] == classifier) & (run.shares["group_kind"] == "group")]
    largest = [one for one in run.texts["group"].value_counts().index if one in set(groups["group"])][:SHOWN_GROUPS]
    samples = shares_of_samples(run, "model")
    several = len(run.models) > 1
    bars = [(group, groups[groups["group"] == group]) for group in largest]
    bars.append((say("all texts"), own))
    bars += [
        (model if several else say("samples"), part)
        for model, part in parts_of(samples[samples["classifier"] == classifier], "group").items()
    ]
    shares = [part.set_index("label")["share"].reindex(labels, fill_value=0) for _, part in bars]
    title = say("Labels by {classifier}", classifier=drawn(titled(run, classifier)))
    with drawing(title, 0.6 + 0.25 * len(bars), width_inches=NARROW_INCHES) as (picture, [axis]):
        stacked_bars(axis, labels, np.array(shares).T, NARROW_INCHES)
        axis.set_yticks(range(len(bars)), [wrapped(name, 20, 2) for name, _ in bars])
        axis.invert_yaxis()
        axis.tick_params(axis="y", length=0)
        axis.set_xticks([])
        picture.alternative_text = described(
            title,
            say("Stacked bars"),
            [f"{drawn(bar)}: {shares_in_words(labels, values)}" for (bar, _), values in zip(bars, shares, strict=True)],
        )
    return picture
