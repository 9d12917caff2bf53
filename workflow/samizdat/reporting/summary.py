"""Answer the four questions of the first screen: what was learned, copied, written, and found by the classifiers."""

from collections.abc import Iterator

import numpy as np

from samizdat.base.escaping import escape, isolated, shortened
from samizdat.records.classifiers import MULTI_LABEL, SINGLE_LABEL
from samizdat.records.samples import begun_with_nothing
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
from samizdat.reporting.copied_passages import copy_in_context, source_of, with_copy_marked
from samizdat.reporting.frames import Row, in_order, parts_of, rows_of
from samizdat.reporting.held_out_loss import best_model, bytes_per_character
from samizdat.reporting.label_shares import shares_in_words, shares_of_samples, shares_of_texts, stacked_bars
from samizdat.reporting.outside import titled
from samizdat.reporting.run import Run
from samizdat.reporting.samples import unprompted
from samizdat.reporting.style import FAINT, PALETTE, Picture, described, drawing, in_percent, wrapped
from samizdat.reporting.training import millions
from samizdat.reporting.units import how_found, units
from samizdat.reporting.words import NO_BREAK, Prose, count, counted, drawn, joined, label, percent, percent_interval

# Two pictures are next to each other on a wide page, and one fits a phone.
NARROW_INCHES = 3.6
LONGEST_SAMPLE_CHARACTERS = 220
SHOWN_GROUPS = 4
FEWEST_SHOWN = 0.05  # a share that the figure of copies shows at least, so that its ticks differ
# Yardstick → its name in the figure.
YARDSTICKS = {"xz": "xz alone", "xz_after_training": "xz after training texts", "ngram": "n-gram model"}
_COMPARED = {
    1: "more than in texts by people",
    -1: "less than in texts by people",
    0: "no clear difference",
    None: "too few documents to compare",
}


def learning(run: Run) -> Prose:
    """Say whether the best model learned: its bits per byte before and after training, and those of yardsticks."""
    best = best_model(run)
    before, after = _before(run, best.name), best.test_bits_per_byte
    size = f"({millions(best.parameters)} parameters, {counted(run.corpus.splits.get('train', 0), 'training text')})"
    of = (
        f"Of {count(len(run.models))} models the best is {label(best.name)}: it" if len(run.models) > 1 else "The GPT-2"
    )
    bits = {name: f"{row['bits_per_byte']:.2f}" for name, row in run.yardsticks.items()}
    read, all_texts = (run.yardsticks["ngram"][f"{which}_bytes"] for which in ("read", "training"))
    part = f" (their last {read / 1e6:.0f}{NO_BREAK}MB)" if read < all_texts else ""
    verdict = "Yes" if best.validation_bits_per_byte < before else "No"
    beaten = ", fewer than the GPT-2" if run.yardsticks["ngram"]["bits_per_byte"] < after else ""
    return Prose(
        f"**{verdict}, on these texts.** {of} {size} needs **{after:.2f}{NO_BREAK}bits** for each byte of the held-out "
        f"texts ({after * bytes_per_character(run):.2f} for each character), which it has not seen; before training it "
        f"needed {before:.2f} (for the validation texts). Fewer bits mean better predictions. For comparison: the "
        f"compressor xz needs {bits['xz']}, and {bits['xz_after_training']} after it has read the training "
        f"texts{part}; an n-gram model of the same texts, which only counts what follows the last five bytes, needs "
        f"{bits['ngram']}{beaten}."
    )


def learning_picture(run: Run) -> Picture:
    """Draw the bits per byte of each model before and after training, and of the yardsticks."""
    bars = [("before training (validation texts)", _before(run, best_model(run).name), FAINT)]
    bars += [(YARDSTICKS[name], row["bits_per_byte"], FAINT) for name, row in run.yardsticks.items()]
    bars += [
        ("after training" if len(run.models) == 1 else model.name, model.test_bits_per_byte, PALETTE[0])
        for model in run.models.values()
    ]
    title = "Bits for a byte of the held-out texts; fewer are better"
    with drawing(title, 0.45 + 0.23 * len(bars), width_inches=NARROW_INCHES) as (picture, [axis]):
        drawn_bars = axis.barh(
            range(len(bars)), [value for _, value, _ in bars], color=[colour for *_, colour in bars], height=0.7
        )
        axis.bar_label(drawn_bars, [f"{value:.2f}" for _, value, _ in bars], padding=3, fontsize=8.5)
        axis.set_yticks(range(len(bars)), [wrapped(name, 24, 2) for name, *_ in bars])
        axis.invert_yaxis()
        axis.margins(x=0.12)
        axis.tick_params(axis="y", length=0)
        axis.grid(visible=False)
        axis.set_xticks([])
        axis.set_xlabel("bits for a byte; fewer are better")
        picture.alternative_text = described(title, "Bars", [f"{drawn(name)} {value:.2f}" for name, value, _ in bars])
    return picture


def _before(run: Run, model: str) -> float:
    """Return the bits per byte of a model before training."""
    return float(run.training.loc[run.training["model"] == model, "validation_bits_per_byte"].iloc[0])


