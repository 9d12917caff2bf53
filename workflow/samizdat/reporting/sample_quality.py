"""Show how good the samples are: how varied, how much of them is copied, and how near they are to real texts."""

from collections.abc import Iterator, Mapping

import pandas as pd

from samizdat.base.language import message, numeral, say
from samizdat.reporting import verdicts
from samizdat.reporting.frames import Row, rows_of
from samizdat.reporting.label_comparison import of_model
from samizdat.reporting.run import Run
from samizdat.reporting.trained_model import after_step, is_earlier
from samizdat.reporting.units import by_unit
from samizdat.reporting.words import (
    NO_BREAK,
    Prose,
    Table,
    bounds,
    counted,
    is_null,
    name,
    p_equals,
    percent,
    percent_interval,
    table,
)

# Metric → its heading, and how its value and interval are written.
SHARE, NUMBER, TWO_DIGITS = "share", "number", "two digits"
VARIETY = {
    "distinct_1": (message("Distinct words"), SHARE),
    "distinct_2": (message("Distinct pairs"), SHARE),
    "distinct_3": (message("Distinct triples"), SHARE),
    "self_bleu": (message("Self-BLEU"), TWO_DIGITS),
    "loop_share": (message("In a loop"), SHARE),
    "length_words": (message("Words"), NUMBER),
    "known_word_share": (message("Known words"), SHARE),
}
NEARNESS = {
    "copy_characters": (message("Longest copy (characters)"), NUMBER),
    "copied_ngram_share": (message("Copied runs of four words"), SHARE),
    "closeness": (message("Closeness"), TWO_DIGITS),
    "character_closeness": (message("Closeness (characters)"), TWO_DIGITS),
    "told_apart_area": (message("Told apart (area)"), TWO_DIGITS),
}
CLOSENESS = {"closeness", "character_closeness"}
# Heading that names words → what it is where texts are counted in syllables, and in pieces between blanks.
OTHER_UNITS = {
    "Distinct words": (message("Distinct syllables"), message("Distinct pieces between blanks")),
    "Words": (message("Syllables"), message("Pieces between blanks")),
    "Known words": (message("Known syllables"), message("Known pieces between blanks")),
    "Copied runs of four words": (
        message("Copied runs of four syllables"),
        message("Copied runs of four pieces between blanks"),
    ),
}

RELATIONS = {
    1: message("more than the {real} of held-out texts"),
    -1: message("less than the {real} of held-out texts"),
    0: message("not clearly different from the {real} of held-out texts"),
    None: message("with too few samples or documents to compare this with the {real} of held-out texts"),
}


def opening(run: Run) -> Prose:
    """Say whether the published models copy, and whether their samples can be told from held-out texts."""
    rows = published(run)
    sentences = [
        found for _, part in rows.groupby(["model", "temperature"], sort=False) if (found := _sentence(run, part))
    ]
    few = message("Too few samples began with nothing, or too few texts are held out, for a comparison.")
    return Prose(" ".join(sentences) or say(few))


def _sentence(run: Run, part: pd.DataFrame) -> str:
    """Say whether one model copies at one temperature, and whether it can be told apart; nothing without measures."""
    rows = rows_of(part)
    found = {row["metric"]: row for row in rows}
    real = baseline(run, "copied_ngram_share")
    own, apart = found.get("copied_ngram_share"), found.get("told_apart_area")
    who = (rows[0]["model"], rows[0]["temperature"])
    words = []
    if own and real:
        copied = by_unit(
            run,
            message("{share} of all runs of four words occur in the training texts, {compared}"),
            message("{share} of all runs of four syllables occur in the training texts, {compared}"),
            message("{share} of all runs of four pieces between blanks occur in the training texts, {compared}"),
        )
        compared = say(RELATIONS[_relation(run, own, real)], real=_spelled(real, SHARE))
        words.append(say(copied, share=_spelled(own, SHARE), compared=compared))
    if apart:
        told = (
            message("a simple model distinguishes them from held-out texts (area under the curve {area}, {p})")
            if who in verdicts.off_held_out(run, "told_apart_area")
            else message("a simple model finds no difference (area under the curve {area}, {p})")
        )
        words.append(say(told, area=_spelled(apart, TWO_DIGITS), p=p_equals(apart["p_value"])))
    if not words:
        return ""
    return say(
        "In the samples{of_model} at temperature {temperature}, {found}.",
        of_model=of_model(run, rows[0]),
        temperature=numeral(rows[0]["temperature"], "g"),
        found="; ".join(words),
    )


def copying(run: Run) -> tuple[Row | None, list[tuple[Row, int | None]]]:
    """Return the shares of copied runs of four words: of held-out texts, and of each model's samples at a temperature.

    Returns:
        The row of held-out texts, and the other rows, each with its relation to it: 1 for more, -1 for less, 0 for no
        clear difference, None with too few samples or documents.
    """
    real = baseline(run, "copied_ngram_share")
    rows = published(run)
    own = rows_of(rows[rows["metric"] == "copied_ngram_share"])
    return real, [(row, _relation(run, row, real)) for row in own] if real else []


def _relation(run: Run, own: Row, real: Row) -> int | None:
    """Compare a share of copied runs with that of held-out texts."""
    if is_null(own["p_value"]):
        return None
    if (own["model"], own["temperature"]) not in verdicts.off_held_out(run, "copied_ngram_share"):
        return 0
    return 1 if own["value"] > real["value"] else -1


def variety(run: Run) -> Table:
    """List how varied held-out texts and the unprompted samples of published models are."""
    return _table(run, VARIETY, published(run))


