"""Answer the four questions of the first screen: what was learned, copied, written, and found by the classifiers."""

from collections.abc import Iterator

import numpy as np

from samizdat.base.escaping import escape, shortened
from samizdat.base.language import message, numeral, plural, say
from samizdat.records.classifiers import MULTI_LABEL, NUMBER, SINGLE_LABEL
from samizdat.records.samples import begun_with_nothing
from samizdat.reporting import (
    agreement,
    believed,
    classifiers,
    fitness,
    label_comparison,
    numbers,
    raters,
    several_labels,
)
from samizdat.reporting.copied_passages import with_copy_marked
from samizdat.reporting.frames import in_order, parts_of, rows_of
from samizdat.reporting.held_out_loss import best_model, bytes_per_character
from samizdat.reporting.label_shares import shares_in_words, shares_of_samples, shares_of_texts, stacked_bars
from samizdat.reporting.largest_groups import finding_of_largest
from samizdat.reporting.outside import titled
from samizdat.reporting.run import Run
from samizdat.reporting.samples import unprompted
from samizdat.reporting.style import FAINT, NARROW_INCHES, PALETTE, Picture, described, drawing, wrapped
from samizdat.reporting.trained_model import millions
from samizdat.reporting.words import Prose, counted, drawn, joined, label, quotation
from samizdat.reporting.yardsticks import YARDSTICKS, compared_with_yardsticks

LONGEST_SAMPLE_CHARACTERS = 220
SHOWN_GROUPS = 4


def learning(run: Run) -> Prose:
    """Say whether the best model learned: its bits per byte before and after training, and those of yardsticks."""
    best = best_model(run)
    before, after = _before(run, best.name), best.test_bits_per_byte
    learned = best.validation_bits_per_byte < before
    verdict = say("**Yes.**") if learned else say("**No.**")
    if learned and run.yardsticks["ngram"]["bits_per_byte"] < after:
        verdict = say("**Yes, though a model that only counts needs fewer bits.**")
    bits, character_bits = (numeral(after * each, ".2f") for each in (1, bytes_per_character(run)))
    needed = say(
        "{who} ({parameters} parameters, {texts}) needs **{bits}\u00a0bits** to predict each byte of the "
        "held-out texts{each_character}, which it has not seen; fewer are better. For the validation texts, by which "
        "its best weights were chosen, it needed {bits_before} before training and {bits_since} after it.",
        who=_who(run, best.name),
        parameters=millions(best.parameters),
        texts=counted(run.corpus.splits.get("train", 0), "training text", "training texts"),
        bits=bits,
        each_character="" if bits == character_bits else say(" ({bits} for each character)", bits=character_bits),
        bits_before=numeral(before, ".2f"),
        bits_since=numeral(best.validation_bits_per_byte, ".2f"),
    )
    lossy = run.tokenizers[best.tokenizer].changed["test"]
    too_low = say(
        "But the tokenizer of the GPT-2 loses or changes characters, which are not predicted ({texts}): its bits are "
        "too low, and can’t be compared with these.",
        texts=counted(lossy, "held-out text", "held-out texts"),
    )
    return Prose(f"{verdict} {needed} {compared_with_yardsticks(run, after)}" + (f" {too_low}" if lossy else ""))


def _who(run: Run, best: str) -> str:
    """Name the model that a sentence is about."""
    if len(run.models) == 1:
        return say("The GPT-2")
    return plural(
        "Of {count} model the best on the validation texts is {model}: it",
        "Of {count} models the best on the validation texts is {model}: it",
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
        "Marked is the longest passage that is also in a training text; it may cut words."
    )
    return Prose("\n\n".join([about, *lines, *([told] if (told := raters.told(run)) else [])]))


def finding(run: Run) -> Prose:
    """Say for each classifier what it finds, whether samples get the labels of texts, and whether to believe it."""
    found = "\n".join(_findings(run))
    if not found:
        return Prose(say(classifiers.NONE_APPLIED))
    unchecked = [one for one in run.cards if not believed.was_asked(run, one, "samples")]
    if begun_with_nothing(run.samples).empty or not unchecked:
        return Prose(found)
    told = [say("*Samples* are those that began with nothing, at all temperatures.")]
    numbers_of = [label(one) for one in unchecked if run.cards[one].kind == NUMBER]
    labels_of = [label(one) for one in unchecked if run.cards[one].kind != NUMBER]
    if labels_of:
        words = message(
            "No person has labelled samples for {classifiers}, so how often their labels are right is not known."
        )
        told.append(say(words, classifiers=joined(labels_of)))
    if numbers_of:
        words = message(
            "No person has given numbers to samples for {classifiers}, so it is not known how near their numbers are "
            "to those of people."
        )
        told.append(say(words, classifiers=joined(numbers_of)))
    return Prose(f"{found}\n\n{' '.join(told)}")


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
        if classifier not in set(shares_of_texts(run)["classifier"]):
            yield say("- {classifier} gave no text a label.", classifier=label(classifier))
            continue
        compared = label_comparison.in_brief(run, classifier) or [say("No samples to compare with texts")]
        found = [f"{sentence}." for sentence in (classifiers.in_brief(run, classifier), *compared)]
        trust = believed.trust(run, classifier, agreement.in_brief(run, classifier))
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
    ordered = [one for one in run.texts["group"].value_counts().index if one in set(groups["group"])]
    largest = ordered[:SHOWN_GROUPS]
    samples = shares_of_samples(run, "model")
    several = len(run.models) > 1
    bars = [(group, groups[groups["group"] == group]) for group in largest]
    bars.append((say("all texts"), own))
    bars += [
        (model if several else say("samples"), part)
        for model, part in parts_of(samples[samples["classifier"] == classifier], "group").items()
    ]
    shares = [part.set_index("label")["share"].reindex(labels, fill_value=0) for _, part in bars]
    title = say("Labels given by the classifier {classifier}", classifier=quotation(drawn(titled(run, classifier))))
    title = finding_of_largest(title, len(largest), len(ordered))
    with drawing(title, 0.75 + 0.25 * len(bars), width_inches=NARROW_INCHES) as (picture, [axis]):
        stacked_bars(axis, labels, np.array(shares).T, NARROW_INCHES)
        axis.set_yticks(range(len(bars)), [wrapped(name, 20, 2) for name, _ in bars])
        axis.invert_yaxis()
        axis.tick_params(axis="y", length=0)
        axis.set_xticks([])
        axis.set_xlabel(wrapped(title, 40))
        picture.alternative_text = described(
            title,
            say("Stacked bars"),
            [f"{drawn(bar)}: {shares_in_words(labels, values)}" for (bar, _), values in zip(bars, shares, strict=True)],
        )
    return picture
