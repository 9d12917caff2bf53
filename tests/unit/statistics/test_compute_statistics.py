"""The stage of the statistics: the same bytes for the same seed, and a table for each schema."""

import re
from pathlib import Path

from samizdat.records.statistics import STATISTICS


def test_same_seed_same_bytes_and_another_seed_other_intervals(study):
    for number in range(60):
        study.text("good" if number % 3 else "bad", human="good" if number % 4 else "bad")
        study.sample("good" if number % 2 else "bad")
    tables = study.folder / "statistics"
    study.compute()
    first = {path.name: path.read_bytes() for path in tables.iterdir()}
    study.compute()
    assert {path.name: path.read_bytes() for path in tables.iterdir()} == first
    study.compute(seed=2)
    assert (tables / "label_shares.parquet").read_bytes() != first["label_shares.parquet"]


def test_nothing_to_count_gives_empty_tables(study):
    study.card |= {"label_column": None}
    study.text(None)
    found = study.compute()
    assert found.pop("fitness").set_index("check")["texts"].to_dict() == {"no_label": 1, "several_windows": 0}
    assert all(frame.empty for frame in found.values())


def test_the_rules_know_every_table_of_the_statistics():
    rules = (Path(__file__).parents[3] / "workflow" / "rules" / "common.smk").read_text(encoding="utf-8")
    named = re.search(r"^STATISTICS = \((.*?)\)", rules, re.MULTILINE | re.DOTALL).group(1)
    assert re.findall(r"\w+", named) == list(STATISTICS)
