"""The model before its first step: a checkpoint is continued as it is, or refused."""

import pytest

from samizdat.base.errors import UserError
from samizdat.models.make_tokenizer import TokenizerSettings, make_tokenizer
from samizdat.records.io import read_document
from samizdat.records.models import ModelSummary
from support.small_corpus import write_texts
from support.small_training import WORDS, log_of, run


def test_a_checkpoint_is_continued(trained, tokenizer, tmp_path):
    _, out = run(tokenizer, tmp_path, checkpoint=str(trained))
    summary = read_document(ModelSummary, out / "summary.json")
    best = read_document(ModelSummary, trained / "summary.json").validation_loss
    assert log_of(out)[0]["validation_loss"] == pytest.approx(best, abs=1e-5)
    assert summary.start == str(trained) and summary.validation_loss <= best


def test_a_checkpoint_of_another_vocabulary_is_refused(trained, tokenizer, tmp_path):
    texts = write_texts([*(" ".join(WORDS[number:]) for number in range(9)), "held out"], tmp_path / "t.parquet")
    make_tokenizer(TokenizerSettings("small", "train", 260, None, None), texts, None, tmp_path / "small")
    with pytest.raises(UserError, match=r"has 300 tokens in its vocabulary, the tokenizer 'small' has 260"):
        run(tmp_path / "small", tmp_path, checkpoint=str(trained))


def test_dropout_of_the_config_counts_for_a_checkpoint_too(trained, tokenizer, tmp_path):
    first = [
        log_of(run(tokenizer, tmp_path / str(dropout), checkpoint=str(trained), dropout=dropout)[1])[1]["train_loss"]
        for dropout in (0.0, 0.5)
    ]
    assert first[1] > first[0] + 0.05
