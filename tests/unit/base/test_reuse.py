"""Kept results are copies that are checked: a damaged one is not used, and damage to one is not damage to the other."""

import pytest

from samizdat.base import files
from samizdat.base.reuse import restore_result, store_result


@pytest.fixture
def kept(tmp_path):
    """A result of two files, and its kept copy."""
    out = tmp_path / "out"
    files.write_text(out / "weights", "of a model")
    files.write_text(out / "steps/10/weights", "of an earlier one")
    store_result(tmp_path / "work", "mark", out)
    return tmp_path


def contents(folder):
    paths = [path for path in folder.rglob("*") if path.is_file() and not files.is_checksum(path)]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}


WHOLE = {"weights": "of a model", "steps/10/weights": "of an earlier one"}


def test_the_copy_is_another_file_and_comes_back_with_checksums(kept):
    copy = kept / "work" / "finished" / "weights"
    assert not copy.samefile(kept / "out" / "weights")
    (kept / "out" / "weights").write_text("damaged", encoding="utf-8")
    assert copy.read_text(encoding="utf-8") == "of a model"
    assert restore_result(kept / "work", "mark", kept / "again")
    assert contents(kept / "again") == WHOLE
    assert all(files.is_intact(kept / "again" / name) for name in WHOLE)
    assert not restore_result(kept / "work", "another mark", kept / "other")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b"[1, 2", None])
@pytest.mark.parametrize("name", ["finished.json", "finished/weights", ".finished.json.sha256"])
def test_a_damaged_copy_is_as_none(kept, name, content):
    path = kept / "work" / name
    path.unlink() if content is None else path.write_bytes(content)
    # Without its checksum the list of files is still checked, as it has theirs.
    assert restore_result(kept / "work", "mark", kept / "again") == (content is None and name.endswith("sha256"))
    store_result(kept / "work", "mark", kept / "out")
    assert restore_result(kept / "work", "mark", kept / "again") and contents(kept / "again") == WHOLE


def test_a_damaged_result_is_not_kept(kept):
    (kept / "out" / "weights").write_text("of another one", encoding="utf-8")
    with pytest.raises(files.UserError, match="weights is damaged"):
        store_result(kept / "work", "mark", kept / "out")
