"""The model before its first step: a checkpoint is continued as it is, or refused."""

import json
import shutil

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

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


@pytest.mark.parametrize("tied", [True, False])
def test_rows_of_a_checkpoint_that_are_padding_are_cut_off(trained, tokenizer, tmp_path, capsys, tied):
    model = GPT2LMHeadModel.from_pretrained(trained, tie_word_embeddings=tied)
    if not tied:
        model.lm_head.weight.data = model.transformer.wte.weight.data.clone()
    model.resize_token_embeddings(320)
    model.save_pretrained(tmp_path / "padded")
    _, out = run(tokenizer, tmp_path, checkpoint=str(tmp_path / "padded"))
    best = read_document(ModelSummary, trained / "summary.json").validation_loss
    assert log_of(out)[0]["validation_loss"] == pytest.approx(best, abs=1e-5)
    assert GPT2LMHeadModel.from_pretrained(out).lm_head.weight.shape[0] == 300
    assert "has 320 rows of embeddings for the 300 tokens of 'own'; the last 20 are padding" in capsys.readouterr().err


def test_a_checkpoint_with_fewer_rows_than_tokens_is_refused(trained, tokenizer, tmp_path):
    model = GPT2LMHeadModel.from_pretrained(trained)
    model.resize_token_embeddings(296)
    model.save_pretrained(tmp_path / "cut")
    with pytest.raises(UserError, match=r"has 296 tokens .*has 300(.|\n)*call `model.resize_token_embeddings\(300\)`"):
        run(tokenizer, tmp_path, checkpoint=str(tmp_path / "cut"))


def test_a_checkpoint_of_another_vocabulary_is_refused(trained, tokenizer, tmp_path):
    texts = write_texts([*(" ".join(WORDS[number:]) for number in range(9)), "held out"], tmp_path / "t.parquet")
    make_tokenizer(TokenizerSettings("small", "train", 260, None, None), texts, None, tmp_path / "small")
    with pytest.raises(UserError, match=r"has 300 tokens in its vocabulary, the tokenizer 'small' has 260"):
        run(tmp_path / "small", tmp_path, checkpoint=str(trained))


@pytest.mark.parametrize("form", ["tokenizer.json", "vocab.json"])
def test_a_checkpoint_of_as_many_other_tokens_is_refused(trained, tokenizer, tmp_path, form):
    checkpoint = shutil.copytree(trained, tmp_path / "checkpoint")
    if form == "vocab.json":
        known = Tokenizer.from_file(str(checkpoint / "tokenizer.json")).get_vocab()
        (checkpoint / "tokenizer.json").unlink()
        (checkpoint / form).write_text(json.dumps(known), encoding="utf-8")
    texts = write_texts(
        [*(" ".join(WORDS[::-1][number:])[::-1] for number in range(9)), "held"], tmp_path / "t.parquet"
    )
    make_tokenizer(TokenizerSettings("other", "train", 300, None, None), texts, None, tmp_path / "other")
    with pytest.raises(UserError, match=r"has learned other tokens than those of 'other'(.|\n)*`source: checkpoint`"):
        run(tmp_path / "other", tmp_path, checkpoint=str(checkpoint))
    run(tokenizer, tmp_path / "same", checkpoint=str(checkpoint))


def test_dropout_of_the_config_counts_for_a_checkpoint_too(trained, tokenizer, tmp_path):
    first = [
        log_of(run(tokenizer, tmp_path / str(dropout), checkpoint=str(trained), dropout=dropout)[1])[1]["train_loss"]
        for dropout in (0.0, 0.5)
    ]
    assert first[1] > first[0] + 0.05


def test_a_checkpoint_that_lacks_weights_is_refused(trained, tokenizer, tmp_path):
    checkpoint = shutil.copytree(trained, tmp_path / "checkpoint")
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    (checkpoint / "config.json").write_text(json.dumps(config | {"n_layer": 2}), encoding="utf-8")
    with pytest.raises(UserError, match=r"is no GPT-2 of its config.json: it has no weights for transformer\.h\.1\."):
        run(tokenizer, tmp_path, checkpoint=str(checkpoint))


def test_a_checkpoint_of_another_end_or_with_attentions_is_continued(trained, tokenizer, tmp_path):
    checkpoint = shutil.copytree(trained, tmp_path / "checkpoint")
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    config |= {"bos_token_id": 50256, "eos_token_id": 50256, "output_attentions": True}
    (checkpoint / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (checkpoint / "generation_config.json").write_text(json.dumps({"eos_token_id": 50256}), encoding="utf-8")
    _, out = run(tokenizer, tmp_path, checkpoint=str(checkpoint))
    model, boundary = GPT2LMHeadModel.from_pretrained(out), AutoTokenizer.from_pretrained(out).eos_token_id
    ends = [(one.bos_token_id, one.eos_token_id) for one in (model.config, model.generation_config)]
    assert ends == [(boundary, boundary)] * 2


def test_a_checkpoint_whose_loss_is_no_number_is_refused(trained, tokenizer, tmp_path):
    model = GPT2LMHeadModel.from_pretrained(trained)
    model.transformer.wte.weight.data[5] = float("nan")
    model.save_pretrained(tmp_path / "damaged")
    with pytest.raises(UserError, match=r"is no number before the first step(?s:.*)name another checkpoint"):
        run(tokenizer, tmp_path, checkpoint=str(tmp_path / "damaged"))


def test_a_corpus_shorter_than_the_checkpoints_context_is_told_what_helps(trained, tokenizer, tmp_path):
    model = GPT2LMHeadModel(GPT2Config.from_pretrained(trained, n_positions=4096))
    model.save_pretrained(tmp_path / "long")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(trained / name, tmp_path / "long" / name)
    with pytest.raises(UserError, match=r"fewer than one row of 4096(?s:.*)set `checkpoint: null`"):
        run(tokenizer, tmp_path, checkpoint=str(tmp_path / "long"), context_tokens=4096, batch_tokens=4096)
