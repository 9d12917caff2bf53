"""Zero-shot classifiers: scores are those of the pipeline of transformers, and each text is cut into tokens once."""

from dataclasses import replace

import numpy as np
import pytest
from transformers import pipeline

from samizdat.base.errors import UserError
from samizdat.classifiers import outputs, zero_shot
from samizdat.classifiers.import_classifier import import_classifier
from samizdat.records.classifiers import ClassifierCard
from samizdat.records.io import read_document
from support.hub_fixtures import DESCRIPTION, SENTENCES, write_classifier
from support.small_scoring import rows, run, sentences

NLI = ("contradiction", "neutral", "entailment")
LABELS, TEMPLATE = ("rain", "letters", "the old house"), "This text is about {}."


def imported(
    folder, kind="single_label", *, model_type="bert", outputs=NLI, labels=LABELS, template=TEMPLATE, **changes
):
    """Import a small model of inference as a zero-shot classifier; return the folder of the source and the imported."""
    source = write_classifier(folder / "source", outputs, model_type, **changes.pop("config", {}))
    changes = {"kind": kind, **changes}
    length = changes.pop("length", 64)
    import_classifier(
        replace(DESCRIPTION, **changes),
        str(source),
        None,
        labels,
        {},
        template,
        length,
        folder / "out",
        folder / "work",
    )
    return source, folder / "out"


@pytest.mark.parametrize("kind", ["single_label", "multi_label"])
@pytest.mark.parametrize(
    ("model_type", "outputs"), [("bert", NLI), ("xlm-roberta", ("entailment", "neutral", "contradiction"))]
)
def test_scores_are_those_of_the_pipeline(model_type, outputs, kind, tmp_path):
    source, out = imported(tmp_path, kind, model_type=model_type, outputs=outputs)
    scored = rows(run(out, SENTENCES, tmp_path / "scores", max_length_tokens=64)[1])
    ask = pipeline("zero-shot-classification", model=str(source), device="cpu")
    expected = ask(SENTENCES, list(LABELS), hypothesis_template=TEMPLATE, multi_label=kind == "multi_label")
    given = [dict(zip(one["labels"], one["scores"], strict=True)) for one in expected]
    given = np.array([[one[label] for label in LABELS] for one in given])
    assert np.ptp(given, axis=0).min() > 0.01
    np.testing.assert_allclose([row["probabilities"] for row in scored], given, atol=1e-5)
    if kind == "single_label":
        assert [row["label"] for row in scored] == [LABELS[place] for place in given.argmax(axis=1)]
    else:
        assert [row["labels"] for row in scored] == [
            [one for one, score in zip(LABELS, line, strict=True) if score >= 0.5] for line in given
        ]


def test_a_score_depends_on_its_text_alone_and_a_long_text_is_read_in_windows(tmp_path):
    _, out = imported(tmp_path)
    texts = [*SENTENCES, " ".join(SENTENCES), ""]
    together = rows(run(out, texts, tmp_path / "all", max_length_tokens=64)[1])
    assert [row["windows"] for row in together[:-2]] == [1] * len(SENTENCES) and together[-2]["windows"] > 2
    assert together[-1]["windows"] == 0 and together[-1]["label"] is None
    for place in (0, -2):
        (alone,) = rows(run(out, [texts[place]], tmp_path / f"alone{place}", max_length_tokens=64)[1])
        assert alone["probabilities"] == together[place]["probabilities"]
        assert sum(alone["probabilities"]) == pytest.approx(1, abs=1e-6)


def test_each_text_is_cut_into_tokens_once(tmp_path, monkeypatch):
    _, out = imported(tmp_path)
    cut = []
    backend = zero_shot.backend_of

    class Counting:
        def __init__(self, tokenizer):
            self.tokenizer = backend(tokenizer)

        def encode_batch(self, texts, **options):
            cut.extend(texts)
            return self.tokenizer.encode_batch(texts, **options)

    monkeypatch.setattr(zero_shot, "backend_of", Counting)
    run(out, SENTENCES, tmp_path / "scores", max_length_tokens=64)
    assert sorted(cut) == sorted([*SENTENCES, *(TEMPLATE.replace("{}", label) for label in LABELS)])


