"""Few-shot classifiers: scores are those of transformers with all examples read before each text, and calibrated."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from samizdat.base.errors import UserError
from samizdat.classifiers import few_shot, shared_prefix
from samizdat.classifiers.measure_examples import measure_examples
from samizdat.classifiers.prepare_few_shot import prepare_few_shot
from samizdat.classifiers.shared_prefix import SharedPrefixModel
from samizdat.classifiers.shown_examples import draw_in_turn
from samizdat.records.classifiers import ACCURACY_BY_EXAMPLES, ClassifierCard, ShownExamples
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_document, read_table
from support.hub_fixtures import DESCRIPTION, SENTENCES, save, small_classifier, write_gpt2
from support.small_corpus import write_texts
from support.small_scoring import SETTINGS, probabilities, rows, run, sentences

TEMPLATE = "Text: {}\nMood: {}"
MOODS = ("bad", "good", "so so")
WORDS = {"bad": "bad", "good": "very good", "so so": "so so"}


def write_llama(folder):
    """Write a Llama with the tokenizer of the small GPT-2, and fewer heads of keys than of queries."""
    write_gpt2(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    torch.manual_seed(3)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    config = LlamaConfig(
        **shape, intermediate_size=48, initializer_range=0.1, vocab_size=len(tokenizer), max_position_embeddings=512
    )
    save(LlamaForCausalLM(config), folder)
    return folder


def corpus(folder, number=60, held_out=1, moods=MOODS):
    texts = [f"{SENTENCES[row % len(SENTENCES)]} {row}" for row in range(number)]
    labels = [moods[row % len(moods)] for row in range(number)]
    return write_texts(texts, folder / "corpus.parquet", held_out=held_out, mood=labels)


def prepared(folder, source=None, *, texts=None, examples=4, length=48, template=TEMPLATE, seed=1, names=WORDS):
    """Prepare a few-shot classifier of a small model; return its folder."""
    source = source or write_gpt2(folder / "source", 512)
    prepare_few_shot(
        replace(DESCRIPTION, label_column="mood"), str(source), None, names, template, examples, length,
        texts or corpus(folder), folder / "out", folder / "work", seed,
    )  # fmt: skip
    return folder / "out"


def by_hand(folder, text):
    """Compute the calibrated probabilities of a text by transformers, with everything in one call for each word."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    card = read_document(ClassifierCard, folder / "card.json")
    shown = read_document(ShownExamples, folder / "examples.json")
    examples = "".join(f"Text: {one}\nMood: {word}\n\n" for one, word in zip(shown.texts, shown.words, strict=True))

    def probabilities(text):
        found = []
        for word in card.words:
            parts = [tokenizer(part)["input_ids"] for part in (examples + "Text:", " " + text, "\nMood:", " " + word)]
            # The Llama's tokenizer has no token for the beginning.
            begin = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
            tokens = torch.tensor([[*begin, *(token for part in parts for token in part)]])
            with torch.inference_mode():
                said = model(tokens).logits[0, :-1].log_softmax(dim=-1)
            found.append(sum(float(said[-place, tokens[0, -place]]) for place in range(1, len(parts[-1]) + 1)))
        return np.exp(found) / np.exp(found).sum()

    prior = np.mean([probabilities(text) for text in ("N/A", "[MASK]", "")], axis=0)
    calibrated = probabilities(text) / prior
    return calibrated / calibrated.sum()


@pytest.mark.parametrize("write", [write_gpt2, write_llama])
def test_scores_are_those_of_the_whole_prompt_calibrated(write, tmp_path):
    out = prepared(tmp_path, write(tmp_path / "source") if write is write_llama else None)
    assert all(len(AutoTokenizer.from_pretrained(out)(" " + word)["input_ids"]) > 1 for word in WORDS.values())
    scored = rows(run(out, SENTENCES[:5], tmp_path / "scores", max_length_tokens=48)[1])
    expected = np.array([by_hand(out, text) for text in SENTENCES[:5]])
    assert np.ptp(expected, axis=0).max() > 0.01
    np.testing.assert_allclose([row["probabilities"] for row in scored], expected, atol=2e-5)
    assert [row["label"] for row in scored] == [MOODS[place] for place in expected.argmax(axis=1)]


def test_a_score_depends_on_its_text_alone_and_a_long_text_is_read_in_windows(tmp_path):
    out = prepared(tmp_path)
    texts = [*SENTENCES, " ".join(SENTENCES), ""]
    together = rows(run(out, texts, tmp_path / "all", threads=2, max_length_tokens=48)[1])
    assert together[-2]["windows"] > 2 and together[-1]["windows"] == 0 and together[-1]["label"] is None
    for place in (0, -2):
        (alone,) = rows(run(out, [texts[place]], tmp_path / f"alone{place}", max_length_tokens=48)[1])
        assert alone["probabilities"] == together[place]["probabilities"]
        assert sum(alone["probabilities"]) == pytest.approx(1, abs=1e-6)


