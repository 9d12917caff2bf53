"""Say how many bits a byte of held-out text takes: its interval, its range over seeds, and which model is better."""

from samizdat.base.language import message, numeral, plural, say
from samizdat.records.models import ModelSummary
from samizdat.reporting import verdicts
from samizdat.reporting.frames import Row, rows_of
from samizdat.reporting.run import Run
from samizdat.reporting.words import NO_BREAK, Prose, bounds, is_null, joined, label, too_few


def bits_per_byte(run: Run, model: ModelSummary) -> str:
    """Write what a model needs for a byte of held-out text, with its interval where there is one."""
    row = run.model_losses[model.name]
    interval = "" if is_null(row["low"]) else f" ({bounds(row['low'], row['high'], 3)})"
    bits = numeral(model.test_bits_per_byte, ".3f")
    return say("{bits} bits per byte{interval}", bits=bits, interval=interval)


def bytes_per_character(run: Run) -> float:
    """Return how many bytes in UTF-8 a character of the held-out texts has: 1 in English, 3 in Chinese."""
    texts = run.texts[run.texts["split"] == "test"]
    return int(texts["bytes"].sum()) / int(texts["characters"].sum())


def seeds(run: Run, model: ModelSummary) -> str:
    """Say how far a model's trainings with other seeds are apart; nothing where there is one training."""
    row = run.model_losses[model.name]
    if row["seeds"] == 1:
        return ""
    return say("; trained {times} times, each time with another seed, {range}", times=row["seeds"], range=_range(row))


def _range(row: Row) -> str:
    """Write the range over seeds."""
    return bounds(row["seeds_low"], row["seeds_high"], 3)


def compared(run: Run) -> list[str]:
    """Compare the model that did best on the validation texts with each other one, on the held-out texts.

    Models with different losses of characters are not compared.
    """
    best = best_model(run).name
    rows = [row for row in rows_of(run.model_differences) if best in (row["model"], row["other"])]
    alike = [row for row in rows if lost_by(run, row["model"]) == lost_by(run, row["other"])]
    return [" ".join(_difference(run, row) for row in alike)] if alike else []


def lost_by(run: Run, model: str) -> str:
    """Tell what characters of held-out texts a model can't predict: by a hash of its tokenizer; "" where it loses none.

    Its bits per byte are too low then, and can be compared with those of models that lose the same alone.
    """
    tokenizer = run.models[model].tokenizer
    lost = run.tokenizers[tokenizer].changed["test"]
    return run.manifest.artefacts[f"tokenizers/{tokenizer}/tokenizer.json"] if lost else ""


def _difference(run: Run, row: Row) -> str:
    """Say which of two models needs fewer bits per byte, where the test shows it."""
    better, worse = (row["model"], row["other"]) if row["value"] < 0 else (row["other"], row["model"])
    values = {"better": label(better), "worse": label(worse), "bits": numeral(abs(row["value"]), ".3f")}
    if is_null(row["p_holm"]):
        apart = say("On the held-out texts {better} and {worse} are {bits}\u00a0bits per byte apart.", **values)
        return f"{apart} {too_few()}"
    sign = -1 if row["value"] < 0 else 1
    low, high = sorted((sign * row["low"], sign * row["high"]))
    covered = (
        say("other documents and other seeds; means over the trainings")
        if row["covers_seeds"]
        else say("other documents, not other seeds, since each model was trained once")
    )
    found = verdicts.better_models(run.model_differences, run.confidence)
    sentence = (
        message(
            "On the held-out texts {better} is better than {worse}: it needs {bits}\u00a0bits per byte less "
            "({interval}; the interval covers {covered})."
        )
        if (row["model"], row["other"]) in found
        else message(
            "No difference was found between {better} and {worse}: they are {bits}\u00a0bits per byte apart "
            "({interval}; the interval covers {covered})."
        )
    )
    return say(sentence, interval=bounds(low, high, 3), covered=covered, **values)


def best_model(run: Run) -> ModelSummary:
    """Return the model that did best on the validation texts; one that loses characters only if all do."""
    return min(run.models.values(), key=lambda model: (lost_by(run, model.name) != "", model.validation_bits_per_byte))


def notes(run: Run, model: ModelSummary) -> list[str]:
    """Write the interval of a model's bits per byte, and the range over its seeds, if any; and if they are too low."""
    row = run.model_losses[model.name]
    interval = [] if is_null(row["low"]) else [bounds(row["low"], row["high"], 3).replace(" ", NO_BREAK)]
    seeds = [] if row["seeds"] == 1 else [say("seeds {range}", range=_range(row)).replace(" ", NO_BREAK)]
    lost = [say("too low: characters are lost")] if lost_by(run, model.name) else []
    return interval + seeds + lost


def limits(run: Run) -> Prose:
    """Say what the numbers don't cover: other seeds where a model was trained once, and other splits and settings."""
    once = [label(name) for name, row in run.model_losses.items() if row["seeds"] == 1]
    if len(once) == len(run.models):
        return Prose(
            say(
                "- **One training run.** The intervals come from resampling documents. They do not cover another seed, "
                "another split or another choice of settings."
            )
        )
    few = min(row["seeds"] for row in run.model_losses.values() if row["seeds"] > 1)
    sentences = [
        plural("- **{count} training run of some models.**", "- **{count} training runs of some models.**", few)
        if once
        else plural("- **{count} training run.**", "- **{count} training runs.**", few),
        say(
            "The intervals come from resampling documents; next to them is the range over trainings that differ in "
            "their seed alone. So few trainings show only roughly how far results vary."
        ),
    ]
    if once:
        sentences.append(
            plural("{models} was trained once.", "{models} were trained once.", len(once), models=joined(once))
        )
    return Prose(" ".join([*sentences, say("Nothing covers another split or another choice of settings.")]))
