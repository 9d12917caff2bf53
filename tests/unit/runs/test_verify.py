"""The command `samizdat verify`: what it takes, what it refuses, and what it keeps."""

import shutil
import zipfile
from pathlib import Path

import pytest

from samizdat.base.errors import UserError
from samizdat.base.files import write_text
from samizdat.cli import main
from samizdat.runs.bundle import write_bundle
from samizdat.runs.verify import verify
from support.two_runs import finished_run


def test_a_folder_of_somebody_else_is_checked_like_a_bundle(recorded, tmp_path, monkeypatch, capsys):
    theirs = shutil.copytree(recorded, tmp_path / "theirs")
    text = (theirs / "manifest.json").read_text(encoding="utf-8")
    write_text(theirs / "manifest.json", text.replace("data/letters.txt", "data/$(touch PWNED).txt"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["verify", str(theirs)])
    assert end.value.code == 3
    said = capsys.readouterr().err
    assert (
        "'data/$(touch PWNED).txt' in its inputs can't be the name of a file" in said and "Making the run" not in said
    )


@pytest.mark.parametrize("content", [b"{}", b"PK\x03\x04 no zip", b"\x00" * 30])
def test_what_is_no_run_ends_with_status_3_and_one_message(tmp_path, monkeypatch, capsys, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "theirs").mkdir()
    for source in (tmp_path / "theirs.zip", tmp_path / "theirs" / "manifest.json"):
        source.write_bytes(content)
        with pytest.raises(SystemExit) as end:
            main(["verify", str(source if source.suffix == ".zip" else source.parent)])
        said = capsys.readouterr().err
        assert end.value.code == 3 and said.startswith("✗ ") and "What to do" in said and "Traceback" not in said


@pytest.mark.parametrize("copy", ["missing.ipynb", "notes.txt"])
def test_a_copy_that_is_no_report_is_refused_before_anything_is_made(recorded, tmp_path, capsys, copy):
    (tmp_path / "notes.txt").write_text("words", encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        main(["verify", str(recorded), str(tmp_path / copy)])
    said = capsys.readouterr().err
    assert end.value.code == 3 and f"{copy} is no file, or no report" in said and ".ipynb, .html, .pdf" in said


def test_a_report_without_its_run_is_told_as_such(recorded, capsys):
    with pytest.raises(SystemExit) as end:
        main(["verify", str(recorded / "report" / "report.ipynb")])
    said = capsys.readouterr().err
    assert end.value.code == 3 and "alone can't be made again" in said and "RUN=their.zip COPIES=report.ipynb" in said


@pytest.mark.parametrize("name", ["theirs", "results/theirs"])
def test_a_bundle_that_a_browser_unpacked_is_verified_with_its_own_texts(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(write_bundle(finished_run(tmp_path), hashes_only=False)) as archive:
        archive.extractall(tmp_path / name)
    shutil.rmtree(tmp_path / "data")
    made = []

    def rebuild(manifest, recorded, checkout):
        made.append((checkout / "data" / "letters.txt").read_text(encoding="utf-8"))
        return shutil.copytree(recorded, checkout / "results" / "mine")

    monkeypatch.setattr("samizdat.runs.rebuild.copy_code", lambda manifest, checkout: "with the code here")
    monkeypatch.setattr("samizdat.runs.rebuild.rebuild", rebuild)
    assert verify(tmp_path / name, []) == 0 and made == ["a letter\n"]
    assert "Making the run mine again" in capsys.readouterr().err
    manifest = tmp_path / name / "results" / "manifest.json"
    write_text(manifest, manifest.read_text(encoding="utf-8").replace("data/letters.txt", "data/;evil.txt"))
    with pytest.raises(UserError, match="can't be the name of a file in a bundle"):
        verify(tmp_path / name, [])


def test_what_was_kept_of_a_bundle_stays_when_another_of_its_name_is_verified(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run = finished_run(tmp_path)
    bundle = write_bundle(run, hashes_only=False)
    for one in ("anna", "ben"):
        (tmp_path / one).mkdir()
    sources = [run, bundle, *(Path(shutil.copy2(bundle, tmp_path / one / "mine.zip")) for one in ("anna", "ben"))]

    def rebuild(manifest, recorded, checkout):
        again = shutil.copytree(recorded, checkout / "results" / "mine")
        (again / "config.json").write_text("{}", encoding="utf-8")
        return again

    monkeypatch.setattr("samizdat.runs.rebuild.copy_code", lambda manifest, checkout: "with the code here")
    monkeypatch.setattr("samizdat.runs.rebuild.rebuild", rebuild)
    assert [verify(source, []) for source in sources] == [2] * 4
    kept = [line.rpartition(" ")[2] for line in capsys.readouterr().err.splitlines() if "is kept in" in line]
    assert len({*kept}) == 4 and all((tmp_path / folder / "config.json").is_file() for folder in kept)


def test_what_nobody_foresaw_has_the_status_of_a_failure_too(tmp_path, monkeypatch, capsys):
    def fail(source, copies):
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr("samizdat.runs.verify.verify", fail)
    with pytest.raises(SystemExit) as end:
        main(["verify", "x"])
    assert end.value.code == 3 and "✗ ZeroDivisionError: unforeseen" in capsys.readouterr().err
