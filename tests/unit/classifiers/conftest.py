"""What the tests of fine-tuning share."""

import pytest

from samizdat.classifiers.loop import FinetuningSettings
from support.small_classifier import make_encoder
from support.small_corpus import write_texts
from support.small_finetuning import sentences


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return FinetuningSettings(
        checkpoint=str(make_encoder(tmp_path_factory.mktemp("encoder"))), revision=None, max_training_texts=150,
        selection_share=0.2, epochs=6.0, min_steps=1, batch_rows=8, learning_rate=0.003, warmup_share=0.1,
        weight_decay=0.01, dropout=0.0, class_weights=True, evaluations=4, patience=None, precision="float32",
    )  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    texts, labels = sentences(240)
    return write_texts(texts, tmp_path_factory.mktemp("corpus") / "texts.parquet", held_out=60, mood=labels)