def nearness(run: Run) -> Table:
    """List how much unprompted samples of published models copy, and how near they are to held-out texts."""
    rows = published(run)
    lacking = {*CLOSENESS, "told_apart_area"} - set(rows["metric"])
    return _table(run, {key: value for key, value in NEARNESS.items() if key not in lacking}, rows)


def nearness_note(run: Run) -> Prose | None:
    """Say why columns of `nearness` are not given, or that the sentence encoder can't read the texts."""
    rows, told = published(run), []
    measured = set(rows["metric"])
    if not rows.empty and CLOSENESS.isdisjoint(measured):
        from samizdat.measures import closeness  # imports scikit-learn, which few reports need

        close = message("How close samples are to held-out texts as a whole is not given: that needs {fewest} of each.")
        told.append(say(close, fewest=counted(closeness.FEWEST_TEXTS, "text", "texts")))
    if not rows.empty and "told_apart_area" not in measured:
        from samizdat.measures import two_sample_test  # so does this

        apart = message(
            "Whether a simple model can tell samples from held-out texts is not given: that needs {fewest} samples and "
            "as many held-out documents."
        )
        told.append(say(apart, fewest=two_sample_test.FEWEST_TEXTS))
    if "character_closeness" in set(run.sample_quality["metric"]):
        unread = baseline(run, "unread_token_share")
        by_characters = message(
            "The sentence encoder doesn’t know {share} of the tokens in these texts. So closeness compares their runs "
            "of one to three characters, not what they are about. A multilingual encoder as `sample_quality.encoder` "
            "in the config would read them."
        )
        told.append(say(by_characters, share=percent(unread["value"] if unread else 1)))
    return Prose(" ".join(told)) if told else None


def by_checkpoint(run: Run) -> Table | Prose:
    """List the same measures of what each checkpoint wrote after the same prompts."""
    rows = run.sample_quality[run.sample_quality["begun_with"] == "prompts"]
    metrics = {key: value for key, value in (VARIETY | NEARNESS).items() if key in set(rows["metric"])}
    if rows.empty:
        return Prose(say("Too few samples began with a prompt to be measured."))
    return _table(run, metrics, rows)


def published(run: Run) -> pd.DataFrame:
    """Choose the measures of the unprompted samples of published models."""
    return run.sample_quality[run.sample_quality["begun_with"] == "nothing"]


def baseline(run: Run, metric: str) -> Row | None:
    """Return a measure of the held-out texts, where there is one."""
    rows = run.sample_quality
    found = rows_of(rows[(rows["subset"] == "held_out") & (rows["metric"] == metric)])
    return found[0] if found else None


def _table(run: Run, metrics: dict[str, tuple[str, str]], rows: pd.DataFrame) -> Table:
    """Write a row for the held-out texts and for each set of samples, with a column for each measure."""
    several = len(run.models) > 1
    steps = rows["percent"].nunique() > 1
    held_out = {metric: baseline(run, metric) for metric in metrics}
    lines = [[name(say("held-out texts")), *([""] if steps else []), *_cells(metrics, held_out)]]
    for (model, *_), part in rows.groupby(["model", "percent", "temperature"], sort=False):
        found = {row["metric"]: row for row in rows_of(part)}
        who = say(
            "{who}, at {temperature}",
            who=model if several else say("samples"),
            temperature=numeral(part["temperature"].iloc[0], "g"),
        )
        training = [_weights(run, str(model), int(part["percent"].iloc[0]))] if steps else []
        lines.append([name(who), *training, *_cells(metrics, found)])
    headings = [by_unit(run, heading, *OTHER_UNITS.get(heading, (heading, heading))) for heading, _ in metrics.values()]
    numbers = [*([say("Training")] if steps else []), *map(say, headings)]
    return table(lines, [say("Texts"), *numbers], numbers=numbers)


def _weights(run: Run, model: str, percent_done: int) -> str:
    """Name the weights of a checkpoint by the percent of the training, or by their step if it is an earlier one."""
    summary = run.models[model]
    if not is_earlier(summary, str(percent_done)):
        return percent(percent_done / 100)
    step = summary.checkpoints[str(percent_done)]
    return say("After step {step}", step=after_step(run, {"model": model, "percent": percent_done, "step": step}))


def _cells(metrics: dict[str, tuple[str, str]], found: Mapping[str, Row | None]) -> Iterator[str]:
    """Write the cell of each measure: its value and, in small print, its interval, real texts' value, p and seeds."""
    for metric, (_, kind) in metrics.items():
        row = found.get(metric)
        if row is None:
            yield "–"
            continue
        real = row["real_value"]
        notes = [] if is_null(real) else [say("real texts {value}", value=numeral(real, ".2f"))]
        notes += [] if is_null(row["p_value"]) else [p_equals(row["p_value"])]
        value, _, interval = _spelled(row, kind).partition(" ")
        if interval:
            notes.insert(0, interval.strip("()").replace(" ", NO_BREAK))
        if not is_null(row["seeds_low"]):
            seeds = _spelled(row | {"low": row["seeds_low"], "high": row["seeds_high"]}, kind).partition(" ")[2]
            notes.append(say("seeds {range}", range=seeds.strip("()")).replace(" ", NO_BREAK))
        yield value + "".join(f"<br><small>{note}</small>" for note in notes)


def _spelled(row: Row, kind: str) -> str:
    """Write a value with its interval: 52 % (49 to 55 %), 0.71 (0.66 to 0.75)."""
    value, low, high = row["value"], row["low"], row["high"]
    if kind == SHARE:
        return percent_interval(value, low, high)
    digits = 1 if kind == NUMBER else 2
    return numeral(value, f".{digits}f") + ("" if is_null(low) else f" ({bounds(low, high, digits)})")
