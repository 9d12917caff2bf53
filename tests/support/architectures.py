"""One small checkpoint of each architecture, with random weights and the special tokens that it has on the Hub."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, PreTrainedTokenizerFast

from support.small_classifier import LABELS, WORDS

LONGEST = 64
SIZES = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}
POSITIONS = {"max_position_embeddings": LONGEST}
SEQUENCE = {
    "d_model": 48, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
    "encoder_ffn_dim": 96, "decoder_ffn_dim": 96, "decoder_start_token_id": 2, "bos_token_id": 0, "eos_token_id": 2,
}  # fmt: skip
DECODER = {"num_key_value_heads": 2, "bos_token_id": 0, "eos_token_id": 2}
DEBERTA = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False,
           "max_relative_positions": -1}  # fmt: skip


class Architecture(NamedTuple):
    """What is special about an architecture."""

    model_type: str
    shape: dict[str, Any]
    template: str = "<s> $A </s>"  # of a text's tokens
    padding: bool = True  # whether the published checkpoints have a padding token


ARCHITECTURES = {
    "BERT": Architecture("bert", SIZES | POSITIONS),
    "DistilBERT": Architecture(
        "distilbert", {"dim": 48, "n_layers": 2, "n_heads": 4, "hidden_dim": 96} | POSITIONS
    ),
    "RoBERTa": Architecture("roberta", SIZES | {"max_position_embeddings": LONGEST + 2}),
    "XLM-R": Architecture("xlm-roberta", SIZES | {"max_position_embeddings": LONGEST + 2}),
    "CamemBERT": Architecture("camembert", SIZES | {"max_position_embeddings": LONGEST + 2}),
    "ELECTRA": Architecture("electra", SIZES | POSITIONS | {"embedding_size": 24}),
    "DeBERTa": Architecture("deberta", SIZES | POSITIONS | DEBERTA),
    "DeBERTa-v3": Architecture(
        "deberta-v2",
        SIZES | POSITIONS | DEBERTA | {"position_buckets": 16, "norm_rel_ebd": "layer_norm", "share_att_key": True},
    ),
    "ALBERT": Architecture("albert", SIZES | POSITIONS | {"embedding_size": 24}),
    "MPNet": Architecture("mpnet", SIZES | {"max_position_embeddings": LONGEST + 2}),
    "ModernBERT": Architecture(
        "modernbert",
        SIZES | POSITIONS | {"local_attention": 16, "global_attn_every_n_layers": 2, "cls_token_id": 0,
                             "sep_token_id": 2, "bos_token_id": 0, "eos_token_id": 2},
    ),
    "XLNet": Architecture("xlnet", {"d_model": 48, "n_layer": 2, "n_head": 4, "d_inner": 96}, "$A </s> <s>:2"),
    "BART": Architecture("bart", SEQUENCE | POSITIONS),
    "T5": Architecture(
        "t5",
        {"d_model": 48, "d_kv": 12, "d_ff": 96, "num_layers": 2, "num_heads": 4, "eos_token_id": 2,
         "decoder_start_token_id": 1},
        "$A </s>",
    ),
    "GPT-2": Architecture(
        "gpt2", {"n_embd": 48, "n_layer": 2, "n_head": 4, "n_positions": LONGEST, "bos_token_id": 2, "eos_token_id": 2},
        "$A", padding=False,
    ),
    "Llama": Architecture("llama", SIZES | POSITIONS | DECODER, "<s> $A", padding=False),
    "Qwen": Architecture("qwen2", SIZES | POSITIONS | DECODER, "$A", padding=False),
}  # fmt: skip


def make_classifier(name: str, folder: Path) -> Path:
    """Write a classifier, with weights so large that its answers are clear."""
    names = {"id2label": dict(enumerate(LABELS)), "label2id": {label: place for place, label in enumerate(LABELS)}}
    _write(AutoModelForSequenceClassification, name, folder, 4, **names)
    return folder


def make_encoder(name: str, folder: Path, **shape: int) -> Path:
    """Write a model without a head, to fine-tune."""
    _write(AutoModel, name, folder, 1, **shape)
    return folder


def _write(model_class: Any, name: str, folder: Path, scale: float, **more: Any) -> None:
    architecture = ARCHITECTURES[name]
    tokenizer = _tokenizer(architecture)
    padding = 1 if architecture.padding else None
    keys = architecture.shape | {"vocab_size": len(tokenizer), "pad_token_id": padding} | more
    config = AutoConfig.for_model(architecture.model_type, **keys)
    torch.manual_seed(1)
    model = model_class.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(scale * 3 if len(parameter) == len(LABELS) else scale)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _tokenizer(architecture: Architecture) -> PreTrainedTokenizerFast:
    """Make a tokenizer of `WORDS` and ASCII characters, with an architecture's special tokens."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<|endoftext|>"]
    if architecture.model_type == "qwen2":  # transformers makes this tokenizer itself, from the vocabulary
        pieces = special + sorted(pre_tokenizers.ByteLevel.alphabet())
        backend = Tokenizer(models.BPE({piece: number for number, piece in enumerate(pieces)}, []))
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        letters = [chr(code) for code in range(33, 127)]
        pieces = [*special, *WORDS, *letters, *("##" + letter for letter in letters)]
        vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
        backend = Tokenizer(models.WordPiece(vocabulary, unk_token="<unk>"))
        backend.normalizer = normalizers.BertNormalizer(lowercase=True)
        backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.TemplateProcessing(
        single=architecture.template, special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    inputs = ["input_ids", "attention_mask"] + (["token_type_ids"] if ":2" in architecture.template else [])
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    names |= {"pad_token": "<pad>"} if architecture.padding else {}
    return PreTrainedTokenizerFast(tokenizer_object=backend, model_input_names=inputs, **names)
