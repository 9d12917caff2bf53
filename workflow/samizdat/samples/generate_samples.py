"""Samples: texts that a model wrote, from its published weights and from the checkpoints on the way."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd
import torch
from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

from samizdat.base import stage
from samizdat.base.device import enough_memory, prepare
from samizdat.base.errors import UserError
from samizdat.base.seeds import derive_seed
from samizdat.checkpoints.encoding import encode, load_tokenizer
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_document, read_table, write_table
from samizdat.records.models import ModelSummary
from samizdat.records.samples import SAMPLES
from samizdat.samples.engine import Recipe, Request, write_texts


@dataclass(frozen=True)
class SamplingSettings:
    """The keys of `sampling` in the config, where each is explained."""

    samples_per_prompt: int
    held_out_prompts: int
    held_out_prompt_words: int
    unprompted_samples: int
    temperatures: tuple[float, ...]
    top_k: int
    top_p: float
    repetition_penalty: float
    no_repeat_ngram: int
    max_new_tokens: int
    slots: int


@dataclass(frozen=True)
class _Prompt:
    kind: str
    text: str
    text_id: str | None
    samples: int
    early: bool  # whether the checkpoints on the way continue it too


def generate_samples(
    settings: SamplingSettings,
    name: str,
    prompts: tuple[str, ...],
    percents: tuple[int, ...],
    model: Path,
    texts: Path,
    samples: Path,
    device: str,
    threads: int,
    seed: int,
) -> str:
    """Write `records.SAMPLES`: every prompt, temperature and checkpoint, and more texts from nothing.

    A sample's random stream depends on the prompt, the temperature and its number, not on the checkpoint: the
    same sample can be read after few steps and after many.

    Args:
        settings: how many, and how tokens are drawn.
        name: the model's name.
        prompts: beginnings; an empty one begins with nothing.
        percents: checkpoints to sample from; 100 is the published model.
        model: the model's folder.
        texts: the corpus, whose validation texts begin the held-out prompts.
        samples: where to write.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: on a CPU, how many write texts at once; their number changes none.
        seed: of the stage.

    Raises:
        UserError: a prompt is longer than the model's context, or memory is short.
    """
    chosen = prepare(device, threads=threads, seed=seed)
    summary = read_document(ModelSummary, model / "summary.json")
    tokenizer = load_tokenizer(model)
    wanted = list(_prompts(settings, prompts, texts, seed))
    encoded = _encode_prompts(tokenizer, [prompt.text for prompt in wanted])
    recipe = Recipe(**{field.name: getattr(settings, field.name) for field in fields(Recipe)})
    rows = []
    for percent in percents:
        folder = model if percent == 100 else model / "steps" / str(percent)
        weights = GPT2LMHeadModel.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, local_files_only=True
        )
        weights.eval().to(chosen.kind)
        context = weights.config.n_positions
        jobs = [
            (prompt, tokens, temperature, derive_seed(seed, prompt.kind, prompt.text, temperature, number))
            for prompt, tokens in zip(wanted, encoded, strict=True)
            if percent == 100 or prompt.early
            for temperature in settings.temperatures
            for number in range(prompt.samples)
        ]
        for prompt, tokens, _, _ in jobs:
            if len(tokens) >= context:
                raise UserError(
                    f"the prompt {prompt.text[:60]!r} has {len(tokens)} tokens, the model {name!r} reads {context}",
                    remedy="shorten it under `prompts` in the config, or raise training.context_tokens",
                )
        requests = [Request(tokens, temperature, sample_seed) for _, tokens, temperature, sample_seed in jobs]
        bar = stage.progress(f"samples {name} at {percent} %", len(jobs), "texts")
        with enough_memory(chosen, f"{settings.slots} texts at once", remedy="halve sampling.slots in the config"):
            written = write_texts(weights, requests, recipe, boundary=tokenizer.eos_token_id, progress=bar.update)
        bar.close()
        for number, ((prompt, tokens, temperature, sample_seed), text) in enumerate(zip(jobs, written, strict=True)):
            rows.append(
                {
                    "id": f"{name}-{percent}-{number}",
                    "model": name,
                    "percent": percent,
                    "step": summary.checkpoints[str(percent)],
                    "prompt_kind": prompt.kind,
                    "prompt": prompt.text,
                    "prompt_text_id": prompt.text_id,
                    "temperature": temperature,
                    "top_k": settings.top_k,
                    "top_p": settings.top_p,
                    "repetition_penalty": settings.repetition_penalty,
                    "no_repeat_ngram": settings.no_repeat_ngram,
                    "seed": sample_seed,
                    "text": tokenizer.decode([*tokens[1:], *text.tokens], clean_up_tokenization_spaces=False),
                    "new_tokens": len(text.tokens),
                    "finished": text.finished,
                }
            )
    write_table(pd.DataFrame(rows), SAMPLES, samples)
    return f"{len(rows):,} texts"


def _prompts(settings: SamplingSettings, prompts: tuple[str, ...], texts: Path, seed: int) -> Iterator[_Prompt]:
    for text in prompts:
        yield _Prompt("config" if text else "none", text, None, settings.samples_per_prompt, True)
    corpus = read_table(texts, TEXTS)
    held_out = corpus[corpus["split"] == "validation"]
    words = settings.held_out_prompt_words
    drawn = sorted(zip(held_out["id"], held_out["text"], strict=True), key=lambda row: derive_seed(seed, row[0]))
    found = 0
    for key, text in drawn:
        pieces = re.findall(r"\S+\s*", text)
        if found < settings.held_out_prompts and len(pieces) > words:
            found += 1
            yield _Prompt("held_out", "".join(pieces[:words]).rstrip(), key, 1, True)
    if settings.unprompted_samples:
        # Numbered apart from the samples of an empty prompt above by their kind's own stream.
        yield _Prompt("unprompted", "", None, settings.unprompted_samples, False)


def _encode_prompts(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> list[tuple[int, ...]]:
    boundary = tokenizer.eos_token_id
    return [(boundary, *tokens) for tokens in encode(tokenizer, texts)]


if __name__ == "__main__":
    stage.run(generate_samples)
