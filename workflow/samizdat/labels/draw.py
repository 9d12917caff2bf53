"""Draw texts and samples for raters, and write their sheets (`samizdat label draw`)."""

import hashlib
import math
import re
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import pandas as pd

from samizdat.base.corpus_files import LABELS
from samizdat.base.errors import UserError
from samizdat.base.seeds import derive_seed
from samizdat.corpus.rows import NOT_A_NUMBER
from samizdat.labels.drawn_rows import drawn_rows
from samizdat.labels.sheets import (
    KEY,
    LONGEST_CHARACTERS,
    NONE_FITS,
    SUFFIXES,
    YES,
    fingerprint,
    is_cut,
    plain,
    shown,
    write_csv,
    write_xlsx,
)
from samizdat.measures.stratified import half_width, rows_for
from samizdat.records.classifiers import ANSWERS, MULTI_LABEL, NUMBER, SCORES, SINGLE_LABEL, ClassifierCard, Kind
from samizdat.records.corpus import SPLITS
from samizdat.records.io import read_columns, read_document, read_table, read_where, write_document
from samizdat.records.labels import ASKED, MODEL, ORIGIN, PERSON, LabelKey
from samizdat.records.run import manifest_of
from samizdat.records.samples import SAMPLES, begun_with_nothing
from samizdat.statistics.strata import strata_of

HALF_WIDTH = 0.05
# Kind of a classifier → the question.
WORDS: dict[Kind, str] = {
    SINGLE_LABEL: "Which label fits this text?",
    MULTI_LABEL: f"Which labels fit this text? Write {YES} below each that fits, or below “{NONE_FITS}”.",
    NUMBER: "Which number fits this text?",
}
# Of the rows of a classifier, so many are texts; the others are samples.
TEXT_SHARE = 0.75


class OwnQuestion(NamedTuple):
    """A question of one's own, for which the run needs no classifier."""

    name: str  # for files and messages
    words: str  # as the raters read it
    labels: list[str]  # that they may answer with


def draw(
    asked: str | OwnQuestion | None, *, run: str, raters: list[str], rows: int, limits: list[float] | None = None
) -> str:
    """Draw rows, and write a .csv and an .xlsx sheet for each rater, and the key of the rows.

    Args:
        asked: the classifier whose question the raters answer, or a question of one's own; None: they say whether a
            person or a model wrote the text.
        run: the name of a finished run.
        raters: names, for the files.
        rows: how many rows each rater gets.
        limits: the smallest and the largest number, for a classifier that gives numbers; None: as it gives them.

    Returns:
        What was written, and how wide the intervals will be.

    Raises:
        UserError: there is no such run or classifier, the sheets exist, or a name or number can't be used.
    """
    results = Path("results", run)
    config = manifest_of(results).config
    if isinstance(asked, OwnQuestion):
        _check_question(asked)
        question = ASKED + asked.name
    else:
        question = asked or ORIGIN
    folder = LABELS / results.name / question
    _check(raters, folder)
    # The texts themselves, which may be many, are read of the drawn rows alone.
    corpus = results / "corpus" / "texts.parquet"
    texts = read_columns(corpus, "id", "document", "split")
    names = [item["name"] for item in config["models"]]
    samples = pd.concat([read_table(results / "samples" / f"{one}.parquet", SAMPLES) for one in names])
    samples = begun_with_nothing(samples)
    seed = derive_seed(config["seed"], "labels", question)
    kind, labels, words = SINGLE_LABEL, [PERSON, MODEL], "Was this text written by a person or by a language model?"
    if asked is None:
        frame = _by_writer(_one_of_each_document(texts, seed), samples)
    elif isinstance(asked, OwnQuestion):
        labels, words = asked.labels, asked.words
        frame = _by_writer(texts, samples)
    else:
        card = _card(asked, run, results, [item["name"] for item in config["classifiers"]])
        kind, labels, words = card.kind, card.labels, f"{WORDS[card.kind]} It is {card.predicts}."
        frame = _of_classifier(texts, samples, results / "scores" / asked, kind)
    own_limits = _limits(frame, limits, question, kind)
    sizes = frame["stratum"].value_counts().sort_index()
    drawn = drawn_rows(frame, sizes, rows, TEXT_SHARE if isinstance(asked, str) else 0.5, seed)
    written = pd.concat([read_where(corpus, "id", set(drawn["id"]), "id", "text"), samples[["id", "text"]]])
    drawn["text"] = drawn["id"].map(written.set_index("id")["text"])
    key = LabelKey(
        run=run, question=question, words=words, kind=kind, labels=list(labels), range=own_limits, raters=raters,
        strata={str(name): int(size) for name, size in sizes.items()},
        rows={
            f"r{number:04}": {
                "subset": row["subset"], "id": row["id"], "stratum": row["stratum"],
                "sha256": hashlib.sha256(row["text"].encode()).hexdigest(),
                "shown_sha256": fingerprint(shown(row["text"])),
            }
            for number, row in enumerate(_rows_of(drawn), start=1)
        },
    )  # fmt: skip
    sheet = [(name, shown(text)) for name, text in zip(key.rows, drawn["text"], strict=True)]
    for rater in raters:
        order = np.random.default_rng(derive_seed(seed, "rater", rater)).permutation(len(sheet))
        own = [sheet[place] for place in order]
        write_csv(own, key, folder / f"{rater}.csv")
        write_xlsx(own, key, folder / f"{rater}.xlsx")
    write_document(key, folder / KEY)
    long = sum(map(is_cut, drawn["text"]))
    cut = (
        f"\n{long} texts have more than {LONGEST_CHARACTERS:,} characters; raters see their beginnings" if long else ""
    )
    return f"{_said(key, folder)}{cut}\n{_widths(drawn, sizes, kind, config['statistics']['confidence'])}"


