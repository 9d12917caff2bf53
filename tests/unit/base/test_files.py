"""Files are written whole or not at all, and a lock keeps a second process out."""

import subprocess
import sys
import textwrap

import pytest

from samizdat.base import files
from samizdat.base.errors import UserError


def test_a_second_process_at_the_same_step_is_refused(tmp_path):
    path = tmp_path / "lock"
    program = f"""
        from pathlib import Path
        from samizdat.base.files import locked
        with locked(Path({str(path)!r})):
            print("held", flush=True)
            input()
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(UserError, match="another process is running this step"),
            files.locked(path, patience_seconds=0.1),
        ):
            pass
        holder.kill()
    with files.locked(path, patience_seconds=5):
        pass


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "out.txt"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError), files.replacing(path) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise RuntimeError
    assert path.read_text(encoding="utf-8") == "old"
    assert {child.name for child in tmp_path.iterdir()} == {"out.txt", ".out.txt.sha256"}
    assert files.is_intact(path)


def test_a_folder_takes_its_files_when_all_are_written(tmp_path):
    folder = tmp_path / "model"
    with pytest.raises(RuntimeError), files.replacing_folder(folder) as temporary:
        (temporary / "a").write_text("half", encoding="utf-8")
        raise RuntimeError
    with files.replacing_folder(folder) as temporary:
        (temporary / "steps").mkdir()
        (temporary / "steps" / "a").write_text("whole", encoding="utf-8")
        (temporary / "steps" / "a").chmod(0o600)
    assert (folder / "steps" / "a").read_text(encoding="utf-8") == "whole"
    assert (folder / "steps" / "a").stat().st_mode & 0o777 == 0o644
    assert [child.name for child in tmp_path.iterdir()] == ["model"]


def test_what_a_killed_process_left_is_swept_away_and_nothing_else(tmp_path):
    program = f"""
        import os
        from pathlib import Path
        from samizdat.base.files import replacing, replacing_folder
        root = Path({str(tmp_path)!r})
        with replacing(root / "out.txt"), replacing_folder(root / "model") as folder:
            (folder / "half").write_text("half")
            os._exit(9)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(program)]).returncode == 9
    (tmp_path / ".out.txt.keep").write_text("somebody's own", encoding="utf-8")
    assert len(list(tmp_path.glob(".*.part-*"))) == 2
    files.write_text(tmp_path / "out.txt", "whole")
    with files.replacing_folder(tmp_path / "model") as folder:
        (folder / "a").write_text("whole", encoding="utf-8")
    names = [".out.txt.keep", ".out.txt.sha256", "model", "out.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_a_file_has_its_checksum_beside_it_as_sha256sum_reads_it(tmp_path):
    path = tmp_path / "a file.json"
    files.write_text(path, "{}")
    done = subprocess.run(["sha256sum", "-c", ".a file.json.sha256"], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "a file.json: OK\n"
    assert files.is_intact(path) and files.checked_bytes(path) == b"{}"


@pytest.mark.parametrize(
    "damage", ["flipped", "cut", "emptied", "checksum flipped", "checksum emptied", "checksum odd"]
)
def test_a_file_that_is_not_what_was_written_is_named_and_not_read(tmp_path, damage):
    path = tmp_path / "a.json"
    files.write_text(path, '{"a": 1}')
    place = files.checksum_file(path) if damage.startswith("checksum") else path
    content = place.read_bytes()
    place.write_bytes(
        {"flipped": bytes([content[0] ^ 1]) + content[1:], "cut": content[:-1], "odd": b"\xff\x00 a.json"}.get(
            damage.rpartition(" ")[2], b""
        )
    )
    assert not files.is_intact(path) and files.not_intact([path, tmp_path / "none"]) == [path]
    for read in (files.checked_bytes, files.checked_sha256):
        with pytest.raises(UserError, match=r"a\.json is damaged: it is not the file that its step wrote") as error:
            read(path)
        assert "run the same command again" in error.value.remedy
    files.write_text(path, '{"a": 1}')
    assert files.is_intact(path)


def test_the_step_that_wrote_is_named_and_only_if_it_can_be_one(tmp_path):
    path = tmp_path / "a.json"
    files.write_text(path, "{}")
    checksum = files.checksum_file(path)
    for line, said in (
        ("# written by samizdat.models.train_model\n", "the step train_model"),
        ("# written by \x1b[31m\n", "its step"),
        ("", "its step"),
    ):
        checksum.write_text(f"{line}{'0' * 64}  a.json\n", encoding="utf-8")
        assert files.writer_of(path) == said


def test_without_a_checksum_a_file_can_be_read_and_is_not_known_to_be_intact(tmp_path):
    (tmp_path / "theirs.json").write_text("{}", encoding="utf-8")
    assert files.checked_bytes(tmp_path / "theirs.json") == b"{}"
    assert not files.is_intact(tmp_path / "theirs.json")


def test_a_kill_between_file_and_checksum_leaves_an_intact_file(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    files.write_text(path, "old")
    written = files._write_checksums
    for before, content in ((0, "old"), (1, "new")):
        calls = iter([None] * before)

        def killed(*arguments, calls=calls):
            for _ in calls:
                return written(*arguments)
            raise KeyboardInterrupt

        monkeypatch.setattr(files, "_write_checksums", killed)
        with pytest.raises(KeyboardInterrupt):
            files.write_text(path, "new")
        assert path.read_text(encoding="utf-8") == content and files.is_intact(path)