def copying(run: Run) -> Prose:
    """Say whether samples copy more than people repeat each other, and show the longest copy beside its source."""
    real, rows = sample_quality.copying(run)
    if not real or not rows:
        return Prose("Too few samples begin with nothing to say.")
    more = [_where(run, row) for row, relation in rows if relation == 1]
    answer = (
        f"More than people do, at {joined(more)}"
        if more
        else "Too few documents to say"
        if any(relation is None for _, relation in rows)
        else "Not more than people do, as far as can be seen"
    )
    found = [f"- At {_where(run, row)}: {_share(row)}, {_COMPARED[relation]}." for row, relation in rows]
    runs = f"runs of four {units(run)}{how_found(run)}"
    return Prose(
        f"**{answer}.** Of the held-out texts, which people wrote, {_share(real)} of the {runs} are also in the "
        "training texts. Of the samples, which the model wrote (the higher the temperature, the more often it takes "
        "unlikely words):\n\n" + "\n".join(found) + f"\n\n{_longest(run)}"
    )


def _where(run: Run, row: Row) -> str:
    """Name the temperature of a sample or measure, and the model where there are several."""
    return f"temperature {row['temperature']:g}{label_comparison.of_model(run, row)}"


def _share(row: Row) -> str:
    """Write a share with its interval."""
    return percent_interval(row["value"], row["low"], row["high"])


def _longest(run: Run) -> str:
    """Show the longest passage that a sample begun with nothing shares with a training text, beside its source."""
    ids = begun_with_nothing(run.samples)["id"]
    rows = [run.longest_copies[one] for one in ids if one in run.longest_copies]
    row = max(rows, key=lambda one: one["copy_characters"], default=None)
    if row is None or not row["copy_characters"]:
        return "No sample shares a passage with a training text."
    size = counted(row["copy_characters"], "character")
    if not run.publish_texts:
        return (
            f"The longest passage that a sample shares with a training text has {size}; it is not shown, since the "
            "texts are not published."
        )
    sample = rows_of(run.samples[run.samples["id"] == row["id"]])[0]
    return (
        f"The longest copy has {size}. In a sample at {_where(run, sample)}: “{copy_in_context(run, row)}” "
        f"In the training text: “{source_of(run, row)}”"
    )


def copying_picture(run: Run) -> Picture | None:
    """Draw the shares of copied runs of four words of held-out texts and of samples, with intervals."""
    real, rows = sample_quality.copying(run)
    if not real or not rows:
        return None
    several = len(run.models) > 1
    named = [("held-out texts", real)]
    named += [(f"{row['model'] if several else 'samples'}, temperature {row['temperature']:g}", row) for row, _ in rows]
    title = f"Runs of four {units(run)} that are also in the training texts"
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
        axis.set_xlabel(f"copied runs of four {units(run)}")
        kind = f"Points with {percent(run.confidence)} intervals"
        picture.alternative_text = described(title, kind, [f"{isolated(name)}: {_share(row)}" for name, row in named])
    return picture


def writing(run: Run) -> Prose:
    """Show the first sample of each model and temperature that begins with nothing, where texts may be shown."""
    if not run.publish_texts:
        return Prose("The texts of this corpus are not published, so nothing is shown here.")
    samples = unprompted(run)
    if samples.empty:
        return Prose("No text was begun with nothing (`sampling.unprompted_samples` is 0).")
    first = rows_of(samples.groupby(["model", "temperature"]).head(1))
    lines = [
        f"At {_where(run, row)}:\n\n> {with_copy_marked(run, row, LONGEST_SAMPLE_CHARACTERS)}"
        if row["text"].strip()
        else f"At {_where(run, row)}: *an empty text*"
        for row in first
    ]
    return Prose(
        "For each temperature, the first text that the model wrote without a given beginning; it is not the best one. "
        "Marked is the longest passage that a training text has, too.\n\n"
        + "\n\n".join([*lines, *([told] if (told := raters.told(run)) else [])])
    )


def finding(run: Run) -> Prose:
    """Say for each classifier what it finds, whether samples get the labels of texts, and whether to believe it."""
    return Prose("\n".join(_findings(run)) or classifiers.NONE_APPLIED)


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
            yield f"- {label(classifier)} gave no text a label."
            continue
        compared = label_comparison.in_brief(run, classifier) or ["No samples to compare with texts"]
        found = [f"{sentence}." for sentence in (classifiers.in_brief(run, classifier), *compared)]
        trust = raters.trust(run, classifier, agreement.in_brief(run, classifier))
        yield " ".join([*begun, *found, "*Trust:*", *trust])


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
    bars.append(("all texts", own))
    bars += [
        (model if several else "samples", part)
        for model, part in parts_of(samples[samples["classifier"] == classifier], "group").items()
    ]
    shares = [part.set_index("label")["share"].reindex(labels, fill_value=0) for _, part in bars]
    title = f"Labels by {drawn(titled(run, classifier))}"
    with drawing(title, 0.6 + 0.25 * len(bars), width_inches=NARROW_INCHES) as (picture, [axis]):
        stacked_bars(axis, labels, np.array(shares).T, NARROW_INCHES)
        axis.set_yticks(range(len(bars)), [wrapped(name, 20, 2) for name, _ in bars])
        axis.invert_yaxis()
        axis.tick_params(axis="y", length=0)
        axis.set_xticks([])
        picture.alternative_text = described(
            title,
            "Stacked bars",
            [f"{drawn(bar)}: {shares_in_words(labels, values)}" for (bar, _), values in zip(bars, shares, strict=True)],
        )
    return picture
