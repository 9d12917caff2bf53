"""Say what a model is, how it was trained, and how good it is on held-out texts."""

import pandas as pd

from samizdat.base.escaping import escape
from samizdat.base.language import message, numeral, said_raw, say
from samizdat.records.models import DEVICES, ModelSummary
from samizdat.records.samples import PUBLISHED_PERCENT
from samizdat.reporting.frames import Row
from samizdat.reporting.held_out_loss import bits_per_byte, bytes_per_character, seeds
from samizdat.reporting.run import Run
from samizdat.reporting.words import count, counted, label, percent


def sentences(run: Run, model: ModelSummary) -> str:
    """Describe one model."""
    trained = (
        message(
            "The model {model} has {parameters} parameters and was trained from scratch for {steps} steps, {tokens} "
            "tokens in all ({times} times over the train split)."
        )
        if model.start == "scratch"
        else message(
            "The model {model} has {parameters} parameters and was trained from the checkpoint {start} for {steps} "
            "steps, {tokens} tokens in all ({times} times over the train split)."
        )
    )
    said = [
        say(
            trained,
            model=label(model.name),
            start=escape(model.start),
            parameters=millions(model.parameters),
            steps=count(model.steps_done),
            tokens=millions(model.tokens_seen),
            times=numeral(log_of(run, model)["epoch"].iloc[-1], ".1f"),
        ),
        *_results(run, model),
        _circumstances(model),
    ]
    if model.recipe:
        decided = ", ".join(f"`{key}` {numeral(value, 'g')}" for key, value in model.recipe.items())
        said.append(say("The recipe for corpora of this size gave {settings}.", settings=decided))
    if model.best_step < model.steps_done:
        said.append(
            say(
                "The lowest loss was reached at step {step}; the published weights are those, since later ones did "
                "worse on the validation texts.",
                step=count(model.best_step),
            )
        )
    if model.steps_done < model.steps_planned:
        said.append(
            say(
                "Training stopped before the planned {steps} steps, since the loss got no better.",
                steps=count(model.steps_planned),
            )
        )
    return " ".join(said)


def _results(run: Run, model: ModelSummary) -> list[str]:
    """Say how good a model is on held-out texts, and what training brought on validation texts."""
    tokenizer, width = run.tokenizers[model.tokenizer], bytes_per_character(run)
    changed = tokenizer.changed["test"]
    return [
        say(
            "On the held-out texts ({bytes} bytes) it needs {bits}{seeds}.",
            bytes=count(tokenizer.utf8_bytes["test"]),
            bits=bits_per_byte(run, model),
            seeds=seeds(run, model),
        ),
        *(
            [
                say(
                    "Its tokenizer loses or changes characters in {number} of these texts. They are counted as bytes "
                    "but not predicted, so its bits per byte are too low and can't be compared with others.",
                    number=count(changed),
                )
            ]
            if changed
            else []
        ),
        say(
            "That is {bits} bits per character, which has {bytes} bytes on average.",
            bits=numeral(model.test_bits_per_byte * width, ".3f"),
            bytes=numeral(width, ".2f"),
        ),
        say(
            "Its perplexity there is {perplexity} over its own tokens.",
            perplexity=numeral(model.test_perplexity, ".1f"),
        ),
        say(
            "On the validation texts, on which its best weights were chosen, training brought it from {first} to "
            "{best} bits per byte.",
            first=numeral(log_of(run, model)["validation_bits_per_byte"].iloc[0], ".3f"),
            best=numeral(model.validation_bits_per_byte, ".3f"),
        ),
    ]


def _circumstances(model: ModelSummary) -> str:
    """Say on which device a model was trained, in which number format, and how many sequences at once."""
    trained = (
        message("It was trained on {device}, in {format}, {sequences} at once.")
        if model.processes == 1
        else message("It was trained on {device}, in {format}, {sequences} at once by each of {processes}.")
    )
    return say(
        trained,
        device=say(DEVICES[model.device_kind]),
        format=model.compute_dtype,
        sequences=counted(model.micro_batch_sequences, "sequence", "sequences"),
        processes=counted(model.processes, "process", "processes"),
    )


def millions(number: float) -> str:
    """Write a large number in words: 3.4 million, 920 thousand."""
    if number >= 1e6:
        return say("{number}\u00a0million", number=numeral(number / 1e6, ".1f"))
    return say("{number}\u00a0thousand", number=count(number / 1e3)) if number >= 1e4 else count(number)


def after_step(run: Run, row: Row) -> str:
    """Write after which step a checkpoint was kept, and of how much of the training that is the end.

    The published weights may be of an earlier step than the last. Of a training that stopped early, the checkpoints
    that it did not reach have its last weights.
    """
    model, step = run.models[row["model"]], count(row["step"])
    if row["percent"] == PUBLISHED_PERCENT and model.best_step < model.steps_planned:
        return say("{step} (published)", step=step)
    reached = row["step"] < model.steps_done or model.steps_done == model.steps_planned
    return f"{step} ({percent(row['percent'] / 100)})" if reached else step


def is_earlier(model: ModelSummary, percent_done: str) -> bool:
    """Whether the weights kept for a percent of the training are of an earlier step.

    So are the published ones (100), if a later step was no better, and those of percents that a training which stopped
    early did not reach.
    """
    if percent_done == str(PUBLISHED_PERCENT):
        return model.best_step < model.steps_planned
    return model.checkpoints.get(percent_done) == model.steps_done < model.steps_planned


def written_after(run: Run, percent_done: str) -> str:
    """Name the samples of a checkpoint by its percent of the training, or by what its weights are instead."""
    if not any(is_earlier(model, percent_done) for model in run.models.values()):
        return said_raw("samples after {} %").format(percent_done)
    if percent_done == str(PUBLISHED_PERCENT):
        return say("samples with the published weights")
    return say("samples with the last weights, before {percent} %", percent=percent_done)


def log_of(run: Run, model: ModelSummary) -> pd.DataFrame:
    """Return the rows of a model's training log."""
    return run.training[run.training["model"] == model.name]
