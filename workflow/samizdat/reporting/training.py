"""The models: what they are and how they learned."""

from matplotlib.patheffects import withStroke
from matplotlib.ticker import EngFormatter, MaxNLocator

from samizdat.base.escaping import escape
from samizdat.records.models import DEVICES, ModelSummary
from samizdat.records.samples import PUBLISHED_PERCENT
from samizdat.reporting.run import Run
from samizdat.reporting.style import DASHES, FAINT, MARKERS, PALETTE, Picture, drawing, legend_below, legend_label
from samizdat.reporting.words import NO_BREAK, Prose, Table, count, counted, drawn, label, name, table


def opening(run: Run) -> Prose:
    """What each model is and where its training led."""
    return Prose("\n\n".join(_sentences(run, model) for model in run.models.values()))


def _sentences(run: Run, model: ModelSummary) -> str:
    log = run.training[run.training["model"] == model.name]
    first, last = log.iloc[0], log.iloc[-1]
    held_out = run.tokenizers[model.tokenizer].utf8_bytes.get("validation", 0)
    start = "from scratch" if model.start == "scratch" else f"on from {escape(model.start)}"
    text = (
        f"The model {label(model.name)} has {millions(model.parameters)} parameters and was trained {start} for "
        f"{count(model.steps_done)} steps, {millions(model.tokens_seen)} tokens in all "
        f"({last['epoch']:.1f} times over the train split). "
        f"On the held-out texts ({count(held_out)} bytes) it needs {model.validation_bits_per_byte:.3f} bits per byte; "
        f"before training it was {first['validation_bits_per_byte']:.3f}. Its perplexity there is "
        f"{model.validation_perplexity:.1f} over its own tokens. {_circumstances(model)}"
    )
    if model.best_step < model.steps_done:
        text += (
            f" The lowest loss was reached at step {count(model.best_step)}; the published weights are those, since "
            "later ones did worse on the held-out texts."
        )
    if model.steps_done < model.steps_planned:
        text += (
            f" Training stopped before the planned {count(model.steps_planned)} steps, since the loss got no better."
        )
    return text


def _circumstances(model: ModelSummary) -> str:
    """Where it learned, in which number format, and how many sequences at once."""
    processes = "" if model.processes == 1 else f" by each of {counted(model.processes, 'process', 'processes')}"
    return (
        f"It learned on {DEVICES[model.device_kind]}, in {model.compute_dtype}, "
        f"{counted(model.micro_batch_sequences, 'sequence')} at once{processes}."
    )


def millions(number: float) -> str:
    """A large number in words: 3.4 million, 920 thousand."""
    if number >= 1e6:
        return f"{number / 1e6:.1f}{NO_BREAK}million"
    return f"{number / 1e3:.0f}{NO_BREAK}thousand" if number >= 1e4 else count(number)


