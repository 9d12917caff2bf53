"""The model card: what a model was trained on, how, how good it is, and what it must not be trusted with."""

import json
from collections.abc import Iterable
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
    """Write the card as Markdown, with the metadata that the Hub reads.

    Args:
        model: summary of the trained model.
        tokenizer: summary of its tokenizer.
        corpus: summary of the texts that it was trained on.
        title: of the run.
        language: of the texts, as in HTML's lang.
        training: the recipe: key of the config → value.
    """
    sections = (
        _introduction(model, title),
        _data(corpus, tokenizer),
        _training(model, training),
        _metrics(model),
        LIMITS,
        _origin(model),
    )
    return _front_matter(model, language) + "".join(f"\n{section}\n" for section in sections)


SHAPE = ("layers", "heads", "width")
LIMITS = """## Limits

- It writes what resembles its texts; nothing that it states is to be believed.
- It repeats the views, insults and errors of its texts, and nothing was done against that.
- A small model learns passages by heart: what must stay private in the texts is not private in the weights.
- It was made for study and to be measured, not for use by people who don't know what it is."""


def _start(model: ModelSummary) -> tuple[str, str]:
    """Return the name and the commit of the checkpoint that the model continues; the commit is "" for a folder."""
    name, _, commit = model.start.partition("@")
    return name, commit


def _front_matter(model: ModelSummary, language: str) -> str:
    metadata: dict[str, Any] = {
        "language": language.split("-")[0].lower(),
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["gpt2", "samizdat"],
    }
    name, commit = _start(model)
    if commit:
        metadata["base_model"] = name
    return f"---\n{yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True)}---\n"


def _introduction(model: ModelSummary, title: str) -> str:
    name, commit = _start(model)
    start = f"continued from {escape(name)}" + (f" at {escape(commit)}" if commit else "")
    if model.start == "scratch":
        start = "from scratch"
    title = escape(title)
    return f"""# {escape(model.name)}

A GPT-2 of {model.parameters:,} parameters, {start}, made by [Samizdat](#how-it-was-made) for the run “{title}”."""


def _data(corpus: CorpusSummary, tokenizer: TokenizerSummary) -> str:
    # Splits that a corpus brings itself may part a document.
    whole = "" if corpus.shared_documents else "; all texts of one document are in the same split"
    groups = _table("group", "texts", ((escape(name), f"{count:,}") for name, count in sorted(corpus.groups.items())))
    return f"""## Data

{escape(corpus.source)}: {corpus.texts:,} texts of {corpus.documents:,} documents, {corpus.characters:,} characters.
{corpus.splits["train"]:,} texts were trained on, {corpus.splits["validation"]:,} selected on, and
{corpus.splits["test"]:,} held out from both{whole}. The vocabulary has
{tokenizer.vocabulary_size:,} tokens, {tokenizer.characters_per_token:.2f} characters each.{groups}"""


def _training(model: ModelSummary, training: dict[str, Any]) -> str:
    # A checkpoint brings its own shape, whatever the config says.
    known = {key: value for key, value in training.items() if model.start == "scratch" or key not in SHAPE}
    settings = _table("setting", "value", ((f"`{key}`", f"`{json.dumps(value)}`") for key, value in known.items()))
    step = f"{model.best_step:,}"
    return f"""## Training

{model.steps_done:,} of {model.steps_planned:,} steps, {model.tokens_seen:,} tokens, on {model.device_kind}; matrix
products in {model.compute_dtype}, weights in float32. The weights are those of step {step}, the best on the
validation texts.{settings}"""


def _metrics(model: ModelSummary) -> str:
    metrics = _table(
        "metric",
        "value",
        [
            ("bits per byte", f"{model.test_bits_per_byte:.4f}"),
            ("perplexity of a token", f"{model.test_perplexity:.2f}"),
            ("loss, nats a token", f"{model.test_loss:.4f}"),
        ],
    )
    return f"""## Metrics

On the held-out texts (the test split), on which nothing was selected. Bits per byte compare models of different
vocabularies, perplexities don't.{metrics}"""


def _origin(model: ModelSummary) -> str:
    return f"""## How it was made

Every number on this card was computed by the run. `model.safetensors` has the SHA-256 `{model.weights_sha256}`."""


def _table(name: str, value: str, rows: Iterable[tuple[str, str]]) -> str:
    """Return a Markdown table of two columns below an empty line; nothing if it has no rows."""
    lines = [f"\n| {left} | {right} |" for left, right in rows]
    return "".join([f"\n\n| {name} | {value} |\n| --- | --- |", *lines]) if lines else ""