def _card(classifier: str, run: str, results: Path, known: list[str]) -> ClassifierCard:
    """Read the card of a classifier.

    Raises:
        UserError: the run has no such classifier; names those that it has.
    """
    if classifier not in known:
        raise UserError(
            f"the run {run} has no classifier {classifier!r}",
            remedy=f"name one of {', '.join(known)}, or give --origin" if known else "give --origin",
        )
    return read_document(ClassifierCard, results / "classifiers" / classifier / "card.json")


def _limits(frame: pd.DataFrame, limits: list[float] | None, question: str, kind: Kind) -> list[float]:
    """Return the smallest and the largest number that raters may give; none for labels.

    Raises:
        UserError: they are the wrong way round, or the question is not for a number.
    """
    if kind != NUMBER:
        if limits is not None:
            raise UserError(f"--range is for numbers, and {question!r} asks for labels", remedy="leave --range out")
        return []
    if limits is None and len(frame):
        limits = [math.floor(frame["number"].min()), math.ceil(frame["number"].max())]
    low, high = limits or [0, 0]
    if not -math.inf < low < high < math.inf:
        raise UserError(
            f"raters can't give numbers from {low:g} to {high:g}",
            remedy="give the smallest and the largest number of your scale, such as: --range 1 5",
        )
    return [float(low), float(high)]


