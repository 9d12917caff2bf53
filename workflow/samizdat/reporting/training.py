"""Describe the models, and show how they learned."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import EngFormatter, MaxNLocator

from samizdat.base.configuration import model_of
from samizdat.base.escaping import escape
from samizdat.base.language import numeral, say
from samizdat.records.models import DEVICES, ModelSummary
from samizdat.records.samples import PUBLISHED_PERCENT
from samizdat.reporting.frames import rows_of
from samizdat.reporting.held_out_loss import best_model, bits_per_byte, bytes_per_character, compared, notes, seeds
from samizdat.reporting.run import Run
from samizdat.reporting.style import DASHES, FAINT, MARKERS, PALETTE, Picture, drawing, legend_below, legend_label
from samizdat.reporting.words import (
    Prose,
    Table,
    count,
    counted,
    drawn,
    is_null,
    label,
    name,
    table,
)


def opening(run: Run) -> Prose:
    """Say what each model is, how it was trained, how good it is on held-out texts, and whether one is better."""
    return Prose("\n\n".join([*(_sentences(run, model) for model in run.models.values()), *compared(run)]))


def _sentences(run: Run, model: ModelSummary) -> str:
    """Describe one model."""
    rows = _log_of(run, model)
    first, last = rows.iloc[0], rows.iloc[-1]
    held_out, width = run.tokenizers[model.tokenizer].utf8_bytes["test"], bytes_per_character(run)
    start = "from scratch" if model.start == "scratch" else f"from the checkpoint {escape(model.start)}"
    text = (
        f"The model {label(model.name)} has {millions(model.parameters)} parameters and was trained {start} for "
        f"{count(model.steps_done)} steps, {millions(model.tokens_seen)} tokens in all "
        f"({last['epoch']:.1f} times over the train split). "
        f"On the held-out texts ({count(held_out)} bytes) it needs {bits_per_byte(run, model)}{seeds(run, model)}. "
        f"That is {model.test_bits_per_byte * width:.3f} bits per character, which has {width:.2f} bytes on average. "
        f"Its perplexity there is {model.test_perplexity:.1f} over its own tokens. On the validation texts, on which "
        f"its best weights were chosen, training brought it from {first['validation_bits_per_byte']:.3f} to "
        f"{model.validation_bits_per_byte:.3f} bits per byte. {_circumstances(model)}"
    )
    if model.recipe:
        decided = ", ".join(f"`{key}` {value:g}" for key, value in model.recipe.items())
        text += f" The recipe for corpora of this size gave {decided}."
    if model.best_step < model.steps_done:
        text += (
            f" The lowest loss was reached at step {count(model.best_step)}; the published weights are those, since "
            "later ones did worse on the validation texts."
        )
    if model.steps_done < model.steps_planned:
        text += (
            f" Training stopped before the planned {count(model.steps_planned)} steps, since the loss got no better."
        )
    return text


def _circumstances(model: ModelSummary) -> str:
    """Say on which device a model was trained, in which number format, and how many sequences at once."""
    processes = "" if model.processes == 1 else f" by each of {counted(model.processes, 'process', 'processes')}"
    return (
        f"It was trained on {DEVICES[model.device_kind]}, in {model.compute_dtype}, "
        f"{counted(model.micro_batch_sequences, 'sequence')} at once{processes}."
    )


def millions(number: float) -> str:
    """Write a large number in words: 3.4 million, 920 thousand."""
    if number >= 1e6:
        return say("{number}\u00a0million", number=numeral(number / 1e6, ".1f"))
    return say("{number}\u00a0thousand", number=count(number / 1e3)) if number >= 1e4 else count(number)


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
        _finish_curves(losses, "Loss", "loss, nats a token")
        _finish_curves(bits, "Bits per byte of the validation texts", "bits per byte")
        if len(models) == 1:
            _mark_checkpoints(losses, best)
            losses.legend()
        else:
            legend_below(picture, losses)
        picture.alternative_text = (
            f"{title}. Two line charts over training tokens: the loss on training and on validation texts, and bits "
            "per byte of the validation texts; both fall steeply at first, then slowly."
            if all(_falls(run, model) for model in models)
            else f"{title}. Two line charts over training tokens: losses, and bits per byte of the validation texts."
        )
        if len(run.other_trainings):
            picture.alternative_text += " Thin lines are the same models trained with other seeds."
    return picture


def _curves_finding(run: Run, best: ModelSummary) -> str:
    """Say as a title how far training came, of several models the best one's bits per byte."""
    if len(run.models) > 1:
        return f"Best on validation texts: {drawn(best.name)}, {best.validation_bits_per_byte:.2f} bits per byte"
    first = _log_of(run, best)["validation_bits_per_byte"].iloc[0]
    return f"Training brought validation texts from {first:.2f} to {best.validation_bits_per_byte:.2f} bits per byte"


