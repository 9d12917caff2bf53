"""The plan of a run: reasons in words, seconds by the last times, and only the nearest of what comes before."""

import json
import re

from samizdat.base import reuse, stage
from samizdat.runs.plan import Job, plan_text
from samizdat.runs.plan_reasons import direct_reasons, listed

PARAMS = "Params have changed since last execution: Union of exclusive params before and now across all output: "
FOLLOWS = "Input files updated by another job: a"


def job(title, reason=FOLLOWS, inputs=(), outputs=(), work=None):
    return Job(title, reason, frozenset(inputs), frozenset(outputs), work)


def timed(folder, **usage):
    folder.mkdir()
    (folder / "usage.json").write_text(json.dumps(usage), encoding="utf-8")
    return folder


def test_reasons_are_told_with_both_values():
    options = f"{PARAMS}before: '--top-k=0 --heat=\\'[0.7, 1.0]\\'' now: '--top-k=5 --heat=\\'[0.5]\\'' "
    assert direct_reasons(options) == ["heat changed from [0.7, 1.0] to [0.5] and top_k changed from 0 to 5"]
    assert direct_reasons(f"{PARAMS}before: 3454355870327018144 now: 5219916159167436229 ") == ["the seed changed"]
    assert direct_reasons(f"{PARAMS}before: 1 now: 2 ") == ["threads changed from 1 to 2"]
    assert direct_reasons(f"{PARAMS}before: '0ed223b69b73a5da' now: 'fa89b0e7576923f5' ") == ["its code changed"]
    lists = "before: ['a40731a355f8275c', '95c87ed395f0ef5a'] now: ['a40731a355f8275c', '6af01e2259d170d8'] "
    assert direct_reasons(PARAMS + lists) == ["its code changed"]


def test_a_config_is_told_key_by_key_and_a_value_may_hold_any_words():
    before, now = ({"title": title, "a": {"b": [1]}, "c": 3} for title in ("it is now: 'old'", "new"))
    quoted = [repr("'" + json.dumps(config).replace("'", "'\"'\"'") + "'") for config in (before, now)]
    assert direct_reasons(f"{PARAMS}before: {quoted[0]} now: {quoted[1]} ") == [
        """title changed from "it is now: 'old'" to "new\""""
    ]
    one = PARAMS + "before: <nothing exclusive> now: '--min-words=3' "
    assert direct_reasons(one) == ["min_words is new"]


def test_files_are_named_and_who_only_follows_has_no_reason_of_its_own():
    assert direct_reasons("Missing output files: b.parquet, a.parquet") == ["a.parquet and b.parquet are missing"]
    assert direct_reasons("Updated input files: data/a.txt; Code has changed since last execution") == [
        "data/a.txt changed",
        "its rule changed",
    ]
    assert direct_reasons(FOLLOWS) == []
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_only_the_nearest_jobs_are_named_and_times_are_added(tmp_path):
    jobs = [
        job("Importing", "Updated input files: data/a.txt", (), ["texts"], timed(tmp_path / "i", elapsed_seconds=61.2)),
        job("Training", inputs=["texts"], outputs=["model"], work=timed(tmp_path / "t", computing_seconds=100.0,
                                                                         elapsed_seconds=2.0)),
        job("Writing", inputs=["texts", "model"], outputs=["page"], work=tmp_path / "never"),
    ]  # fmt: skip
    lines = plan_text(jobs).splitlines()
    assert lines[0] == "3 jobs would run, for about 2 min 41 s by their last times, 1 of them never timed here:"
    assert lines[1].split() == ["Importing", "1", "min", "1", "s", "because", "data/a.txt", "changed"]
    assert re.fullmatch(r"  Training +1 min 40 s  because importing may write another result", lines[2])
    assert re.fullmatch(r"  Writing +because training may write another result", lines[3])
    assert "return in seconds" in lines[4]


def test_with_no_job_nothing_would_run():
    assert plan_text([]) == "Nothing would run: all results are up to date."


def test_a_result_that_was_put_back_keeps_the_time_of_its_computation(tmp_path, monkeypatch):
    monkeypatch.setattr(stage.os, "_exit", lambda status: None)
    arguments = ["--out", str(tmp_path / "out"), "--work", str(tmp_path / "work"), "--log", str(tmp_path / "log"),
                 "--title", "it"]  # fmt: skip
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").write_text("it", encoding="utf-8")
    usage = tmp_path / "work" / "usage.json"
    stage.run(_stage, arguments)
    computed = json.loads(usage.read_text(encoding="utf-8"))
    assert computed["computing_seconds"] == computed["elapsed_seconds"] > 0
    usage.write_text(json.dumps(computed | {"computing_seconds": 77.0}), encoding="utf-8")
    stage.run(_stage, arguments)
    put_back = json.loads(usage.read_text(encoding="utf-8"))
    assert put_back["computing_seconds"] == 77.0 > put_back["elapsed_seconds"]


def _stage(out: stage.Path, work: stage.Path) -> str:
    if reuse.restore(work, "mark", out):
        return "as before"
    stage.time.sleep(0.02)
    reuse.keep(work, "mark", out)
    return "new"
