"""The notebook: made of its document, the notes and the results of the manifest, and of nothing else."""

import pytest

from samizdat.base.errors import UserError


def test_a_changed_result_is_refused_until_the_manifest_knows_it_and_then_shown(project):
    project.set_characters(123_456)
    with pytest.raises(UserError, match=r"corpus/summary.json is not the file that .*manifest.json was made from"):
        project.execute()
    project.renew_manifest()
    assert project.execute() == "executed"
    assert project.shown() == ["123456"]


def test_empty_notes_leave_no_section(project):
    project.write("report/notes.md", "\n")
    project.execute()
    assert "## Words" not in project.notebook.read_text() and "## The end" in project.notebook.read_text()


def test_notes_that_are_no_utf_8_are_refused_by_name_and_place(project):
    project.notes.write_bytes("dvě slova".encode("cp1250"))
    with pytest.raises(UserError, match=r"notes.md is not UTF-8: its byte 2 "):
        project.execute()


def test_a_document_without_metadata_is_refused(project):
    project.write("report/index.qmd", "# A heading")
    with pytest.raises(UserError, match="does not begin with a block of metadata"):
        project.execute()
