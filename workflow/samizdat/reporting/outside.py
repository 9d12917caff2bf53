"""Say beside each number of a classifier that it was not made for many of these texts."""

from samizdat.base.escaping import escape, shortened
from samizdat.base.language import message, say
from samizdat.reporting.frames import Row, rows_of
from samizdat.reporting.run import Run
from samizdat.reporting.words import LONGEST_DRAWN, counted, joined, label, name, percent

# The report warns where this share of the texts, or more, is not what a classifier was made for.
WARN_SHARE = 0.1
# Check → what it finds in texts that a classifier was not made for.
OUTSIDE = {
    "other_language": message("in another language than {languages}"),
    "too_short": message("shorter than {min_words} words"),
    "too_long": message("longer than {max_words} words"),
}
MARK = message("made for other texts")


def found_outside(run: Run, classifier: str) -> list[Row]:
    """Return the rows of `records.statistics.FITNESS` with many texts that a classifier was not made for."""
    rows = run.fitness[run.fitness["check"].isin(OUTSIDE) & (run.fitness["classifier"] == classifier)]
    return [row for row in rows_of(rows) if row["of"] and row["texts"] >= WARN_SHARE * row["of"]]


def in_words(run: Run, row: Row) -> str:
    """Write what the texts are that a check of a classifier found."""
    card = run.cards[row["classifier"]]
    made_for = {"languages": joined(card.languages), "min_words": card.min_words, "max_words": card.max_words}
    return escape(say(OUTSIDE[row["check"]], **made_for))


def outside(run: Run, classifier: str) -> str:
    """Say what the texts are that a classifier was not made for, in a few words; nothing where they are few."""
    of_all, of_some = message("{share} of the texts are {what}"), message("{share} of {texts} are {what}")
    return joined(
        say(
            of_all if row["of"] == run.corpus.texts else of_some,
            share=percent(row["texts"] / row["of"]),
            texts=counted(row["of"], "text", "texts"),
            what=in_words(run, row),
        )
        for row in found_outside(run, classifier)
    )


def labelled(run: Run, classifier: str) -> str:
    """Write a classifier's name for a sentence, and what it was not made for."""
    words = outside(run, classifier)
    if not words:
        return label(classifier)
    return say("{classifier} (not made for them: {words})", classifier=label(classifier), words=words)


def named(run: Run, classifier: str) -> str:
    """Write a classifier's name for a table cell, and whether it was made for other texts."""
    return name(classifier) + (f" ({say(MARK)})" if found_outside(run, classifier) else "")


def titled(run: Run, classifier: str) -> str:
    """Write a classifier's name for the title of a chart, and whether it was made for other texts."""
    mark = f" ({say(MARK)})"
    # A title cuts long names, and must not cut the mark.
    return f"{shortened(classifier, LONGEST_DRAWN - len(mark))}{mark}" if found_outside(run, classifier) else classifier
