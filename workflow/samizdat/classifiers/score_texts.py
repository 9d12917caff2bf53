"""What a classifier says of texts: each text read whole, and only texts that are new."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import torch
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from samizdat.base import stage
from samizdat.base.device import Device, enough_memory, prepare
from samizdat.base.digest import result_digest
from samizdat.base.files import sha256_of
from samizdat.base.reuse import fingerprint
from samizdat.checkpoints import unpadded
from samizdat.checkpoints.encoding import load_tokenizer
from samizdat.checkpoints.windows import Batch, Window, padded_batches, split_into_windows
from samizdat.classifiers.score_store import ScoreStore
from samizdat.records.classifiers import SCORES, ClassifierCard
from samizdat.records.io import read_document, write_table

UNREADABLE = "the classifier's tokenizer finds no token in it"
UNCERTAIN = "its most probable label is less probable than abstain_below"

# Where the logits of the two most probable labels differ by less than so many steps of the number format, float32
# decides. A step is the format's spacing at the largest logit, or at 1 where that is less. Of 3,938 texts of the demo
# 999 in 1,000 differ from float32 by less than 5.5 steps, in bfloat16 as in float16; 4 in 1,000 are that close.
CLOSE_STEPS = 8
# Tokens of a batch with `auto`: on a CPU a row that stays in the cache, on a GPU as much as it computes while the next
# batch is started.
BATCH_TOKENS = {"cpu": 1024, "cuda": 65536, "mps": 16384}
# On a GPU a batch of close calls has no more tokens than these: they are few, and most of a large one would be padding.
CLOSE_BATCH_TOKENS = 2048


@dataclass(frozen=True)
class ClassificationSettings:
    """The keys of `classification` in the config, where each is explained."""

    max_length_tokens: int
    window_overlap_tokens: int
    batch_tokens: int | Literal["auto"]
    precision: str
    abstain_below: float


def score_texts(
    settings: ClassificationSettings,
    classifier: Path,
    tables: tuple[Path, ...],
    scores: Path,
    store: Path,
    device: str,
    threads: int,
    seed: int,
) -> str:
    """Score every text of the tables and write `records.SCORES`, row by row in their order.

    A text longer than a window is read in several that overlap; its probabilities are the mean of theirs,
    weighted by their lengths in tokens. A text's score depends on the text and the classifier alone.

    Args:
        settings: windows, batches and number format.
        classifier: a folder with checkpoint, tokenizer, `card.json` and `seen_texts.txt`.
        tables: Parquet files with the columns `id` and `text`.
        scores: where to write.
        store: the SQLite file of scores that were computed before, shared by all runs.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: batches that a CPU computes at once; their number changes no score.
        seed: of the stage; nothing is drawn, but libraries are seeded.

    Raises:
        UserError: memory is short or the device is not there.
    """
    chosen = prepare(device, threads=threads, seed=seed)
    if settings.batch_tokens == "auto":
        settings = replace(settings, batch_tokens=BATCH_TOKENS[chosen.kind])
    card = read_document(ClassifierCard, classifier / "card.json")
    dtype = chosen.number_format(settings.precision)
    mark = fingerprint(
        # The probabilities are kept, and when to abstain is decided with them at hand.
        settings={key: value for key, value in asdict(settings).items() if key != "abstain_below"},
        weights=card.weights_sha256,
        tokenizer=sha256_of(classifier / "tokenizer.json"),
        dtype=str(dtype),
        device=chosen.kind,
        torch=torch.__version__,
        code=result_digest("classifiers.score_texts"),
    )
    frame = pd.concat([pq.read_table(table, columns=["id", "text"]).to_pandas() for table in tables])
    keys = [hashlib.sha256(text.encode()).digest() for text in frame["text"]]
    texts = dict(zip(keys, frame["text"], strict=True))
    places = {key: place for place, key in enumerate(texts)}
    probabilities = np.zeros((len(places), len(card.labels)), np.float32)
    windows = np.full(len(places), -1, np.int32)  # -1: not known yet
    shelf = ScoreStore(store, mark)
    for key, count, values in shelf.known(list(places)):
        windows[places[key]], probabilities[places[key]] = count, values
    new = [key for key in places if windows[places[key]] < 0]
    if new:
        bar = stage.progress(f"scores {card.name}", len(new), "texts")
        what, remedy = f"{settings.batch_tokens} tokens at once", "halve classification.batch_tokens in the config"
        with enough_memory(chosen, what, remedy=remedy):
            for done in _compute([texts[key] for key in new], settings, classifier, chosen, dtype, threads):
                shelf.add((new[text], count, values) for text, count, values in done)
                for text, count, values in done:
                    windows[places[new[text]]], probabilities[places[new[text]]] = count, values
                bar.update(len(done))
        bar.close()
        # No window came of these, however often they are read.
        silent = [key for key in new if windows[places[key]] < 0]
        shelf.add((key, 0, probabilities[places[key]]) for key in silent)
    shelf.close()
    seen = set((classifier / "seen_texts.txt").read_text(encoding="utf-8").split())
    rows = [places[key] for key in keys]
    table = _as_table(frame["id"], probabilities[rows], windows[rows], card.labels, seen, settings.abstain_below)
    write_table(table, SCORES, scores)
    return f"{len(frame):,} texts, {len(new):,} of them new"


Scored = list[tuple[int, int, np.ndarray]]  # text's number, number of its windows, probabilities


def _compute(
    texts: list[str],
    settings: ClassificationSettings,
    folder: Path,
    device: Device,
    dtype: torch.dtype,
    threads: int,
) -> Iterator[Scored]:
    """Score texts batch by batch: those whose last window was in it.

    What is close in sixteen bits is read again in float32 when everything has been read once, in batches of fixed
    shapes too, so that a window's probabilities still depend on the window alone.
    """
    tokenizer = load_tokenizer(folder)
    parts: dict[int, list[tuple[Window, np.ndarray]]] = {}
    close: list[Window] = []

    def read(windows: Iterable[Window], dtype: torch.dtype, batch_tokens: int) -> Iterator[Scored]:
        model = _Model(folder, device, dtype)
        for batch, logits in model.read(windows, batch_tokens, tokenizer.pad_token_id, threads):
            undecided = _close_calls(logits, dtype)
            close.extend(window for window, again in zip(batch.windows, undecided, strict=True) if again)
            decided = [window for window, again in zip(batch.windows, undecided, strict=True) if not again]
            yield _finished(decided, _softmax(logits[~undecided]), parts)

    windows = split_into_windows(tokenizer, texts, settings.max_length_tokens, settings.window_overlap_tokens)
    yield from read(windows, dtype, settings.batch_tokens)
    if close:
        fewer = settings.batch_tokens if device.kind == "cpu" else min(CLOSE_BATCH_TOKENS, settings.batch_tokens)
        yield from read(close.copy(), torch.float32, fewer)


def _close_calls(logits: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    """Which rows of `[windows, labels]`, computed in `dtype`, float32 is to decide; in float32 none.

    A number that isn't finite, which float16 may overflow to, decides nothing.
    """
    if dtype is torch.float32:
        return np.zeros(len(logits), bool)
    ordered = np.sort(logits, axis=1)
    step = torch.finfo(dtype).eps * np.abs(logits).max(axis=1).clip(min=1)
    return ~((ordered[:, -1] - ordered[:, -2] >= CLOSE_STEPS * step) & np.isfinite(step))


def _softmax(logits: np.ndarray) -> np.ndarray:
    return torch.from_numpy(logits).softmax(dim=1).numpy()


class _Model:
    """A classifier as it is applied, in one number format."""

    def __init__(self, folder: Path, device: Device, dtype: torch.dtype):
        """Load it onto the device."""
        self._device = device
        self._model = self._load(folder, dtype)
        # On a GPU padding costs less than one small product for each window.
        self._unpadded = device.kind == "cpu" and unpadded.supports_packing(self._model.config)
        if self._unpadded:
            unpadded.enable_packing(self._model)

    def read(
        self, windows: Iterable[Window], batch_tokens: int, padding_id: int, threads: int
    ) -> Iterator[tuple[Batch, np.ndarray]]:
        """The logits of all windows, `[windows, labels]` in float32, batch by batch.

        On a CPU each thread computes a batch of its own: nothing waits at a barrier inside of a matrix product, and
        the next texts are cut into tokens at the same time.
        """
        workers = threads if self._device.kind == "cpu" else 1
        under_way: deque[tuple[Batch, Future[np.ndarray]]] = deque()
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for batch in self._batches(windows, batch_tokens, padding_id):
                under_way.append((batch, pool.submit(self._logits, batch)))
                if len(under_way) > 2 * workers:
                    batch, computed = under_way.popleft()
                    yield batch, computed.result()
            while under_way:
                batch, computed = under_way.popleft()
                yield batch, computed.result()

    def _batches(self, windows: Iterable[Window], batch_tokens: int, padding_id: int) -> Iterator[Batch]:
        if not self._unpadded:
            return padded_batches(windows, batch_tokens=batch_tokens, padding_id=padding_id, kind=self._device.kind)
        first = getattr(self._model.base_model.embeddings, "padding_idx", -1) + 1  # RoBERTa's count from there
        return unpadded.packed_rows(windows, batch_tokens=batch_tokens, first_position=first)

    @torch.inference_mode()
    def _logits(self, batch: Batch) -> np.ndarray:
        kind = self._device.kind
        there = {name: each.to(kind) if isinstance(each, torch.Tensor) else each for name, each in batch.inputs.items()}
        return self._model(**there).logits[: len(batch.windows)].float().cpu().numpy()

    def _load(self, folder: Path, dtype: torch.dtype) -> PreTrainedModel:
        # On a CPU, whole score matrices of a few short windows in bfloat16 are faster than PyTorch's flash attention.
        plain = self._device.kind == "cpu" and dtype is not torch.float32
        model = AutoModelForSequenceClassification.from_pretrained(
            folder,
            dtype=dtype,
            attn_implementation="eager" if plain else None,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        )
        return model.eval().to(self._device.kind)


def _finished(
    windows: list[Window], probabilities: np.ndarray, parts: dict[int, list[tuple[Window, np.ndarray]]]
) -> Scored:
    """The texts that these windows complete; windows of others wait in `parts`."""
    complete = []
    for window, found in zip(windows, probabilities, strict=True):
        mine = parts.setdefault(window.text, [])
        mine.append((window, found))
        if len(mine) == window.of:
            complete.append((window.text, window.of, _mean(parts.pop(window.text))))
    return complete


def _mean(parts: list[tuple[Window, np.ndarray]]) -> np.ndarray:
    """The windows' probabilities weighted by their lengths; one window's stay bit for bit."""
    if len(parts) == 1:
        return parts[0][1]
    # Longest first and by content, so that the order in which batches came can't change a sum.
    parts = sorted(parts, key=lambda part: (-len(part[0].tokens), part[0].tokens))
    weights = np.array([len(window.tokens) for window, _ in parts], np.float64)
    values = np.stack([probabilities for _, probabilities in parts]).astype(np.float64)
    return (weights @ values / weights.sum()).astype(np.float32)


def _as_table(
    ids: pd.Series,
    probabilities: np.ndarray,
    windows: np.ndarray,
    labels: list[str],
    seen: set[str],
    abstain_below: float,
) -> pd.DataFrame:
    there = windows > 0
    certain = there & (probabilities.max(axis=1) >= abstain_below)
    best = np.array(labels, object)[probabilities.argmax(axis=1)]
    return pd.DataFrame(
        {
            "id": ids.to_numpy(),
            "label": np.where(certain, best, None),
            "probabilities": [values if known else None for values, known in zip(probabilities, there, strict=True)],
            "windows": windows.clip(min=0),
            "seen_in_training": ids.isin(seen).to_numpy(),
            "reason": np.where(certain, None, np.where(there, UNCERTAIN, UNREADABLE)),
        }
    )


if __name__ == "__main__":
    stage.run(score_texts)
