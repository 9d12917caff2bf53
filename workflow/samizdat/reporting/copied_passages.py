"""Write the longest passage that a sample shares with a training text, for tables of samples."""

from samizdat.base.escaping import quoted
from samizdat.reporting.run import Run
from samizdat.reporting.words import NO_BREAK, count

LONGEST_PASSAGE_CHARACTERS, LONGEST_NOTE_CHARACTERS = 120, 60


def copy_cell(run: Run, sample_id: str) -> str:
    """Write the passage and its length for a cell of its own."""
    passage, length = _copy(run, sample_id, LONGEST_PASSAGE_CHARACTERS)
    return f"{passage}{'<br>' if passage else ''}<small>{length}</small>" if length else ""


def copy_note(run: Run, sample_id: str) -> str:
    """Write the passage and its length for small print."""
    passage, length = _copy(run, sample_id, LONGEST_NOTE_CHARACTERS)
    return f"longest copy: {passage}{', ' if passage else ''}{length}" if length else ""


def _copy(run: Run, sample_id: str, longest: int) -> tuple[str, str]:
    """Return the passage, cut to `longest` characters, and its length in words.

    The passage is empty where texts may not be shown, and both are empty where nothing is copied.
    """
    row = run.longest_copies.get(sample_id)
    if not row or not row["copy_characters"]:
        return "", ""
    passage = quoted(row["passage"].strip(), language=run.language, longest=longest) if run.publish_texts else ""
    return passage, f"{count(row['copy_characters'])}{NO_BREAK}of {count(row['characters'])} characters"
