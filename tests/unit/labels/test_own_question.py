"""A question of one's own, for which a run needs no classifier: asked, read back, told in the report."""

import numpy as np
import pytest

from samizdat.base.errors import UserError
from samizdat.cli import main
from samizdat.labels.draw import OwnQuestion, draw
from samizdat.labels.read import read
from samizdat.measures.stratified import weighted_ratio
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_document, read_table
from samizdat.records.labels import RATER_QUALITY, LabelKey
from samizdat.records.samples import SAMPLES, begun_with_nothing
from samizdat.reporting import raters, summary
from samizdat.reporting.run import Run
from samizdat.statistics.compare_with_raters import compare_with_raters
from support.rater_sheets import fill_all, headings
from support.reading import plain

SENSE = OwnQuestion("sense", "Does this text make <sense>?", ["yes", "partly", "no"])


def test_people_answer_it_for_texts_and_samples_and_the_report_estimates_both(run, tmp_path):
    folder, results = run.with_name("asked.sense"), run.parents[3] / "results/mine"
    main(["label", "draw", "--run", "mine", "--question", "sense", "--words", SENSE.words, "--labels", *SENSE.labels,
          "--raters", "anna", "ben", "--rows", "80"])  # fmt: skip
    key = read_document(LabelKey, folder / "key.json")
    texts = read_table(results / "corpus/texts.parquet", TEXTS)
    samples = begun_with_nothing(read_table(results / "samples/gpt2-tiny.parquet", SAMPLES))
    assert key.words == SENSE.words and key.labels == SENSE.labels and headings(folder)[2:] == ["label"]
    assert key.strata == {"texts": len(texts), "samples: gpt2-tiny": len(samples)}
    subsets = {name: row["subset"] for name, row in key.rows.items()}
    drawn = min(40, len(samples))
    assert sum(one == "samples" for one in subsets.values()) == drawn
    # Of texts three quarters make sense, of samples none; the raters differ in one row, which has no label then.
    fill_all(folder, lambda name, rater: [answer(name, subsets[name], rater)])
    read(folder, unfinished=False)
    quality = tmp_path / "rater_quality.parquet"
    compare_with_raters(
        0.95, 200, results / "corpus/texts.parquet", (results / "samples/gpt2-tiny.parquet",),
        (results / "classifiers/sentiment",), results / "scores", (folder / "labels.parquet",), quality, seed=3,
    )  # fmt: skip
    table = read_table(quality, RATER_QUALITY)
    table = table[table["question"] == "asked.sense"]
    shares = table[table["metric"] == "share"].set_index(["subset", "label"])
    assert set(shares.index) == {(subset, label) for subset in ("texts", "samples") for label in ("yes", "no")}
    of_texts = [name for name, subset in subsets.items() if subset == "texts" and name != "r0001"]
    right = np.array([int(name[1:]) % 4 > 0 for name in of_texts], float)
    strata, sizes = np.zeros(len(right), int), np.array([len(texts)])
    expected = weighted_ratio(right, np.ones(len(right)), strata, sizes, 0.95)
    assert shares.loc[("texts", "yes"), ["value", "low", "high"]].tolist() == pytest.approx(list(expected))
    assert shares.loc[("samples", "yes"), "value"] == 0.0 and shares.loc[("samples", "no"), "population"] == len(
        samples
    )
    shown = Run(results)
    shown.rater_quality = read_table(quality, RATER_QUALITY)
    said = plain(raters.opening(shown).markdown)
    assert "People were asked the question “Does this text make <sense>?” for 80 texts and samples." in said
    assert f"As estimated for all {len(texts)} texts: “no” " in said and "Krippendorff’s α" in said
    assert f"As estimated for all {len(samples)} samples: “no” " in said
    assert "1 got no single label from most raters" in said
    assert "<bdi>sense</bdi>" in raters.every_number(shown).markdown and summary.finding(shown).markdown


def answer(name: str, subset: str, rater: str) -> str:
    """What a rater says of a row."""
    if name == "r0001":
        return "yes" if rater == "anna" else "no"
    return "yes" if subset == "texts" and int(name[1:]) % 4 else "no"


@pytest.mark.parametrize(("changes", "said"), [
    ({"name": "person.or.model"}, "'person.or.model' can't be a question's name"),
    ({"name": "../../x"}, "can't be a question's name"), ({"name": "a\n"}, "can't be a question's name"),
    ({"words": " "}, "raters would read no question"), ({"words": "a\nb"}, "raters would read no question"),
    ({"labels": ["yes"]}, "raters can't choose from the answers 'yes'"), ({"labels": []}, "raters can't choose"),
    ({"labels": ["yes", "Yes"]}, "raters can't choose"), ({"labels": ["a  b", "a b"]}, "raters can't choose"),
    ({"labels": ["yes", " no"]}, "raters can't choose"),
    ({"labels": ["", "no"]}, "raters can't choose"),
    ({"labels": ["nan", "no"]}, "raters can't choose from the answers 'nan'"),  # which is read as an empty cell
])  # fmt: skip
def test_a_question_that_cant_be_asked_is_refused(run, changes, said):
    with pytest.raises(UserError) as refused:
        draw(SENSE._replace(**changes), run="mine", raters=["anna", "ben"], rows=60)
    assert said in str(refused.value) and refused.value.remedy
    assert not run.parent.exists() or not list(run.parent.glob("asked*"))


def test_a_question_without_a_name_is_not_another_question(run, capsys):
    with pytest.raises(SystemExit):
        main(["label", "draw", "--run", "mine", "--question", "", "--words", "Why?", "--labels", "a", "b", "--raters",
              "anna", "ben"])  # fmt: skip
    assert "'' can't be a question's name" in capsys.readouterr().err and not run.parent.exists()


def test_words_and_labels_are_for_a_question_of_ones_own(run, capsys):
    with pytest.raises(SystemExit):
        main(["label", "draw", "--run", "mine", "--origin", "--labels", "a", "b", "--raters", "anna", "ben"])
    assert "--words and --labels belong to a question of your own" in capsys.readouterr().err
