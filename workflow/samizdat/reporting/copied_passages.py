"""Show the longest passage that a sample shares with a training text: marked in the sample, and in its source."""

from samizdat.base.escaping import quoted, whole_letters
from samizdat.base.language import say
from samizdat.records.samples import begun_with_nothing
from samizdat.reporting.frames import Row, rows_of
from samizdat.reporting.label_comparison import at_temperature
from samizdat.reporting.run import Run
from samizdat.reporting.words import count, counted

_LINE_ENDS = str.maketrans("\r\n\u2028\u2029\x85", "⏎" * 5)
AROUND_CHARACTERS = 40  # that are shown on each side of a passage


def with_copy_marked(run: Run, sample: Row, longest: int) -> str:
    """Write a sample's text, cut to `longest` characters; the passage is marked where texts may be shown."""
    row = run.longest_copies.get(sample["id"])
    marked = (0, 0)
    if row and row["copy_characters"] and run.publish_texts:
        marked = (int(row["copy_begin"]), int(row["copy_end"]))
    return quoted(sample["text"], language=run.language, longest=longest, marked=marked)


def copy_note(run: Run, sample_id: str) -> str:
    """Write the length of the passage for small print; nothing where nothing is copied."""
    row = run.longest_copies.get(sample_id)
    if not row or not row["copy_characters"]:
        return ""
    return say(
        "longest copy {copied} of {all}\u00a0characters",
        copied=count(row["copy_characters"]),
        all=count(row["characters"]),
    )


def source_of(run: Run, row: Row) -> str:
    """Write a passage marked in the training text that has it, with what is around it."""
    text = run.texts_of([row["text_id"]])[row["text_id"]]
    return _in_context(run, text, int(row["text_begin"]), int(row["text_end"]))


def copy_in_context(run: Run, row: Row) -> str:
    """Write a passage marked in the sample that has it, with what is around it."""
    text = run.samples.set_index("id")["text"][row["id"]]
    return _in_context(run, text, int(row["copy_begin"]), int(row["copy_end"]))


def longest_copy(run: Run) -> str:
    """Show the longest passage that a sample begun with nothing shares with a training text, beside its source."""
    ids = begun_with_nothing(run.samples)["id"]
    rows = [run.longest_copies[one] for one in ids if one in run.longest_copies]
    row = max(rows, key=lambda one: one["copy_characters"], default=None)
    if row is None or not row["copy_characters"]:
        return say("No sample shares a passage with a training text.")
    size = counted(row["copy_characters"], "character", "characters")
    if not run.publish_texts:
        return say(
            "The longest passage that a sample shares with a training text has {size}; it is not shown, since the "
            "texts are not published.",
            size=size,
        )
    sample = rows_of(run.samples[run.samples["id"] == row["id"]])[0]
    return say(
        "The longest copy has {size}. In a sample at {temperature}: “{copy}”; in the training text: “{source}”.",
        size=size,
        temperature=at_temperature(run, sample),
        copy=copy_in_context(run, row),
        source=source_of(run, row),
    )


def _in_context(run: Run, text: str, begin: int, end_of_passage: int) -> str:
    start = whole_letters(text, begin - AROUND_CHARACTERS)
    end = whole_letters(text, end_of_passage + AROUND_CHARACTERS)
    start += start < begin and text[start].isspace()
    piece = text[start:end]
    # The dots have the direction of the text, and no line end breaks the sentence that the passage is in.
    before, after = "… " if start else "", " …" if end < len(text) else ""
    shown = before + piece.translate(_LINE_ENDS) + after
    marked = (begin - start + len(before), end_of_passage - start + len(before))
    return quoted(shown, language=run.language, longest=1_000, marked=marked)