def _check_question(asked: OwnQuestion) -> None:
    """Refuse a question of one's own that can't be asked.

    Raises:
        UserError: its name can't be one of a folder, it has no words, or its answers are fewer than two or alike.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", asked.name):
        raise UserError(
            f"{asked.name!r} can't be a question's name",
            remedy="give a short name of letters, digits, - and _, such as: --question sense",
        )
    if not asked.words.strip() or not asked.words.isprintable():
        raise UserError(
            "raters would read no question", remedy='write it, such as: --words "Does this text make sense?"'
        )
    alike = len({plain(one) for one in asked.labels}) < len(asked.labels)
    whole = all(one and one.strip() == one and one.isprintable() and one not in NOT_A_NUMBER for one in asked.labels)
    if len(asked.labels) < 2 or alike or not whole:
        raise UserError(
            f"raters can't choose from the answers {', '.join(map(repr, asked.labels))}",
            remedy="give two answers or more that differ, such as: --labels yes partly no",
        )


def _check(raters: list[str], folder: Path) -> None:
    """Refuse raters that can't be names of files, and a folder with sheets."""
    wrong = [
        name for name in raters if not re.fullmatch(r"\w[\w-]{0,63}", name) or name.casefold() in ("key", "labels")
    ]
    alike = len({name.casefold() for name in raters}) < len(raters)
    if wrong or alike or len(raters) < 2:
        what = (
            f"{wrong[0]!r} can't be a rater's name" if wrong else "there must be two raters or more, with other names"
        )
        raise UserError(what, remedy="give names of letters, digits, - and _, such as: --raters anna ben")
    existing = [path for suffix in (*SUFFIXES, ".json") for path in sorted(folder.glob(f"*{suffix}"))]
    if existing:
        raise UserError(
            f"{folder} has sheets already, such as {existing[0].name}",
            remedy="read them with `samizdat label read`; or move the folder away to draw others",
        )


def _one_of_each_document(texts: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw a held-out text of each document."""
    held_out = texts[texts["split"] == SPLITS[-1]].sample(frac=1, random_state=seed & 0xFFFFFFFF)
    return held_out.drop_duplicates("document").sort_values("id")


def _by_writer(texts: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """List texts, and the samples of each model; both are strata."""
    return pd.concat(
        [
            texts[["id"]].assign(subset="texts", stratum="texts"),
            samples[["id"]].assign(subset="samples", stratum="samples: " + samples["model"]),
        ],
        ignore_index=True,
    )


def _of_classifier(texts: pd.DataFrame, samples: pd.DataFrame, scores: Path, kind: Kind) -> pd.DataFrame:
    """List the texts that a classifier was not trained on, and the samples; what it says of them is the stratum."""
    column = ANSWERS[kind]
    parts = []
    for subset, frame in (("texts", texts), ("samples", samples)):
        given = read_table(scores / f"{subset}.parquet", SCORES)
        given = given[given[column].notna() & ~given["seen_in_training"]]
        part = frame[["id"]].merge(given[["id", column]], on="id")
        parts.append(part.assign(subset=subset, stratum=[f"{subset}: {one}" for one in strata_of(part[column], kind)]))
    return pd.concat(parts, ignore_index=True)


def _rows_of(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Return the rows of a table of texts as dictionaries."""
    return cast("list[dict[str, str]]", frame.to_dict("records"))


def _said(key: LabelKey, folder: Path) -> str:
    answers = f" Allowed answers: {', '.join(key.labels)}." if key.kind == SINGLE_LABEL else ""
    return (
        f"{len(key.rows)} rows for each of {', '.join(key.raters)}: {folder}/<rater>.xlsx and .csv. Send each rater "
        f"one of the two, and not {KEY}.{answers}\nWhen they are back in this folder: samizdat label read {folder}"
    )


def _widths(drawn: pd.DataFrame, sizes: pd.Series, kind: Kind, confidence: float) -> str:
    """Say of what rows were drawn and, of labels, how wide intervals will be, and how many rows give ±5 points."""
    lines = []
    for subset, part in drawn.groupby("subset", sort=False):
        counts = part["stratum"].value_counts().sort_index()
        own = sizes[counts.index].to_numpy()
        half = half_width(own, counts.to_numpy(), confidence)
        needed = rows_for(own, HALF_WIDTH, confidence)
        wide = (
            f": a share of 50 % will be known to ±{100 * half:.1f} points; {needed:,} would give "
            f"±{100 * HALF_WIDTH:.0f}"
        )
        lines.append(f"{len(part)} {subset} of {own.sum():,}{'' if kind == NUMBER else wide}")
    return "\n".join(sorted(lines, reverse=True))
