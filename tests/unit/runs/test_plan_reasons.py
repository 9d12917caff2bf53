"""Snakemake's reasons for a job in plain words, with the values that changed."""

import json
import re

from samizdat.runs.plan_reasons import direct_reasons, listed

PARAMS = "Params have changed since last execution: Union of exclusive params before and now across all output: "


def test_a_reason_names_both_values():
    options = f"{PARAMS}before: '--top-k=0 --heat=\\'[0.7, 1.0]\\'' now: '--top-k=5 --heat=\\'[0.5]\\'' "
    assert direct_reasons(options) == ["heat changed from [0.7, 1.0] to [0.5] and top_k changed from 0 to 5"]
    assert direct_reasons(f"{PARAMS}before: 3454355870327018144 now: 5219916159167436229 ") == ["the seed changed"]
    assert direct_reasons(f"{PARAMS}before: 1 now: 2 ") == ["threads changed from 1 to 2"]
    assert direct_reasons(f"{PARAMS}before: '0ed223b69b73a5da' now: 'fa89b0e7576923f5' ") == [
        "its code or a package of it changed"
    ]
    lists = "before: ['a40731a355f8275c', '95c87ed395f0ef5a'] now: ['a40731a355f8275c', '6af01e2259d170d8'] "
    assert direct_reasons(PARAMS + lists) == ["its code or a package of it changed"]


def test_long_values_are_shown_where_they_differ():
    before, now = ("long " * 30 + end for end in ("first", "second"))
    (said,) = direct_reasons(f"{PARAMS}before: '--words=\"{before}\"' now: '--words=\"{now}\"' ")
    found = re.fullmatch(r"words changed from (….*) to (….*)", said)
    assert found and "first" in found[1] and "second" in found[2] and max(map(len, found.groups())) <= 60


def test_changes_of_a_config_are_named_key_by_key_whatever_a_value_contains():
    before, now = ({"title": title, "a": {"b": [1]}, "c": 3} for title in ("it is now: 'old'", "new"))
    quoted = [repr("--values='" + json.dumps(config).replace("'", "'\"'\"'") + "'") for config in (before, now)]
    assert direct_reasons(f"{PARAMS}before: {quoted[0]} now: {quoted[1]} ") == [
        """title changed from "it is now: 'old'" to "new\""""
    ]
    one = PARAMS + "before: <nothing exclusive> now: '--min-words=3' "
    assert direct_reasons(one) == ["min_words is new"]


def test_files_are_named_and_a_job_that_only_follows_another_has_no_reason_of_its_own():
    assert direct_reasons("Missing output files: b.parquet, a.parquet") == ["a.parquet and b.parquet are missing"]
    assert direct_reasons("Updated input files: data/a.txt; Code has changed since last execution") == [
        "data/a.txt changed",
        "its rule changed",
    ]
    assert direct_reasons("Input files updated by another job: a") == []
    contents = PARAMS + "before: '--contents=0ed223b69b73a5da' now: '--contents=fa89b0e7576923f5' "
    assert direct_reasons(contents) == ["the content of its files changed"]
    assert direct_reasons(f"Updated input files: data/a.txt; {contents}") == ["data/a.txt changed"]
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_a_folder_with_an_apostrophe_in_its_name_is_no_open_quote():
    moved = """before: "/home/o'brien/report", '--top-k=0' now: "/srv/o'brien/report", '--top-k=5' """
    assert direct_reasons(PARAMS + moved) == ["top_k changed from 0 to 5"]
