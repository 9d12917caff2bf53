"""What the report says of how far classifiers can be trusted, from finished runs with known answers."""

import base64
import re
from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from samizdat.base.files import checksum_file
from samizdat.records.classifiers import ClassifierCard
from samizdat.records.io import read_document, write_document
from samizdat.reporting import agreement, fitness, human_agreement, trust
from samizdat.reporting.run import Run
from samizdat.statistics.compute_statistics import StatisticsSettings, compute_statistics
from support.reading import plain
from support.run_fixture import make_run, sentences, write_manifest


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return Run(make_run(tmp_path_factory.mktemp("runs") / "trust"))


def test_calibration_is_drawn_and_said(run):
    picture = trust.calibration(run)
    rows = run.calibration.query("classifier == 'sentiment'")
    assert list(rows["from"]) == [0.8]  # the made-up classifier always says 80 %
    assert "80\u00a0%" in picture.alternative_text or "80 %" in picture.alternative_text
    assert "expected calibration error" in picture.alternative_text
    assert picture_bytes(picture).startswith(b"\x89PNG")


def test_measured_shares_are_rounded_and_the_confidence_of_intervals_is_as_it_is_set(tmp_path):
    run = Run(make_run(tmp_path / "run"))
    vars(run)["calibration"] = run.calibration.assign(confidence=0.81234)
    vars(run)["confidence"] = 0.975
    said = trust.calibration(run).alternative_text
    assert "right where it says 81\u00a0%" in said and "97.5\u00a0% intervals" in said


@pytest.mark.parametrize(
    ("p_value", "gap", "title"),
    [
        (
            0.001,
            (0.05, 0.1),
            "“sentiment” is right less often than it says: by 8.0 points on average, where chance explains",
        ),
        (0.001, (-0.1, -0.05), "“sentiment” is right more often than it says"),
        (0.001, (-0.1, 0.05), "“sentiment” is not right as often as it says"),
        (0.04, (0.05, 0.1), "No gap was found"),  # one of two classifiers: 0.08 when corrected
        (float("nan"), (float("nan"), float("nan")), "Too few documents"),
    ],
)
def test_a_gap_is_said_only_where_chance_does_not_explain_it(run, monkeypatch, p_value, gap, title):
    frame = run.quality.copy()
    error, way = frame["metric"] == "calibration_error", frame["metric"] == "confidence_gap"
    frame.loc[error, ["value", "chance", "p_value"]] = [0.08, 0.02, p_value if p_value != p_value else 0.9]
    frame.loc[error & (frame["classifier"] == "sentiment"), "p_value"] = p_value
    frame.loc[way, ["low", "high"]] = gap
    monkeypatch.setitem(vars(run), "quality", frame)
    assert plain(trust.calibration(run).alternative_text).startswith(title)


def test_most_alike_are_only_labels_that_go_together_by_more_than_chance(run, monkeypatch):
    two = pd.concat([run.associations, run.associations.assign(left="source", right="sentiment")])
    for p_holm, title in ((0.01, "Most alike: "), (0.2, "No two classifiers"), (float("nan"), "Too few documents")):
        monkeypatch.setitem(vars(run), "associations", two.assign(p_holm=p_holm))
        picture = trust.associations(run)
        assert picture.title.startswith(title) and picture.alternative_text.startswith(picture.title)
    monkeypatch.setitem(vars(run), "group_tests", run.group_tests.assign(p_holm=0.2, cramers_v=0.4))
    assert "no difference found" in trust.group_tests(run).markdown and "medium" not in trust.group_tests(run).markdown
    # Of a classifier that gives one label to all texts there is no row, however many groups there are.
    monkeypatch.setitem(vars(run), "group_tests", run.group_tests[:0])
    assert "or all these texts have one label" in trust.group_tests(run).markdown


