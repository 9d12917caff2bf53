"""The author's own words: read without the comment that the project's file begins with; what is empty is said."""

from pathlib import Path

import pytest

from samizdat.base.notes import read_notes, still_empty

ROOT = Path(__file__).parents[3]


def test_the_file_that_comes_with_the_project_has_no_words_to_publish():
    assert "Write yours below this comment" in (ROOT / "report" / "notes.md").read_text(encoding="utf-8")
    assert read_notes(ROOT / "report" / "notes.md") == ""


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("<!-- Write\nhere. -->\n\nMy *words*.\n", "My *words*."),
        ("\ufeffMy words.", "My words."),
        ("My words. <!-- mine -->", "My words. <!-- mine -->"),
        ("<!-- a comment that never ends", "<!-- a comment that never ends"),
        ("<!-- a --> b <!-- c -->", "b <!-- c -->"),
        (" \n", ""),
    ],
)
def test_only_a_comment_at_the_beginning_is_left_out(tmp_path, written, words):
    (tmp_path / "notes.md").write_text(written, encoding="utf-8")
    assert read_notes(tmp_path / "notes.md") == words


@pytest.mark.parametrize(
    ("author", "words", "said"),
    [
        ("", "<!-- a -->", "Empty:    `author` in the config and your own words in {}"),
        ("A. Student", "", "Empty:    your own words in {}"),
        ("A. Student", "Mine.", ""),
    ],
)
def test_what_is_still_empty_is_said(tmp_path, author, words, said):
    notes = tmp_path / "notes.md"
    notes.write_text(words, encoding="utf-8")
    assert still_empty({"author": author, "notes": str(notes)}) == said.format(notes)
