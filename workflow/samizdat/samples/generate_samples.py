"""Generate samples: texts that a model writes, from its published weights and from its earlier checkpoints."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from samizdat.base import stage
from samizdat.base.device import Device, enough_memory, prepare
from samizdat.base.seeds import derive_seed
from samizdat.checkpoints.encoding import load_tokenizer, refuse_long_prompts
from samizdat.measures.words import first_words, split_words
from samizdat.records.io import read_document, read_where, write_table
from samizdat.records.models import ModelSummary
from samizdat.records.samples import PUBLISHED_PERCENT, SAMPLES
from samizdat.samples.checkpoint import continued, load_model, prompt_tokens
from samizdat.samples.engine import Continuation, Request, write_texts
from samizdat.samples.letters import Letters
from samizdat.samples.token_choice import Recipe


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
    samples: int  # of the prompt, for each temperature and checkpoint
    early: bool  # whether earlier checkpoints continue it, too


@dataclass(frozen=True)
class _Sample:
    """A text to be written."""

    prompt: _Prompt
    request: Request


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
    """Write `records.samples.SAMPLES`: every prompt, temperature and checkpoint, and further texts without a prompt.

    The random seed of a sample depends on its prompt, its temperature and its number, not on the checkpoint: the same
    sample can be compared after few training steps and after many.

    Args:
        settings: how many samples, and how tokens are drawn.
        name: of the model.
        prompts: beginnings of texts; an empty one is no prompt.
        percents: checkpoints to sample from; 100 is the published model.
        model: the model's folder.
        texts: the corpus, whose test texts begin the held-out prompts.
        samples: the table to write.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: on a CPU, how many threads write texts at once; their number changes no text.
        seed: random seed of the stage.

    Raises:
        UserError: a prompt is longer than the model's context, or memory is too small.
    """
    chosen = prepare(device, threads=threads, seed=seed)
    steps = read_document(ModelSummary, model / "summary.json").checkpoints
    tokenizer = load_tokenizer(model)
    context = GPT2Config.from_pretrained(model, local_files_only=True).n_positions
    refuse_long_prompts(tokenizer, prompts, context_tokens=context, name=name)
    wanted, alike = _prompts(settings, prompts, texts, tokenizer, context // 2, seed)
    encoded = prompt_tokens(tokenizer, [prompt.text for prompt in wanted])
    rows: list[dict[str, Any]] = []
    for percent in percents:
        weights = load_model(model, percent, chosen.kind)
        planned = [
            _Sample(
                prompt, Request(tokens, temperature, derive_seed(seed, prompt.kind, prompt.text, temperature, number))
            )
            for prompt, tokens in zip(wanted, encoded, strict=True)
            if percent == PUBLISHED_PERCENT or prompt.early
            for temperature in settings.temperatures
            for number in range(prompt.samples)
        ]
        title = f"samples {name} at {percent} %"
        written = _write(weights, planned, settings, tokenizer, chosen, title)
        checkpoint = {"model": name, "percent": percent, "step": steps[str(percent)]}
        rows += [
            {"id": f"{name}-{percent}-{number}"} | checkpoint | _row(sample, text, settings, tokenizer)
            for number, (sample, text) in enumerate(zip(planned, written, strict=True))
        ]
    write_table(pd.DataFrame(rows), SAMPLES, samples)
    return f"{len(rows):,} texts{_shortage(settings, wanted, alike)}"


def _prompts(
    settings: SamplingSettings,
    prompts: tuple[str, ...],
    texts: Path,
    tokenizer: PreTrainedTokenizerFast,
    most_tokens: int,
    seed: int,
) -> tuple[list[_Prompt], int]:
    """List the config's prompts, beginnings of held-out texts with at most so many tokens, and no prompt.

    Samples of equal beginnings would have equal seeds, and so be one sample that counts several times.

    Returns:
        The prompts, and how many held-out texts were passed over, since they begin like another one.
    """
    wanted = [_Prompt("config" if text else "none", text, None, settings.samples_per_prompt, True) for text in prompts]
    held_out = read_where(texts, "split", ["test"], "id", "text")
    drawn = sorted(zip(held_out["id"], held_out["text"], strict=True), key=lambda row: derive_seed(seed, row[0]))
    begun: dict[str, _Prompt] = {}
    alike = 0
    for key, text in drawn:
        if len(begun) == settings.held_out_prompts:
            break
        beginning = _beginning(text, settings.held_out_prompt_words, tokenizer, most_tokens)
        if beginning in begun:
            alike += 1
        elif beginning is not None:
            begun[beginning] = _Prompt("held_out", beginning, key, 1, True)
    wanted += begun.values()
    if settings.unprompted_samples:
        # Their seeds differ from those of an empty prompt above, because the kind is part of a seed.
        wanted.append(_Prompt("unprompted", "", None, settings.unprompted_samples, False))
    return wanted, alike


def _beginning(text: str, words: int, tokenizer: PreTrainedTokenizerFast, most_tokens: int) -> str | None:
    """Return the first words of a text, fewer where so many have too many tokens; None if it has no such beginning."""
    if first_words(text, words) is None:
        return None

    def is_too_long(number: int) -> bool:
        return len(*prompt_tokens(tokenizer, [first_words(text, number) or ""])) > most_tokens

    fitting = bisect_left(range(1, words + 1), True, key=is_too_long)
    return first_words(text, fitting) if fitting else None


def _shortage(settings: SamplingSettings, wanted: Sequence[_Prompt], alike: int) -> str:
    """Say how many held-out texts begin like another one, and how many prompts are missing, or shorter than wanted."""
    held_out = [prompt for prompt in wanted if prompt.kind == "held_out"]
    missing = settings.held_out_prompts - len(held_out)
    shorter = sum(len(split_words(prompt.text)) < settings.held_out_prompt_words for prompt in held_out)
    said = f"; held-out texts that begin like another one and are no prompts: {alike}" if alike else ""
    if missing:
        said += (
            f"; held-out prompts fewer than asked for: {missing}, since the other held-out texts are too short, begin "
            "like another one, or with a word that is too long for the model"
        )
    if shorter:
        said += (
            f"; held-out prompts of fewer than {settings.held_out_prompt_words} words: {shorter}, since a prompt has "
            "at most half of the context's tokens"
        )
    return said


def _write(
    model: GPT2LMHeadModel,
    planned: Sequence[_Sample],
    settings: SamplingSettings,
    tokenizer: PreTrainedTokenizerFast,
    device: Device,
    title: str,
) -> list[Continuation]:
    """Write the planned texts, with a progress line of that title."""
    requests = [sample.request for sample in planned]
    bar = stage.progress(title, len(requests), "texts")
    with enough_memory(device, f"{settings.slots} texts at once", remedy="halve sampling.slots in the config"):
        written = write_texts(
            model,
            requests,
            Recipe.of(asdict(settings)),
            boundary=tokenizer.eos_token_id,
            letters=Letters.of(tokenizer, model.config.vocab_size),
            progress=bar.update,
        )
    bar.close()
    return written


def _row(
    sample: _Sample, text: Continuation, settings: SamplingSettings, tokenizer: PreTrainedTokenizerFast
) -> dict[str, Any]:
    """Return the columns of `SAMPLES` about a text and how it was drawn."""
    prompt, request = sample.prompt, sample.request
    return {
        "prompt_kind": prompt.kind,
        "prompt": prompt.text,
        "prompt_text_id": prompt.text_id,
        "temperature": request.temperature,
        "top_k": settings.top_k,
        "top_p": settings.top_p,
        "repetition_penalty": settings.repetition_penalty,
        "no_repeat_ngram": settings.no_repeat_ngram,
        "seed": request.seed,
        "text": continued(tokenizer, prompt.text, request.prompt[1:], text.tokens),
        "new_tokens": len(text.tokens),
        "finished": text.finished,
    }


if __name__ == "__main__":
    stage.run(generate_samples)
