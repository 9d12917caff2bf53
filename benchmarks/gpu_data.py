"""Make the data of the GPU benchmark: texts of made-up words, and full-size checkpoints with random weights."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import torch
from random_heads import logits_of, spread
from tokenizers import processors
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
)

from samizdat.base.files import sha256_of, write_text
from samizdat.checkpoints.encoding import load_tokenizer
from samizdat.models.make_tokenizer import TokenizerSettings, make_tokenizer
from samizdat.records.classifiers import ClassifierCard
from samizdat.records.corpus import LABEL_PREFIX, TEXTS
from samizdat.records.io import write_document, write_table

LABELS = ("negative", "neutral", "positive")
GPT2_VOCABULARY = 50257
# Frequent letters first, so that a tokenizer finds pieces as in real words.
LETTERS = list("etaoinshrdlucmfwypvbgkjqxz")


def write_corpus(path: Path, number: int, seed: int = 1) -> Path:
    """Write texts of 3 to 40 words, frequent as in a language, labelled by their words.

    A twentieth of the texts is the validation split, and a twentieth the test split.

    Args:
        path: the table to write, in the format of the corpus stage.
        number: number of texts.
        seed: random seed of words and texts.
    """
    random = np.random.default_rng(seed)
    words = np.array(["".join(random.choice(LETTERS, random.integers(2, 10))) for _ in range(60_000)])
    tone = random.normal(size=len(words))
    texts, labels = [], []
    for index in range(number):
        chosen = random.zipf(1.15, random.integers(3, 41)) % len(words)
        texts.append(f"{' '.join(words[chosen])} {index}")
        labels.append(LABELS[int(np.digitize(tone[chosen].mean(), (-0.25, 0.25)))])
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    held_out = max(1, number // 20)
    frame = pd.DataFrame(
        {
            "id": [each[:16] for each in hashes],
            "text": texts,
            "document": hashes,
            "group": None,
            "split": ["train"] * (number - 2 * held_out) + ["validation"] * held_out + ["test"] * held_out,
            "sha256": hashes,
            "ratings": None,
            "raters": None,
            f"{LABEL_PREFIX}tone": labels,
        }
    )
    write_table(frame, TEXTS, path)
    return path


def write_tokenizer(folder: Path, corpus: Path, vocabulary: int) -> Path:
    """Run our tokenizer stage; return its folder with the corpus's tokens."""
    make_tokenizer(TokenizerSettings("own", "train", vocabulary, None, None), corpus, None, folder)
    return folder


def write_gpt2(folder: Path, tokenizer: Path, **shape: int) -> Path:
    """Write a GPT-2 with random weights, whose training can be continued; by default 124 million weights."""
    found = load_tokenizer(tokenizer)
    torch.manual_seed(1)
    boundary = found.eos_token_id
    config = GPT2Config(**{"vocab_size": len(found)} | shape, bos_token_id=boundary, eos_token_id=boundary)
    GPT2LMHeadModel(config).save_pretrained(folder)
    found.save_pretrained(folder)
    return folder


def write_encoder(folder: Path, tokenizer: Path, **shape: int) -> Path:
    """Write an encoder of MiniLM's shape (six layers of width 384) with random weights, to fine-tune."""
    own = classifiers_tokenizer(tokenizer)
    minilm = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
    torch.manual_seed(1)
    config = AutoConfig.for_model("bert", **minilm | shape, vocab_size=len(own), pad_token_id=own.pad_token_id)
    AutoModel.from_config(config).save_pretrained(folder)
    own.save_pretrained(folder)
    return folder


def write_classifier(folder: Path, tokenizer: Path, corpus: Path, **shape: int) -> Path:
    """Write an XLM-RoBERTa-base with random weights and all 250,002 embeddings, as the import stage does.

    Its head is scaled (`random_heads.py`).
    """
    own = classifiers_tokenizer(tokenizer)
    torch.manual_seed(1)
    config = AutoConfig.for_model(
        "xlm-roberta", **{"vocab_size": 250_002, "max_position_embeddings": 514} | shape, type_vocab_size=1,
        pad_token_id=own.pad_token_id, id2label=dict(enumerate(LABELS)),
        label2id={label: number for number, label in enumerate(LABELS)},
    )  # fmt: skip
    model = AutoModelForSequenceClassification.from_config(config).eval()
    texts = pq.read_table(corpus)["text"].to_pylist()[:64]
    spread(model.classifier.out_proj, logits_of(model, own, texts))
    model.save_pretrained(folder)
    own.save_pretrained(folder)
    write_text(folder / "seen_texts.txt", "")
    card = ClassifierCard(
        name="random", predicts="nothing", made_for="measuring", reference="none", label_column=None, label_map={},
        kind="single_label", threshold=0.5, label_separator=None,
        languages=(), min_words=None, max_words=None, origin="random", checkpoint_labels=list(LABELS),
        labels=list(LABELS), max_length_tokens=128,
        training_texts=0, selection_texts=0, unlearned={}, unselected={}, hypotheses=[], entailment=[],
        model_type="xlm-roberta",
        weights_sha256=sha256_of(folder / "model.safetensors"),
    )  # fmt: skip
    write_document(card, folder / "card.json")
    return folder


def classifiers_tokenizer(tokenizer: Path) -> PreTrainedTokenizerFast:
    """Load the corpus's tokenizer and add the special tokens that an encoder needs around a text."""
    made = load_tokenizer(tokenizer)
    made.add_special_tokens({"cls_token": "<s>", "sep_token": "</s>"})
    made.pad_token = made.eos_token  # number 0: RoBERTa counts positions from the number of the padding token
    made.backend_tokenizer.post_processor = processors.BertProcessing(
        (made.sep_token, made.sep_token_id), (made.cls_token, made.cls_token_id)
    )
    return made