def _plot_losses(axis: Axes, run: Run, model: ModelSummary, series: int) -> None:
    """Draw a model's loss on training texts and on validation texts."""
    rows = _log_of(run, model)
    measured = rows.dropna(subset=["train_loss"])
    colour = PALETTE[series % len(PALETTE)]
    of = f", {drawn(model.name)}" if len(run.models) > 1 else ""
    axis.plot(
        measured["tokens"],
        measured["train_loss"],
        color=colour,
        linestyle=DASHES[1],
        label=legend_label(f"train{of}", 30),
    )
    _plot_other_seeds(axis, run, model, "validation_loss", colour)
    axis.plot(
        rows["tokens"],
        rows["validation_loss"],
        color=colour,
        marker=MARKERS[series % len(MARKERS)],
        label=legend_label(f"validation{of}", 30),
    )


def _plot_bits(axis: Axes, run: Run, model: ModelSummary, series: int) -> None:
    """Draw a model's bits per byte, with a ring around the published weights."""
    rows = _log_of(run, model)
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
    axis.annotate(
        f"best: {best.validation_bits_per_byte:.3f}", _published(run, best), xytext=(0, 14),
        textcoords="offset points", ha="right", fontsize=8.5,
        path_effects=[withStroke(linewidth=3, foreground="white")],
    )  # fmt: skip


def _published(run: Run, model: ModelSummary) -> tuple[float, float]:
    """Return the training tokens and the bits per byte of a model's published weights."""
    rows = _log_of(run, model)
    row = rows[rows["step"] == model.best_step].iloc[-1]
    return row["tokens"], row["validation_bits_per_byte"]


def _finish_curves(axis: Axes, heading: str, unit: str) -> None:
    """Label the axes of curves over training tokens."""
    axis.set_title(heading)
    axis.set(xlabel="training tokens seen", ylabel=unit)
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    axis.xaxis.set_major_locator(MaxNLocator(6))
    axis.set_xlim(left=0)


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
    bits: list[float] = _log_of(run, model)["validation_bits_per_byte"].tolist()
    middle = bits[len(bits) // 2]
    return bits[0] - middle > middle - bits[-1] >= 0


def _log_of(run: Run, model: ModelSummary) -> pd.DataFrame:
    """Return the rows of a model's training log."""
    return run.training[run.training["model"] == model.name]


def models(run: Run) -> Table:
    """List each model's size and settings, and its result on held-out texts."""
    overrides = {item["name"]: run.config["training"] | item for item in run.config["models"]}
    rows, width = [], bytes_per_character(run)
    for model in run.models.values():
        recipe = overrides[model_of(model.name)] | model.recipe
        rows.append(
            [
                name(model.name),
                name(model.tokenizer),
                millions(model.parameters),
                f"{recipe['layers']} × {recipe['width']}" if model.start == "scratch" else "",
                count(recipe["context_tokens"]),
                f"{count(model.best_step)} of {count(model.steps_done)}",
                f"{model.test_loss:.3f}",
                f"{model.test_perplexity:.1f}",
                f"{model.test_bits_per_byte:.3f}" + "".join(f"<br><small>{note}</small>" for note in notes(run, model)),
                f"{model.test_bits_per_byte * width:.3f}",
            ]
        )
    header = ["Model", "Tokenizer", "Parameters", "Layers × width", "Context", "Best step"]
    header += ["Loss", "Perplexity", "Bits per byte", "Bits per character"]
    return table(rows, header, numbers=header[2:])


def yardsticks(run: Run) -> Table:
    """List what others need for the held-out texts, and the models."""
    names = {
        "xz": "xz alone",
        "xz_after_training": "xz, after the training texts",
        "ngram": "n-gram model of bytes",
    }
    width = bytes_per_character(run)
    rows = [
        [names[name], f"{row['read_bytes'] / 1e6:,.2f}"] + [f"{row['bits_per_byte'] * size:.3f}" for size in (1, width)]
        for name, row in run.yardsticks.items()
    ]
    header = ["Yardstick", "Training texts read, MB", "Bits per byte", "Bits per character"]
    return table(rows, header, numbers=header[1:])


def log(run: Run) -> Table:
    """List the training log: one row for each evaluation."""
    rows = [
        [
            name(row["model"]),
            count(row["step"]),
            count(row["tokens"]),
            f"{row['learning_rate']:.2g}",
            "" if is_null(row["train_loss"]) else f"{row['train_loss']:.3f}",
            f"{row['validation_loss']:.3f}",
            f"{row['validation_bits_per_byte']:.3f}",
        ]
        for row in rows_of(run.training)
    ]
    header = ["Model", "Step", "Tokens", "Learning rate", "Train loss", "Validation loss", "Bits per byte"]
    return table(rows, header, numbers=header[1:])
