"""What is said at the end of a run, and what of an earlier config is deleted."""

from samizdat.base.files import write_text
from samizdat.runs.announce import announce_results


def test_pages_of_an_earlier_config_are_deleted_and_renamed_where_a_person_may_have_edited_them(tmp_path, capsys):
    notes = tmp_path / "notes.md"
    for path in (notes, tmp_path / "report.html", tmp_path / "report.pdf", tmp_path / "play.html"):
        write_text(path, "words")
    (tmp_path / "report.pdf").write_text("with remarks in the margin", encoding="utf-8")
    announce_results(tmp_path, {"pdf": False, "play": None, "notes": str(notes), "author": "", "course": ""})
    left = {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")}
    assert left == {"notes.md", "report.html", "report.edited.pdf"}
    said = capsys.readouterr().err
    assert f"! {tmp_path}/report.pdf is now" in said and f"Report:   {tmp_path}/report.html" in said
    assert "PDF:" not in said and "Model:" not in said
