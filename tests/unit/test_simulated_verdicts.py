"""The simulation of the report's verdicts: each question is asked, and its rates are counted and kept."""

import inspect
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from samizdat.records.io import read_table
from samizdat.records.statistics import STATISTICS
from samizdat.reporting import verdicts

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import inference
import inference_agreement
import inference_labels
import inference_largest
import inference_positions
import inference_questions
import inference_samples
import inference_terms
import record
from record import ROOT


def test_every_question_of_the_report_is_simulated_and_listed():
    modules = (inference_agreement, inference_labels, inference_positions, inference_samples, inference_terms)
    asked = "".join(inspect.getsource(module) for module in modules)
    claims = [
        name for name, it in vars(verdicts).items() if inspect.isfunction(it) and it.__module__ == verdicts.__name__
    ]
    for name in claims:
        assert name.startswith("_") or name == "published" or f"verdicts.{name}(" in asked, name
    methods = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    for question in inference_questions.QUESTIONS:
        assert f"“{question}”" in methods, question


@pytest.mark.parametrize("question", inference_questions.QUESTIONS)
def test_a_question_finds_an_effect_and_mostly_nothing_where_there_is_none(question):
    """A cheap part of the benchmark: 24 corpora with nothing to be found; more than 4 claims have a chance of 0.6 %."""
    words = "simple model" in question
    of_one = 20 if "through documents" in question else 1
    nothing = inference.Job(
        question, 100 if of_one == 1 else 500, of_one, 2, effect=False, start=0, corpora=8 if words else 24
    )
    record = inference.count(nothing, until=np.inf)
    assert record["claims"] <= 4
    assert all(number == 0 for name, number in record["intervals"].items() if name.endswith("without estimate"))
    there = inference.Job(question, 300 if words else 1000, of_one, 2, effect=True, start=0, corpora=2)
    assert inference.count(there, until=np.inf)["claims"] >= (0 if words else 1)


@pytest.mark.parametrize(
    "question", sorted(set(inference_questions.QUESTIONS) - {"a label’s share changes in training"})
)
def test_with_too_few_documents_no_question_is_answered(question):
    if "training" not in question:  # the samples of checkpoints are enough to be compared with each other
        record = inference.count(inference.Job(question, 300, 20, 2, effect=True, start=0, corpora=2), until=np.inf)
        assert record["claims"] == 0 and not record["intervals"].get("label_shares|all")


def test_rates_are_summed_over_jobs_and_the_worst_kind_is_shown():
    question = "samples and texts differ"
    kinds = [(100, 1, 2, False), (100, 1, 9, False), (100, 1, 2, True)]
    found = {
        inference.Job(question, *kind, start, 100): {"corpora": 100, "claims": claims, "intervals": {
            "divergences|all": 200, "divergences|covered": 190 - start, "divergences|without estimate": 0}}
        for kind, hits in zip(kinds, ((4, 8), (5, 5), (90, 70)), strict=True)
        for start, claims in zip((0, 100), hits, strict=True)
    }  # fmt: skip
    figures = inference.figures_of(inference.merged({}, found, [question]))
    assert figures[question].value == 0.055 and figures[question].met
    assert "400 corpora of 2 kinds" in figures[question].meaning
    worst = figures[f"worst: {question}"]
    assert worst.value == 0.06 and worst.met and "100 texts, 1 a document, 2 labels" in worst.meaning
    assert worst.spread == pytest.approx((0.0347, 0.1019), abs=1e-3)
    assert figures[f"power: {question}"].value == 0.8 and figures[f"power: {question}"].met is None
    least, most = (figures[f"{word} coverage of divergences"] for word in ("least", "most"))
    assert least.value == most.value == 280 / 400 and not least.met and most.met
    assert figures["without estimate"].met and figures["few"].met


def test_a_kind_whose_rate_or_coverage_may_be_chance_is_simulated_again():
    def jobs(question, effect, corpora, claims, covered):
        counted = {"i|all": 100, "i|covered": covered, "i|without estimate": 0}
        job = inference.Job(question, 100, 1, 2, effect, 0, corpora)
        return {job: {"corpora": corpora, "claims": claims, "intervals": counted}}

    def again(*found):
        return {
            (job.question, job.effect, job.start)
            for job in inference.more_jobs({k: v for f in found for k, v in f.items()})
        }

    one, other = "samples and texts differ", "how far raters agree"
    assert again(jobs(one, False, 400, 20, 95), jobs(other, False, 400, 0, 94), jobs(one, True, 50, 50, 96)) == set()
    assert min(again(jobs(one, False, 400, 24, 95))) == (one, False, 400)
    assert min(again(jobs(one, True, 50, 50, 90))) == (one, True, 50)
    assert min(again(jobs(other, False, 400, 0, 100))) == (other, False, 400)


def test_the_record_keeps_the_rows_of_questions_that_were_not_asked_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(inference, "RESULTS", tmp_path)
    monkeypatch.setattr(record, "PAGE", tmp_path / "benchmarks.md")
    monkeypatch.setattr(inference, "KEPT", tmp_path / "kept.jsonl")
    one, other = "samples and texts differ", "how far raters agree"
    monkeypatch.setattr(
        inference, "first_jobs", lambda: [inference.Job(q, 100, 1, 2, False, 0, 2) for q in (one, other)]
    )
    monkeypatch.setattr(
        inference, "timed", lambda: [{"name": "t", "figure": {"meaning": "t", "value": 1.0}, "commit": "c"}]
    )

    def run(*options, commit):
        monkeypatch.setattr(inference, "commit", lambda: commit)
        monkeypatch.setattr(sys, "argv", ["inference.py", *options])
        inference.main()
        notes = json.loads((tmp_path / "inference.json").read_text(encoding="utf-8"))["notes"]
        return {row["question"]: row["commit"] for row in notes["coverage"]}, notes["largest"]

    assert run("--no-largest", commit="a") == ({one: "a", other: "a"}, [])
    assert run("--no-largest", "--questions", "raters", commit="b") == ({one: "a", other: "b"}, [])
    rows, timed = run("--only-largest", commit="c")
    assert rows == {one: "a", other: "b"} and [row["name"] for row in timed] == ["t"]
    assert run("--no-largest", "--questions", "texts differ", commit="d")[1] == timed
    with pytest.raises(SystemExit):
        run("--questions", "no such question", commit="e")
    assert "how varied samples are" in capsys.readouterr().err


def test_a_run_that_was_stopped_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(inference, "KEPT", tmp_path / "kept.jsonl")
    jobs = [inference.Job("samples and texts differ", 100, 1, 2, False, start, 2) for start in (0, 2)]
    assert inference.simulate(jobs, until=0) == {}
    first = inference.simulate(jobs[:1], until=np.inf)
    both = inference.simulate(jobs, until=np.inf)
    assert set(first) == {jobs[0]} and set(both) == set(jobs)
    assert inference.KEPT.read_text(encoding="utf-8").count("\n") == 2


def test_the_largest_corpora_are_those_of_the_stage(tmp_path, capsys):
    inference_largest.make(tmp_path, labels=3, texts=60)
    inference_largest.measure(tmp_path)
    measured = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(measured) == {"seconds", "CPU seconds", "GiB"} and min(measured.values()) > 0
    tables = {path.stem for path in (tmp_path / "statistics").glob("[!.]*.parquet")}
    assert tables == set(STATISTICS)
    assert read_table(tmp_path / "statistics" / "quality.parquet", STATISTICS["quality"])["p_value"].notna().any()
