"""Write a model's folder as the training stage does, with random weights and a tokenizer of its own."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from samizdat.models.make_tokenizer import TokenizerSettings, make_tokenizer
from samizdat.records.io import write_document
from samizdat.records.models import ModelSummary
from support.small_corpus import write_texts


def make_model(texts: Sequence[str], folder: Path, model: str = "model") -> Path:
    """Write `texts.parquet` and the model's folder, with a checkpoint at 50 percent; return the folder of both."""
    corpus = write_texts(texts, folder / "texts.parquet", held_out=4)
    make_tokenizer(TokenizerSettings("own", "train", 300, None, None), corpus, None, folder / model)
    torch.manual_seed(1)
    config = GPT2Config(vocab_size=300, n_positions=32, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
    for where in (folder / model / "steps" / "50", folder / model):
        GPT2LMHeadModel(config).save_pretrained(where)
    write_summary(folder / model)
    return folder


def write_run_of_a_model(folder: Path, sampling: Mapping[str, object]) -> Path:
    """Write the files of a run that `samizdat sample` reads, of one model `m`; return the folder."""
    make_model([f"letter {number}: ein schöner Tag 🐻" for number in range(12)], folder, "models/m")
    config = {"seed": 2014, "threads": 1, "device": "cpu", "models": [{"name": "m", "seeds": 2}], "sampling": sampling}
    config["training"] = {"seeds": 1}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def write_summary(model: Path) -> None:
    """Write the summary of a model with a checkpoint at 50 percent into its folder."""
    summary = ModelSummary(
        name="m", tokenizer="own", start="scratch", parameters=1, device_kind="cpu", compute_dtype="float32",
        compiled=False, micro_batch_sequences=2, processes=1,
        recipe={}, steps_planned=20, steps_done=20, best_step=16, tokens_seen=1, validation_loss=1.0,
        validation_perplexity=1.0, validation_bits_per_byte=1.0,
        test_loss=1.0, test_perplexity=1.0, test_bits_per_byte=1.0,
        checkpoints={"50": 10, "100": 16}, weights_sha256="",
    )  # fmt: skip
    write_document(summary, model / "summary.json")
