"""The copies that tests run in: the project's files, and nothing of the user's."""

import subprocess

from conftest import ROOT, new_checkout


def test_a_copy_has_no_texts_configs_or_results_of_the_user(tmp_path):
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    for name in ("data/letters.txt", "data/mine/b.txt", "config/mine.yaml", "results/mine/config.json", "work/a"):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text("mine", encoding="utf-8")
    changed = clone / "config" / "tiny.yaml"
    changed.write_text(changed.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    copy = new_checkout(tmp_path / "copy", clone).root
    for name in ("data/letters.txt", "data/mine", "config/mine.yaml", "results", "work"):
        assert not (copy / name).exists()
    assert (copy / "data" / "README.md").is_file() and (copy / "Snakefile").is_file()
    assert (copy / "config" / "tiny.yaml").read_bytes() == changed.read_bytes()
