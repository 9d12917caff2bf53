"""The model card: what a model learned from, how, how well, and what it must not be trusted with."""

import json
from typing import Any

import yaml

from samizdat.base.escaping import escape
from samizdat.records.corpus import CorpusSummary
from samizdat.records.models import ModelSummary, TokenizerSummary


def model_card(
    model: ModelSummary,
    tokenizer: TokenizerSummary,
    corpus: CorpusSummary,
    *,
    title: str,
    language: str,
    training: dict[str, Any],
) -> str:
    """The card as Markdown with the metadata that the Hub reads.

    Args:
        model: the trained model's summary.
        tokenizer: of its tokenizer.
        corpus: what it learned from.
        title: of the run.
        language: of the texts, as in HTML's lang.
        training: the recipe, the config's keys.
    """
    metadata: dict[str, Any] = {
        "language": language.split("-")[0].lower(),
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["gpt2", "samizdat"],
    }
    start = "from scratch"
    if model.start != "scratch":
        name, at, commit = model.start.partition("@")
        start = f"continued from {escape(name)}" + (f" at {escape(commit)}" if at else "")
        if at:
            metadata["base_model"] = name
    kinds = [f"| {escape(name)} | {count:,} |" for name, count in sorted(corpus.groups.items())]
    settings = [f"| `{key}` | `{json.dumps(value)}` |" for key, value in training.items()]
    front = yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True)
    return f"""---
{front}---

# {escape(model.name)}

A GPT-2 of {model.parameters:,} parameters, {start}, made by [Samizdat](#how-it-was-made) for the run “{escape(title)}”.

## Data

{escape(corpus.source)}: {corpus.texts:,} texts of {corpus.documents:,} documents, {corpus.characters:,} characters.
{corpus.splits["train"]:,} texts were trained on and {corpus.splits["validation"]:,} held out; texts of one document
never stand on both sides. The vocabulary has {tokenizer.vocabulary_size:,} tokens, {tokenizer.characters_per_token:.2f}
characters each.
{_table("group", "texts", kinds)}
## Training

{model.steps_done:,} of {model.steps_planned:,} steps, {model.tokens_seen:,} tokens, on {model.device_kind}; matrix
products in {model.compute_dtype}, weights in float32. The weights are those of step {
        model.best_step:,}, the best on the
held-out texts.
{_table("setting", "value", settings)}
## Metrics

On the held-out texts. Bits per byte compare models of different vocabularies, perplexities don't.
{
        _table(
            "metric",
            "value",
            [
                f"| bits per byte | {model.validation_bits_per_byte:.4f} |",
                f"| perplexity of a token | {model.validation_perplexity:.2f} |",
                f"| loss, nats a token | {model.validation_loss:.4f} |",
            ],
        )
    }
The best step was chosen on the same held-out texts, which flatters these numbers a little.

## Limits

- It writes what resembles its texts; nothing that it states is to be believed.
- It repeats the views, insults and errors of its texts, and nothing was done against that.
- A small model learns passages by heart: what must stay private in the texts is not private in the weights.
- It was made for study and to be measured, not for use by people who don't know what it is.

## How it was made

Every number on this card was computed by the run. `model.safetensors` has the SHA-256 `{model.weights_sha256}`.
"""


def _table(name: str, value: str, rows: list[str]) -> str:
    return "\n".join(["", f"| {name} | {value} |", "| --- | --- |", *rows, ""]) if rows else ""
