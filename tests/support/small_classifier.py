"""Write checkpoints of real architectures that are small enough to make and run in a moment."""

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    BertModel,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
)

from samizdat.base.files import sha256_of, write_text
from samizdat.records.classifiers import ClassifierCard
from samizdat.records.io import write_document

WORDS = [
    "the", "old", "model", "reads", "letters", "and", "writes", "new", "poems", "about", "rain", "houses", "winters",
    "good", "bad", "fine", "poor", "bright", "dark",
]  # fmt: skip
LABELS = ("bad", "fine", "good")


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Make a WordPiece tokenizer of `WORDS` and single ASCII characters, with BERT's special tokens."""
    letters = [chr(code) for code in range(33, 127)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *letters, *("##" + letter for letter in letters)]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]",
    )  # fmt: skip


def _config(tokenizer: PreTrainedTokenizerFast, model_type: str = "bert", **labels: dict) -> PreTrainedConfig:
    shape = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}
    sizes = {"vocab_size": len(tokenizer), "max_position_embeddings": 128, "pad_token_id": 0}
    return AutoConfig.for_model(model_type, **shape, **sizes, **labels)


def make_encoder(folder: Path) -> Path:
    """Write an encoder with random weights, to fine-tune."""
    tokenizer = make_tokenizer()
    torch.manual_seed(1)
    BertModel(_config(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_classifier(
    folder: Path, *, seed: int = 1, seen: Sequence[str] = (), name: str = "mood", model_type: str = "bert",
    labels: tuple[str, ...] = LABELS,
) -> Path:  # fmt: skip
    """Write a classifier's folder as the earlier steps do, with random weights so large that its answers are clear."""
    tokenizer = make_tokenizer()
    torch.manual_seed(seed)
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: place for place, label in enumerate(labels)}}
    model = AutoModelForSequenceClassification.from_config(_config(tokenizer, model_type, **names))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(6)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_text(folder / "seen_texts.txt", "".join(f"{key}\n" for key in seen))
    card = ClassifierCard(
        name=name, predicts="the mood", made_for="tests", reference="nowhere", label_column=None, label_map={},
        kind="single_label", threshold=0.5, label_separator=None,
        languages=(), min_words=None, max_words=None, origin="random", checkpoint_labels=list(labels),
        labels=list(labels), max_length_tokens=24,
        training_texts=len(seen), selection_texts=0, unlearned={}, unselected={}, hypotheses=[], entailment=[],
        model_type=model_type,
        weights_sha256=sha256_of(folder / "model.safetensors"),
    )  # fmt: skip
    write_document(card, folder / "card.json")
    return folder
