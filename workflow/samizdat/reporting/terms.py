"""Show which words tell groups of texts apart, and samples from texts."""

import math

from samizdat.base.language import message, numeral, say
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS
from samizdat.records.samples import begun_with_nothing
from samizdat.reporting import verdicts
from samizdat.reporting.frames import Row
from samizdat.reporting.largest_groups import SHOWN_GROUPS, group_heading
from samizdat.reporting.run import Run
from samizdat.reporting.words import NO_BREAK, Prose, Table, joined, label, name, table

SHOWN_TERMS = 10
NAMED = 3  # groups in a sentence, and words of samples
# What is compared → what is said where no word tells them apart, and where they were not compared.
_ALIKE = {
    "groups": message("No group was found to have a word more often than the others."),
    "samples": message("No word tells samples and texts apart."),
}
_NOT_COMPARED = {
    "groups": message(
        "The words of the groups were not compared. That needs {fewest} documents of a group, as many of the others, "
        "and words that several of them have."
    ),
    "samples": message(
        "The words of samples and texts were not compared. That needs {fewest} samples begun with nothing, as many "
        "documents, and words that several of them have."
    ),
}


def of_groups(run: Run) -> Table | Prose | None:
    """List the ten clearest words that each large group has more often than the others.

    None where texts are withheld, or there are no two groups.
    """
    if not run.publish_texts:
        return None
    clear = {one[0]["set"]: _more(one)[:SHOWN_TERMS] for one in _sets(run, "groups") if _more(one)}
    largest = [group for group in run.texts["group"].value_counts().index if group in clear][:SHOWN_GROUPS]
    rows = [(group, row) for group, found in clear.items() if group in largest for row in found]
    heading = group_heading(len(largest), len(clear))
    found = _table(rows, heading, say("In 10,000 words of other groups"))
    return found or (_without(run, "groups") if run.texts["group"].nunique() > 1 else None)


def of_samples(run: Run) -> Table | Prose | None:
    """List the ten clearest words that samples have more often, and less often, than texts have them.

    None where texts are withheld, or no sample began with nothing.
    """
    if not run.publish_texts:
        return None
    several = len(run.models) > 1
    rows = []
    for one in _sets(run, "samples"):
        who = one[0]["set"] if several else say("samples")
        less = [row for row in one if row["log_odds"] < 0]
        rows += [(say("{who}, more often", who=who), row) for row in _more(one)[:SHOWN_TERMS]]
        rows += [(say("{who}, less often", who=who), row) for row in less[:SHOWN_TERMS]]
    found = _table(rows, say("Samples"), say("In 10,000 words of the texts"))
    return found or (None if begun_with_nothing(run.samples).empty else _without(run, "samples"))


def _without(run: Run, between: str) -> Prose:
    """Say that no word was found, or that nothing was compared: what was compared has rows, whatever was found."""
    compared = between in set(run.terms["between"])
    return Prose(say(_ALIKE[between]) if compared else say(_NOT_COMPARED[between], fewest=FEWEST_DOCUMENTS))


def between_groups(run: Run) -> str:
    """Say for the largest differences between groups which word tells them; nothing where none was found."""
    clearest = [_more(one)[0] for one in _sets(run, "groups") if _more(one)]
    if not run.publish_texts or not clearest:
        return ""
    words = joined(
        say("{word} in {group}", word=label(row["term"]), group=label(row["set"])) for row in clearest[:NAMED]
    )
    return say("Some words are clearly more frequent in one group, such as {words}.", words=words)


def between_samples(run: Run) -> Prose | None:
    """Say which words samples have more often, or less often, than texts; nothing where none was found."""
    sets = _sets(run, "samples")
    if not run.publish_texts or not sets:
        return None
    if len(run.models) == 1:
        return Prose(_of_one_model(sets[0]))
    return Prose("\n".join(f"- {label(rows[0]['set'])}: {_of_one_model(rows)}" for rows in sets))


def _of_one_model(found: list[Row]) -> str:
    """Say which words the samples of a model have more often, or less often, than texts."""
    more, less = _names(_more(found)), _names([row for row in found if row["log_odds"] < 0])
    if more and less:
        return say("Samples have {more} more often and {less} less often than texts have.", more=more, less=less)
    if more:
        return say("Samples have {words} more often than texts have.", words=more)
    return say("Samples have {words} less often than texts have.", words=less)


def _names(rows: list[Row]) -> str:
    """List the first words of some rows."""
    return joined(label(row["term"]) for row in rows[:NAMED])


def _sets(run: Run, between: str) -> list[list[Row]]:
    """Return the terms that were found, clearest first, in a list for each group or model."""
    sets: dict[str, list[Row]] = {}
    for row in verdicts.telling_terms(run, between):
        sets.setdefault(row["set"], []).append(row)
    return list(sets.values())


def _more(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["log_odds"] > 0]


def _table(rows: list[tuple[str, Row]], heading: str, in_others: str) -> Table | None:
    """Write a row for each term: how often its set has it, how often others, and the odds ratio; None without any."""
    numbers = [say("In 10,000 words"), in_others, say("Odds ratio")]
    lines = [
        [
            name(who),
            name(row["term"]),
            numeral(row["occurrences"] / row["words"] * 10_000, ".1f"),
            numeral(row["others_occurrences"] / row["others_words"] * 10_000, ".1f"),
            f"{_ratio(row['log_odds'])}<br><small>{_interval(row)}</small>",
        ]
        for who, row in rows
    ]
    return table(lines, [heading, say("Word"), *numbers], numbers=numbers) if lines else None


def _interval(row: Row) -> str:
    """Write the bounds of an odds ratio in one line."""
    return say("{low} to {high}", low=_ratio(row["low"]), high=_ratio(row["high"])).replace(" ", NO_BREAK)


def _ratio(log_odds: float) -> str:
    """Write an odds ratio, given its logarithm, with three digits or more."""
    ratio = math.exp(log_odds)
    return numeral(ratio, ",.0f" if ratio >= 100 else ".1f" if ratio >= 10 else ".2f")
