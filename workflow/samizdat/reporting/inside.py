"""Show what goes on inside the models: what tokens cost, what is expected next, where bits are spent."""

import math
import re
import unicodedata
from collections.abc import Callable

import pandas as pd

from samizdat.base.escaping import escape, escape_piece, quoted, shortened
from samizdat.base.language import message, numeral, say
from samizdat.records.inside import INSIDE
from samizdat.records.io import read_table
from samizdat.records.models import TEST_LOSSES
from samizdat.records.samples import PUBLISHED_PERCENT
from samizdat.reporting.frames import Row, rows_of
from samizdat.reporting.held_out_loss import best_model
from samizdat.reporting.largest_groups import SHOWN_GROUPS, group_heading
from samizdat.reporting.run import Run
from samizdat.reporting.trained_model import after_step, is_earlier
from samizdat.reporting.words import Prose, Table, bounds, count, is_null, label, name, percent, table

# Bits from which a token gets a thicker line and a stronger colour.
LEVELS = (1, 4, 8, 12)
SOURCES = {"held_out": message("a held-out text"), "sample": message("a sample")}
PARTS = {
    "whole": message("a whole word"),
    "beginning": message("the beginning of a word"),
    "inside": message("inside of a word"),
    "end": message("the end of a word"),
    "between": message("punctuation and blanks"),
    "ending": message("the end of the text"),
    "capitalised": message("words with a capital letter first"),
    "number": message("words with a digit"),
    "other": message("other words"),
}
FEWEST_TOKENS = 10  # of a text that is listed: one of few tokens is extreme by chance
LISTED = 2  # texts of a group, in each direction
LONGEST_CHARACTERS = 240
_EDGE = "box-shadow:inset 1px 0 rgb(128 128 128 / 0.5)"  # between tokens; it takes no room, so that letters join
_BYTES = re.compile(r"((?:\\x[0-9a-f]{2})+)")  # as `records.inside` writes parts of a letter
_VISIBLE = str.maketrans({" ": "␣", "\u00a0": "␣", "\n": "⏎", "\r": "⏎", "\t": "⇥"})


def found(run: Run, wanted: str) -> pd.DataFrame:
    """Read a table of `records.inside.INSIDE` of all models, with a column `model`; empty where none was made."""
    schema = INSIDE[wanted]
    if not run.config["inside"]:
        return pd.DataFrame(columns=[*schema.names, "model"])
    folder = run.folder / "models"
    tables = [
        read_table(folder / model / "inside" / f"{wanted}.parquet", schema).assign(model=model) for model in run.models
    ]
    return pd.concat(tables, ignore_index=True)


def _tokens(run: Run) -> pd.DataFrame:
    """Return the rows of `tokens` whose texts may be shown, those of the held-out text first."""
    tokens = found(run, "tokens").sort_values("source", kind="stable")
    return tokens if run.publish_texts else tokens[tokens["id"].isin(run.shown_ids)]


def token_name(token: str) -> str:
    """Write a token with its blanks and line ends as signs; a mark that belongs to another letter is on a circle."""
    shown = token.translate(_VISIBLE)
    return f"◌{shown}" if unicodedata.category(shown[:1] or " ").startswith("M") else shown


def token_cell(token: str) -> str:
    """Write a token for a table cell; it has its own direction, and so have bytes in it, which are no letters."""
    return f"<bdi>{_with_bytes(shortened(token_name(token)), escape)}</bdi>"


def costs(run: Run) -> Table | Prose | None:
    """List a held-out text and a sample at each checkpoint, each token marked by what it cost."""
    tokens = _tokens(run)
    if tokens.empty:
        return Prose(say("No text may be shown token by token.")) if run.config["inside"] else None
    several = len(run.models) > 1
    rows = []
    for (source, model, _), part in tokens.groupby(["source", "model", "percent"], sort=False):
        marked = "".join(_marked(row) for row in rows_of(part))
        text = f'<bdi lang="{escape(run.language)}">{marked}</bdi>'
        rows.append(
            [say(SOURCES[str(source)]), *([name(model)] if several else []), after_step(run, rows_of(part)[0]), text,
             count(part["bits"].sum())]
        )  # fmt: skip
    header = [say("Text"), *([say("Model")] if several else []), say("After step"), say("Its tokens"), say("Bits")]
    return table(rows, header, numbers=header[-1:])


def _marked(row: Row) -> str:
    """Write a token with a line below and a colour that say how many bits it cost; a pointer over it sees the number.

    The style is part of the element, so that notebooks show it, too; the class is for paper.
    """
    level = sum(row["bits"] >= bits for bits in LEVELS)
    look = f"border-bottom:{level}px solid #c2570c;background:rgb(234 106 12 / {level * 0.11:.2f});{_EDGE}"
    words = say("{bits} bits, rank {rank}", bits=numeral(row["bits"], ".1f"), rank=count(row["rank"]))
    token = _with_bytes(row["token"], escape_piece)
    return f'<span class="bits-{level}" title="{words}" style="{look}">{token}</span>'


def _with_bytes(token: str, write: Callable[[str], str]) -> str:
    """Write a token, and bytes in it from left to right also in a text from right to left."""
    pieces = enumerate(_BYTES.split(token))
    return "".join(f"<bdi>{escape(one)}</bdi>" if place % 2 else write(one) for place, one in pieces)


