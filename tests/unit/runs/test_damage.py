"""Which results a run makes again, and what happens to those that a person may have edited."""

from pathlib import Path

import pytest

from samizdat.base import files
from samizdat.base.errors import UserError
from samizdat.runs.damage import damaged, set_aside


def test_damaged_results_and_those_without_a_checksum_are_listed_and_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("whole", "flipped", "unknown"):
        files.write_text(tmp_path / "results" / name, name)
    (tmp_path / "results/flipped").write_text("flopped", encoding="utf-8")
    files.checksum_file(tmp_path / "results/unknown").unlink()
    outputs = [f"results/{name}" for name in ("whole", "flipped", "unknown", "missing")]
    assert damaged(outputs, [], tmp_path) == ["results/flipped", "results/unknown"]
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "! results/flipped is damaged or was edited: it is not the file that its step wrote; it is made again",
        "! results/unknown has no checksum, so nobody knows whether it is whole; it is made again",
    ]
    monkeypatch.setenv("SAMIZDAT_UNCHECKED", "1")
    assert damaged(outputs, [], tmp_path) == []


def test_a_result_that_cant_be_read_is_told(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    files.write_text(tmp_path / "table", "one")
    monkeypatch.setattr(files, "sha256_of", refuse)
    with pytest.raises(UserError, match=r"table can't be read: Permission denied"):
        damaged([str(tmp_path / "table")], [], tmp_path)


def test_an_archive_has_the_checksum_of_its_step_or_if_put_there_by_hand_the_pinned_hash(tmp_path, capsys):
    files.write_text(tmp_path / "fetched.tar.gz", "archive")
    (tmp_path / "by-hand.tar.gz").write_text("archive", encoding="utf-8")
    pins = tmp_path / "archives.txt"
    pins.write_text(f"package==1 --hash=sha256:{files.sha256_of(tmp_path / 'by-hand.tar.gz')}\n", encoding="utf-8")
    archives = [str(tmp_path / name) for name in ("fetched.tar.gz", "by-hand.tar.gz", "missing.tar.gz")]
    assert damaged([], archives, pins) == []
    for name in archives[:2]:
        Path(name).write_text("", encoding="utf-8")
    assert damaged([], archives, pins) == archives[:2]
    assert f"by-hand.tar.gz has another SHA-256 than {pins} pins; it is made again" in capsys.readouterr().err


def test_a_report_that_may_be_edited_is_renamed(tmp_path, capsys):
    (tmp_path / "report.ipynb").write_text("with my own words", encoding="utf-8")
    set_aside([str(tmp_path / "report.ipynb")])
    assert (tmp_path / "report.edited.ipynb").read_text(encoding="utf-8") == "with my own words"
    assert not (tmp_path / "report.ipynb").exists() and "report.edited.ipynb" in capsys.readouterr().err
    (tmp_path / "report.ipynb").write_text("with more of them", encoding="utf-8")
    set_aside([str(tmp_path / "report.ipynb")])
    assert (tmp_path / "report.edited.ipynb").read_text(encoding="utf-8") == "with my own words"
    assert (tmp_path / "report.edited-2.ipynb").read_text(encoding="utf-8") == "with more of them"