def curves(run: Run) -> Picture:
    """Training and validation loss, and bits per byte, over the tokens that were seen."""
    models = list(run.models.values())
    best = min(models, key=lambda model: model.validation_bits_per_byte)
    first = run.training.loc[run.training["model"] == best.name, "validation_bits_per_byte"].iloc[0]
    title = (
        f"Training brought held-out texts from {first:.2f} to {best.validation_bits_per_byte:.2f} bits per byte"
        if len(models) == 1
        else f"Best on held-out texts: {drawn(best.name)}, {best.validation_bits_per_byte:.2f} bits per byte"
    )
    with drawing(title, 3.1 + 0.4 * (len(models) - 1), columns=2) as (picture, [losses, bits]):
        for series, model in enumerate(models):
            log = run.training[run.training["model"] == model.name]
            colour, marker = PALETTE[series % len(PALETTE)], MARKERS[series % len(MARKERS)]
            of = f", {drawn(model.name)}" if len(models) > 1 else ""
            measured = log.dropna(subset=["train_loss"])
            losses.plot(
                measured["tokens"],
                measured["train_loss"],
                color=colour,
                linestyle=DASHES[1],
                label=legend_label(f"train{of}", 30),
            )
            losses.plot(
                log["tokens"],
                log["validation_loss"],
                color=colour,
                marker=marker,
                label=legend_label(f"held out{of}", 30),
            )
            bits.plot(
                log["tokens"],
                log["validation_bits_per_byte"],
                color=colour,
                marker=marker,
                label=legend_label(model.name, 30),
            )
            published = log[log["step"] == model.best_step].iloc[-1]
            place = (published["tokens"], published["validation_bits_per_byte"])
            bits.plot(
                *place, marker="o", markersize=11, markerfacecolor="none", markeredgecolor=colour, linestyle="none"
            )
            if model is best:
                words = f"best: {model.validation_bits_per_byte:.3f}"
                bits.annotate(
                    words, place, xytext=(0, 14), textcoords="offset points", ha="right", fontsize=8.5,
                    path_effects=[withStroke(linewidth=3, foreground="white")],
                )  # fmt: skip
        for axis, heading, unit in (
            (losses, "Loss", "loss, nats a token"),
            (bits, "Bits per byte of the held-out texts", "bits per byte"),
        ):
            axis.set_title(heading)
            axis.set(xlabel="training tokens seen", ylabel=unit)
            axis.xaxis.set_major_formatter(EngFormatter(sep=""))
            axis.xaxis.set_major_locator(MaxNLocator(6))
            axis.set_xlim(left=0)
        for percent_done, step in (models[0].checkpoints if len(models) == 1 else {}).items():
            if percent_done != str(PUBLISHED_PERCENT):
                tokens = step * models[0].tokens_seen / max(models[0].steps_done, 1)
                losses.axvline(tokens, color=FAINT, linewidth=0.8, linestyle=":")
                losses.annotate(
                    f"{percent_done} %", (tokens, 1), xycoords=("data", "axes fraction"), xytext=(2, -8),
                    textcoords="offset points", fontsize=7.5, color=FAINT,
                )  # fmt: skip
        if len(models) > 1:
            legend_below(picture, losses)
        else:
            losses.legend()
        picture.alternative_text = (
            f"{title}. Two line charts over training tokens: the loss on training and on held-out texts, and bits per "
            "byte of the held-out texts; both fall steeply at first, then slowly."
            if all(_falls(run, model) for model in models)
            else f"{title}. Two line charts over training tokens: losses, and bits per byte of the held-out texts."
        )
    return picture


def _falls(run: Run, model: ModelSummary) -> bool:
    """Whether most of the fall came in the first half."""
    bits = run.training.loc[run.training["model"] == model.name, "validation_bits_per_byte"].tolist()
    middle = bits[len(bits) // 2]
    return bits[0] - middle > middle - bits[-1] >= 0


def models(run: Run) -> Table:
    """Each model's size, recipe and result."""
    overrides = {item["name"]: run.config["training"] | item for item in run.config["models"]}
    rows = []
    for model in run.models.values():
        recipe = overrides[model.name]
        rows.append(
            [
                name(model.name),
                name(model.tokenizer),
                millions(model.parameters),
                f"{recipe['layers']} × {recipe['width']}" if model.start == "scratch" else "",
                count(recipe["context_tokens"]),
                f"{count(model.best_step)} of {count(model.steps_done)}",
                f"{model.validation_loss:.3f}",
                f"{model.validation_perplexity:.1f}",
                f"{model.validation_bits_per_byte:.3f}",
            ]
        )
    header = ["Model", "Tokenizer", "Parameters", "Layers × width", "Context", "Best step"]
    header += ["Loss", "Perplexity", "Bits per byte"]
    return table(rows, header, numbers=header[2:])


def log(run: Run) -> Table:
    """The training log: one row for each evaluation."""
    rows = [
        [
            name(row["model"]),
            count(row["step"]),
            count(row["tokens"]),
            f"{row['learning_rate']:.2g}",
            "" if row["train_loss"] != row["train_loss"] else f"{row['train_loss']:.3f}",
            f"{row['validation_loss']:.3f}",
            f"{row['validation_bits_per_byte']:.3f}",
        ]
        for row in run.training.to_dict("records")
    ]
    header = ["Model", "Step", "Tokens", "Learning rate", "Train loss", "Held-out loss", "Bits per byte"]
    return table(rows, header, numbers=header[1:])
