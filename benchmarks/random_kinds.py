"""Make classifiers of three kinds, few-shot, zero-shot and DeBERTa, of models with random weights and scaled heads."""

from pathlib import Path
from typing import Any

import torch
from random_heads import logits_of, spread
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DebertaV2Config,
    DebertaV2ForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from samizdat.classifiers.import_classifier import import_classifier
from samizdat.classifiers.prepare_few_shot import prepare_few_shot
from samizdat.records.classifiers import ClassifierDescription
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_table

TEMPLATE = "Text: {}\nSentiment: {}"
EXAMPLES = 8
ASKED = ("politics", "sport", "the weather", "a film", "a product", "something else")
STATEMENT = "This text is about {}."
NLI = ("entailment", "neutral", "contradiction")
# The standard deviation of a logit among the statements about a text: assumed, since no trained model of inference is
# at hand. A smaller one makes more close calls; how many there are is recorded.
NLI_DEVIATION = 2.0


def random_kinds(
    folder: Path, tokenizer: PreTrainedTokenizerFast, corpus: Path, column: str, labels: tuple[str, ...],
    layers: int | None,
) -> dict[str, str]:  # fmt: skip
    """Make the classifiers as the steps make them.

    Args:
        folder: to write into.
        tokenizer: of all models.
        corpus: whose texts scale the heads, and are the examples.
        column: the label column of the examples.
        labels: of the DeBERTa.
        layers: makes smaller models.

    Returns:
        the folders of `few-shot`, `zero-shot` and `deberta`, and of `inference`, the model behind `zero-shot`.
    """
    torch.manual_seed(1)

    def described(label_column: str | None) -> ClassifierDescription:
        return ClassifierDescription(
            "x", "single_label", 0.5, label_column, None, {}, "x", "x", "x", languages=(), min_words=None,
            max_words=None,
        )  # fmt: skip

    def saved(model: PreTrainedModel, name: str) -> str:
        model.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
        return str(folder / name)

    texts = read_table(corpus, TEXTS)["text"].tolist()[:64]
    size, padding = len(tokenizer), tokenizer.pad_token_id
    shape = {"n_layer": layers, "vocab_size": size} if layers else {"vocab_size": max(size, 50257)}
    gpt2 = saved(GPT2LMHeadModel(GPT2Config(**shape)), "gpt2")
    prepare_few_shot(
        described(column), gpt2, None, {}, TEMPLATE, EXAMPLES, 128, corpus, folder / "few-shot", folder / "work",
        seed=1,
    )  # fmt: skip
    judge = BertForSequenceClassification(
        BertConfig(
            vocab_size=size, hidden_size=384, num_hidden_layers=layers or 6, num_attention_heads=12,
            intermediate_size=1536, pad_token_id=padding, **_named(NLI),
        )
    )  # fmt: skip
    pairs = [[text for text in texts for _ in ASKED], [STATEMENT.format(label) for label in ASKED] * len(texts)]
    logits = logits_of(judge, tokenizer, *pairs).unflatten(0, (len(texts), len(ASKED)))
    spread(judge.classifier, logits, NLI_DEVIATION, lead=0)
    inference = saved(judge, "inference")
    import_classifier(
        described(column), inference, None, ASKED, {}, STATEMENT, 128, folder / "zero-shot", folder / "work"
    )
    small = DebertaV2ForSequenceClassification(
        DebertaV2Config(
            vocab_size=size, hidden_size=768, num_hidden_layers=layers or 6, num_attention_heads=12,
            intermediate_size=3072, relative_attention=True, position_buckets=256, norm_rel_ebd="layer_norm",
            share_att_key=True, pos_att_type=["p2c", "c2p"], position_biased_input=False, type_vocab_size=0,
            pad_token_id=padding, **_named(labels),
        )
    )  # fmt: skip
    spread(small.classifier, logits_of(small, tokenizer, texts))
    import_classifier(
        described(None), saved(small, "deberta-there"), None, (), {}, None, 128, folder / "deberta", folder / "work"
    )
    return {name: str(folder / name) for name in ("few-shot", "zero-shot", "deberta", "inference")}


def _named(labels: tuple[str, ...]) -> dict[str, Any]:
    """Return the keys of a config that name the labels."""
    return {"id2label": dict(enumerate(labels)), "label2id": {label: number for number, label in enumerate(labels)}}
