"""Every architecture of transformers is imported, scored and fine-tuned: a text's score depends on the text alone."""

import json
import re

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertForSequenceClassification

from samizdat.base.errors import UserError
from samizdat.checkpoints.reading import Padding
from samizdat.classifiers import scoring_model
from samizdat.classifiers.import_classifier import import_classifier
from support.architectures import ARCHITECTURES, LONGEST, make_classifier, make_encoder
from support.small_classifier import LABELS
from support.small_finetuning import DESCRIPTION
from support.small_finetuning import run as finetune
from support.small_scoring import probabilities, rows, run, sentences


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Import a classifier of an architecture, once."""
    done = {}

    def of(name):
        if name not in done:
            folder = tmp_path_factory.mktemp("imported")
            import_classifier(
                DESCRIPTION, str(make_classifier(name, folder / "source")), None, (), {}, None, LONGEST, folder / "out",
                folder / "work",
            )  # fmt: skip
            done[name] = folder
        return done[name]

    return of


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_scores_are_those_of_transformers_and_the_same_bits_alone_and_in_company(name, imported, tmp_path):
    folder = imported(name)
    texts = [*sentences(30, longest=12), " ".join(sentences(12, seed=5))]
    changes = {"max_length_tokens": LONGEST, "window_overlap_tokens": 8, "batch_tokens": 256}
    _, path = run(folder / "out", texts, tmp_path / "all", **changes)
    scored = rows(path)
    assert np.ptp([row["probabilities"] for row in scored], axis=0).max() > 0.02 and scored[-1]["windows"] > 1
    # The checkpoint as it was published, text by text, and what its tokenizer says is what it reads.
    tokenizer = AutoTokenizer.from_pretrained(folder / "source")
    model = AutoModelForSequenceClassification.from_pretrained(folder / "source").eval()
    with torch.no_grad():
        whole = [(text, row) for text, row in zip(texts, scored, strict=True) if row["windows"] == 1]
        assert len(whole) > 15
        for text, row in whole:
            expected = model(**tokenizer(text, return_tensors="pt")).logits.softmax(dim=1)[0].numpy()
            np.testing.assert_allclose(row["probabilities"], expected, atol=1e-4)
            assert row["label"] == LABELS[expected.argmax()]
    for text in (texts[0], texts[7], texts[-1]):
        _, single = run(folder / "out", [text], tmp_path / "alone", **changes)
        ((key, bits),) = probabilities(single).items()
        assert probabilities(path)[key] == bits


def refusal(folder, name="BERT", longest=LONGEST):
    """Import a classifier that is refused; return what is said."""
    source = make_classifier(name, folder / "source")
    with pytest.raises(UserError) as error:
        import_classifier(DESCRIPTION, str(source), None, (), {}, None, longest, folder / "out", folder / "work")
    assert not list(folder.glob("out/*")) and "What to do:" in str(error.value)
    return str(error.value)


def test_padding_on_the_wrong_side_is_refused_with_both_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(scoring_model, "padding_of", lambda config: Padding(config.pad_token_id, left=False))
    said = re.search(
        r"a text of (\d+) tokens for 'bad' the score (\S+) from transformers and (\S+) from this program",
        refusal(tmp_path, "XLNet"),
    )
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "source").eval()
    inputs = AutoTokenizer.from_pretrained(tmp_path / "source")("Rain.", return_tensors="pt")
    assert inputs["input_ids"].numel() == int(said[1])
    assert model(**inputs).logits[0, 0].item() == pytest.approx(float(said[2]), abs=1e-4)
    assert abs(float(said[2]) - float(said[3])) > 1e-3


def test_a_score_that_depends_on_company_is_refused_with_both_numbers(tmp_path, monkeypatch):
    plain = BertForSequenceClassification.forward

    def forward(self, **inputs):
        output = plain(self, **inputs)
        if "position_ids" in inputs:  # in a packed row
            output.logits = output.logits + 0.25 * inputs["input_ids"].count_nonzero()
        return output

    monkeypatch.setattr(BertForSequenceClassification, "forward", forward)
    found = re.search(r"the score (\S+) alone and (\S+) next to other texts", refusal(tmp_path))
    assert float(found[2]) - float(found[1]) > 0.2


def test_a_model_that_cant_read_batches_is_refused(tmp_path, monkeypatch):
    def forward(self, **inputs):
        raise ValueError("no batches, please")

    monkeypatch.setattr(BertForSequenceClassification, "forward", forward)
    assert "can't score texts in batches: no batches, please" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["BERT", "DistilBERT", "RoBERTa", "MPNet", "BART", "GPT-2", "Llama"])
def test_windows_are_never_longer_than_what_a_model_reads(name, tmp_path):
    assert f"reads at most {LONGEST} tokens" in refusal(tmp_path, name, LONGEST + 1)


def test_an_encoder_that_reads_less_than_a_training_text_is_refused(settings, corpus, tmp_path):
    encoder = make_encoder("DistilBERT", tmp_path / "encoder", max_position_embeddings=31)
    with pytest.raises(UserError, match="reads at most 31 tokens, and max_length_tokens is 32"):
        finetune(settings, corpus, tmp_path, checkpoint=str(encoder))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_is_fine_tuned(name, settings, corpus, tmp_path):
    encoder = make_encoder(name, tmp_path / "encoder")
    said, out = finetune(
        settings, corpus, tmp_path, checkpoint=str(encoder), max_training_texts=40, epochs=1.0, dropout=0.1
    )
    assert said.startswith("2 labels learned from")
    config = json.loads((out / "config.json").read_text())
    shares = {key: value for key, value in config.items() if ("dropout" in key or "pdrop" in key) and value is not None}
    assert {value for value in shares.values() if not isinstance(value, bool)} == {0.1}
    _, path = run(out, sentences(4), tmp_path / "scored")
    assert {row["label"] for row in rows(path)} <= {"bad", "good"}
