"""Compare samples with texts by the labels that classifiers give them."""

from samizdat.base.language import message, numeral, say
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS
from samizdat.records.samples import begun_with_nothing
from samizdat.reporting import verdicts
from samizdat.reporting.classifiers import NONE_APPLIED
from samizdat.reporting.divergence_course import draw_course
from samizdat.reporting.frames import Row, in_order, rows_of
from samizdat.reporting.label_shares import draw_label_shares, next_to_texts, shares_of_samples, shares_of_texts
from samizdat.reporting.outside import labelled, named
from samizdat.reporting.run import Run
from samizdat.reporting.style import Picture
from samizdat.reporting.words import (
    Prose,
    Table,
    bounds,
    count,
    counted,
    drawn,
    exact_percent,
    is_null,
    joined,
    label,
    name,
    percent,
    percent_interval,
    quotation,
    table,
)

NO_SAMPLES = message(
    "No text of a published model began with nothing (`sampling.unprompted_samples` is 0), so nothing can be compared: "
    "a prompt would influence the labels of what follows."
)
NONE_LABELLED = message(
    "No classifier gave both a text and a sample that began with nothing a label, so nothing can be compared."
)
TOO_FEW = message(
    "Samples or texts are of fewer than {fewest} documents, too few for an interval and for a comparison."
)
BEGUN_WITH = {"nothing": message("nothing"), "prompts": message("the prompts")}


def opening(run: Run) -> Prose:
    """Say for each classifier and model how far the samples' label shares are from those of the texts."""
    rows = verdicts.published(run.divergences)
    if rows.empty:
        return _nothing(run)
    return Prose("\n\n".join(_sentence(run, row) for row in rows_of(rows)))


def _nothing(run: Run) -> Prose:
    """Say why there is nothing to compare."""
    if not run.cards:
        return Prose(say(NONE_APPLIED))
    return Prose(say(NO_SAMPLES if begun_with_nothing(run.samples).empty else NONE_LABELLED))


def in_brief(run: Run, classifier: str) -> list[str]:
    """Say whether samples get the labels that texts get, in short, for each model: in words first, then in bits."""
    rows = verdicts.published(run.divergences)
    return [_brief(run, row) for row in rows_of(rows[rows["classifier"] == classifier])]


def _sentence(run: Run, row: Row) -> str:
    """Say one divergence with its interval and the label that differs most, and claim nothing that chance explains."""
    begun = {
        "classifier": labelled(run, row["classifier"]),
        "samples": counted(row["samples"], "sample", "samples"),
        "of_model": of_model(run, row),
        "bits": _bits(row["observed_bits"]),
    }
    if is_null(row["p_value"]):
        apart = say(
            "By the classifier {classifier}, the label shares of the {samples}{of_model} begun with nothing are "
            "{bits}\u00a0bits away from those of the texts.",
            **begun,
        )
        return f"{apart} {say(TOO_FEW, fewest=FEWEST_DOCUMENTS)}"
    if _verdict(row) not in verdicts.unlike_texts(run):
        return say(
            "By the classifier {classifier}, no difference was found: the label shares of the {samples}{of_model} "
            "begun with nothing are {bits}\u00a0bits away from those of the texts, and chance alone brings at most "
            "{chance}\u00a0bits in {confidence} of draws. There may still be a difference of up to {high}\u00a0bits.",
            chance=_bits(row["chance_bits"]),
            confidence=exact_percent(run.confidence),
            high=_bits(row["high"]),
            **begun,
        )
    of_samples, of_texts = _widest_gap(run, row)
    return say(
        "By the classifier {classifier}, samples and texts differ: the label shares of the {samples}{of_model} begun "
        "with nothing are {bits}\u00a0bits away from those of the texts, more than the {chance}\u00a0bits that chance "
        "explains; without what chance adds, the difference is {unbiased}\u00a0bits ({low} to {high}). They are "
        "furthest apart in {label}, given to {of_samples} of the samples and {of_texts} of the texts.",
        chance=_bits(row["chance_bits"]),
        unbiased=_bits(row["jensen_shannon_bits"]),
        low=_bits(row["low"]),
        high=_bits(row["high"]),
        label=label(of_texts["label"]),
        of_samples=_share(of_samples),
        of_texts=_share(of_texts),
        **begun,
    )


