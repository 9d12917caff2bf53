"""Describe the models, and show how they learned."""

from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from samizdat.base.configuration import model_of
from samizdat.base.language import numeral, say
from samizdat.records.models import ModelSummary
from samizdat.records.samples import PUBLISHED_PERCENT
from samizdat.reporting.frames import rows_of
from samizdat.reporting.held_out_loss import best_model, bytes_per_character, compared, notes
from samizdat.reporting.run import Run
from samizdat.reporting.style import DASHES, FAINT, MARKERS, PALETTE, Picture, drawing, legend_below, legend_label
from samizdat.reporting.trained_model import log_of, sentences
from samizdat.reporting.words import (
    Prose,
    Table,
    count,
    drawn,
    is_null,
    name,
    table,
)


def opening(run: Run) -> Prose:
    """Say what each model is, how it was trained, how good it is on held-out texts, and whether one is better."""
    return Prose("\n\n".join([*(sentences(run, model) for model in run.models.values()), *compared(run)]))


def curves(run: Run) -> Picture:
    """Draw training and validation loss, and bits per byte, over the training tokens seen."""
    models = list(run.models.values())
    best = best_model(run)
    title = _curves_finding(run, best)
    with drawing(title, 2.7 + 0.4 * (len(models) - 1), columns=2) as (picture, [losses, bits]):
        for series, model in enumerate(models):
            _plot_losses(losses, run, model, series)
            _plot_bits(bits, run, model, series)
        _mark_best(bits, run, best)
        _finish_curves(losses, say("Loss"), say("loss, nats a token"))
        _finish_curves(bits, say("Bits per byte of the validation texts"), say("bits per byte"))
        if len(models) == 1:
            _mark_checkpoints(losses, best)
            losses.legend()
        else:
            legend_below(picture, losses)
        described = [
            f"{title}.",
            say(
                "Two line charts over training tokens: the loss on training and on validation texts, and bits per byte "
                "of the validation texts; both fall steeply at first, then slowly."
            )
            if all(_falls(run, model) for model in models)
            else say("Two line charts over training tokens: losses, and bits per byte of the validation texts."),
        ]
        if len(run.other_trainings):
            described.append(say("Thin lines are the same models trained with other seeds."))
        picture.alternative_text = " ".join(described)
    return picture


def _curves_finding(run: Run, best: ModelSummary) -> str:
    """Say as a title how far training came, of several models the best one's bits per byte."""
    bits = numeral(best.validation_bits_per_byte, ".2f")
    if len(run.models) > 1:
        return say("Best on validation texts: {model}, {bits} bits per byte", model=drawn(best.name), bits=bits)
    first = numeral(log_of(run, best)["validation_bits_per_byte"].iloc[0], ".2f")
    return say("Training brought validation texts from {first} to {best} bits per byte", first=first, best=bits)


def _plot_losses(axis: Axes, run: Run, model: ModelSummary, series: int) -> None:
    """Draw a model's loss on training texts and on validation texts."""
    rows = log_of(run, model)
    measured = rows.dropna(subset=["train_loss"])
    colour = PALETTE[series % len(PALETTE)]
    of = f", {drawn(model.name)}" if len(run.models) > 1 else ""
    axis.plot(
        measured["tokens"],
        measured["train_loss"],
        color=colour,
        linestyle=DASHES[1],
        label=legend_label(f"{say('train')}{of}", 30),
    )
    _plot_other_seeds(axis, run, model, "validation_loss", colour)
    axis.plot(
        rows["tokens"],
        rows["validation_loss"],
        color=colour,
        marker=MARKERS[series % len(MARKERS)],
        label=legend_label(f"{say('validation')}{of}", 30),
    )


def _plot_bits(axis: Axes, run: Run, model: ModelSummary, series: int) -> None:
    """Draw a model's bits per byte, with a ring around the published weights."""
    rows = log_of(run, model)
    colour = PALETTE[series % len(PALETTE)]
    _plot_other_seeds(axis, run, model, "validation_bits_per_byte", colour)
    axis.plot(
        rows["tokens"],
        rows["validation_bits_per_byte"],
        color=colour,
        marker=MARKERS[series % len(MARKERS)],
        label=legend_label(model.name, 30),
    )
    axis.plot(
        *_published(run, model),
        marker="o",
        markersize=11,
        markerfacecolor="none",
        markeredgecolor=colour,
        linestyle="none",
    )


def _plot_other_seeds(axis: Axes, run: Run, model: ModelSummary, column: str, colour: str) -> None:
    """Draw a thin line for each further training of a model with another seed."""
    for training, rows in run.other_trainings.groupby("model"):
        if model_of(str(training)) == model.name:
            axis.plot(rows["tokens"], rows[column], color=colour, linewidth=0.7, alpha=0.6)