@pytest.mark.parametrize(("low", "answer"), [(0.1, "Yes: "), (-0.1, "Not by more than chance: ")])
def test_classifiers_of_the_same_labels_go_together_only_where_they_agree(run, monkeypatch, low, answer):
    """Two that contradict each other, or agree by chance alone, may be far from independent."""
    kappa = {"measure": "cohen_kappa", "value": low + 0.05, "low": low, "high": low + 0.1, "p_holm": 0.001}
    monkeypatch.setitem(vars(run), "associations", run.associations.assign(**kappa))
    assert answer in plain(trust.associations(run).markdown)
    two = pd.concat([run.associations, run.associations.assign(left="source", right="sentiment")])
    monkeypatch.setitem(vars(run), "associations", two)
    title = trust.associations(run).title
    assert title.startswith("Most alike: " if low > 0 else "No two classifiers have labels that go together")


def test_the_tests_of_groups_are_told_only_where_there_are_some(run, monkeypatch):
    assert "One test for each classifier" in trust.group_tests_note(run).markdown
    monkeypatch.setitem(vars(run), "group_tests", run.group_tests.iloc[:0])
    assert trust.group_tests_note(run) is None


def picture_bytes(picture) -> bytes:
    data, _ = picture._repr_mimebundle_()
    return base64.b64decode(data["image/png"])


@pytest.mark.parametrize(
    ("p_holm", "answer"),
    [(0.01, "Yes"), (0.2, "Not by more than chance"), (float("nan"), "There are too few documents")],
)
def test_the_association_of_two_classifiers_is_a_sentence(run, monkeypatch, p_holm, answer):
    monkeypatch.setitem(vars(run), "associations", run.associations.assign(p_holm=p_holm))
    said = plain(trust.associations(run).markdown)
    assert said.startswith(f"Do the labels of the two classifiers go together? {answer}")
    assert re.search(r": sentiment and source: Cramér’s V 0\.\d\d \[.*\] over \d+ texts\.$", said)


def test_group_tests_say_how_large_a_difference_is(run):
    text = trust.group_tests(run).markdown
    assert text.count("sentiment") == 1 and text.count("source") == 1
    assert "small" in text or "no difference found" in text


def test_examples_are_shown_only_where_texts_may_be(run, tmp_path):
    shown = trust.examples(run).markdown
    texts = [text for text in sentences(240) if text.rstrip(".") in shown.replace("\\", "")]
    assert len(texts) >= 5
    withheld = Run(make_run(tmp_path / "withheld", publish_texts=False))
    hidden = trust.examples(withheld).markdown
    assert "publish_texts" in hidden and not any(text[:20] in hidden for text in sentences(240))


def test_hostile_texts_are_escaped_in_examples(tmp_path):
    texts = [f"<script>alert({number})</script> | `x` $y$ {number}" for number in range(60)]
    shown = trust.examples(Run(make_run(tmp_path / "hostile", texts=texts))).markdown
    assert "<script>" not in shown


def test_a_corpus_outside_of_what_a_classifier_was_made_for_is_warned_of(tmp_path):
    folder = make_run(tmp_path / "foreign")
    assert "does not say" in fitness.warnings(Run(folder)).markdown
    every = "Every text got a label from each classifier and fits into one window of each classifier."
    assert fitness.counts(Run(folder)).markdown == every
    for name in ("sentiment", "source"):
        path = folder / "classifiers" / name / "card.json"
        card = read_document(ClassifierCard, path).__dict__ | {"min_words": 8 if name == "sentiment" else None}
        write_document(ClassifierCard(**card), path)
    compute_statistics(
        StatisticsSettings(0.95, 200), folder / "corpus" / "texts.parquet", folder / "corpus" / "languages.parquet",
        (folder / "samples" / "gpt2-tiny.parquet",),
        (folder / "models" / "gpt2-tiny" / "test_losses.parquet",),
        tuple(folder / "classifiers" / name for name in ("sentiment", "source")), folder / "scores",
        folder / "statistics", seed=3,
    )  # fmt: skip
    run = Run(folder)
    write_manifest(folder, run.config, run.manifest.inputs)
    short = sum(len(text.split()) < 8 for text in sentences(240))
    said = fitness.warnings(run).markdown
    assert "was not made for all of these texts" in said and "shorter than 8 words" in said
    assert f"{short}" in fitness.counts(run).markdown
    run.fitness = pd.DataFrame([{"classifier": "sentiment", "check": "other_language", "texts": 0, "of": 0}])
    assert "Of no text could it be told" in fitness.warnings(run).markdown
    assert (
        ": of no text could it be told |" in fitness.counts(run).markdown
        and "| 0 |" not in fitness.counts(run).markdown
    )


