"""Labels and numbers through long documents, in the report: what is said, what is drawn, and where there is nothing."""

import pandas as pd
import pytest

from samizdat.records.statistics import STATISTICS
from samizdat.reporting import Run, positions


def changed(label, value=0.09, p_holm=0.01, classifier="sentiment"):
    return {
        "classifier": classifier, "label": label, "documents": 1446, "texts": 9000, "value": value,
        "low": value - 0.06, "high": value + 0.05, "p_value": p_holm, "p_holm": p_holm,
    }  # fmt: skip


def fifths(label, values, classifier="sentiment"):
    return [
        {"classifier": classifier, "label": label, "part": part, "texts": 100, "value": value, "low": value - 0.02,
         "high": value + 0.02}
        for part, value in enumerate(values, start=1)
    ]  # fmt: skip


TOO_FEW = "Too few documents to say whether labels or numbers change through them"


@pytest.fixture
def followed(made_up):
    """Return a run with these changes and shares."""

    def make(changes, parts=()):
        run = Run(made_up)
        vars(run)["position_changes"] = pd.DataFrame(changes, columns=STATISTICS["position_changes"].names)
        vars(run)["positions"] = pd.DataFrame(parts, columns=STATISTICS["positions"].names)
        return run

    return make


def plain(prose) -> str:
    return prose.markdown.replace("\u00a0", " ").replace("<bdi>", "").replace("</bdi>", "")


def test_what_was_found_is_said_with_intervals_of_the_same_sign(followed):
    run = followed([changed("bad"), changed("good", -0.09), changed("so-so", p_holm=0.06), changed("odd", p_holm=None)])
    said = plain(positions.opening(run))
    assert said.startswith("From the beginning to the end of the 1,446 documents of five texts or more: ")
    assert "“bad” becomes more frequent, by 9.0 (3.0 to 14.0) percentage points" in said
    assert "“good” becomes less frequent, by 9.0 (4.0 to 15.0) percentage points" in said
    assert "so-so" not in said and "odd" not in said


def test_a_change_of_a_part_of_a_point_is_not_0(followed):
    for value, said in ((0.004, "0.4 (0.2 to 0.6)"), (0.0003, "0.03 (0.01 to 0.04)")):
        row = changed("rare", value) | {"low": value / 2 - 1e-6, "high": value * 1.5 - 1e-6}
        assert f"more frequent, by {said} percentage points" in plain(positions.opening(followed([row])))


def test_of_many_changes_the_clearest_are_told_and_the_others_counted(followed):
    rows = [changed(f"label {number}", p_holm=0.04 - number / 1000) for number in range(9)]
    said = plain(positions.opening(followed(rows)))
    assert said.count("becomes more frequent") == 6 and said.endswith(" and 3 more changes.")
    assert "“label 8”" in said and "“label 3”" in said and "“label 2”" not in said


def test_a_number_rises_or_falls(followed):
    said = plain(positions.opening(followed([changed(None, -0.5)])))
    assert "the number falls by 0.50 [0.45, 0.56]" in said


def test_where_nothing_was_found_the_report_says_so_and_without_long_documents_nothing(followed):
    said = plain(positions.opening(followed([changed("bad", p_holm=0.2)])))
    assert said == "No change was found from the beginning to the end of the 1,446 documents of five texts or more."
    few = followed([changed("bad", p_holm=None)], fifths("bad", [0.1, 0.2, 0.3, 0.4, 0.5]))
    assert plain(positions.opening(few)) == f"{TOO_FEW}." and positions.chart(few).title == TOO_FEW
    none = followed([])
    assert positions.opening(none) is None
    assert "too few documents" in positions.chart(none).markdown


def test_the_chart_has_a_panel_for_each_classifier_and_the_labels_that_change_most(followed):
    names = ["a", "b", "c", "d", "e"]
    changes = [changed(name, 0.01 * (number + 1)) for number, name in enumerate(names)]
    parts = [row for name in names for row in fifths(name, [0.1, 0.2, 0.3, 0.4, 0.5])]
    of_numbers = fifths(None, [3.0, 3.1, 3.2, 3.3, 3.4], "level")
    run = followed([*changes, changed(None, 0.4, classifier="level")], parts + of_numbers)
    picture = positions.chart(run)
    panels = [axis for axis in picture.axes if axis.axison]
    assert len(panels) == 2
    drawn = [text.get_text().strip("\u200b") for text in panels[0].get_legend().get_texts()]
    assert drawn == ["b", "c", "d", "e"]
    assert "10 %, 20 %, 30 %, 40 %, 50 %" in picture.alternative_text.replace("\u00a0", " ")
    assert "3.00, 3.10, 3.20, 3.30, 3.40" in picture.alternative_text
    assert panels[0].get_legend().get_title().get_text() == "the 4 of 5 labels that change most"
    assert not panels[1].get_legend().get_title().get_text()
    title = picture.title.replace("\u00a0", " ")
    assert title.startswith("Through documents the share of “a”, “b”, “c” and 2 more labels changes")
    assert positions.chart(followed([changed("a", p_holm=1)], parts)).title.startswith("No label")


def test_a_real_run_has_what_the_chart_needs(made_up):
    run = Run(made_up)
    assert set(run.positions.columns) == set(STATISTICS["positions"].names)
    positions.opening(run), positions.chart(run)
