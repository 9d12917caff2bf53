"""The longest passage that a sample copies: shown only where texts may be published."""

from samizdat.reporting import Run
from samizdat.reporting.copied_passages import copy_cell, copy_note
from samizdat.reporting.words import NO_BREAK


def test_the_longest_copy_is_shown_with_a_sample_unless_texts_are_not_published(made_up):
    run = Run(made_up)
    row = next(iter(run.longest_copies.values()))
    secret = row | {"copy_characters": 12, "characters": 40, "passage": "*the* secret"}
    run.longest_copies = {"a": secret, "b": row | {"copy_characters": 0}}
    cell = copy_cell(run, "a")
    assert "&#42;the&#42; secret" in cell and f"12{NO_BREAK}of 40 characters" in cell
    assert copy_cell(run, "b") == "" == copy_cell(run, "unknown")
    assert "longest copy: " in copy_note(run, "a") and "secret</bdi>, 12" in copy_note(run, "a")
    assert copy_note(run, "b") == ""
    run.publish_texts = False
    for shown_copy in (copy_cell, copy_note):
        assert "secret" not in shown_copy(run, "a") and "12" in shown_copy(run, "a")
