"""Draw where the attention heads of the models look."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from samizdat.base.language import message, numeral, say
from samizdat.reporting.frames import Row, rows_of
from samizdat.reporting.held_out_loss import best_model
from samizdat.reporting.inside import found, token_name
from samizdat.reporting.run import Run
from samizdat.reporting.style import Picture, described, drawing, wrapped
from samizdat.reporting.words import drawn, percent

MEASURES = {
    "previous": message("on the token before, %"),
    "first": message("on the beginning, %"),
    "same": message("on the same token before, %"),
    "distance": message("mean distance, tokens"),
}
MOST_NUMBERED = 16  # heads of a layer that have room for a number
LONGEST_LABEL = 10  # Latin letters of a token beside a map
MOST_MAPS = 4  # layers, and heads of each, whose attention is drawn
_LARGEST_POINTS = 60  # area of the mark of a whole attention
_START = message("⟨start⟩")


def heads(run: Run) -> Picture | None:
    """Draw for each model and measure a map of its layers and heads, with the numbers in it."""
    rows = found(run, "heads")
    if rows.empty:
        return None
    models = list(dict.fromkeys(rows["model"]))
    panels = [(model, measure) for model in models for measure in MEASURES]
    top = max(rows_of(rows), key=lambda row: float(row["previous"]))
    title = say(
        "Most on the token before: {head}{of_model}, {share}",
        head=_named(top),
        of_model=say(" of {model}", model=drawn(top["model"])) if len(models) > 1 else "",
        share=percent(top["previous"]),
    )
    inches = 0.9 + 0.28 * max(rows.groupby("model")["layer"].max())
    with drawing(title, 2 * len(models) * inches, rows=2 * len(models), columns=2) as (picture, axes):
        parts = []
        for axis, (model, measure) in zip(axes, panels, strict=True):
            own = rows[rows["model"] == model]
            _map(axis, own, measure)
            who = f"{drawn(model)}, " if len(models) > 1 else ""
            heading = f"{who}{say(MEASURES[measure])}"
            axis.set_title(wrapped(heading, 42))
            parts.append(f"{heading}: {_range(own, measure)}")
        kind = say("Maps with a row for each layer and a column for each head, and a number in each cell")
        picture.alternative_text = described(title, kind, parts)
    return picture


def _named(row: Row) -> str:
    return say("head {head} of layer {layer}", head=row["head"], layer=row["layer"])


def _written(value: float, measure: str) -> str:
    if np.isnan(value):
        return "–"
    return numeral(value, ".1f") if measure == "distance" else numeral(value * 100, ".0f")


def _range(rows: pd.DataFrame, measure: str) -> str:
    """Say which heads have the least and the most of a measure."""
    measured = sorted(rows_of(rows.dropna(subset=[measure])), key=lambda row: float(row[measure]))
    if not measured:
        return say("no text has a token twice")
    least, most = measured[0], measured[-1]
    return say(
        "from {least} ({least_head}) to {most} ({most_head})",
        least=_written(least[measure], measure),
        least_head=_named(least),
        most=_written(most[measure], measure),
        most_head=_named(most),
    )


def _map(axis: Axes, rows: pd.DataFrame, measure: str) -> None:
    """Draw the map of a measure."""
    values = rows.pivot(index="layer", columns="head", values=measure).astype(float)
    numbers = values.map(lambda value: _written(value, measure)) if values.shape[1] <= MOST_NUMBERED else False
    top = values.max(axis=None) if measure == "distance" else 1
    sns.heatmap(
        values, annot=numbers, fmt="", cmap="Blues", vmin=0, vmax=top, cbar=False, ax=axis, linewidths=1,
        linecolor="white", annot_kws={"fontsize": 8 if values.shape[1] <= MOST_NUMBERED / 2 else 6},
    )  # fmt: skip
    axis.set(xlabel=say("head"), ylabel=say("layer"))
    axis.tick_params(length=0, rotation=0)


def maps(run: Run) -> Picture | None:
    """Draw the attention of each head of the best model in the beginning of a held-out text; nothing if withheld."""
    best = best_model(run).name
    weights, tokens = found(run, "attention"), found(run, "tokens")
    weights = weights[weights["model"] == best]
    if weights.empty or not run.publish_texts:
        return None
    tokens = tokens[(tokens["model"] == best) & (tokens["source"] == "held_out")]
    words = [say(_START), *tokens.sort_values(["percent", "position"])["token"].map(token_name)]
    layers, columns = (_spread(int(weights[axis].max())) for axis in ("layer", "head"))
    all_shown = len(layers) * len(columns) == weights.groupby(["layer", "head"]).ngroups
    title = (
        say("Attention in a held-out text, head by head")
        if all_shown
        else say(
            "Attention in a held-out text, head by head, {layers} of {all_layers} layers and {heads} of {all_heads} "
            "heads",
            layers=len(layers),
            all_layers=weights["layer"].max(),
            heads=len(columns),
            all_heads=weights["head"].max(),
        )
    )
    with drawing(title, 0.4 + 1.7 * len(layers), rows=len(layers), columns=len(columns)) as (picture, axes):
        parts = []
        places = [(layer, head) for layer in layers for head in columns]
        for axis, (layer, head) in zip(axes, places, strict=True):
            own = weights[(weights["layer"] == layer) & (weights["head"] == head)]
            _attention(axis, own, words, left=head == columns[0], below=layer == layers[-1])
            axis.set_title(say("layer {layer}, head {head}", layer=layer, head=head), fontsize=7.5)
            looks = message("head {head} of layer {layer} looks most at {token}")
            parts.append(say(looks, head=head, layer=layer, token=_most(own, words)))
        kind = say("A grid of maps: a row for each token that looks, a column for each that is looked at")
        picture.alternative_text = described(title, kind, parts)
    return picture


def _spread(number: int) -> list[int]:
    """Choose at most MOST_MAPS of the numbers from 1, evenly spread."""
    return sorted(set(np.linspace(1, number, min(number, MOST_MAPS)).round().astype(int).tolist()))


def _attention(axis: Axes, rows: pd.DataFrame, words: list[str], *, left: bool, below: bool) -> None:
    """Draw a mark for each two tokens, the larger and the stronger in colour the more attention there is."""
    size = int(rows["position"].max()) + 1
    labels = [wrapped(word, LONGEST_LABEL, 1) for word in words[:size]]
    axis.scatter(
        rows["at"], rows["position"], s=rows["weight"] * _LARGEST_POINTS, c=rows["weight"], cmap="Blues", vmin=-0.5,
        vmax=1, marker="s", linewidths=0,
    )  # fmt: skip
    axis.set(xlim=(-0.7, size - 0.3), ylim=(size - 0.3, -0.7), aspect="equal")
    axis.set_xticks(range(size), labels if below else [], rotation=90, fontsize=6)
    axis.set_yticks(range(size), labels if left else [], fontsize=6)
    axis.grid(visible=False)
    axis.tick_params(length=0)


def _most(rows: pd.DataFrame, words: list[str]) -> str:
    """Name the token that gets most of the attention of those after the first one."""
    shares = rows[rows["position"] > 0].groupby("at")["weight"].sum() / max(int(rows["position"].max()), 1)
    if shares.empty:
        return f"{words[0]}, 100 %"
    (row,) = rows_of(shares.reset_index().nlargest(1, "weight"))
    return f"{drawn(words[row['at']])}, {percent(row['weight'])}"