def test_nothing_is_said_of_texts_that_were_not_checked(run, monkeypatch):
    checks = [("no_label", 240), ("other_language", 30)]
    rows = [{"classifier": "sentiment", "check": check, "texts": 0, "of": of} for check, of in checks]
    monkeypatch.setitem(vars(run), "fitness", pd.DataFrame(rows))
    monkeypatch.setitem(run.cards, "sentiment", replace(run.cards["sentiment"], languages=("en",)))
    shown = plain(fitness.counts(run).markdown)
    assert "Every text" not in shown and "in another language than en | 0 | 30 | 0 %" in shown
    assert "nearly all texts of which it is known are" in fitness.warnings(run).markdown
    rows[1]["of"] = 240
    monkeypatch.setitem(vars(run), "fitness", pd.DataFrame(rows))
    assert fitness.counts(run).markdown.startswith("Every text got a label from each classifier and is in a language")
    assert "nearly all texts are of that kind" in fitness.warnings(run).markdown


def test_classifiers_are_compared_with_a_person_and_a_word_list_where_raters_are_known(run, tmp_path):
    assert "not known" in human_agreement.ceiling(run).markdown
    folder = make_run(tmp_path / "rated")
    path = folder / "corpus" / "texts.parquet"
    table = pq.read_table(path)
    means = {"negative": -2, "neutral": 0, "positive": 2}
    ratings = [[means[label]] * 5 for label in table["label_sentiment"].to_pylist()]
    place = table.schema.get_field_index("ratings")
    field = table.schema.field("ratings")
    pq.write_table(table.set_column(place, field, pa.array(ratings, field.type)), path)
    checksum_file(path).unlink()
    compute_statistics(
        StatisticsSettings(0.95, 200), path, folder / "corpus" / "languages.parquet",
        (folder / "samples" / "gpt2-tiny.parquet",),
        (folder / "models" / "gpt2-tiny" / "test_losses.parquet",),
        tuple(folder / "classifiers" / name for name in ("sentiment", "source")), folder / "scores",
        folder / "statistics", seed=3,
    )  # fmt: skip
    rated = Run(folder)
    said = human_agreement.ceiling(rated).markdown.replace("\u00a0", " ")
    # Of 60 texts from 30 documents; that all agree does not show that all always would.
    assert "1.00 [0.88, 1.00] compared with the mean of the others" in said and "do not agree" not in said
    assert "Krippendorff’s α of the raters is 1.00 [0.81, 1.00] for their labels and 1.00" in said
    assert re.search(r"reaches 0\.\d\d \[[^]]*\], \d+ % of that; the word list", said)
    assert "Krippendorff’s α of labels" in agreement.every_score(rated).markdown
    assert "VADER" in agreement.every_score(rated).markdown and "VADER" in agreement.scores(rated).alternative_text
    # All labels are the same, though the ratings are not.
    measured = rated.quality
    rated.quality = measured.assign(value=measured["value"].mask(measured["metric"] == "krippendorff_alpha"))
    said = human_agreement.ceiling(rated).markdown.replace("\u00a0", " ")
    assert re.search(r"Krippendorff’s α of the raters is 1\.00 for their ratings: ", said)
    assert said.endswith("labels is not defined, since all of these are the same.")
    assert "not defined" in agreement.every_score(rated).markdown and "nan" not in agreement.every_score(rated).markdown
    rated.quality = measured
    # One who never agrees with the others: of 0 nothing is a share.
    human = (rated.quality["method"] == "human") & (rated.quality["metric"] == "macro_f1")
    rated.quality = rated.quality.assign(value=rated.quality["value"].where(~human, 0.0))
    said = human_agreement.ceiling(rated).markdown.replace("\u00a0", " ")
    assert re.search(r"reaches 0\.\d\d \[[^]]*\]; the word list", said) and "of that" not in said
    assert said.startswith("People do not agree either. One rater, drawn at random")


def test_nothing_to_say_is_said(tmp_path):
    empty = Run(make_run(tmp_path / "none", labels={}))
    for function in (trust.calibration, trust.associations, trust.group_tests, trust.examples, fitness.counts):
        assert function(empty).markdown
