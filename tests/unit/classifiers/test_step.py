"""A step's logits: however attention is computed, and in whichever number format, they are the model's."""

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from samizdat.base.device import Device
from samizdat.classifiers.step import SHORT_TEXT_TOKENS, FinetuningStep

CPU = Device("cpu", "a processor", fastest="bfloat16", int8=False)


@pytest.mark.parametrize("tokens", [5, SHORT_TEXT_TOKENS, SHORT_TEXT_TOKENS + 8])
def test_short_and_long_padded_texts_have_the_logits_of_the_model(tokens):
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=90, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, num_labels=3,
        initializer_range=0.3, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    model = BertForSequenceClassification(config).eval()
    batch = {"input_ids": torch.randint(90, (6, tokens)), "attention_mask": torch.ones(6, tokens, dtype=torch.long)}
    batch["attention_mask"][1:, tokens // 2 :] = 0
    with torch.inference_mode():
        expected = model(**batch).logits
        exact = FinetuningStep(model, CPU, torch.float32, None, 0.1, 0.0).logits(batch)
        rounded = FinetuningStep(model, CPU, torch.bfloat16, None, 0.1, 0.0).logits(batch)
    assert torch.equal(exact, expected)
    assert torch.allclose(rounded, expected, atol=0.05) and not torch.equal(rounded, expected)
