"""The first screen: four answers, each from the numbers of the run, and none that they don't give."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from samizdat.records.samples import begun_with_nothing
from samizdat.reporting import Run, agreement, copying, raters, sample_quality, summary, training
from samizdat.reporting.words import NO_BREAK
from support.reading import plain
from support.run_fixture import make_run, sentences
from support.two_labels import divergence


@pytest.fixture
def fresh(made_up):
    """The made-up run, which a test may change."""
    return Run(made_up)


def words(prose):
    return plain(prose.markdown).replace("<mark>", "").replace("</mark>", "")


def set_bits(run, before, after, **yardsticks):
    (model,) = run.models.values()
    run.training = run.training.assign(validation_bits_per_byte=before)
    run.models = {
        model.name: type(model)(**vars(model) | {"validation_bits_per_byte": after, "test_bits_per_byte": after})
    }
    found = {"xz": 3.0, "xz_after_training": 2.4, "ngram": 2.0} | yardsticks
    tokenizer = next(iter(run.tokenizers.values()))
    sizes = {"read_bytes": 100, "training_bytes": 100, "held_out_bytes": tokenizer.utf8_bytes["test"]}
    run.yardsticks = {name: {"yardstick": name, "bits_per_byte": bits, **sizes} for name, bits in found.items()}


def test_learning_is_said_in_bits_beside_yardsticks(fresh):
    set_bits(fresh, before=7.9, after=1.9)
    said = words(summary.learning(fresh))
    assert said.startswith("**Yes.** The GPT-2 (137 thousand parameters, 120 training texts) needs **1.90 bits**")
    assert "it needed 7.90 before training and 1.90 after it" in said
    assert "xz needs 3.00, and 2.40 if it has read the training texts; an n-gram model" in said
    assert said.endswith("needs 2.00.")
    bars = [(bar.get_width(), name) for bar, name in zip(*bars_of(summary.learning_picture(fresh)), strict=True)]
    assert bars == [(7.9, "before training\n(validation texts)"), (3.0, "xz alone"), (2.4, "xz after training texts"),
                    (2.0, "n-gram model"), (1.9, "after training")]  # fmt: skip


def test_a_model_that_counts_and_needs_fewer_bits_is_named_beside_the_verdict(fresh):
    set_bits(fresh, before=7.9, after=2.1)
    said = words(summary.learning(fresh))
    assert said.startswith("**Yes, though a model that only counts needs fewer bits.** The GPT-2")
    assert said.endswith("needs 2.00, fewer than the GPT-2.")


def test_bits_that_are_too_low_are_not_left_beside_the_yardsticks_without_a_word(fresh):
    set_bits(fresh, before=7.9, after=1.9)
    assert "too low" not in words(summary.learning(fresh)) + words(training.models(fresh))
    fresh.tokenizers = {name: replace(one, changed={"test": 1}) for name, one in fresh.tokenizers.items()}
    assert words(summary.learning(fresh)).endswith(
        "needs 2.00. But the tokenizer of the GPT-2 loses or changes characters, which are not predicted (1 held-out "
        "text): its bits are too low, and can’t be compared with these."
    )
    assert "too low: characters are lost" in words(training.models(fresh))


def bars_of(picture):
    (axis,) = picture.axes
    return axis.patches, [label.get_text() for label in axis.get_yticklabels()]


def test_a_model_that_did_not_learn_and_a_yardstick_that_read_less_are_said(fresh):
    set_bits(fresh, before=7.9, after=8.0)
    for row in fresh.yardsticks.values():
        row |= {"read_bytes": 33_000_000, "training_bytes": 40_000_000}
    said = words(summary.learning(fresh))
    assert said.startswith("**No.**") and "the training texts (their last 33 MB)" in said
    assert said.endswith("needs 2.00, fewer than the GPT-2.")
    for row in fresh.yardsticks.values():
        row["held_out_bytes"] -= 1
    said = words(summary.learning(fresh))
    assert said.endswith("GPT-2. They were measured on 0 MB of the held-out texts, drawn at random.")


def copied(run, *shares):
    """Set the shares of copied runs of four words: of held-out texts, and of samples at 0.7 and 1."""
    names = {"model": "gpt2-tiny", "percent": 100, "begun_with": "nothing"}
    rows = [{"subset": "held_out", "metric": "copied_ngram_share", "units": 500, **bounds(shares[0])}]
    rows += [
        {
            "subset": "samples",
            "metric": "copied_ngram_share",
            "units": 500,
            "temperature": at,
            **names,
            **bounds(share),
            "p_value": None if share is None else 0.001 if abs(share - shares[0]) > 0.03 else 0.9,
        }
        for at, share in zip((0.7, 1.0), shares[1:], strict=True)
    ]
    run.sample_quality = pd.DataFrame(rows, columns=run.sample_quality.columns)


@pytest.mark.parametrize(
    ("text", "runs", "heading"),
    [
        ("The first paper, 論文 by name.", "runs of four words are", "Distinct words"),
        ("한국어는 띄어 씁니다.", "runs of four words are", "Known words"),
        ("ไม่สามารถเปิดแฟ้ม a b", "runs of four words (as a dictionary finds them, since the script has no", "Words"),
        ("これはカタカナの語です", "runs of four words (as a dictionary finds them", "Known words"),
        ("无法打开文件", "runs of four words (as a dictionary finds them", "Known words"),
        ("བོད་སྐད་དང་ཡི་གེ", "runs of four syllables are", "Known syllables"),
        ("ꦧꦱꦗꦮꦤꦶꦏꦸ", "runs of four pieces between blanks are", "Pieces between blanks"),
    ],
)
def test_runs_are_called_what_they_are_of(fresh, text, runs, heading):
    fresh.some_texts = [text]
    copied(fresh, 0.1, 0.2, 0.1)
    assert runs in words(copying.answer(fresh))
    assert heading in sample_quality.variety(fresh).markdown.split("\n")[0]
    unit = runs.split(" four ")[1].split(" (")[0].removesuffix(" are")
    assert f"Copied runs of four {unit}" in sample_quality.nearness(fresh).markdown.split("\n")[0]
    assert copying.chart(fresh).alternative_text.startswith(f"Runs of four {unit} that are also in the")


def bounds(share):
    return {"value": share, "low": share - 0.02, "high": share + 0.02} if share is not None else {"value": 0.5}


@pytest.mark.parametrize(
    ("shares", "answer", "found"),
    [
        ((0.1, 0.2, 0.1), "**Yes, at temperature 0.7: it repeats the", ["more than", "no clear difference"]),
        ((0.1, 0.2, 0.3), "**Yes, at temperature 0.7 and temperature 1: it", ["more than", "more than"]),
        (
            (0.1, 0.1, 0.04),
            "**As far as can be seen, it repeats the training texts no more",
            ["no clear difference", "less than"],
        ),
        (
            (0.1, None, 0.1),
            "**Too few samples or documents to say: 20 of each",
            ["too few samples", "no clear difference"],
        ),
    ],
)
def test_copying_is_said_at_each_temperature_beside_people(fresh, shares, answer, found):
    copied(fresh, *shares)
    said = words(copying.answer(fresh))
    assert said.startswith(answer) and "people wrote, 10 % (8 to 12 %) of the runs of four words are also in" in said
    lines = re.findall(r"- At temperature (0\.7|1): \d+ % ?(?:\([^)]*\))?, (.*)\.", said)
    assert [at for at, _ in lines] == ["0.7", "1"]
    assert all(line.startswith(expected) for (_, line), expected in zip(lines, found, strict=True))
    picture = copying.chart(fresh)
    assert "held-out texts: 10 % (8 to 12 %)" in picture.alternative_text.replace(NO_BREAK, " ")


def test_the_longest_copy_is_shown_beside_its_source(fresh):
    said = copying.answer(fresh).markdown
    samples = fresh.samples.set_index("id")
    own = {key: row for key, row in fresh.longest_copies.items() if key in set(begun_with_nothing(fresh.samples)["id"])}
    longest = max(own.values(), key=lambda row: row["copy_characters"])
    assert f"has {longest['copy_characters']}{NO_BREAK}characters" in said
    marked = re.findall("<mark>(.*?)</mark>", said)
    assert marked == [longest["passage"]] * 2
    assert samples.loc[longest["id"], "text"] in words(copying.answer(fresh))


def test_the_first_sample_of_each_temperature_is_shown(fresh):
    first = fresh.samples[fresh.samples["prompt_kind"] == "unprompted"].groupby("temperature").head(1)
    said = words(summary.writing(fresh))
    found = re.findall(r"At temperature (\S+):\n\n> (.*)", said)
    assert found == [(f"{row['temperature']:g}", row["text"]) for _, row in first.iterrows()]
    assert "not the best one" in said
    fresh.shown_samples = fresh.samples.assign(
        text=fresh.samples["text"].where(fresh.samples["temperature"] == 1, "\n")
    )
    assert "At temperature 0.7: *an empty text*\n\nAt temperature 1:\n\n> " in words(summary.writing(fresh))


@pytest.mark.parametrize(
    ("p_value", "said"),
    [
        (0.06, "Labels of samples and of texts: no difference found (Jensen–Shannon divergence 0.030; by chance up to"),
        (
            0.01,
            "Samples and texts have other shares of its labels, most of all of “good”: 0 % of the samples, 10 % of the",
        ),
    ],
)
def test_samples_are_compared_with_texts_in_words_first(two_labels, p_value, said):
    vars(two_labels)["divergences"] = pd.DataFrame([divergence(p_value=p_value)])
    assert said in words(summary.finding(two_labels))


def test_findings_are_in_words_and_followed_by_how_far_to_trust_them(two_labels):
    vars(two_labels)["group_tests"] = pd.DataFrame([{"classifier": "mood", "p_holm": 0.001}])
    said = words(summary.finding(two_labels))
    assert said.startswith(
        "- **“mood”** (what it was told). It gives “good” to 40 % of the texts of “letter” and to 10 % of those of "
        "“poem”."
    )
    # Its held-out texts are of fewer than 20 documents.
    assert re.search(r"\*Trust:\* Right on \d+ % of \d+ held-out texts by the labels of the corpus; ", said)
    picture = summary.finding_picture(two_labels)
    assert "letter: good 40 %, bad 60 %" in picture.alternative_text.replace(NO_BREAK, " ")
    vars(two_labels)["quality"] = two_labels.quality[:0]
    assert "is not known, since people did not label" in words(summary.finding(two_labels))


def test_the_picture_of_many_groups_has_the_largest_and_says_so(two_labels):
    shares, groups = two_labels.shares, [f"g{number}" for number in range(6)]
    of_one = shares[shares["group"] == "letter"]
    vars(two_labels)["shares"] = pd.concat([shares, *(of_one.assign(group=group) for group in groups)])
    vars(two_labels)["texts"] = two_labels.texts.assign(group=groups * 10)
    picture = summary.finding_picture(two_labels)
    assert picture.axes[0].get_xlabel().replace("\n", " ").endswith("; only the 4 largest of 6 groups are shown")
    assert sum(f"{group}: good" in picture.alternative_text for group in groups) == 4


def test_a_classifier_that_gave_only_samples_a_label_is_named(two_labels):
    vars(two_labels)["shares"] = two_labels.shares[two_labels.shares["subset"] == "samples"]
    assert words(summary.finding(two_labels)).startswith("- “mood” gave no text a label.")
    assert summary.finding_picture(two_labels) is None


def test_a_classifier_outside_its_languages_says_so_on_the_first_screen(fresh):
    row = {"classifier": "source", "check": "other_language", "texts": 90, "of": 100}
    fresh.fitness = pd.DataFrame([row])
    card = fresh.cards["source"]
    fresh.cards = fresh.cards | {"source": type(card)(**vars(card) | {"languages": ("cs", "sk")})}
    first, second, _, about_samples = words(summary.finding(fresh)).splitlines()
    assert "not made for" not in first
    assert (
        "“source” was not made for all of these texts**: 90 % of 100 texts are in another language than cs and sk"
        in second
    )
    assert "No person has labelled samples for “sentiment” and “source”, so how often" in about_samples


def test_nothing_of_an_unpublished_corpus_is_on_the_first_screen(tmp_path):
    texts = sentences(60)
    run = Run(make_run(tmp_path / "secret", texts=texts, sample_texts=texts, publish_texts=False))
    said = words(summary.writing(run)) + words(copying.answer(run))
    assert "are not published" in said and "not shown, since" in said and "characters" in said
    assert not any(text.split()[0] + " " + text.split()[1] in said for text in texts)


def test_several_models_are_named(tmp_path):
    run = Run(make_run(tmp_path / "two", texts=sentences(60), models=("b-model", "a-model"), labels={}))
    said = words(summary.learning(run))
    assert said.startswith("**Yes") and "Of 2 models the best on the validation texts is “b-model”: it (" in said
    assert bars_of(summary.learning_picture(run))[1][-2:] == ["b-model", "a-model"]
    assert "At temperature 0.7 of “a-model”:" in words(summary.writing(run))
    assert "At temperature 0.7 of “a-model”: " in words(copying.answer(run))


def test_where_nobody_was_asked_nothing_is_said_of_classifiers_that_are_compared(fresh):
    fresh.rater_quality = fresh.rater_quality[:0]
    assert raters.opening(fresh) is None
    assert raters.every_number(fresh) is None


def test_where_only_raters_were_asked_their_answer_is_what_is_known(fresh):
    fresh.quality = fresh.quality[:0]
    assert agreement.opening(fresh).markdown == agreement.NONE_COMPARABLE
    assert "is not known" in words(summary.finding(fresh))
    row = {"question": "source", "subset": "texts", "rows": 50, "value": 0.8, "low": 0.7, "high": 0.9}
    rows = [row | {"metric": metric} for metric in ("accuracy", "drawn")]
    fresh.rater_quality = pd.DataFrame(rows).reindex(columns=fresh.rater_quality.columns)
    fresh.cards = {"source": fresh.cards["source"]}
    assert agreement.opening(fresh).markdown == agreement.ONLY_RATERS
    said = words(summary.finding(fresh))
    assert (
        "*Trust:* By 50 drawn texts that people labelled it is right on 80 %" in said
        and "right here is not known" not in said
    )
    assert "No person has labelled samples for “source”, so how often" in said
    fresh.rater_quality = pd.concat([fresh.rater_quality, fresh.rater_quality.assign(subset="samples")])
    assert "No person has labelled samples" not in words(summary.finding(fresh))
