"""The longest passage that a sample copies: marked in it and in its source, and only where texts may be shown."""

import pytest

from samizdat.reporting import Run
from samizdat.reporting.copied_passages import (
    AROUND_CHARACTERS,
    copy_in_context,
    copy_note,
    source_of,
    with_copy_marked,
)
from samizdat.reporting.frames import rows_of
from samizdat.reporting.words import NO_BREAK


@pytest.fixture
def run(made_up):
    return Run(made_up)


SAMPLE = {"id": "a", "text": "they told *the* secret to me"}
COPY = {"copy_begin": 10, "copy_end": 22, "copy_characters": 12, "characters": 28}


def test_the_longest_copy_is_marked_in_a_sample_unless_texts_are_not_published(run):
    run.longest_copies = {"a": COPY, "b": COPY | {"copy_characters": 0}}
    text = '<bdi lang="en">they told <mark>&#42;the&#42; secret</mark> to me</bdi>'
    assert with_copy_marked(run, SAMPLE, 100) == text
    assert with_copy_marked(run, SAMPLE, 15).startswith('<bdi lang="en">they told <mark>&#42;the&#42;</mark></bdi> …')
    assert with_copy_marked(run, SAMPLE, 9).startswith('<bdi lang="en">they told</bdi> …')
    assert "<mark>" not in with_copy_marked(run, SAMPLE | {"id": "b"}, 100)
    assert "<mark>" not in with_copy_marked(run, SAMPLE | {"id": "unknown"}, 100)
    run.publish_texts = False
    assert "<mark>" not in with_copy_marked(run, SAMPLE, 100)


def test_small_print_has_the_length_of_the_copy(run):
    run.longest_copies = {"a": COPY, "b": COPY | {"copy_characters": 0}}
    assert copy_note(run, "a") == f"longest copy 12 of 28{NO_BREAK}characters"
    assert copy_note(run, "b") == "" == copy_note(run, "unknown")


def test_the_source_of_a_copy_is_shown_with_what_is_around_it(run):
    before, after = "b" * (AROUND_CHARACTERS + 5), "a" * (AROUND_CHARACTERS + 5)
    run.texts_of = lambda ids: dict.fromkeys(ids, f"{before} *the* secret {after}")
    row = COPY | {"text_id": next(run.ids()).iloc[0], "text_begin": len(before) + 1, "text_end": len(before) + 13}
    around = AROUND_CHARACTERS - 1
    expected = f'<bdi lang="en">… {"b" * around} <mark>&#42;the&#42; secret</mark> {"a" * around} …</bdi>'
    assert source_of(run, row) == expected
    samples = run.samples.assign(text=f"{before} *the* secret {after}")
    run.samples = samples
    assert (
        copy_in_context(
            run, row | {"id": samples["id"].iloc[0], "copy_begin": len(before) + 1, "copy_end": len(before) + 13}
        )
        == expected
    )
    run.texts_of = lambda ids: dict.fromkeys(ids, "*the* secret")
    assert (
        source_of(run, row | {"text_begin": 0, "text_end": 12})
        == '<bdi lang="en"><mark>&#42;the&#42; secret</mark></bdi>'
    )


def test_a_line_end_or_a_blank_at_the_edge_breaks_no_sentence(run):
    before = "b" * 50 + " " + "b" * (AROUND_CHARACTERS - 1)
    run.texts_of = lambda ids: dict.fromkeys(ids, f"{before}secret\nnext\r\nlast")
    row = COPY | {"text_id": next(run.ids()).iloc[0], "text_begin": len(before), "text_end": len(before) + 11}
    around = "b" * (AROUND_CHARACTERS - 1)
    assert source_of(run, row) == f'<bdi lang="en">… {around}<mark>secret⏎next</mark>⏎⏎last</bdi>'


def test_what_is_marked_in_samples_is_in_their_training_texts(run):
    texts = run.texts_of(next(run.ids()))
    for sample in rows_of(run.samples):
        row = run.longest_copies[sample["id"]]
        passage = sample["text"][int(row["copy_begin"]) : int(row["copy_end"])]
        assert passage == row["passage"] == texts[row["text_id"]][int(row["text_begin"]) : int(row["text_end"])]
