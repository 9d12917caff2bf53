"""What the report may claim: each claim has a p value, corrected for all claims that answer the same question."""

import ast
import inspect
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from samizdat import reporting
from samizdat.records.sample_quality import SAMPLE_QUALITY
from samizdat.records.statistics import QUALITY
from samizdat.reporting import verdicts
from support.two_labels import divergence


def run_with(**tables):
    return SimpleNamespace(confidence=0.95, **tables)


def quality(metric, *p_values):
    rows = [
        {"classifier": f"c{number}", "metric": metric, "value": -0.1 if number else 0.1, "p_value": p_value}
        for number, p_value in enumerate(p_values)
    ]
    return run_with(quality=pd.DataFrame(rows, columns=QUALITY.names))


@pytest.mark.parametrize(
    ("p_values", "found"),
    [((0.04,), ["c0"]), ((0.04, 0.04), []), ((0.01, 0.04), ["c0", "c1"]), ((0.04, None), ["c0"]), ((None,), []),
     ((0.02, 0.5, 0.5), []), ((0.05,), ["c0"])],
)  # fmt: skip
def test_claims_about_several_classifiers_are_corrected_for_their_number(p_values, found):
    assert list(verdicts.off_baseline(quality("accuracy_above_majority", *p_values))) == found
    assert [row["classifier"] for row in verdicts.miscalibrated(quality("calibration_error", *p_values))] == found
    models = [divergence(model=f"c{number}", p_value=p_value) for number, p_value in enumerate(p_values)]
    assert sorted(verdicts.unlike_texts(run_with(divergences=pd.DataFrame(models)))) == [("mood", one) for one in found]
    rows = [{"model": f"c{number}", "temperature": 1.0, "begun_with": "nothing", "metric": "told_apart_area",
             "p_value": p_value} for number, p_value in enumerate(p_values)]  # fmt: skip
    run = run_with(sample_quality=pd.DataFrame(rows, columns=SAMPLE_QUALITY.names))
    assert list(verdicts.off_held_out(run, "told_apart_area")) == [(one, 1.0) for one in found]
    assert verdicts.off_held_out(run, "copy_characters") == {}


def test_better_and_worse_have_a_sign():
    assert verdicts.off_baseline(quality("accuracy_above_majority", 0.001, 0.001)) == {"c0": 1, "c1": -1}


def test_a_move_is_that_of_the_last_checkpoint_and_corrected_for_the_number_of_courses():
    def courses(*p_values):
        rows = [
            divergence(model=f"m{number}", percent=percent, begun_with="prompts", observed_bits=bits, p_since_first=p)
            for number, p_value in enumerate(p_values)
            for percent, bits, p in ((10, 0.5, 1.0), (50, 0.1, 0.001), (100, 0.7 if number else 0.2, p_value))
        ]
        return verdicts.moved(run_with(divergences=pd.DataFrame(rows)))

    assert [nearer for _, nearer in courses(0.01, 0.02)] == [True, False]
    assert courses(0.04, 0.04) == [] and len(courses(0.04)) == 1


def test_a_label_changes_only_for_classifiers_that_read_samples_of_both_checkpoints():
    """Of 100 samples each, `a` calls 10 and then 90 good; `b`, which comes first, gave the early ones no label."""
    rows = [("b", "100", "good", 50), ("b", "100", "bad", 50), ("a", "10", "good", 10), ("a", "10", "bad", 90),
            ("a", "100", "good", 90), ("a", "100", "bad", 10)]  # fmt: skip
    shares = pd.DataFrame(rows, columns=["classifier", "group", "label", "count"])
    run = run_with(shares=shares.assign(subset="samples", group_kind="percent"))
    found = [(first["classifier"], first["label"], first["count"], last["count"])
             for first, last in verdicts.changed_labels(run)]  # fmt: skip
    assert found == [("a", "good", 10, 90), ("a", "bad", 90, 10)]


def test_a_gap_has_a_direction_only_where_its_interval_has_not_0():
    for low, high, sign in ((0.01, 0.1, 1), (-0.1, -0.01, -1), (-0.1, 0.1, 0)):
        rows = [{"classifier": "c", "metric": "confidence_gap", "low": low, "high": high}]
        assert verdicts.overconfident(run_with(quality=pd.DataFrame(rows, columns=QUALITY.names)), "c") == sign


@pytest.mark.parametrize(
    ("real", "own", "differs"),
    [((0.0, 0.0, 0.12), (0.001, 0.0005, 0.002), False), ((0.001, 0.0005, 0.002), (0.0, 0.0, 0.12), False),
     ((0.04, 0.03, 0.05), (0.06, 0.045, 0.08), True), ((0.04, None, None), (0.06, 0.05, 0.08), True)],
)  # fmt: skip
def test_samples_copy_more_only_where_intervals_allow_it_too(real, own, differs):
    numbers = [dict(zip(("value", "low", "high"), values, strict=True)) for values in (real, own)]
    rows = [{"subset": "held_out"} | numbers[0], {"subset": "samples", "model": "m", "temperature": 1.0,
            "begun_with": "nothing", "p_value": 0.001} | numbers[1]]  # fmt: skip
    table = pd.DataFrame(rows, columns=SAMPLE_QUALITY.names).assign(metric="copied_ngram_share")
    assert bool(verdicts.off_held_out(run_with(sample_quality=table), "copied_ngram_share")) == differs


def test_no_other_module_of_the_report_compares_with_the_level():
    folder = Path(inspect.getfile(reporting)).parent
    for path in folder.glob("*.py"):
        found = [
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Compare) and "confidence" in ast.unparse(node)
        ]
        assert (path.name == "verdicts.py") == bool(found), path.name
