"""Reports that somebody handed in: copies of a run's own, and what was changed by hand."""

import json
import shutil
from pathlib import Path

import pytest

from samizdat.base.files import sha256_of, write_text
from samizdat.runs.sameness import CLOSE, DIFFERENT, SAME, Verdict
from samizdat.runs.verify import compare_copies, table_of, verify
from support.two_runs import finished_run, rewrite, verdicts_of, write_pdf


def test_with_all_results_the_same_a_number_in_a_report_that_is_another_one_was_changed_by_hand(pair):
    """One unit of the last decimal is a rounding of another number only where there is another number."""
    run, rebuilt = pair
    (rebuilt / "report" / "report.html").write_text("<p>about 0.52</p>", encoding="utf-8")
    write_pdf(rebuilt, "about 0.52")
    found = verdicts_of(run, rebuilt)
    assert found["report/report.html"].where == "line 1: >about 0.51 against >about 0.52"
    assert found["report/report.pdf"].kind == DIFFERENT


@pytest.mark.parametrize("key", ["device_kind", "compute_dtype", "compiled"])
def test_what_a_summary_says_of_its_machine_brings_no_other_words_into_a_report(pair, key):
    """Who forges a page could let a model's summary have it as the name of the device."""
    forged = "<p>a share of 99.9 %</p>"
    for run, value in zip(pair, (forged, "float32"), strict=True):
        name = "models/gpt2-tiny/summary.json"
        true = {"device_kind": "cpu", "compute_dtype": "float32", "compiled": False}
        summary = json.loads((run / name).read_text(encoding="utf-8")) | true
        word = forged if value == forged else str(true[key])
        rewrite(run, name, json.dumps(summary | ({key: forged} if value == forged else {})))
        (run / "report" / "report.html").write_text(f"<p>on {word} with</p>", encoding="utf-8")
    found = verdicts_of(*pair)
    assert f"key {key}: {forged[:20]}" in found["models/gpt2-tiny/summary.json"].where
    assert found["report/report.html"].kind == DIFFERENT


def test_what_a_manifest_says_of_its_packages_brings_no_other_words_into_a_report(pair):
    for run, build in zip(pair, ("+cpu", "+cu128"), strict=True):
        text = (run / "manifest.json").read_text(encoding="utf-8")
        write_text(run / "manifest.json", text.replace('"versions": {', f'"versions": {{"some": "2.1{build}",'))
        (run / "report" / "report.html").write_text(f"<p>some 2.1{build}</p>", encoding="utf-8")
    assert verdicts_of(*pair)["report/report.html"].kind == CLOSE
    for path in (pair[0] / "manifest.json", pair[0] / "report" / "report.html"):
        write_text(path, path.read_text(encoding="utf-8").replace("2.1+cpu", "2.1+cpu; a share of 99.9 %"))
    found = verdicts_of(*pair)
    assert {found[name].kind for name in ("manifest.json", "report/report.html")} == {DIFFERENT}


def test_a_copy_of_another_report_does_not_make_the_run_different(pair):
    verdicts = verdicts_of(*pair)
    *_, answer, of_copy = table_of(verdicts, {"their.ipynb": Verdict(DIFFERENT, "cell 3")}).splitlines()
    assert answer.startswith("Yes: made again") and of_copy == "No: their.ipynb is not the run's own."


def test_a_copy_is_compared_with_the_run_s_own_report_also_where_the_bundle_lacks_it(pair, tmp_path):
    run, rebuilt = pair
    page, copy, other = run / "report" / "report.html", tmp_path / "copy.html", tmp_path / "other.html"
    shutil.copy(page, copy)
    other.write_text("<p>about 0.61</p>", encoding="utf-8")
    (run / "provenance.json").write_text(json.dumps({"sha256": {"report.html": sha256_of(page)}}), encoding="utf-8")

    def kinds():
        return [verdict.kind for verdict in compare_copies([copy, other], run, rebuilt).values()]

    assert kinds() == [SAME, DIFFERENT]
    page.unlink()
    assert kinds() == [SAME, DIFFERENT]
    copy.write_text("<p>about 0.51001</p>", encoding="utf-8")  # the number of no run
    assert kinds() == [DIFFERENT, DIFFERENT]
    (rebuilt / "report" / "report.html").write_text("<p>about 0.52</p>", encoding="utf-8")
    (verdict, _) = compare_copies([copy, other], run, rebuilt).values()
    assert verdict.kind == DIFFERENT and "the recorded file is not here" in verdict.where


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"kernelspec": {"name": "samizdat"}, "language_info": {"version": "3.12.1"}}, CLOSE),
        ({"authors": [{"name": "somebody else"}]}, DIFFERENT),
    ],
)
def test_a_notebook_that_was_opened_and_saved_with_another_kernel_is_still_the_runs_own(pair, tmp_path, change, kind):
    copy = tmp_path / "copy.ipynb"
    copy.write_text(json.dumps({"metadata": change, "cells": []}, indent=1), encoding="utf-8")
    for run in pair:
        (run / "report" / "report.ipynb").write_text('{"cells": [], "metadata": {}}', encoding="utf-8")
    (verdict,) = compare_copies([copy], *pair).values()
    assert verdict.kind == kind


def test_a_copy_that_is_called_as_a_file_of_the_run_hides_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = finished_run(tmp_path)
    copy = Path(shutil.copy(run / "report" / "report.ipynb", tmp_path / "report"))

    def rebuild(manifest, recorded, checkout):
        again = shutil.copytree(recorded, checkout / "results" / "mine")
        (again / "report" / "report.ipynb").write_text("{}", encoding="utf-8")
        return again

    monkeypatch.setattr("samizdat.runs.rebuild.copy_code", lambda manifest, checkout: "with the code here")
    monkeypatch.setattr("samizdat.runs.rebuild.rebuild", rebuild)
    assert verify(run, [copy.relative_to(tmp_path)]) == 2
