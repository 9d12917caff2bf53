"""Look inside a model: what tokens cost it, what it expects next, where its heads look, where its bits are spent."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from samizdat.base import stage
from samizdat.base.device import enough_memory, prepare
from samizdat.base.errors import UserError
from samizdat.base.files import MAKE_AGAIN
from samizdat.base.seeds import derive_seed
from samizdat.checkpoints.byte_level import bytes_of_tokens
from samizdat.checkpoints.encoding import encode, load_tokenizer
from samizdat.checkpoints.gpt2 import load_gpt2
from samizdat.checkpoints.pieces import pieces_of, shown
from samizdat.measures.bootstrap import Bootstrap
from samizdat.models.attention_heads import HeadMeasures, attention_of
from samizdat.models.token_costs import costs, most_probable
from samizdat.models.token_kinds import token_kinds
from samizdat.records.inside import INSIDE
from samizdat.records.io import read_batches, read_document, read_rows, read_table, write_table
from samizdat.records.models import TEST_LOSSES, ModelSummary
from samizdat.records.samples import PUBLISHED_PERCENT, SAMPLES, begun_with_nothing

# Of the two texts that are shown token by token, and of the beginning of one whose attention is kept.
FEWEST_TOKENS, MOST_TOKENS = 8, 40
ATTENTION_TOKENS = 12
NEXT_TOKENS = 10
HEAD_TEXTS, HEAD_TOKENS = 64, 128  # texts whose attention is averaged, and tokens of each at most
KIND_TOKENS = 200_000  # of held-out texts, after which no further text is looked at


@dataclass(frozen=True)
class _Text:
    """A text, or the beginning of one, that is looked at token by token."""

    source: str  # as in `records.inside.TOKENS`
    key: str  # its id
    tokens: list[int]
    pieces: list[bytes]


def look_inside(
    model: Path, texts: Path, samples: Path, prompts: tuple[str, ...], confidence: float, bootstrap_resamples: int,
    out: Path, device: str, threads: int, seed: int,
) -> str:  # fmt: skip
    """Write the tables of `records.inside.INSIDE`.

    Args:
        model: the model's folder.
        texts: the corpus.
        samples: what the model wrote.
        prompts: of the config; the first one that isn't empty is looked behind.
        confidence: of intervals.
        bootstrap_resamples: for intervals.
        out: the folder to write.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: on a CPU.
        seed: of the stage: which held-out texts are read, and the resamples.

    Raises:
        UserError: a file is damaged, the model was tested on other texts, or memory is too small.
    """
    chosen = prepare(device, threads=threads, seed=seed)
    tokenizer = load_tokenizer(model)
    checkpoints = read_document(ModelSummary, model / "summary.json").checkpoints
    steps = {int(percent): step for percent, step in checkpoints.items()}
    context = GPT2Config.from_pretrained(model, local_files_only=True).n_positions
    most = min(MOST_TOKENS, context)
    first, drawn = _held_out(model, texts, most, seed)
    shown_texts = list(_two_texts(tokenizer, first, read_table(samples, SAMPLES), most))
    prompt = next(filter(None, prompts), "")
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in INSIDE}
    with enough_memory(chosen, "the attention of one text", remedy="set `inside: false` in the config"):
        for percent in sorted(steps):
            gpt2 = load_gpt2(model, percent, chosen.kind)
            at = {"percent": percent, "step": steps[percent]}
            rows["tokens"] += [at | row for row in _tokens(gpt2, tokenizer, shown_texts)]
            rows["next_tokens"] += [{"prompt": prompt} | at | row for row in _next(gpt2, tokenizer, prompt)]
        gpt2 = load_gpt2(model, PUBLISHED_PERCENT, chosen.kind, attention="eager")
        rows["heads"] += _heads(gpt2, tokenizer, drawn["text"].head(HEAD_TEXTS).tolist())
        rows["attention"] += _attention(gpt2, tokenizer, shown_texts)
    bootstrap = Bootstrap(confidence, bootstrap_resamples, seed)
    rows["token_kinds"] += _kinds(tokenizer, drawn, bootstrap)
    for name, schema in INSIDE.items():
        write_table(pd.DataFrame(rows[name], columns=schema.names), schema, out / f"{name}.parquet")
    read = rows["heads"][0] if rows["heads"] else {"texts": 0}
    return f"checkpoints: {len(steps)}; attention in {read['texts']} held-out texts"


def _held_out(model: Path, texts: Path, most: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the held-out text that is shown, if there is one, and those that are drawn; of many texts no others.

    It is the first one with FEWEST_TOKENS to `most` tokens, else the first one with a token. So many are drawn as have
    KIND_TOKENS together.

    Returns:
        rows with `id`, `document`, `text` and what `TEST_LOSSES` has of it.

    Raises:
        UserError: a file is damaged, or the model was tested on other texts.
    """
    losses = model / "test_losses.parquet"
    is_test = np.concatenate([(batch["split"] == "test").to_numpy(bool) for batch in read_batches(texts, "split")])
    sizes = read_table(losses, TEST_LOSSES, without=("nats", "token_nats"))["tokens"].to_numpy()
    if len(sizes) != is_test.sum():
        raise UserError(
            f"{model} was tested on {len(sizes)} texts, but the test split has {is_test.sum()}", remedy=MAKE_AGAIN
        )
    order = np.argsort([derive_seed(seed, key) for key in read_rows(texts, is_test, "id")["id"]], kind="stable")
    drawn = order[: max(HEAD_TEXTS, int(np.searchsorted(np.cumsum(sizes[order]), KIND_TOKENS)) + 1)]
    fitting, not_empty = (sizes > FEWEST_TOKENS) & (sizes <= most + 1), sizes > 1  # one token is the boundary
    first = np.flatnonzero(fitting if fitting.any() else not_empty)[:1]
    wanted = np.zeros(len(sizes), bool)
    wanted[[*first, *drawn]] = True
    of_all = is_test.copy()
    of_all[is_test] = wanted
    found = [read_rows(texts, of_all, "id", "document", "text"), read_rows(losses, wanted, *TEST_LOSSES.names)]
    frame = pd.concat(found, axis=1).set_axis(np.flatnonzero(wanted))
    return frame.loc[first], frame.loc[drawn]


