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
    assert [child.name for child in tmp_path.iterdir()] == ["out.txt"]


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
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.txt.keep", "model", "out.txt"]
