"""A file of the corpus that is replaced by an older one is read again: content decides, not clocks."""

import os

TABLE = "results/letters/corpus/texts.parquet"


def test_a_file_that_is_replaced_by_an_older_one_is_read_again(checkout):
    texts, other = checkout.root / "data" / "letters.txt", checkout.root / "other.txt"
    texts.write_text("".join(f"This is letter {number}.\n" for number in range(40)), encoding="utf-8")
    changes = {"source": "files", "paths": ["data/letters.txt"], "txt_unit": "line", "max_texts": None}
    overlay = checkout.overlay("letters", name="letters", corpus=changes, classifiers=[])
    target = ("--configfile", overlay, "--", TABLE)
    done = checkout.snakemake(*target)
    assert done.returncode == 0, done.stdout + done.stderr
    assert checkout.planned_jobs(*target) == {}
    other.write_text(texts.read_text(encoding="utf-8").replace("letter 7", "letter seven"), encoding="utf-8")
    os.utime(other, (10**9, 10**9))
    other.replace(texts)
    assert checkout.planned_jobs(*target) == {"import_corpus": 1}
    done = checkout.snakemake(*target)
    assert done.returncode == 0, done.stdout + done.stderr
    os.utime(texts)
    assert checkout.planned_jobs(*target) == {}