def _brief(run: Run, row: Row) -> str:
    """Say one divergence in short."""
    bits, of = _bits(row["observed_bits"]), of_model(run, row)
    if is_null(row["p_value"]):
        return say(
            "Labels of samples{of_model} and of texts: too few samples or documents for a comparison (Jensen–Shannon "
            "divergence {bits})",
            of_model=of,
            bits=bits,
        )
    chance = _bits(row["chance_bits"])
    if _verdict(row) not in verdicts.unlike_texts(run):
        return say(
            "Labels of samples{of_model} and of texts: no difference found (Jensen–Shannon divergence {bits}; "
            "by chance up to {chance})",
            of_model=of,
            bits=bits,
            chance=chance,
        )
    of_samples, of_texts = _widest_gap(run, row)
    return say(
        "Samples{of_model} and texts have other shares of its labels, most of all of {label}: {of_samples} of the "
        "samples, {of_texts} of the texts (Jensen–Shannon divergence {bits}; by chance up to {chance})",
        of_model=of,
        label=label(of_texts["label"]),
        of_samples=percent(of_samples["share"]),
        of_texts=percent(of_texts["share"]),
        bits=bits,
        chance=chance,
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
        return say("less than {number}", number=numeral(0.0001, ".4f"))
    return numeral(number, ".3f" if number >= 0.01 else ".4f")


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
        return _nothing(run)
    names = in_order(samples["classifier"])
    return draw_label_shares(
        run,
        _finding(run, names),
        next_to_texts(shares_of_texts(run), samples, message("samples, temperature {}")),
        names,
        kind=say("Points with {confidence} intervals", confidence=exact_percent(run.confidence)),
        inches=(0.12, 0.08),
    )


def _finding(run: Run, names: list[str]) -> str:
    """Say as a title by which classifiers samples and texts differ by more than chance."""
    rows = verdicts.published(run.divergences)
    tested = set(rows.loc[rows["p_value"].notna(), "classifier"])
    if not tested:
        return say("Too few samples or documents to say whether shares differ between samples and texts")
    found = {classifier for classifier, _ in verdicts.unlike_texts(run)}
    if not found:
        return say("No classifier’s label shares distinguish samples from texts")
    tell, rest = (joined(quotation(drawn(one)) for one in names if one in some) for some in (found, tested - found))
    if not rest:
        return say("The label shares of {classifiers} distinguish samples from texts", classifiers=tell)
    return say(
        "The label shares of {classifiers} distinguish samples from texts; those of {others} do not",
        classifiers=tell,
        others=rest,
    )


def by_training(run: Run) -> Picture | Prose:
    """Draw the divergence of samples from texts at each checkpoint, for the same prompts, with intervals."""
    rows = run.divergences[(run.divergences["begun_with"] == "prompts") & run.divergences["temperature"].isna()]
    if rows["percent"].nunique() < 2:
        return Prose(
            say(
                "There is no course of training to show: that needs a classifier (`classifiers`), prompts (`prompts`, "
                "`sampling.held_out_prompts`) and a checkpoint from before the end of training "
                "(`training.keep_percents`)."
            )
        )
    return draw_course(run, rows)


def divergences(run: Run) -> Table | Prose:
    """List every divergence with its interval and what chance explains."""
    rows = [
        [
            named(run, row["classifier"]),
            name(row["model"]),
            percent(row["percent"] / 100),
            say(BEGUN_WITH[row["begun_with"]]),
            say("all") if is_null(row["temperature"]) else numeral(row["temperature"], "g"),
            count(row["samples"]),
            _observed(row),
            "" if is_null(row["chance_bits"]) else numeral(row["chance_bits"], ".4f"),
            "" if is_null(row["p_value"]) else numeral(row["p_value"], ".3f"),
            ""
            if is_null(row["low"])
            else f"{numeral(row['jensen_shannon_bits'], '.4f')}<br><small>{bounds(row['low'], row['high'], 4)}</small>",
        ]
        for row in rows_of(run.divergences)
    ]
    header = [say("Classifier"), say("Model"), say("Training"), say("Begun with"), say("Temperature"), say("Samples")]
    header += [say("Bits"), say("Chance"), "p"]
    header += [say("Bits without chance, with {confidence} interval", confidence=exact_percent(run.confidence))]
    return table(rows, header, numbers=header[4:]) if rows else _nothing(run)


def _observed(row: Row) -> str:
    """Write a divergence for a cell, and between which ones those of the models of other seeds are."""
    bits = numeral(row["observed_bits"], ".4f")
    if is_null(row["seeds_low"]):
        return bits
    return f"{bits}<br><small>{say('seeds {bounds}', bounds=bounds(row['seeds_low'], row['seeds_high'], 4))}</small>"
