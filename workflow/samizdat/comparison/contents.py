"""What the notebook of a comparison shows: each function takes the runs and returns Markdown."""

import json
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from samizdat.base.language import message, numeral, say, speak
from samizdat.base.wording import different_words, dotted
from samizdat.comparison.losses import NOT_COMPARABLE, Comparison, compared
from samizdat.comparison.side_by_side import lines
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS
from samizdat.reporting.run import RUN_VARIABLE, Run
from samizdat.reporting.words import (
    Prose,
    Table,
    bounds,
    code,
    count,
    counted,
    exact_percent,
    is_null,
    label,
    name,
    number_interval,
    p_equals,
    table,
)

Runs = Mapping[str, Run]
SPLITS = {
    "train": message("texts in train"),
    "validation": message("texts in validation"),
    "test": message("texts in test"),
}
VERDICTS = {
    -1: message("the first is better"),
    1: message("the second is better"),
    0: message("not decisive"),
    None: message("too few documents"),
    NOT_COMPARABLE: message("not comparable"),
}
LONGEST_VALUE_CHARACTERS = 200


def open_runs(places: Mapping[str, str]) -> dict[str, Run]:
    """Open the runs; their places are relative to the folder of the comparison, which the notebook is in.

    From now on the language of the first run's report is spoken.
    """
    folder = Path(os.environ.get(RUN_VARIABLE, "."))
    runs = {one: Run(folder / place) for one, place in places.items()}
    speak(next(iter(runs.values())).config["report_language"])
    return runs


def code_used(runs: Runs) -> Table | Prose:
    """List what differs in the code: commit, Python, packages.

    Two runs of code that is in no commit may be of different code, so their commit is listed though it has one name.
    """

    def facts(run: Run) -> dict[str, Any]:
        manifest = run.manifest
        commit = manifest.commit
        if not manifest.clean and commit != "unknown":
            commit = say("{commit} with changes that are in no commit", commit=commit)
        return {say("commit"): commit, "Python": manifest.python} | manifest.versions

    same = say("All runs were made by the same commit, Python and packages.")
    listed = () if all(run.manifest.clean for run in runs.values()) else (say("commit"),)
    return _differing(runs, facts, say("What"), same, listed)


def settings(runs: Runs) -> Table | Prose:
    """List the keys of the config whose values differ."""
    return _differing(runs, lambda run: dict(dotted(run.config)), say("Key"), say("All runs have the same config."))


def _differing(
    runs: Runs, facts: Callable[[Run], Mapping[str, Any]], heading: str, same: str, listed: Collection[str] = ()
) -> Table | Prose:
    """Make a table of the facts that differ between runs, and of those in `listed`; what a run doesn't have is an empty
    cell.
    """
    found = {one: facts(run) for one, run in runs.items()}
    rows = []
    for key in dict.fromkeys(key for own in found.values() for key in own):
        there = [one for one, own in found.items() if key in own]
        values = [found[one][key] for one in there]
        if key in listed or len(there) < len(found) or len(set(map(json.dumps, values))) > 1:
            words = dict(zip(there, different_words(values, LONGEST_VALUE_CHARACTERS), strict=True))
            rows.append([code(key), *(code(words[one]) if one in words else "" for one in found)])
    return table(rows, [heading, *map(name, runs)]) if rows else Prose(same)


def corpora(runs: Runs) -> Table:
    """Count texts, documents and splits of each run, and the texts that all runs have."""
    shared = set.intersection(*({key for ids in run.ids() for key in ids} for run in runs.values()))
    rows = [
        [say("texts"), *(count(run.corpus.texts) for run in runs.values())],
        [say("documents"), *(count(run.corpus.documents) for run in runs.values())],
        [say("characters"), *(count(run.corpus.characters) for run in runs.values())],
        [say("texts that all runs have"), *(count(len(shared)) for _ in runs)],
        [
            say("all texts are shared"),
            *(say("yes") if len(shared) == run.corpus.texts else say("no") for run in runs.values()),
        ],
    ]
    for split, words in SPLITS.items():
        rows.append([say(words), *(count(run.corpus.splits.get(split, 0)) for run in runs.values())])
    return table(rows, ["", *map(name, runs)], numbers=[name(one) for one in runs])