def _mark_best(axis: Axes, run: Run, best: ModelSummary) -> None:
    """Write the bits per byte of the best model above its published weights."""
    words = say("best: {bits}", bits=numeral(best.validation_bits_per_byte, ".3f"))
    axis.annotate(
        words, _published(run, best), xytext=(0, 14),
        textcoords="offset points", ha="right", fontsize=8.5,
        path_effects=[withStroke(linewidth=3, foreground="white")],
    )  # fmt: skip


def _published(run: Run, model: ModelSummary) -> tuple[float, float]:
    """Return the training tokens and the bits per byte of a model's published weights."""
    rows = log_of(run, model)
    row = rows[rows["step"] == model.best_step].iloc[-1]
    return row["tokens"], row["validation_bits_per_byte"]


def _finish_curves(axis: Axes, heading: str, unit: str) -> None:
    """Label the axes of curves over training tokens."""
    axis.set_title(heading)
    axis.set(xlabel=say("training tokens seen"), ylabel=unit)
    axis.xaxis.set_major_formatter(_thousands)
    axis.xaxis.set_major_locator(MaxNLocator(5))
    axis.set_xlim(left=0)


def _thousands(value: float, _: float) -> str:
    """Label a tick with k or M, as the report's language writes them."""
    if value < 1_000:
        return numeral(value, "g")
    if value < 1_000_000:
        return say("{number}k", number=numeral(value / 1_000, "g"))
    return say("{number}M", number=numeral(value / 1_000_000, "g"))


def _mark_checkpoints(axis: Axes, model: ModelSummary) -> None:
    """Draw a dotted line at each checkpoint that was kept, with its percent of the training."""
    for percent_done, step in model.checkpoints.items():
        if percent_done != str(PUBLISHED_PERCENT):
            tokens = step * model.tokens_seen / max(model.steps_done, 1)
            axis.axvline(tokens, color=FAINT, linewidth=0.8, linestyle=":")
            axis.annotate(
                f"{percent_done} %", (tokens, 1), xycoords=("data", "axes fraction"), xytext=(2, -8),
                textcoords="offset points", fontsize=7.5, color=FAINT,
            )  # fmt: skip


def _falls(run: Run, model: ModelSummary) -> bool:
    """Say whether bits per byte fell more in the first half of training than in the second, and did not rise in it."""
    bits: list[float] = log_of(run, model)["validation_bits_per_byte"].tolist()
    middle = bits[len(bits) // 2]
    return len(bits) > 2 and bits[0] - middle > middle - bits[-1] >= 0


def models(run: Run) -> Table:
    """List each model's size and settings, and its result on held-out texts."""
    overrides = {item["name"]: run.config["training"] | item for item in run.config["models"]}
    rows, width = [], bytes_per_character(run)
    for model in run.models.values():
        recipe, bits = overrides[model_of(model.name)] | model.recipe, numeral(model.test_bits_per_byte, ".3f")
        rows.append(
            [
                name(model.name),
                name(model.tokenizer),
                count(model.parameters),
                f"{recipe['layers']} × {recipe['width']}" if model.start == "scratch" else "",
                count(recipe["context_tokens"]),
                say("{step} of {steps}", step=count(model.best_step), steps=count(model.steps_done)),
                numeral(model.test_loss, ".3f"),
                numeral(model.test_perplexity, ".1f"),
                "<br>".join([bits, *(f"<small>{note}</small>" for note in notes(run, model))]),
                numeral(model.test_bits_per_byte * width, ".3f"),
            ]
        )
    header = [say("Model"), say("Tokenizer"), say("Parameters"), say("Layers × width"), say("Context")]
    header += [say("Best step"), say("Loss"), say("Perplexity"), say("Bits per byte"), say("Bits per character")]
    return table(rows, header, numbers=header[2:])


def yardsticks(run: Run) -> Table:
    """List what others need for the held-out texts, and the models."""
    names = {
        "xz": say("xz alone"),
        "xz_after_training": say("xz, after the training texts"),
        "ngram": say("n-gram model of bytes"),
    }
    width = bytes_per_character(run)
    rows = [
        [
            names[name],
            numeral(row["read_bytes"] / 1e6, ",.2f"),
            *(numeral(row["bits_per_byte"] * size, ".3f") for size in (1, width)),
        ]
        for name, row in run.yardsticks.items()
    ]
    header = [say("Yardstick"), say("Training texts read, MB"), say("Bits per byte"), say("Bits per character")]
    return table(rows, header, numbers=header[1:])


def log(run: Run) -> Table:
    """List the training log: one row for each evaluation."""
    rows = [
        [
            name(row["model"]),
            count(row["step"]),
            count(row["tokens"]),
            numeral(row["learning_rate"], ".2g"),
            "" if is_null(row["train_loss"]) else numeral(row["train_loss"], ".3f"),
            numeral(row["validation_loss"], ".3f"),
            numeral(row["validation_bits_per_byte"], ".3f"),
        ]
        for row in rows_of(run.training)
    ]
    header = [say("Model"), say("Step"), say("Tokens"), say("Learning rate")]
    header += [say("Train loss"), say("Validation loss"), say("Bits per byte")]
    return table(rows, header, numbers=header[1:])
