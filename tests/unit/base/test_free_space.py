"""Free disk space is checked before it is needed, once for each disk."""

from types import SimpleNamespace

import pytest

from samizdat.base import free_space
from samizdat.base.errors import UserError


def test_what_goes_to_one_disk_is_added_up(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=2_500_000_000))
    free_space.require({tmp_path / "new" / "a": 1_000_000_000, tmp_path / "b": 1_500_000_000}, "training")
    with pytest.raises(UserError, match=r"training takes up to 2,510\.0 MB in .*, where 2,500\.0 MB are free") as told:
        free_space.require({tmp_path / "new" / "a": 1_010_000_000, tmp_path / "b": 1_500_000_000}, "training")
    assert "free some disk space" in told.value.remedy and not (tmp_path / "new").exists()


def test_a_folder_that_is_not_there_yet_has_the_space_of_its_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=7 if path == tmp_path else 0))
    assert free_space.free_bytes(tmp_path / "new" / "folder") == 7


def test_sizes_count_each_file_of_a_folder(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "inner" / "b").write_bytes(b"123")
    assert (
        free_space.size_of(tmp_path),
        free_space.size_of(tmp_path / "a"),
        free_space.size_of(tmp_path / "none"),
    ) == (8, 5, 0)


def test_what_deleting_frees_counts_a_hard_link_once_and_no_symbolic_link(tmp_path):
    kept, results = tmp_path / "kept", tmp_path / "results"
    kept.mkdir()
    results.mkdir()
    (kept / "a").write_bytes(b"12345")
    (results / "a").hardlink_to(kept / "a")
    (results / "link").symlink_to(kept / "a")
    (results / "b").write_bytes(b"123")
    assert free_space.size_of_all([kept, results]) == 8