def every_cost(run: Run) -> Table | None:
    """List the bits and the rank of each token at each checkpoint, of the model that did best."""
    tokens = _tokens(run)
    tokens = tokens[tokens["model"] == best_model(run).name]
    if tokens.empty:
        return None
    percents = sorted(tokens["percent"].unique())
    steps = [after_step(run, rows_of(tokens[tokens["percent"] == one])[0]) for one in percents]
    rows = []
    for (source, _), part in tokens.groupby(["source", "position"], sort=False):
        at = {row["percent"]: f"{numeral(row['bits'], '.1f')} ({count(row['rank'])})" for row in rows_of(part)}
        token = token_cell(part["token"].iloc[0])
        rows.append([say(SOURCES[str(source)]), token, *(at[one] for one in percents)])
    columns = [say("After step {step}", step=step) for step in steps]
    return table(rows, [say("Text"), say("Token"), *columns], numbers=columns)


def next_tokens(run: Run) -> Table | None:
    """List the most probable tokens behind a prompt, with a column for each checkpoint."""
    rows = found(run, "next_tokens")
    if rows.empty:
        return None
    several = len(run.models) > 1
    prompt = rows["prompt"].iloc[0]
    behind = say("Behind {prompt}", prompt=label(prompt)) if prompt else say("At the beginning of a text")
    lines = []
    percents = sorted(rows["percent"].unique())
    for (model, place), part in rows.groupby(["model", "place"], sort=False):
        at = {row["percent"]: _likely(row) for row in rows_of(part)}
        lines.append([*([name(model)] if several else []), str(place), *(at.get(one, "") for one in percents)])
    steps = dict(zip(rows["percent"], (after_step(run, row) for row in rows_of(rows)), strict=True))
    columns = [say("After step {step}", step=steps[one]) for one in percents]
    if several:
        published = any(is_earlier(model, str(PUBLISHED_PERCENT)) for model in run.models.values())
        columns = [percent(one / 100) for one in percents]
        columns = [*columns[:-1], say("published weights")] if published else columns
    return table(lines, [*([say("Model")] if several else []), behind, *columns])


def _likely(row: Row) -> str:
    """Write a token with its probability."""
    token = row["token"]
    shown = f"*{say('the end of the text')}*" if is_null(token) else token_cell(token)
    return f"{shown} {percent(row['probability'], 1)}"


def spent(run: Run) -> Table | None:
    """List what tokens cost by their place in a word and by the kind of word."""
    rows = found(run, "token_kinds")
    if rows.empty:
        return None
    several = len(run.models) > 1
    all_of = rows[rows["division"] == "place"].groupby("model")[["bytes", "bits"]].sum()
    lines = [
        [
            *([name(row["model"])] if several else []),
            say(PARTS[row["part"]]),
            count(row["tokens"]),
            percent(row["bytes"] / all_of.loc[row["model"], "bytes"]),
            percent(row["bits"] / all_of.loc[row["model"], "bits"]),
            "" if is_null(row["bits_per_byte"]) else numeral(row["bits_per_byte"], ".2f")
            + ("" if is_null(row["low"]) else f"<br><small>{bounds(row['low'], row['high'], 2)}</small>"),
        ]
        for row in rows_of(rows)
    ]  # fmt: skip
    numbers = [say("Tokens"), say("Share of the bytes"), say("Share of the bits"), say("Bits per byte")]
    return table(lines, [*([say("Model")] if several else []), say("Where"), *numbers], numbers=numbers)


def surprising(run: Run) -> Table | Prose | None:
    """List the held-out texts that surprised the best model most and least, of each large group if there are groups."""
    if not run.config["inside"]:
        return None
    if not run.publish_texts:
        return Prose(say("Which held-out texts surprised the model is left out, because the corpus is not published."))
    path = run.folder / "models" / best_model(run).name / "test_losses.parquet"
    losses = read_table(path, TEST_LOSSES, without=("token_nats",))
    texts = run.held_out.join(losses)
    long = texts[texts["tokens"] > FEWEST_TOKENS]  # with the token that ends the text
    texts = long if len(long) else texts
    bits = texts["nats"] / math.log(2) / texts["bytes"]
    texts = texts.assign(bits=bits).sort_values("bits", ascending=False, kind="stable")
    sizes = texts["group"].value_counts()
    largest = sizes.index[:SHOWN_GROUPS]
    parts = texts[texts["group"].isin(largest)].groupby("group", sort=True) if len(sizes) else [("", texts)]
    shown = [
        (group, how, row)
        for group, part in parts
        for how, some in ((say("most"), part.head(LISTED)), (say("least"), part.iloc[LISTED:].tail(LISTED)))
        for row in rows_of(some)
    ]
    words = run.texts_of(row["id"] for _, _, row in shown)
    rows = [
        [
            *([name(group)] if len(sizes) else []),
            how,
            quoted(words[row["id"]], language=run.language, longest=LONGEST_CHARACTERS),
            numeral(row["bits"], ".2f"),
        ]
        for group, how, row in shown
    ]
    group = [group_heading(len(largest), len(sizes))] if len(sizes) else []
    header = [*group, say("Surprises"), say("The held-out text"), say("Bits per byte")]
    return table(rows, header, numbers=header[-1:])