def test_a_close_call_between_two_statements_is_decided_in_float32(tmp_path, monkeypatch):
    _, out = imported(tmp_path)
    texts = [*sentences(60, longest=4), " ".join(SENTENCES)]

    def found(name: str, precision: str, steps: float = outputs.CLOSE_STEPS) -> np.ndarray:
        monkeypatch.setattr(outputs, "CLOSE_STEPS", steps)
        scored = rows(run(out, texts, tmp_path / name, max_length_tokens=64, precision=precision)[1])
        assert [row["windows"] > 1 for row in scored] == [False] * 60 + [True]
        return np.array([row["probabilities"] for row in scored], np.float32)

    exact, half, decided = found("exact", "float32"), found("half", "bfloat16", 0), found("decided", "bfloat16")
    np.testing.assert_array_equal(found("all", "bfloat16", np.inf), exact)
    assert (half != exact).any(axis=1).all()
    again = (decided != half).any(axis=1)
    assert 0.02 < again.mean() < 0.9
    # Weights drawn at random are noisier than learned ones: by how much differs from one processor to another.
    noise = np.ptp(np.log(half) - np.log(exact), axis=1) / 2**-7
    quiet = noise < outputs.CLOSE_STEPS / 2
    assert quiet.mean() > 0.3 and (decided.argmax(axis=1) == exact.argmax(axis=1))[quiet].all()
    # The difference of two logits is that of the logarithms of their probabilities; the last text has more windows.
    margin = np.diff(np.sort(np.log(half[:-1]))[:, -2:])[:, 0]
    assert margin[again[:-1]].max() < margin[~again[:-1]].max()
    # Among the labels that may be the likeliest, shares are those of float32; another may be as it was.
    near = np.log(half) > np.log(half).max(axis=1, keepdims=True) - 7.9 * 2**-7
    several = np.flatnonzero(near[:-1].sum(axis=1) > 1)
    assert len(several) and again[several].all()
    for text in several:
        one, other = decided[text, near[text]], exact[text, near[text]]
        np.testing.assert_allclose(one / one.sum(), other / other.sum(), rtol=1e-5)


def test_the_card_has_the_statements_and_other_statements_are_new_scores(tmp_path):
    _, out = imported(tmp_path, label_map={"rain": "weather", "the old house": "houses"})
    card = read_document(ClassifierCard, out / "card.json")
    assert card.hypotheses == [f"This text is about {label}." for label in LABELS] and card.entailment == [2, 0]
    assert (card.checkpoint_labels, card.labels) == (list(LABELS), ["weather", "letters", "houses"])
    said, _ = run(out, SENTENCES, tmp_path / "scores", max_length_tokens=64)
    assert said == "12 texts, 12 of them new"
    _, other = imported(tmp_path / "other", template="It is not about {}.")
    (tmp_path / "scores" / "texts.parquet").unlink()
    said, _ = run(other, SENTENCES, tmp_path / "scores", max_length_tokens=64)
    assert said == "12 texts, 12 of them new"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outputs": ("no", "yes")}, ["is no model of natural-language inference", "['no', 'yes']", "MNLI"]),
        ({"template": "This text is about " + "the old house " * 20 + "{}."}, ["'tested'", "shorten `template`"]),
        ({"config": {"id2label": dict(enumerate(NLI, 1))}}, ["its labels from 0", "[1, 2, 3]", "local copy"]),
        ({"label_map": {"snow": "weather"}}, ["`label_map`", "['snow']"]),
        ({"kind": "multi_label", "threshold": {"rain": 0.4}}, ["`threshold`", "letters"]),
    ],
)
def test_what_can_not_be_asked_is_refused(changes, words, tmp_path):
    with pytest.raises(UserError) as error:
        imported(tmp_path, **changes)
    for part in ["What to do:", *words]:
        assert part in str(error.value)
    assert not (tmp_path / "out").exists()


def test_outputs_are_found_by_their_names():
    class Config:
        def __init__(self, *labels):
            self.id2label = dict(enumerate(labels))

    assert zero_shot.entailment_outputs(Config("ENTAILMENT", "NEUTRAL", "CONTRADICTION"), "x") == [0, 2]
    assert zero_shot.entailment_outputs(Config("entailment", "not_entailment"), "x") == [0, 1]
    assert zero_shot.entailment_outputs(Config("neutral", "contradiction", "entailment"), "x") == [2, 1]