def test_windows_of_a_text_are_weighted_by_its_own_tokens(tmp_path):
    out = prepared(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(out)
    known = [one for one in " ".join(SENTENCES).split() if len(tokenizer(" " + one)["input_ids"]) == 1]
    words = [known[place % len(known)] for place in range(60)]
    texts = [" ".join(words), " ".join(words[:48]), " ".join(words[48:])]
    scored = rows(run(out, texts, tmp_path / "scores", max_length_tokens=48, window_overlap_tokens=0)[1])
    assert [row["windows"] for row in scored] == [2, 1, 1]
    whole, *parts = np.array([row["probabilities"] for row in scored])
    assert np.abs(parts[0] - parts[1]).max() > 0.001
    np.testing.assert_allclose(whole, np.average(parts, axis=0, weights=[48, 12]), atol=1e-6)


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_a_score_has_the_same_bits_among_any_other_texts(tmp_path, monkeypatch, kind):
    out = prepared(tmp_path)
    texts = sentences(90, longest=24)
    plain = probabilities(run(out, texts, tmp_path / "plain", max_length_tokens=48)[1])
    monkeypatch.setitem(shared_prefix.TEXTS_OF_ONE_LENGTH, "cpu", shared_prefix.TEXTS_OF_ONE_LENGTH[kind])
    together = probabilities(run(out, texts, tmp_path / "all", max_length_tokens=48, batch_tokens=256)[1])
    for number in range(4):
        some = texts[number :: 7 + 9 * number]
        alone = probabilities(run(out, some, tmp_path / f"{number}", max_length_tokens=48, batch_tokens=256)[1])
        assert alone == {key: together[key] for key in alone} and len(alone) == len(some)
    for key, bits in plain.items():
        np.testing.assert_allclose(np.frombuffer(bits, "<f4"), np.frombuffer(together[key], "<f4"), atol=1e-5)


def test_the_examples_are_read_once(tmp_path, monkeypatch):
    out = prepared(tmp_path)
    computed = []
    compute = SharedPrefixModel._compute
    monkeypatch.setattr(
        SharedPrefixModel,
        "_compute",
        lambda model, batch: computed.append(sum(len(one.tokens) for one in batch.windows)) or compute(model, batch),
    )
    run(out, SENTENCES, tmp_path / "scores", max_length_tokens=48)
    tokenizer = AutoTokenizer.from_pretrained(out)
    own = sum(len(tokenizer(" " + text)["input_ids"]) for text in (*SENTENCES, *few_shot.CONTENT_FREE))
    beside = len(tokenizer("\nMood:")["input_ids"]) + sum(
        len(tokenizer(" " + word)["input_ids"]) - 1 for word in WORDS.values()
    )
    assert sum(computed) <= own + (len(SENTENCES) + 3) * beside + 200  # some texts have a second window


def test_examples_are_balanced_drawn_by_the_seed_and_counted_as_seen(tmp_path):
    texts = corpus(tmp_path)
    shown = {}
    for examples, seed in ((6, 1), (4, 1), (6, 2)):
        out = prepared(tmp_path / f"{examples}-{seed}", texts=texts, examples=examples, seed=seed)
        shown[examples, seed] = read_document(ShownExamples, out / "examples.json")
    six, four, other = shown.values()
    assert [sorted(six.words[:3]), sorted(six.words[3:])] == [sorted(WORDS.values())] * 2
    assert (four.texts, four.words) == (six.texts[:4], six.words[:4]) and other.texts != six.texts
    many = draw_in_turn(read_table(texts, TEXTS), "mood", 30, 1).texts["label"].tolist()
    turns = {tuple(many[start : start + 3]) for start in range(0, 30, 3)}
    assert len(turns) > 2 and all(sorted(turn) == list(MOODS) for turn in turns)
    card = read_document(ClassifierCard, out / "card.json")
    assert (card.training_texts, card.words, card.labels) == (6, list(WORDS.values()), list(MOODS))
    _, scores = run(out, SENTENCES, tmp_path / "scores", max_length_tokens=48)
    seen = (out / "seen_texts.txt").read_text(encoding="utf-8").split()
    assert len(seen) == 6 and not any(row["seen_in_training"] for row in rows(scores))


def test_long_examples_and_rare_labels_are_told(tmp_path, capsys):
    texts = write_texts(
        [f"{SENTENCES[row % 12]} {row}" for row in range(40)], tmp_path / "rare.parquet",
        mood=["goood", *(["good", "bad"] * 20)[:39]],
    )  # fmt: skip
    out = prepared(tmp_path, texts=texts, length=8, names={})
    said = capsys.readouterr().err
    assert "4 of 4 examples are cut at max_length_tokens" in said
    assert "not its labels, with fewer than 5 texts in the train split: 'goood' (1)" in said
    card = read_document(ClassifierCard, out / "card.json")
    assert card.labels == ["bad", "good"] and card.unlearned == {"goood": 1}
    tokenizer = AutoTokenizer.from_pretrained(out)
    for text in read_document(ShownExamples, out / "examples.json").texts:
        assert len(tokenizer(text)["input_ids"]) <= 8 and any(one.startswith(text) for one in SENTENCES)


def test_other_examples_are_new_scores(tmp_path):
    out = prepared(tmp_path)
    assert run(out, SENTENCES, tmp_path / "scores", max_length_tokens=48)[0] == "12 texts, 12 of them new"
    (tmp_path / "scores" / "texts.parquet").unlink()
    assert run(out, SENTENCES, tmp_path / "scores", max_length_tokens=48)[0] == "12 texts, 0 of them new"
    other = prepared(tmp_path / "other", tmp_path / "source", seed=2)
    (tmp_path / "scores" / "texts.parquet").unlink()
    assert run(other, SENTENCES, tmp_path / "scores", max_length_tokens=48)[0] == "12 texts, 12 of them new"


def test_accuracy_by_examples_is_that_of_the_scores(tmp_path):
    texts = corpus(tmp_path, number=90, held_out=30)
    out = prepared(tmp_path, texts=texts, examples=3)
    settings = replace(SETTINGS, max_length_tokens=48, batch_tokens=256)
    said = measure_examples(settings, 0.95, 200, out, texts, tmp_path / "accuracy.parquet", "cpu", threads=2, seed=1)
    assert said == "30 held-out texts after 0, 1, 2, 3 examples"
    frame = read_table(tmp_path / "accuracy.parquet", ACCURACY_BY_EXAMPLES)
    assert frame["examples"].tolist() == [0, 1, 2, 3] and set(frame["texts"]) == {30}
    assert ((frame["low"] <= frame["value"]) & (frame["value"] <= frame["high"]) & (frame["low"] < frame["high"])).all()
    held_out = [f"{SENTENCES[row % len(SENTENCES)]} {row}" for row in range(60, 90)]
    for examples in (0, 3):
        other = prepared(tmp_path / str(examples), tmp_path / "source", texts=texts, examples=examples)
        scored = rows(run(other, held_out, tmp_path / f"s{examples}", max_length_tokens=48, batch_tokens=256)[1])
        right = np.mean([row["label"] == MOODS[place % 3] for place, row in enumerate(scored)])
        assert frame.set_index("examples")["value"][examples] == pytest.approx(right)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"examples": 40}, ["reads at most 512 tokens, and 40 examples", "lower `examples`", "'tested'"]),
        ({"examples": 90}, ["90 examples are asked for", "the train split has 59 texts"]),
        (
            {"names": {"sad": "bad"}},
            ["`label_names` of the classifier 'tested' names ['sad']", "['bad', 'good', 'so so']"],
        ),
        ({"names": {"bad": "good"}}, ["have one word: ['good', 'good', 'so so']"]),
    ],
)
def test_what_can_not_be_shown_is_refused(changes, words, tmp_path):
    with pytest.raises(UserError) as error:
        prepared(tmp_path, **changes)
    for part in ["What to do:", *words]:
        assert part in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_classifier_is_no_language_model(tmp_path):
    with pytest.raises(UserError, match=r"is no causal language model: it has no weights for(?s:.)*What to do"):
        prepared(tmp_path, small_classifier(tmp_path, model_type="xlm-roberta"))


def test_a_template_that_can_not_be_read_without_examples_is_refused_before_they_are_measured(tmp_path):
    """The Llama's tokenizer has no token for the beginning, so nothing would be before the first text."""
    with pytest.raises(UserError, match=r"`template` begins with the text(?s:.)*“Text: \{\}”"):
        prepared(tmp_path, write_llama(tmp_path / "source"), template="{} Mood: {}")


def test_one_label_is_too_few(tmp_path):
    with pytest.raises(UserError, match=r"fewer than two values of the label 'mood' have 5 texts"):
        prepared(tmp_path, texts=corpus(tmp_path, moods=("good",)))