def losses(runs: Runs) -> Table:
    """List the bits per byte of each model on the held-out texts of its own run, with intervals."""
    rows = [
        [name(one), name(model), numeral(row["value"], ".3f"), bounds(row["low"], row["high"], 3),
         count(row["documents"]), count(row["seeds"])]
        for one, run in runs.items()
        for model, row in run.model_losses.items()
    ]  # fmt: skip
    header = [say("Run"), say("Model"), say("Bits per byte"), say("Interval"), say("Documents"), say("Trainings")]
    return table(rows, header, numbers=header[2:])


def opening(runs: Runs) -> Prose:
    """Say which of each two models of different runs is better on the texts that all runs hold out, if it is shown."""
    found = compared(runs)
    if not found.texts:
        return Prose(
            say(
                "The runs share no held-out text, so no model can be compared with one of another run. Numbers of "
                "different texts stand side by side below; their difference may be that of the texts."
            )
        )
    said = [
        say(
            "The runs share {texts}, of {documents}.",
            texts=counted(found.texts, "held-out text", "held-out texts"),
            documents=counted(found.documents, "document", "documents"),
        )
    ]
    if found.documents < FEWEST_DOCUMENTS:
        said.append(say("That is fewer than {fewest} documents, too few for a verdict.", fewest=FEWEST_DOCUMENTS))
    pairs = [f"- {_sentence(row, found)}" for row in found.rows]
    return Prose("\n".join([" ".join(said), "", *pairs]))


def _sentence(row: dict[str, Any], found: Comparison) -> str:
    one, other = (label(row[key]) for key in ("model", "other"))
    bits, verdict = numeral(abs(row["value"]), ".3f"), found.verdict(row)
    if verdict == NOT_COMPARABLE:
        return say(
            "**Not comparable:** {one} and {other}. A tokenizer loses or changes characters of these texts; they are "
            "not predicted, so the bits per byte of its model are too low.",
            one=one,
            other=other,
        )
    if verdict is None:
        return say(
            "**Not known:** {one} and {other} are {bits}\u00a0bits per byte apart.", one=one, other=other, bits=bits
        )
    if verdict == 0:
        return say(
            "**Not decisive:** {one} and {other} are {bits}\u00a0bits per byte apart.", one=one, other=other, bits=bits
        )
    better, worse = (one, other) if verdict < 0 else (other, one)
    return say(
        "**Better:** {better} needs {bits}\u00a0bits per byte less than {worse}.", better=better, worse=worse, bits=bits
    )


def differences(runs: Runs) -> Table | Prose:
    """List the paired differences of models of different runs on shared held-out texts, with intervals and verdicts."""
    found = compared(runs)
    rows = [
        [name(row["model"]), name(row["other"]), numeral(row["value"], ".3f"), bounds(row["low"], row["high"], 3),
         "" if is_null(row["p_holm"]) else p_equals(row["p_holm"]),
         say("documents and seeds") if row["covers_seeds"] else say("documents"), say(VERDICTS[found.verdict(row)])]
        for row in found.rows
    ]  # fmt: skip
    interval = say("{confidence} interval", confidence=exact_percent(found.confidence))
    header = [say("Model"), say("Other"), say("Bits per byte"), interval, say("p (Holm)"),
              say("The interval covers other"), say("Verdict")]  # fmt: skip
    return table(rows, header, numbers=header[2:4]) if rows else Prose(say("There is no shared held-out text."))


def statistics(runs: Runs) -> Table:
    """List every statistic of every run, each with its own interval."""
    found = {one: lines(run) for one, run in runs.items()}
    rows = []
    for key in dict.fromkeys(key for own in found.values() for key in own):
        values = [_statistic(*own[key]) if key in own else "" for own in found.values()]
        rows.append([name(key[0]), " · ".join(map(name, key[1:])), *values])
    return table(rows, [say("Table"), say("What"), *map(name, runs)], numbers=[name(one) for one in runs])


def _statistic(value: float, low: float, high: float) -> str:
    return count(value) if isinstance(value, int) else number_interval(value, low, high, 3)