def _two_texts(
    tokenizer: PreTrainedTokenizerFast, held_out: pd.DataFrame, samples: pd.DataFrame, most: int
) -> Iterator[_Text]:
    """Yield the first held-out text of a fitting length, and the first such sample that began with nothing.

    Where no text has from FEWEST_TOKENS to `most` tokens, it is the beginning of the first text.
    """
    for source, table in (("held_out", held_out), ("sample", begun_with_nothing(samples))):
        first: _Text | None = None
        for key, text in zip(table["id"], table["text"], strict=True):
            ((tokens, pieces),) = pieces_of(tokenizer, [text])
            if FEWEST_TOKENS <= len(tokens) <= most:
                first = _Text(source, key, tokens, pieces)
                break
            if first is None and tokens:
                first = _Text(source, key, tokens[:most], pieces[:most])
        if first is not None:
            yield first


def _tokens(
    gpt2: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, texts: Iterable[_Text]
) -> Iterator[dict[str, Any]]:
    """Yield what each token of the texts costs."""
    for text in texts:
        found = zip(text.pieces, costs(gpt2, tokenizer.eos_token_id, text.tokens), strict=True)
        for position, (piece, cost) in enumerate(found, start=1):
            yield {
                "source": text.source, "id": text.key, "position": position, "token": shown(piece), "bits": cost.bits,
                "rank": cost.rank,
            }  # fmt: skip


def _next(gpt2: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, prompt: str) -> Iterator[dict[str, Any]]:
    """Yield the most probable tokens behind a prompt."""
    spelled, boundary = bytes_of_tokens(tokenizer), tokenizer.eos_token_id
    found = most_probable(gpt2, boundary, encode(tokenizer, [prompt])[0], NEXT_TOKENS)
    for place, (token, probability) in enumerate(found, start=1):
        name = shown(spelled[token]) if spelled and token in spelled else tokenizer.convert_ids_to_tokens(token)
        yield {"place": place, "token": None if token == boundary else name, "probability": probability}


def _heads(gpt2: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> Iterable[dict[str, Any]]:
    """Measure where the heads look in the beginnings of texts."""
    measures = HeadMeasures(gpt2.config.n_layer, gpt2.config.n_head)
    most = min(HEAD_TOKENS, gpt2.config.n_positions)
    for text in texts:  # one by one, since a text may be a book
        (tokens,) = encode(tokenizer, [text])
        read = [tokenizer.eos_token_id, *tokens][:most]
        measures.add(read, attention_of(gpt2, read))
    return measures.rows()


def _attention(
    gpt2: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, texts: Iterable[_Text]
) -> Iterator[dict[str, Any]]:
    """Yield the attention of each head in the beginning of the held-out text."""
    for text in texts:
        if text.source != "held_out":
            continue
        most = min(ATTENTION_TOKENS, gpt2.config.n_positions)
        weights = attention_of(gpt2, [tokenizer.eos_token_id, *text.tokens][:most])
        for layer, head, position, at in np.ndindex(*weights.shape):
            if at <= position:
                yield {
                    "layer": layer + 1, "head": head + 1, "position": position, "at": at,
                    "weight": weights[layer, head, position, at],
                }  # fmt: skip


def _kinds(tokenizer: PreTrainedTokenizerFast, texts: pd.DataFrame, bootstrap: Bootstrap) -> Iterable[dict[str, Any]]:
    """Sum what the tokens of the first of these texts cost; so many texts as have KIND_TOKENS together.

    Raises:
        UserError: the model was tested on other tokens.
    """
    texts = texts.head(int(np.searchsorted(np.cumsum(texts["tokens"]), KIND_TOKENS)) + 1)
    pieces = [found for _, found in pieces_of(tokenizer, texts["text"].tolist())]
    if [len(one) + 1 for one in pieces] != texts["tokens"].tolist():
        raise UserError("the model was tested on texts in other tokens", remedy=MAKE_AGAIN)
    return token_kinds(texts, pieces, texts["token_nats"].tolist(), bootstrap)


if __name__ == "__main__":
    stage.run(look_inside)
